"""The beats of annotated WFDB records: windows around them, or rows as Kaggle's."""

from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.datasets._base import (
    KAGGLE_DECIMATION,
    KAGGLE_SAMPLING_RATE,
    KAGGLE_SIGNAL_RATE,
    Columns,
    cut_kaggle_beats,
    kaggle_spans,
    make_bunch,
    rr_intervals,
)
from ecg_sklearn.datasets._records import read_record, record_names, valid_beats
from ecg_sklearn.features._groups import beat_features, check_groups

# A rate or a window beyond these is taken for a mistake: it would not fit into memory.
_FARTHEST_RATE = 100
_LONGEST_WINDOW = 3600.0


class Cut(NamedTuple):
    """How beats are cut: the parameters of :func:`load_wfdb_beats`, checked."""

    annotator: str
    channel: str | int | list | tuple
    form: str
    window: tuple[float, float]
    sampling_rate: float | None
    features: list

    def __str__(self):
        """Describe it in the words of ``DESCR``."""
        if self.form == "kaggle":
            return "rows of the Kaggle form"
        start, stop = self.window
        return f"windows from {start:g} to {stop:g} s around each annotation"


# Shared with iter_beats, which cuts the same beats.
CUT_CONSTRAINTS = {
    "annotator": [str],
    "channel": [str, Integral, tuple, list],
    "form": [StrOptions({"kaggle", "window"})],
    "window": [tuple, list],
    "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
    "features": [tuple, list, None],
}


