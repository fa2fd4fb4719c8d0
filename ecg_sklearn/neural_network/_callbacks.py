"""Callbacks of a training: schedules, progress, its state on disk."""

import contextlib
import io
import json
import os
import shutil
import time
from pathlib import Path

import keras
import numpy as np

from ecg_sklearn.neural_network._network import value_of

__all__ = [
    "Backup",
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

    def on_train_batch_begin(self, batch, logs=None):
        """Set the learning rate of this step."""
        optimizer = self.model.optimizer
        optimizer.learning_rate = self.rates[int(optimizer.iterations)]


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
        self.progress.update(
            self.task,
            epoch=f"{epoch + 1}/{self.n_epochs}",
            completed=epoch * self.n_batches,
        )

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


class Backup(keras.callbacks.BackupAndRestore):
    """Back up a training after each epoch; restore it at the start.

    Keras writes weights, optimizer and epoch into two files, one after the other, and
    a process killed in between would go on with the weights of one epoch and the
    number of another. So they are written into a new folder, together with what Keras
    leaves out: the history, the best weights, the state of Dropout. The folder gets
    the name of its epoch when it is complete, and those before it are removed.

    Parameters
    ----------
    folder : str or Path
        Where to write. The newest backup in it is where the training goes on.
    digest : str
        The fingerprint of the training.
    callbacks : list of keras.callbacks.Callback
        Those in front of this one. They are restored by the history.

    Attributes
    ----------
    history : dict of str to list of float
        Of all epochs, those of the backup with them.

    Raises
    ------
    ValueError
        If the folder holds no backup, a damaged one, or that of another training.
    """

    def __init__(self, folder, digest, callbacks):
        self.folder = Path(folder)
        super().__init__(os.fspath(self.folder / "new"), delete_checkpoint=False)
        self.digest = digest
        self.restored = callbacks
        self.history: dict[str, list[float]] = {}
        self.last = max(self._complete(), default=None)
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"checkpoint={os.fspath(folder)!r} is no folder.")
        if self.last is not None:
            with self._saying_what_is_damaged():
                content = json.loads((self.last / "training.json").read_text())
                owner, self.history = content["training"], content["history"]
            if owner != digest:
                raise ValueError(
                    f"checkpoint={os.fspath(folder)!r} holds the state of a training "
                    "on other beats, with other parameters, or by another version of "
                    "ecg_sklearn. Remove it to begin anew, or name another folder."
                )

    def on_train_begin(self, logs=None):
        """Restore network, optimizer, epoch and callbacks."""
        shutil.rmtree(self.backup_dir, ignore_errors=True)
        if self.last is None:
            return
        for epoch in range(len(self.history["loss"])):
            values = {name: series[epoch] for name, series in self.history.items()}
            for callback in self.restored:
                callback.on_epoch_end(epoch, dict(values))
        with self._saying_what_is_damaged():
            shutil.copytree(self.last, self.backup_dir)
            super().on_train_begin(logs)
            shutil.rmtree(self.backup_dir)
            content = io.BytesIO((self.last / "arrays.npz").read_bytes())
            with np.load(content, allow_pickle=False) as arrays:
                for number, variable in enumerate(self._seed_states()):
                    variable.assign(arrays[f"seed{number}"])
                best = [arrays[name] for name in arrays if name.startswith("best")]
            for callback in self._with_best_weights():
                callback.best_weights = best or None

    def on_epoch_end(self, epoch, logs=None):
        """Write the backup of an epoch."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        new, complete = Path(self.backup_dir), self.folder / f"epoch-{epoch + 1:06}"
        # One that has stopped early is backed up as complete.
        stopped = self.model.stop_training
        try:
            super().on_epoch_end(self.params["epochs"] - 1 if stopped else epoch, logs)
            np.savez(new / "arrays.npz", **self._arrays())
            content = {"training": self.digest, "history": self.history}
            (new / "training.json").write_text(json.dumps(content))
            new.rename(complete)
        except (OSError, RuntimeError) as error:  # h5py raises either
            shutil.rmtree(new, ignore_errors=True)
            with contextlib.suppress(OSError):
                self.folder.rmdir()  # if there is no backup before it
            raise OSError(
                f"The state of the training after epoch {epoch + 1} could not be "
                f"written to {self.folder} ({error}). The state before it stays, if "
                "there was one."
            ) from error
        for other in self._complete():
            if other != complete:
                shutil.rmtree(other)

    def _complete(self):
        return self.folder.glob("epoch-*")

    def _seed_states(self):
        """Variables that are no weights: what Dropout drops next."""
        return [
            variable
            for layer in self.model.layers
            for variable in layer.variables
            if not any(variable is weight for weight in layer.weights)
        ]

    def _with_best_weights(self):
        return [c for c in self.restored if hasattr(c, "best_weights")]

    def _arrays(self):
        arrays = {f"seed{i}": value_of(v) for i, v in enumerate(self._seed_states())}
        for callback in self._with_best_weights():
            best = enumerate(callback.best_weights or [])
            arrays |= {f"best{number:04}": weights for number, weights in best}
        return arrays

    @contextlib.contextmanager
    def _saying_what_is_damaged(self):
        # Damaged bytes make h5py, zipfile, NumPy and JSON raise whatever they meet.
        try:
            yield
        except Exception as error:
            raise ValueError(
                f"checkpoint={os.fspath(self.folder)!r} holds no state of a training "
                f"({type(error).__name__}: {error}). Remove the folder, or name "
                "another."
            ) from error


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
