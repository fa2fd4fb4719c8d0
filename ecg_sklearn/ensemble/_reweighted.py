"""Weights of classes that depend on their frequency."""

from numbers import Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.ensemble._base import CLASSIFIER, WrappingClassifier


class ReweightedClassifier(WrappingClassifier):
    """Weight each class by a power of its inverse frequency in training.

    ``class_weight="balanced"`` of scikit-learn is the power 1.0, which favours rare
    classes so strongly that many frequent beats are taken for them.

    Parameters
    ----------
    estimator : classifier
        Any classifier with ``predict_proba`` whose ``fit`` takes ``sample_weight``. If
        a class has a single beat, which cannot be in training and held out too,
        it is fitted without ``early_stopping``.
    power : float, default=0.5
        Exponent, from 0.0 (no weights) to 1.0. The weight of the most frequent class
        is 1.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    weights_ : ndarray of shape (n_classes,)
        Weight of a beat of each class.
    estimator_ : classifier
        The fitted classifier.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import ReweightedClassifier
    >>> beats = make_heartbeats(500, weights=[0.9, 0.1, 0, 0, 0], random_state=0)
    >>> model = ReweightedClassifier(GaussianNB()).fit(beats.data, beats.target)
    >>> model.weights_.tolist()
    [1.0, 3.0]
    """

    _parameter_constraints: dict = {
        "estimator": [CLASSIFIER],
        "power": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, estimator, *, power=0.5):
        self.estimator = estimator
        self.power = power

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the classifier with the weights.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels of any kind.

        Returns
        -------
        ReweightedClassifier
            The fitted classifier.
        """
        X, y = self._check_training_data(X, y)
        self.classes_, place, counts = np.unique(
            y, return_inverse=True, return_counts=True
        )
        self.weights_ = (counts.max() / counts) ** self.power
        estimator = clone(self.estimator)
        if counts.min() == 1 and "early_stopping" in estimator.get_params(deep=False):
            estimator.set_params(early_stopping=False)
        self.estimator_ = estimator.fit(X, y, sample_weight=self.weights_[place])
        return self

    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.predict_proba(X)
