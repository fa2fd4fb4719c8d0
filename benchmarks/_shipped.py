"""The configurations of the shipped models."""

from imblearn.pipeline import Pipeline
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier

from ecg_sklearn import make_record_ensemble
from ecg_sklearn.ensemble import CalibratedRecordClassifier, ReweightedClassifier
from ecg_sklearn.features import CAUSAL_GROUPS, FEATURE_GROUPS, RECORD_GROUPS

GROUPS = {"causal": CAUSAL_GROUPS, "offline": RECORD_GROUPS}
_SIZE = {"n_estimators": 30, "max_leaf_nodes": 600}


def shipped(mode, seed):
    """Make the model of a mode, with probabilities calibrated on held-out records."""
    trees = _causal(seed)
    if mode == "offline":
        trees = make_record_ensemble(**_SIZE, random_state=seed)
    return CalibratedRecordClassifier(trees, random_state=seed)


def _causal(seed):
    """One pass of trees over the features that need nothing beyond the next beat."""
    names = [name for group in CAUSAL_GROUPS for name in FEATURE_GROUPS[group]]
    trees = ExtraTreesClassifier(
        **_SIZE,
        min_samples_leaf=3,
        max_features=0.2,
        bootstrap=True,
        max_samples=0.25,
        random_state=seed,
    )
    columns = ColumnTransformer([("features", "passthrough", names)])
    return Pipeline([("columns", columns), ("classifier", ReweightedClassifier(trees))])
