"""Prediction in bulk: batches, and normalisations folded into convolutions."""

import keras
import numpy as np
import pytest

from ecg_sklearn.neural_network import SpectrogramCNNClassifier, _prediction

PREDICTION = "ecg_sklearn.neural_network._prediction"


def test_batches_do_not_show(fitted, images, monkeypatch):
    expected = fitted.predict_proba(images)
    size = dict.fromkeys(_prediction.ON_CPU, 32)
    monkeypatch.setattr(f"{PREDICTION}.ON_CPU", size)
    np.testing.assert_allclose(fitted.predict_proba(images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("image_size", "n_images"), [((12, 47), 1024), ((12, 4500), 16), ((4000, 4000), 1)]
)
def test_batches_of_large_images_are_small(image_size, n_images, monkeypatch):
    monkeypatch.setattr(f"{PREDICTION}.has_accelerator", lambda: False)
    assert _prediction._batch_size(image_size, "tensorflow") == n_images
    monkeypatch.setattr(f"{PREDICTION}.has_accelerator", lambda: True)
    assert _prediction._batch_size(image_size, "jax") in (8192, 128, 1)


def with_features(images):
    row = np.full((len(images), 1, images.shape[2]), np.nan, dtype=np.float32)
    row[:, :, :3] = images[:, :1, :3]
    return np.concatenate([images, row], axis=1)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"pooling": "max", "dropout": 0.1},
        pytest.param(
            {
                "filters": (8, 8),
                "residual": (1, 2),
                "dense_units": (8, 8),
                "dense_dropout": 0.1,
            },
            marks=pytest.mark.slow,
        ),
        {"dense_units": 0},
    ],
)
def test_folding_keeps_probabilities(params, images, beats, small_cnn, monkeypatch):
    cnn = SpectrogramCNNClassifier(**small_cnn | params, random_state=0)
    shown = with_features(images) if "residual" in params else images
    cnn.fit(shown, beats.target)
    plain = cnn.predict_proba(shown)
    monkeypatch.setattr(f"{PREDICTION}.BULK", 1)
    np.testing.assert_allclose(cnn.predict_proba(shown), plain, atol=1e-6)

    # The weights of the network are taken at each call.
    rng = np.random.default_rng(0)
    for layer in cnn.model_.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(rng.uniform(0.5, 2.0, size=(4, *shape)))
    folded = cnn.predict_proba(shown)
    assert np.abs(folded - plain).max() > 1e-3
    by_keras = cnn.model_.predict(
        shown[..., None] if shown.ndim == 3 else shown, verbose=0
    )
    np.testing.assert_allclose(folded, by_keras, atol=1e-5)


def test_folding_adds_no_layer(fitted, images, monkeypatch):
    before = [layer.name for layer in fitted.model_.layers]
    monkeypatch.setattr(f"{PREDICTION}.BULK", 1)
    fitted.predict_proba(images)
    assert [layer.name for layer in fitted.model_.layers] == before


def test_networks_of_others_are_not_folded(images, beats, small_cnn, monkeypatch):
    def build(image_shape, n_classes, n_feature_rows):
        inputs = keras.Input(image_shape)
        x = keras.layers.Conv2D(4, 3, name="a_conv")(inputs)
        x = keras.layers.GlobalAveragePooling2D()(x)
        outputs = keras.layers.Dense(n_classes, activation="softmax")(x)
        return keras.Model(inputs, outputs)

    cnn = SpectrogramCNNClassifier(**small_cnn, build_fn=build, random_state=0)
    cnn.fit(images, beats.target)
    expected = cnn.predict_proba(images)
    monkeypatch.setattr(f"{PREDICTION}.BULK", 1)
    np.testing.assert_array_equal(cnn.predict_proba(images), expected)
