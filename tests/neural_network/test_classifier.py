"""The classifier: its contract, its training, and defects of scikeras it repairs."""

import os
import pickle
import random
import subprocess
import sys
import textwrap
import threading

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, check_cv
from sklearn.utils import get_tags

from ecg_sklearn import load, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.neural_network import SpectrogramCNNClassifier, _network
from ecg_sklearn.neural_network._network import last_convolution
from ecg_sklearn.neural_network._training import AdjustedCrossentropy
from ecg_sklearn.plotting import TrainingHistoryDisplay
from ecg_sklearn.preprocessing import SpectrogramTransformer


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


class TestFit:
    @pytest.mark.slow
    def test_learns_what_a_linear_model_cannot(self):
        # A test of datasets holds a linear model below 0.6 on the same beats.
        beats = make_heartbeats(1500, n_records=30, random_state=0)
        images = SpectrogramTransformer().fit_transform(beats.data)
        train = np.isin(beats.groups, np.unique(beats.groups)[:20])
        cnn = SpectrogramCNNClassifier(
            filters=(16, 32, 64), epochs=12, batch_size=32, random_state=0
        ).fit(images[train], beats.target[train])
        assert cnn.score(images[~train], beats.target[~train]) > 0.85

    def test_fitted_attributes(self, fitted):
        np.testing.assert_array_equal(fitted.classes_, np.arange(5))
        assert set(fitted.history_) == {"loss", "accuracy", "learning_rate"}
        assert type(fitted.history_) is dict
        assert all(len(values) == 2 for values in fitted.history_.values())
        assert all(type(v) is float for v in fitted.history_["loss"])
        assert fitted.n_epochs_ == fitted.best_epoch_ == fitted.current_epoch == 2
        assert fitted.n_features_in_ == 12
        assert fitted.model_.output_shape == (None, 5)

    @pytest.mark.parametrize(
        "labels", [["normal", "sve", "ve", "fusion", "paced"], [-7, 3, 13, 23, 33]]
    )
    def test_labels_of_any_kind(self, cnn, images, beats, labels):
        cnn.fit(images, np.array(labels)[beats.target].tolist())
        assert list(cnn.classes_) == sorted(labels)
        assert set(cnn.predict(images)) <= set(labels)

    def test_inputs_of_two_three_and_four_dimensions(self, cnn, fitted, images, beats):
        cnn.set_params(epochs=1)
        flat = images.reshape(len(images), -1)
        assert clone(cnn).fit(flat, beats.target).predict(flat).shape == (400,)
        two_channels = np.stack([images, images**2], axis=-1)
        network = clone(cnn).initialize(two_channels, beats.target).model_
        assert network.input_shape == (None, 12, 47, 2)
        one_channel = clone(fitted).fit(images[..., None], beats.target)
        np.testing.assert_array_equal(
            one_channel.predict_proba(images[..., None]), fitted.predict_proba(images)
        )
        with pytest.raises(ValueError, match="X has 5 dimensions"):
            cnn.fit(images[..., None, None], beats.target)

    @pytest.mark.parametrize("pooling", ["stride", "max"])
    @pytest.mark.parametrize("shape", [(1, 1), (2, 3), (33, 4)])
    def test_any_image_passes_any_number_of_blocks(self, pooling, shape):
        X = np.random.default_rng(0).random((6, *shape), dtype=np.float32)
        cnn = SpectrogramCNNClassifier(
            filters=(4, 4, 4, 4), pooling=pooling, dropout=0.1, random_state=0
        )
        cnn.initialize(X, np.arange(6) % 3)
        assert cnn.predict_proba(X).shape == (6, 3)

    @pytest.mark.parametrize(
        "optimizer",
        [*(pytest.param(name, marks=pytest.mark.slow) for name in ("adam", "sgd"))]
        + ["rmsprop"],
    )
    def test_every_optimizer_learns(self, cnn, images, beats, optimizer):
        cnn.set_params(optimizer=optimizer, epochs=3, learning_rate=3e-3)
        cnn.fit(images, beats.target)
        assert cnn.history_["loss"][-1] < cnn.history_["loss"][0]

    def test_the_original_blocks(self, images, beats):
        cnn = SpectrogramCNNClassifier(pooling="max", dropout=0.2, dense_dropout=0.2)
        cnn.initialize(images[:40], beats.target[:40])
        kinds = [type(layer).__name__ for layer in cnn.model_.layers]
        block = ["Conv2D", "BatchNormalization", "ReLU", "MaxPooling2D", "Dropout"]
        end = ["GlobalAveragePooling2D", "Dense", "Dropout", "Dense"]
        assert kinds == ["InputLayer", *block * 4, *end]
        widths = [x.filters for x in cnn.model_.layers if hasattr(x, "filters")]
        assert widths == [32, 64, 128, 256]

    @pytest.mark.parametrize("units", [0, (), 8, [8], (8, 6)])
    def test_dense_layers(self, cnn, images, beats, units, tmp_path):
        cnn.set_params(dense_units=units, dense_dropout=0.1)
        cnn.initialize(images, beats.target)
        dense = [x.units for x in cnn.model_.layers if hasattr(x, "units")]
        layers = [units] * (units > 0) if isinstance(units, int) else [*units]
        assert dense == [*layers, 5]
        save(cnn, tmp_path / "model.ecgsk")
        again = load(tmp_path / "model.ecgsk")
        assert again.model_.spec == cnn.model_.spec
        # Files of earlier versions hold a number.
        packed = _network.pack_network(cnn.model_)
        if len(layers) < 2:
            packed["spec"]["dense_units"] = sum(layers)
        assert _network.unpack_network(packed).spec == cnn.model_.spec

    def test_residual_blocks(self, cnn, images, beats):
        cnn.set_params(filters=(4, 6), residual=[2]).initialize(images, beats.target)
        names = [layer.name for layer in cnn.model_.layers if "add" in layer.name]
        assert names == ["block2_add", "block2_add_relu"]
        assert last_convolution(cnn.model_).filters == 6
        dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        assert last_convolution(dense) is None


