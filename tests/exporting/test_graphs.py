"""Exported graphs read back: what belongs to them, and what they refuse."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.exporting import export, load_graph
from ecg_sklearn.pipeline import make_ecg_pipeline

SUFFIX = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}


@pytest.fixture(scope="module")
def windows():
    return make_heartbeats(
        200, n_records=4, form="window", features=["rr"], random_state=0
    )


@pytest.fixture(scope="module")
def fitted(windows):
    pipe = make_ecg_pipeline(
        sampling_rate=windows.sampling_rate, filters=(4,), epochs=1, random_state=0
    )
    return pipe.fit(windows.frame, windows.target)


@pytest.fixture(scope="module")
def keras_file(fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "model.keras"
    export(fitted, path, format="keras")
    return path


@pytest.mark.parametrize(
    "format",
    [
        pytest.param("onnx", marks=pytest.mark.slow),
        pytest.param("litert", marks=pytest.mark.slow),
        "keras",
    ],
)
def test_what_belongs_to_a_graph_comes_back(format, fitted, windows, tmp_path):
    if format == "onnx":
        for package in ("onnx", "onnxruntime", "tf2onnx"):
            pytest.importorskip(package)
    path = tmp_path / f"model{SUFFIX[format]}"
    export(fitted, path, format=format)
    graph = load_graph(path)
    assert graph.cut_ == windows.cut
    assert graph.class_names_ == list("NSVFQ")
    assert graph.classes_.tolist() == [0, 1, 2, 3, 4]
    assert graph.feature_names_in_.tolist() == list(windows.frame.columns)
    assert graph.n_features_in_ == windows.frame.shape[1]
    assert graph.sampling_rate_ == windows.sampling_rate
    expected = fitted.predict_proba(windows.frame)
    np.testing.assert_allclose(graph.predict_proba(windows.frame), expected, atol=1e-4)
    np.testing.assert_array_equal(
        graph.predict(windows.frame), fitted.predict(windows.frame)
    )
    assert graph.predict_proba(windows.frame[:0]).shape == (0, 5)


def test_beats_of_another_cut_are_refused(keras_file, windows):
    graph = load_graph(keras_file)
    other = windows.frame.copy()
    other.attrs["cut"] = windows.cut | {"window": [-0.3, 0.7]}
    with pytest.raises(ValueError, match="window is .*, and was"):
        graph.predict(other)
    swapped = windows.frame[windows.frame.columns[::-1]]
    with pytest.raises(ValueError, match="'rr_prematurity' stands where 't000'"):
        graph.predict(swapped)
    with pytest.raises(ValueError, match=r"has shape \(200, 11\)"):
        graph.predict(windows.frame.to_numpy()[:, :11])
    with pytest.raises(ValueError, match="NaN"):
        graph.predict(windows.frame.to_numpy() * np.nan)


def test_files_that_are_no_graphs(tmp_path, keras_file):
    with pytest.raises(ValueError, match="none of the suffixes"):
        load_graph(tmp_path / "model.ecgsk")
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.keras"):
        load_graph(tmp_path / "absent.keras")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(keras_file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be read as an exported graph"):
        load_graph(broken)
    plain = tmp_path / "plain.keras"
    with zipfile.ZipFile(keras_file) as old, zipfile.ZipFile(plain, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, b"{}" if "ecg_sklearn" in entry.filename else content)
    with pytest.raises(ValueError, match="does not say which classes"):
        load_graph(plain)


@pytest.mark.slow
def test_an_onnx_graph_runs_without_tensorflow(fitted, windows, tmp_path):
    for package in ("onnx", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    path = tmp_path / "model.onnx"
    export(fitted, path)
    code = f"""
import sys
import numpy as np
from ecg_sklearn.datasets import cut_beats
from ecg_sklearn.exporting import load_graph
graph = load_graph({str(path)!r})
rng = np.random.default_rng(0)
X = cut_beats(rng.normal(size=5000), 250, range(200, 4800, 200), like=graph)
assert graph.predict_proba(X).shape == (len(X), 5) and len(X) == 23
assert not {{"tensorflow", "keras", "torch", "jax"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
