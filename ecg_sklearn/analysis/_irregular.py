"""Irregular rhythm that may be atrial fibrillation, from RR intervals alone."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

N_INTERVALS = 48  # RR intervals of a window
THRESHOLD = -0.9  # COSEn above which a window is irregular
SHORTEST = 30.0  # s of an episode
MERGED = 15.0  # s between two episodes that are one
_STEP = 4  # intervals between the starts of two windows
_TOLERANCE = 0.03  # s, the least tolerance of a match
_N_MATCHES = 5  # that are needed
_BLOCK = 512  # windows at a time


def irregular_episodes(letters, time, rr):
    """Find the episodes of irregular rhythm: rows of the first and the last beat.

    RR intervals of which one beat is V or F are left out: ventricular premature beats
    are known, and no sign of an irregular atrium. No window, and no episode, goes
    across a stretch without RR interval.
    """
    is_ventricular = np.isin(letters, ("V", "F"))
    used = ~np.isnan(rr) & ~is_ventricular
    used[1:] &= ~is_ventricular[:-1]
    rows = np.flatnonzero(used)
    piece = np.cumsum(np.isnan(rr))[rows]
    flagged = rows[_are_irregular(rr[rows], piece)]
    if len(flagged) == 0:
        return np.empty((0, 2), dtype=np.intp)
    piece = np.cumsum(np.isnan(rr))[flagged]
    # From beat to beat: an interval ends at its row.
    apart = time[flagged[1:] - 1] - time[flagged[:-1]] >= MERGED
    cut = np.flatnonzero(apart | (np.diff(piece) > 0))
    first = flagged[np.append(0, cut + 1)] - 1
    last = flagged[np.append(cut, len(flagged) - 1)]
    keep = time[last] - time[first] >= SHORTEST
    return np.stack([first, last], axis=1)[keep]


def _are_irregular(rr, piece):
    """Whether each interval is in the middle of an irregular window of its piece."""
    flags = np.zeros(len(rr), dtype=bool)
    edges = np.flatnonzero(np.diff(piece, prepend=-1, append=-1))
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        n = end - start
        if n < N_INTERVALS:
            continue
        # The last window ends with the piece.
        starts = np.append(np.arange(0, n - N_INTERVALS, _STEP), n - N_INTERVALS)
        windows = sliding_window_view(rr[start:end], N_INTERVALS)[starts]
        irregular = cosen(windows) > THRESHOLD
        # Outer intervals belong to the first and the last window.
        middles = (starts[:-1] + starts[1:] + N_INTERVALS) / 2
        flags[start:end] = irregular[np.searchsorted(middles, np.arange(n))]
    return flags


def cosen(windows):
    """Coefficient of sample entropy of RR intervals (n_windows, n_intervals) in s [1]_.

    The tolerance is 30 ms, or larger where fewer than five pairs of two intervals
    match.

    References
    ----------
    .. [1] D. E. Lake, J. R. Moorman, "Accurate estimation of entropy in very short
       physiological time series: the problem of atrial fibrillation detection in
       implanted ventricular devices", American Journal of Physiology - Heart and
       Circulatory Physiology 300(1), 2011.
    """
    found = np.empty(len(windows))
    i, j = np.triu_indices(windows.shape[1] - 1, 1)
    for start in range(0, len(windows), _BLOCK):
        rr = windows[start : start + _BLOCK].astype(np.float32)
        one = np.abs(rr[:, i] - rr[:, j])
        two = np.maximum(one, np.abs(rr[:, i + 1] - rr[:, j + 1]))
        enough = np.partition(two, _N_MATCHES - 1, axis=1)[:, _N_MATCHES - 1]
        tolerance = np.maximum(enough, np.float32(_TOLERANCE))[:, None]
        share = (two <= tolerance).sum(axis=1) / (one <= tolerance).sum(axis=1)
        density = share / (2 * tolerance[:, 0])
        found[start : start + _BLOCK] = -np.log(density) - np.log(rr.mean(axis=1))
    return found