class TestSchedules:
    def test_one_cycle_rises_and_falls(self, cnn, images, beats):
        cnn.set_params(epochs=8, learning_rate=1e-2).fit(images, beats.target)
        rates = cnn.history_["learning_rate"]
        assert np.argmax(rates) in (1, 2)
        assert max(rates) <= 1e-2
        assert rates[-1] < 1e-4
        assert cnn.best_epoch_ == 8

    def test_plateau_reduces(self, cnn, images, beats):
        cnn.set_params(lr_schedule="plateau", epochs=8, patience=2, learning_rate=0.5)
        cnn.fit(images, beats.target, X_val=images, y_val=(beats.target + 1) % 5)
        rates = cnn.history_["learning_rate"]
        assert rates[0] == pytest.approx(0.5)
        assert rates[-1] < 0.2

    def test_no_schedule_keeps_the_rate(self, cnn, images, beats):
        cnn.set_params(lr_schedule=None, learning_rate=7e-4)
        rates = cnn.fit(images, beats.target).history_["learning_rate"]
        np.testing.assert_allclose(rates, 7e-4, rtol=1e-6)

    def test_early_stopping_restores_the_best_weights(self, cnn, images, beats):
        half = len(images) // 2
        val = {"X_val": images[half:], "y_val": beats.target[half:]}
        cnn.set_params(
            epochs=40, learning_rate=0.05, lr_schedule=None, early_stopping=True,
            patience=2,
        )  # fmt: skip
        cnn.fit(images[:half], beats.target[:half], **val)
        losses = cnn.history_["val_loss"]
        assert cnn.n_epochs_ == len(losses) < 40
        assert cnn.best_epoch_ == int(np.argmin(losses)) + 1
        assert cnn.n_epochs_ == cnn.best_epoch_ + 2
        found = log_loss(val["y_val"], cnn.predict_proba(val["X_val"]))
        assert found == pytest.approx(min(losses), rel=1e-3)

    def test_validation_inside_fit_is_stratified(self, cnn, images, beats):
        cnn.set_params(early_stopping=True, validation_fraction=0.25)
        cnn.fit(images, beats.target)
        assert len(cnn.history_["val_loss"]) == cnn.n_epochs_
        with pytest.raises(ValueError, match="cannot be held out by class"):
            cnn.fit(images[:6], [0, 0, 0, 0, 0, 1])


