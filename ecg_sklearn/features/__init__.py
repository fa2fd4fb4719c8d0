"""Features of beats, as columns by name: RR intervals, morphology, rhythm."""

from ecg_sklearn.features import _groups
from ecg_sklearn.features._morphology import morphology_features
from ecg_sklearn.features._rr import rhythm_features, rr_features

__all__ = ["FEATURE_GROUPS", "morphology_features", "rhythm_features", "rr_features"]

FEATURE_GROUPS: dict[str, tuple[str, ...]] = _groups.FEATURE_GROUPS
"""Names of the columns of each group of features, in their order.

"rr" describes the RR intervals next to a beat, "rhythm" compares them with the last
minutes of the record, and "morphology" compares the waves with the dominant beat. All
are causal with a delay of one beat, and need no labels.
"""
