"""Parameters of every kind at the constructors and the loaders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn import (
    SpectrogramCNNClassifier,
    SpectrogramTransformer,
)
from ecg_sklearn.datasets import load_wfdb_beats, make_heartbeats

from .oracle import Refused, attempt, fuzzed_with

_BEATS = make_heartbeats(40, n_records=4, random_state=0)
_IMAGES = SpectrogramTransformer().fit_transform(_BEATS.data)
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(width=32),
    st.sampled_from(["", "hann", "db", "max", "nothing", "balanced", "sample"]),
    st.lists(st.integers(-2, 9), max_size=3),
    st.tuples(st.floats(-5, 90), st.floats(-5, 90)),
    st.dictionaries(st.integers(0, 6), st.floats(0, 2), max_size=3),
)
# What may well be right, alone or with others.
_TRANSFORMER = {
    "sampling_rate": st.floats(0.1, 1e4),
    "window": st.sampled_from(
        ["hann", "boxcar", ("kaiser", 8.0), ("tukey", 0.25), 5.0, np.ones(16)]
    ),
    "nperseg": st.integers(1, 200),
    "noverlap": st.one_of(st.integers(0, 200), st.floats(0, 1)),
    "nfft": st.one_of(st.none(), st.integers(1, 500), st.floats(1, 20)),
    "freq_range": st.one_of(st.none(), st.tuples(st.floats(0, 60), st.floats(0, 90))),
    "amin": st.floats(0, 1e3, exclude_min=True),
    "top_db": st.floats(0.1, 200),
    "scale": st.sampled_from(["db", "power", "magnitude"]),
    "normalize": st.sampled_from(["global", "frequency", "sample", None]),
    "boundary": st.sampled_from(["zeros", "even", "odd", "constant", None]),
    "sample_columns": st.one_of(
        st.integers(0, 190).map(lambda n: slice(n)),
        st.lists(st.integers(-200, 200), max_size=99),
    ),
}


def some(likely, names, **limits):
    """One to three parameters, with values that are likely, or odd."""
    return st.dictionaries(
        st.sampled_from(names), st.none(), min_size=1, max_size=3, **limits
    ).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: st.one_of(likely.get(name, _ODD), _ODD) for name in chosen}
        )
    )


@fuzzed_with(2.0)
@given(some(_TRANSFORMER, sorted(SpectrogramTransformer().get_params())))
def test_parameters_of_the_transformer(params):
    spectrogram = SpectrogramTransformer(**params)
    try:
        images = attempt(spectrogram.fit_transform, _BEATS.data)
    except Refused:
        return
    if not len(spectrogram.feature_columns_):
        assert np.isfinite(images).all()
    assert len(images) == len(_BEATS.data)
    np.testing.assert_array_equal(attempt(spectrogram.transform, _BEATS.data), images)


_CLASSIFIER = {
    "pooling": st.sampled_from(["stride", "max"]),
    "residual": st.sampled_from([(), (1,), (1, 1), [1], (2,)]),
    "dropout": st.floats(0, 1),
    "dense_dropout": st.floats(0, 1),
    "optimizer": st.sampled_from(["adamw", "adam", "sgd", "rmsprop"]),
    "learning_rate": st.floats(0, 1e3),
    "weight_decay": st.floats(0, 10),
    "lr_schedule": st.sampled_from(["one_cycle", "plateau", None]),
    "batch_size": st.integers(1, 100),
    "early_stopping": st.booleans(),
    "validation_fraction": st.floats(0, 1),
    "class_weight": st.dictionaries(st.integers(0, 5), st.floats(0, 9), max_size=5),
    "label_smoothing": st.floats(0, 1),
    "logit_adjustment": st.floats(0, 3),
    "kernel_size": st.integers(1, 9),
}
# What only makes a training long or large is no fault.
_CHEAP = sorted(
    set(SpectrogramCNNClassifier().get_params())
    - {"epochs", "filters", "callbacks", "dense_units", "checkpoint"}
)


@fuzzed_with(0.6)
@given(some(_CLASSIFIER, _CHEAP).filter(lambda p: p.get("kernel_size") != 300))
@pytest.mark.filterwarnings("ignore")
def test_parameters_of_the_classifier(params):
    base = {"filters": (4,), "dense_units": 0, "epochs": 1, "random_state": 0}
    cnn = SpectrogramCNNClassifier(**base | params)
    try:
        attempt(cnn.fit, _IMAGES, _BEATS.target)
    except Refused:
        return
    assert cnn.predict(_IMAGES).shape == (len(_IMAGES),)
    assert np.isfinite(cnn.predict_proba(_IMAGES)).all()


@fuzzed_with(0.5)
@given(
    some(
        {
            "records": st.lists(st.sampled_from(["r1", "r2", "r3", ""]), max_size=3),
            "annotator": st.sampled_from(["atr", "qrs", "", "../x"]),
            "channel": st.sampled_from(["II", "V1", 0, 1, ("MLII", "II"), []]),
            "window": st.tuples(st.floats(-1, 1), st.floats(-1, 2)),
            "sampling_rate": st.floats(1, 1000),
            "form": st.sampled_from(["kaggle", "window"]),
            "features": st.lists(
                st.sampled_from(["rr", "morphology", "rhythm", "x"]), max_size=3
            ),
        },
        ["records", "annotator", "channel", "window", "sampling_rate", "form",
         "features"],
    )
)  # fmt: skip
def test_parameters_of_the_records(wfdb_folder, params):
    try:
        beats = attempt(load_wfdb_beats, wfdb_folder, **{"channel": "II"} | params)
    except Refused:
        return
    assert len(beats.data) == len(beats.target) == len(beats.groups) > 0
    assert np.isfinite(np.asarray(beats.data)).all()