class TestValidationData:
    def test_it_is_measured_and_changes_nothing(self, cnn, fitted, images, beats):
        X_val, y_val = images[300:], beats.target[300:]
        cnn.fit(images, beats.target, X_val=X_val, y_val=y_val)
        expected = cnn.score(X_val, y_val)
        assert cnn.history_["val_accuracy"][-1] == pytest.approx(expected, abs=1e-6)
        np.testing.assert_allclose(
            fitted.predict_proba(images), cnn.predict_proba(images), atol=1e-6
        )

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda X, y: {"X_val": X}, "Only X_val was given"),
            (lambda X, y: {"y_val": y}, "Only y_val was given"),
            (
                lambda X, y: {"X_val": X[:9], "y_val": y[:8]},
                "X_val holds 9 beats and y_val 8 labels",
            ),
            (
                lambda X, y: {"X_val": X[:1], "y_val": [7]},
                r"y_val holds labels \[7\] that y does not",
            ),
            (
                lambda X, y: {"X_val": X[:, :, 0], "y_val": y},
                "did not pass the steps of the pipeline",
            ),
            (
                lambda X, y: {"X_val": X[:, :, :40], "y_val": y},
                r"shape \(12, 40\), but .* \(12, 47\)",
            ),
        ],
    )
    def test_errors(self, cnn, images, beats, make, message):
        with pytest.raises(ValueError, match=message):
            cnn.fit(images, beats.target, **make(images, beats.target))


class TestWeights:
    def test_zero_weight_is_absence(self, cnn, images, beats):
        weight = (np.arange(400) % 3 > 0).astype(float)
        kept = weight > 0
        weighted = clone(cnn).fit(images, beats.target, sample_weight=weight)
        absent = clone(cnn).fit(
            images[kept], beats.target[kept], sample_weight=weight[kept]
        )
        np.testing.assert_allclose(
            weighted.predict_proba(images), absent.predict_proba(images), atol=1e-5
        )
        cnn.set_params(class_weight=dict.fromkeys(range(5), 0.0))
        with pytest.raises(ValueError, match="leaves nothing to train on"):
            cnn.fit(images, beats.target)
        for wrong in (np.nan, -1.0):
            cnn.set_params(class_weight={0: wrong})
            with pytest.raises(ValueError, match="must hold positive numbers or zero"):
                cnn.fit(images, beats.target)

    def test_class_weight_of_a_class_that_a_fold_lacks(
        self, cnn, fitted, images, beats
    ):
        """As LogisticRegression, a warning and a fit; a search gives scores."""
        cnn.set_params(class_weight={2: 50.0, 9: 5.0})
        with pytest.warns(UserWarning, match=r"class_weight names \[9\]"):
            cnn.fit(images, beats.target)
        found, plain = cnn.predict_proba(images), fitted.predict_proba(images)
        assert found[:, 2].mean() > plain[:, 2].mean()
        cnn.set_params(class_weight={2: 50.0}).fit(images, beats.target)
        np.testing.assert_allclose(cnn.predict_proba(images), found, atol=1e-6)

    def test_balanced_class_weight_is_sample_weight(self, cnn, images, beats):
        y = np.where(np.arange(400) % 3, 0, beats.target)
        weight = 400 / (5 * np.bincount(y)[y])
        by_class = clone(cnn).set_params(class_weight="balanced").fit(images, y)
        by_beat = clone(cnn).fit(images, y, sample_weight=weight)
        np.testing.assert_allclose(
            by_class.predict_proba(images), by_beat.predict_proba(images), atol=1e-5
        )


