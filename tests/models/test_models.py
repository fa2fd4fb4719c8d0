"""The shipped models: they load, say what they are, and answer as they did."""

import zlib
from importlib.resources import files

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
    for scores in card["scores"].values():
        assert set(scores["f1"]) == set("NSVF")
        assert 0.8 < scores["accuracy"] < 1
    assert "ODC-By" in card["licence"]
    for risk, threshold in card["risk"].items():
        assert model.threshold(float(risk)) == threshold


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
