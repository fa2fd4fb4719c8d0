"""A model of trees taken apart: one forest, its columns, and its calibration."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.ensemble._base import all_classes
from ecg_sklearn.ensemble._calibrated import CalibratedRecordClassifier
from ecg_sklearn.ensemble._reweighted import ReweightedClassifier
from ecg_sklearn.ensemble._second_pass import SecondPassClassifier

FORESTS = (ExtraTreesClassifier, RandomForestClassifier)
_AROUND = (CalibratedRecordClassifier, ReweightedClassifier)


class TreeModel(NamedTuple):
    """A fitted forest, and what is around it.

    Parameters
    ----------
    forest : ExtraTreesClassifier or RandomForestClassifier
        Fitted.
    columns : ndarray of int
        Columns of the beats that the forest takes, in its order.
    calibrated : CalibratedRecordClassifier or None
        Calibrates the probabilities of the forest.
    classes : ndarray
        Labels, in the order of the probabilities.
    trees : tuple
        The compiled trees of the forest.
    """

    forest: Any
    columns: np.ndarray
    calibrated: CalibratedRecordClassifier | None
    classes: np.ndarray
    trees: tuple

    def predict_proba(self, X):
        """Compute what the model does, to the last bit, for few beats faster.

        scikit-learn checks the beats anew for each tree, and hands each tree to joblib:
        together a hundred times what the tree needs for a beat.

        Parameters
        ----------
        X : ndarray of shape (n_beats, n_columns)
            Finite values.
        """
        X = np.ascontiguousarray(X[:, self.columns], dtype=np.float32)
        found = np.zeros((len(X), len(self.forest.classes_)))
        for tree in self.trees:
            found += tree.predict(X)
        found /= len(self.trees)
        if self.calibrated is None:
            return found
        found = all_classes(found, self.forest.classes_, self.classes)
        return self.calibrated._calibrated(found)


def is_tree_model(model):
    """Whether a model is a forest, or around another one, at the end of a pipeline."""
    while hasattr(model, "steps"):
        model = model.steps[-1][1]
    return isinstance(model, (*FORESTS, *_AROUND))


def take_apart(model):
    """Find the forest of a fitted model, its columns and its calibration.

    Raises
    ------
    ValueError
        If there is anything else in the model, with its name.
    """
    calibrated, part, columns = None, model, None
    while not isinstance(part, FORESTS):
        if hasattr(part, "steps"):
            columns = _columns_of(part, columns)
            part = part.steps[-1][1]
        elif isinstance(part, _AROUND) and not (calibrated and _calibrates(part)):
            check_is_fitted(part, "estimator_")
            calibrated = part if _calibrates(part) else calibrated
            part = part.estimator_
        else:
            raise ValueError(_reason(model, part))
    check_is_fitted(part)
    if part.n_outputs_ != 1:
        raise ValueError(f"The {type(part).__name__} predicts several labels a beat.")
    columns = np.arange(part.n_features_in_) if columns is None else columns
    classes = (part if calibrated is None else calibrated).classes_
    trees = tuple(tree.tree_ for tree in part.estimators_)
    return TreeModel(part, columns, calibrated, classes, trees)


def _calibrates(part):
    return isinstance(part, CalibratedRecordClassifier)


def _columns_of(pipe, columns):
    """Columns that the last step of a pipeline gets."""
    for name, step in pipe.steps[:-1]:
        if step is None or step == "passthrough" or hasattr(step, "fit_resample"):
            continue
        if not isinstance(step, ColumnTransformer):
            raise ValueError(
                f"Step {name!r} before the trees is a {type(step).__name__}. Only a "
                "ColumnTransformer that selects columns can be before them, and "
                "samplers, which act in training alone: trees need no scaler."
            )
        check_is_fitted(step)
        chosen = _selected(name, step)
        columns = chosen if columns is None else columns[chosen]
    return columns


def _selected(name, step):
    """Columns that a ColumnTransformer selects."""
    names = list(getattr(step, "feature_names_in_", []))
    found = []
    for part, transformer, columns in step.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        plain = isinstance(transformer, str)  # "passthrough"
        if isinstance(transformer, FunctionTransformer):
            plain = transformer.func is None
        columns = list(columns) if isinstance(columns, (list, np.ndarray)) else []
        if not plain or not columns:
            raise ValueError(
                f"Step {name!r} does more than to select columns by a list: see its "
                f"part {part!r}."
            )
        found += [names.index(c) if isinstance(c, str) else int(c) for c in columns]
    return np.array(found, dtype=np.intp)


def _reason(model, part):
    """Say what is in a model that is no forest."""
    if isinstance(part, SecondPassClassifier):
        return (
            f"This {type(model).__name__} holds a SecondPassClassifier, which sees all "
            "beats of a record at once: its second pass needs the answers for the "
            "neighbours, the clusters and the whole record of a beat. A graph takes "
            'each beat alone. Take a causal model, such as load_model("causal").'
        )
    known = " or ".join(kind.__name__ for kind in FORESTS)
    return (
        f"This {type(model).__name__} holds a {type(part).__name__}. Of models without "
        f"a network, those around an {known} can be exported."
    )