class TestDefectsOfScikeras:
    """What scikeras 0.13 gets wrong on scikit-learn 1.6 and newer."""

    def test_it_is_a_classifier(self, cnn, images, beats):
        assert is_classifier(cnn)
        assert get_tags(cnn).classifier_tags is not None
        cv = check_cv(3, beats.target, classifier=is_classifier(cnn))
        assert isinstance(cv, StratifiedKFold)
        order = np.argsort(beats.target)  # unstratified folds would miss whole classes
        search = GridSearchCV(cnn, {"epochs": [1]}, cv=2, error_score="raise")
        search.fit(images[order], beats.target[order])
        assert len(search.best_estimator_.classes_) == 5
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_one_beat_keeps_its_axis(self, fitted, images):
        assert fitted.predict(images[:1]).shape == (1,)
        one_by_one = [fitted.predict_proba(images[i : i + 1]) for i in range(5)]
        np.testing.assert_allclose(
            np.concatenate(one_by_one), fitted.predict_proba(images[:5]), atol=1e-6
        )

    def test_the_callers_sample_weight_is_not_changed(self, cnn, images, beats):
        weight = np.ones(400, dtype=np.float32)
        cnn.set_params(class_weight={0: 5.0}, epochs=1)
        cnn.fit(images, beats.target, sample_weight=weight)
        np.testing.assert_array_equal(weight, 1)

    @pytest.mark.parametrize("dtype", [np.float64, np.float16])
    def test_any_float_is_accepted_after_any_other(self, fitted, images, dtype):
        found = fitted.predict_proba(images.astype(dtype))
        np.testing.assert_allclose(found, fitted.predict_proba(images), atol=0.02)

    def test_a_random_state_instance_is_drawn_from(self, cnn, images, beats):
        def probabilities(random_state):
            cnn.set_params(random_state=random_state)
            return cnn.fit(images, beats.target).predict_proba(images)

        one = probabilities(np.random.RandomState(1))
        np.testing.assert_array_equal(one, probabilities(np.random.RandomState(1)))
        assert not np.allclose(one, probabilities(np.random.RandomState(2)))

    def test_callbacks_stay_out_of_the_file(self, cnn, images, beats):
        seen = []
        spy = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda e, logs: seen.append(e)
        )
        cnn.set_params(callbacks=[spy]).fit(images, beats.target)
        assert seen == [0, 1]
        assert spy.model is None  # it does not keep the network alive
        again = pickle.loads(pickle.dumps(cnn))  # a lambda cannot be pickled
        assert again.callbacks is None
        assert cnn.callbacks == [spy]

    def test_fits_share_no_network(self, cnn, fitted, images, beats):
        before = fitted.predict_proba(images)
        cnn.set_params(random_state=1).fit(images, beats.target)
        assert cnn.model_ is not fitted.model_
        np.testing.assert_array_equal(fitted.predict_proba(images), before)
        assert not np.allclose(cnn.predict_proba(images), before)

    @pytest.mark.slow
    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_memory_is_given_back(self):
        # In a process of its own: what other tests left would hide a leak.
        script = """
            import numpy as np
            from ecg_sklearn.neural_network import SpectrogramCNNClassifier
            def resident():
                with open("/proc/self/statm") as file:
                    return int(file.read().split()[1])
            rng = np.random.default_rng(0)
            X, y = rng.random((200, 12, 20), dtype=np.float32), np.arange(200) % 5
            for number in range(24):
                cnn = SpectrogramCNNClassifier(filters=(8, 16), epochs=1)
                cnn.fit(X, y, X_val=X, y_val=y).predict(X)
                if number == 3:
                    start = resident()
            print(resident() / start)
        """
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert float(result.stdout) < 1.10


class TestRandomState:
    @pytest.mark.slow
    def test_draws_of_other_threads_change_nothing(self, cnn, images, beats):
        """Workers of Dask draw random numbers beside the fit."""
        cnn.set_params(dropout=0.3, early_stopping=True)
        alone = clone(cnn).fit(images, beats.target).predict_proba(images)
        done = threading.Event()

        def draw():
            while not done.wait(1e-4):
                random.random()
                np.random.rand()  # noqa: NPY002

        beside = threading.Thread(target=draw)
        beside.start()
        try:
            one = clone(cnn).fit(images, beats.target)
        finally:
            done.set()
            beside.join()
        np.testing.assert_array_equal(one.predict_proba(images), alone)

    def test_a_fit_seeds_nothing_that_others_draw_from(self, cnn, images, beats):
        drawn = []

        def draw(epoch, logs=None):
            drawn.append((random.random(), np.random.rand()))  # noqa: NPY002

        def seed():
            random.seed(5)
            np.random.seed(5)  # noqa: NPY002

        seed()
        for epoch in range(3):
            draw(epoch)
        seed()
        spy = keras.callbacks.LambdaCallback(on_epoch_begin=draw)
        cnn.set_params(callbacks=[spy]).fit(images, beats.target)
        draw(2)
        assert drawn[:3] == drawn[3:]


