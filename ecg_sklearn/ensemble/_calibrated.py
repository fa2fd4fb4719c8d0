"""Probabilities that hold for new records, and beats of which none is sure."""

import logging
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.base import _fit_context, clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.ensemble._base import (
    CLASSIFIER,
    RecordClassifier,
    all_classes,
    record_folds,
)
from ecg_sklearn.utils._cut import check_cut, cut_of
from ecg_sklearn.utils._estimators import requested
from ecg_sklearn.utils._validation import one_for_each, records_of

_LOGGER = logging.getLogger("ecg_sklearn.ensemble")

LEAST = 1e-4  # probability
_N_STEPS, _STEP = 200, 0.3  # of the search for weights
_LIMIT = np.log(3)  # of their logarithms: a class that is hardly known stays rare
_SMALL = 20.0  # beats, added to each class: no weight rests on a few
_N_LEVELS = 1001  # levels of probability at which the risk is known


class CalibratedRecordClassifier(RecordClassifier):
    """Calibrate a classifier on records that it was not fitted to.

    A classifier is too sure of patients that it has never met. Here, whole records are
    held out in turn. The logarithms of the probabilities that the classifier gives for
    them are calibrated by multinomial logistic regression (Dirichlet calibration [1]_).
    Then the classifier is fitted to all records.

    The most probable class of each beat would count rare classes too rarely: where N
    has .6 in ten beats, four are something else. So the probabilities are multiplied by
    a weight for each class before the largest is taken, such that each class is
    predicted as often as it occurs in the held-out records; within a third to three, so
    that a class which the classifier hardly knows stays rare.

    The held-out answers also tell how often the classifier is wrong in a new record.
    ``predict(X, reject=0.02)`` says "not sure" for the least probable answers, so many
    that in a new record 2 % of all beats at most are expected to get a wrong label.
    That is conformal risk control [2]_ with records as the units.

    Parameters
    ----------
    estimator : classifier
        Any classifier with ``predict_proba``. It is given ``groups`` if it requests
        them, as :class:`~ecg_sklearn.ensemble.SecondPassClassifier` does.
    cv : int, default=5
        Folds of whole records, of which each is held out once; fewer if there are fewer
        records.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The classifier, fitted to all records.
    calibration_ : ndarray of shape (n_classes, n_classes + 1)
        Coefficients of the logarithms of the probabilities, and the intercept, for each
        class of the multinomial logistic regression.
    label_weights_ : ndarray of shape (n_classes,)
        Weight of each class in the choice of the label; 1 for the most frequent class.
    record_counts_ : ndarray of shape (n_records, n_classes, 2)
        Beats of each class in each record, in truth and as predicted while the record
        was held out. Records are in the order of their sorted names.
    risks_ : ndarray of shape (1001,)
        Expected share of wrong labels among the beats of a new record, if beats are
        rejected whose label has a probability below 0, 0.001, ..., 1.
    cut_ : dict or None
        How the training beats were cut: ``cut`` of a loader, if ``X`` was its frame.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    Notes
    -----
    ``fit`` logs each of its parts as ``ecg_sklearn.ensemble``, at the level INFO.

    References
    ----------
    .. [1] M. Kull et al., "Beyond temperature scaling: obtaining well-calibrated
       multiclass probabilities with Dirichlet calibration", NeurIPS 2019.
    .. [2] A. N. Angelopoulos et al., "Conformal risk control", ICLR 2024.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import CalibratedRecordClassifier
    >>> beats = make_heartbeats(1000, n_records=50, random_state=0)
    >>> model = CalibratedRecordClassifier(GaussianNB(), random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> labels = model.predict(beats.data, reject=0.1)
    >>> bool((labels == -1).any())
    True
    """

    _parameter_constraints: dict = {
        "estimator": [CLASSIFIER],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = {"groups": True}

    def __init__(self, estimator, *, cv=5, random_state=None):
        self.estimator = estimator
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None):
        """Fit the classifier, and calibrate it.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,)
            Record of each beat.

        Returns
        -------
        CalibratedRecordClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If ``groups`` is missing, or holds one record only.
        """
        X, y = self._check_training_data(X, y)
        groups = self._check_training_groups(groups, X)
        self.cut_ = cut_of(X)
        self.classes_, labels = np.unique(y, return_inverse=True)
        held_out = self._predict_held_out(X, y, groups)
        self.calibration_ = _regress(_logarithms(held_out), labels)
        probability = self._calibrated(held_out)
        self.label_weights_ = _matching_weights(labels, probability)
        predicted = self.choose_labels(probability)
        records = records_of(groups)
        self.record_counts_ = _count(labels, predicted, records)
        self.risks_ = _risks(labels, predicted, probability, records)
        _LOGGER.info("fitting to all %d records", len(records))
        self.estimator_ = self._fit_estimator(X, y, groups)
        return self

    def predict(self, X, groups=None, reject=None):
        """Predict the class of each beat, by weighted probabilities.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, if the classifier takes it.
        reject : float, default=None
            Share of the beats of a new record that may get a wrong label, such as 0.02.
            Beats that are not sure enough get the label -1, or "?" where labels are
            strings. None labels all.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.

        Raises
        ------
        ValueError
            If there are too few training records for so small a share.
        """
        probability = self.predict_proba(X, groups=groups)
        chosen = self.choose_labels(probability)
        labels = self.classes_[chosen]
        if reject is None:
            return labels
        unsure = probability[np.arange(len(chosen)), chosen] < self.threshold(reject)
        if labels.dtype.kind in "OU":
            return np.where(unsure, "?", labels)
        return np.where(unsure, -1, labels)

    def predict_proba(self, X, groups=None):
        """Compute the calibrated probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, if the classifier takes it.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        check_cut(X, self.cut_)
        groups = one_for_each(groups, "groups", X)
        return self._calibrated(self._ask(self.estimator_, X, groups))

    def choose_labels(self, probability):
        """Choose the label of each beat, given its calibrated probabilities.

        Parameters
        ----------
        probability : ndarray of shape (n_beats, n_classes)
            As :meth:`predict_proba` gives it.

        Returns
        -------
        ndarray of int of shape (n_beats,)
            Position in ``classes_`` of each label.
        """
        return (np.asarray(probability) * self.label_weights_).argmax(axis=1)

    @validate_params(
        {"self": "no_validation", "risk": [Interval(Real, 0, 1, closed="neither")]},
        prefer_skip_nested_validation=True,
    )
    def threshold(self, risk):
        """Find the least probability of a label that is sure.

        Parameters
        ----------
        risk : float
            Share of the beats of a new record that may get a wrong label.

        Returns
        -------
        float
            From 0 to 1.

        Raises
        ------
        ValueError
            If there are too few training records for so small a share.
        """
        check_is_fitted(self, "risks_")
        enough = np.flatnonzero(self.risks_ <= risk)
        if len(enough) == 0:
            least, n_records = self.risks_[-1], len(self.record_counts_)
            raise ValueError(
                f"A risk of {risk:g} cannot be promised from {n_records} training "
                f"records. Ask for {least:.3g} or more."
            )
        return float(enough[0] / (_N_LEVELS - 1))

    def _check_training_groups(self, groups, X):
        if groups is None:
            raise ValueError(
                "CalibratedRecordClassifier needs groups, the record of each beat "
                "(beats.groups): it is calibrated on records that were held out."
            )
        groups = one_for_each(groups, "groups", X)
        n_records = len(np.unique(groups))
        if n_records < 2:
            raise ValueError(
                "CalibratedRecordClassifier needs beats of two records or more, and "
                f"groups holds {n_records}."
            )
        return groups

    def _predict_held_out(self, X, y, groups):
        """Probabilities of records that the classifier was not fitted to."""
        found = np.zeros((len(y), len(self.classes_)))
        folds = list(record_folds(y, groups, self.cv, self.random_state))
        for number, (fitted, rows) in enumerate(folds, start=1):
            _LOGGER.info(
                "fitting without the records of fold %d/%d", number, len(folds)
            )
            part = _safe_indexing(X, fitted)
            model = self._fit_estimator(part, y[fitted], groups[fitted])
            found[rows] = self._ask(model, _safe_indexing(X, rows), groups[rows])
        return found

    def _fit_estimator(self, X, y, groups):
        told = requested(self.estimator, "fit", groups=groups)
        return clone(self.estimator).fit(X, y, **told)

    def _ask(self, model, X, groups):
        told = requested(model, "predict_proba", groups=groups)
        found = model.predict_proba(X, **told)
        return all_classes(found, model.classes_, self.classes_)

    def _calibrated(self, probability):
        coefficients, intercept = self.calibration_[:, :-1], self.calibration_[:, -1]
        return softmax(_logarithms(probability) @ coefficients.T + intercept, axis=1)


def _logarithms(probability):
    return np.log(np.clip(probability, LEAST, None))


def _regress(logarithms, labels):
    """Fit a multinomial logistic regression: coefficients and intercept of each class.

    They are kept as an array, which all versions of scikit-learn can use.
    """
    n_classes = logarithms.shape[1]
    if n_classes == 1:
        return np.zeros((1, 2))
    found = LogisticRegression(solver="newton-cholesky").fit(logarithms, labels)
    table = np.column_stack([found.coef_, found.intercept_])
    return table if n_classes > 2 else np.vstack([np.zeros_like(table), table])


def _count(labels, predicted, records):
    """Count the beats of each class in each record, in truth and as predicted."""
    n_classes = max(labels.max(), predicted.max()) + 1
    return np.stack(
        [
            [np.bincount(of[rows], minlength=n_classes) for of in (labels, predicted)]
            for rows in records
        ]
    ).transpose(0, 2, 1)


def _matching_weights(labels, probability):
    """Find weights with which each class is predicted as often as it occurs."""
    counts = np.bincount(labels, minlength=probability.shape[1])
    logarithms = np.log(np.clip(probability, LEAST, None))
    weights = np.zeros(len(counts))
    for _ in range(_N_STEPS):
        found = np.bincount(
            (logarithms + weights).argmax(axis=1), minlength=len(counts)
        )
        weights += _STEP * (np.log(counts + _SMALL) - np.log(found + _SMALL))
        weights -= weights[counts.argmax()]
        weights = np.clip(weights, -_LIMIT, _LIMIT)
    return np.exp(weights)


def _risks(labels, predicted, probability, records):
    """Bound the expected share of wrong labels that are sure, for each level [2].

    With n records, the next one may be as bad as can be: it counts as the (n + 1)st,
    with a share of 1.
    """
    levels = np.linspace(0, 1, _N_LEVELS)
    sureness = probability[np.arange(len(predicted)), predicted]
    total = np.ones(_N_LEVELS)
    for rows in records:
        wrong = np.sort(sureness[rows][predicted[rows] != labels[rows]])
        n_sure = len(wrong) - np.searchsorted(wrong, levels)
        total += n_sure / len(rows)
    return total / (len(records) + 1)
