"""Two-stage classifier: morphology first, then RR intervals for premature beats."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn.ensemble._checks import (
    check_excerpts,
    check_labels,
    columns_of,
    one_for_each,
)
from ecg_sklearn.ensemble._episodes import episodes_of
from ecg_sklearn.ensemble._priors import adapt_to_records
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.utils._columns import take_columns

# Classes of the second stage.
_NORMAL, _PREMATURE, _IRREGULAR, _OTHER = 0, 1, 2, -1
_COLUMNS = [StrOptions({"auto"}), slice, "array-like", callable]


class ShapeRhythmClassifier(ClassifierMixin, BaseEstimator):
    """Classify beats by morphology, and premature beats by their RR intervals.

    A premature supraventricular beat (S) is conducted normally through the ventricles.
    Its morphology is that of a normal beat (N), but it is premature [1]_. The decision
    therefore has two stages. The first classifier sees the beat and predicts
    probabilities of all classes. The second sees only RR intervals, is trained only on
    beats of these two classes, and splits the probability of the two between them.

    The frequency of premature beats differs strongly between patients. With ``groups``,
    the record of each beat, the second stage adapts its prior to the previous beats of
    the record by EM, without labels and causally [3]_. Beats in atrial fibrillation
    resemble premature beats: with ``rhythms`` in fit, normal beats of irregular rhythms
    become a separate class.

    Parameters
    ----------
    estimator : classifier
        First stage, for all classes: a pipeline of
        :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, or any other classifier with
        ``predict_proba``. It sees the samples and all features except the group
        "rhythm".
    context_estimator : classifier or None, default=None
        Classifier of all classes that sees only ``context_columns``. Its probabilities
        and those of ``estimator`` are averaged, which helps because trees on features
        make other errors than a network.
    rhythm_estimator : classifier, default=None
        Second stage. None means ``ExtraTreesClassifier(n_estimators=200)`` [2]_. Its
        probabilities must reflect the class frequencies in training, so do not set
        ``class_weight``.
    rhythm_columns : "auto", slice, array-like or callable, default="auto"
        Columns that the second stage sees. "auto" takes the groups "rr" and "rhythm"
        by name, and ``estimator`` sees all columns except "rhythm". Otherwise a
        slice, positions, a boolean mask, names, or a function of ``X`` that returns
        one of these, and ``estimator`` sees all other columns.
    context_columns : "auto", slice, array-like or callable, default="auto"
        Columns that ``context_estimator`` sees. "auto" takes the groups "rr" and
        "morphology" by name.
    pair : tuple of two labels, default=(0, 1)
        The class of normal beats and the class of premature beats. If the training
        beats have only one of them, there is no second stage.
    n_around : sequence of int, default=(2, 5, 12)
        With ``groups`` in fit, the second stage is also trained on excerpts of each
        record, with RR features recomputed. For each number n, an excerpt holds the
        premature beats and n beats before and after each of them. Premature beats are
        rare in most training records, but may be frequent in a new patient. ``()``
        adds no excerpts.
    irregular : sequence of str, default=("AFIB", "AFL")
        With ``rhythms`` in fit: rhythms whose normal beats become a separate class.
    prior_strength : float, default=100.0
        With ``groups`` in predict: weight of the training prior, in beats of a record.
        ``float("inf")`` always uses the training prior. It may be set after fit.
    random_state : int, RandomState instance or None, default=None
        Seed of the default ``rhythm_estimator``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    estimator_ : classifier
        The fitted first stage.
    context_estimator_ : classifier or None
        The fitted classifier of the context columns.
    rhythm_estimator_ : classifier or None
        The fitted second stage. Its classes are 0 (normal), 1 (premature) and, if there
        were such beats, 2 (normal in an irregular rhythm). None without beats of both
        classes of the pair.
    rhythm_shares_ : ndarray of shape (2,) or (3,), or None
        Frequencies of these classes in training.
    pair_ : ndarray of shape (2,) or None
        Positions of the pair in ``classes_``.
    shape_columns_, rhythm_columns_, context_columns_ : ndarray of int
        Positions of the columns that each classifier sees; None for
        ``context_columns_`` without a ``context_estimator``.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    ecg_sklearn.datasets.fetch_mitbih : Computes the columns, with ``features``.
    ecg_sklearn.pipeline.make_ecg_pipeline : Makes a first stage.

    Notes
    -----
    scikit-learn passes ``groups`` to ``fit`` and ``score`` of this classifier only with
    ``sklearn.set_config(enable_metadata_routing=True)``, and to ``predict`` only in a
    pipeline. A scorer by name, such as "f1_macro", calls ``predict`` without it.
    A search over ``prior_strength`` therefore needs ``scoring=None`` (the accuracy), or
    a function of ``(estimator, X, y)`` that looks up the records of ``X``. To predict
    with ``groups``, use ``search.best_estimator_``.

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
    >>> beats = make_heartbeats(500, features=["rr", "rhythm"], random_state=0)
    >>> model = ShapeRhythmClassifier(GaussianNB())
    >>> model.fit(beats.data, beats.target, groups=beats.groups)
    ShapeRhythmClassifier(estimator=GaussianNB())
    >>> model.predict_proba(beats.data, groups=beats.groups).shape
    (500, 5)
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "context_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "rhythm_estimator": [HasMethods(["fit", "predict_proba"]), None],
        "rhythm_columns": _COLUMNS,
        "context_columns": _COLUMNS,
        "pair": [tuple, list],
        "n_around": [tuple, list],
        "irregular": [tuple, list],
        "prior_strength": [Interval(Real, 0, None, closed="right")],
        "random_state": ["random_state"],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = dict.fromkeys(
        ("groups", "rhythms", "X_val", "y_val"), True
    )
    __metadata_request__predict = {"groups": True}
    __metadata_request__predict_proba = {"groups": True}
    __metadata_request__score = {"groups": True}

    def __init__(
        self,
        estimator,
        *,
        context_estimator=None,
        rhythm_estimator=None,
        rhythm_columns="auto",
        context_columns="auto",
        pair=(0, 1),
        n_around=(2, 5, 12),
        irregular=("AFIB", "AFL"),
        prior_strength=100.0,
        random_state=None,
    ):
        self.estimator = estimator
        self.context_estimator = context_estimator
        self.rhythm_estimator = rhythm_estimator
        self.rhythm_columns = rhythm_columns
        self.context_columns = context_columns
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
        X : array-like of shape (n_beats, n_columns)
            Beats with features: a DataFrame of a loader.
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,), default=None
            Record of each beat, for the excerpts around premature beats. The beats of
            a record must be sorted by time.
        rhythms : array-like of shape (n_beats,), default=None
            Rhythm annotation of each beat, such as "N" or "AFIB": ``rhythms`` of the
            Bunch. Needed only for training.
        X_val, y_val : array-like, default=None
            Validation beats, in the form of ``X`` and ``y``; passed to ``estimator``,
            whose ``fit`` must accept them.

        Returns
        -------
        ShapeRhythmClassifier
            The fitted classifier.
        """
        table = X
        X, y = validate_data(self, X, y, dtype=[np.float32, np.float64])
        check_classification_targets(y)
        classes = np.unique(y)
        self._find_columns(table)
        splits = check_labels(self.pair, classes)
        groups = one_for_each(groups, "groups", X)
        rhythms = one_for_each(rhythms, "rhythms", X)
        if splits and groups is not None and len(self.n_around):
            names = getattr(self, "feature_names_in_", None)
            check_excerpts(self.n_around, self.rhythm_columns_, names)
        extra = self._validation_beats(X_val, y_val, X.dtype)
        self.__dict__.pop("estimator_", None)  # unfitted until this fit succeeds
        self.classes_ = classes
        self.pair_ = self.rhythm_estimator_ = self.rhythm_shares_ = None
        self.context_estimator_ = None
        if self.context_estimator is not None:
            context = take_columns(X, self.context_columns_)
            self.context_estimator_ = clone(self.context_estimator).fit(context, y)
        if splits:
            self.pair_ = np.searchsorted(classes, self.pair)
            kinds = self._kinds_of(y, rhythms)
            self._fit_rhythm(take_columns(X, self.rhythm_columns_), kinds, groups)
        beats = self._shape_of(table, X)
        self.estimator_ = clone(self.estimator).fit(beats, y, **extra)
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats with features.
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
        table = X
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        groups = one_for_each(groups, "groups", X)
        proba = np.array(self.estimator_.predict_proba(self._shape_of(table, X)))
        if self.context_estimator_ is not None:
            context = take_columns(X, self.context_columns_)
            proba = (proba + self.context_estimator_.predict_proba(context)) / 2
        if self.rhythm_estimator_ is not None:
            normal, premature = self.pair_
            share = self._share_of_premature(X, groups)
            both = proba[:, normal] + proba[:, premature]
            proba[:, premature] = both * share
            proba[:, normal] = both * (1 - share)
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
            Beats with features.
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

    def _find_columns(self, X):
        """Find the columns that each classifier sees."""
        names = getattr(self, "feature_names_in_", None)
        self.rhythm_columns_ = columns_of(
            self.rhythm_columns, X, names, "rhythm_columns", ("rr", "rhythm")
        )
        others = self.rhythm_columns_
        if isinstance(self.rhythm_columns, str):  # "auto"
            others = np.flatnonzero(np.isin(names, FEATURE_GROUPS["rhythm"]))
        self.shape_columns_ = np.setdiff1d(np.arange(self.n_features_in_), others)
        if len(self.shape_columns_) == 0:
            raise ValueError(
                "rhythm_columns leaves no column for estimator: X has "
                f"n_features={self.n_features_in_}. Give samples beside the features."
            )
        self.context_columns_ = None
        if self.context_estimator is not None:
            self.context_columns_ = columns_of(
                self.context_columns, X, names, "context_columns", ("rr", "morphology")
            )

    def _validation_beats(self, X, y, dtype):
        """Convert validation beats to the form that ``estimator`` accepts."""
        if (X is None) != (y is None):
            given = "y_val" if X is None else "X_val"
            raise ValueError(f"Only {given} was given. Give both X_val and y_val.")
        if X is None:
            return {}
        checked = validate_data(self, X, dtype=dtype, reset=False)
        return {"X_val": self._shape_of(X, checked), "y_val": y}

    def _shape_of(self, table, X):
        """Columns for ``estimator``; a DataFrame keeps its names."""
        if hasattr(table, "columns"):
            return _safe_indexing(table, self.shape_columns_, axis=1)
        return take_columns(X, self.shape_columns_)

    def _kinds_of(self, y, rhythms):
        """Classes of the second stage."""
        normal, premature = self.pair
        kinds = np.select([y == normal, y == premature], [_NORMAL, _PREMATURE], _OTHER)
        if rhythms is not None:
            is_normal = kinds == _NORMAL
            irregular = is_normal & np.isin(rhythms, list(self.irregular))
            if irregular.sum() < is_normal.sum():  # unless all are irregular
                kinds[irregular] = _IRREGULAR
        return kinds

    def _share_of_premature(self, X, groups):
        """Probability that a beat of the pair is premature."""
        rhythm = take_columns(X, self.rhythm_columns_)
        probability = self.rhythm_estimator_.predict_proba(rhythm)
        if groups is not None and np.isfinite(self.prior_strength):
            probability = adapt_to_records(
                probability, self.rhythm_shares_, groups, self.prior_strength
            )
        return probability[:, _PREMATURE]

    def _fit_rhythm(self, rhythm, kinds, groups):
        """Fit the second stage to the beats of the pair."""
        X, y = rhythm, kinds
        if groups is not None and len(self.n_around):
            is_premature = kinds == _PREMATURE
            again, features = episodes_of(rhythm, is_premature, groups, self.n_around)
            X, y = np.concatenate([X, features]), np.concatenate([y, kinds[again]])
        X, y = X[y != _OTHER], y[y != _OTHER]
        classifier = self.rhythm_estimator
        if classifier is None:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            classifier = ExtraTreesClassifier(n_estimators=200, random_state=seed)
        self.rhythm_estimator_ = clone(classifier).fit(X, y)
        self.rhythm_shares_ = np.bincount(y) / len(y)
