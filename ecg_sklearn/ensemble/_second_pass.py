"""A second classifier that knows what the first one said of the whole record."""

from numbers import Integral

import numpy as np
from scipy.ndimage import convolve1d
from sklearn.base import _fit_context, clone
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn.ensemble._base import (
    CLASSIFIER,
    RecordClassifier,
    all_classes,
    record_folds,
)
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.utils._columns import named_columns
from ecg_sklearn.utils._cut import check_cut, cut_of
from ecg_sklearn.utils._estimators import requested
from ecg_sklearn.utils._validation import one_for_each, records_of

_FEATURES = {name for group in FEATURE_GROUPS.values() for name in group}
_NAMES = ("rr_previous", "rr_next", "cluster", *FEATURE_GROUPS["record_shape"])
_GROUPS = ("rr", "record_morphology", "record_shape")
_P, _QRS = slice(2, 8), slice(7, 14)  # of the shape: -0.26 to -0.07, -0.1 to 0.12 s
_N_NEIGHBOURS = 4  # beats before, and as many after, whose probabilities are columns
_N_NEAR, _N_FAR = 15, 101  # beats around, whose mean probabilities are columns
_RR_KERNEL = np.bartlett(43)[1:-1]  # weights of the normal intervals around a beat
_LEAST = 1e-3  # probability


