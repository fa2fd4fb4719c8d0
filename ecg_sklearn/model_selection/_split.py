"""Splits by whole records."""

import warnings
from itertools import chain
from numbers import Integral

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import (
    _safe_indexing,
    check_consistent_length,
    check_random_state,
    indexable,
)
from sklearn.utils._param_validation import Interval, RealNotInt, validate_params

from ecg_sklearn.aami import DS1, DS2
from ecg_sklearn.model_selection._leakage import listed, record_names
from ecg_sklearn.utils._validation import flat_array

__all__ = ["InterPatientSplit", "record_train_test_split"]

# Number of random orders of the records to search.
_N_SHUFFLES = 1000


class InterPatientSplit(BaseCrossValidator):
    """Cross-validator with one split: train on some records, test on others.

    The defaults are de Chazal's inter-patient protocol [1]_ for the MIT-BIH
    Arrhythmia Database: train on the 22 records of DS1, test on the 22 of DS2. Records
    in neither list, such as the four paced ones, are left out.

    Parameters
    ----------
    train_records : sequence of str, default=ecg_sklearn.aami.DS1
        Records to train on.
    test_records : sequence of str, default=ecg_sklearn.aami.DS2
        Records to test on.

    See Also
    --------
    record_train_test_split : One random split by whole records.
    check_no_leakage : Finds records on both sides of a split.
    sklearn.model_selection.StratifiedGroupKFold : Folds of whole records.

    Notes
    -----
    With metadata routing enabled, ``groups`` is requested by default, and
    ``cross_val_score`` takes it in ``params``.

    Records 201 (DS1) and 202 (DS2) come from the same subject, as
    :func:`check_no_leakage` reports. To avoid this leak, leave one of the two out and
    report that with the result.

    A search with ``refit=True`` trains its final model on all beats, including those of
    the test records. Its score does not belong to this final model.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.model_selection import InterPatientSplit
    >>> groups = np.array(["100", "101", "101", "102", "103"])
    >>> for train, test in InterPatientSplit().split(groups, groups=groups):
    ...     print(train, test)
    [1 2] [0 4]
    """

    # Request groups by default, like the group splitters of scikit-learn.
    __metadata_request__split = {"groups": True}

    def __init__(self, *, train_records=DS1, test_records=DS2):
        self.train_records = train_records
        self.test_records = test_records

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits, which is 1.

        Parameters
        ----------
        X, y, groups : object
            Ignored; here for the API.

        Returns
        -------
        int
            1.
        """
        return 1

    def split(self, X, y=None, groups=None):
        """Generate the positions of the training and the test beats, once.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times)
            Beats; only their number is used.
        y : object
            Ignored; here for the API.
        groups : array-like of shape (n_beats,)
            Record of each beat. Numbers are read as names: 100 is "100".

        Yields
        ------
        train : ndarray of shape (n_train,)
            Positions of the beats of ``train_records``, ascending.
        test : ndarray of shape (n_test,)
            Positions of the beats of ``test_records``, ascending.

        Raises
        ------
        ValueError
            If ``groups`` is missing or holds no training or no test record, or if a
            record is in both lists.
        """
        names = record_names(groups, "InterPatientSplit")
        check_consistent_length(X, names)
        train_records = [str(record) for record in self.train_records]
        test_records = [str(record) for record in self.test_records]
        both = sorted(set(train_records) & set(test_records))
        if both:
            raise ValueError(
                f"train_records and test_records share {listed(both)}. Name each "
                "record in one of them."
            )
        sides = []
        for role, records in (("train", train_records), ("test", test_records)):
            chosen = np.flatnonzero(np.isin(names, records))
            if chosen.size == 0:
                raise ValueError(
                    f"groups hold none of the {len(records)} {role}_records "
                    f"({listed(records, 4)}); they hold "
                    f"{listed(np.unique(names).tolist(), 4)}. Give the record of each "
                    f"beat as groups, or set {role}_records."
                )
            sides.append(chosen)
        yield tuple(sides)


@validate_params(
    {
        "groups": ["array-like", None],
        "stratify": ["array-like", None],
        "test_size": [
            Interval(RealNotInt, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def record_train_test_split(
    *arrays, groups=None, stratify=None, test_size=0.25, random_state=None
):
    """Split arrays into training and test beats by whole records.

    This is a record-wise :func:`sklearn.model_selection.train_test_split`. Records
    differ in length and classes, so the split is searched: of many random orders of the
    records, each cut at every position, the cut whose fractions of each class and of
    all beats are closest to ``test_size`` is used. All classes weigh the same.

    Parameters
    ----------
    *arrays : sequence of array-like of length n_beats
        Arrays, lists, sparse matrices or data frames to split.
    groups : array-like of shape (n_beats,)
        Record of each beat. Pass ``subject_of(groups)`` to keep both records of one
        MIT-BIH subject together.
    stratify : array-like of shape (n_beats,), default=None
        Class labels to distribute evenly. None balances only the number of beats.
    test_size : float or int, default=0.25
        Approximate size of the test set: a fraction of the beats in (0, 1), or a
        number of beats.
    random_state : int, RandomState instance or None, default=None
        Seed of the orders. With few records, several seeds find the same split.

    Returns
    -------
    list
        Training and test subset of each array, then of ``groups``. The beats keep
        their order.

    Raises
    ------
    ValueError
        If ``groups`` is missing, there are fewer than two records, or ``test_size`` is
        not below the number of beats.

    Warns
    -----
    UserWarning
        If one side has no beat of a class of ``stratify``.

    See Also
    --------
    InterPatientSplit : The published split of the MIT-BIH database.
    sklearn.model_selection.StratifiedGroupKFold : Folds of whole records.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.model_selection import record_train_test_split
    >>> beats = make_heartbeats(1000, n_records=20, random_state=0)
    >>> X_train, X_test, y_train, y_test, groups_train, groups_test = (
    ...     record_train_test_split(
    ...         beats.data, beats.target, groups=beats.groups,
    ...         stratify=beats.target, random_state=0,
    ...     )
    ... )
    >>> set(groups_train) & set(groups_test)
    set()
    """
    names = record_names(groups, "record_train_test_split")
    arrays = indexable(*arrays, groups, stratify)[:-1]
    n_beats = len(names)
    share = test_size / n_beats if isinstance(test_size, Integral) else test_size
    if share >= 1:
        raise ValueError(
            f"test_size={test_size} leaves none of the {n_beats} beats to train on. "
            "Use a smaller number, or a fraction in (0, 1)."
        )
    records, record = np.unique(names, return_inverse=True)
    if len(records) < 2:
        raise ValueError(
            f"All {n_beats} beats are of record {listed(records.tolist())}, and a "
            "record goes to one side whole. Give beats of two records or more."
        )
    labels = np.zeros(n_beats)
    if stratify is not None:
        labels = flat_array(stratify, "stratify", column=True)
    classes, label = np.unique(labels, return_inverse=True)
    counts = np.zeros((len(records), len(classes)))
    np.add.at(counts, (record, label), 1)
    chosen = _nearest_subset(counts, share, check_random_state(random_state))
    for side, part in (("training", ~chosen), ("test", chosen)):
        absent = classes[counts[part].sum(axis=0) == 0].tolist()
        if absent:
            warnings.warn(
                f"The {side} set has no beats of class {listed(absent)}: too few of "
                "the records hold them to share them out.",
                UserWarning,
                stacklevel=2,
            )
    test = chosen[record]
    train, test = np.flatnonzero(~test), np.flatnonzero(test)
    return list(
        chain.from_iterable(
            (_safe_indexing(a, train), _safe_indexing(a, test)) for a in arrays
        )
    )


def _nearest_subset(counts, share, rng):
    """Choose records, with counts (n_records, n_classes), that hold about a share.

    The distance is the mean squared difference over the classes, plus that in size.
    """
    size = counts.sum(axis=1, keepdims=True)
    weights = np.r_[np.full(counts.shape[1], 1 / counts.shape[1]), 1.0]
    parts = np.hstack([counts / counts.sum(axis=0), size / size.sum()])
    nearest = np.inf
    for _ in range(_N_SHUFFLES):
        order = rng.permutation(len(parts))
        # Every cut of this order that leaves a record on both sides.
        distances = (parts[order].cumsum(axis=0)[:-1] - share) ** 2 @ weights
        cut = distances.argmin()
        if distances[cut] < nearest:
            nearest = distances[cut]
            best = order[: cut + 1]
    chosen = np.zeros(len(parts), dtype=bool)
    chosen[best] = True
    return chosen
