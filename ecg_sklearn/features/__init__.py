"""Features of beats, as columns by name: RR intervals, morphology, rhythm."""

from ecg_sklearn.features._groups import FEATURE_GROUPS
from ecg_sklearn.features._morphology import morphology_features
from ecg_sklearn.features._rr import rhythm_features, rr_features

__all__ = ["FEATURE_GROUPS", "morphology_features", "rhythm_features", "rr_features"]
