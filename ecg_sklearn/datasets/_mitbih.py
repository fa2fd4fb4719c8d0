"""The MIT-BIH Arrhythmia Database: where it lies, how it is fetched, which beats."""

import hashlib
import logging
import os
import tempfile
import warnings
from functools import cache
from importlib import resources
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.aami import DS1, DS2, MITBIH_RECORDS, PACED_RECORDS
from ecg_sklearn.datasets._base import (
    KAGGLE_SAMPLING_RATE,
    KAGGLE_SIGNAL_RATE,
    make_bunch,
)
from ecg_sklearn.datasets._wfdb import (
    check_window,
    cut_rows,
    cut_windows,
    read_annotations,
    read_signal,
)

MITDB_URL = "https://physionet.org/files/mitdb/1.0.0/"
DATA_VARIABLE = "ECG_SKLEARN_DATA"
CACHE_VARIABLE = "ECG_SKLEARN_CACHE"
# Raise it when beats are cut otherwise than before, so that old ones are not reused.
_CUT_VERSION = 1

_CITATION = """\
MIT-BIH Arrhythmia Database 1.0.0, PhysioNet, Open Data Commons Attribution
License 1.0. Cite:
G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE
Engineering in Medicine and Biology 20(3):45-50, 2001.
A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
101(23):e215-e220, 2000."""


class Beats(NamedTuple):
    """The columns of a Bunch, and the place of each beat in the official split.

    ``test_row`` is the row number in ``mitbih_test.csv``; -1 for the beats of
    ``mitbih_train.csv``, -2 for beats that neither file holds.
    """

    data: np.ndarray
    target: np.ndarray
    groups: np.ndarray
    symbols: np.ndarray
    rr: np.ndarray
    time: np.ndarray
    test_row: np.ndarray


