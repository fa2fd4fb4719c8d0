"""Groups of features, and the features of the groups that are asked for."""

import numpy as np

from ecg_sklearn.features._morphology import MORPHOLOGY_NAMES, morphology_features
from ecg_sklearn.features._rr import (
    RHYTHM_NAMES,
    RR_NAMES,
    rhythm_features,
    rr_features,
)

__all__ = ["FEATURE_GROUPS", "beat_features", "check_groups", "feature_names"]

FEATURE_GROUPS: dict[str, tuple[str, ...]] = {
    "rr": RR_NAMES,
    "morphology": MORPHOLOGY_NAMES,
    "rhythm": RHYTHM_NAMES,
}
"""Names of the columns of each group of features, in their order.

"rr" are the RR intervals next to a beat, "rhythm" compares them with the last minutes
of the record, and "morphology" compares the waves of the beat with the dominant beat.
All are causal, with the delay of one beat, and need no labels.
"""


def check_groups(features):
    """Check names of groups, and bring them into the order of ``FEATURE_GROUPS``.

    Parameters
    ----------
    features : sequence of str or None
        Names of groups.

    Returns
    -------
    list of str
        The names, each once.

    Raises
    ------
    ValueError
        If there is no such group.
    """
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
    """List the names of the columns of some groups."""
    return [name for group in groups for name in FEATURE_GROUPS[group]]


def beat_features(groups, signal, sample, sampling_rate):
    """Compute the features of the beats of one record.

    Parameters
    ----------
    groups : sequence of str
        Names of groups, in the order of ``FEATURE_GROUPS``.
    signal : ndarray of shape (n_samples,)
        One channel, in any unit.
    sample : ndarray of shape (n_beats,)
        Ascending positions of all beats, in samples.
    sampling_rate : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_beats, n_beat_features), float32
        The columns of the groups.
    """
    time = sample / sampling_rate
    columns = [np.empty((len(sample), 0), dtype=np.float32)]
    for group in groups:
        if group == "rr":
            columns.append(rr_features(time))
        elif group == "rhythm":
            columns.append(rhythm_features(time))
        else:
            place = np.rint(sample).astype(np.intp)
            columns.append(morphology_features(signal, place, sampling_rate))
    return np.hstack(columns)
