"""``export``: shipped models and model files as graphs."""

import json
import zipfile

import pytest

from ecg_sklearn import load, load_model
from ecg_sklearn.exporting import load_graph

from .conftest import run


def test_a_shipped_model(tmp_path, capsys, fails):
    pytest.importorskip("onnxruntime")
    out = tmp_path / "causal.onnx"
    run("export", "causal", "-o", out)
    printed = capsys.readouterr().out
    assert "1.44 MB; probabilities of 256 beats within" in printed
    assert f"Saved {out}" in printed
    graph, model = load_graph(out), load_model("causal")
    assert graph.cut_ == model.cut_
    fails("exists already", "export", "causal", "-o", out)
    run("export", "causal", "-o", out, "--overwrite", "--quiet")
    assert capsys.readouterr().out == f"Saved {out}\n"


def test_a_model_file(trained, tmp_path):
    out = tmp_path / "model.keras"
    run("export", trained / "model.ecgsk", "-o", out)
    with zipfile.ZipFile(out) as archive:
        facts = json.loads(archive.read("ecg_sklearn.json"))
    assert facts["classes"] == load(trained / "model.ecgsk").classes_.tolist()


def test_what_cannot_be_exported(tmp_path, fails):
    out = tmp_path / "model.onnx"
    fails("has none of the suffixes", "export", "causal", "-o", tmp_path / "model")
    fails("There is no model 'best'", "export", "best", "-o", out)
    fails("There is no model file", "export", tmp_path / "no.ecgsk", "-o", out)
    fails("sees all beats of a record at once", "export", "offline", "-o", out)
    assert not list(tmp_path.iterdir())