class SecondPassClassifier(RecordClassifier):
    """Classify the beats of a record again, given the first answers for all of them.

    ``first`` predicts each beat. ``second`` predicts it again from the same columns and
    from what the first answers say of the record: the answers for the neighbours, for
    the cluster of the beat and for the whole record; the RR intervals relative to those
    between beats that were called normal; the distance of its QRS complex and P wave
    to the mean of each class in this record. No labels of the record are needed. This
    is stacking [1]_ over the beats of a record, as in relabelling by neighbours [2]_.

    The second classifier learns from answers for records that the first one was not
    fitted to: records are held out in turn (``cv``). Not causal: the whole record is
    needed.

    Parameters
    ----------
    first : classifier
        First pass, with ``predict_proba``.
    second : classifier
        Second pass, with ``predict_proba``.
    normal : label, default=0
        The class whose RR intervals are the reference.
    sampler : sampler or None, default=None
        Adds beats before ``first`` is fitted, such as
        :class:`~ecg_sklearn.over_sampling.EpisodeSampler`.
    cv : int, default=5
        Folds of whole records, of which each is held out once; fewer if there are fewer
        records.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    first_, second_ : classifier
        The fitted classifiers.
    cut_ : dict or None
        How the training beats were cut: ``cut`` of a loader, if ``X`` was its frame.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns.

    See Also
    --------
    ecg_sklearn.pipeline.make_record_ensemble : Trees in two passes.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked generalization", Neural Networks 5(2), 1992.
    .. [2] W. W. Cohen, V. R. Carvalho, "Stacked sequential learning", IJCAI 2005.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.ensemble import SecondPassClassifier
    >>> groups = ["rr", "record_morphology", "record_shape"]
    >>> beats = make_heartbeats(500, features=groups, random_state=0)
    >>> tree = DecisionTreeClassifier(min_samples_leaf=10, random_state=0)
    >>> model = SecondPassClassifier(tree, tree, random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> model.predict(beats.data, groups=beats.groups).shape
    (500,)
    """

    _parameter_constraints: dict = {
        "first": [CLASSIFIER],
        "second": [CLASSIFIER],
        "normal": "no_validation",
        "sampler": [HasMethods(["fit_resample"]), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    # Requested by default with metadata routing.
    __metadata_request__fit = {"groups": True}

    def __init__(
        self, first, second, *, normal=0, sampler=None, cv=5, random_state=None
    ):
        self.first = first
        self.second = second
        self.normal = normal
        self.sampler = sampler
        self.cv = cv
        self.random_state = random_state

    @property
    def estimator(self):
        """The first pass, which looks into ``X``."""
        return self.first

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None):
        """Fit both passes.

        Parameters
        ----------
        X : DataFrame of shape (n_beats, n_columns)
            Beats with the features "rr", "record_morphology" and "record_shape".
        y : array-like of shape (n_beats,)
            Labels of any kind.
        groups : array-like of shape (n_beats,)
            Record of each beat. The beats of a record must be sorted by time.

        Returns
        -------
        SecondPassClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If ``groups`` or a column is missing, if there is one record only, or
            ``normal`` is no label.
        """
        X, y = self._check_training_data(X, y)
        groups = self._check_groups(groups, X)
        self._find_columns()
        self.classes_ = np.unique(y)
        if self.normal not in self.classes_.tolist():
            raise ValueError(
                f"normal={self.normal!r} is no label of y, which holds "
                f"{self.classes_.tolist()}. Name the class of normal beats."
            )
        self.cut_ = cut_of(X)
        held_out = self._predict_held_out(X, y, groups)
        context = self._context(X, held_out, groups)
        self.second_ = clone(self.second).fit(context, y)
        self.first_ = self._fit_first(X, y, groups, np.arange(len(y)))
        return self

    def predict_proba(self, X, groups=None):
        """Compute the probability of each class.

        Parameters
        ----------
        X : DataFrame of shape (n_beats, n_features_in_)
            Beats with features.
        groups : array-like of shape (n_beats,)
            Record of each beat. The beats of a record must be complete and sorted by
            time.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.

        Raises
        ------
        ValueError
            If ``groups`` is missing, or the beats were cut in another way.
        """
        check_is_fitted(self, "first_")
        check_cut(X, self.cut_)
        validate_data(self, X, reset=False, skip_check_array=True)
        groups = self._check_groups(groups, X)
        answers = self._ask_first(self.first_, X)
        context = self._context(X, answers, groups)
        found = self.second_.predict_proba(context)
        return all_classes(found, self.second_.classes_, self.classes_)

    def _find_columns(self):
        names = getattr(self, "feature_names_in_", None)
        return named_columns(names, _NAMES, type(self).__name__, _GROUPS)

    def _check_groups(self, groups, X):
        if groups is None:
            raise ValueError(
                f"{type(self).__name__} needs groups, the record of each beat "
                "(beats.groups). For the beats of one record, give "
                "groups=np.zeros(len(X))."
            )
        return one_for_each(groups, "groups", X)

    def _predict_held_out(self, X, y, groups):
        """Answers of the first pass for records that it was not fitted to."""
        n_records = len(np.unique(groups))
        if n_records < 2:
            raise ValueError(
                "SecondPassClassifier needs training beats of two records or more, and "
                f"groups holds {n_records}: the second pass learns from records that "
                "the first one has not seen."
            )
        answers = np.zeros((len(y), len(self.classes_)))
        for fitted, rows in record_folds(y, groups, self.cv, self.random_state):
            first = self._fit_first(X, y, groups, fitted)
            answers[rows] = self._ask_first(first, _safe_indexing(X, rows))
        return answers

    def _fit_first(self, X, y, groups, rows):
        X, y, groups = _safe_indexing(X, rows), y[rows], groups[rows]
        if self.sampler is not None:
            told = requested(self.sampler, "fit_resample", groups=groups)
            X, y = clone(self.sampler).fit_resample(X, y, **told)
        return clone(self.first).fit(X, y)

    def _ask_first(self, first, X):
        return all_classes(first.predict_proba(X), first.classes_, self.classes_)

    def _context(self, X, answers, groups):
        """Append what the answers say of the record of each beat to the columns."""
        columns = self._find_columns()
        values = np.asarray(_safe_indexing(X, columns, axis=1), dtype=np.float64)
        normal = self.classes_.tolist().index(self.normal)
        records = records_of(groups)
        order = np.concatenate(records)
        context = [_context_of(values[rows], answers[rows], normal) for rows in records]
        found = np.empty((len(order), context[0].shape[1]), dtype=np.float32)
        found[order] = np.concatenate(context)
        named = enumerate(self.feature_names_in_)
        features = [i for i, name in named if name in _FEATURES]
        own = np.asarray(_safe_indexing(X, features, axis=1), dtype=np.float32)
        return np.hstack([own, found])


def _context_of(values, answers, normal):
    """Columns of what the answers for one record say of each of its beats."""
    previous, following, cluster = values[:, 0], values[:, 1], values[:, 2]
    shape = values[:, 3:]
    n_beats, n_classes = answers.shape
    place = np.arange(n_beats)
    neighbours = [
        answers[np.clip(place + step, 0, n_beats - 1)]
        for step in range(-_N_NEIGHBOURS, _N_NEIGHBOURS + 1)
        if step
    ]
    around = [_mean_around(answers, np.ones(n)) for n in (_N_NEAR, _N_FAR)]
    record = np.broadcast_to(answers.mean(axis=0), answers.shape)
    _, cluster, n_of = np.unique(cluster, return_inverse=True, return_counts=True)
    of_cluster = np.stack(
        [np.bincount(cluster, weights=column) / n_of for column in answers.T], axis=1
    )
    return np.column_stack(
        [
            np.log(answers + _LEAST),
            *neighbours,
            *around,
            record,
            of_cluster[cluster],
            _intervals_to_normal(previous, following, answers[:, normal]),
            *(
                _compared_with_class(previous, shape, answers[:, k])
                for k in range(n_classes)
            ),
        ]
    )


def _mean_around(values, weights):
    """Weighted mean of the beats around each beat; fewer at the ends."""
    total = convolve1d(values, weights, axis=0, mode="constant")
    share = convolve1d(np.ones(len(values)), weights, mode="constant")
    return total / share[:, None]


def _intervals_to_normal(previous, following, is_normal):
    """RR intervals relative to those between two normal beats, near and in all."""
    weight = (is_normal * np.roll(is_normal, 1)) ** 2
    weight[0] = 0
    enough = weight.sum() > 3
    record = np.average(previous, weights=weight) if enough else np.median(previous)
    total = convolve1d(weight * previous, _RR_KERNEL, mode="constant")
    share = convolve1d(weight, _RR_KERNEL, mode="constant")
    near = (total + 0.5 * record) / (share + 0.5)
    mean = np.log((np.exp(previous) + np.exp(following)) / 2)
    columns = [previous - near, following - near, mean - near, previous - record]
    return np.column_stack(columns)


def _compared_with_class(previous, shape, probability):
    """Interval, QRS and P wave relative to the mean of a class in this record.

    The usual beat and the median interval count as a beat of little weight.
    """
    weight = probability**2
    total = weight.sum() + 1e-2
    mean = weight @ shape / total  # the shape is 0 for the usual beat
    interval = (weight @ previous + 1e-2 * np.median(previous)) / total
    distance = [
        np.sqrt(np.mean((shape[:, part] - mean[part]) ** 2, axis=1))
        for part in (_QRS, _P)
    ]
    return np.column_stack([previous - interval, *distance])
