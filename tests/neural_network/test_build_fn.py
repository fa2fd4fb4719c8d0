"""Networks that a function of the user builds."""

import io

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.inspection import grad_cam
from ecg_sklearn.neural_network import SpectrogramCNNClassifier, _training


def narrow(image_shape, n_classes, n_feature_rows, width=4, activation="softmax"):
    """A convolution over the image without its rows of features, and dropout."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Cropping2D(((0, n_feature_rows), (0, 0)))(inputs)
    x = keras.layers.Conv2D(width, 3, strides=2, activation="relu")(x)
    x = keras.layers.Dropout(0.1)(keras.layers.GlobalAveragePooling2D()(x))
    outputs = keras.layers.Dense(n_classes, activation=activation)(x)
    return keras.Model(inputs, outputs)


def wide(image_shape, n_classes, n_feature_rows):
    return narrow(image_shape, n_classes, n_feature_rows, width=6)


def linear(image_shape, n_classes, n_feature_rows):
    return narrow(image_shape, n_classes, n_feature_rows, activation=None)


def too_few_classes(image_shape, n_classes, n_feature_rows):
    return narrow(image_shape, n_classes - 1, n_feature_rows)


@pytest.fixture
def own(cnn):
    return cnn.set_params(build_fn=narrow, learning_rate=0.02)


@pytest.mark.slow
def test_it_trains_and_repeats_itself(own, images, beats):
    one = clone(own).fit(images, beats.target)
    assert one.history_["loss"][-1] < one.history_["loss"][0]
    assert [layer.units for layer in one.model_.layers[-1:]] == [5]
    two = clone(own).fit(images, beats.target)
    np.testing.assert_array_equal(one.predict_proba(images), two.predict_proba(images))
    other = clone(own).set_params(random_state=1).initialize(images, beats.target)
    assert not np.allclose(other.predict_proba(images), one.predict_proba(images))
    assert grad_cam(one, images[:2]).heatmap.shape == (2, 12, 47)


@pytest.mark.slow
def test_it_goes_on_after_a_pickle(own, images, beats):
    own.partial_fit(images, beats.target, classes=range(5))
    file = io.BytesIO()
    joblib.dump(own, file)
    file.seek(0)
    again = joblib.load(file)
    for cnn in (own, again):
        cnn.partial_fit(images, beats.target)
    np.testing.assert_array_equal(
        again.predict_proba(images), own.predict_proba(images)
    )
    assert again.build_fn is narrow


@pytest.mark.slow
def test_functions_share_no_trainer(own, fitted, images, beats):
    before = list(_training._pool.idle)
    search = GridSearchCV(own.set_params(epochs=1), {"build_fn": [narrow, wide]}, cv=2)
    search.fit(images, beats.target)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert _training._pool.idle == before
    usual = clone(fitted).fit(images, beats.target)
    np.testing.assert_allclose(
        usual.predict_proba(images), fitted.predict_proba(images), atol=1e-6
    )


@pytest.mark.slow
def test_features_and_a_checkpoint(beats, tmp_path):
    X = np.hstack([beats.data, np.random.default_rng(0).normal(size=(400, 3))])
    pipe = make_ecg_pipeline(
        sampler=None, sample_columns=slice(187), build_fn=narrow, epochs=1,
        random_state=0, checkpoint=tmp_path / "state",
    )  # fmt: skip
    pipe.fit(X, beats.target)
    assert pipe["cnn"].model_.spec.n_feature_rows == 1
    again = clone(pipe).fit(X, beats.target)
    np.testing.assert_array_equal(again.predict_proba(X), pipe.predict_proba(X))
    with pytest.raises(ValueError, match="with other parameters"):
        clone(pipe).set_params(cnn__build_fn=wide).fit(X, beats.target)


@pytest.mark.parametrize(
    ("build_fn", "message"),
    [
        (linear, r'last layer is linear.*activation="softmax"'),
        (too_few_classes, r"from \(None, 12, 47, 1\) to \(None, 5\)\.$"),
        (lambda *sizes: None, "returned a NoneType from None to None"),
        ("narrow", "'build_fn' parameter of SpectrogramCNNClassifier"),
    ],
)
def test_errors(images, beats, build_fn, message):
    with pytest.raises(ValueError, match=message):
        SpectrogramCNNClassifier(build_fn=build_fn).fit(images, beats.target)
