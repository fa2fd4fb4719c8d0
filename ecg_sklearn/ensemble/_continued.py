"""Models whose priors go on from call to call: for the stream of one record."""

import copy

import numpy as np

from ecg_sklearn.ensemble._base import RecordClassifier
from ecg_sklearn.ensemble._calibrated import CalibratedRecordClassifier
from ecg_sklearn.ensemble._patient import PatientClassifier
from ecg_sklearn.ensemble._prior_shift import PriorShiftClassifier
from ecg_sklearn.ensemble._refined import RefinedClassifier
from ecg_sklearn.ensemble._trees import take_apart
from ecg_sklearn.utils._estimators import estimators_in, requested
from ecg_sklearn.utils._labels import choose_labels

# Their answers for a beat need no later beat.
_CAUSAL = (
    CalibratedRecordClassifier,
    PatientClassifier,
    PriorShiftClassifier,
    RefinedClassifier,
)


class ContinuedModel:
    """Ask a fitted model about the beats of one record, block after block.

    The answers are those for all beats at once. The model itself is not changed, and
    its networks and trees are not copied.

    Parameters
    ----------
    model : classifier
        Fitted, with ``predict_proba``.

    Attributes
    ----------
    reads_names : bool
        Whether the columns should have names. Trees take their columns by position.
    """

    def __init__(self, model):
        for part in estimators_in(model):
            if isinstance(part, RecordClassifier) and type(part) not in _CAUSAL:
                raise ValueError(
                    f"A {type(part).__name__} sees all beats of a record at once, and "
                    "a stream has only those so far. Use a causal model, such as "
                    "make_ecg_ensemble makes, or ecg_sklearn.analysis.analyze for a "
                    "recording that is complete."
                )
        copies = {}
        self._model = _with_memory(model, copies)
        self._trees = _trees_of(model)
        self.reads_names = self._trees is None
        self._parts = [c for c in copies.values() if isinstance(c, _Continued)]

    def choose_labels(self, probability):
        """Choose the position of each label, as the model does."""
        return choose_labels(self._model, probability)

    def predict_proba(self, X):
        """Compute the probability of each class of the next beats of the record."""
        if self._trees is not None:
            values = np.asarray(X)
            if not np.isfinite(values).all():
                raise ValueError("The beats hold NaN or infinite values.")
            return self._trees.predict_proba(values)
        groups = np.zeros(len(X))
        told = requested(self._model, "predict_proba", groups=groups)
        before = [part.counts for part in self._parts]
        try:
            return self._model.predict_proba(X, **told)
        except BaseException:  # these beats do not count
            for part, counts in zip(self._parts, before, strict=True):
                part.counts = counts
            raise


def _trees_of(model):
    """Take a model of trees apart, for speed; None if it is anything else."""
    try:
        return take_apart(model)
    except ValueError:
        return None


class _Continued(PriorShiftClassifier):
    """A PriorShiftClassifier that goes on where the last call ended."""

    def __init__(self, estimator, *, prior_strength=100.0):
        super().__init__(estimator, prior_strength=prior_strength)
        self.counts = None

    def _adapt(self, probability, counts):
        if self.counts is not None:
            counts = self.counts
        adapted, self.counts = super()._adapt(probability, counts)
        return adapted, self.counts


def _with_memory(value, copies):
    """Copy the estimators on the way to each PriorShiftClassifier; share the rest."""
    if not any(isinstance(part, PriorShiftClassifier) for part in estimators_in(value)):
        return value
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, (list, tuple)):
        return type(value)(_with_memory(item, copies) for item in value)
    if isinstance(value, dict):
        copied = copy.copy(value)
        for name, item in value.items():
            copied[name] = _with_memory(item, copies)
        return copied
    is_fitted = isinstance(value, PriorShiftClassifier) and hasattr(value, "estimator_")
    copied = object.__new__(_Continued if is_fitted else type(value))
    copies[id(value)] = copied
    state = vars(value) | ({"counts": None} if is_fitted else {})
    vars(copied).update(
        {name: _with_memory(item, copies) for name, item in state.items()}
    )
    return copied
