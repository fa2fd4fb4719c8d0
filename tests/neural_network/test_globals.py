"""What surrounds a network: variables of the environment and settings of Keras."""

import contextlib
import os
import subprocess
import sys

import joblib
import keras
import numpy as np
import pytest

from ecg_sklearn.neural_network import SpectrogramCNNClassifier, _training


@pytest.mark.parametrize(("own", "expected"), [(None, "1"), ("0", "0")])
def test_onednn_is_on_unless_a_user_turns_it_off(own, expected):
    env = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    if own is not None:
        env["TF_ENABLE_ONEDNN_OPTS"] = own
    script = "import ecg_sklearn, os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == expected


SETTINGS = [
    ("dtype_policy", "mixed_float16"),
    pytest.param("dtype_policy", "bfloat16", marks=pytest.mark.slow),
    pytest.param("floatx", "float64", marks=pytest.mark.slow),
    ("image_data_format", "channels_first"),
]


@contextlib.contextmanager
def keras_set(name, value):
    """Set what holds for all of Keras, and take it back."""
    before = getattr(keras.config, name)()
    getattr(keras.config, f"set_{name}")(value)
    try:
        yield
    finally:
        getattr(keras.config, f"set_{name}")(before)


@pytest.fixture(scope="module")
def images_with_features(images):
    row = np.full((len(images), 1, images.shape[2]), np.nan, dtype=np.float32)
    row[:, 0, :4] = np.random.default_rng(0).normal(size=(len(images), 4))
    return np.concatenate([images, row], axis=1)


def make_cnn():
    """Make a classifier whose network has all kinds of layers."""
    return SpectrogramCNNClassifier(
        filters=(4,), residual=(1,), pooling="max", dropout=0.1, dense_units=4,
        dense_dropout=0.1, label_smoothing=0.01, epochs=2, batch_size=100,
        random_state=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(images_with_features, beats):
    """What is fitted under default settings, and its probabilities."""
    X, y = images_with_features, beats.target
    cnn = make_cnn().fit(X, y)
    return cnn, cnn.predict_proba(X)


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_settings_of_keras_change_nothing(
    name, value, fitted, images_with_features, beats, tmp_path, monkeypatch
):
    X, y = images_with_features, beats.target
    cnn, expected = fitted
    joblib.dump(cnn, tmp_path / "cnn.joblib")
    monkeypatch.setattr(_training._pool, "idle", [])  # trainers of default settings
    with keras_set(name, value):
        under = make_cnn().fit(X, y)
        models = {"loaded": joblib.load(tmp_path / "cnn.joblib"), "fitted": under}
        found = {how: model.predict_proba(X) for how, model in models.items()}
        joblib.dump(under, tmp_path / "under.joblib")
    found["loaded afterwards"] = joblib.load(tmp_path / "under.joblib").predict_proba(X)
    # On the trainer that was compiled under the other settings.
    found["fitted afterwards"] = make_cnn().fit(X, y).predict_proba(X)
    for how, probability in found.items():
        assert probability.dtype == np.float32, how
        np.testing.assert_allclose(probability, expected, atol=1e-5, err_msg=how)
    for key, values in cnn.history_.items():
        np.testing.assert_allclose(under.history_[key], values, rtol=1e-4)