class TestPartialFit:
    def test_goes_on_learning(self, cnn, images, beats):
        for epoch in range(6):
            cnn.partial_fit(images, beats.target, classes=np.arange(5))
            assert cnn.n_epochs_ == cnn.current_epoch == epoch + 1
        assert cnn.history_["loss"][-1] < cnn.history_["loss"][0]

    def test_after_pickling_it_goes_on_as_before(self, cnn, images, beats):
        cnn.set_params(dropout=0.3).fit(images, beats.target)
        again = pickle.loads(pickle.dumps(cnn))
        assert again.history_ == cnn.history_
        for _ in range(2):
            np.testing.assert_array_equal(
                cnn.predict_proba(images), again.predict_proba(images)
            )
            for estimator in (cnn, again):
                estimator.partial_fit(images, beats.target)

    def test_after_a_validated_fit_the_history_stays_whole(self, cnn, images, beats):
        cnn.fit(images, beats.target, X_val=images, y_val=beats.target)
        cnn.partial_fit(images, beats.target)
        assert {len(values) for values in cnn.history_.values()} == {3}
        assert np.isnan(cnn.history_["val_loss"][-1])
        TrainingHistoryDisplay.from_estimator(cnn)

    def test_classes_are_fixed_by_the_first_call(self, cnn, images, beats):
        with pytest.raises(ValueError, match="classes must be passed"):
            cnn.partial_fit(images, beats.target)
        cnn.set_params(class_weight={2: 5.0})  # a class that the first batch lacks
        some = beats.target < 2
        cnn.partial_fit(images[some], beats.target[some], classes=np.arange(3))
        with pytest.raises(ValueError, match=r"labels \[3, 4\] that are not among"):
            cnn.partial_fit(images, beats.target)


class TestInterruption:
    def test_half_trained_is_not_fitted(self, cnn, fitted, images, beats):
        stop = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: epoch == 1 and interrupt()
        )
        cnn.set_params(callbacks=[stop], verbose=1)
        with pytest.raises(KeyboardInterrupt):
            cnn.fit(images, beats.target)
        with pytest.raises(NotFittedError):
            cnn.predict(images)
        cnn.set_params(callbacks=None).fit(images, beats.target)
        np.testing.assert_array_equal(
            cnn.predict_proba(images), fitted.predict_proba(images)
        )

    def test_partial_fit_keeps_what_it_had(self, fitted, images, beats):
        cnn = pickle.loads(pickle.dumps(fitted))
        stop = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
        with pytest.raises(KeyboardInterrupt):
            cnn.set_params(callbacks=[stop]).partial_fit(images, beats.target)
        np.testing.assert_array_equal(
            cnn.predict_proba(images), fitted.predict_proba(images)
        )
        assert cnn.n_epochs_ == 2

    def test_divergence_is_said(self, cnn, images, beats):
        with pytest.warns(ConvergenceWarning, match="the training diverged"):
            cnn.set_params(class_weight={0: 3e38}).fit(images, beats.target)


def test_threads_take_turns(cnn, fitted, images, beats):
    """The fits repeat each other; TensorFlow's settings are as before."""
    import tensorflow as tf

    others = joblib.Parallel(n_jobs=3, backend="threading")(
        joblib.delayed(clone(cnn).fit)(images, beats.target) for _ in range(4)
    )
    for other in others:
        np.testing.assert_array_equal(
            other.predict_proba(images), fitted.predict_proba(images)
        )
    assert "TF_DETERMINISTIC_OPS" not in os.environ
    assert tf.random.normal((2,)).shape == (2,)


class TestPrediction:
    def test_probabilities(self, fitted, images):
        probability = fitted.predict_proba(images)
        np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(
            fitted.predict(images), fitted.classes_[probability.argmax(axis=1)]
        )
        by_keras = fitted.model_.predict(images[..., None], verbose=0)
        np.testing.assert_allclose(probability, by_keras, atol=1e-5)

    def test_images_of_another_size_are_refused(self, fitted, images):
        with pytest.raises(ValueError, match=r"shape \(12, 46\), but .* \(12, 47\)"):
            fitted.predict(images[:, :, 1:])

    def test_initialize_builds_without_training(self, cnn, fitted, images, beats):
        assert pickle.loads(pickle.dumps(cnn)).get_params() == cnn.get_params()
        with pytest.raises(NotFittedError):
            cnn.predict_proba(images)
        cnn.initialize(images, beats.target)
        cnn.model_.set_weights(fitted.model_.get_weights())
        np.testing.assert_array_equal(
            cnn.predict_proba(images), fitted.predict_proba(images)
        )


