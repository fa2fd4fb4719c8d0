"""The shipped models: how they are made, and their groups of features."""

from ecg_sklearn import make_calibrated_trees
from ecg_sklearn.features import MODE_GROUPS

GROUPS = MODE_GROUPS


def shipped(mode, seed):
    """Make the model of a mode, as it is shipped."""
    return make_calibrated_trees(mode=mode, random_state=seed)
