"""Loaders of annotated WFDB records."""

import warnings
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.datasets._base import CUT_CONSTRAINTS, Columns, make_bunch
from ecg_sklearn.datasets._cut import cut_like, cut_record, make_cut
from ecg_sklearn.datasets._records import read_record, record_names

_CONSTRAINTS = CUT_CONSTRAINTS | {
    "directory": [str, Path, tuple, list],
    "records": ["array-like", None],
    "annotator": [str],
    "channel": [str, Integral, tuple, list, None],
    "like": "no_validation",  # checked by cut_like
    "batch_records": [Interval(Integral, 1, None, closed="left")],
    "on_error": [StrOptions({"raise", "skip"})],
}


def _constraints(*left_out):
    """Parameter constraints of a loader."""
    return {name: c for name, c in _CONSTRAINTS.items() if name not in left_out}


@validate_params(
    _constraints("batch_records", "on_error"), prefer_skip_nested_validation=True
)
def load_wfdb_beats(
    directory,
    *,
    records=None,
    annotator="atr",
    channel=None,
    form="window",
    window=None,
    sampling_rate=None,
    features=None,
    align=None,
    like=None,
    return_X_y=False,
):
    """Load the annotated beats of a WFDB database [1]_.

    Parameters
    ----------
    directory : str, Path or sequence of them
        Folder that holds the records (``.hea``, ``.dat`` and annotation files). The
        records of several folders are named with the folder: "svdb/800".
    records : sequence of str, default=None
        Names of the records, of several folders such as "svdb/800". None takes those
        of the folder's ``RECORDS`` file, or else all that have a header and an
        annotation file.
    annotator : str, default="atr"
        Suffix of the annotation files.
    channel : str, int or sequence of str, default=None
        Name of the signal, or its position. Of several names, the first that a
        record has is used. None takes the lead that
        :func:`ecg_sklearn.io.read_recording` prefers: II or MLII, then V5, ...
    form : {"window", "kaggle"}, default="window"
        "window" cuts a window around each beat, in mV, or in the signal's own unit if
        that is no voltage. "kaggle" cuts rows as in the Kaggle "heartbeat" files: 187
        samples at 120 Hz from the beat to past the next one, min-max scaled,
        zero-padded.
    window : tuple of two floats, default=None
        For ``form="window"``: start and end in seconds around each annotation. None
        means ``(-0.4, 0.6)``.
    sampling_rate : float, default=None
        For ``form="window"``: resample the signal to this rate, in Hz, before
        cutting. None keeps the rate, which must then be the same for all records.
    features : sequence of str, default=None
        Groups of features to append after the samples, as in :func:`fetch_mitbih`.
    align : {"peak"}, default=None
        For ``form="window"``: move annotations to the R peak, as in
        :func:`fetch_mitbih`.
    like : estimator, exported graph or dict, default=None
        Cut the beats as a fitted model expects them, as in :func:`cut_beats`. It
        replaces ``form``, ``window``, ``sampling_rate``, ``features`` and ``align``,
        and ``channel`` unless that is given.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        The fields of :func:`fetch_mitbih`. ``rhythms`` is the last rhythm annotation
        before the beat, or "". ``cut["unit"]`` of windows is "mV" (V and µV are
        converted) or the unit of the header, such as "adu". Beats whose window does not
        fit into the record are left out. In the Kaggle form, the last annotation of
        each record is left out.

    Raises
    ------
    FileNotFoundError
        If the folder, a header, a signal or an annotation file is missing.
    ValueError
        If a file is damaged, a record has no such channel, the rates or units of the
        records differ, the window is empty, ``window`` or ``sampling_rate`` is given
        for the Kaggle form, or no beat is left.

    Warns
    -----
    UserWarning
        If beats touch invalid samples or lie outside of their signal: they are left
        out.

    References
    ----------
    .. [1] The WFDB software package, https://physionet.org/content/wfdb/.
    """
    if like is None:
        cut = make_cut(channel, form, window, sampling_rate, features, align)
    else:
        _refuse_beside_like(form, window, sampling_rate, features, align)
        cut, _ = cut_like(like, channel)
    places = find_records(directory, records, annotator)
    [beats] = _batches(places, annotator, cut, len(places), "raise")
    return (beats.data, beats.target) if return_X_y else beats


