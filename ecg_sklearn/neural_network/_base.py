"""Base class of the classifier: builds, trains, evaluates and pickles the network."""

import warnings
from numbers import Integral
from typing import Any

import joblib
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn import __version__
from ecg_sklearn.neural_network import (
    _callbacks,
    _network,
    _prediction,
    _training,
    _validation,
)
from ecg_sklearn.neural_network._saved_network import (
    NetworkFromConfig,
    check_weights,
    network_as_data,
)
from ecg_sklearn.utils._backend import import_scikeras
from ecg_sklearn.utils._estimators import code_of
from ecg_sklearn.utils._validation import refuse_one_hot

BaseWrapper: Any = import_scikeras().BaseWrapper


class NetworkClassifier(ClassifierMixin, BaseWrapper):
    """Base of :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier`."""

    # BaseWrapper builds from a `model` argument; here the parameters are explicit.
    model = None

    # Parameters are those of the signature, and not all of __dict__ as in BaseWrapper.
    _get_param_names: classmethod = classmethod(BaseEstimator._get_param_names.__func__)
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like
            Spectrograms, in the form and size seen in fit.

        Returns
        -------
        ndarray of shape (n_beats, n_classes), float32
            Rows sum to one; columns in the order of ``classes_``.
        """
        return self._predict_raw(X)

    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like
            Spectrograms, in the form and size seen in fit.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.
        """
        best = self._predict_raw(X).argmax(axis=1)
        return self.classes_[best]

    def initialize(self, X, y):
        """Build the network with random weights, without training it.

        Parameters
        ----------
        X : array-like
            Spectrograms, as for :meth:`fit`.
        y : array-like of shape (n_beats,)
            Labels.

        Returns
        -------
        SpectrogramCNNClassifier
            The classifier, ready for ``model_.set_weights`` and :meth:`predict`.
        """
        X, y = self._check_training_data(X, y, reset=True)
        self.classes_ = _validation.check_classes(np.unique(y))
        codes = np.searchsorted(self.classes_, y)
        self._start(X, codes, check_random_state(self.random_state))
        return self

    def _predict_raw(self, X):
        check_is_fitted(self, "model_")
        images = _validation.check_images(self, X)
        return _prediction.predict_in_batches(self.model_, images)

    def _check_training_data(self, X, y, *, reset):
        """Validate parameters, beats and labels."""
        _validation.check_architecture(self.filters, self.residual)
        _validation.dense_layers(self.dense_units)
        refuse_one_hot(y)
        images, y = _validation.check_images(self, X, y=y, reset=reset)
        check_classification_targets(y)
        return images, y

    def _start(self, X, codes, rng):
        """Build a new network for images of this shape, with seeded weights."""
        self._forget()
        seed = int(rng.randint(2**31 - 1))
        self._shuffler = np.random.default_rng(seed)
        spec = _network.NetworkSpec(
            image_shape=tuple(map(int, X.shape[1:])),
            n_classes=len(self.classes_),
            filters=tuple(map(int, self.filters)),
            kernel_size=int(self.kernel_size),
            pooling=self.pooling,
            residual=tuple(map(int, self.residual)),
            dropout=float(self.dropout),
            dense_units=_validation.dense_layers(self.dense_units),
            dense_dropout=float(self.dense_dropout),
            n_feature_rows=len(self._feature_slots),
            optimizer=self.optimizer,
            weight_decay=float(self.weight_decay),
            label_smoothing=float(self.label_smoothing),
            logit_offsets=self._logit_offsets(codes),
        )
        self._optimizer_state = []
        self.model_ = _network.build_network(spec, seed, self.build_fn)

    def _logit_offsets(self, codes):
        """Weighted logarithms of the class frequencies; () if the weight is 0."""
        if not self.logit_adjustment:
            return ()
        frequency = np.bincount(codes, minlength=len(self.classes_)) / len(codes)
        offsets = self.logit_adjustment * np.log(frequency)
        return tuple(float(offset) for offset in offsets)

    def _forget(self):
        """Delete the fitted attributes."""
        for name in ("model_", "history_", "n_epochs_", "best_epoch_"):
            self.__dict__.pop(name, None)

    def _batches(self, X, codes, weights, first_epoch=0):
        size, rng = self.batch_size, self._shuffler
        return _training.BeatBatches(X, codes, weights, size, rng, first_epoch)

    def _backup(self, callbacks, parts):
        """Make the callback that saves the state of this training."""
        if not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint={self.checkpoint!r} needs an int as random_state, and "
                f"got {self.random_state!r}: without a seed, a training that goes on "
                "would not be the one that was broken off."
            )
        left_out = ("callbacks", "checkpoint", "verbose")
        params = self.get_params()
        params = {name: params[name] for name in params if name not in left_out}
        if self.build_fn is not None:
            params["build_fn"] = code_of(self.build_fn)
        digest = joblib.hash((__version__, params, self.model_.spec, *parts), "sha1")
        return _callbacks.Backup(self.checkpoint, digest, callbacks)

    def _train(self, batches, callbacks, epochs, validation=None):
        """Train the network; set ``history_`` and ``n_epochs_``.

        A ``fit`` that fails leaves the classifier unfitted; a ``partial_fit`` that
        fails keeps the earlier state.
        """
        first_epoch = self.current_epoch
        last_epoch = first_epoch + epochs
        backup = next((c for c in callbacks if isinstance(c, _callbacks.Backup)), None)
        n_done = first_epoch
        if backup is not None:
            n_done = last_epoch if backup.stopped else backup.n_epochs
            batches.start_epoch(backup.n_epochs - 1)  # continues the random sequence
        own = list(self.callbacks or [])
        # User callbacks and functions may change the network, so it is not reused.
        pooled = not own and self.build_fn is None
        report = None
        if self.verbose:
            bar = self.verbose == 1
            report = _callbacks.EpochReport(last_epoch, len(batches), bar=bar)
            own.append(report)
        try:
            history = _training.train(
                self.model_,
                self._optimizer_state,
                batches,
                validation,
                callbacks=[*callbacks, *own],
                pooled=pooled,
                epochs=last_epoch,
                initial_epoch=n_done,
            )
        except BaseException:
            if first_epoch == 0:
                self._forget()
            raise
        finally:
            if report is not None:
                report.on_train_end()
        self._add_history(history if backup is None else backup.history)
        losses = self.history_["loss"]
        if losses and not np.isfinite(losses[-1]):
            warnings.warn(
                f"The loss is {losses[-1]} after {self.n_epochs_} epochs: the "
                "training diverged. Use a smaller learning_rate than "
                f"{self.learning_rate}, or check the scale of X.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _add_history(self, new):
        """Append the epochs of a training; missing values are NaN."""
        before = getattr(self, "history_", {})
        new = {"loss": [], **new}
        joined = {
            name: before.get(name, []) + [float(value) for value in new.get(name, [])]
            for name in before | new
        }
        self.n_epochs_ = len(joined["loss"])
        self.history_ = {
            name: values + [np.nan] * (self.n_epochs_ - len(values))
            for name, values in joined.items()
        }

    def _build_fn_as_data(self):
        """Return ``build_fn`` for a model file; None if it is code and not fitted."""
        if hasattr(self, "model_"):
            return network_as_data(self.model_)
        return self.build_fn if isinstance(self.build_fn, NetworkFromConfig) else None

    def __getstate__(self):
        """Pack the network as plain data, without training state."""
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = _network.pack_network(self.model_)
            state["callbacks"] = state["checkpoint"] = None
        return state

    def __setstate__(self, state):
        """Unpack the network."""
        if isinstance(state.get("model_"), dict):
            build_fn = state["build_fn"]
            if isinstance(build_fn, NetworkFromConfig):
                check_weights(build_fn, state["model_"]["variables"])
            network = _network.unpack_network(state["model_"], build_fn)
            state = {**state, "model_": network}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags
