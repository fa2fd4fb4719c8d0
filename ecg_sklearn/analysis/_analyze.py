"""The functions that analyse a recording: :func:`analyze`, :func:`analyze_beats`."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.analysis._analysis import RecordingAnalysis
from ecg_sklearn.analysis._beats import (
    aami_names,
    as_recording,
    beat_table,
    classify,
    is_within,
)
from ecg_sklearn.analysis._burden import burden_intervals
from ecg_sklearn.analysis._events import find_events
from ecg_sklearn.analysis._irregular import irregular_episodes
from ecg_sklearn.analysis._model import ANNOTATED, choose_model, describe_model
from ecg_sklearn.analysis._summary import summarize
from ecg_sklearn.detection import signal_quality
from ecg_sklearn.metrics._labels import label_names

_LONGEST_READ = 3.0  # s without annotated beat that someone may have read
_OPTIONS = {
    "recording": "no_validation",
    "lead": [str, Interval(Integral, 0, None, closed="left"), None],
    "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
    "unit": [str, Interval(Real, 0, None, closed="neither"), None],
}


@validate_params(
    {**_OPTIONS, "model": "no_validation"}, prefer_skip_nested_validation=True
)
def analyze(recording, model=None, *, lead=None, sampling_rate=None, unit=None):
    """Find and classify the beats of a recording, and count what a Holter reader does.

    Parameters
    ----------
    recording : Recording, or anything that read_recording takes
        A recording of :func:`~ecg_sklearn.io.read_recording`, a file, or samples.
    model : classifier or str, default=None
        A fitted classifier of the AAMI classes that knows how its beats were cut (see
        :func:`~ecg_sklearn.datasets.cut_beats`), or the name of a shipped model. None
        takes the default one.
    lead : str or int, default=None
        Lead to analyse. None takes the lead that
        :func:`~ecg_sklearn.io.read_recording` chooses, and of a Recording the first.
    sampling_rate : float, default=None
        Samples per second, for arrays and text without times.
    unit : {"V", "mV", "uV", "nV"} or float, default=None
        Unit of the values of a file or an array, if the file does not know it.

    Returns
    -------
    RecordingAnalysis
        Beats, events and numbers.

    Raises
    ------
    ValueError
        If the recording cannot be read, the lead is missing, or the model has other
        classes or does not know its cut.
    TypeError
        If ``model`` is neither a classifier nor a name.

    See Also
    --------
    analyze_beats : The same counts for beats that someone has annotated.

    Notes
    -----
    The user guide, "Analyse a recording", has every definition and its source. A model
    with an attribute ``record_counts_`` (true and predicted number of beats of each
    class of records that it was not fitted to, of shape (n_records, n_classes, 2))
    gives the burden an interval of 95 %.

    Examples
    --------
    >>> from ecg_sklearn import make_record_ensemble
    >>> from ecg_sklearn.analysis import analyze
    >>> from ecg_sklearn.datasets import make_heartbeats, make_recording
    >>> from ecg_sklearn.features import RECORD_GROUPS
    >>> beats = make_heartbeats(
    ...     400, form="window", features=list(RECORD_GROUPS), random_state=0
    ... )
    >>> X, y, groups = beats.frame, beats.target, beats.groups
    >>> model = make_record_ensemble(n_estimators=10, random_state=0)
    >>> model = model.fit(X, y, groups=groups)
    >>> ecg = make_recording(60, events=[(20.0, "VV")], random_state=0)
    >>> found = analyze(ecg.signal, model, sampling_rate=ecg.sampling_rate)
    >>> len(found.beats) == len(ecg.sample)
    True
    """
    model, card = choose_model(model)
    names = aami_names(model)
    found, letters, probability, sure = classify(
        recording, model, lead=lead, rate=sampling_rate, unit=unit
    )
    beats = beat_table(
        found.recording,
        found.position,
        letters,
        found.stretches,
        breaks=found.left_out,
        sure=sure,
    )
    if probability is not None:
        columns = probability.columns.get_indexer(letters)
        beats["probability"] = probability.to_numpy()[np.arange(len(beats)), columns]
        place = beats.columns.get_loc("sure")
        for letter in reversed([c for c in CLASS_NAMES if c in names]):
            beats.insert(place, f"p_{letter}", probability[letter])
    intervals = burden_intervals(model, names, letters)
    has_interval = hasattr(model, "record_counts_")
    facts = describe_model(model, card, names, has_interval=has_interval)
    notes = _left_out(len(found.left_out), "too near to an end or a gap to be cut")
    return _analysis(
        found.recording, beats, found.stretches, names, intervals, facts, notes
    )


@validate_params(
    {
        **_OPTIONS,
        "sample": ["array-like"],
        "classes": ["array-like"],
        "unreadable": [pd.DataFrame, None],
    },
    prefer_skip_nested_validation=True,
)
def analyze_beats(
    recording,
    sample,
    classes,
    *,
    unreadable=None,
    lead=None,
    sampling_rate=None,
    unit=None,
):
    """Count what a Holter reader does in beats that someone has annotated.

    Parameters
    ----------
    recording : Recording, or anything that read_recording takes
        A recording of :func:`~ecg_sklearn.io.read_recording`, a file, or samples.
    sample : array-like of shape (n_beats,)
        Ascending positions of all beats in samples of the recording.
    classes : array-like of shape (n_beats,)
        AAMI class of each beat: 0 to 4, or N, S, V, F and Q. Symbols are converted by
        :func:`~ecg_sklearn.aami.symbol_classes`.
    unreadable : DataFrame, default=None
        "start", "end" in s and "reason" of the stretches that were not annotated; beats
        in them are left out. None takes the parts without annotated beats, of 3 s or
        more, of those that :func:`~ecg_sklearn.detection.signal_quality` finds: someone
        has read the other parts.
    lead : str or int, default=None
        Lead to show, as in :func:`analyze`.
    sampling_rate : float, default=None
        Samples per second, for arrays and text without times.
    unit : {"V", "mV", "uV", "nV"} or float, default=None
        Unit of the values of a file or an array, if the file does not know it.

    Returns
    -------
    RecordingAnalysis
        Beats, events and numbers. The classes are taken as exact: the interval of a
        burden is the burden.

    Raises
    ------
    ValueError
        If positions or classes cannot be meant.

    See Also
    --------
    analyze : Find and classify the beats first.

    Examples
    --------
    >>> from ecg_sklearn.analysis import analyze_beats
    >>> from ecg_sklearn.datasets import make_recording
    >>> ecg = make_recording(60, events=[(20.0, "VVV")], random_state=0)
    >>> found = analyze_beats(
    ...     ecg.signal, ecg.sample, ecg.target, sampling_rate=ecg.sampling_rate
    ... )
    >>> found.summary.loc[["veb_count", "veb_runs"], "value"].tolist()
    [3.0, 1.0]
    """
    recording = as_recording(recording, lead=lead, rate=sampling_rate, unit=unit)
    sample, letters = _check_beats(recording, sample, classes)
    time = sample / recording.sampling_rate
    stretches = _check_stretches(unreadable)
    if unreadable is None:
        stretches = _without_beats(signal_quality(recording), sample, recording)
    kept = ~is_within(time, stretches)
    beats = beat_table(recording, sample[kept], letters[kept], stretches)
    notes = _left_out(np.count_nonzero(~kept), "in unreadable stretches")
    kept = letters[kept]
    intervals = {
        letter: 2 * (100 * np.mean(kept == letter) if len(kept) else np.nan,)
        for letter in "VS"
    }
    return _analysis(
        recording, beats, stretches, CLASS_NAMES, intervals, dict(ANNOTATED), notes
    )


def _check_beats(recording, sample, classes):
    """Check annotated beats; return positions and letters."""
    sample, classes = np.asarray(sample), np.asarray(classes)
    if sample.ndim != 1 or sample.shape != classes.shape:
        raise ValueError(
            f"sample has shape {sample.shape} and classes {classes.shape}. Give one "
            "position and one class for each beat."
        )
    if sample.size == 0:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype="U1")
    if sample.dtype.kind not in "iuf" or not np.isfinite(sample).all():
        raise ValueError(
            f"sample has the type {sample.dtype}, or is not finite. Give the position "
            "of each beat in samples."
        )
    if sample.min() < 0 or sample.max() >= recording.n_times:
        raise ValueError(
            f"sample goes from {sample.min()} to {sample.max()}, and the recording has "
            f"n_times={recording.n_times}."
        )
    if (np.diff(sample) <= 0).any():
        raise ValueError("sample must ascend without two beats in one place: sort it.")
    letters = label_names(classes)
    if not set(letters) <= set(CLASS_NAMES):
        odd = sorted(set(letters) - set(CLASS_NAMES))
        raise ValueError(
            f"classes holds {', '.join(odd)}. Use 0 to 4, or N, S, V, F and Q; "
            "ecg_sklearn.aami.symbol_classes converts symbols."
        )
    return np.rint(sample).astype(np.intp), np.array(letters, dtype="U1")


def _check_stretches(unreadable):
    """Check a table of stretches; None is an empty one."""
    columns = ["start", "end", "reason"]
    if unreadable is None or len(unreadable) == 0:
        found = pd.DataFrame(columns=columns)
        return found.astype({"start": float, "end": float, "reason": object})
    if not set(columns) <= set(unreadable.columns):
        raise ValueError(
            f"unreadable has the columns {', '.join(map(str, unreadable.columns))}. It "
            "needs start, end (s) and reason."
        )
    edges = unreadable[["start", "end"]].to_numpy(dtype=float).ravel()
    if not (np.diff(edges) >= 0).all():
        raise ValueError(
            "The stretches of unreadable must be in ascending order and not overlap."
        )
    return unreadable[columns].reset_index(drop=True)


def _without_beats(stretches, sample, recording):
    """Cut the long parts without annotated beats out of unreadable stretches."""
    rate, parts = recording.sampling_rate, []
    for start, end, reason in stretches.itertuples(index=False):
        first, last = np.searchsorted(sample, [start * rate, end * rate])
        inside = sample[first:last]
        starts = np.append(start, (inside + 1) / rate)
        ends = np.append(inside / rate, end)
        parts += [
            (*part, reason)
            for part in zip(starts, ends, strict=True)
            if part[1] - part[0] >= _LONGEST_READ or len(inside) == 0
        ]
    return pd.DataFrame(parts, columns=stretches.columns).astype(stretches.dtypes)


def _left_out(count, why):
    """Say how many beats are counted nowhere."""
    if not count:
        return ()
    return (f"Counted nowhere: {count:,} {'beat' if count == 1 else 'beats'} {why}.",)


def _analysis(recording, beats, stretches, names, intervals, model, notes):
    """Count, and put the analysis together."""
    irregular = irregular_episodes(
        beats["class"].to_numpy(), beats["time"].to_numpy(), beats["rr"].to_numpy()
    )
    events, beats["event"] = find_events(beats, irregular)
    summary = summarize(beats, events, stretches, recording.duration, names, intervals)
    return RecordingAnalysis(recording, beats, events, summary, stretches, model, notes)
