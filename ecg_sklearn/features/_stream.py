"""Causal features of the beats of a stream, in bounded memory."""

import numpy as np

from ecg_sklearn.features._morphology import MorphologyHistory
from ecg_sklearn.features._rr import RRHistory


class CausalFeatures:
    """Compute causal groups of features beat by beat, as those of the whole record."""

    def __init__(self, groups):
        self.groups = groups
        self._rr = RRHistory()
        self._morphology = MorphologyHistory()

    def extend(self, time, following, waves):
        """Add beats; return their columns, of shape (n_new, n_columns).

        ``time`` and ``following`` are the times of the beats and of the next ones, in
        s; NaN means that the record ends. ``waves`` are
        from :func:`~ecg_sklearn.features._morphology.cut_waves`.
        """
        columns = [np.empty((len(time), 0), dtype=np.float32)]
        if {"rr", "rhythm"} & set(self.groups):
            self._rr.extend(time, following)
        for group in self.groups:
            if group == "morphology":
                columns.append(self._morphology.extend(waves))
            else:
                columns.append(getattr(self._rr, group)())
        return np.hstack(columns)
