"""Variability of the heart rate, from intervals between normal beats."""

import numpy as np

_LIMIT = 0.05  # s of NN50
_ROUNDING = 1e-9


def heart_rate_variability(letters, rr):
    """SDNN and RMSSD in ms and pNN50 in %, as the Task Force defines them [1]_.

    ``rr`` are the intervals in s before the beats; NaN where there is none. An interval
    counts if both beats are N. Differences are those of intervals that follow each
    other. Without two intervals, or without a difference, a figure is NaN.

    References
    ----------
    .. [1] Task Force of the European Society of Cardiology and the North American
       Society of Pacing and Electrophysiology, "Heart rate variability: standards of
       measurement, physiological interpretation, and clinical use", Circulation 93(5),
       1996.
    """
    is_normal = letters == "N"
    is_nn = ~np.isnan(rr) & is_normal
    is_nn[1:] &= is_normal[:-1]
    intervals = rr[is_nn]
    both = is_nn[1:] & is_nn[:-1]
    change = (rr[1:] - rr[:-1])[both]
    sdnn = 1000 * intervals.std(ddof=1) if len(intervals) > 1 else np.nan
    if len(change) == 0:
        return sdnn, np.nan, np.nan
    rmssd = 1000 * np.sqrt(np.mean(change**2))
    n_large = np.count_nonzero(np.abs(change) > _LIMIT + _ROUNDING)
    return sdnn, rmssd, 100 * n_large / len(intervals)
