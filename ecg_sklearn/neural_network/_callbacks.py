"""Callbacks of a training: schedules, progress, its state on disk."""

import time

import keras
import numpy as np

from ecg_sklearn.neural_network._checkpoint import TrainingState, write_state
from ecg_sklearn.neural_network._network import value_of, variables_of

__all__ = [
    "Checkpoint",
    "EpochReport",
    "LearningRate",
    "OneCycle",
    "SeedTorch",
    "seeding_callbacks",
    "training_callbacks",
]


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


class SeedTorch(keras.callbacks.Callback):
    """Seed PyTorch for each epoch: its dropout does not ask the layers for theirs.

    The seeds come from the layers nonetheless, and travel with the network.
    """

    def on_epoch_begin(self, epoch, logs=None):
        """Seed this epoch."""
        import torch

        seeds = [
            int(value_of(layer.seed_generator.state).sum())
            for layer in self.model.layers
            if hasattr(layer, "seed_generator")
        ]
        torch.manual_seed(sum(seeds) + epoch)


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
        if not self.progress.disable:
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
        if not self.progress.disable:  # which older versions of rich would show
            self.progress.stop()


def _log_line(logs):
    names = {"learning_rate": "lr"}
    return "  ".join(
        f"{names.get(key, key)} {float(value):.{1 if key in names else 4}{kind}}"
        for key, value in (logs or {}).items()
        for kind in ("e" if key in names else "f")
    )


class Checkpoint(keras.callbacks.Callback):
    """Write the state of the training after each epoch; restore it at the start.

    Runs behind all callbacks whose state it keeps: what they reset when a training
    begins is set again by this one.

    Parameters
    ----------
    path : str or Path
        The file to write.
    digest : str
        The fingerprint of the training.
    callbacks : list of keras.callbacks.Callback
        Whose counters to keep, where they are of the kinds that this package makes.
    state : TrainingState or None
        Where to go on from.
    """

    _COUNTERS = {
        "OneCycle": ("step",),
        "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
        "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
    }

    def __init__(self, path, digest, callbacks, state):
        super().__init__()
        self.path = path
        self.digest = digest
        self.kept = [c for c in callbacks if type(c).__name__ in self._COUNTERS]
        self.state = state
        self.history = {} if state is None else state.history

    def on_train_begin(self, logs=None):
        """Give the callbacks what they knew."""
        if self.state is None:
            return
        self.model.optimizer.learning_rate = self.state.learning_rate
        for callback in self.kept:
            for name, value in self.state.callbacks[type(callback).__name__].items():
                setattr(callback, name, value)
            if best := self.state.arrays.get("best"):
                if isinstance(callback, keras.callbacks.EarlyStopping):
                    callback.best_weights = best

    def on_epoch_end(self, epoch, logs=None):
        """Write the state."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        arrays = {
            "network": [value_of(v) for v in variables_of(self.model)],
            "optimizer": [value_of(v) for v in self.model.optimizer.variables],
        }
        for callback in self.kept:
            if best := getattr(callback, "best_weights", None):
                arrays["best"] = best
        state = TrainingState(
            epoch=epoch + 1,
            stopped=bool(self.model.stop_training),
            learning_rate=float(self.model.optimizer.learning_rate),
            history=self.history,
            callbacks={type(c).__name__: self._counters_of(c) for c in self.kept},
            arrays=arrays,
        )
        write_state(self.path, state, self.digest)

    def _counters_of(self, callback):
        values = {
            n: getattr(callback, n) for n in self._COUNTERS[type(callback).__name__]
        }
        return {n: v.item() if hasattr(v, "item") else v for n, v in values.items()}


def seeding_callbacks():
    """Make the callbacks without which the backend would not repeat a training.

    Returns
    -------
    list of keras.callbacks.Callback
        None but for PyTorch.
    """
    return [SeedTorch()] if keras.backend.backend() == "torch" else []


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
