"""Learning from batches: what is learned, what is held in memory, what is refused."""

import gc
import weakref

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import RobustScaler
from sklearn.utils import Bunch

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.streaming import fit_stream

SMALL = {"filters": (8,), "dense_units": 16, "batch_size": 32, "random_state": 0}


def batches(beats, size=100):
    """Cut a Bunch into Bunches."""
    return [
        Bunch(data=beats.data[i : i + size], target=beats.target[i : i + size])
        for i in range(0, len(beats.data), size)
    ]


@pytest.fixture
def pipe():
    return make_ecg_pipeline(sampler=None, **SMALL)


def test_transformers_end_as_if_fitted_to_all_beats(beats):
    context = np.random.default_rng(0).normal(1, 2, size=(len(beats.data), 3))
    X = np.hstack([beats.data, context])
    pipe = make_ecg_pipeline(sampler=None, sample_columns=slice(187), **SMALL)
    pipe.set_params(spectrogram__normalize="frequency")
    whole = make_ecg_pipeline(sampler=None, sample_columns=slice(187))[:-1]
    whole.set_params(spectrogram__normalize="frequency").fit(X)
    parts = [(X[i : i + 90], beats.target[i : i + 90]) for i in range(0, len(X), 90)]
    assert fit_stream(pipe, parts) is pipe
    learned = {
        "scaler": "mean_ n_samples_seen_",
        "spectrogram": "data_min_ data_max_ feature_mean_ feature_scale_",
    }
    for step, names in learned.items():
        for name in names.split():
            found, expected = getattr(pipe[step], name), getattr(whole[step], name)
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_simulated_beats_are_learned(pipe):
    weights = [0.5, 0.1, 0.2, 0.05, 0.15]
    made = make_heartbeats(1600, n_records=4, weights=weights, random_state=0)
    rows = np.random.default_rng(0).permutation(1600)
    X, y = made.data[rows], made.target[rows]
    parts = [(X[i : i + 400], y[i : i + 400]) for i in range(0, 1200, 400)]
    pipe.set_params(cnn__learning_rate=5e-3)
    fit_stream(pipe, parts, classes=range(5), epochs=4)
    majority = np.mean(y[1200:] == 0)
    assert accuracy_score(y[1200:], pipe.predict(X[1200:])) > majority + 0.1
    assert pipe["cnn"].n_epochs_ == 12
    assert pipe["scaler"].n_samples_seen_ == 1200


def test_labels_are_collected_in_the_first_pass(pipe, beats):
    labels = np.array(list("NSVFQ"))[beats.target]
    order = np.argsort(labels)  # no batch holds all classes
    parts = [(beats.data[rows], labels[rows]) for rows in np.split(order, 4)]
    passes = []

    def read():
        passes.append(len(passes))
        return iter(parts)

    fit_stream(pipe, read, epochs=2)
    assert pipe.classes_.tolist() == sorted("NSVFQ")
    assert len(passes) == 4  # scaler, spectrogram, two of the network


def test_a_network_alone_takes_a_pass_for_the_labels(beats):
    pipe = Pipeline([("nothing", "passthrough"), *make_ecg_pipeline(**SMALL).steps[3:]])
    fit_stream(pipe, batches(beats))
    assert pipe.classes_.tolist() == [0, 1, 2, 3, 4]
    # With the labels given and one epoch, beats are needed once.
    fit_stream(pipe, iter(batches(beats)), classes=range(5))
    assert pipe["cnn"].n_epochs_ == 4


def test_it_starts_anew_and_only_success_shows(pipe, beats):
    fit_stream(pipe, batches(beats), epochs=2)
    before = pipe.predict_proba(beats.data)
    fit_stream(pipe, batches(beats), epochs=2)
    np.testing.assert_allclose(pipe.predict_proba(beats.data), before, atol=1e-4)
    parts = [*batches(beats), "no batch"]
    with pytest.raises(TypeError, match="A batch is a str. Give Bunches"):
        fit_stream(pipe, parts)
    np.testing.assert_allclose(pipe.predict_proba(beats.data), before, atol=1e-4)


def test_a_line_for_each_pass(pipe, beats, capsys):
    fit_stream(pipe, batches(beats), epochs=1, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "pass 1/3 (scaler)",
        "pass 2/3 (spectrogram)",
        "pass 3/3 (cnn, epoch 1/1)",
    ]
    assert "4 batches, 400 beats" in lines[0]
    fit_stream(pipe, batches(beats))
    assert capsys.readouterr().out == ""


def test_no_batch_is_kept(pipe, monkeypatch):
    alive = []
    most = 0
    transform = SpectrogramTransformer.transform

    def watched(self, X):
        nonlocal most
        images = transform(self, X)
        alive.extend([weakref.ref(X), weakref.ref(images)])
        gc.collect()
        most = max(most, sum(each() is not None for each in alive))
        return images

    def made():
        for seed in range(6):
            yield make_heartbeats(60, n_records=5, random_state=seed)

    monkeypatch.setattr(SpectrogramTransformer, "transform", watched)
    fit_stream(pipe, made, classes=range(5))
    gc.collect()
    assert len(alive) == 12
    assert most == 2  # the scaled beats and the spectrograms of one batch
    assert not any(each() is not None for each in alive)


def test_what_cannot_be_streamed(pipe, beats):
    with pytest.raises(ValueError, match="batches is a list_iterator, .* 3 passes"):
        fit_stream(pipe, iter(batches(beats)))
    once = iter(batches(beats))
    with pytest.raises(ValueError, match=r"Pass 2 of 3 \(spectrogram\) gave no beats"):
        fit_stream(pipe, lambda: once)
    with pytest.raises(ValueError, match=r"labels \[4\] that are not among classes"):
        fit_stream(pipe, batches(beats), classes=[0, 1, 2, 3])
    with pytest.raises(ValueError, match="Step 'smote' resamples"):
        fit_stream(make_ecg_pipeline(), batches(beats))
    robust = pipe.set_params(scaler=RobustScaler())
    with pytest.raises(ValueError, match="'scaler' is a RobustScaler, which has no"):
        fit_stream(robust, batches(beats))
    with pytest.raises(TypeError, match="SGDClassifier, not a Pipeline"):
        fit_stream(SGDClassifier(), batches(beats))
    with pytest.raises(ValueError, match="'batches' parameter of fit_stream"):
        fit_stream(pipe, 3)
    with pytest.raises(NotFittedError):
        pipe.predict(beats.data)
