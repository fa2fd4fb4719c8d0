"""The README's Python runs as printed, and prints what the README shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
FIRST, SEARCH, SERVICE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHOWN = re.search(r"```\n```\n(.*?)```", README, flags=re.DOTALL)[1]


def numbers(table):
    return np.array(re.findall(r"\d+\.?\d*", table), dtype=float)


@pytest.mark.slow
def test_the_first_example_prints_what_is_shown(tmp_path):
    result = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", FIRST],
        cwd=tmp_path,
        env=os.environ | {"TF_NUM_INTRAOP_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.sub(r"\d", "", result.stdout).split() == re.sub(r"\d", "", SHOWN).split()
    # Other processors round otherwise, and a beat or two change their class.
    np.testing.assert_allclose(numbers(result.stdout), numbers(SHOWN), atol=0.03)


def test_the_search_is_valid():
    from sklearn.model_selection import GridSearchCV

    from ecg_sklearn import make_ecg_pipeline

    namespace = {"make_ecg_pipeline": make_ecg_pipeline}
    exec(SEARCH.split(".fit(")[0], namespace)
    search = namespace["search"]
    assert isinstance(search, GridSearchCV)
    assert set(search.param_grid) <= set(search.estimator.get_params())


def test_a_model_goes_into_a_service(beats, small_cnn, tmp_path, monkeypatch):
    for module in ("onnx", "onnxruntime", "tf2onnx"):
        pytest.importorskip(module)
    from ecg_sklearn import make_ecg_pipeline

    monkeypatch.chdir(tmp_path)
    pipe = make_ecg_pipeline(sampler=None, random_state=0, **small_cnn)
    exec(SERVICE, {"pipe": pipe.fit(beats.data, beats.target)})
    assert {p.name for p in tmp_path.iterdir()} == {"model.ecgsk", "model.onnx"}


def test_it_is_short_and_its_links_are_there():
    assert len(README.splitlines()) <= 110
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
