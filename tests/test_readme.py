"""The README's Python runs as printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def blocks():
    return re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


@pytest.mark.slow
def test_the_first_example_runs_as_printed(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", blocks()[0]],
        cwd=tmp_path,
        env=os.environ | {"TF_NUM_INTRAOP_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "epoch 5/5" in result.stdout
    accuracy = float(re.search(r"accuracy +(0\.\d+) +\d+\n", result.stdout).group(1))
    assert accuracy > 0.8
    assert len(blocks()[0].strip().splitlines()) <= 14  # with the two blank ones


def test_the_second_example_takes_over_from_the_first(beats, monkeypatch):
    import ecg_sklearn.datasets

    monkeypatch.setattr(ecg_sklearn.datasets, "fetch_mitbih", lambda **_: beats)
    namespace = {}
    exec("from ecg_sklearn import make_ecg_pipeline", namespace)
    exec("from ecg_sklearn.datasets import fetch_mitbih", namespace)
    exec(blocks()[1], namespace)
    assert namespace["pipe"]["spectrogram"].phase


def test_a_model_goes_into_a_service(beats, small_cnn, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from ecg_sklearn import make_ecg_pipeline

    monkeypatch.chdir(tmp_path)
    pipe = make_ecg_pipeline(sampler=None, random_state=0, **small_cnn)
    namespace = {"pipe": pipe.fit(beats.data, beats.target)}
    exec(blocks()[3], namespace)
    assert {p.name for p in tmp_path.iterdir()} == {"model.ecgsk", "model.onnx"}


def test_the_search_is_valid():
    from sklearn.model_selection import GridSearchCV

    from ecg_sklearn import make_ecg_pipeline

    source = blocks()[2].split("search.fit")[0]
    namespace = {"make_ecg_pipeline": make_ecg_pipeline}
    exec(source, namespace)
    search = namespace["search"]
    assert isinstance(search, GridSearchCV)
    for name in search.param_grid:
        assert name in search.estimator.get_params()
