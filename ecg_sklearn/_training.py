"""Training of the Keras graph: trainers on loan, batches, schedules, progress.

The other module that imports Keras at its top. May import from
:mod:`ecg_sklearn._network`.
"""

import contextlib
import logging
import math
import threading
import time

import keras
import numpy as np

from ecg_sklearn._network import build_network, value_of, variables_of

__all__ = [
    "ONE_AT_A_TIME",
    "BeatBatches",
    "EpochReport",
    "LearningRate",
    "OneCycle",
    "borrow_trainer",
    "training_callbacks",
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
            _compile(trainer, _make_optimizer(spec))
        yield trainer
        # Not reached after an exception: what broke a fit may have left marks.
        with self.lock:
            self.idle = [*self.idle, (spec, trainer)][-self.max_idle :]


_pool = _TrainerPool(max_idle=4)

ONE_AT_A_TIME = threading.RLock()
"""Held while a network is built or trained: seeds are set for the whole process."""


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
    """Copy weights and the state of random layers from one network to its twin."""
    for old, new in zip(variables_of(source), variables_of(target), strict=True):
        new.assign(old.value)


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


def _compile(model, optimizer):
    """Give a network its loss; spare biases and norms the decay of the weights."""
    if isinstance(optimizer, keras.optimizers.AdamW):
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(
        optimizer=optimizer,
        loss="sparse_categorical_crossentropy",
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
    """

    def __init__(self, images, codes, weights=None, *, batch_size, rng=None):
        super().__init__()
        self.columns = [c for c in (images, codes, weights) if c is not None]
        self.batch_size = batch_size
        self.rng = rng
        self.order = np.arange(len(images))
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return tuple(column[rows] for column in self.columns)

    def on_epoch_end(self):
        """Shuffle for the next epoch."""
        if self.rng is not None:
            self.rng.shuffle(self.order)


class OneCycle(keras.callbacks.Callback):
    """Learning rate that rises to a peak and falls to almost nothing, in one cycle.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    total_steps : int
        Batches in the whole training.
    warmup : float
        Fraction of the steps that rises.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural
       networks using large learning rates", arXiv:1708.07120, 2017.
    """

    def __init__(self, peak, total_steps, warmup=0.25):
        super().__init__()
        steps = np.arange(total_steps)
        rising = max(1, round(warmup * total_steps))
        falling = max(1, total_steps - rising)
        up = _cosine(peak / 25, peak, np.minimum(steps / rising, 1))
        down = _cosine(peak, peak * 1e-4, np.maximum(steps - rising, 0) / falling)
        self.rates = np.where(steps < rising, up, down)
        self.step = 0

    def on_train_batch_begin(self, batch, logs=None):
        """Set the learning rate of this batch."""
        self.model.optimizer.learning_rate = self.rates[self.step]
        self.step += 1


def _cosine(start, stop, progress):
    return stop + (start - stop) * (1 + np.cos(np.pi * progress)) / 2


class LearningRate(keras.callbacks.Callback):
    """Set the learning rate at the start; write it into the history.

    Parameters
    ----------
    value : float
        The rate to start from.
    """

    def __init__(self, value):
        super().__init__()
        self.value = value

    def on_train_begin(self, logs=None):
        """Set the learning rate."""
        self.model.optimizer.learning_rate = self.value

    def on_epoch_end(self, epoch, logs=None):
        """Add the learning rate to the logs that Keras collects."""
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


class EpochReport(keras.callbacks.Callback):
    """One line for each epoch, and a progress bar while it runs.

    Parameters
    ----------
    n_epochs : int
        Epochs of the whole training.
    n_batches : int
        Batches of an epoch.
    bar : bool
        Show the bar, on terminals that can.
    """

    def __init__(self, n_epochs, n_batches, *, bar):
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.n_epochs = n_epochs
        self.n_batches = n_batches
        self.console = Console(highlight=False, soft_wrap=True)
        self.progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[logs]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not bar or not self.console.is_terminal,
        )

    def on_train_begin(self, logs=None):
        """Start the bar over all batches of all epochs."""
        self.task = self.progress.add_task(
            "", total=self.n_epochs * self.n_batches, epoch="", logs=""
        )
        self.progress.start()

    def on_epoch_begin(self, epoch, logs=None):
        """Say which epoch runs."""
        self.start = time.monotonic()
        self.progress.update(self.task, epoch=f"{epoch + 1}/{self.n_epochs}")

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        if not self.progress.disable:
            self.progress.update(self.task, advance=1, logs=_log_line(logs))

    def on_epoch_end(self, epoch, logs=None):
        """Print the line of the epoch."""
        seconds = time.monotonic() - self.start
        self.console.print(
            f"epoch {epoch + 1:>{len(str(self.n_epochs))}}/{self.n_epochs}  "
            f"{_log_line(logs)}  {seconds:.1f} s"
        )

    def on_train_end(self, logs=None):
        """Take the bar away."""
        self.progress.stop()


def _log_line(logs):
    names = {"learning_rate": "lr"}
    return "  ".join(
        f"{names.get(key, key)} {float(value):.{1 if key in names else 4}{kind}}"
        for key, value in (logs or {}).items()
        for kind in ("e" if key in names else "f")
    )


def training_callbacks(
    *, lr_schedule, learning_rate, early_stopping, patience, validates, epochs, batches
):
    """Make the callbacks that the parameters of the classifier ask for.

    Parameters
    ----------
    lr_schedule, learning_rate, early_stopping, patience : object
        As in :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier`.
    validates : bool
        Whether there are beats to validate on.
    epochs, batches : int
        Length of the training.

    Returns
    -------
    list of keras.callbacks.Callback
        In the order in which they must run.
    """
    callbacks = [LearningRate(learning_rate)]
    if lr_schedule == "one_cycle":
        callbacks.append(OneCycle(learning_rate, epochs * batches))
    elif lr_schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss" if validates else "loss",
                factor=0.3,
                patience=max(1, patience // 2),
                min_lr=learning_rate * 1e-3,
            )
        )
    if early_stopping:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=patience, restore_best_weights=True
            )
        )
    return callbacks
