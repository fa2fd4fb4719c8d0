"""Loader of the Kaggle "heartbeat" CSV files."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from numbers import Real
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets._base import Columns, describe_cut, make_bunch
from ecg_sklearn.datasets._cut import KAGGLE_N_TIMES

_TWO_CLASSES = ("normal", "abnormal")  # classes of the PTB files
_OPENERS = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
# zipfile raises the last two for encryption and unknown compression.
_UNPACKING_ERRORS = (
    OSError,
    EOFError,
    lzma.LZMAError,
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
        "target_names": ["array-like", None],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_heartbeat_csv(
    path,
    *,
    sampling_rate=120.0,
    labelled=True,
    target_names=None,
    return_X_y=False,
):
    """Load a file of the Kaggle "heartbeat" form.

    Each row holds 187 samples and a label, without a header: the form of
    ``mitbih_train.csv`` and ``mitbih_test.csv``, with the five AAMI classes, and of
    ``ptbdb_normal.csv`` and ``ptbdb_abnormal.csv``, with two [1]_.

    Parameters
    ----------
    path : str or Path
        A ``.csv`` file, or one compressed as ``.csv.gz``, ``.csv.bz2``, ``.csv.xz``
        or ``.zip`` with one CSV file in it.
    sampling_rate : float, default=120.0
        Samples per second. The rows are every third sample of 360 Hz records, hence
        120 Hz and not the 125 Hz of the Kaggle page.
    labelled : bool, default=True
        Whether the last column holds labels. False reads rows of 187 samples only.
    target_names : sequence of str, default=None
        Names of the labels 0, 1, ... None means "normal" and "abnormal" for a file
        called ``ptbdb...``, else N, S, V, F and Q.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, 187) float32, and the same as a DataFrame
        ``frame``; ``feature_names``; ``target`` of shape (n_beats,) int (None if not
        ``labelled``); ``target_names``; ``sampling_rate`` in Hz; ``cut``, how the
        beats were cut, as in :func:`fetch_mitbih`; and ``DESCR``. The files do not
        hold records, so ``groups``, ``symbols``, ``rr`` and ``time`` are None.
        :func:`fetch_mitbih` returns the same rows with these fields.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, or a row has missing or extra columns, a value that is
        not a finite number, a label without a name, or column numbers (a header). The
        message names the file and the first such row, counted from 1. Also if a zip
        archive does not hold exactly one CSV file.

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
    names = _target_names(path, target_names)
    classes = names if labelled else None
    try:
        rows = _read_rows(path, classes)
    except _UNPACKING_ERRORS as error:
        packed = (*_OPENERS, ".zip")
        if isinstance(error, OSError) and path.suffix.lower() not in packed:
            raise
        # Messages of zlib only hold its error codes.
        reason = "its content is damaged" if isinstance(error, zlib.error) else error
        raise ValueError(
            f"{path} could not be decompressed: {reason}. Fetch or pack it again."
        ) from error
    target = None
    if labelled:
        rows, target = rows[:, :-1], rows[:, -1].astype(np.intp)
    return make_bunch(
        Columns(np.ascontiguousarray(rows), target),
        describe_cut("kaggle", sampling_rate, unit="min-max"),
        f"{len(rows)} beats in the Kaggle heartbeat form, from {path.name}.",
        target_names=names,
        return_X_y=return_X_y,
    )


def _target_names(path, names):
    """Find the names of the classes of a file."""
    if names is None:
        is_ptb = path.name.lower().startswith("ptbdb")
        return list(_TWO_CLASSES if is_ptb else CLASS_NAMES)
    if isinstance(names, str) or len(names) < 1 or len(set(names)) < len(names):
        raise ValueError(
            f"target_names={names!r} are no names of classes. Give a different one for "
            "each label, such as ('normal', 'abnormal')."
        )
    return [str(name) for name in names]


def _read_rows(path, classes):
    """Read all rows of a file and check them. ``classes`` is None without labels."""
    try:
        with _open(path) as file:
            rows = pd.read_csv(file, header=None, dtype=np.float32).to_numpy()
    except ValueError as error:  # pandas errors are ValueErrors
        raise _first_fault(path, classes, error) from error
    width = KAGGLE_N_TIMES + (classes is not None)
    if rows.shape[1] != width or not np.isfinite(rows).all() or _is_header(rows[0]):
        raise _first_fault(path, classes)
    if classes is not None and not np.isin(rows[:, -1], np.arange(len(classes))).all():
        raise _first_fault(path, classes)
    return rows


def _first_fault(path, classes, error=None):
    """Read the file again line by line, and describe the first fault."""
    n_rows = 0
    try:
        with _open(path) as file:
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            for number, row in enumerate(csv.reader(lines), start=1):
                if not row:
                    continue
                n_rows += 1
                if fault := _fault_of_row(row, classes, is_first=n_rows == 1):
                    return ValueError(f"{path}, row {number}: {fault}")
    except UnicodeDecodeError as undecodable:
        return ValueError(f"{path} is not a text file: {undecodable}")
    if n_rows == 0:
        return ValueError(
            f"{path} is empty. A row should hold {KAGGLE_N_TIMES} samples"
            f"{'' if classes is None else ' and a label'}."
        )
    return ValueError(f"{path} could not be read as CSV: {error}")


def _fault_of_row(row, classes, is_first):
    """Describe the fault in one row; None if there is none."""
    labelled = classes is not None
    width = KAGGLE_N_TIMES + labelled
    index = ("", "Unnamed: 0", "0") if labelled else ("", "Unnamed: 0")
    with_index = len(row) == width + 1 and row[0] in index
    header = row if _is_header(row) else row[with_index:]
    if is_first and _is_header(header):
        return (
            f"it holds the numbers of the columns, {header[0]} to {row[-1]}, and no "
            "beat. Remove this header, or write the file with header=False, "
            "index=False."
        )
    if is_first and with_index:
        return (
            f"it has {len(row)} columns, not {width}: the first is {row[0]!r}, as of "
            "an index that pandas wrote. Write the file with header=False, index=False."
        )
    if len(row) != width:
        return (
            f"it has {len(row)} columns, not {width} "
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
    if labelled and value not in range(len(classes)):
        return (
            f"its label is {row[-1]!r}; labels are 0 to {len(classes) - 1} for "
            f"{', '.join(classes)}. Set target_names for other classes."
        )
    return None


def _is_header(row):
    """Whether the cells of a row are numbers that count up, such as 0, 1, 2, ..."""
    try:
        return len(row) > 2 and (np.diff(np.asarray(row, float)) == 1).all()
    except ValueError:
        return False


def _open(path):
    """Open a CSV file, compressed or not, in binary mode."""
    if opener := _OPENERS.get(path.suffix.lower()):
        return opener(path)
    if path.suffix.lower() != ".zip":
        return path.open("rb")
    archive = zipfile.ZipFile(path)
    files = [
        name
        for name in archive.namelist()
        if not name.endswith("/")
        and not name.startswith("__MACOSX/")
        and not PurePosixPath(name).name.startswith(".")
    ]
    tables = [name for name in files if name.lower().endswith(".csv")] or files
    if len(tables) != 1:
        held = f"{len(tables)} files: {', '.join(tables[:5])}" if tables else "no file"
        raise ValueError(
            f"{path} is a zip archive that holds {held}. Unpack it and give one CSV "
            "file, or an archive of one."
        )
    return archive.open(tables[0])
