"""Any classifier, and a few labelled beats of one patient."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import (
    _num_samples,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ecg_sklearn.ensemble._base import CLASSIFIER, RecordClassifier
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.utils._columns import select_columns
from ecg_sklearn.utils._cut import check_cut, cut_of
from ecg_sklearn.utils._estimators import requested
from ecg_sklearn.utils._validation import one_for_each

_FEATURES = {name for group in FEATURE_GROUPS.values() for name in group}
_ABSOLUTE = {"rr_previous", "rr_next"}  # differ with the heart rate
_LEAST = 1e-3  # probability
_LIMIT = 4.0  # standard deviations
_DOUBT = 0.02  # that every answer deserves
_MOST_ASKED_ABOUT = 3000  # beats among which query() chooses
_AT_A_TIME = 4096  # beats


class PatientClassifier(RecordClassifier):
    """Adapt a classifier to one patient by a few labelled beats of this patient.

    ``fit`` fits ``estimator`` to many patients. ``adapt`` then takes beats of one
    patient whose class is known: those of the first five minutes, or the ten that
    :meth:`query` proposes. The probability of a beat is a weighted mean of the answer
    of ``estimator``, which counts as ``strength`` beats, and of the known classes, each
    of which counts by a Gaussian kernel of the distance between the two beats [1]_. A
    beat that resembles no known one keeps its answer.

    Parameters
    ----------
    estimator : classifier
        Any classifier with ``predict_proba``.
    strength : float, default=0.3
        Weight of the answer of ``estimator``, in beats. It may be set after fit.
    bandwidth : float, default=0.35
        Width of the kernel, in standard deviations of the training beats, as the root
        mean square over the columns. It may be set after fit.
    columns : "auto", slice, array-like or callable, default="auto"
        Columns in which beats are compared, beside the logarithms of the probabilities.
        "auto" takes the features of a loader except ``rr_previous`` and ``rr_next``,
        or all columns if there are none.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The fitted classifier.
    columns_ : ndarray of shape (n_compared,), int
        Columns in which beats are compared.
    known_ : ndarray of shape (n_known, n_compared + n_classes)
        The labelled beats of the patient, standardised.
    known_classes_ : ndarray of shape (n_known,), int
        Position of their class in ``classes_``.
    cut_ : dict or None
        How the training beats were cut: ``cut`` of a loader, if ``X`` was its frame.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    Notes
    -----
    Beats of a second patient are added to those of the first: for another patient, call
    :meth:`forget` before.

    References
    ----------
    .. [1] E. A. Nadaraya, "On estimating regression", Theory of Probability and its
       Applications 9(1), 1964.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import PatientClassifier
    >>> beats = make_heartbeats(500, n_records=5, features=["rr"], random_state=0)
    >>> mine = beats.groups == beats.groups[0]
    >>> tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    >>> model = PatientClassifier(tree).fit(beats.data[~mine], beats.target[~mine])
    >>> X, y = beats.data[mine], beats.target[mine]
    >>> rows = model.query(X, 10)
    >>> model.adapt(X, y[rows], rows=rows).predict(X).shape
    (100,)
    """

    _parameter_constraints: dict = {
        "estimator": [CLASSIFIER],
        "strength": [Interval(Real, 0, None, closed="neither")],
        "bandwidth": [Interval(Real, 0, None, closed="neither")],
        "columns": "no_validation",  # checked by select_columns
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = {"groups": True}

    def __init__(self, estimator, *, strength=0.3, bandwidth=0.35, columns="auto"):
        self.estimator = estimator
        self.strength = strength
        self.bandwidth = bandwidth
        self.columns = columns

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False  # beats are compared
        return tags

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None):
        """Fit the classifier to the beats of many patients.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for an ``estimator`` that needs it.

        Returns
        -------
        PatientClassifier
            The fitted classifier, which knows no patient yet.
        """
        X, y = self._check_training_data(X, y)
        groups = one_for_each(groups, "groups", X)
        self.classes_ = np.unique(y)
        self.cut_ = cut_of(X)
        values = validate_data(self, X, dtype=np.float64)
        self.columns_ = self._find_columns(X)
        values = values[:, self.columns_]
        self.mean_ = values.mean(axis=0)
        scale = values.std(axis=0)
        self.scale_ = np.where(scale > 0, scale, 1.0)
        told = requested(self.estimator, "fit", groups=groups)
        self.estimator_ = clone(self.estimator).fit(X, y, **told)
        return self.forget()

    def forget(self):
        """Forget the labelled beats of the patient.

        Returns
        -------
        PatientClassifier
            The classifier, as after ``fit``.
        """
        check_is_fitted(self, "estimator_")
        n_compared = len(self.columns_) + len(self.classes_)
        self.known_ = np.empty((0, n_compared))
        self.known_classes_ = np.empty(0, dtype=np.intp)
        return self

    def adapt(self, X, y, rows=None, groups=None):
        """Learn the classes of some beats of one patient.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats of the patient. For an ``estimator`` that looks at whole records, all
            beats of the record.
        y : array-like of shape (n_known,)
            Labels of the beats in ``rows``.
        rows : array-like of shape (n_known,), default=None
            Positions of the labelled beats in ``X``, or a boolean mask. None: all.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, as in :meth:`predict_proba`.

        Returns
        -------
        PatientClassifier
            The adapted classifier.

        Raises
        ------
        ValueError
            If ``y`` holds another number of labels than ``rows``, or a label that was
            not in training.
        """
        check_is_fitted(self, "estimator_")
        compared, _ = self._compared(X, groups)
        rows = np.arange(len(compared)) if rows is None else np.asarray(rows)
        known, y = compared[rows], column_or_1d(y)
        if len(known) != len(y):
            raise ValueError(
                f"y holds {len(y)} labels, and rows {len(known)} beats. Give the label "
                "of each beat in rows."
            )
        strange = set(y.tolist()) - set(self.classes_.tolist())
        if strange:
            raise ValueError(
                f"y holds {sorted(strange)}, which the training beats did not: "
                f"{self.classes_.tolist()}. Leave these beats out, or train on them."
            )
        self.known_ = np.concatenate([self.known_, known])
        place = np.searchsorted(self.classes_, y)
        self.known_classes_ = np.concatenate([self.known_classes_, place])
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats of the patient.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for an ``estimator`` that needs it. None: all beats are
            of one record.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        return self._adapted(*self._compared(X, groups))

    def _adapted(self, compared, probability):
        """Weigh the answers of the classifier with the known classes."""
        if len(self.known_) == 0:
            return probability
        known = np.eye(len(self.classes_))[self.known_classes_]
        found = np.empty_like(probability)
        for first in range(0, len(compared), _AT_A_TIME):  # for memory
            part = slice(first, first + _AT_A_TIME)
            votes = self._kernel(compared[part], self.known_) @ known
            found[part] = self.strength * probability[part] + votes
        return found / found.sum(axis=1, keepdims=True)

    def query(self, X, n=10, groups=None):
        """Choose the beats whose labels would tell most about a record.

        Beats are chosen one after the other. Each is the one that resembles most of
        the beats whose answers are in doubt and that no chosen or known beat resembles.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats of the patient.
        n : int, default=10
            Number of beats.
        groups : array-like of shape (n_beats,), default=None
            As in :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n,), int
            Positions in ``X``, the most telling first.

        Raises
        ------
        ValueError
            If ``n`` is not from 1 to the number of beats.
        """
        check_is_fitted(self, "estimator_")
        compared, probability = self._compared(X, groups)
        if not isinstance(n, Integral) or not 1 <= n <= len(compared):
            raise ValueError(
                f"n={n!r} is not a whole number from 1 to {len(compared)}, the number "
                "of beats in X."
            )
        doubt = 1 - self._adapted(compared, probability).max(axis=1) + _DOUBT
        n_some = max(n, min(len(compared), _MOST_ASKED_ABOUT))
        some = np.linspace(0, len(compared) - 1, n_some).astype(np.intp)
        compared, doubt = compared[some], doubt[some]
        alike = self._kernel(compared, compared)
        covered = np.zeros(n_some)
        if len(self.known_):
            covered = self._kernel(compared, self.known_).max(axis=1)
        chosen = []
        for _ in range(n):
            gain = np.maximum(alike - covered, 0) @ doubt
            gain[chosen] = -1
            chosen.append(int(gain.argmax()))
            covered = np.maximum(covered, alike[chosen[-1]])
        return some[chosen]

    def _find_columns(self, X):
        if isinstance(self.columns, str) and self.columns == "auto":
            names = getattr(self, "feature_names_in_", ())
            wanted = _FEATURES - _ABSOLUTE
            named = [i for i, name in enumerate(names) if name in wanted]
            return np.array(named or np.arange(self.n_features_in_))
        return select_columns(self.columns, X, "columns")

    def _compared(self, X, groups):
        """Return what beats are compared by, and the answers of the classifier."""
        check_cut(X, self.cut_)
        groups = one_for_each(groups, "groups", X)
        one = np.zeros(_num_samples(X)) if groups is None else groups
        values = validate_data(self, X, reset=False, dtype=np.float64)
        values = (values[:, self.columns_] - self.mean_) / self.scale_
        told = requested(self.estimator_, "predict_proba", groups=one)
        probability = self.estimator_.predict_proba(X, **told)
        values = np.clip(values, -_LIMIT, _LIMIT)
        return np.hstack([values, np.log(probability + _LEAST)]), probability

    def _kernel(self, beats, others):
        """Gaussian kernel of the root mean square distance."""
        square = (beats**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
        square = np.maximum(square - 2 * beats @ others.T, 0) / beats.shape[1]
        return np.exp(-square / (2 * self.bandwidth**2))
