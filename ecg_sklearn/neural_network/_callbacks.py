"""Training callbacks: schedules, progress, checkpoints."""

import contextlib
import io
import json
import os
import time
from pathlib import Path

import keras
import numpy as np

from ecg_sklearn.neural_network._network import (
    assign_variables,
    value_of,
    variables_of,
)


class OneCycle(keras.callbacks.Callback):
    """One-cycle schedule: the learning rate rises, then falls to almost zero."""

    def __init__(self, peak, total_steps, warmup=0.25):
        super().__init__()
        steps = np.arange(total_steps)
        rising = max(1, round(warmup * total_steps))
        falling = max(1, total_steps - rising)
        up = _cosine(peak / 25, peak, np.minimum(steps / rising, 1))
        down = _cosine(peak, peak * 1e-4, np.maximum(steps - rising, 0) / falling)
        self.rates = np.where(steps < rising, up, down)

    def on_epoch_begin(self, epoch, logs=None):
        """Read the number of steps once, because an accelerator would wait for it."""
        self.n_steps = int(self.model.optimizer.iterations)

    def on_train_batch_begin(self, batch, logs=None):
        """Set the learning rate of this step."""
        self.model.optimizer.learning_rate = self.rates[self.n_steps + batch]


def _cosine(start, stop, progress):
    return stop + (start - stop) * (1 + np.cos(np.pi * progress)) / 2


class LearningRate(keras.callbacks.Callback):
    """Set the learning rate at the start; add it to the history."""

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
    """Seed PyTorch's dropout in each epoch, because it ignores the layers' seeds."""

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
    """Print one line for each epoch, and a progress bar."""

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
        """Start the progress bar."""
        self.task = self.progress.add_task(
            "", total=self.n_epochs * self.n_batches, epoch="", logs=""
        )
        if not self.progress.disable:
            self.progress.start()

    def on_epoch_begin(self, epoch, logs=None):
        """Show the number of the epoch."""
        self.start = time.monotonic()
        self.progress.update(
            self.task,
            epoch=f"{epoch + 1}/{self.n_epochs}",
            completed=epoch * self.n_batches,
        )

    def on_train_batch_end(self, batch, logs=None):
        """Advance the progress bar."""
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
        """Remove the progress bar."""
        if not self.progress.disable:  # older versions of rich would show it
            self.progress.stop()


def _log_line(logs):
    names = {"learning_rate": "lr"}
    return "  ".join(
        f"{names.get(key, key)} {float(value):.{1 if key in names else 4}{kind}}"
        for key, value in (logs or {}).items()
        for kind in ("e" if key in names else "f")
    )


class Backup(keras.callbacks.Callback):
    """Save the state of a training after each epoch; restore it at the start.

    ``keras.callbacks.BackupAndRestore`` is not used: its HDF5 files crash the process
    when the disk is full, it writes weights and epoch in two files, and it leaves out
    the history, the best weights and the state of Dropout. Here one file holds all, and
    it is replaced atomically.
    """

    def __init__(self, folder, digest, callbacks):
        super().__init__()
        self.path = Path(folder) / "state.npz"
        self.digest = digest
        self.restored = callbacks
        self.history: dict[str, list[float]] = {}
        self.stopped = False
        self.arrays: dict[str, np.ndarray] = {}
        if Path(folder).is_file():
            raise ValueError(f"checkpoint={os.fspath(folder)!r} is no folder.")
        if self.path.exists():
            self._read()

    @property
    def n_epochs(self):
        """Number of completed epochs."""
        return len(self.history.get("loss", []))

    def on_train_begin(self, logs=None):
        """Restore callbacks, network and optimizer."""
        if not self.arrays:
            return
        for epoch in range(self.n_epochs):
            values = {name: series[epoch] for name, series in self.history.items()}
            for callback in self.restored:
                callback.on_epoch_end(epoch, values.copy())
        assign_variables(self.model, self._several("network"))
        values = self._several("optimizer")
        for variable, value in zip(self.model.optimizer.variables, values, strict=True):
            variable.assign(value)
        for callback in self.restored:
            if hasattr(callback, "best_weights"):
                callback.best_weights = self._several("best") or None
        self.arrays = {}

    def on_epoch_end(self, epoch, logs=None):
        """Replace the saved state."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        content = {
            "training": self.digest,
            "history": self.history,
            "stopped": bool(self.model.stop_training),
        }
        best = [getattr(callback, "best_weights", None) for callback in self.restored]
        groups = {
            "network": [value_of(v) for v in variables_of(self.model)],
            "optimizer": [value_of(v) for v in self.model.optimizer.variables],
            "best": next((weights for weights in best if weights), []),
        }
        arrays = {
            f"{name}/{number}": array
            for name, group in groups.items()
            for number, array in enumerate(group)
        }
        # A fixed name: a killed process leaves at most one such file.
        unfinished = self.path.with_name("unfinished.npz")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            header = np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)
            with unfinished.open("wb") as file:
                np.savez(file, header=header, **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
                self.path.parent.rmdir()  # if there is no earlier state
            raise OSError(
                f"The state of the training after epoch {epoch + 1} could not be "
                f"written to {self.path} ({error}). The state before it stays, if "
                "there was one."
            ) from error

    def _several(self, group):
        names = (name for name in self.arrays if name.startswith(f"{group}/"))
        return [self.arrays[name] for name in names]

    def _read(self):
        """Read the state; refuse one that is damaged or of another training."""
        folder = os.fspath(self.path.parent)
        try:
            content = io.BytesIO(self.path.read_bytes())
            with np.load(content, allow_pickle=False) as file:
                self.arrays = dict(file)
            header = json.loads(bytes(self.arrays.pop("header")))
            owner = header["training"]
            self.history, self.stopped = header["history"], header["stopped"]
        # On damaged files zipfile, zlib, NumPy and JSON raise many kinds of exception.
        except Exception as error:
            raise ValueError(
                f"checkpoint={folder!r} holds no state of a training "
                f"({type(error).__name__}: {error}). Remove it, or name another folder."
            ) from error
        if owner != self.digest:
            raise ValueError(
                f"checkpoint={folder!r} holds the state of a training on other beats, "
                "with other parameters, or by another version of ecg_sklearn. Remove "
                "it to begin anew, or name another folder."
            )


def training_callbacks(
    *, lr_schedule, learning_rate, early_stopping, patience, validates, epochs, batches
):
    """Make the callbacks for the parameters of the classifier."""
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