@validate_params(
    {
        "directory": [str, Path],
        "records": ["array-like", None],
        "return_X_y": ["boolean"],
    }
    | CUT_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def load_wfdb_beats(
    directory,
    *,
    records=None,
    annotator="atr",
    channel="MLII",
    form="window",
    window=(-0.4, 0.6),
    sampling_rate=None,
    features=None,
    return_X_y=False,
):
    """Cut the annotated beats out of the records of a WFDB database.

    Parameters
    ----------
    directory : str or Path
        Folder that holds the records (``.hea``, ``.dat`` and annotation files).
    records : sequence of str, default=None
        Names of the records. None takes those of the folder's ``RECORDS`` file, or
        else all that have a header and an annotation file.
    annotator : str, default="atr"
        Suffix of the annotation files.
    channel : str, int or sequence of str, default="MLII"
        Name of the signal, or its position. Of several names, the first that a
        record has is used.
    form : {"window", "kaggle"}, default="window"
        "window" cuts a window around each beat, in the signal's physical unit.
        "kaggle" cuts rows as the Kaggle "heartbeat" files hold them: 187 samples at
        120 Hz from the beat to past the next one, min-max scaled, zero-padded.
    window : tuple of two floats, default=(-0.4, 0.6)
        For ``form="window"``: start and end in seconds around each annotation.
    sampling_rate : float, default=None
        For ``form="window"``: resample the signal to this rate, in Hz, before
        cutting. None keeps the rate of the records, which must then be the same for
        all of them.
    features : sequence of str, default=None
        Groups of features to append behind the samples, as columns by name: "rr" (RR
        intervals next to the beat), "morphology" (similarity to the dominant beat),
        "rhythm" (RR intervals against the last minutes);
        :data:`ecg_sklearn.features.FEATURE_GROUPS` lists them. None appends none.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, n_times) float32, or with ``features`` the same
        DataFrame as ``frame``: samples ``t000``, ``t001``, ..., then features by
        name; ``feature_names``, all names of columns; ``target`` of shape (n_beats,)
        int, AAMI classes 0 to 4; ``target_names``; ``groups``, the record of each
        beat; ``symbols``, its annotation; ``rr`` of shape (n_beats, 4), the previous
        and next RR interval, the mean of the last ten and the mean of the record, in
        seconds; ``time`` of the annotation in its record, in seconds; ``rhythms``,
        the rhythm that the annotations say begins last before the beat, such as "N"
        or "AFIB", and "" where they say none; ``sampling_rate`` in Hz; ``cut``, how
        the beats were cut: form, window, sampling rate, channel, unit and features,
        which ``frame.attrs["cut"]`` holds too; and ``DESCR``. Beats whose window does
        not fit into the record are left out, and so is the last annotation of each
        record in the Kaggle form.

    Raises
    ------
    FileNotFoundError
        If the folder, a header, a signal or an annotation file is missing.
    ValueError
        If a file is damaged, a record has no such channel, the rates of the
        records differ, the window is empty, or no beat is left.

    References
    ----------
    .. [1] The WFDB software package, https://physionet.org/content/wfdb/.
    """
    directory = Path(directory)
    window = check_window(window)
    features = check_groups(features)
    cut = Cut(annotator, channel, form, window, sampling_rate, features)
    names = record_names(directory, records, annotator)
    parts, rate = cut_records(directory, names, cut)
    beats = Columns.join(parts)
    if len(beats.data) == 0:
        raise no_beats(directory, cut)
    return bunch_of(beats, names, cut, rate, return_X_y=return_X_y)


def cut_records(directory, names, cut, *, rate=None):
    """Cut the beats of some records, which must agree in their sampling rate."""
    parts = []
    for name in names:
        beats, own_rate = cut_record(directory, name, cut)
        rate = rate or (name, own_rate)
        if own_rate != rate[1]:
            raise ValueError(
                f"Record {name} is sampled at {own_rate:g} Hz and record {rate[0]} at "
                f"{rate[1]:g} Hz. Set sampling_rate to bring them together."
            )
        parts.append(beats)
    return parts, rate


def cut_record(directory, name, cut):
    """Read one record and cut its beats."""
    where = directory, name, cut.annotator, cut.channel
    signal, notes = read_record(*where, digital=cut.form == "kaggle")
    if cut.form == "kaggle":
        return cut_rows(name, signal, notes, cut.features), KAGGLE_SAMPLING_RATE
    rate = float(cut.sampling_rate or signal.sampling_rate)
    return cut_windows(name, signal, notes, *cut.window, rate, cut.features), rate


def bunch_of(beats, names, cut, rate, *, return_X_y=False):
    """Pack the beats of some records."""
    return make_bunch(
        **beats._asdict(),
        sampling_rate=rate[1],
        form=cut.form,
        window=cut.window if cut.form == "window" else None,
        channel=cut.channel,
        features=cut.features,
        descr=(
            f"{len(beats.data)} beats of {len(names)} WFDB records, annotator "
            f"{cut.annotator!r}, cut as {cut}."
        ),
        return_X_y=return_X_y,
    )


def no_beats(directory, cut):
    """Make the error of a database none of whose beats could be cut."""
    return ValueError(
        f"No beat in {directory} could be cut: the annotator {cut.annotator!r} holds "
        "no beat annotations, or they lie too near to the ends of their records for "
        f"window={cut.window}."
    )


def cut_rows(name, signal, notes, features=()):
    """Cut the beats of one record as the Kaggle files hold them."""
    is_beat = notes.label >= 0
    time = notes.sample[is_beat] / signal.sampling_rate
    rr = rr_intervals(notes.sample[is_beat], signal.sampling_rate)
    sample = np.rint(notes.sample * (KAGGLE_SIGNAL_RATE / signal.sampling_rate))
    sample = sample.astype(int)
    samples = _resample(name, signal, KAGGLE_SIGNAL_RATE)
    start, stop = kaggle_spans(sample, len(samples))
    rows = np.flatnonzero(is_beat[:-1])  # the last one has no next beat to end at
    length = (stop - start)[rows]
    # Annotations of one moment leave one sample, or none.
    kept = np.flatnonzero(length > KAGGLE_DECIMATION)
    seconds = length[kept] / KAGGLE_SIGNAL_RATE
    kept = kept[valid_beats(name, signal, time[kept], 0, seconds)]
    data = cut_kaggle_beats(samples, sample, rows[kept])
    data = _with_features(data, signal, notes.sample[is_beat], kept, features)
    groups = np.full(len(data), name)
    _, symbols, labels, rhythms = (column[is_beat][kept] for column in notes)
    return Columns(data, labels, groups, symbols, rr[kept], time[kept], rhythms)


def cut_windows(name, signal, notes, start, stop, rate, features=()):
    """Cut a window around each beat of one record."""
    is_beat = notes.label >= 0
    sample, *marks = (column[is_beat] for column in notes)
    rr = rr_intervals(sample, signal.sampling_rate)
    time = sample / signal.sampling_rate
    samples = _resample(name, signal, rate)
    first, end = round(start * rate), round(stop * rate)
    if first == end:
        raise ValueError(
            f"window=({start:g}, {stop:g}) holds no sample at {rate:g} Hz. Make it "
            "wider."
        )
    centre = np.rint(time * rate).astype(np.intp)
    fits = (centre + first >= 0) & (centre + end <= len(samples))
    fits[fits] = valid_beats(name, signal, time[fits], first / rate, end / rate)
    data = np.empty((np.count_nonzero(fits), end - first), dtype=np.float32)
    if len(data):  # a window may be longer than the record
        np.take(samples, centre[fits, None] + np.arange(first, end), out=data)
    data = _with_features(data, signal, sample, fits, features)
    groups = np.full(len(data), name)
    symbols, labels, rhythms = (column[fits] for column in marks)
    return Columns(data, labels, groups, symbols, rr[fits], time[fits], rhythms)


def _with_features(data, signal, sample, kept, features):
    """Append features of the beats that were kept, known from all of them."""
    if not features:
        return data
    found = beat_features(features, signal.samples, sample, signal.sampling_rate)
    return np.hstack([data, found[kept]])


def _resample(name, signal, rate):
    """Bring a signal to another rate with a polyphase filter, as float32."""
    samples = signal.samples.astype(np.float32, copy=False)
    if rate == signal.sampling_rate:
        return samples
    if not 1 / _FARTHEST_RATE <= rate / signal.sampling_rate <= _FARTHEST_RATE:
        raise ValueError(
            f"Record {name} is sampled at {signal.sampling_rate:g} Hz and cannot be "
            f"brought to {rate:g} Hz: at most {_FARTHEST_RATE} times as much or as "
            "little. Set another sampling_rate, or correct the rate in its header."
        )
    ratio = Fraction(rate / signal.sampling_rate).limit_denominator(10_000)
    return scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator)


def check_window(window):
    """Check that a window is two finite numbers of seconds in ascending order."""
    try:
        start, stop = map(float, window)
    except (TypeError, ValueError):
        start = stop = np.nan
    if not -_LONGEST_WINDOW <= start < stop <= _LONGEST_WINDOW:
        raise ValueError(
            f"window={window!r} is no interval. Give its start and end in seconds "
            "around the annotation, such as (-0.4, 0.6), an hour at most."
        )
    return start, stop