@validate_params(
    {
        "data_home": [str, Path, None],
        "form": [StrOptions({"kaggle", "window"})],
        "subset": [StrOptions({"all", "train", "test", "ds1", "ds2"})],
        "include_paced": ["boolean"],
        "channel": [str, tuple, list],
        "window": [tuple, list],
        "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_mitbih(
    *,
    data_home=None,
    form="kaggle",
    subset="all",
    include_paced=False,
    channel=("MLII", "V5"),
    window=(-0.4, 0.6),
    sampling_rate=None,
    download_if_missing=True,
    return_X_y=False,
):
    """Load the beats of the MIT-BIH Arrhythmia Database, downloading it if needed.

    Parameters
    ----------
    data_home : str or Path, default=None
        Folder that holds the 48 WFDB records, itself or in ``mitdb/``, or is to
        hold them. None means ``$ECG_SKLEARN_DATA``, or else ``~/ecg_sklearn_data``.
    form : {"kaggle", "window"}, default="kaggle"
        "kaggle" gives the rows of the Kaggle "heartbeat" files, float32 for
        float32: 187 samples at 120 Hz from the beat to past the next one, min-max
        scaled, zero-padded. "window" cuts windows around each beat, in mV.
    subset : {"all", "train", "test", "ds1", "ds2"}, default="all"
        "train" and "test" are the two Kaggle files, "test" in the order of its
        rows. All 48 patients are in both. "ds1" and "ds2" are the training and
        test patients of de Chazal's inter-patient protocol [3]_.
    include_paced : bool, default=False
        Add the paced records to "ds1" (102, 107) and "ds2" (104, 217), which the
        protocol leaves out. The other subsets always hold them.
    channel : str or sequence of str, default=("MLII", "V5")
        The signal for ``form="window"``; of several names, the first that a record
        has. Records 102 and 104 have no MLII. The Kaggle rows are always channel 0.
    window : tuple of two floats, default=(-0.4, 0.6)
        For ``form="window"``: seconds around each annotation.
    sampling_rate : float, default=None
        For ``form="window"``: resample to this rate, in Hz. None keeps 360 Hz.
    download_if_missing : bool, default=True
        Download missing files from PhysioNet, about 92 MB in all. Each file is
        written under a temporary name, checked against its SHA-256 sum, then
        renamed; after an interruption the files that are there are kept.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, n_times) float32; ``target`` of shape (n_beats,)
        int, AAMI classes 0 to 4; ``target_names``; ``groups``, the record of each
        beat; ``symbols``, its annotation; ``rr`` of shape (n_beats, 4), the
        previous and next RR interval, the mean of the last ten and the mean of the
        record, in seconds; ``time`` of the beat in its record, in seconds;
        ``sampling_rate`` in Hz and ``DESCR``. In order of records and of time, but
        for ``subset="test"``, which is in the order of ``mitbih_test.csv``.

    Raises
    ------
    OSError
        If files are missing and may not or cannot be downloaded.
    ValueError
        If a file differs from the published one.

    Notes
    -----
    The Kaggle files keep neither record nor annotation of a beat. They are
    recovered here from the recipe by which the rows were cut, and from a table of
    the beats that make up the test file, which this package carries. Class Q is
    mostly the paced beats of records 102, 104, 107 and 217, and every record gives
    beats to both files: a score on "test" measures memory of patients as well as
    skill. "ds1" against "ds2" does not.

    Cut beats are cached in ``$ECG_SKLEARN_CACHE``, or else in the user's cache
    folder.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia
       Database", IEEE Engineering in Medicine and Biology 20(3), 2001.
    .. [2] M. Kachuee, S. Fazeli, M. Sarrafzadeh, "ECG heartbeat classification: a
       deep transferable representation", IEEE ICHI, 2018.
    .. [3] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.
    """
    directory = find_mitbih(data_home)
    missing = missing_files(directory)
    if missing and not download_if_missing:
        raise OSError(
            f"{len(missing)} of {len(checksums())} files of the MIT-BIH database are "
            f"missing in {directory} ({', '.join(missing[:3])}, ...), and "
            f"download_if_missing=False. {_how_to_get(directory)}"
        )
    if missing:
        download_mitbih(directory)

    key = _fingerprint(directory)
    if form == "kaggle":
        beats = Beats(*_cached(_read_kaggle_beats, str(directory), key))
        rate, cut = KAGGLE_SAMPLING_RATE, "as rows of the Kaggle heartbeat files"
    else:
        channels = [channel] if isinstance(channel, str) else list(channel)
        rate = float(sampling_rate or KAGGLE_SIGNAL_RATE)
        edges = list(check_window(window))
        beats = Beats(
            *_cached(_read_window_beats, str(directory), key, channels, edges, rate)
        )
        cut = f"as windows from {edges[0]:g} to {edges[1]:g} s around each annotation"
    chosen = _select(beats, subset, include_paced)
    columns = {
        name: column if chosen is None else column[chosen]
        for name, column in beats._asdict().items()
        if name != "test_row"
    }
    return make_bunch(
        columns.pop("data"),
        columns.pop("target"),
        sampling_rate=rate,
        descr=(
            f"MIT-BIH beats, subset {subset!r}, cut {cut} at {rate:g} Hz.\n{_CITATION}"
        ),
        return_X_y=return_X_y,
        **columns,
    )


def find_mitbih(data_home=None):
    """Find the folder that holds the records, or that should.

    Parameters
    ----------
    data_home : str, Path or None
        As in :func:`fetch_mitbih`.

    Returns
    -------
    Path
        ``data_home`` if it holds a record or is called "mitdb", else its folder
        "mitdb".
    """
    if data_home is None:
        data_home = os.environ.get(DATA_VARIABLE) or Path.home() / "ecg_sklearn_data"
    home = Path(data_home).expanduser()
    if home.name == "mitdb" or any(home.glob("[12][0-9][0-9].hea")):
        return home
    return home / "mitdb"


@cache
def checksums():
    """Read the SHA-256 sum of each of the 144 files, by file name."""
    table = resources.files(__package__).joinpath("data/mitdb_sha256.txt").read_text()
    return {name: sha for sha, name in map(str.split, table.splitlines())}


def missing_files(directory):
    """List the files of the database that a folder lacks.

    Parameters
    ----------
    directory : Path
        The folder.

    Returns
    -------
    list of str
        File names.
    """
    return [name for name in sorted(checksums()) if not (directory / name).is_file()]


def damaged_files(directory):
    """List the files whose SHA-256 sum is not the published one.

    Parameters
    ----------
    directory : Path
        A folder that holds all files.

    Returns
    -------
    list of str
        File names.
    """
    damaged = []
    for name, expected in sorted(checksums().items()):
        with (directory / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                damaged.append(name)
    return damaged


def download_mitbih(directory):
    """Download the files that are missing or damaged, with a progress bar.

    Parameters
    ----------
    directory : Path
        Where to; made if it does not exist.

    Raises
    ------
    OSError
        If PhysioNet cannot be reached or the folder cannot be written. What was
        downloaded stays.
    """
    import pooch
    from rich.console import Console
    from rich.progress import track

    fetcher = pooch.create(
        path=directory, base_url=MITDB_URL, registry=checksums(), retry_if_failed=2
    )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        for name in track(
            sorted(checksums()),
            description=f"MIT-BIH -> {directory}",
            console=Console(stderr=True),
        ):
            fetcher.fetch(name)
    except (OSError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise OSError(
            f"The MIT-BIH database could not be downloaded to {directory}: "
            f"{reason[:300]}. {_how_to_get(directory)}"
        ) from error
    finally:
        logger.setLevel(level)


def _how_to_get(directory):
    return (
        f"Download the 48 records (.dat, .hea, .atr) from {MITDB_URL} to {directory}, "
        f"or set ${DATA_VARIABLE} to a folder that holds them."
    )


def _cached(function, *args):
    """Call a function through a cache on disk; without one where none can be made."""
    location = os.environ.get(CACHE_VARIABLE)
    if location is None:
        import pooch

        location = pooch.os_cache("ecg_sklearn")
    try:
        Path(location).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=location):
            pass
    except OSError as error:
        warnings.warn(
            f"Beats are not cached: {location} cannot be used ({error}). "
            f"Set ${CACHE_VARIABLE} to a writable folder.",
            RuntimeWarning,
            stacklevel=3,
        )
        return function(*args)
    return joblib.Memory(location, verbose=0).cache(function)(*args)


def _fingerprint(directory):
    """Digest of names, sizes and times of the files, so that a change is noticed."""
    stats = [(name, (directory / name).stat()) for name in sorted(checksums())]
    files = [(name, s.st_size, s.st_mtime_ns) for name, s in stats]
    return joblib.hash([_CUT_VERSION, files])


def _check_files(directory):
    if damaged := damaged_files(directory):
        raise ValueError(
            f"{', '.join(damaged[:3])}{', ...' if len(damaged) > 3 else ''} in "
            f"{directory} differ from the published files (SHA-256). Remove them and "
            "fetch them again."
        )


def _read_kaggle_beats(directory, fingerprint):
    """Cut the rows of both Kaggle files out of the records."""
    directory = Path(directory)
    _check_files(directory)
    parts = [
        cut_rows(
            name,
            read_signal(directory, name, 0, digital=True),
            read_annotations(directory, name, "atr"),
        )
        for name in MITBIH_RECORDS
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Beats(*columns, test_row=_official_split(len(columns[0])))


def _read_window_beats(directory, fingerprint, channels, window, rate):
    """Cut a window around every beat, and find it in the official split."""
    directory = Path(directory)
    _check_files(directory)
    parts, times = [], {}
    for name in MITBIH_RECORDS:
        signal = read_signal(directory, name, channels)
        notes = read_annotations(directory, name, "atr")
        parts.append(cut_windows(name, signal, notes, *window, rate))
        is_beat = notes.label[:-1] >= 0
        times[name] = notes.sample[:-1][is_beat] / signal.sampling_rate
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    split = _official_split(sum(map(len, times.values())))
    test_row = np.full(len(columns[0]), -2)
    start = 0
    for name, time in times.items():
        here = np.flatnonzero(columns[2] == name)
        place = np.searchsorted(time, columns[5][here])
        known = place < len(time)
        test_row[here[known]] = split[start + place[known]]
        start += len(time)
    return Beats(*columns, test_row=test_row)


def _official_split(n_rows):
    """Row in ``mitbih_test.csv`` of each row of the Kaggle form; -1 for train."""
    path = resources.files(__package__).joinpath("data/kaggle_split.npz")
    with path.open("rb") as file, np.load(file) as table:
        is_test = np.unpackbits(table["is_test"], count=n_rows).astype(bool)
        test_row = np.full(n_rows, -1)
        test_row[is_test] = table["test_row"]
    return test_row


def _select(beats, subset, include_paced):
    """Positions of the beats of a subset, in its order; None for all of them."""
    if subset == "all":
        return None
    if subset == "train":
        return np.flatnonzero(beats.test_row == -1)
    if subset == "test":
        chosen = np.flatnonzero(beats.test_row >= 0)
        return chosen[np.argsort(beats.test_row[chosen])]
    records = DS1 if subset == "ds1" else DS2
    if include_paced:
        records += PACED_RECORDS[::2] if subset == "ds1" else PACED_RECORDS[1::2]
    return np.flatnonzero(np.isin(beats.groups, records))
