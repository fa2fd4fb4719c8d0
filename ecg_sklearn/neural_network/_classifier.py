"""The public classifier: :class:`SpectrogramCNNClassifier`."""

import os
from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call

from ecg_sklearn.neural_network import _callbacks, _training, _validation
from ecg_sklearn.neural_network._base import NetworkClassifier


class SpectrogramCNNClassifier(NetworkClassifier):
    """Convolutional network that classifies the spectrograms of heartbeats.

    The network has blocks of convolution, batch normalisation, ReLU and downsampling
    by two [1]_, then global average pooling, a dense layer and softmax. It is trained
    with AdamW [2]_ and a one-cycle learning rate [3]_. The class is built on
    :class:`scikeras.wrappers.BaseWrapper`.

    Parameters
    ----------
    filters : sequence of int, default=(32, 64, 128, 256)
        Channels of each block.
    kernel_size : int, default=3
        Height and width of each convolution.
    pooling : {"stride", "max"}, default="stride"
        Downsampling of a block: a convolution of stride two, or a convolution of stride
        one and max pooling, which is slower. A dimension of size one is kept.
    residual : sequence of int, default=()
        Blocks, counted from 1, that get a second convolution whose result is added
        to that of the first [4]_.
    dropout : float, default=0.0
        Fraction of activations dropped after each block.
    dense_units : int or sequence of int, default=128
        Units of the dense layer, or of each of several; 0 leaves it out.
    dense_dropout : float, default=0.0
        Fraction of activations dropped after each dense layer.
    build_fn : callable or None, default=None
        Function that builds another network; the parameters above are then ignored. It
        is called with ``image_shape`` (n_freqs, n_frames, n_channels), ``n_classes``
        and ``n_feature_rows``, and returns a functional ``keras.Model`` that ends in
        softmax, not compiled. Each fit calls it twice. The last ``n_feature_rows``
        rows hold features, then NaN. ``save`` stores the network that it built, as
        :class:`~ecg_sklearn.neural_network.NetworkFromConfig`; joblib stores the name
        of an importable function.
    optimizer : {"adamw", "adam", "sgd", "rmsprop"}, default="adamw"
        Optimizer; "sgd" has Nesterov momentum 0.9.
    learning_rate : float, default=2e-3
        Learning rate; the peak with ``lr_schedule="one_cycle"``.
    weight_decay : float, default=1e-4
        Decoupled weight decay of "adamw", for kernels only.
    lr_schedule : {"one_cycle", "plateau", None}, default="one_cycle"
        "one_cycle" rises for a quarter of all batches, then falls to almost zero.
        "plateau" multiplies the rate by 0.3 when the validation loss (without
        validation, the training loss) has not improved for ``patience // 2`` epochs.
        None keeps the rate constant.
    epochs : int, default=10
        Largest number of passes over the training beats.
    batch_size : int, default=128
        Beats per gradient step.
    early_stopping : bool, default=False
        Stop when the validation loss has not improved for ``patience`` epochs, and
        keep the weights of the best epoch. With "one_cycle", stopping skips the last
        epochs, whose low learning rate improves the weights most.
    validation_fraction : float, default=0.1
        With ``early_stopping=True`` and no ``X_val`` in fit: fraction of the training
        beats, stratified by class, for validation. After a sampler such as SMOTE, they
        include synthetic beats made from training beats, and the validation loss is
        optimistic: pass ``X_val`` and ``y_val`` instead.
    patience : int, default=5
        Epochs without improvement before early stopping; "plateau" uses half of it.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, by label; multiplied by ``sample_weight``.
    label_smoothing : float, default=0.0
        Fraction of each label that is distributed evenly over all classes.
    logit_adjustment : float, default=0.0
        Weight of the log class frequencies that are added to the logits in the loss
        [5]_. 1.0 optimises the balanced error; smaller values raise the sensitivity of
        rare classes less. The frequencies must be known before training, so
        ``partial_fit`` refuses it.
    callbacks : list of keras.callbacks.Callback or None, default=None
        Additional callbacks, called after those of the other parameters. They are not
        pickled with a fitted estimator.
    checkpoint : str, path or None, default=None
        Folder to which ``fit`` writes the state of the training after each epoch. If it
        holds the state of a training with the same beats and parameters, ``fit``
        resumes it and ends with the same weights as without interruption. Remove the
        folder when the fitted estimator is saved. Needs an int as ``random_state``.
        The state of ``callbacks`` is not restored.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, shuffling, dropout and the validation split. With an int,
        results are reproducible on the same machine.
    verbose : {0, 1, 2}, default=0
        1 prints a line for each epoch and a progress bar on terminals, 2 only the
        lines.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    history_ : dict of str to list of float
        "loss", "accuracy", "learning_rate" (at the end of the epoch) and, with
        validation, "val_loss" and "val_accuracy"; one value per epoch.
    n_epochs_ : int
        Number of epochs run.
    best_epoch_ : int
        Epoch of the lowest validation loss, counted from 1; ``n_epochs_`` without
        validation. With ``early_stopping=True`` the weights are those of this epoch,
        otherwise those of the last epoch.
    model_ : keras.Model
        The network.
    n_features_in_ : int
        Size of the second dimension of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    ecg_sklearn.preprocessing.SpectrogramTransformer : Makes the spectrograms.
    ecg_sklearn.pipeline.make_ecg_pipeline : Pipeline with both and SMOTE.

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
        "dense_units": [Interval(Integral, 0, None, closed="left"), tuple, list],
        "dense_dropout": [Interval(Real, 0, 1, closed="left")],
        "build_fn": [callable, None],
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
        "callbacks": [list, None],
        "checkpoint": [str, os.PathLike, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = {"X_val": True, "y_val": True}

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
        build_fn=None,
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
        self.build_fn = build_fn
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
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None):
        """Train a new network.

        Parameters
        ----------
        X : array-like
            Spectrograms of shape (n_beats, n_freqs, n_frames) or (n_beats, n_freqs,
            n_frames, n_channels), or rows of shape (n_beats, n_features), which are
            treated as images of one frequency. Last rows that end in NaN hold features
            of the beat, as in the output of SpectrogramTransformer. They bypass the
            convolutions and are concatenated before the dense layer.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat in the loss. Beats of weight zero are ignored.
        X_val, y_val : array-like, default=None
            Validation beats, in the form of ``X`` and ``y``.

        Returns
        -------
        SpectrogramCNNClassifier
            The fitted classifier.
        """
        if (X_val is None) != (y_val is None):
            given = "y_val" if X_val is None else "X_val"
            raise ValueError(f"Only {given} was given. Give both X_val and y_val.")
        X, y = self._check_training_data(X, y, reset=True)
        weights = _validation.training_weights(
            y, sample_weight, self.class_weight, np.unique(y)
        )
        kept = np.arange(len(X)) if weights is None else np.flatnonzero(weights)
        self.classes_ = _validation.check_classes(np.unique(y[kept]))
        codes = np.searchsorted(self.classes_, y)
        rng = check_random_state(self.random_state)

        validation = None
        if X_val is not None:
            validation = _validation.check_validation_data(self, X_val, y_val)
        elif self.early_stopping:
            kept, held_out = _validation.hold_out(
                kept, codes, self.classes_, self.validation_fraction, rng
            )
            validation = X[held_out], codes[held_out]
        if len(kept) < len(X):
            X, codes = X[kept], codes[kept]
            weights = None if weights is None else weights[kept]

        self._start(X, codes, rng)
        self._train_all_epochs(X, codes, weights, validation)
        return self

    def _train_all_epochs(self, X, codes, weights, validation):
        """Train with schedule, early stopping and checkpoint."""
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
        if self.checkpoint is not None:
            parts = X, codes, weights, validation
            try:
                callbacks.append(self._backup(list(callbacks), parts))
            except ValueError:
                self._forget()  # it is built, but not fitted
                raise
        if validation is not None:
            size = _training.VALIDATION_BATCH
            validation = _training.BeatBatches(*validation, None, size)
        self._train(batches, callbacks, self.epochs, validation)
        losses = np.array(self.history_.get("val_loss", []))
        self.best_epoch_ = self.n_epochs_
        if np.isfinite(losses).any():
            self.best_epoch_ = int(np.nanargmin(losses)) + 1

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch on a batch of beats, starting from the current weights.

        The learning rate is constant, without a schedule.

        Parameters
        ----------
        X : array-like
            Spectrograms, as for :meth:`fit`.
        y : array-like of shape (n_beats,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels of later calls. Required in the first call, unless the estimator
            is already fitted.
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
            _validation.check_classes(self.classes_)
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(
                f"y holds labels {sorted(unknown)} that are not among classes="
                f"{self.classes_.tolist()}. The first call fixes the classes."
            )
        codes = np.searchsorted(self.classes_, y)
        weights = _validation.training_weights(
            y, sample_weight, self.class_weight, self.classes_
        )
        if first:
            self._start(X, codes, check_random_state(self.random_state))
        batches = self._batches(X, codes, weights, self.current_epoch)
        self._train(batches, [_callbacks.LearningRate(self.learning_rate)], epochs=1)
        self.best_epoch_ = self.n_epochs_
        return self
