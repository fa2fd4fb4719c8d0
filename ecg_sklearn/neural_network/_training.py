"""Training of the Keras graph: trainers on loan, losses, batches."""

import contextlib
import logging
import math
import threading

import keras
import numpy as np

from ecg_sklearn.neural_network._network import (
    assign_variables,
    build_network,
    value_of,
    variables_of,
)

__all__ = [
    "ONE_AT_A_TIME",
    "AdjustedCrossentropy",
    "BeatBatches",
    "borrow_trainer",
    "deterministic_operations",
]


class _TrainerPool:
    """Compiled networks to train on, kept for the next fit of the same spec.

    Tracing a training step takes longer than many a small fit, and TensorFlow never
    gives back all the memory of a traced step. So fits of equal specs take turns at
    one trainer: they lend it their weights and carry them off again.
    """

    def __init__(self, max_idle):
        self.max_idle = max_idle
        self.idle = []  # (spec, trainer), the least recently used first
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def borrow(self, spec):
        """Lend a trainer to one fit at a time."""
        with self.lock:
            place = next((i for i, (s, _) in enumerate(self.idle) if s == spec), None)
            trainer = None if place is None else self.idle.pop(place)[1]
        if trainer is None:
            trainer = build_network(spec)
            _compile(trainer, _make_optimizer(spec), _make_loss(spec))
        yield trainer
        # Not reached after an exception: what broke a fit may have left marks.
        with self.lock:
            self.idle = [*self.idle, (spec, trainer)][-self.max_idle :]


_pool = _TrainerPool(max_idle=4)

ONE_AT_A_TIME = threading.RLock()
"""Held while a network is trained: determinism is set for the whole process."""


@contextlib.contextmanager
def borrow_trainer(spec, network, optimizer_state):
    """Borrow a compiled twin of a network for one training.

    Parameters
    ----------
    spec : NetworkSpec
        The spec of ``network``.
    network : keras.Model
        Where the weights come from and return to.
    optimizer_state : list of ndarray
        Filled anew with the state that the optimizer ends with; where to go on from,
        if not empty.

    Yields
    ------
    keras.Model
        The twin, compiled.
    """
    with _pool.borrow(spec) as trainer:
        optimizer = trainer.optimizer
        if not optimizer.built:
            optimizer.build(trainer.trainable_variables)
        _copy_variables(network, trainer)
        state = optimizer_state or [
            np.zeros(v.shape, v.dtype) for v in optimizer.variables
        ]
        for variable, value in zip(optimizer.variables, state, strict=True):
            variable.assign(value)
        trainer.stop_training = False
        with _without_retracing_advice():
            yield trainer
        _copy_variables(trainer, network)
        optimizer_state[:] = [value_of(v) for v in optimizer.variables]


@contextlib.contextmanager
def deterministic_operations():
    """Have the backend repeat a training exactly; leave its settings as they were.

    TensorFlow goes on as it was: while its operations are deterministic, a user's own
    random ones fail for want of a seed. PyTorch keeps its random state, which
    :func:`ecg_sklearn.neural_network._callbacks.seeding_callbacks` set.
    """
    if keras.backend.backend() == "torch":
        import torch

        with torch.random.fork_rng():
            yield
    elif keras.backend.backend() == "tensorflow":
        from tensorflow.python.framework import config

        before = config.is_op_determinism_enabled()
        config.enable_op_determinism()
        try:
            yield
        finally:
            if not before:
                config.disable_op_determinism()
    else:
        yield


@contextlib.contextmanager
def _without_retracing_advice():
    """Keep TensorFlow from advice on tracing that a search over shapes cannot heed."""
    logger = logging.getLogger("tensorflow")

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _copy_variables(source, target):
    """Copy weights and the state of random layers from one network to its twin.

    Copy: an array of JAX that both hold is gone once one of them has trained on it.
    """
    assign_variables(target, [value_of(v) for v in variables_of(source)])


def _make_optimizer(spec):
    make = {
        "adamw": keras.optimizers.AdamW,
        "adam": keras.optimizers.Adam,
        "sgd": keras.optimizers.SGD,
        "rmsprop": keras.optimizers.RMSprop,
    }[spec.optimizer]
    extra = {
        "adamw": {"weight_decay": spec.weight_decay},
        "sgd": {"momentum": 0.9, "nesterov": True},
    }
    # Callbacks set the learning rate before the first step.
    return make(learning_rate=0.0, **extra.get(spec.optimizer, {}))


