"""Smaller networks than for the rest of the tests: tracing one takes the time."""

import pytest

from ecg_sklearn.neural_network import SpectrogramCNNClassifier

SMALL = {"filters": (8,), "dense_units": 8, "epochs": 2, "batch_size": 64}


@pytest.fixture
def small_cnn():
    """Parameters of a network of one block."""
    return dict(SMALL)


@pytest.fixture
def cnn():
    """A network of one block, not fitted."""
    return SpectrogramCNNClassifier(**SMALL, random_state=0)


@pytest.fixture(scope="package")
def fitted(images, beats):
    """The same fitted. A test changes it only by ``pickle``, in a copy."""
    return SpectrogramCNNClassifier(**SMALL, random_state=0).fit(images, beats.target)
