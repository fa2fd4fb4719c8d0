"""Base classes of classifiers around another classifier."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils import check_random_state, get_tags, indexable
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

CLASSIFIER = HasMethods(["fit", "predict_proba"])


def record_folds(y, groups, cv, random_state):
    """Split into folds of whole records; yield rows to fit, and rows held out."""
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    n_folds = min(cv, len(np.unique(groups)))
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    return folds.split(y, y, groups)


def all_classes(probability, classes, wanted):
    """Columns for all classes; 0 for those that a fold did not have."""
    found = np.zeros((len(probability), len(wanted)))
    found[:, np.searchsorted(wanted, classes)] = probability
    return found


class WrappingClassifier(ClassifierMixin, BaseEstimator):
    """A classifier around ``estimator``, which alone looks into ``X``."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags

    def _check_training_data(self, X, y):
        """Check columns and labels, and forget the last fit."""
        validate_data(self, X, y, skip_check_array=True)
        X, y = indexable(X, column_or_1d(y, warn=True))
        check_classification_targets(y)
        self.__dict__.pop("estimator_", None)
        return X, y

    def predict(self, X):
        """Predict the most probable class of each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.
        """
        chosen = self.predict_proba(X).argmax(axis=1)
        return self.classes_[chosen]


class RecordClassifier(WrappingClassifier):
    """A classifier that takes the record of each beat to predict."""

    # Requested by default with metadata routing.
    __metadata_request__predict = {"groups": True}
    __metadata_request__predict_proba = {"groups": True}
    __metadata_request__score = {"groups": True}

    def predict(self, X, groups=None):
        """Predict the most probable class of each beat.

        Parameters
        ----------
        X, groups : array-like
            As in :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.
        """
        chosen = self.predict_proba(X, groups=groups).argmax(axis=1)
        return self.classes_[chosen]

    def score(self, X, y, sample_weight=None, groups=None):
        """Compute the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats.
        y : array-like of shape (n_beats,)
            The true labels.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, as in :meth:`predict_proba`.

        Returns
        -------
        float
            Fraction of beats predicted correctly.
        """
        predicted = self.predict(X, groups=groups)
        return accuracy_score(y, predicted, sample_weight=sample_weight)
