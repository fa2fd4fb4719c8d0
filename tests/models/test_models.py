"""The shipped models: they load, say what they are, and answer as they did."""

import hashlib
import io
import runpy
import zlib
from importlib.resources import as_file, files
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from ecg_sklearn import list_models, load_model
from ecg_sklearn.aami import PACED_RECORDS
from ecg_sklearn.datasets import cut_beats, make_recording
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.detection import detect_beats
from ecg_sklearn.io import read_recording
from ecg_sklearn.models import model_card

# Mean probabilities of the simulated beats, with scikit-learn 1.9.
MEANS = {
    "causal": [0.8384, 0.0409, 0.1197, 0.0010],
    "offline": [0.8424, 0.0504, 0.1068, 0.0004],
}
DOCS = Path(__file__).parents[2] / "docs"
WEIGHTS = files("ecg_sklearn.models") / "weights"


@pytest.fixture(scope="module")
def recording():
    return make_recording(
        300, ectopy={"V": 0.1, "S": 0.05}, sampling_rate=250, random_state=0
    )


@pytest.mark.parametrize("name", ["causal", "offline"])
def test_answers(name, recording):
    model = load_model(name)
    signal, rate = recording.signal[:, 0], recording.sampling_rate
    X = cut_beats(signal, rate, recording.sample, like=model)
    groups = np.zeros(len(X))
    probability = model.predict_proba(X, groups=groups)
    true = recording.target[X.index]
    found = model.predict(X, groups=groups)
    assert np.mean(found == true) > 0.9
    assert np.mean(found[true == 2] == 2) > 0.9
    assert probability.mean(axis=0) == pytest.approx(MEANS[name], abs=2e-3)


@pytest.mark.parametrize("name", ["causal", "offline"])
def test_card(name):
    card, model = model_card(name), load_model(name)
    assert card["mode"] == name
    assert len(card["training_records"]) == len(model.record_counts_) == 122
    assert not set(card["training_records"]) & set(PACED_RECORDS)
    assert {"ds1_svdb_to_ds2", "mitdb_to_svdb"} <= set(card["scores"])
    for place, scores in card["scores"].items():
        is_detected = place.endswith("_detected")
        assert scores["beats"] == ("detected" if is_detected else "marked")
        assert set(scores["f1"]) == set("NSVF")
        assert 0.8 < scores["accuracy"] < 1
        values = scores["f1"] | {k: scores[k] for k in ("accuracy", "macro_f1")}
        for key, (low, high) in scores["interval"].items():
            assert 0 <= low <= values[key] <= high <= 1
    assert "ODC-By" in card["licence"]
    for risk, threshold in card["risk"].items():
        assert model.threshold(float(risk)) == threshold


@pytest.mark.parametrize("name", ["causal", "offline"])
def test_scores_of_the_card(name):
    scores = model_card(name)["scores"]
    assert set(scores) == {
        "ds1_svdb_to_ds2",
        "ds1_svdb_to_ds2_detected",
        "folds",
        "mitdb_to_svdb",
        "mitdb_to_svdb_detected",
    }
    assert scores["folds"]["calibration_error"] < 0.03
    assert scores["folds"]["not_sure"]["sure_and_wrong"] < 0.02
    for place in ("ds1_svdb_to_ds2", "mitdb_to_svdb"):
        loss = scores[place]["macro_f1"] - scores[f"{place}_detected"]["macro_f1"]
        assert abs(loss) < 0.02


@pytest.mark.parametrize("name", ["causal", "offline"])
def test_counts_of_the_card(name):
    counts = model_card(name)["counts"]
    assert set(counts) == {"veb", "sveb"}
    for found in counts.values():
        low, high = found["limits_of_agreement"]
        assert low < found["bias"] < high
        assert found["records"] == 22
        assert found["interval_holds"] > 0.9
        assert set(found) >= {"couplet", "run"}


@pytest.mark.parametrize("name", ["causal", "offline"])
def test_the_hash_is_that_of_the_weights(name):
    digest = hashlib.sha256()
    with as_file(WEIGHTS / f"{name}.ecgsk") as path, ZipFile(path) as archive:
        for member in sorted(set(archive.namelist()) - {"facts.json"}):
            content = archive.read(member)
            if member.endswith(".npy"):  # the bytes between fields have no meaning
                array = np.load(io.BytesIO(content))
                fields = array.dtype.names or ()
                content = b"".join(array[f].tobytes() for f in fields) or content
            digest.update(f"{member} {len(content)}\n".encode() + content)
    assert model_card(name)["weights_sha256"] == digest.hexdigest()


@pytest.mark.skipif(not (DOCS / "cards.py").exists(), reason="needs the docs")
def test_the_docs_show_the_cards():
    page = runpy.run_path(str(DOCS / "cards.py"))["cards"]()
    for name in list_models():
        card = model_card(name)
        assert card["weights_sha256"] in page
        for scores in card["scores"].values():
            for key in ("accuracy", "macro_f1"):
                assert f"| {scores[key]:.3f}\n" in page
                assert f"| {scores['interval'][key][0]:.2f}" in page


def test_the_weights_are_small_and_have_a_notice():
    assert list_models() == ["causal", "offline"]
    packed = sum(len(zlib.compress(path.read_bytes())) for path in WEIGHTS.iterdir())
    assert packed < 2e6
    assert "ODC-By 1.0" in (WEIGHTS / "NOTICE.txt").read_text()


def test_unknown_name():
    with pytest.raises(ValueError, match=r"no model 'best'.*'causal', 'offline'"):
        load_model("best")


def test_the_graph_is_the_same_model(recording):
    pytest.importorskip("onnxruntime")
    model, graph = load_model("causal"), load_model("causal", format="onnx")
    signal, rate = recording.signal[:, 0], recording.sampling_rate
    X = cut_beats(signal, rate, recording.sample, like=graph)
    found, expected = graph.predict_proba(X), model.predict_proba(X)
    # If it is another model: ecg-sklearn export causal, as make models does.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert graph.predict(X).tolist() == model.predict(X).tolist()
    assert graph.cut_ == model.cut_
    assert graph.class_names_ == list("NSVF")


@pytest.mark.mitbih
@pytest.mark.parametrize("record", ["106", "207", "232"])
def test_the_graph_on_a_real_record(mitbih_home, record):
    pytest.importorskip("onnxruntime")
    model, graph = load_model("causal"), load_model("causal", format="onnx")
    found = read_recording(MITDB.find(mitbih_home) / record)
    lead, rate = found.signal[:, 0], found.sampling_rate
    X = cut_beats(lead, rate, detect_beats(lead, rate), like=graph)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(graph.predict_proba(X), expected, rtol=0, atol=1e-6)
    assert graph.predict(X).tolist() == model.predict(X).tolist()


def test_formats():
    with pytest.raises(ValueError, match="'offline' has no ONNX graph"):
        load_model("offline", format="onnx")
    with pytest.raises(ValueError, match="no model 'best'"):
        load_model("best", format="onnx")
    with pytest.raises(ValueError, match="'format' parameter of load_model"):
        load_model("causal", format="litert")
