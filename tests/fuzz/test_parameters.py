"""Parameters of every kind at the constructors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn import SpectrogramCNNClassifier, SpectrogramTransformer
from ecg_sklearn.datasets import make_heartbeats

from .oracle import Refused, attempt, fuzzed

_BEATS = make_heartbeats(40, n_records=4, random_state=0)
_IMAGES = SpectrogramTransformer().fit_transform(_BEATS.data)
_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(allow_nan=True, allow_infinity=True, width=32),
    st.sampled_from(["", "hann", "db", "max", "nothing", "balanced", "sample"]),
    st.lists(st.integers(-2, 9), max_size=3),
    st.tuples(st.floats(-5, 90), st.floats(-5, 90)),
    st.dictionaries(st.integers(0, 6), st.floats(0, 2), max_size=3),
)


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from(sorted(SpectrogramTransformer().get_params())),
        _ODD,
        min_size=1,
        max_size=2,
    )
)
def test_parameters_of_the_transformer(params):
    spectrogram = SpectrogramTransformer(**params)
    try:
        images = attempt(spectrogram.fit_transform, _BEATS.data)
    except Refused:
        return
    assert np.isfinite(images).all()
    assert len(images) == len(_BEATS.data)


# What only makes a training long or large is no fault.
_CHEAP = sorted(
    set(SpectrogramCNNClassifier().get_params())
    - {"epochs", "filters", "callbacks", "dense_units", "checkpoint", "kernel_size"}
)


@fuzzed
@given(st.dictionaries(st.sampled_from(_CHEAP), _ODD, min_size=1, max_size=2))
def test_parameters_of_the_classifier(params):
    base = {"filters": (4,), "dense_units": 0, "epochs": 1, "random_state": 0}
    cnn = SpectrogramCNNClassifier(**base | params)
    try:
        attempt(cnn.fit, _IMAGES, _BEATS.target)
    except Refused:
        return
    assert cnn.predict(_IMAGES).shape == (len(_IMAGES),)
