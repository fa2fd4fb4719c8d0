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
    time = np.asarray(time, dtype=np.float64)
    if len(time) == 0:
        return np.empty((0, len(RHYTHM_NAMES)), dtype=np.float32)
    past, previous, following = _intervals(time)
    change = np.abs(np.diff(past, prepend=past[0]))
    ranked = _windows(past, _N_RANKED)
    fast, median, slow = _quantiles(ranked, (_FAST, 0.5, _SLOW))
    long_mean = np.log(_running_mean(np.exp(past), _N_LONG))
    recent = _windows(past, _N_MEDIAN)
    middle = _running_median(past, _N_MEDIAN)[:, None]
    # Without a past there are NaN, and comparisons with NaN are False.
    n_recent = np.count_nonzero(np.isfinite(recent), axis=1)
    n_ranked = np.count_nonzero(np.isfinite(ranked), axis=1)
    shorter = ranked < previous[:, None] + np.log(_CLEARLY_SHORTER)
    ratios = [
        previous - _running_mean(past, _N_LOCAL),
        previous - long_mean,
        following - long_mean,
        previous - slow,
        following - slow,
        previous - fast,
        previous - np.nanmax(_windows(past, _N_LOCAL), axis=1),
        previous - np.nanmin(_windows(past, _N_SHORTEST), axis=1),
    ]
    columns = [
        *np.clip(ratios, -_LIMIT, _LIMIT),
        np.count_nonzero(shorter, axis=1) / n_ranked,
        slow - median,
        _running_spread(past, _N_LOCAL),
        _running_spread(past, _N_MEDIAN),
        np.sqrt(_running_mean(change**2, _N_LOCAL)),
        _running_median(change, _N_MEDIAN),
        np.count_nonzero(recent < middle - _CLEARLY, axis=1) / n_recent,
        np.count_nonzero(recent > middle + _CLEARLY, axis=1) / n_recent,
    ]
    return np.column_stack(columns).astype(np.float32)


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
    time = np.asarray(time, dtype=np.float64)
    if len(time) == 0:
        return np.empty((0, len(RR_NAMES)), dtype=np.float32)
    second, previous, following = _intervals(time)
    third = np.concatenate([second[:1], second[:-1]])
    # An interval is not compared with itself.
    local = _running_median(second, _N_LOCAL)
    change = np.abs(second - third)
    median_change = _running_median(change, _N_CHANGES)
    median = _running_median(previous, _N_MEDIAN)
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
    columns = np.empty((len(time), len(RR_NAMES)), dtype=np.float32)
    columns[:, :-2] = np.clip(np.stack(ratios, axis=1), -_LIMIT, _LIMIT)
    columns[:, -2] = np.log(median_change + 0.01)
    columns[:, -1] = np.clip(prematurity, -_PREMATURITY_LIMIT, _PREMATURITY_LIMIT)
    return columns


def _intervals(time):
    """Logarithms of the second, the previous and the next interval of each beat."""
    n_beats = len(time)
    interval = np.log(np.clip(np.diff(time), *_RR_RANGE))
    first = interval[0] if n_beats > 1 else 0.0
    history = np.concatenate([np.full(2, first), interval])
    past, previous = history[:n_beats], history[1 : n_beats + 1]
    local = _running_median(past[-_N_LOCAL:], _N_LOCAL)[-1]
    return past, previous, np.append(interval, local)


def _windows(values, length):
    """View of each value and those before it, padded with NaN."""
    padded = np.concatenate([np.full(length - 1, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, length)


def _running_median(values, length):
    """Median of each value and those before it, up to ``length`` in all."""
    return np.nanmedian(_windows(values, length), axis=1)


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


def _running_mean(values, length):
    """Mean of each value and those before it, up to ``length`` in all."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    stop = np.arange(1, len(values) + 1)
    start = np.maximum(stop - length, 0)
    return (total[stop] - total[start]) / (stop - start)


def _running_spread(values, length):
    """Compute the standard deviation of each value and those before it."""
    mean = _running_mean(values, length)
    square = _running_mean(values**2, length)
    return np.sqrt(np.maximum(square - mean**2, 0))
