"""The shape of a beat and its rhythm, each judged by a classifier of its own.

Arrays in, probabilities out: any classifier can be the one of the shape. May import
from :mod:`ecg_sklearn.datasets` and the helpers that import nothing.
"""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn._columns import flat_array
from ecg_sklearn.datasets._rhythm import RHYTHM_NAMES, rhythm_features

__all__ = ["ShapeRhythmClassifier"]

# Below this many early beats, a record has no episodes of them worth repeating.
_FEWEST_EARLY = 5
_PREVIOUS = RHYTHM_NAMES.index("rr_previous")


class ShapeRhythmClassifier(ClassifierMixin, BaseEstimator):
    """Let the rhythm tell premature beats from normal ones, and the shape the rest.

    A premature supraventricular beat (S) takes the normal way through the ventricles
    and looks like a normal beat (N); what tells it is that it comes early [1]_. So the
    decision has two stages. One classifier sees the shape and gives probabilities of
    all classes. A second one sees the intervals alone, learns from beats of the two
    alike classes alone, and parts what the first gave to these two between them.

    Parameters
    ----------
    estimator : classifier
        Sees all columns of ``X`` but those of the rhythm, and all classes: a pipeline
        of :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, or any other with
        ``predict_proba``.
    rhythm_estimator : classifier, default=None
        Sees the columns of the rhythm, and the beats of the two classes. None stands
        for ``ExtraTreesClassifier(n_estimators=200)`` [2]_.
    n_rhythm : int, default=28
        How many of the last columns of ``X`` are rhythm: ``n_rhythm`` of the Bunch
        that ``fetch_mitbih(rhythm=True)`` gives.
    pair : tuple of two labels, default=(0, 1)
        The class of usual beats and that of early ones. Where the training beats have
        one of them alone, there is nothing to part, and the shape decides.
    n_around : sequence of int, default=(2, 5, 12)
        With ``groups`` in fit and ``RHYTHM_NAMES`` as columns, episodes of early beats
        are learned from once more, as if they followed each other: for each number,
        the early beats of each record and so many on either side, with the rhythm
        computed anew. Early beats are rare in most training records and may be the
        rule in the next patient. ``()`` adds none.
    random_state : int, RandomState instance or None, default=None
        Seed of the default ``rhythm_estimator``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The fitted classifier of the shape.
    rhythm_estimator_ : classifier or None
        The fitted classifier of the rhythm; its class 1 is early. None without
        beats of both classes.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.datasets.fetch_mitbih : Gives the columns, with ``rhythm=True``.
    ecg_sklearn.pipeline.make_ecg_pipeline : A classifier of the shape.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.
    .. [2] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63(1), 2006.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ecg_sklearn import ShapeRhythmClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> beats = make_heartbeats(500, rhythm=True, random_state=0)
    >>> model = ShapeRhythmClassifier(GaussianNB(), n_rhythm=beats.n_rhythm)
    >>> model.fit(beats.data, beats.target, groups=beats.groups)
    ShapeRhythmClassifier(estimator=GaussianNB())
    >>> model.predict_proba(beats.data).shape
    (500, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "rhythm_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "n_rhythm": [Interval(Integral, 1, None, closed="left")],
        "pair": [tuple, list],
        "n_around": [tuple, list],
        "random_state": ["random_state"],
    }

    # They mean one thing only, so a search need not be told to route them.
    __metadata_request__fit = {"groups": True, "X_val": True, "y_val": True}

    def __init__(
        self,
        estimator,
        *,
        rhythm_estimator=None,
        n_rhythm=28,
        pair=(0, 1),
        n_around=(2, 5, 12),
        random_state=None,
    ):
        self.estimator = estimator
        self.rhythm_estimator = rhythm_estimator
        self.n_rhythm = n_rhythm
        self.pair = pair
        self.n_around = n_around
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None, X_val=None, y_val=None):
        """Train both classifiers.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns + n_rhythm)
            Beats, and the columns of their rhythm last.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for the episodes of early beats. The beats of a record
            must be in the order of time.
        X_val, y_val : array-like, default=None
            Beats to validate on, in the form of ``X`` and ``y``; handed on to the
            classifier of the shape, which must take them.

        Returns
        -------
        ShapeRhythmClassifier
            The fitted classifier.
        """
        X, y = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(y)
        usual, early = self._check_pair()
        shape, rhythm = self._parts(X)
        if groups is not None:
            groups = flat_array(groups, "groups")
            if len(groups) != len(y):
                raise ValueError(
                    f"groups names the records of {len(groups)} beats, and X holds "
                    f"{len(y)}. Give one for each beat."
                )
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_[0]}. Give beats of two at least."
            )
        known = np.isin(self.pair, self.classes_)
        if not known.any():
            raise ValueError(
                f"pair={self.pair!r} are no labels of y, which holds "
                f"{self.classes_.tolist()}. Name the class of usual beats and that of "
                "early ones."
            )
        extra = {}
        if X_val is not None:
            X_val = validate_data(self, X_val, dtype=X.dtype, reset=False)
            extra = {"X_val": self._parts(X_val)[0], "y_val": y_val}
        self.estimator_ = clone(self.estimator).fit(shape, y, **extra)
        self.rhythm_estimator_ = None
        if known.all():
            self._fit_rhythm(rhythm, y == usual, y == early, groups)
        return self

    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats, and the columns of their rhythm last.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        shape, rhythm = self._parts(X)
        proba = np.array(self.estimator_.predict_proba(shape))
        if self.rhythm_estimator_ is not None:
            usual, early = np.searchsorted(self.classes_, self.pair)
            share = self.rhythm_estimator_.predict_proba(rhythm)[:, 1]
            both = proba[:, usual] + proba[:, early]
            proba[:, early] = both * share
            proba[:, usual] = both * (1 - share)
        return proba

    def predict(self, X):
        """Predict the class of each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats, and the columns of their rhythm last.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.
        """
        chosen = self.predict_proba(X).argmax(axis=1)
        return self.classes_[chosen]

    def _check_pair(self):
        """Check that the pair is two labels that differ."""
        if len(self.pair) != 2 or self.pair[0] == self.pair[1]:
            raise ValueError(
                f"pair={self.pair!r} is not two labels. Give the class of usual beats "
                "and that of early ones, such as (0, 1)."
            )
        return self.pair

    def _parts(self, X):
        """Part the columns of the shape from those of the rhythm."""
        if X.shape[1] <= self.n_rhythm:
            raise ValueError(
                f"n_rhythm={self.n_rhythm} leaves no column for the shape: X has "
                f"n_features={X.shape[1]}. Append the rhythm behind the samples."
            )
        return X[:, : -self.n_rhythm], X[:, -self.n_rhythm :]

    def _fit_rhythm(self, rhythm, is_usual, is_early, groups):
        """Fit the classifier of the rhythm to the beats of both classes."""
        rows = is_usual | is_early
        X, y = [rhythm[rows]], [is_early[rows]]
        if groups is not None and len(self.n_around):
            self._check_episodes()
            for place in _records_of(groups):
                for n_around in self.n_around:
                    again = place[_around(is_early[place], n_around)]
                    features = _one_behind_the_other(rhythm[again, _PREVIOUS])
                    X.append(features[rows[again]])
                    y.append(is_early[again][rows[again]])
        classifier = self.rhythm_estimator
        if classifier is None:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            classifier = ExtraTreesClassifier(n_estimators=200, random_state=seed)
        classifier = clone(classifier)
        codes = np.concatenate(y).astype(int)
        self.rhythm_estimator_ = classifier.fit(np.concatenate(X), codes)

    def _check_episodes(self):
        if not all(isinstance(n, Integral) and n >= 1 for n in self.n_around):
            raise ValueError(
                f"n_around={self.n_around!r} are not all whole numbers of 1 or more. "
                "Give such as (2, 5, 12), or () for no episodes."
            )
        if self.n_rhythm != len(RHYTHM_NAMES):
            raise ValueError(
                f"n_around={self.n_around!r} needs the columns RHYTHM_NAMES, and "
                f"n_rhythm={self.n_rhythm} are others. Set n_around=(), or give no "
                "groups."
            )


def _records_of(groups):
    """Positions of the beats of each record."""
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:])


def _around(is_early, n_around):
    """Which beats of a record are early, or near to one; none if those are too few."""
    if np.count_nonzero(is_early) < _FEWEST_EARLY:
        return np.zeros(len(is_early), dtype=bool)
    near = np.convolve(is_early, np.ones(2 * n_around + 1))
    return near[n_around : n_around + len(is_early)] > 0


def _one_behind_the_other(log_interval):
    """Rhythm of beats that follow each other at the intervals before them."""
    return rhythm_features(np.cumsum(np.exp(log_interval, dtype=np.float64)))
