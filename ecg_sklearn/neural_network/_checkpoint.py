"""State of a training on disk, from which a killed one goes on.

One ``.npz`` file of plain arrays, replaced as a whole after each epoch, so that at any
moment there is the state of the last finished epoch or that of the one before.
"""

import io
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np

__all__ = ["TrainingState", "fingerprint", "read_state", "write_state"]


class TrainingState(NamedTuple):
    """What a training needs to go on as if nothing had happened.

    Parameters
    ----------
    epoch : int
        Finished epochs; that of the last one if the training stopped early.
    stopped : bool
        Whether the training is over before its last epoch.
    learning_rate : float
        At the end of the epoch.
    history : dict of str to list of float
        One value for each finished epoch.
    callbacks : dict of str to dict
        Counters of the callbacks by the name of their class.
    arrays : dict of str to list of ndarray
        "network", "optimizer" and, with early stopping, "best".
    """

    epoch: int
    stopped: bool
    learning_rate: float
    history: dict[str, list[float]]
    callbacks: dict[str, dict[str, Any]]
    arrays: dict[str, list[np.ndarray]]


def fingerprint(*parts):
    """Digest of what a training depends on.

    Parameters
    ----------
    *parts : object
        Arrays and plain data.

    Returns
    -------
    str
        The same for equal parts, and for no others.
    """
    return joblib.hash(parts, hash_name="sha1")


def write_state(path, state, digest):
    """Put a state in the place of the one before, as a whole.

    Parameters
    ----------
    path : str or Path
        The file. Its folder is made if it is not there.
    state : TrainingState
        The state.
    digest : str
        The fingerprint of the training.

    Raises
    ------
    OSError
        If it cannot be written. The state before stays.
    """
    path = Path(path)
    plain = state._asdict()
    arrays = {
        f"{name}/{number}": array
        for name, several in plain.pop("arrays").items()
        for number, array in enumerate(several)
    }
    header = json.dumps({"training": digest, **plain}).encode()
    # One name for all attempts: a process that is killed leaves one file at most.
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            np.savez(file, header=np.frombuffer(header, dtype=np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(
            f"The state of the training after epoch {state.epoch} could not be written "
            f"to {path} ({error}). The state before it stays, if there was one."
        ) from error


def read_state(path, digest):
    """Read the state of a training, if there is one.

    Parameters
    ----------
    path : str or Path
        The file.
    digest : str
        The fingerprint of the training that wants to go on.

    Returns
    -------
    TrainingState or None
        None if there is no such file.

    Raises
    ------
    ValueError
        If the file is damaged or belongs to another training.
    """
    path = Path(path)
    if not path.exists():
        return None
    content = io.BytesIO(path.read_bytes())
    try:
        with np.load(content, allow_pickle=False) as file:
            header = json.loads(bytes(file["header"]))
            arrays: dict[str, list[np.ndarray]] = {}
            for name in file.files:
                if name != "header":
                    arrays.setdefault(name.split("/")[0], []).append(file[name])
        owner = header.pop("training")
        state = TrainingState(arrays=arrays, **header)
    # Damaged bytes make zipfile, zlib, NumPy and JSON raise whatever they meet.
    except Exception as error:
        raise ValueError(
            f"checkpoint={os.fspath(path)!r} holds no state of a training "
            f"({type(error).__name__}: {error}). Remove the file, or name another."
        ) from error
    if owner != digest:
        raise ValueError(
            f"checkpoint={os.fspath(path)!r} holds the state of a training on other "
            "beats, with other parameters, or by another version of ecg_sklearn. "
            "Remove it to begin anew, or name another file."
        )
    return state
