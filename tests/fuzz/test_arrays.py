"""Arrays of every kind at the doors of the estimators."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn import SpectrogramTransformer, make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

from .oracle import Refused, attempt, fuzzed, fuzzed_with

_BEATS = make_heartbeats(60, n_records=6, random_state=0)


def _as_memmap(X):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X.npy")
        np.save(path, X)
        return np.load(path, mmap_mode="r")


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


SAME = {
    "as it is": lambda X: X,
    "float64": lambda X: X.astype(np.float64),
    "Fortran": np.asfortranarray,
    "read-only": _read_only,
    "memory-mapped": _as_memmap,
    "list": lambda X: X.tolist(),
    "pandas": pd.DataFrame,
    "named columns": lambda X: pd.DataFrame(
        X, columns=[f"t{i}" for i in range(X.shape[1])]
    ),
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "object": lambda X: X.astype(object),
}
OTHER = {
    "NaN": lambda X, i: _with(X, i, np.nan),
    "inf": lambda X, i: _with(X, i, -np.inf),
    "huge": lambda X, i: _with(X, i, 1e30),
    "constant": lambda X, i: np.full_like(X, 0.3),
    "no beat": lambda X, i: X[:0],
    "one beat": lambda X, i: X[:1],
    "one sample": lambda X, i: X[:, :1],
    "narrow": lambda X, i: X[:, : i % 186 + 1],
    "wide": lambda X, i: np.hstack([X, X]),
    "flat": lambda X, i: X[0],
    "cube": lambda X, i: X[None],
    "number": lambda X, i: float(i),
    "None": lambda X, i: None,
    "strings": lambda X, i: X.astype(str),
    "words": lambda X, i: np.full(X.shape, "beat"),
    "complex": lambda X, i: X + 1j,
    "float16": lambda X, i: X.astype(np.float16),
    "integers": lambda X, i: (X * 1000).astype(np.int16),
    "booleans": lambda X, i: X > 0.5,
    "sparse": lambda X, i: scipy.sparse.csr_array(X),
    "ragged": lambda X, i: [row[: len(row) - n] for n, row in enumerate(X.tolist())],
    "dates": lambda X, i: X.astype("datetime64[s]"),
}


def _with(X, place, value):
    X = X.copy()
    X.flat[place % X.size] = value
    return X


def polars_frame(X):
    return pytest.importorskip("polars").DataFrame(
        {f"t{i}": column for i, column in enumerate(X.T)}
    )


@pytest.fixture(scope="module")
def pipe():
    pipe = make_ecg_pipeline(
        filters=(4,), dense_units=4, epochs=1, phase=True, random_state=0, sampler=None
    )
    return pipe.fit(_BEATS.data, _BEATS.target)


def usable_probabilities(probability, n_beats):
    assert probability.shape == (n_beats, 5)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("kind", [*SAME, "polars"])
def test_the_form_of_an_array_does_not_matter(pipe, kind):
    rows = _BEATS.data[:7]
    form = polars_frame if kind == "polars" else SAME[kind]
    given_rows = form(rows)
    found = attempt(pipe.predict_proba, given_rows)
    np.testing.assert_allclose(found, pipe.predict_proba(rows), atol=1e-6)
    images = SpectrogramTransformer().fit_transform(given_rows)
    np.testing.assert_array_equal(images, SpectrogramTransformer().fit_transform(rows))


@fuzzed
@given(st.sampled_from(list(OTHER)), st.integers(0, 10**6), st.integers(1, 9))
@pytest.mark.filterwarnings("ignore:These beats are")
def test_arrays_at_predict(pipe, kind, place, n_beats):
    X = OTHER[kind](_BEATS.data[:n_beats], place)
    try:
        found = attempt(pipe.predict_proba, X)
    except Refused:
        return
    usable_probabilities(found, len(X))
    clean = np.array(X, dtype=np.float32, order="C")
    # The scaler reckons in the precision that it is given.
    close = 1e-3 if kind == "float16" else 1e-6
    np.testing.assert_allclose(found, pipe.predict_proba(clean), atol=close)


@fuzzed
@given(
    st.sampled_from([*OTHER, "rows", "swapped", "a channel", "two channels"]),
    st.integers(0, 10**6),
    st.integers(1, 9),
)
def test_images_at_the_classifier(pipe, kind, place, n_beats):
    images = pipe[:-1].transform(_BEATS.data[:n_beats])
    X = {
        "rows": lambda X, i: X.reshape(len(X), -1),
        "swapped": lambda X, i: X.swapaxes(1, 2),
        "a channel": lambda X, i: X[..., :1],
        "two channels": lambda X, i: np.concatenate([X, X], axis=-1),
        "sparse": lambda X, i: scipy.sparse.csr_array(X[:, 0, :, 0]),
        "ragged": lambda X, i: [image[: 12 - n] for n, image in enumerate([*X, X[0]])],
        **{
            name: change
            for name, change in OTHER.items()
            if name not in ("sparse", "ragged")
        },
    }[kind](images, place)
    try:
        found = attempt(pipe[-1].predict_proba, X)
    except Refused:
        return
    usable_probabilities(found, len(X))
    clean = np.array(X, dtype=np.float32, order="C")
    np.testing.assert_allclose(found, pipe[-1].predict_proba(clean), atol=1e-6)


LABELS = {
    "as they are": lambda y, i: y,
    "strings": lambda y, i: np.array(list("NSVFQ"))[y],
    "floats": lambda y, i: y + 0.5,
    "NaN": lambda y, i: np.where(np.arange(len(y)) == i % len(y), np.nan, y),
    "one class": lambda y, i: np.zeros_like(y),
    "a class of one": lambda y, i: (np.arange(len(y)) == i % len(y)).astype(int),
    "too few": lambda y, i: y[:-1],
    "none": lambda y, i: None,
    "one-hot": lambda y, i: np.eye(5)[y],
    "mixed": lambda y, i: np.array([*y[:-1], "V"], dtype=object),
    "negative": lambda y, i: y - 3,
    "booleans": lambda y, i: y > 1,
}


@fuzzed_with(0.3)  # each one trains a network
@given(st.sampled_from(list(LABELS)), st.integers(0, 59), st.booleans())
def test_labels_at_fit(kind, place, smote):
    y = LABELS[kind](_BEATS.target, place)
    pipe = make_ecg_pipeline(
        filters=(4,),
        dense_units=0,
        epochs=1,
        random_state=0,
        sampler="smote" if smote else None,
    )
    try:
        attempt(pipe.fit, _BEATS.data, y)
    except Refused:
        return
    predicted = pipe.predict(_BEATS.data)
    assert set(predicted.tolist()) <= set(np.asarray(y).tolist())
