"""The shape of a beat and its rhythm, each judged by a classifier of its own.

Arrays in, probabilities out: any classifier can be the one of the shape.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn.ensemble._episodes import episodes_of
from ecg_sklearn.ensemble._priors import adapt_to_records
from ecg_sklearn.features._rr import RHYTHM_NAMES
from ecg_sklearn.utils._validation import flat_array

__all__ = ["ShapeRhythmClassifier"]

# Classes of the rhythm; what the shape tells by itself is none of them.
_USUAL, _EARLY, _IRREGULAR, _OTHER = 0, 1, 2, -1


class ShapeRhythmClassifier(ClassifierMixin, BaseEstimator):
    """Let the rhythm tell premature beats from normal ones, and the shape the rest.

    A premature supraventricular beat (S) takes the normal way through the ventricles
    and looks like a normal beat (N); what tells it is that it comes early [1]_. So the
    decision has two stages. One classifier sees the shape and gives probabilities of
    all classes. A second one sees the intervals alone, learns from beats of the two
    alike classes alone, and parts what the first gave to these two between them.

    How many beats are early differs from patient to patient more than anything else.
    Told which beats are of one record, the second stage lets the beats before a beat
    say how many to expect: by EM, without labels, and without a look ahead [3]_. For
    this the usual beats of irregular rhythms are best a class of their own, since
    atrial fibrillation would pass for many early beats; ``rhythms`` of the training
    beats does that.

    Parameters
    ----------
    estimator : classifier
        Sees all columns of ``X`` but those of the rhythm, and all classes: a pipeline
        of :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, or any other with
        ``predict_proba``.
    context_estimator : classifier or None, default=None
        Sees the columns of the context alone, and all classes; its probabilities and
        those of ``estimator`` are averaged. Trees on the context err elsewhere than a
        network does.
    rhythm_estimator : classifier, default=None
        Sees the columns of the rhythm, and the beats of the two classes. None stands
        for ``ExtraTreesClassifier(n_estimators=200)`` [2]_. Its probabilities must be
        those of the shares that the classes have in training: no ``class_weight``.
    n_rhythm : int, default=28
        How many of the last columns of ``X`` are rhythm: ``n_rhythm`` of the Bunch
        that ``fetch_mitbih(rhythm=True)`` gives.
    n_context : int, default=22
        How many columns in front of those are context, with a ``context_estimator``:
        ``n_context`` of the Bunch that ``fetch_mitbih(context=True)`` gives.
    pair : tuple of two labels, default=(0, 1)
        The class of usual beats and that of early ones. Where the training beats have
        one of them alone, there is nothing to part, and the shape decides.
    n_around : sequence of int, default=(2, 5, 12)
        With ``groups`` in fit and ``RHYTHM_NAMES`` as columns, episodes of early beats
        are learned from once more, as if they followed each other: for each number,
        the early beats of each record and so many on either side, with the rhythm
        computed anew. Early beats are rare in most training records and may be the
        rule in the next patient. ``()`` adds none.
    irregular : sequence of str, default=("AFIB", "AFL")
        With ``rhythms`` in fit: those in which early intervals mean little, and whose
        beats of the usual class the second stage learns as a class of their own.
    prior_strength : float, default=100.0
        With ``groups`` in predict: how many beats of a record the shares of the
        classes in training count for, before its own past outweighs them.
        ``float("inf")`` keeps those of training. It may be set after fit.
    random_state : int, RandomState instance or None, default=None
        Seed of the default ``rhythm_estimator``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The fitted classifier of the shape.
    context_estimator_ : classifier or None
        The fitted classifier of the context.
    rhythm_estimator_ : classifier or None
        The fitted classifier of the rhythm. Its class 0 is usual, 1 early, 2 usual in
        an irregular rhythm, if there were such beats. None without beats of both
        classes of the pair.
    pair_ : ndarray of shape (2,) or None
        Positions of the pair in ``classes_``.
    rhythm_shares_ : ndarray of shape (2,) or (3,), or None
        Shares of these classes in what it was fitted to.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.datasets.fetch_mitbih : Gives the columns, with ``rhythm=True``.
    ecg_sklearn.pipeline.make_ecg_pipeline : A classifier of the shape.

    Notes
    -----
    scikit-learn hands ``groups`` to the ``fit`` and ``score`` of this classifier only
    with ``sklearn.set_config(enable_metadata_routing=True)``, and to ``predict`` in a
    pipeline alone: a scorer by name, such as "f1_macro", calls ``predict`` without it.
    So a search over ``prior_strength`` takes ``scoring=None`` (the accuracy), or a
    function of ``(estimator, X, y)`` that knows the records of ``X``. With ``groups``,
    ask ``search.best_estimator_`` to predict.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.
    .. [2] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63(1), 2006.
    .. [3] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a
       classifier to new a priori probabilities: a simple procedure", Neural
       Computation 14(1), 2002.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from ecg_sklearn import ShapeRhythmClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> beats = make_heartbeats(500, rhythm=True, random_state=0)
    >>> model = ShapeRhythmClassifier(GaussianNB(), n_rhythm=beats.n_rhythm)
    >>> model.fit(beats.data, beats.target, groups=beats.groups)
    ShapeRhythmClassifier(estimator=GaussianNB())
    >>> model.predict_proba(beats.data, groups=beats.groups).shape
    (500, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "context_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "rhythm_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "n_rhythm": [Interval(Integral, 1, None, closed="left")],
        "n_context": [Interval(Integral, 1, None, closed="left")],
        "pair": [tuple, list],
        "n_around": [tuple, list],
        "irregular": [tuple, list],
        "prior_strength": [Interval(Real, 0, None, closed="right")],
        "random_state": ["random_state"],
    }

    # With routing on, they reach fit, predict and score without a request.
    __metadata_request__fit = {
        "groups": True,
        "rhythms": True,
        "X_val": True,
        "y_val": True,
    }
    __metadata_request__predict = {"groups": True}
    __metadata_request__predict_proba = {"groups": True}
    __metadata_request__score = {"groups": True}

    def __init__(
        self,
        estimator,
        *,
        context_estimator=None,
        rhythm_estimator=None,
        n_rhythm=28,
        n_context=22,
        pair=(0, 1),
        n_around=(2, 5, 12),
        irregular=("AFIB", "AFL"),
        prior_strength=100.0,
        random_state=None,
    ):
        self.estimator = estimator
        self.context_estimator = context_estimator
        self.rhythm_estimator = rhythm_estimator
        self.n_rhythm = n_rhythm
        self.n_context = n_context
        self.pair = pair
        self.n_around = n_around
        self.irregular = irregular
        self.prior_strength = prior_strength
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None, rhythms=None, X_val=None, y_val=None):
        """Train all classifiers.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns + n_rhythm)
            Beats, and the columns of their rhythm last.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for the episodes of early beats. The beats of a record
            must be in the order of time.
        rhythms : array-like of shape (n_beats,), default=None
            Rhythm that each beat is part of, such as "N" and "AFIB": ``rhythms`` of
            the Bunch. Only training knows it.
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
        if (X_val is None) != (y_val is None):
            given = "y_val" if X_val is None else "X_val"
            raise ValueError(f"Only {given} was given. Give both X_val and y_val.")
        usual, early = self._check_pair()
        shape, rhythm = self._parts(X)
        groups = _one_for_each(groups, "groups", X)
        rhythms = _one_for_each(rhythms, "rhythms", X)
        classes = np.unique(y)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class, {classes[0]}. Give beats of two at least."
            )
        known = np.isin(self.pair, classes)
        if not known.any():
            raise ValueError(
                f"pair={self.pair!r} are no labels of y, which holds "
                f"{classes.tolist()}. Name the class of usual beats and that of early "
                "ones."
            )
        if known.all() and groups is not None and len(self.n_around):
            self._check_episodes()
        context = None if self.context_estimator is None else self._context(shape)
        extra = {}
        if X_val is not None:
            X_val = validate_data(self, X_val, dtype=X.dtype, reset=False)
            extra = {"X_val": self._parts(X_val)[0], "y_val": y_val}
        self.__dict__.pop("estimator_", None)  # until this fit has come to its end
        self.classes_ = classes
        self.pair_ = self.rhythm_estimator_ = self.rhythm_shares_ = None
        self.context_estimator_ = None
        if context is not None:
            self.context_estimator_ = clone(self.context_estimator).fit(context, y)
        if known.all():
            self.pair_ = np.searchsorted(self.classes_, self.pair)
            kinds = np.select([y == usual, y == early], [_USUAL, _EARLY], _OTHER)
            if rhythms is not None:
                is_usual = kinds == _USUAL
                irregular = is_usual & np.isin(rhythms, list(self.irregular))
                if irregular.sum() < is_usual.sum():  # else all are irregular
                    kinds[irregular] = _IRREGULAR
            self._fit_rhythm(rhythm, kinds, groups)
        self.estimator_ = clone(self.estimator).fit(shape, y, **extra)
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats, and the columns of their rhythm last.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, whose beats must be in the order of time, those of
            other classes included. Each is judged by how many of the beats before it
            came early; where the record does not begin with its first beat, its past
            begins where it does. None takes the share that training beats have.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.
        """
        check_is_fitted(self, "estimator_")
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        shape, rhythm = self._parts(X)
        proba = np.array(self.estimator_.predict_proba(shape))
        if self.context_estimator_ is not None:
            of_context = self.context_estimator_.predict_proba(self._context(shape))
            proba = (proba + of_context) / 2
        if self.rhythm_estimator_ is not None:
            usual, early = self.pair_
            share = self._share_of_early(rhythm, _one_for_each(groups, "groups", X))
            both = proba[:, usual] + proba[:, early]
            proba[:, early] = both * share
            proba[:, usual] = both * (1 - share)
        return proba

    def predict(self, X, groups=None):
        """Predict the class of each beat.

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
            Beats, and the columns of their rhythm last.
        y : array-like of shape (n_beats,)
            The true labels.
        sample_weight : array-like of shape (n_beats,), default=None
            Weight of each beat.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, as in :meth:`predict_proba`.

        Returns
        -------
        float
            Share of the beats whose predicted label is right.
        """
        predicted = self.predict(X, groups=groups)
        return accuracy_score(y, predicted, sample_weight=sample_weight)

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

    def _context(self, shape):
        """Columns of the context."""
        if shape.shape[1] < self.n_context:
            raise ValueError(
                f"n_context={self.n_context}, but without the rhythm X has "
                f"{shape.shape[1]} columns. Append the context behind the samples."
            )
        return shape[:, -self.n_context :]

    def _share_of_early(self, rhythm, groups):
        """Probability that a beat of the pair is an early one."""
        probability = self.rhythm_estimator_.predict_proba(rhythm)
        if groups is not None and np.isfinite(self.prior_strength):
            probability = adapt_to_records(
                probability, self.rhythm_shares_, groups, self.prior_strength
            )
        return probability[:, _EARLY]

    def _fit_rhythm(self, rhythm, kinds, groups):
        """Fit the classifier of the rhythm to the beats of both classes."""
        X, y = rhythm, kinds
        if groups is not None and len(self.n_around):
            is_early = kinds == _EARLY
            again, features = episodes_of(rhythm, is_early, groups, self.n_around)
            X, y = np.concatenate([X, features]), np.concatenate([y, kinds[again]])
        X, y = X[y != _OTHER], y[y != _OTHER]
        classifier = self.rhythm_estimator
        if classifier is None:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            classifier = ExtraTreesClassifier(n_estimators=200, random_state=seed)
        self.rhythm_estimator_ = clone(classifier).fit(X, y)
        self.rhythm_shares_ = np.bincount(y) / len(y)

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


def _one_for_each(values, name, X):
    """Check that an array of metadata has one value for each beat; None has none."""
    if values is None:
        return None
    values = flat_array(values, name)
    if len(values) != len(X):
        raise ValueError(
            f"{name} holds {len(values)} values, and X {len(X)} beats. Give one for "
            "each beat."
        )
    return values
