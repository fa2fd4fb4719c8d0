"""Class priors of a record, updated online by EM."""

from numbers import Real

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.ensemble._base import CLASSIFIER, RecordClassifier
from ecg_sklearn.utils._validation import one_for_each, records_of

# Added to probabilities: from a prior of 0 a class could not recover.
_LEAST = 1e-4


class PriorShiftClassifier(RecordClassifier):
    """Adapt the class priors of any classifier to each record, online by EM.

    The frequency of a class, such as premature beats, differs strongly between
    patients. With ``groups``, the record of each beat, the priors are estimated without
    labels by the EM algorithm of Saerens et al. [1]_ in one pass: the prior of a beat
    is the mean of the probabilities of the earlier beats of its record and of the
    training frequencies, which count as ``prior_strength`` beats. This is causal.

    Parameters
    ----------
    estimator : classifier
        Any classifier with ``predict_proba``. Its probabilities must reflect the class
        frequencies in training, so do not set ``class_weight``.
    prior_strength : float, default=100.0
        Weight of the training frequencies, in beats of a record. ``float("inf")``
        never adapts. It may be set after fit.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    class_prior_ : ndarray of shape (n_classes,)
        Frequency of each class in training.
    estimator_ : classifier
        The fitted classifier.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    Notes
    -----
    scikit-learn passes ``groups`` to ``score`` with
    ``sklearn.set_config(enable_metadata_routing=True)``, and to ``predict`` only in a
    pipeline. A scorer by name, such as "f1_macro", calls ``predict`` without it.
    A search over ``prior_strength`` therefore needs ``scoring=None`` (the accuracy), or
    a function of ``(estimator, X, y)`` that looks up the records of ``X``.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a
       classifier to new a priori probabilities: a simple procedure", Neural
       Computation 14(1), 2002.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import PriorShiftClassifier
    >>> beats = make_heartbeats(500, random_state=0)
    >>> model = PriorShiftClassifier(GaussianNB()).fit(beats.data, beats.target)
    >>> model.predict_proba(beats.data, groups=beats.groups).shape
    (500, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [CLASSIFIER],
        "prior_strength": [Interval(Real, 0, None, closed="right")],
    }

    def __init__(self, estimator, *, prior_strength=100.0):
        self.estimator = estimator
        self.prior_strength = prior_strength

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y):
        """Fit the classifier, and count the classes.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels of any kind.

        Returns
        -------
        PriorShiftClassifier
            The fitted classifier.
        """
        X, y = self._check_training_data(X, y)
        self.classes_, counts = np.unique(y, return_counts=True)
        self.class_prior_ = counts / len(y)
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat. The beats of a record must be complete and sorted by
            time, because the prior of a beat is estimated from the previous beats of
            its record. None uses the training prior.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        groups = one_for_each(groups, "groups", X)
        probability = self.estimator_.predict_proba(X)
        if groups is None or not np.isfinite(self.prior_strength):
            return probability
        adapted = np.empty(probability.shape)
        for record in records_of(groups):
            counts = self.prior_strength * self.class_prior_
            adapted[record], _ = self._adapt(probability[record], counts)
        return adapted

    def _adapt(self, probability, counts):
        """Adapt the probabilities of the next beats of a record.

        ``counts`` are those of the classes so far. Returns them with the new beats too.
        """
        likelihood = (probability + _LEAST) / (self.class_prior_ + _LEAST)
        adapted = np.empty_like(likelihood)
        for beat, row in zip(adapted, likelihood, strict=True):
            weighed = row * counts
            beat[:] = weighed / weighed.sum()
            counts = counts + beat
        return adapted, counts
