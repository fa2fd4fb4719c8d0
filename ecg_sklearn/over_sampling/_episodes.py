"""Excerpts around premature beats, with RR features recomputed."""

import warnings
from numbers import Integral

import numpy as np
from imblearn.base import BaseSampler

from ecg_sklearn.features import (
    FEATURE_GROUPS,
    record_rr_features,
    rhythm_features,
    rr_features,
)
from ecg_sklearn.utils._columns import named_columns
from ecg_sklearn.utils._validation import one_for_each, records_of

_RECOMPUTED = {
    "rr": rr_features,
    "rhythm": rhythm_features,
    "record_rr": record_rr_features,
}
# Records with fewer premature beats give no excerpts.
_FEWEST_PREMATURE = 5


class EpisodeSampler(BaseSampler):
    """Add excerpts around premature beats, with RR features recomputed.

    Premature beats are rare in most training records, but may be frequent in a new
    patient. An excerpt of a record holds its premature beats and some beats before and
    after each of them, as if they followed each other. The features of the groups "rr",
    "rhythm" and "record_rr" are recomputed for it; all other columns are those of the
    beat. The
    output holds the original beats, then the excerpts. A record with fewer than five
    premature beats gives none.

    Parameters
    ----------
    premature : label, default=1
        The class of premature beats. In a
        :class:`~ecg_sklearn.ensemble.RefinedClassifier` it is always 1.
    n_around : sequence of int, default=(2, 5, 12)
        For each number n, one excerpt of each record, with n beats before and after
        each premature beat.

    Attributes
    ----------
    sample_indices_ : ndarray of shape (n_beats_out,)
        The beat that each row of the output was made of.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns.

    See Also
    --------
    ecg_sklearn.pipeline.make_ecg_ensemble : Uses it.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.over_sampling import EpisodeSampler
    >>> beats = make_heartbeats(500, features=["rr", "rhythm"], random_state=0)
    >>> sampler = EpisodeSampler(n_around=[2])
    >>> X, y = sampler.fit_resample(beats.data, beats.target, groups=beats.groups)
    >>> X.shape, sampler.sample_indices_[500:503].tolist()
    ((819, 215), [6, 7, 8])
    """

    _sampling_type = "bypass"
    sampling_strategy = "auto"  # required by the base class

    _parameter_constraints: dict = {
        "premature": "no_validation",
        "n_around": ["array-like"],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit_resample = {"groups": True}

    def __init__(self, premature=1, *, n_around=(2, 5, 12)):
        self.premature = premature
        self.n_around = n_around

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def fit_resample(self, X, y, *, groups=None):
        """Add the excerpts.

        Parameters
        ----------
        X : DataFrame of shape (n_beats, n_columns)
            Beats with the features "rr", as a loader gives them, and, if they have
            any column of "rhythm" or "record_rr", all columns of that group.
        y : array-like of shape (n_beats,)
            Labels.
        groups : array-like of shape (n_beats,)
            Record of each beat. The beats of a record must be sorted by time.

        Returns
        -------
        X_resampled : DataFrame of shape (n_beats_out, n_columns)
            The original beats, then the excerpts.
        y_resampled : array-like of shape (n_beats_out,)
            Their labels.

        Raises
        ------
        ValueError
            If a column is missing, or ``groups`` is.

        Warns
        -----
        UserWarning
            If there are no premature beats: none are added.
        """
        beats, labels = super().fit_resample(X, y, groups=groups)
        if hasattr(X, "attrs"):
            beats.attrs = X.attrs  # how the beats were cut
        return beats, labels

    def _fit_resample(self, X, y, groups):
        groups_of_columns, columns = self._find_columns()
        if groups is None:
            raise ValueError(
                "EpisodeSampler needs groups, the record of each beat (beats.groups), "
                "in fit. Without records, leave the sampler out."
            )
        if not all(isinstance(n, Integral) and n >= 1 for n in self.n_around):
            raise ValueError(
                f"n_around={self.n_around!r} are not all whole numbers of 1 or more. "
                "Give such as (2, 5, 12)."
            )
        known = np.unique(y).tolist()
        if isinstance(self.premature, str) != isinstance(known[0], str):
            raise ValueError(
                f"premature={self.premature!r} is no label of y, which holds {known}. "
                "Name the class of premature beats."
            )
        if self.premature not in known:  # such as in a fold
            warnings.warn(
                f"premature={self.premature!r} is no label of y, which holds {known}: "
                "no excerpts are added.",
                UserWarning,
                stacklevel=3,
            )
        log_interval = X[:, columns[FEATURE_GROUPS["rr"].index("rr_previous")]]
        is_premature = y == self.premature
        rows, features = [np.arange(len(X))], [X[:, columns]]
        for record in records_of(one_for_each(groups, "groups", X)):
            for n in self.n_around:
                kept = record[_around(is_premature[record], n)]
                rows.append(kept)
                features.append(_consecutive(log_interval[kept], groups_of_columns))
        self.sample_indices_ = np.concatenate(rows)
        beats = X[self.sample_indices_]
        beats[:, columns] = np.concatenate(features)
        return beats, y[self.sample_indices_]

    def _find_columns(self):
        """Find the groups to recompute, and their columns, by name."""
        names = list(getattr(self, "feature_names_in_", ()))
        found = [
            group
            for group in _RECOMPUTED
            if group == "rr" or set(FEATURE_GROUPS[group]) & set(names)
        ]
        wanted = [name for group in found for name in FEATURE_GROUPS[group]]
        who = type(self).__name__
        return found, named_columns(names, wanted, who, ("rr", "rhythm"))


def _around(is_premature, n_around):
    """Mask of premature beats and their neighbours; all False if there are too few."""
    if np.count_nonzero(is_premature) < _FEWEST_PREMATURE:
        return np.zeros(len(is_premature), dtype=bool)
    near = np.convolve(is_premature, np.ones(2 * n_around + 1))
    return near[n_around : n_around + len(is_premature)] > 0


def _consecutive(log_interval, groups):
    """Recompute groups of RR features of consecutive beats from their intervals."""
    time = np.cumsum(np.exp(log_interval, dtype=np.float64))
    return np.hstack([_RECOMPUTED[group](time) for group in groups])
