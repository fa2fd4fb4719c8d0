"""Rows of features in an image, which end in NaN."""

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone


def with_features(images, *widths, seed=0):
    """Append rows of so many features each to images."""
    rng = np.random.default_rng(seed)
    rows = np.full((len(images), len(widths), *images.shape[2:]), np.nan, np.float32)
    flat = rows.reshape(len(images), len(widths), -1)
    for row, width in enumerate(widths):
        flat[:, row, :width] = rng.normal(size=(len(images), width))
    return np.concatenate([images, rows], axis=1)


@pytest.fixture(scope="module")
def fitted(fitted, images, beats):
    cnn = clone(fitted).set_params(epochs=1)
    return cnn.fit(with_features(images, 3), beats.target)


def test_features_decide_where_images_cannot(cnn):
    rng = np.random.default_rng(0)
    y = np.arange(300) % 2
    X = rng.normal(0, 0.1, size=(300, 5, 8)).astype(np.float32)
    X[:, -1] = np.nan
    X[:, -1, :3] = 0
    X[:, -1, 2] = 2.0 * y - 1
    cnn.set_params(epochs=15, learning_rate=0.01).fit(X, y)
    X[:, :-1] = rng.normal(0, 0.1, size=(300, 4, 8))
    assert cnn.score(X, y) > 0.9
    X[:, -1, 2] = 0
    assert cnn.score(X, y) < 0.65


@pytest.mark.parametrize(("channels", "widths"), [(1, (46,)), (2, (93, 1))])
def test_convolutions_see_the_image_alone(cnn, images, beats, channels, widths):
    stacked = np.stack([images] * channels, axis=-1)
    X = with_features(stacked, *widths)
    network = cnn.initialize(X, beats.target).model_
    assert network.spec.n_feature_rows == len(widths)
    assert network.get_layer("image").output.shape[1:3] == images.shape[1:]
    kernel = network.get_layer("dense").kernel
    assert kernel.shape[0] == 8 + len(widths) * 47 * channels
    values = np.array(kernel)
    values[8:] = 0  # of what the convolutions gave, everything
    kernel.assign(values)
    other = with_features(stacked, *widths, seed=1)
    np.testing.assert_allclose(
        cnn.predict_proba(other), cnn.predict_proba(X), atol=1e-6
    )


def test_keras_saves_the_graph_and_empty_slots_are_zeros(fitted, images, tmp_path):
    X = with_features(images[:5], 3)
    fitted.model_.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    expected = fitted.predict_proba(X)
    for given in (X, np.nan_to_num(X)):
        found = loaded.predict_on_batch(given[..., None])
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_pickle_knows_its_features(fitted, images, tmp_path):
    joblib.dump(fitted, tmp_path / "cnn.joblib")
    loaded = joblib.load(tmp_path / "cnn.joblib")
    X = with_features(images[:5], 3)
    np.testing.assert_allclose(
        loaded.predict_proba(X), fitted.predict_proba(X), atol=1e-6
    )
    with pytest.raises(ValueError, match="holds 4 features in the last 1 row"):
        loaded.predict(with_features(images[:5], 4))


@pytest.mark.parametrize(
    ("beat", "row", "slot", "value"),
    [
        *[(0, 0, 0, "NaN"), (7, 3, 46, "NaN"), (0, 11, 46, "NaN"), (9, 12, 1, "NaN")],
        *[(0, 12, 2, "NaN"), (5, 0, 0, "infinity"), (5, 12, 1, "infinity")],
    ],
)
def test_nan_elsewhere_and_infinity_are_refused(
    cnn, images, beats, beat, row, slot, value
):
    X = with_features(images, 3)
    X[beat, row, slot] = float(value)
    with pytest.raises(ValueError, match=f"Input X contains {value}"):
        cnn.fit(X, beats.target)


@pytest.mark.parametrize("shape", [(9,), (1, 9)])
def test_features_without_an_image_are_refused(cnn, shape):
    X = np.ones((6, *shape), dtype=np.float32)
    X[..., -1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        cnn.fit(X, np.arange(6) % 2)


def test_beats_with_other_rows_are_refused(fitted, images, beats):
    message = "no row of features, but .* fitted on beats with 3 features in the last 1"
    with pytest.raises(ValueError, match=message):
        fitted.predict(np.concatenate([images, images[:, :1]], axis=1))
    X = with_features(images, 3)
    with pytest.raises(ValueError, match="X_val holds 2 features"):
        clone(fitted).fit(
            X, beats.target, X_val=with_features(images, 2), y_val=beats.target
        )
