"""Selection and computation of groups of features."""

import numpy as np

from ecg_sklearn.features._morphology import MORPHOLOGY_NAMES, morphology_features
from ecg_sklearn.features._record import (
    RECORD_MORPHOLOGY_NAMES,
    RECORD_RR_NAMES,
    RECORD_SHAPE_NAMES,
    record_rr_features,
    record_waves_features,
)
from ecg_sklearn.features._rr import (
    RHYTHM_NAMES,
    RR_NAMES,
    rhythm_features,
    rr_features,
)

FEATURE_GROUPS: dict[str, tuple[str, ...]] = {
    "rr": RR_NAMES,
    "morphology": MORPHOLOGY_NAMES,
    "rhythm": RHYTHM_NAMES,
    "record_rr": RECORD_RR_NAMES,
    "record_morphology": RECORD_MORPHOLOGY_NAMES,
    "record_shape": RECORD_SHAPE_NAMES,
}
CAUSAL_GROUPS: tuple[str, ...] = ("rr", "morphology", "rhythm")
RECORD_GROUPS: tuple[str, ...] = (
    "rr",
    "record_rr",
    "record_morphology",
    "record_shape",
)
MODE_GROUPS: dict[str, tuple[str, ...]] = {
    "causal": CAUSAL_GROUPS,
    "offline": RECORD_GROUPS,
}


def check_groups(features):
    """Check names of groups; return them in the order of FEATURE_GROUPS."""
    wanted = [] if features is None else list(features)
    unknown = [name for name in wanted if name not in FEATURE_GROUPS]
    if isinstance(features, str) or unknown:
        raise ValueError(
            f"features={features!r} are not groups of features. Give a list of "
            f"{', '.join(map(repr, FEATURE_GROUPS))}, such as "
            'features=["rr", "morphology"].'
        )
    return [name for name in FEATURE_GROUPS if name in wanted]


def feature_names(groups):
    """List the column names of groups."""
    return [name for group in groups for name in FEATURE_GROUPS[group]]


def beat_features(groups, signal, sample, sampling_rate):
    """Compute the columns of groups for all beats of one record.

    ``signal`` of shape (n_samples,) may have any unit; ``sample`` of shape (n_beats,)
    holds the ascending positions of all beats.
    """
    time = sample / sampling_rate
    place = np.rint(sample).astype(np.intp)
    waves = None
    if {"record_morphology", "record_shape"} & set(groups):  # computed together
        waves = record_waves_features(signal, sample, sampling_rate)
    n_morphology = len(RECORD_MORPHOLOGY_NAMES)
    compute = {
        "rr": lambda: rr_features(time),
        "morphology": lambda: morphology_features(signal, place, sampling_rate),
        "rhythm": lambda: rhythm_features(time),
        "record_rr": lambda: record_rr_features(time),
        "record_morphology": lambda: waves[:, :n_morphology],
        "record_shape": lambda: waves[:, n_morphology:],
    }
    return np.hstack([compute[group]() for group in groups])
