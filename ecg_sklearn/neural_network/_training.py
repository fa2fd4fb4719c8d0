"""Training of the Keras graph: pool of trainers, loss, batches."""

import contextlib
import logging
import math
import threading

import keras
import numpy as np

from ecg_sklearn.neural_network import _device
from ecg_sklearn.neural_network._callbacks import SeedTorch
from ecg_sklearn.neural_network._network import (
    assign_variables,
    build_network,
    claim_backend,
    value_of,
    variables_of,
)

VALIDATION_BATCH = 512


class _TrainerPool:
    """Compiled networks that are reused by the next fit of the same spec.

    Tracing a training step takes longer than many small fits, and TensorFlow does not
    release all of its memory. So fits of equal specs share one trainer: they copy their
    weights into it, and back afterwards.
    """

    def __init__(self, max_idle):
        self.max_idle = max_idle
        self.idle = []  # (spec, trainer), least recently used first
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def borrow(self, network):
        """Provide a trainer to one fit at a time."""
        spec = network.spec
        with self.lock:
            place = next((i for i, (s, _) in enumerate(self.idle) if s == spec), None)
            trainer = None if place is None else self.idle.pop(place)[1]
        if trainer is None:
            trainer = _make_trainer(network)
        yield trainer
        # Not reached after an exception: the trainer may be in a wrong state.
        with self.lock:
            self.idle = [*self.idle, (spec, trainer)][-self.max_idle :]


_pool = _TrainerPool(max_idle=4)

ONE_AT_A_TIME = threading.RLock()
"""Held during training, because determinism is a setting of the whole process."""


def train(
    network, optimizer_state, batches, validation, *, callbacks, pooled, **epochs
):
    """Train a network; release the beats, also after a failure."""
    start_epoch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch)
    )
    seeding = [SeedTorch()] if keras.backend.backend() == "torch" else []
    callbacks = [start_epoch, *seeding, *callbacks]
    try:
        with (
            ONE_AT_A_TIME,
            _settings_of_keras(),
            deterministic_operations(),
            borrow_trainer(network, optimizer_state, pooled=pooled) as trainer,
        ):
            data, step = None, trainer.train_function
            if _device.has_accelerator() and batches.move_to_device():
                data = _device.as_epochs(trainer, batches, callbacks)
            history = trainer.fit(
                data or batches,
                validation_data=validation,
                callbacks=callbacks,
                verbose=0,
                shuffle=False,
                **epochs,
            ).history
            if data is not None:
                trainer.train_function = step
    finally:
        for used in (batches, validation):
            if used is not None:
                used.release()
        for callback in callbacks:
            callback.set_model(None)
    return history


@contextlib.contextmanager
def _settings_of_keras():
    """Set Keras' global float type, which optimizer and metrics use."""
    before = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        yield
    finally:
        keras.config.set_floatx(before)


@contextlib.contextmanager
def borrow_trainer(network, optimizer_state, *, pooled=True):
    """Provide a compiled copy of a network for one training; copy its weights back.

    ``optimizer_state`` is the initial state of the optimizer (zeros if empty), and is
    replaced by the final state. With ``pooled=False`` the copy is not reused.
    """
    claim_backend()
    new = contextlib.nullcontext
    with _pool.borrow(network) if pooled else new(_make_trainer(network)) as trainer:
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
    """Make operations repeatable for one training, then restore the settings.

    Meanwhile, a user's random operations in TensorFlow need a seed. The random state of
    PyTorch, which :class:`SeedTorch` sets, is restored too.
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
    """Silence warnings on retracing, which searches over architectures always cause."""
    logger = logging.getLogger("tensorflow")

    def is_other(record):
        return "triggered tf.function retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _copy_variables(source, target):
    """Copy weights and the state of random layers between networks of one spec.

    Values are copied, because JAX deletes shared arrays during training.
    """
    assign_variables(target, [value_of(v) for v in variables_of(source)])


def _make_trainer(network):
    """Build a network and compile it with optimizer, loss and accuracy."""
    spec = network.spec
    trainer = build_network(spec, build_fn=network.build_fn)
    trainer.compile(
        optimizer=_make_optimizer(spec),
        loss=_make_loss(spec),
        metrics=[
            keras.metrics.SparseCategoricalAccuracy(name="accuracy", dtype="float32")
        ],
    )
    return trainer


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
    optimizer = make(learning_rate=0.0, **extra.get(spec.optimizer, {}))
    if spec.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class AdjustedCrossentropy(keras.losses.Loss):
    """Cross-entropy with label smoothing and logits shifted by ``logit_offsets``."""

    def __init__(self, n_classes, label_smoothing, logit_offsets):
        super().__init__(name="adjusted_crossentropy", dtype="float32")
        self.n_classes = n_classes
        self.label_smoothing = label_smoothing
        self.offsets = np.asarray(logit_offsets, dtype=np.float32)

    def call(self, y_true, y_pred):
        """Compute the loss of each beat."""
        ops = keras.ops
        log_proba = ops.log(ops.clip(y_pred, 1e-7, 1.0))
        if len(self.offsets):
            offsets = ops.convert_to_tensor(self.offsets)
            log_proba = ops.log_softmax(log_proba + offsets, axis=-1)
        codes = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        target = ops.one_hot(codes, self.n_classes, dtype=log_proba.dtype)
        target = target * (1 - self.label_smoothing)
        target = target + self.label_smoothing / self.n_classes
        return -ops.sum(target * log_proba, axis=-1)


def _make_loss(spec):
    if not (spec.label_smoothing or spec.logit_offsets):
        return keras.losses.SparseCategoricalCrossentropy(dtype="float32")
    return AdjustedCrossentropy(
        spec.n_classes, spec.label_smoothing, spec.logit_offsets
    )


class BeatBatches(keras.utils.PyDataset):
    """Batches of images, without a copy; shuffled by ``rng`` in each epoch unless None.

    They are shuffled twice before the first epoch, to reproduce published results.
    """

    def __init__(self, images, codes, weights, batch_size, rng=None, first_epoch=0):
        super().__init__()
        codes = codes.astype(np.int32)  # JAX warns of others
        self.columns = [c for c in (images, codes, weights) if c is not None]
        self.batch_size = batch_size
        self.rng = rng
        self.next_epoch = first_epoch - 1
        self.order = np.arange(len(images))

    def __len__(self):
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return tuple(column[rows] for column in self.columns)

    def move_to_device(self):
        """Copy the beats to the accelerator, if batches can be taken from there."""
        # TensorFlow takes batches from the host.
        if keras.backend.backend() == "tensorflow":
            return False
        if moves := _device.has_room_for(self.columns):
            convert = keras.ops.convert_to_tensor
            self.columns = [convert(column) for column in self.columns]
        return moves

    def start_epoch(self, epoch):
        """Shuffle for an epoch, and for the earlier epochs that a resumed fit skips."""
        while self.rng is not None and self.next_epoch <= epoch:
            self.rng.shuffle(self.order)
            self.next_epoch += 1

    def release(self):
        """Release the beats, because TensorFlow keeps a reference to this object."""
        self.columns = []
        self.order = np.arange(0)