@validate_params(_constraints("return_X_y", "like"), prefer_skip_nested_validation=True)
def iter_beats(
    directory,
    *,
    batch_records=4,
    records=None,
    annotator="atr",
    channel=None,
    form="window",
    window=None,
    sampling_rate=None,
    features=None,
    align=None,
    on_error="raise",
):
    """Cut the beats of a WFDB database a few records at a time.

    The batches together hold the beats of :func:`load_wfdb_beats`. Only one batch is in
    memory at a time, unless the caller keeps them.

    Parameters
    ----------
    directory : str, Path or sequence of them
        Folder that holds the records (``.hea``, ``.dat`` and annotation files), or
        several.
    batch_records : int, default=4
        Records in a batch; the last batch may have fewer. Records without usable beats
        are skipped and not counted.
    records, annotator, channel, form, window, sampling_rate, features, align : object
        As in :func:`load_wfdb_beats`. Features are computed for each record, so they
        do not depend on the batches.
    on_error : {"raise", "skip"}, default="raise"
        What to do with a record that cannot be read or does not match the others:
        raise its error, or skip it with a RuntimeWarning that gives the reason.

    Returns
    -------
    generator of Bunch
        Each Bunch holds the beats of ``batch_records`` records, with the fields of
        :func:`fetch_mitbih`. A record is read, and its errors and warnings appear, when
        its batch is requested.

    Raises
    ------
    FileNotFoundError
        If the folder, or with ``on_error="raise"`` a file of a record, is missing.
    ValueError
        As in :func:`load_wfdb_beats`; with ``on_error="skip"``, if no record has beats.

    Warns
    -----
    UserWarning
        If beats touch invalid samples or lie outside of their signal: they are left
        out.
    RuntimeWarning
        If a record is skipped because of an error.
    """
    # Not a generator itself, so that arguments are checked at the call.
    cut = make_cut(channel, form, window, sampling_rate, features, align)
    places = find_records(directory, records, annotator)
    return _batches(places, annotator, cut, batch_records, on_error)


def _refuse_beside_like(form, *others):
    names = ("form", "window", "sampling_rate", "features", "align")
    defaults = ("window", *[None] * len(others))
    for name, value, default in zip(names, (form, *others), defaults, strict=True):
        if value != default:
            raise ValueError(
                f"{name}={value!r} was given beside like=, which says how beats are "
                "cut. Leave one of them out."
            )


class _Place(NamedTuple):
    """Folder and name of a record, and its name among the groups."""

    directory: Path
    name: str
    group: str


def find_records(directory, records, annotator):
    """Find the records of one folder, or of several."""
    if isinstance(directory, (str, Path)):
        directory = Path(directory)
        names = record_names(directory, records, annotator)
        return [_Place(directory, name, name) for name in names]
    folders = {Path(folder).resolve().name: Path(folder) for folder in directory}
    if len(folders) < max(1, len(directory)):
        raise ValueError(
            f"directory={[str(folder) for folder in directory]} must hold folders of "
            "different names, because their records are named with the folder."
        )
    wanted = dict.fromkeys(folders)
    if records is not None:
        wanted = {}
        for record in map(str, records):
            folder, _, name = record.partition("/")
            if folder not in folders or not name:
                raise ValueError(
                    f"records holds {record!r}. Of several folders, name a record "
                    f"with its folder, such as '{next(iter(folders))}/100'. The "
                    f"folders are {', '.join(folders)}."
                )
            wanted.setdefault(folder, []).append(name)
    return [
        _Place(folders[folder], name, f"{folder}/{name}")
        for folder, names in wanted.items()
        for name in record_names(folders[folder], names, annotator)
    ]


def _batches(places, annotator, cut, batch_records, on_error):
    """Generate the Bunches."""
    parts, scale = [], None
    reason, found = None, False

    def pack():
        """Make the Bunch of some records, and release them."""
        beats, n_records = Columns.join(parts), len(parts)
        parts.clear()
        descr = (
            f"{len(beats.data)} beats of {n_records} WFDB records, annotator "
            f"{annotator!r}, cut as {cut}."
        )
        return make_bunch(beats, cut.describe(*scale[1:]), descr)

    for place in places:
        try:
            beats, scale = _read_and_cut(place, annotator, cut, scale)
        except (OSError, ValueError) as error:
            if on_error == "raise":
                raise
            reason = error
            warnings.warn(
                f"Record {place.group} is passed over: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
            continue
        if len(beats.data):
            found = True
            parts.append(beats)
        del beats
        if len(parts) == batch_records:
            yield pack()
    if parts:
        yield pack()
    if not found:
        near = "" if cut.window is None else f" for window={cut.window}"
        folders = ", ".join(sorted({str(place.directory) for place in places}))
        raise ValueError(
            f"No beat in {folders} could be cut: the annotator {annotator!r} holds "
            f"no beat annotations, or they lie too near to the ends of their records"
            f"{near}, or hold invalid samples."
        ) from reason


def _read_and_cut(place, annotator, cut, scale):
    """Cut the beats of one record, which must have the rate and unit of the others.

    ``scale`` is the name, rate and unit of the first record, or None.
    """
    directory, name, group = place
    is_row = cut.form == "kaggle"
    signal, notes = read_record(directory, name, annotator, cut.channel, digital=is_row)
    rate, unit = cut.rate_of(signal), "min-max" if is_row else signal.unit
    first, first_rate, first_unit = scale = scale or (group, rate, unit)
    if rate != first_rate:
        raise ValueError(
            f"Record {group} is sampled at {rate:g} Hz and record {first} at "
            f"{first_rate:g} Hz. Set sampling_rate to bring them together."
        )
    if unit != first_unit:
        raise ValueError(
            f"The signal of record {group} is in {unit} and that of record {first} in "
            f"{first_unit}. Load them apart, or correct unit and gain in the header."
        )
    return cut_record(group, signal, notes, cut), scale
