"""Cuts beats from a signal, as windows or as Kaggle rows."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
import scipy.signal

from ecg_sklearn.datasets._base import Columns, describe_cut
from ecg_sklearn.datasets._records import valid_beats
from ecg_sklearn.detection import align_beats
from ecg_sklearn.features._groups import beat_features, check_groups
from ecg_sklearn.utils._cut import learned_cut

KAGGLE_N_TIMES = 187
KAGGLE_SIGNAL_RATE = 360.0
KAGGLE_DECIMATION = 3
KAGGLE_SAMPLING_RATE = KAGGLE_SIGNAL_RATE / KAGGLE_DECIMATION

_WINDOW = (-0.4, 0.6)
# Larger rates or windows would not fit into memory.
_FARTHEST_RATE = 100
_LONGEST_WINDOW = 3600.0


class Cut(NamedTuple):
    """How beats are cut: the parameters of the loaders, checked by :func:`make_cut`."""

    channel: str | int | list | tuple
    form: str
    window: tuple[float, float] | None
    sampling_rate: float | None
    features: list
    align: str | None = None

    def __str__(self):
        """Describe the cut for ``DESCR``."""
        if self.form == "kaggle":
            return "rows of the Kaggle form"
        start, stop = self.window
        around = "annotation" if self.align is None else "R peak"
        return f"windows from {start:g} to {stop:g} s around each {around}"

    def rate_of(self, signal):
        """Return the sampling rate of the beats of a signal."""
        if self.form == "kaggle":
            return KAGGLE_SAMPLING_RATE
        return float(self.sampling_rate or signal.sampling_rate)

    def describe(self, rate, unit):
        """Make the field ``cut`` of a Bunch."""
        how = {"window": self.window, "channel": self.channel, "unit": unit}
        how |= {"features": self.features, "align": self.align}
        return describe_cut(self.form, rate, **how)


def make_cut(channel, form, window=None, sampling_rate=None, features=None, align=None):
    """Check the parameters of a cut; the Kaggle form has no window and no rate."""
    if form == "kaggle":
        refuse_for_rows(window=window, sampling_rate=sampling_rate, align=align)
    else:
        window = _check_window(_WINDOW if window is None else window)
    return Cut(channel, form, window, sampling_rate, check_groups(features), align)


def cut_like(like, channel=None):
    """Make the cut of a fitted model, an exported graph or a field ``cut``.

    Returns the cut and the field. ``channel`` replaces the lead of the model.
    """
    facts = _facts_of(like)
    window, rate = facts.get("window"), facts["sampling_rate"]
    if facts["form"] == "kaggle":
        window = rate = None
    channel = facts.get("channel") if channel is None else channel
    channel = None if channel == "simulated" else channel
    how = (facts["form"], window, rate, facts["features"], facts.get("align"))
    return make_cut(channel, *how), facts


def _facts_of(like):
    """Read the field ``cut`` that a model, a graph or a dict holds."""
    if isinstance(like, dict):
        facts = like
    elif hasattr(like, "predict_proba") or hasattr(like, "get_params"):
        facts = learned_cut(like)
        if facts is None:
            raise ValueError(
                f"This {type(like).__name__} does not know how its beats were cut: it "
                "is not fitted, or was fitted to arrays. Fit it to beats.frame of a "
                "loader, or give like=beats.cut."
            )
    else:
        raise TypeError(
            f"like={like!r:.60} is neither a fitted model nor a cut. Load a model file "
            "with ecg_sklearn.load first, and an exported graph with "
            "ecg_sklearn.exporting.load_graph."
        )
    wanted = {"form", "sampling_rate", "unit"}
    if not wanted <= facts.keys() or facts["form"] not in ("kaggle", "window"):
        raise ValueError(
            f"like={facts} is not the cut of a loader (beats.cut): it must hold "
            f"{', '.join(sorted(wanted))}."
        )
    return {"features": []} | facts


def refuse_for_rows(**given):
    """Refuse parameters that only windows have."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name}={value!r} is for windows, and the rows of the Kaggle form are "
                f'all cut in one way, at 120 Hz. Set form="window", or leave {name} '
                "out."
            )


def _check_window(window):
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


def cut_record(name, signal, notes, cut):
    """Cut the beats of one record; leave out those that do not fit or are invalid."""
    is_beat = notes.label >= 0
    sample, symbols, target, rhythms = (column[is_beat] for column in notes)
    rate = signal.sampling_rate
    time = sample / rate  # of the annotation, which names the beat
    if cut.align == "peak":
        sample = _aligned(signal.samples, rate, sample)
    if cut.form == "kaggle":
        kept, data = _rows(name, signal, notes.sample, is_beat)
    else:
        kept, data = _windows(name, signal, sample, cut)
    if cut.features:  # need all beats of the record
        found = beat_features(cut.features, signal.samples, sample, rate)
        data = np.hstack([data, found[kept]])
    groups = np.full(len(sample), name)
    known = target, groups, symbols, rr_intervals(sample, rate), time, rhythms
    return Columns(data, *(column[kept] for column in known))


def _aligned(samples, rate, sample):
    """Move annotations to the R peak; their order is kept."""
    position = align_beats(samples, rate, np.rint(sample).astype(np.intp))
    return np.maximum.accumulate(position)


