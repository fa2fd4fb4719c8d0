"""Episodes of early beats, as if they followed each other all the time.

Arrays in, arrays out.
"""

import numpy as np

from ecg_sklearn.ensemble._priors import records_of
from ecg_sklearn.features._rr import RHYTHM_NAMES, rhythm_features

__all__ = ["episodes_of"]

# Below this many early beats, a record has no episodes of them worth repeating.
_FEWEST_EARLY = 5
_PREVIOUS = RHYTHM_NAMES.index("rr_previous")


def episodes_of(rhythm, is_early, groups, n_around):
    """Cut the records down to their early beats and a few around them.

    Parameters
    ----------
    rhythm : ndarray of shape (n_beats, len(RHYTHM_NAMES))
        Rhythm of the beats; those of a record in the order of time.
    is_early : ndarray of shape (n_beats,), bool
        Which beats are early.
    groups : ndarray of shape (n_beats,)
        Record of each beat.
    n_around : sequence of int
        How many beats on either side to keep, once for each number.

    Returns
    -------
    rows : ndarray of shape (n_kept,), int
        The beats that are left, one record after the other.
    features : ndarray of shape (n_kept, len(RHYTHM_NAMES)), float32
        Their rhythm, computed anew.
    """
    rows = [np.empty(0, dtype=np.intp)]
    features = [np.empty((0, len(RHYTHM_NAMES)), dtype=np.float32)]
    for place in records_of(groups):
        for n in n_around:
            kept = place[_around(is_early[place], n)]
            rows.append(kept)
            features.append(_one_behind_the_other(rhythm[kept, _PREVIOUS]))
    return np.concatenate(rows), np.concatenate(features)


def _around(is_early, n_around):
    """Which beats of a record are early, or near to one; none if those are too few."""
    if np.count_nonzero(is_early) < _FEWEST_EARLY:
        return np.zeros(len(is_early), dtype=bool)
    near = np.convolve(is_early, np.ones(2 * n_around + 1))
    return near[n_around : n_around + len(is_early)] > 0


def _one_behind_the_other(log_interval):
    """Rhythm of beats that follow each other at the intervals before them."""
    return rhythm_features(np.cumsum(np.exp(log_interval, dtype=np.float64)))