class AdjustedCrossentropy(keras.losses.Loss):
    """Cross-entropy with smoothed labels and shifted logits.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    label_smoothing : float
        Share of each label that is spread over all classes evenly [1]_.
    logit_offsets : sequence of float
        Added to the logits of the classes in training alone [2]_; none if empty.
    soft_labels : bool
        Whether labels come as one share of each class, and not as codes.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR, 2016.
    .. [2] A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR, 2021.
    """

    def __init__(self, n_classes, label_smoothing, logit_offsets, soft_labels):
        super().__init__(name="adjusted_crossentropy")
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.offsets = np.asarray(logit_offsets, dtype=np.float32)
        self.soft_labels = soft_labels

    def call(self, y_true, y_pred):
        """Compute the loss of each beat from its label and its probabilities."""
        ops = keras.ops
        log_proba = ops.log(ops.clip(y_pred, 1e-7, 1.0))
        if len(self.offsets):
            offsets = ops.convert_to_tensor(self.offsets)
            log_proba = ops.log_softmax(log_proba + offsets, axis=-1)
        if self.soft_labels:
            target = ops.cast(y_true, log_proba.dtype)
        else:
            codes = ops.cast(ops.reshape(y_true, (-1,)), "int32")
            target = ops.one_hot(codes, self.n_classes, dtype=log_proba.dtype)
        target = target * (1 - self.label_smoothing)
        target = target + self.label_smoothing / self.n_classes
        return -ops.sum(target * log_proba, axis=-1)


def _make_loss(spec):
    if not (spec.label_smoothing or spec.logit_offsets or spec.soft_labels):
        return "sparse_categorical_crossentropy"
    return AdjustedCrossentropy(
        spec.n_classes, spec.label_smoothing, spec.logit_offsets, spec.soft_labels
    )


def _compile(model, optimizer, loss):
    """Give a network its loss; spare biases and norms the decay of the weights."""
    if isinstance(optimizer, keras.optimizers.AdamW):
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss=loss,
        metrics=["accuracy"],
    )


class BeatBatches(keras.utils.PyDataset):
    """Batches of images, shuffled anew each epoch; no copy of the images is made.

    Parameters
    ----------
    images : ndarray of shape (n_beats, n_freqs, n_frames, n_channels)
        The images.
    codes : ndarray of shape (n_beats,)
        Classes as 0 ... n_classes - 1.
    weights : ndarray of shape (n_beats,) or None
        Sample weights.
    batch_size : int
        Beats per batch.
    rng : numpy.random.Generator or None
        Shuffles; None keeps the order.
    soft_labels_of : int or None
        Number of classes, if labels are wanted as one share of each class.
    mixup : float
        With soft labels: parameter of the Beta distribution that the shares of two
        mixed beats are drawn from [1]_, anew for each batch; 0 mixes none. Weighted
        beats count in the label by their weights.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical
       risk minimization", ICLR, 2018.
    """

    def __init__(
        self,
        images,
        codes,
        weights=None,
        *,
        batch_size,
        rng=None,
        soft_labels_of=None,
        mixup=0.0,
    ):
        super().__init__()
        self.columns = [c for c in (images, codes, weights) if c is not None]
        self.batch_size = batch_size
        self.rng = rng
        self.soft_labels_of = soft_labels_of
        self.mixup = mixup
        self.order = np.arange(len(images))
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        batch = [column[rows] for column in self.columns]
        if self.soft_labels_of is not None:
            batch[1] = np.eye(self.soft_labels_of, dtype=np.float32)[batch[1]]
            if self.mixup:
                _mix(batch, self.shares[index])
        return tuple(batch)

    def on_epoch_end(self):
        """Shuffle for the next epoch, and draw the shares of mixed beats."""
        if self.rng is not None:
            self.rng.shuffle(self.order)
            if self.mixup:
                self.shares = self.rng.beta(self.mixup, self.mixup, len(self))

    def release(self):
        """Let go of the beats: TensorFlow keeps what it iterated over for good."""
        self.columns = []
        self.order = np.arange(0)


def _mix(batch, share):
    """Mix each beat of a shuffled batch with the one before it, in place."""
    share = np.float32(share)
    images, labels, *weights = batch
    if weights:
        own = share * weights[0]
        total = own + (1 - share) * np.roll(weights[0], 1)
        known = total > 0
        of_labels = np.divide(own, total, out=np.full_like(own, share), where=known)
        of_labels = of_labels[:, None]
        batch[2] = total
    else:
        of_labels = share
    batch[0] = share * images + (1 - share) * np.roll(images, 1, axis=0)
    batch[1] = of_labels * labels + (1 - of_labels) * np.roll(labels, 1, axis=0)
