"""The Kaggle "heartbeat" CSV files: 187 samples and a label a row, no header."""

import csv
import gzip
import io
import zipfile
import zlib
from numbers import Real
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets._base import KAGGLE_N_TIMES, make_bunch

_PACKED = (".bz2", ".gz", ".xz", ".zip")
# zipfile raises the last two for what is encrypted or packed in other ways.
_UNPACKING_ERRORS = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
)


@validate_params(
    {
        "path": [str, Path],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "labelled": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_heartbeat_csv(path, *, sampling_rate=120.0, labelled=True, return_X_y=False):
    """Load a file of the Kaggle "heartbeat" form.

    Each row holds 187 samples and a label from 0 to 4, without a header: the form
    of ``mitbih_train.csv``, ``mitbih_test.csv`` and the two ``ptbdb`` files [1]_.

    Parameters
    ----------
    path : str or Path
        A ``.csv`` file, or one compressed as ``.csv.gz`` or ``.zip``.
    sampling_rate : float, default=120.0
        Samples per second. The Kaggle page says 125; its rows are every third
        sample of 360 Hz records, hence 120.
    labelled : bool, default=True
        Whether the last column holds labels. False reads rows of 187 samples alone.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, 187) float32, and the same as a DataFrame
        ``frame``; ``feature_names``; ``target`` of shape (n_beats,) int (None if not
        ``labelled``); ``target_names``; ``sampling_rate`` in Hz; ``cut``, how the
        beats were cut, as of :func:`fetch_mitbih`; and ``DESCR``. The file does not
        say which record a beat comes from, so ``groups``, ``symbols``, ``rr`` and
        ``time`` are None: :func:`fetch_mitbih` gives the same rows with them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, or a row has missing or extra columns, something that
        is not a finite number, or a label outside 0 to 4. The message names the
        file and the first such row, counted from 1.

    References
    ----------
    .. [1] M. Kachuee, S. Fazeli, M. Sarrafzadeh, "ECG heartbeat classification: a
       deep transferable representation", IEEE ICHI, 2018.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no file {path}. Download it from Kaggle (shayanfazeli/"
            "heartbeat), or use fetch_mitbih, which rebuilds the same rows."
        )
    try:
        rows = _read_rows(path, labelled)
    except _UNPACKING_ERRORS as error:
        if isinstance(error, OSError) and path.suffix not in _PACKED:
            raise
        # What zlib says is about its own codes.
        reason = "its content is damaged" if isinstance(error, zlib.error) else error
        raise ValueError(
            f"{path} could not be decompressed: {reason}. Fetch or pack it again."
        ) from error
    if rows.shape[1] != KAGGLE_N_TIMES + labelled or not np.isfinite(rows).all():
        raise _first_fault(path, labelled)
    target = None
    if labelled:
        rows, label = rows[:, :-1], rows[:, -1]
        if not np.isin(label, np.arange(len(CLASS_NAMES))).all():
            raise _first_fault(path, labelled)
        target = label.astype(np.intp)
    return make_bunch(
        np.ascontiguousarray(rows),
        target,
        sampling_rate=sampling_rate,
        descr=f"{len(rows)} beats in the Kaggle heartbeat form, from {path.name}.",
        return_X_y=return_X_y,
    )


def _read_rows(path, labelled):
    """Read all rows of a file, compressed or not."""
    try:
        return pd.read_csv(path, header=None, dtype=np.float32).to_numpy()
    except ValueError as error:  # those of pandas are ValueErrors too
        raise _first_fault(path, labelled, error) from error


def _first_fault(path, labelled, error=None):
    """Read the file again, line by line, for an error that names the first fault."""
    n_rows = 0
    try:
        with _open_text(path) as lines:
            for number, row in enumerate(csv.reader(lines), start=1):
                if not row:
                    continue
                n_rows += 1
                if fault := _fault_of_row(row, labelled):
                    return ValueError(f"{path}, row {number}: {fault}")
    except UnicodeDecodeError as undecodable:
        return ValueError(f"{path} is not a text file: {undecodable}")
    if n_rows == 0:
        return ValueError(
            f"{path} is empty. A row should hold {KAGGLE_N_TIMES} samples"
            f"{' and a label' if labelled else ''}."
        )
    return ValueError(f"{path} could not be read as CSV: {error}")


def _fault_of_row(row, labelled):
    """Say what is wrong with the cells of one row; None if nothing is."""
    if len(row) != KAGGLE_N_TIMES + labelled:
        return (
            f"it has {len(row)} columns, not {KAGGLE_N_TIMES + labelled} "
            f"({KAGGLE_N_TIMES} samples{' and a label' if labelled else ''})."
        )
    for column, cell in enumerate(row, start=1):
        try:
            value = float(cell)
        except ValueError:
            return (
                f"column {column} holds {cell!r}, which is not a number. "
                "The file should have no header and no empty cells."
            )
        if not np.isfinite(np.float32(value)):
            return f"column {column} holds {cell!r}; beats must be finite numbers."
    if labelled and value not in range(len(CLASS_NAMES)):
        return f"its label is {row[-1]!r}; labels are 0 to 4 for N, S, V, F, Q."
    return None


def _open_text(path):
    """Open a CSV file, compressed or not, as text."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", newline="")
    if path.suffix == ".zip":
        archive = zipfile.ZipFile(path)
        if not archive.namelist():
            raise ValueError(f"{path} is a zip archive that holds no file.")
        return io.TextIOWrapper(archive.open(archive.namelist()[0]), newline="")
    return path.open(newline="")
