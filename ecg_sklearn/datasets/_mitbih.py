"""Loader of the MIT-BIH Arrhythmia Database."""

from importlib import resources
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import StrOptions, validate_params

from ecg_sklearn.aami import DS1, DS2, MITBIH_RECORDS, PACED_RECORDS
from ecg_sklearn.datasets._base import CUT_CONSTRAINTS, Columns, make_bunch
from ecg_sklearn.datasets._cut import cut_record, make_cut, refuse_for_rows
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.datasets._records import read_record

_CHANNEL = ("MLII", "V5")

_CITATION = """\
MIT-BIH Arrhythmia Database 1.0.0, PhysioNet, Open Data Commons Attribution
License 1.0. Cite:
G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia Database", IEEE
Engineering in Medicine and Biology 20(3):45-50, 2001.
A. L. Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", Circulation
101(23):e215-e220, 2000."""


@validate_params(
    CUT_CONSTRAINTS
    | {
        "data_home": [str, Path, None],
        "subset": [StrOptions({"all", "train", "test", "ds1", "ds2"})],
        "include_paced": ["boolean"],
        "channel": [str, tuple, list, None],
        "download_if_missing": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def fetch_mitbih(
    *,
    data_home=None,
    form="kaggle",
    subset="all",
    include_paced=False,
    channel=None,
    window=None,
    sampling_rate=None,
    features=None,
    align=None,
    download_if_missing=True,
    return_X_y=False,
):
    """Load the beats of the MIT-BIH Arrhythmia Database, downloading it if needed.

    Parameters
    ----------
    data_home : str or Path, default=None
        Folder of the 48 WFDB records, or its parent if the folder is called
        ``mitdb``. None means ``$ECG_SKLEARN_DATA``, or else ``~/ecg_sklearn_data``.
    form : {"kaggle", "window"}, default="kaggle"
        "kaggle" gives the rows of the Kaggle "heartbeat" files, float32 for
        float32: 187 samples at 120 Hz from the beat to past the next one, min-max
        scaled, zero-padded. "window" cuts windows around each beat, in mV.
    subset : {"all", "train", "test", "ds1", "ds2"}, default="all"
        "train" and "test" are the two Kaggle files, "test" in the order of its
        rows. All 48 records are in both. "ds1" and "ds2" are the training and
        test patients of de Chazal's inter-patient protocol [2]_.
    include_paced : bool, default=False
        Add the paced records to "ds1" (102, 107) and "ds2" (104, 217), which the
        protocol leaves out. The other subsets always include them.
    channel : str or sequence of str, default=None
        For ``form="window"``: name of the signal. Of several names, the first that a
        record has is used. None means ``("MLII", "V5")``, as records 102 and 104 have
        no MLII. Kaggle rows are always channel 0.
    window : tuple of two floats, default=None
        For ``form="window"``: seconds around each annotation. None means
        ``(-0.4, 0.6)``.
    sampling_rate : float, default=None
        For ``form="window"``: resample to this rate, in Hz. None keeps 360 Hz.
    features : sequence of str, default=None
        Groups of features to append after the samples, as named columns: "rr" (RR
        intervals next to the beat), "morphology" (similarity to the dominant beat),
        "rhythm" (RR intervals compared with the last minutes).
        :data:`ecg_sklearn.features.FEATURE_GROUPS` lists them. None appends none.
    align : {"peak"}, default=None
        For ``form="window"``: "peak" moves each annotation to the R peak next to it,
        with :func:`ecg_sklearn.detection.align_beats`, before beats are cut and
        features computed. The annotations of some databases lie before the peak.
        None cuts at the annotation. ``time`` is that of the annotation.
    download_if_missing : bool, default=True
        Download missing files from PhysioNet, about 92 MB in all. Each file is
        written under a temporary name, checked against its SHA-256 sum, then
        renamed. An interrupted download can be continued.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch. With ``features``, ``data`` is
        the DataFrame.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, n_times) float32, or with ``features`` the same
        DataFrame as ``frame``: samples ``t000``, ``t001``, ..., then features by
        name; ``feature_names``, all names of columns; ``target`` of shape (n_beats,)
        int, AAMI classes 0 to 4; ``target_names``; ``groups``, the record of each
        beat; ``symbols``, its annotation; ``rr`` of shape (n_beats, 4), the
        previous and next RR interval, the mean of the last ten and the mean of the
        record, in seconds; ``time`` of the beat in its record, in seconds;
        ``rhythms``, its rhythm annotation: "N", "AFIB" for atrial
        fibrillation, ... [1]_; ``sampling_rate`` in Hz; ``cut``, how the
        beats were cut: form, window, sampling rate, channel, unit ("min-max" for the
        Kaggle form, else "mV"), features and alignment, also in ``frame.attrs["cut"]``;
        and ``DESCR``. Beats are sorted by record and time; those of
        ``subset="test"`` are in the order of ``mitbih_test.csv``.

    Raises
    ------
    OSError
        If files are missing and are not downloaded, or ``data_home`` is a folder of
        other files. Nothing is downloaded into such a folder.
    ValueError
        If a file differs from the published one, or ``channel``, ``window``,
        ``sampling_rate`` or ``align`` is given for the Kaggle form.

    Notes
    -----
    The Kaggle files hold neither the record nor the annotation of a beat. This function
    recovers them: it cuts the records in the same way, and the package includes a table
    of the beats of the test file. Class Q is mostly the paced beats of records 102,
    104, 107 and 217. Every record has beats in both files, so a score on "test" is
    partly memory of patients. "ds1" against "ds2" has no shared records.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark, "The impact of the MIT-BIH Arrhythmia
       Database", IEEE Engineering in Medicine and Biology 20(3), 2001.
    .. [2] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.
    """
    if form == "kaggle":
        refuse_for_rows(channel=channel)
        channel = 0
    channel = _CHANNEL if channel is None else channel
    cut = make_cut(channel, form, window, sampling_rate, features, align)
    directory = MITDB.provide(data_home, download=download_if_missing)
    beats, test_row, rate = _read_beats(directory, cut)
    chosen = _select(beats.groups, test_row, subset, include_paced)
    return make_bunch(
        beats if chosen is None else beats.take(chosen),
        cut.describe(rate, "mV"),
        f"MIT-BIH beats, subset {subset!r}, cut as {cut} at {rate:g} Hz.\n{_CITATION}",
        return_X_y=return_X_y,
    )


def _read_beats(directory, cut):
    """Cut the beats of all records; return them, their rows in the test file and rate.

    The row is -1 for beats of the training file, -2 for beats of neither file.
    """
    parts, times = [], {}
    for name in MITBIH_RECORDS:
        is_row = cut.form == "kaggle"
        signal, notes = read_record(directory, name, "atr", cut.channel, digital=is_row)
        parts.append(cut_record(name, signal, notes, cut))
        is_beat = notes.label[:-1] >= 0
        times[name] = notes.sample[:-1][is_beat] / signal.sampling_rate
    beats = Columns.join(parts)
    split = _official_split(sum(map(len, times.values())))
    test_row = np.full(len(beats.data), -2)
    start = 0
    for name, time in times.items():
        here = np.flatnonzero(beats.groups == name)
        place = np.searchsorted(time, beats.time[here])
        known = place < len(time)
        test_row[here[known]] = split[start + place[known]]
        start += len(time)
    return beats, test_row, cut.rate_of(signal)


def _official_split(n_rows):
    """Row in ``mitbih_test.csv`` of each row of the Kaggle form; -1 for train."""
    path = resources.files(__package__).joinpath("data/kaggle_split.npz")
    with path.open("rb") as file, np.load(file) as table:
        is_test = np.unpackbits(table["is_test"], count=n_rows).astype(bool)
        test_row = np.full(n_rows, -1)
        test_row[is_test] = table["test_row"]
    return test_row


def _select(groups, test_row, subset, include_paced):
    """Positions of the beats of a subset, in its order; None for all of them."""
    if subset == "all":
        return None
    if subset == "train":
        return np.flatnonzero(test_row == -1)
    if subset == "test":
        chosen = np.flatnonzero(test_row >= 0)
        return chosen[np.argsort(test_row[chosen])]
    records = DS1 if subset == "ds1" else DS2
    if include_paced:
        records += PACED_RECORDS[::2] if subset == "ds1" else PACED_RECORDS[1::2]
    return np.flatnonzero(np.isin(groups, records))
