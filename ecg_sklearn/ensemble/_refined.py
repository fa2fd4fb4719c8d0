"""One classifier for all classes, and another one for two of them."""

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.ensemble._base import CLASSIFIER, RecordClassifier
from ecg_sklearn.utils._estimators import requested
from ecg_sklearn.utils._validation import one_for_each

# Classes of the refiner, and all others.
_NORMAL, _PREMATURE, _IRREGULAR, _OTHER = 0, 1, 2, -1


class RefinedClassifier(RecordClassifier):
    """Split the probability of two classes by a second classifier.

    A premature supraventricular beat (S) is conducted normally through the ventricles.
    Its morphology is that of a normal beat (N), but it is premature [1]_. The decision
    therefore has two stages: ``estimator`` predicts probabilities of all classes.
    ``refiner`` is trained only on beats of these two classes, and splits the
    probability of the two between them.

    Beats in atrial fibrillation resemble premature beats: with ``rhythms`` in fit,
    normal beats of irregular rhythms become a separate class of the refiner.

    Parameters
    ----------
    estimator : classifier
        First stage, for all classes, with ``predict_proba``.
    refiner : classifier
        Second stage, with ``predict_proba``. Its labels are 0 (normal), 1 (premature)
        and, if there are such beats, 2 (normal in an irregular rhythm).
    pair : tuple of two labels, default=(0, 1)
        The class of normal beats and the class of premature beats. If the training
        beats have only one of them, there is no second stage.
    sampler : sampler or None, default=None
        Adds beats before the refiner is fitted, such as
        :class:`~ecg_sklearn.over_sampling.EpisodeSampler`. It sees all beats, with the
        labels of the refiner, and -1 for those of other classes.
    irregular : sequence of str, default=("AFIB", "AFL")
        With ``rhythms`` in fit: rhythms whose normal beats become a separate class.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The fitted first stage.
    refiner_ : classifier or None
        The fitted second stage; None without beats of both classes of the pair.
    pair_ : ndarray of shape (2,) or None
        Positions of the pair in ``classes_``.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    ecg_sklearn.pipeline.make_ecg_ensemble : Network, trees and refiner in one model.

    Notes
    -----
    ``groups`` goes to the stages and the sampler that request it, such as
    :class:`~ecg_sklearn.ensemble.PriorShiftClassifier`, whose notes say when
    scikit-learn passes ``groups`` on.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.

    Examples
    --------
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.pipeline import make_pipeline
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import RefinedClassifier
    >>> beats = make_heartbeats(500, features=["rr"], random_state=0)
    >>> intervals = make_column_transformer(("passthrough", beats.feature_names[187:]))
    >>> model = RefinedClassifier(GaussianNB(), make_pipeline(intervals, GaussianNB()))
    >>> model.fit(beats.data, beats.target).predict_proba(beats.data).shape
    (500, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [CLASSIFIER],
        "refiner": [CLASSIFIER],
        "pair": [tuple, list],
        "sampler": [HasMethods(["fit_resample"]), None],
        "irregular": [tuple, list],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = dict.fromkeys(
        ("groups", "rhythms", "X_val", "y_val"), True
    )

    def __init__(
        self,
        estimator,
        refiner,
        *,
        pair=(0, 1),
        sampler=None,
        irregular=("AFIB", "AFL"),
    ):
        self.estimator = estimator
        self.refiner = refiner
        self.pair = pair
        self.sampler = sampler
        self.irregular = irregular

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None, rhythms=None, X_val=None, y_val=None):
        """Fit both stages.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats with features: a DataFrame of a loader.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for the sampler. The beats of a record must be sorted
            by time.
        rhythms : array-like of shape (n_beats,), default=None
            Rhythm annotation of each beat, such as "N" or "AFIB": ``rhythms`` of the
            Bunch. Needed only for training.
        X_val, y_val : array-like, default=None
            Validation beats, in the form of ``X`` and ``y``; passed to ``estimator``,
            whose ``fit`` must accept them.

        Returns
        -------
        RefinedClassifier
            The fitted classifier.
        """
        X, y = self._check_training_data(X, y)
        classes = np.unique(y)
        both = self._check_pair(classes)
        groups = one_for_each(groups, "groups", X)
        rhythms = one_for_each(rhythms, "rhythms", X)
        validation = {"X_val": X_val, "y_val": y_val}
        validation = {k: value for k, value in validation.items() if value is not None}
        if len(validation) == 1:
            given = next(iter(validation))
            raise ValueError(f"Only {given} was given. Give both X_val and y_val.")
        self.classes_ = classes
        self.pair_ = self.refiner_ = None
        if both:
            self.pair_ = np.searchsorted(classes, self.pair)
            self.refiner_ = self._fit_refiner(X, self._kinds_of(y, rhythms), groups)
        self.estimator_ = clone(self.estimator).fit(X, y, **validation)
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats with features.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, as in
            :class:`~ecg_sklearn.ensemble.PriorShiftClassifier`.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        groups = one_for_each(groups, "groups", X)
        probability = np.array(_predict(self.estimator_, X, groups))
        if self.refiner_ is not None:
            normal, premature = self.pair_
            share = _predict(self.refiner_, X, groups)[:, _PREMATURE]
            both = probability[:, normal] + probability[:, premature]
            probability[:, premature] = both * share
            probability[:, normal] = both * (1 - share)
        return probability

    def _check_pair(self, classes):
        """Check the pair; return whether both of its classes occur."""
        if len(self.pair) != 2 or self.pair[0] == self.pair[1]:
            raise ValueError(
                f"pair={self.pair!r} is not two labels. Give the class of normal beats "
                "and that of premature ones, such as (0, 1)."
            )
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class or none: {classes.tolist()}. Give beats of two."
            )
        # np.isin would take 1 for "1".
        known = [label in classes.tolist() for label in self.pair]
        if not any(known):
            raise ValueError(
                f"pair={self.pair!r} are no labels of y, which holds "
                f"{classes.tolist()}. Name the class of normal beats and that of "
                "premature ones."
            )
        return all(known)

    def _kinds_of(self, y, rhythms):
        """Labels of the refiner, and of all other beats."""
        normal, premature = self.pair
        kinds = np.select([y == normal, y == premature], [_NORMAL, _PREMATURE], _OTHER)
        if rhythms is not None:
            is_normal = kinds == _NORMAL
            irregular = is_normal & np.isin(rhythms, list(self.irregular))
            if irregular.sum() < is_normal.sum():  # unless all are irregular
                kinds[irregular] = _IRREGULAR
        return kinds

    def _fit_refiner(self, X, kinds, groups):
        """Fit the refiner to the beats of the pair."""
        if self.sampler is not None:
            told = requested(self.sampler, "fit_resample", groups=groups)
            X, kinds = clone(self.sampler).fit_resample(X, kinds, **told)
        rows = np.flatnonzero(kinds != _OTHER)
        return clone(self.refiner).fit(_safe_indexing(X, rows), kinds[rows])


def _predict(classifier, X, groups):
    told = requested(classifier, "predict_proba", groups=groups)
    return classifier.predict_proba(X, **told)