class TestParameters:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"filters": ()}, "filters="),
            ({"dense_units": (8, 0)}, r"dense_units=\(8, 0\) must hold a positive"),
            ({"filters": (8, 0)}, "positive int for each block"),
            ({"filters": (8, 1.5)}, "positive int for each block"),
            ({"residual": [5]}, r"residual=\[5\] names blocks"),
            ({"pooling": "average"}, "pooling"),
            ({"optimizer": "lion"}, "optimizer"),
            ({"lr_schedule": "cosine"}, "lr_schedule"),
            ({"epochs": 0}, "epochs"),
            ({"dropout": 1.0}, "dropout"),
            ({"callbacks": "none"}, "callbacks"),
        ],
    )
    def test_errors(self, images, beats, params, message):
        with pytest.raises(ValueError, match=message):
            SpectrogramCNNClassifier(**params).fit(images, beats.target)

    @pytest.mark.parametrize("method", ["fit", "partial_fit", "initialize"])
    def test_one_column_per_class(self, cnn, images, beats, method):
        one_hot = np.eye(5)[beats.target]
        with pytest.raises(ValueError, match=r"\(400, 5\): .*one-hot.*y.argmax"):
            getattr(cnn, method)(images, one_hot)

    def test_one_class_is_not_enough(self, cnn, images):
        with pytest.raises(ValueError, match="one class only, 3"):
            cnn.fit(images, np.full(400, 3))

    def test_set_params_and_repr_are_those_of_scikit_learn(self, cnn):
        assert "filters=(8,)" in repr(cnn)
        assert cnn.set_params(epochs=9).get_params()["epochs"] == 9
        with pytest.raises(ValueError, match="Invalid parameter 'epoch'"):
            cnn.set_params(epoch=9)

    @pytest.mark.parametrize("verbose", [0, 1, 2])
    def test_verbose_prints_a_line_an_epoch(self, cnn, images, beats, verbose, capsys):
        cnn.set_params(verbose=verbose)
        cnn.fit(images, beats.target, X_val=images, y_val=beats.target)
        lines = capsys.readouterr().out.splitlines()
        starts = ["epoch 1/2  ", "epoch 2/2  "] if verbose else []
        assert [line[:11] for line in lines] == starts
        for line in lines:
            for part in ("loss", "accuracy", "val_loss", "val_accuracy", "lr", " s"):
                assert part in line
            assert len(line) < 120
            assert "\x1b" not in line


class TestLoss:
    @pytest.mark.slow
    def test_smoothing_lowers_confidence(self, cnn, images, beats):
        cnn.set_params(epochs=4, learning_rate=0.03)
        sharp = cnn.fit(images, beats.target).predict_proba(images).max(axis=1)
        cnn.set_params(label_smoothing=0.3)
        smooth = cnn.fit(images, beats.target).predict_proba(images).max(axis=1)
        assert smooth.mean() < sharp.mean()

    def test_loss_against_a_hand_computed_one(self):
        p = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], dtype=np.float32)
        codes = np.array([0, 2])
        offsets = 0.5 * np.log([0.8, 0.15, 0.05])
        loss = AdjustedCrossentropy(3, 0.1, offsets)(codes, p)
        target = 0.9 * np.eye(3)[codes] + 0.1 / 3
        logits = np.log(p) + offsets
        log_proba = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        expected = -(target * log_proba).sum(axis=1).mean()
        assert float(loss) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.slow
    def test_adjusted_logits_find_more_of_the_rare(self, cnn, images, beats):
        rows = np.flatnonzero((beats.target < 1) | (np.arange(400) % 8 == 0))
        X, y = images[rows], beats.target[rows]
        cnn.set_params(epochs=6, learning_rate=0.03)
        plain = cnn.fit(X, y).predict_proba(X)[:, 1:].sum(axis=1).mean()
        cnn.set_params(logit_adjustment=1.0)
        adjusted = cnn.fit(X, y).predict_proba(X)[:, 1:].sum(axis=1).mean()
        assert adjusted > plain + 0.02
        with pytest.raises(ValueError, match="partial_fit does not know"):
            cnn.partial_fit(X, y)