def _rows(name, signal, sample, is_beat):
    """Find the beats that give rows of the Kaggle form, and cut them."""
    time = sample[is_beat] / signal.sampling_rate
    sample = np.rint(sample * (KAGGLE_SIGNAL_RATE / signal.sampling_rate)).astype(int)
    samples = _resample(name, signal, KAGGLE_SIGNAL_RATE)
    start, stop = _kaggle_spans(sample, len(samples))
    rows = np.flatnonzero(is_beat[:-1])  # the last one has no next annotation
    length = (stop - start)[rows]
    # Annotations at the same time leave one sample or none.
    kept = np.flatnonzero(length > KAGGLE_DECIMATION)
    seconds = length[kept] / KAGGLE_SIGNAL_RATE
    kept = kept[valid_beats(name, signal, time[kept], 0, seconds)]
    return kept, cut_kaggle_beats(samples, sample, rows[kept])


def _windows(name, signal, sample, cut):
    """Find the beats whose window fits into the record, and cut them."""
    rate = cut.rate_of(signal)
    time = sample / signal.sampling_rate
    samples = _resample(name, signal, rate)
    first, end = window_at(cut.window, rate)
    centre = np.rint(time * rate).astype(np.intp)
    fits = (centre + first >= 0) & (centre + end <= len(samples))
    fits[fits] = valid_beats(name, signal, time[fits], first / rate, end / rate)
    data = np.empty((np.count_nonzero(fits), end - first), dtype=np.float32)
    if len(data):  # a window may be longer than the record
        np.take(samples, centre[fits, None] + np.arange(first, end), out=data)
    return fits, data


def window_at(window, rate):
    """First sample of a window, and the one behind it, relative to the beat."""
    start, stop = window
    first, end = round(start * rate), round(stop * rate)
    if first == end:
        raise ValueError(
            f"window=({start:g}, {stop:g}) holds no sample at {rate:g} Hz. Make it "
            "wider."
        )
    return first, end


def _kaggle_spans(sample, n_samples):
    """Find start and stop of the row of each annotation but the last, at 360 Hz."""
    edges = np.append(sample, n_samples)
    stop = edges[1:-1] + (0.2 * np.diff(edges)[1:]).astype(int)
    return edges[:-2], stop


def cut_kaggle_beats(signal, sample, rows):
    """Cut beats as in the Kaggle "heartbeat" files.

    A row starts at a beat's annotation, runs to the next annotation of any kind
    plus 20 % of the interval after that one, keeps every third sample of the
    360 Hz signal (120 Hz), is min-max scaled, then cut or zero-padded to 187
    samples. This reproduces the published float32 values exactly.
    """
    beats = np.zeros((len(rows), KAGGLE_N_TIMES), dtype=np.float32)
    spans = np.stack(_kaggle_spans(sample, len(signal)), axis=1)[rows]
    for row, (start, stop) in zip(beats, spans, strict=True):
        segment = signal[start:stop:KAGGLE_DECIMATION].astype(np.float32)
        low, high = segment.min(), segment.max()
        if high > low:
            n = min(KAGGLE_N_TIMES, len(segment))
            row[:n] = (segment[:n] - low) / (high - low)
    return beats


def _resample(name, signal, rate):
    """Resample a signal with a polyphase filter, as float32."""
    samples = signal.samples.astype(np.float32, copy=False)
    ratio = resampling_ratio(f"Record {name}", signal.sampling_rate, rate)
    if ratio is None:
        return samples
    return scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator)


def resampling_ratio(what, sampling_rate, rate):
    """Return the new rate divided by the old one as a fraction; None if equal."""
    if not 1 / _FARTHEST_RATE <= rate / sampling_rate <= _FARTHEST_RATE:
        raise ValueError(
            f"{what} is sampled at {sampling_rate:g} Hz and cannot be brought to "
            f"{rate:g} Hz: at most {_FARTHEST_RATE} times as much or as little. Set "
            "another sampling_rate, or correct the rate in its header."
        )
    ratio = Fraction(rate / sampling_rate).limit_denominator(10_000)
    return None if ratio == 1 else ratio


def rr_intervals(sample, sampling_rate, *, n_local=10):
    """Compute four RR features for each beat of one record, (n_beats, 4), in s.

    Previous interval, next interval, mean of the last ``n_local``, mean of the record.
    A missing previous or next interval is replaced by the mean of the record. A record
    of a single beat has NaN.
    """
    n_beats = len(sample)
    if n_beats < 2:
        return np.full((n_beats, 4), np.nan, dtype=np.float32)
    interval = np.diff(np.asarray(sample, dtype=np.float64)) / sampling_rate
    mean = interval.mean()
    previous = np.append(mean, interval)
    total = np.append(0.0, np.cumsum(previous))
    stop = np.arange(1, n_beats + 1)
    start = np.maximum(stop - n_local, 0)
    local = (total[stop] - total[start]) / (stop - start)
    columns = [previous, np.append(interval, mean), local, np.full(n_beats, mean)]
    return np.stack(columns, axis=1).astype(np.float32)
