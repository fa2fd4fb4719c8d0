"""Models that the commands read and write: two forms, told apart by their content.

``train`` writes the form of :mod:`ecg_sklearn.persistence`. Pickles, of joblib or by
hand, are read as well, after a warning.
"""

import os
import sys
import warnings
from pathlib import Path

import joblib

from ecg_sklearn.cli._protocols import KAGGLE_CUT
from ecg_sklearn.persistence import load, save
from ecg_sklearn.utils._files import without_start_up_noise

__all__ = ["MODEL_NAME", "check_place", "cut_of_model", "read_model", "write_model"]

MODEL_NAME = "model.ecgsk"
# A zip of any kind, and how a pickle starts: bare, or packed as joblib packs it.
_ZIP = b"PK\x03\x04"
_PICKLES = (
    b"\x80",
    b"ZF",
    b"\x78\x01",  # zlib, at its levels
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b",  # gzip
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\x00",  # lzma
    b"\x04\x22\x4d\x18",  # lz4
)


def read_model(path):
    """Read a classifier from a model file of either form.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    estimator
        The classifier, with ``predict_proba``.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it holds no classifier.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Name the model file in it.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    with path.open("rb") as file:
        start = file.read(8)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if start.startswith(_ZIP):
            with without_start_up_noise():
                model = load(path)
        elif start.startswith(_PICKLES):
            model = _read_pickle(path)
        else:
            raise ValueError(f"{path} is not a model that ecg-sklearn train saved.")
    for warning in caught:  # of versions, and not of what packages will change
        if issubclass(warning.category, UserWarning):
            _warn(str(warning.message))
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a classifier.")
    return model


def write_model(pipe, path):
    """Write a pipeline in the form that runs no code.

    Parameters
    ----------
    pipe : Pipeline
        The pipeline.
    path : Path
        The file, which is not there yet.
    """
    save(pipe, path)


def cut_of_model(pipe):
    """Say how the training beats were cut; Kaggle rows for models from elsewhere.

    Parameters
    ----------
    pipe : Pipeline
        The model.

    Returns
    -------
    dict
        Arguments of :func:`~ecg_sklearn.datasets.load_wfdb_beats`.
    """
    return getattr(pipe, "cut_", KAGGLE_CUT)


def check_place(path):
    """Refuse an output that could not be written, before any work is done for it.

    Parameters
    ----------
    path : Path
        A file or folder to be.

    Raises
    ------
    OSError
        If it would lie below a file, or in a folder that may not be written to.
    """
    parent = Path(os.path.abspath(path)).parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {parent} is no folder.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: {parent} is read-only.")


def _read_pickle(path):
    _warn(
        f"{path} is a pickle, and opening one runs any code that is in it. Open only "
        "those of people whom you trust; ecg_sklearn.save writes files without code."
    )
    try:
        with without_start_up_noise():
            return joblib.load(path)
    # Unpickling raises whatever the bytes make it do.
    except Exception as error:
        raise ValueError(
            f"{path} is not a model that ecg-sklearn train saved "
            f"({type(error).__name__}: {error})."
        ) from error


def _warn(message):
    print(f"ecg-sklearn: warning: {' '.join(message.split())}", file=sys.stderr)
    sys.stderr.flush()
