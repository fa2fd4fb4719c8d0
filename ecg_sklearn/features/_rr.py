"""RR features: intervals of a beat compared with those of its record so far."""

import numpy as np

RR_NAMES: tuple[str, ...] = (
    "rr_previous",
    "rr_next",
    "rr_previous_to_local",
    "rr_next_to_local",
    "rr_second_to_local",
    "rr_third_to_local",
    "rr_previous_to_second",
    "rr_previous_to_next",
    "rr_previous_to_median",
    "rr_next_to_median",
    "rr_change",
    "rr_prematurity",
)

RHYTHM_NAMES: tuple[str, ...] = (
    "rr_previous_to_mean",
    "rr_previous_to_long_mean",
    "rr_next_to_long_mean",
    "rr_previous_to_slow",
    "rr_next_to_slow",
    "rr_previous_to_fast",
    "rr_previous_to_longest",
    "rr_previous_to_shortest",
    "rr_rank",
    "rr_slow_to_median",
    "rr_spread_10",
    "rr_spread_50",
    "rr_rmssd",
    "rr_irregularity",
    "rr_share_short",
    "rr_share_long",
)

_RR_RANGE = (0.15, 5.0)  # s; shorter are double annotations, longer are gaps
_LIMIT = 3.0  # of logarithms of ratios: a factor of 20
_PREMATURITY_LIMIT = 10.0

_N_LOCAL = 10  # intervals of the local rhythm
_N_SHORTEST = 20  # intervals searched for the shortest
_N_CHANGES = 40  # interval changes that measure regularity
_N_MEDIAN = 50  # intervals of the median, an estimate of the sinus rhythm
_N_RANKED = 60  # intervals for ranks
_N_LONG = 600  # intervals of the long mean: about ten minutes
# Quantiles for a fast and a slow interval: even if most beats are premature, the slow
# intervals belong to the sinus rhythm.
_FAST, _SLOW = 0.15, 0.85
_CLEARLY_SHORTER = 0.95
_CLEARLY = 0.15  # logarithm of a ratio: 16 % longer, or 14 % shorter


def rhythm_features(time):
    """Compare the RR intervals of each beat with the rhythm of its record so far.

    Parameters
    ----------
    time : ndarray of shape (n_beats,)
        Ascending times of the beats of one record, in s.

    Returns
    -------
    ndarray of shape (n_beats, 16), float32
        Finite values in the order of ``FEATURE_GROUPS["rhythm"]``. Ratios are natural
        logarithms, clipped to -3 and 3; ranks and shares are from 0 to 1. They are
        causal except for the next interval: those of beat ``i`` depend only on
        ``time[: i + 2]``.
    """
    return _all_beats(time).rhythm()


def rr_features(time):
    """Compare the RR intervals next to each beat with those before them.

    Parameters
    ----------
    time : ndarray of shape (n_beats,)
        Ascending times of the beats of one record, in s.

    Returns
    -------
    ndarray of shape (n_beats, 12), float32
        Finite values in the order of ``FEATURE_GROUPS["rr"]``: natural logarithms of
        intervals in s and of ratios, clipped to -3 and 3, and the prematurity, in
        units of the median change. They are causal except for the next interval: those
        of beat ``i`` depend only on ``time[: i + 2]``. A missing past is replaced by
        the first interval, and the next interval of the last beat by the local median.
    """
    return _all_beats(time).rr()


def _all_beats(time):
    """Give the beats of a whole record to a new RRHistory."""
    time = np.asarray(time, dtype=np.float64)
    history = RRHistory()
    history.extend(time, np.append(time[1:], np.nan)[: len(time)])
    return history


