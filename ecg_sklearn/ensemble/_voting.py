"""Mean of probabilities, with validation beats."""

import numpy as np
from sklearn import config_context
from sklearn.ensemble import VotingClassifier


class SoftVotingClassifier(VotingClassifier):
    """Average the probabilities of classifiers, which may take validation beats.

    This is scikit-learn's VotingClassifier with ``voting="soft"``. In addition,
    ``fit`` takes ``X_val`` and ``y_val``, with and without metadata routing, and passes
    them to those classifiers that request them, such as pipelines of
    :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`.

    Parameters
    ----------
    estimators : list of (str, classifier) tuples
        Names and classifiers with ``predict_proba``.
    weights : array-like of shape (n_classifiers,), default=None
        Weight of each classifier in the mean.
    n_jobs : int, default=None
        Number of classifiers fitted at the same time.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimators_ : list of classifiers
        The fitted classifiers; their labels are positions in ``classes_``.
    named_estimators_ : Bunch
        The same, by name.
    le_ : LabelEncoder
        Finds the position of a label.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import SoftVotingClassifier
    >>> X, y = make_heartbeats(500, random_state=0, return_X_y=True)
    >>> tree = DecisionTreeClassifier(max_depth=5)
    >>> model = SoftVotingClassifier([("bayes", GaussianNB()), ("tree", tree)])
    >>> model.fit(X, y).predict_proba(X).shape
    (500, 5)
    """

    def __init__(self, estimators, *, weights=None, n_jobs=None):
        super().__init__(estimators, voting="soft", weights=weights, n_jobs=n_jobs)

    def fit(self, X, y, **fit_params):
        """Fit the classifiers.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        **fit_params : dict
            ``X_val`` and ``y_val``, in the form of ``X`` and ``y``, and what
            VotingClassifier takes.

        Returns
        -------
        SoftVotingClassifier
            The fitted classifier.
        """
        if not fit_params.keys() & {"X_val", "y_val"}:
            return super().fit(X, y, **fit_params)
        if (y_val := fit_params.get("y_val")) is not None:
            # The classifiers see positions of the labels.
            classes, y_val = np.unique(y), np.asarray(y_val)
            if unknown := set(np.unique(y_val).tolist()) - set(classes.tolist()):
                raise ValueError(
                    f"y_val holds labels {sorted(unknown)} that y does not: "
                    f"{classes.tolist()}. Take them out, or add them to y."
                )
            fit_params["y_val"] = np.searchsorted(classes, y_val)
        with config_context(enable_metadata_routing=True):
            return super().fit(X, y, **fit_params)
