"""Features of beats, as columns by name: RR intervals, morphology, rhythm."""

from ecg_sklearn.features import _groups
from ecg_sklearn.features._morphology import morphology_features
from ecg_sklearn.features._record import record_rr_features, record_waves_features
from ecg_sklearn.features._rr import rhythm_features, rr_features

__all__ = [
    "CAUSAL_GROUPS",
    "FEATURE_GROUPS",
    "MODE_GROUPS",
    "RECORD_GROUPS",
    "morphology_features",
    "record_rr_features",
    "record_waves_features",
    "rhythm_features",
    "rr_features",
]

FEATURE_GROUPS: dict[str, tuple[str, ...]] = _groups.FEATURE_GROUPS
"""Names of the columns of each group of features, in their order.

"rr" describes the RR intervals next to a beat, "rhythm" compares them with the last
minutes of the record, and "morphology" compares the waves with the dominant beat of the
last minute. "record_rr" compares the RR intervals with those of the whole record,
"record_morphology" the waves with the clusters of all its beats, and "record_shape" is
the difference to its usual beat. None needs labels.
"""

CAUSAL_GROUPS: tuple[str, ...] = _groups.CAUSAL_GROUPS
"""The groups that need nothing after the next beat: for a monitor or a stream."""

RECORD_GROUPS: tuple[str, ...] = _groups.RECORD_GROUPS
"""The groups of :func:`~ecg_sklearn.pipeline.make_record_ensemble`: for a file."""

MODE_GROUPS: dict[str, tuple[str, ...]] = _groups.MODE_GROUPS
"""The groups of each mode of :func:`~ecg_sklearn.pipeline.make_calibrated_trees`."""