class RRHistory:
    """The RR intervals of a record so far, as far as features look back.

    A record is one call of :meth:`extend`, a stream is many: the values are the same.
    Logarithms of intervals are kept: row ``i`` of the beats that are kept has the
    second interval ``log[i]``, the previous ``log[i + 1]`` and the next ``log[i + 2]``.
    """

    def __init__(self):
        self._log = np.empty(0)
        self._totals = [np.zeros(1) for _ in range(4)]  # running sums
        self._start = 0  # row of the first new beat

    def extend(self, time, following):
        """Add beats; ``following`` are the times of the next beats, in s.

        It is NaN behind the last beat of the record.
        """
        log = self._log
        if len(time) == 0:
            self._start = max(len(log) - 2, 0)
            return
        new = np.log(np.clip(following - time, *_RR_RANGE))
        if len(log) == 0:  # a missing past is replaced by the first interval
            log = np.full(2, 0.0 if np.isnan(new[0]) else new[0])
        log = log[-(_N_LONG + 2) :]
        self._start = start = len(log) - 2
        self._log = log = np.concatenate([log, new])
        if np.isnan(new[-1]):  # there is no next interval
            log[-1] = np.median(log[:-2][-_N_LOCAL:])
        past = log[start:-2]
        change = np.diff(log[:-2], prepend=log[0])[start:]
        series = past, past**2, np.exp(past), change**2
        for k, values in enumerate(series):
            total = self._totals[k][-(_N_LONG + 1) :]
            added = np.cumsum(np.concatenate([total[-1:], values]))
            self._totals[k] = np.concatenate([total, added[1:]])

    def rr(self):
        """Columns of the group "rr", one row for each new beat."""
        start = self._start
        second, previous, following = self._intervals()
        if start == len(second):
            return np.empty((0, len(RR_NAMES)), dtype=np.float32)
        third = np.concatenate([second[:1], second[:-1]])
        # An interval is not compared with itself.
        local = _running_median(second, _N_LOCAL, start)
        change = np.abs(second - third)
        median_change = _running_median(change, _N_CHANGES, start)
        median = _running_median(previous, _N_MEDIAN, start)
        second, previous, following, third = (
            values[start:] for values in (second, previous, following, third)
        )
        # 0.01: about the resolution; 0.02: respiratory variation of a regular rhythm.
        prematurity = (previous - local) / (median_change + 0.02)
        ratios = [
            previous,
            following,
            previous - local,
            following - local,
            second - local,
            third - local,
            previous - second,
            previous - following,
            previous - median,
            following - median,
        ]
        columns = np.empty((len(previous), len(RR_NAMES)), dtype=np.float32)
        columns[:, :-2] = np.clip(np.stack(ratios, axis=1), -_LIMIT, _LIMIT)
        columns[:, -2] = np.log(median_change + 0.01)
        limit = _PREMATURITY_LIMIT
        columns[:, -1] = np.clip(prematurity, -limit, limit)
        return columns

    def rhythm(self):
        """Columns of the group "rhythm", one row for each new beat."""
        start = self._start
        past, previous, following = self._intervals()
        if start == len(past):
            return np.empty((0, len(RHYTHM_NAMES)), dtype=np.float32)
        change = np.abs(np.diff(past, prepend=past[0]))
        ranked = _windows(past, _N_RANKED, start)
        fast, median, slow = _quantiles(ranked, (_FAST, 0.5, _SLOW))
        of_past, of_square, of_interval, of_change = self._totals
        long_mean = np.log(_running_mean(of_interval, _N_LONG, start))
        recent = _windows(past, _N_MEDIAN, start)
        middle = _running_median(past, _N_MEDIAN, start)[:, None]
        previous, following = previous[start:], following[start:]
        # Without a past there are NaN, and comparisons with NaN are False.
        n_recent = np.count_nonzero(np.isfinite(recent), axis=1)
        n_ranked = np.count_nonzero(np.isfinite(ranked), axis=1)
        shorter = ranked < previous[:, None] + np.log(_CLEARLY_SHORTER)
        ratios = [
            previous - _running_mean(of_past, _N_LOCAL, start),
            previous - long_mean,
            following - long_mean,
            previous - slow,
            following - slow,
            previous - fast,
            previous - np.nanmax(_windows(past, _N_LOCAL, start), axis=1),
            previous - np.nanmin(_windows(past, _N_SHORTEST, start), axis=1),
        ]
        columns = [
            *np.clip(ratios, -_LIMIT, _LIMIT),
            np.count_nonzero(shorter, axis=1) / n_ranked,
            slow - median,
            _running_spread(of_past, of_square, _N_LOCAL, start),
            _running_spread(of_past, of_square, _N_MEDIAN, start),
            np.sqrt(_running_mean(of_change, _N_LOCAL, start)),
            _running_median(change, _N_MEDIAN, start),
            np.count_nonzero(recent < middle - _CLEARLY, axis=1) / n_recent,
            np.count_nonzero(recent > middle + _CLEARLY, axis=1) / n_recent,
        ]
        return np.column_stack(columns).astype(np.float32)

    def _intervals(self):
        """Logarithms of the second, the previous and the next interval of each row."""
        return self._log[:-2], self._log[1:-1], self._log[2:]


def _windows(values, length, start):
    """View of each value from ``start`` on and those before it, padded with NaN."""
    values = values[max(start - length, 0) :]
    padded = np.concatenate([np.full(length - 1, np.nan), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, length)
    return windows[min(start, length) :]


def _running_median(values, length, start):
    """Median of each value and those before it, up to ``length`` in all."""
    ordered = np.sort(_windows(values, length, start), axis=1)  # NaN last
    n_values = np.minimum(np.arange(start, len(values)) + 1, length)
    rows = np.arange(len(ordered))
    # Much faster than nanmedian.
    return (ordered[rows, (n_values - 1) // 2] + ordered[rows, n_values // 2]) / 2


def _quantiles(windows, fractions):
    """Quantiles of the finite values of each row, interpolated."""
    ordered = np.sort(windows, axis=1)  # NaN last
    last = np.count_nonzero(np.isfinite(windows), axis=1) - 1
    rows = np.arange(len(windows))
    found = []
    for fraction in fractions:
        place = fraction * last
        left = place.astype(np.intp)
        value = ordered[rows, left]
        step = ordered[rows, np.minimum(left + 1, last)] - value
        found.append(value + step * (place - left))
    return found


def _running_mean(total, length, start):
    """Mean of each value and those before it, up to ``length`` in all.

    ``total`` are running sums, one more than values.
    """
    stop = np.arange(start + 1, len(total))
    first = np.maximum(stop - length, 0)
    return (total[stop] - total[first]) / (stop - first)


def _running_spread(total, of_square, length, start):
    """Compute the standard deviation of each value and those before it."""
    mean = _running_mean(total, length, start)
    square = _running_mean(of_square, length, start)
    return np.sqrt(np.maximum(square - mean**2, 0))
