"""Training as on an accelerator, on the processor: the same network comes out.

``make test-backends`` runs this on JAX, where an epoch is one call, and on PyTorch.
"""

import keras
import numpy as np
import pytest

from ecg_sklearn.neural_network import SpectrogramCNNClassifier

DEVICE = "ecg_sklearn.neural_network._device"


@pytest.fixture
def accelerator(monkeypatch):
    """Return a function that lets the processor pass for an accelerator."""
    return lambda: monkeypatch.setattr(f"{DEVICE}.has_accelerator", lambda: True)


class Steps(keras.callbacks.Callback):
    """Count what Keras takes for steps."""

    def __init__(self):
        super().__init__()
        self.n_steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.n_steps += 1


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.1, "early_stopping": True},
        {"lr_schedule": "plateau", "patience": 1, "class_weight": "balanced"},
    ],
)
@pytest.mark.slow
def test_the_same_network(params, images, beats, small_cnn, accelerator):
    params = small_cnn | params | {"random_state": 0}
    X, y = images[:200], beats.target[:200]
    expected = SpectrogramCNNClassifier(**params).fit(X, y)
    accelerator()
    for _ in range(2):  # the second fit reuses the trainer
        found = SpectrogramCNNClassifier(**params).fit(X, y)
        assert found.history_.keys() == expected.history_.keys()
        for name, values in expected.history_.items():
            # One beat in the wrong class is more than rounding.
            near = 0.02 if "accuracy" in name else 1e-4
            np.testing.assert_allclose(found.history_[name], values, atol=near)
        np.testing.assert_allclose(
            found.predict_proba(X), expected.predict_proba(X), atol=1e-3
        )


def test_batches_that_are_all_full(images, beats, small_cnn, accelerator):
    params = small_cnn | {"batch_size": 50, "random_state": 0}
    X, y = images[:100], beats.target[:100]
    expected = SpectrogramCNNClassifier(**params).fit(X, y)
    accelerator()
    found = SpectrogramCNNClassifier(**params).fit(X, y)
    np.testing.assert_allclose(
        found.history_["loss"], expected.history_["loss"], atol=1e-4
    )


def test_callbacks_that_follow_batches_get_them(images, beats, small_cnn, accelerator):
    accelerator()
    steps = Steps()
    cnn = SpectrogramCNNClassifier(**small_cnn, callbacks=[steps], random_state=0)
    cnn.fit(images, beats.target)
    assert steps.n_steps == 2 * 7


def test_beats_without_room_stay_on_the_host(
    images, beats, small_cnn, accelerator, monkeypatch
):
    accelerator()
    asked = []
    monkeypatch.setattr(f"{DEVICE}.has_room_for", asked.append)
    monkeypatch.setattr(f"{DEVICE}.as_epochs", None)
    cnn = SpectrogramCNNClassifier(**small_cnn, random_state=0)
    cnn.fit(images, beats.target)
    assert len(asked) == (keras.backend.backend() != "tensorflow")
