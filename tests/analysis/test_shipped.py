"""Analyses with the shipped models: certainty, intervals, and what the card says."""

import pytest

from ecg_sklearn import models
from ecg_sklearn.analysis import _model, analyze
from ecg_sklearn.datasets import make_recording


@pytest.fixture(scope="module")
def recording():
    return make_recording(
        300,
        ectopy={"V": 0.05},
        events=[(100.0, "VVVV"), (200.0, "VV")],
        sampling_rate=250,
        random_state=1,
    )


@pytest.mark.parametrize("model", [None, "causal", "offline"])
def test_counts(model, recording):
    found = analyze(recording.signal, model, sampling_rate=recording.sampling_rate)
    count = found.summary.loc["veb_count"]
    assert count["value"] == pytest.approx((recording.symbols == "V").sum(), abs=2)
    assert count["low"] <= count["value"] <= count["high"]
    assert found.summary.at["veb_runs", "value"] == 1
    assert found.model["mode"] == (model or "offline")
    assert found.model["name"] == f"ecg_sklearn {model or 'offline'}"
    assert any("Supraventricular" in sentence for sentence in found.model["limits"])


def test_beats_that_are_not_sure(recording):
    found = analyze(recording.signal, sampling_rate=recording.sampling_rate)
    sure = found.beats["sure"]
    assert found.summary.at["n_unsure", "value"] == (~sure).sum()
    if not sure.all():
        probability = found.beats["probability"]
        assert probability[~sure].max() < probability[sure].min()


def test_a_model_is_loaded_once_for_all_recordings(recording, monkeypatch):
    asked, load_model = [], models.load_model

    def counted(*args, **kwargs):
        asked.append((args, kwargs))
        return load_model(*args, **kwargs)

    monkeypatch.setattr(models, "load_model", counted)
    _model._shipped_model.cache_clear()
    for name in (None, "causal", None, "causal"):
        analyze(recording.signal[:5000], name, sampling_rate=recording.sampling_rate)
    assert len(asked) == 2
