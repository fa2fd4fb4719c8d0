"""Beats of a WFDB database a few records at a time, however large it is."""

import warnings
from numbers import Integral
from pathlib import Path

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.datasets._base import Columns
from ecg_sklearn.datasets._records import record_names
from ecg_sklearn.datasets._wfdb import (
    CUT_CONSTRAINTS,
    Cut,
    bunch_of,
    check_window,
    cut_records,
    no_beats,
)
from ecg_sklearn.features._groups import check_groups


@validate_params(
    {
        "directory": [str, Path],
        "batch_records": [Interval(Integral, 1, None, closed="left")],
        "records": ["array-like", None],
        "on_error": [StrOptions({"raise", "skip"})],
    }
    | CUT_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def iter_beats(
    directory,
    *,
    batch_records=4,
    records=None,
    annotator="atr",
    channel="MLII",
    form="window",
    window=(-0.4, 0.6),
    sampling_rate=None,
    features=None,
    on_error="raise",
):
    """Cut the beats of a WFDB database a few records at a time.

    The batches, one behind the other, are the beats of :func:`load_wfdb_beats`. Only
    one of them is in memory at a time, unless the caller keeps them.

    Parameters
    ----------
    directory : str or Path
        Folder that holds the records (``.hea``, ``.dat`` and annotation files).
    batch_records : int, default=4
        Records in a batch; the last batch may have fewer. Records without a beat that
        could be cut are passed over and do not count.
    records : sequence of str, default=None
        Names of the records. None takes those of the folder's ``RECORDS`` file, or
        else all that have a header and an annotation file.
    annotator : str, default="atr"
        Suffix of the annotation files.
    channel : str, int or sequence of str, default="MLII"
        Name of the signal, or its position. Of several names, the first that a
        record has is used.
    form : {"window", "kaggle"}, default="window"
        As in :func:`load_wfdb_beats`.
    window : tuple of two floats, default=(-0.4, 0.6)
        For ``form="window"``: start and end in seconds around each annotation.
    sampling_rate : float, default=None
        For ``form="window"``: resample the signal to this rate, in Hz, before
        cutting. None keeps the rate of the records, which must then be the same for
        all of them.
    features : sequence of str, default=None
        Groups of features to append, as in :func:`load_wfdb_beats`. They depend on
        the past of each record alone, so they are the same in any batch.
    on_error : {"raise", "skip"}, default="raise"
        What to do with a record that cannot be read or does not fit: raise its
        error, or pass it over with a RuntimeWarning that tells the reason.

    Returns
    -------
    generator of Bunch
        Each the beats of ``batch_records`` records, with the fields of
        :func:`load_wfdb_beats`. Errors and warnings of a record come when its turn
        has come.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_error="raise"`` a file of a record, is missing.
    ValueError
        If there is no beat in any record; with ``on_error="raise"`` also if a file is
        damaged, a record has no such channel, or the rates of the records differ.

    Warns
    -----
    RuntimeWarning
        If a record is passed over because of an error.
    """
    # No generator itself, so that its arguments are checked when it is called.
    directory = Path(directory)
    window = check_window(window)
    features = check_groups(features)
    cut = Cut(annotator, channel, form, window, sampling_rate, features)
    names = record_names(directory, records, annotator)
    return _batches(directory, names, cut, batch_records, on_error)


def _batches(directory, names, cut, batch_records, on_error):
    """Generate the Bunches."""
    parts = []
    rate = reason = None
    found = False
    for name in names:
        try:
            [beats], rate = cut_records(directory, [name], cut, rate=rate)
        except (OSError, ValueError) as error:
            if on_error == "raise":
                raise
            reason = error
            warnings.warn(
                f"Record {name} is passed over: {error}", RuntimeWarning, stacklevel=2
            )
            continue
        if len(beats.data):
            found = True
            parts.append((name, beats))
        del beats
        if len(parts) == batch_records:
            yield _take(parts, cut, rate)
    if parts:
        yield _take(parts, cut, rate)
    if not found:
        raise no_beats(directory, cut) from reason


def _take(parts, cut, rate):
    """Pack the beats of some records, and let go of the parts."""
    names, beats = zip(*parts, strict=True)
    parts.clear()
    beats = Columns.join(beats)
    return bunch_of(beats, names, cut, rate)
