"""Excerpts around premature beats, with RR features recomputed."""

import numpy as np

from ecg_sklearn.ensemble._priors import records_of
from ecg_sklearn.features import FEATURE_GROUPS, rhythm_features, rr_features

INTERVAL_NAMES: tuple[str, ...] = (*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["rhythm"])
"""All features computed from RR intervals only."""

# Records with fewer premature beats give no excerpts.
_FEWEST_PREMATURE = 5
_PREVIOUS = INTERVAL_NAMES.index("rr_previous")


def episodes_of(rhythm, is_premature, groups, n_around):
    """Make excerpts of premature beats and their neighbours from each record."""
    rows = [np.empty(0, dtype=np.intp)]
    features = [np.empty((0, len(INTERVAL_NAMES)), dtype=np.float32)]
    for place in records_of(groups):
        for n in n_around:
            kept = place[_around(is_premature[place], n)]
            rows.append(kept)
            features.append(_one_after_the_other(rhythm[kept, _PREVIOUS]))
    return np.concatenate(rows), np.concatenate(features)


def _around(is_premature, n_around):
    """Mask of premature beats and their neighbours; all False if there are too few."""
    if np.count_nonzero(is_premature) < _FEWEST_PREMATURE:
        return np.zeros(len(is_premature), dtype=bool)
    near = np.convolve(is_premature, np.ones(2 * n_around + 1))
    return near[n_around : n_around + len(is_premature)] > 0


def _one_after_the_other(log_interval):
    """Recompute the RR features of consecutive beats from their intervals."""
    time = np.cumsum(np.exp(log_interval, dtype=np.float64))
    return np.hstack([rr_features(time), rhythm_features(time)])
