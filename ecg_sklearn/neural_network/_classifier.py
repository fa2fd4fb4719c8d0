"""The scikit-learn contract around the network: :class:`SpectrogramCNNClassifier`.

Keras and TensorFlow are loaded by the first fit, not by importing this module's
package.
"""

import os
import warnings
from numbers import Integral, Real

import numpy as np
from scikeras.wrappers import BaseWrapper
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
)
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ecg_sklearn import __version__
from ecg_sklearn.neural_network import _callbacks, _checkpoint, _network, _training

__all__ = ["SpectrogramCNNClassifier"]


class SpectrogramCNNClassifier(ClassifierMixin, BaseWrapper):
    """Convolutional network that classifies the spectrograms of heartbeats.

    Blocks of convolution, batch normalisation, ReLU and a reduction by two [1]_,
    global average pooling, a dense layer and softmax, trained with AdamW [2]_ and a
    one-cycle learning rate [3]_. Built on :class:`scikeras.wrappers.BaseWrapper`.

    Parameters
    ----------
    filters : sequence of int, default=(32, 64, 128, 256)
        Channels of each block.
    kernel_size : int, default=3
        Height and width of each convolution.
    pooling : {"stride", "max"}, default="stride"
        How a block halves its image: by a convolution of stride two, or by a
        convolution of stride one and max pooling, which takes longer. A dimension of
        size one is left alone.
    residual : sequence of int, default=()
        Blocks, counted from 1, that get a second convolution whose result is added
        to that of the first [4]_.
    dropout : float, default=0.0
        Fraction of activations dropped behind each block.
    dense_units : int, default=128
        Width of the dense layer; 0 leaves it out.
    dense_dropout : float, default=0.0
        Fraction of activations dropped behind the dense layer.
    context_row : bool, default=False
        The last row of each image holds features of the beat and no frequency, as
        :class:`~ecg_sklearn.preprocessing.SpectrogramTransformer` puts them there
        with ``n_context``. It passes the convolutions by and joins in front of the
        dense layer.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"}, default="adamw"
        The rule that updates the weights; "sgd" has Nesterov momentum 0.9.
    learning_rate : float, default=2e-3
        Learning rate; the highest one with ``lr_schedule="one_cycle"``.
    weight_decay : float, default=1e-4
        Decoupled weight decay of "adamw", for kernels alone.
    lr_schedule : {"one_cycle", "plateau", None}, default="one_cycle"
        "one_cycle" rises for a quarter of all batches and falls to almost nothing by
        the last; "plateau" multiplies the rate by 0.3 when the validation loss (the
        training loss, if nothing is validated) has not improved for ``patience //
        2`` epochs; None keeps it.
    epochs : int, default=10
        Passes over the training beats, at most.
    batch_size : int, default=128
        Beats per gradient step.
    early_stopping : bool, default=False
        Stop when the validation loss has not improved for ``patience`` epochs, and
        keep the weights of the best epoch. With "one_cycle", stopping cuts the cycle
        short: the last epochs, at a low rate, are the ones that settle the weights.
    validation_fraction : float, default=0.1
        With ``early_stopping=True`` and no ``X_val`` in fit: fraction of the training
        beats, stratified by class, to validate on. If a sampler such as SMOTE ran
        before, these hold synthetic beats made of training beats, and their loss is
        optimistic: pass ``X_val`` and ``y_val`` instead.
    patience : int, default=5
        Epochs without improvement that "plateau" and early stopping wait for.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, by label, multiplied with ``sample_weight``.
    label_smoothing : float, default=0.0
        Share of each label that the loss spreads over all classes evenly.
    logit_adjustment : float, default=0.0
        Weight of the logarithms of the classes' frequencies, added to the logits in
        the loss [5]_. At 1.0 the network learns to be right in every class alike; in
        between, rare classes are found more often at the price of common ones.
        Their frequencies must be known before training, so ``partial_fit`` refuses
        it.
    mixup : float, default=0.0
        Strength of mixup [6]_: in training, each image of a batch and its label are
        mixed with another's, in shares drawn from Beta(mixup, mixup) for each batch.
        0.1 to 0.4 are usual, 1.0 draws all shares alike, 0.0 mixes nothing. "accuracy"
        in ``history_`` is then that of finding the class of the larger share.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Called during training, behind the ones that the other parameters make. They
        serve training alone: a fitted estimator is pickled without them.
    checkpoint : str, path or None, default=None
        File that ``fit`` writes the state of the training to after each epoch. If it
        is there when ``fit`` begins, with the same beats and parameters, the training
        goes on from it and ends with the weights of an unbroken one. Remove it when
        the fitted estimator is safe. Needs an int as ``random_state``; ``callbacks``
        begin anew.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, shuffling, dropout and the validation split. An int gives the
        same predictions on the same machine.
    verbose : {0, 1, 2}, default=0
        1 prints a line for each epoch and a progress bar on terminals, 2 the lines
        alone.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    history_ : dict of str to list of float
        "loss", "accuracy", "learning_rate" (at the end of the epoch) and, where beats
        were validated, "val_loss" and "val_accuracy"; one value per epoch.
    n_epochs_ : int
        Epochs run.
    best_epoch_ : int
        Epoch of the lowest validation loss, counted from 1; ``n_epochs_`` where
        nothing was validated. The weights are its own with ``early_stopping=True``,
        else those of the last epoch.
    model_ : keras.Model
        The network.
    n_features_in_ : int
        Size of the second dimension of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.preprocessing.SpectrogramTransformer : Makes the spectrograms.
    ecg_sklearn.pipeline.make_ecg_pipeline : Both in one pipeline, with SMOTE.

    Notes
    -----
    Keras' own ``validation_split`` is not offered: it takes the last rows, and SMOTE
    appends its synthetic beats last, so that nothing but synthetic beats of the last
    classes would be validated on.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy, "Batch normalization: accelerating deep network
       training by reducing internal covariate shift", ICML, 2015.
    .. [2] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", ICLR,
       2019.
    .. [3] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", arXiv:1708.07120, 2017.
    .. [4] K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image
       recognition", CVPR, 2016.
    .. [5] A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR, 2021.
    .. [6] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical
       risk minimization", ICLR, 2018.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.neural_network import SpectrogramCNNClassifier
    >>> from ecg_sklearn.preprocessing import SpectrogramTransformer
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> images = SpectrogramTransformer().fit_transform(X)
    >>> cnn = SpectrogramCNNClassifier(filters=(8, 16), epochs=2, random_state=0)
    >>> cnn.fit(images, y).predict_proba(images).shape
    (300, 5)
    """

    _parameter_constraints: dict = {
        "filters": [tuple, list],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"stride", "max"})],
        "residual": [tuple, list],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "dense_units": [Interval(Integral, 0, None, closed="left")],
        "dense_dropout": [Interval(Real, 0, 1, closed="left")],
        "context_row": ["boolean"],
        "optimizer": [StrOptions({"adamw", "adam", "sgd", "rmsprop"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions({"one_cycle", "plateau"}), None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "logit_adjustment": [Interval(Real, 0, None, closed="left")],
        "mixup": [Interval(Real, 0, None, closed="left")],
        "callbacks": [list, None],
        "checkpoint": [str, os.PathLike, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # X_val and y_val mean one thing only, so a pipeline need not be told to route them.
    __metadata_request__fit = {"X_val": True, "y_val": True}

    # BaseWrapper builds from a `model` argument and hands parameters to Keras by
    # name; here the parameters are explicit, and nothing is handed on by itself.
    model = None
    build_fn = None
    _fit_kwargs: frozenset = frozenset()

    def __init__(
        self,
        *,
        filters=(32, 64, 128, 256),
        kernel_size=3,
        pooling="stride",
        residual=(),
        dropout=0.0,
        dense_units=128,
        dense_dropout=0.0,
        context_row=False,
        optimizer="adamw",
        learning_rate=2e-3,
        weight_decay=1e-4,
        lr_schedule="one_cycle",
        epochs=10,
        batch_size=128,
        early_stopping=False,
        validation_fraction=0.1,
        patience=5,
        class_weight=None,
        label_smoothing=0.0,
        logit_adjustment=0.0,
        mixup=0.0,
        callbacks=None,
        checkpoint=None,
        random_state=None,
        verbose=0,
    ):
        self.filters = filters
        self.kernel_size = kernel_size
        self.pooling = pooling
        self.residual = residual
        self.dropout = dropout
        self.dense_units = dense_units
        self.dense_dropout = dense_dropout
        self.context_row = context_row
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.logit_adjustment = logit_adjustment
        self.mixup = mixup
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose

    # BaseWrapper reads parameters off __dict__, fitted attributes and all;
    # scikit-learn's own way reads the signature.
    _get_param_names: classmethod = classmethod(BaseEstimator._get_param_names.__func__)
    set_params = BaseEstimator.set_params
    __repr__ = BaseEstimator.__repr__

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train a new network.

        Parameters
        ----------
        X : array-like
            Spectrograms of shape (n_beats, n_freqs, n_frames), with channels behind
            as (n_beats, n_freqs, n_frames, n_channels), or rows of shape (n_beats,
            n_features), which are taken as images of one frequency.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat in the loss. Beats of weight zero are left out.
        X_val, y_val : array-like, default=None
            Beats to validate on after each epoch, in the form of ``X`` and ``y``.

        Returns
        -------
        SpectrogramCNNClassifier
            The fitted classifier.
        """
        if (X_val is None) != (y_val is None):
            given = "y_val" if X_val is None else "X_val"
            raise ValueError(f"Only {given} was given. Give both X_val and y_val.")
        X, y = self._check_training_data(X, y, reset=True)
        weights = self._training_weights(y, sample_weight, np.unique(y))
        kept = np.arange(len(X)) if weights is None else np.flatnonzero(weights)
        self.classes_ = self._check_classes(np.unique(y[kept]))
        codes = np.searchsorted(self.classes_, y)
        rng = check_random_state(self.random_state)

        validation = None
        if X_val is not None:
            validation = self._check_validation_data(X_val, y_val)
        elif self.early_stopping:
            kept, held_out = self._split(kept, codes, rng)
            validation = X[held_out], codes[held_out]
        if len(kept) < len(X):
            X, codes = X[kept], codes[kept]
            weights = None if weights is None else weights[kept]

        self._start(X, codes, rng)
        batches = self._batches(X, codes, weights)
        callbacks = _callbacks.training_callbacks(
            lr_schedule=self.lr_schedule,
            learning_rate=self.learning_rate,
            early_stopping=self.early_stopping,
            patience=self.patience,
            validates=validation is not None,
            epochs=self.epochs,
            batches=len(batches),
        )
        n_done = 0
        if self.checkpoint is not None:
            parts = X, codes, weights, validation
            n_done = self._go_on(batches, callbacks, self._digest(parts))
        self._train(batches, callbacks, self.epochs - n_done, n_done, validation)
        losses = np.array(self.history_.get("val_loss", []))
        self.best_epoch_ = self.n_epochs_
        if np.isfinite(losses).any():
            self.best_epoch_ = int(np.nanargmin(losses)) + 1
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on some beats, going on from what was learned before.

        The learning rate stays at ``learning_rate``, without a schedule.

        Parameters
        ----------
        X : array-like
            Spectrograms, in a form that :meth:`fit` accepts.
        y : array-like of shape (n_beats,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come. Needed in the first call, unless the
            estimator was fitted before.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat in the loss.

        Returns
        -------
        SpectrogramCNNClassifier
            The classifier.
        """
        if self.logit_adjustment:
            raise ValueError(
                f"logit_adjustment={self.logit_adjustment} needs the frequency of each "
                "class, which partial_fit does not know. Set it to 0.0, or use fit."
            )
        first = not hasattr(self, "model_")
        X, y = self._check_training_data(X, y, reset=first)
        if first or classes is not None:
            _check_partial_fit_first_call(self, classes)
            self._check_classes(self.classes_)
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(
                f"y holds labels {sorted(unknown)} that are not among classes="
                f"{self.classes_.tolist()}. The first call fixes the classes."
            )
        codes = np.searchsorted(self.classes_, y)
        weights = self._training_weights(y, sample_weight, self.classes_)
        if first:
            self._start(X, codes, check_random_state(self.random_state))
        batches = self._batches(X, codes, weights)
        callbacks = [_callbacks.LearningRate(self.learning_rate)]
        epoch = self.current_epoch
        self._train(batches, callbacks, 1, epoch, None, anew=False)
        self.best_epoch_ = self.n_epochs_
        return self

    def predict_proba(self, X):
        """Give the probability of each class.

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
        """Give the most probable class.

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
            Spectrograms, in a form that :meth:`fit` accepts.
        y : array-like of shape (n_beats,)
            Labels.

        Returns
        -------
        SpectrogramCNNClassifier
            The classifier, ready for ``model_.set_weights`` and :meth:`predict`.
        """
        X, y = self._check_training_data(X, y, reset=True)
        self.classes_ = self._check_classes(np.unique(y))
        codes = np.searchsorted(self.classes_, y)
        self._start(X, codes, check_random_state(self.random_state))
        return self

    # What BaseWrapper asks for, or what replaces its own.

    _random_state = None  # It would seed the random states of the whole process.

    def _predict_raw(self, X):
        check_is_fitted(self, "model_")
        return _network.predict_in_batches(self.model_, self._check_images(X, "X"))

    def _start(self, X, codes, rng):
        """Build a new network for images like these, and seed it."""
        self._forget()
        self._check_context_row(X.shape)
        seed = int(rng.randint(2**31 - 1))
        self._shuffler = np.random.default_rng(seed)
        self._spec = _network.NetworkSpec(
            image_shape=tuple(map(int, X.shape[1:])),
            n_classes=len(self.classes_),
            filters=tuple(map(int, self.filters)),
            kernel_size=int(self.kernel_size),
            pooling=self.pooling,
            residual=tuple(map(int, self.residual)),
            dropout=float(self.dropout),
            dense_units=int(self.dense_units),
            dense_dropout=float(self.dense_dropout),
            context_row=bool(self.context_row),
            optimizer=self.optimizer,
            weight_decay=float(self.weight_decay),
            label_smoothing=float(self.label_smoothing),
            logit_offsets=self._logit_offsets(codes),
            soft_labels=self.mixup > 0,
        )
        self._optimizer_state = []
        self.model_ = _network.build_network(self._spec, seed)

    def _digest(self, parts):
        """Fingerprint of the training that ``fit`` is about to begin."""
        if not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint={self.checkpoint!r} needs an int as random_state, and "
                f"got {self.random_state!r}: without a seed, a training that goes on "
                "would not be the one that was broken off."
            )
        left_out = ("callbacks", "checkpoint", "verbose")
        params = self.get_params()
        params = {name: params[name] for name in params if name not in left_out}
        return _checkpoint.fingerprint(__version__, params, self._spec, *parts)

    def _go_on(self, batches, callbacks, digest):
        """Restore the state of a broken training; return how many epochs it had."""
        state = _checkpoint.read_state(self.checkpoint, digest)
        callbacks.append(
            _callbacks.Checkpoint(self.checkpoint, digest, callbacks, state)
        )
        if state is None:
            return 0
        _network.assign_variables(self.model_, state.arrays["network"])
        self._optimizer_state = state.arrays["optimizer"]
        self.history_ = {name: list(v) for name, v in state.history.items()}
        for _ in range(state.epoch):
            batches.on_epoch_end()  # shuffles as those epochs did
        return self.epochs if state.stopped else state.epoch

    def _logit_offsets(self, codes):
        """Logarithms of the classes' frequencies, weighted; () if they do not count."""
        if not self.logit_adjustment:
            return ()
        frequency = np.bincount(codes, minlength=len(self.classes_)) / len(codes)
        offsets = self.logit_adjustment * np.log(frequency)
        return tuple(float(offset) for offset in offsets)

    def _forget(self):
        """Drop what an earlier fit has learned."""
        for name in ("model_", "history_", "n_epochs_", "best_epoch_"):
            self.__dict__.pop(name, None)

    def _train(
        self, batches, callbacks, epochs, initial_epoch, validation, *, anew=True
    ):
        """Run Keras' training loop; set ``history_`` and ``n_epochs_``."""
        if validation is not None:
            validation = _training.BeatBatches(
                *validation,
                batch_size=_network.PREDICT_BATCH,
                soft_labels_of=self._soft_labels_of(),
            )
        own = list(self.callbacks or [])
        if self.verbose:
            report = _callbacks.EpochReport(
                initial_epoch + epochs, len(batches), bar=self.verbose == 1
            )
            own.append(report)
        self._fit_callbacks = [*_callbacks.seeding_callbacks(), *callbacks, *own]
        network = self.model_
        try:
            with (
                _training.ONE_AT_A_TIME,
                _training.deterministic_operations(),
                _training.borrow_trainer(
                    self._spec, network, self._optimizer_state
                ) as self.model_,
            ):
                self._fit_keras_model(
                    batches,
                    None,
                    sample_weight=None,
                    warm_start=initial_epoch > 0,
                    epochs=epochs,
                    initial_epoch=initial_epoch,
                    validation_data=validation,
                    verbose=0,
                    shuffle=False,
                )
            self.model_ = network
        except BaseException:
            # Half trained is not fitted: partial_fit may go on, fit has to start over.
            self.model_ = network
            if anew or initial_epoch == 0:
                self._forget()
            raise
        finally:
            for used in (batches, validation):
                if used is not None:
                    used.release()
            for callback in self._fit_callbacks:
                callback.set_model(None)
            if self.verbose:
                report.on_train_end()
            del self._fit_callbacks
        n_epochs = len(self.history_["loss"])
        self.history_ = {
            # Epochs of partial_fit are not validated.
            key: [float(v) for v in values] + [np.nan] * (n_epochs - len(values))
            for key, values in self.history_.items()
        }
        self.n_epochs_ = n_epochs
        if not np.isfinite(self.history_["loss"][-1]):
            warnings.warn(
                f"The loss is {self.history_['loss'][-1]} after {n_epochs} epochs: the "
                f"training diverged. Use a smaller learning_rate than "
                f"{self.learning_rate}, or check the scale of X.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _batches(self, X, codes, weights):
        return _training.BeatBatches(
            X,
            codes,
            weights,
            batch_size=self.batch_size,
            rng=self._shuffler,
            soft_labels_of=self._soft_labels_of(),
            mixup=self.mixup,
        )

    def _soft_labels_of(self):
        """Give the number of classes if the loss takes a share of each, else None."""
        return self._spec.n_classes if self._spec.soft_labels else None

    def _check_training_data(self, X, y, *, reset):
        """Validate the beats and labels of fit and partial_fit."""
        self._check_filters()
        X, y = validate_data(
            self, X, y, reset=reset, dtype=np.float32, allow_nd=True, order="C"
        )
        check_classification_targets(y)
        if reset:
            self._input_shape = X.shape[1:]
        return self._as_images(X, "X"), column_or_1d(y, warn=True)

    def _check_classes(self, classes):
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only, {classes.tolist()[0]!r}. A classifier needs "
                "beats of at least two classes."
            )
        return classes

    def _check_filters(self):
        widths = self.filters
        if not widths or not all(isinstance(n, Integral) and n > 0 for n in widths):
            raise ValueError(
                f"filters={widths!r} must hold a positive int for each block, such as "
                "(32, 64, 128, 256)."
            )
        known = range(1, len(widths) + 1)
        if not all(isinstance(n, Integral) and n in known for n in self.residual):
            raise ValueError(
                f"residual={self.residual!r} names blocks that are not there: filters="
                f"{widths!r} makes blocks 1 to {len(widths)}."
            )

    def _check_context_row(self, shape):
        if self.context_row and shape[1] < 2:
            raise ValueError(
                f"context_row=True takes the last row of each image for features of "
                f"the beat, and images of shape {shape[1:]} have no other row. Use "
                "SpectrogramTransformer(n_context=...), or set context_row=False."
            )

    def _check_validation_data(self, X_val, y_val):
        """Validate beats to validate on against the training beats."""
        if np.ndim(X_val) < 1 + len(self._input_shape):
            raise ValueError(
                f"X_val has shape {np.shape(X_val)}, but the training beats have shape "
                f"(n_beats, {', '.join(map(str, self._input_shape))}): it did not pass "
                "the steps of the pipeline. Build the pipeline with make_ecg_pipeline "
                "under sklearn.set_config(enable_metadata_routing=True)."
            )
        X_val = self._check_images(X_val, "X_val")
        y_val = column_or_1d(y_val)
        if len(X_val) != len(y_val):
            raise ValueError(
                f"X_val holds {len(X_val)} beats and y_val {len(y_val)} labels."
            )
        codes = np.searchsorted(self.classes_, y_val).clip(max=len(self.classes_) - 1)
        if (unknown := np.unique(y_val[self.classes_[codes] != y_val])).size:
            raise ValueError(
                f"y_val holds labels {unknown.tolist()} that y does not: "
                f"{self.classes_.tolist()}. Take them out, or add them to y."
            )
        return X_val, codes

    def _check_images(self, X, name):
        """Validate beats against those seen in fit; return them as images."""
        X = validate_data(
            self, X, reset=False, dtype=np.float32, allow_nd=True, order="C"
        )
        return self._as_images(X, name)

    def _as_images(self, X, name):
        """View beats as (n_beats, n_freqs, n_frames, n_channels)."""
        if X.shape[1:] != self._input_shape:
            raise ValueError(
                f"{name} holds beats of shape {X.shape[1:]}, but "
                f"{type(self).__name__} was fitted on {self._input_shape}."
            )
        if X.ndim == 2:
            return X[:, None, :, None]
        if X.ndim == 3:
            return X[..., None]
        if X.ndim == 4:
            return X
        raise ValueError(
            f"{name} has {X.ndim} dimensions. Give (n_beats, n_features), (n_beats, "
            "n_freqs, n_frames) or (n_beats, n_freqs, n_frames, n_channels)."
        )

    def _weights_of_classes(self, y, classes):
        """Weight of each beat by its class; a batch need not hold every class."""
        given = self.class_weight
        if not isinstance(given, dict):
            return compute_sample_weight(given, y)
        if unknown := set(given) - set(np.asarray(classes).tolist()):
            raise ValueError(
                f"class_weight names {sorted(unknown, key=str)}, which are not among "
                f"the classes {np.asarray(classes).tolist()}."
            )
        present = set(np.unique(y).tolist())
        here = {label: weight for label, weight in given.items() if label in present}
        return compute_sample_weight(here, y)

    def _training_weights(self, y, sample_weight, classes):
        """Weights of the beats in the loss, or None; the caller's array is left."""
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(
                sample_weight, y, dtype=np.float32, ensure_non_negative=True, copy=True
            )
        if self.class_weight is not None:
            by_class = self._weights_of_classes(y, classes).astype(np.float32)
            weights = by_class if weights is None else weights * by_class
        if weights is not None and not weights.any():
            raise ValueError(
                "The weights of all beats are zero, which leaves nothing to train on. "
                "Check sample_weight and class_weight."
            )
        return weights

    def _split(self, rows, codes, rng):
        """Hold out a fraction of the rows, stratified by class."""
        codes = codes[rows]
        try:
            return train_test_split(
                rows,
                test_size=self.validation_fraction,
                stratify=codes,
                random_state=rng.randint(2**31 - 1),
            )
        except ValueError as error:
            counts = dict(
                zip(self.classes_.tolist(), np.bincount(codes).tolist(), strict=False)
            )
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(rows)} beats "
                f"cannot be held out by class (beats per class: {counts}): {error} "
                "Pass X_val and y_val, or set early_stopping=False."
            ) from error

    def __getstate__(self):
        """Pack the network as plain data; leave out what serves training alone."""
        state = dict(super().__getstate__())
        if "model_" in state:
            state["model_"] = _network.pack_network(self.model_)
            state["callbacks"] = state["checkpoint"] = None
        return state

    def __setstate__(self, state):
        """Unpack the network."""
        if isinstance(state.get("model_"), dict):
            state = {**state, "model_": _network.unpack_network(state["model_"])}
        super().__setstate__(state)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags
