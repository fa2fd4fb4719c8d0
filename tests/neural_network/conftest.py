"""Smaller than for the rest of the tests: what takes time is to trace a network."""

import pytest


@pytest.fixture
def small_cnn():
    """Parameters of a network of one block, which trains in a moment."""
    return {"filters": (8,), "dense_units": 8, "epochs": 2, "batch_size": 64}
