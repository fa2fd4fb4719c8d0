"""Comparison of two classifiers: :func:`mcnemar_test`."""

import numpy as np
from scipy.stats import binomtest
from sklearn.utils import Bunch

from ecg_sklearn.metrics._counts import check_aligned
from ecg_sklearn.metrics._labels import names_of_all


def mcnemar_test(y_true, y_pred_1, y_pred_2, *, groups=None):
    """Test whether two classifiers are correct equally often on the same beats.

    Without ``groups`` this is the exact test of McNemar [1]_, a binomial test on the
    beats that only one classifier predicts correctly. It assumes independent beats,
    but beats of one patient are correlated, so its p-value is too small if records
    hold many beats.

    With ``groups`` the records are the unit. The null hypothesis is that the two
    classifiers are exchangeable in each record. The test is Pitman's permutation test
    [2]_ on the difference in correct beats: the p-value is the fraction of all
    2 ** n_records assignments of signs whose sum is at least as far from zero as the
    observed sum, computed exactly. With one beat in each record it equals the test of
    McNemar.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True classes; numbers and letters may mean the same, as in :class:`Evaluation`.
    y_pred_1, y_pred_2 : array-like of shape (n_beats,)
        Predictions of the first and of the second classifier.
    groups : array-like of shape (n_beats,) or None, default=None
        Record or, if known, patient of each beat.

    Returns
    -------
    Bunch
        ``p_value``, two-sided. ``only_1`` and ``only_2``, the numbers of beats that
        only the first or only the second predicts correctly. ``unit``, "beats" or
        "records"; ``n_units``, the number of units that differ.

    Raises
    ------
    ValueError
        If the lengths differ, or there are no beats.

    See Also
    --------
    bootstrap_difference : Interval of the difference in any metric.

    References
    ----------
    .. [1] Q. McNemar, "Note on the sampling error of the difference between correlated
       proportions or percentages", Psychometrika 12(2), 1947.
    .. [2] E. J. G. Pitman, "Significance tests which may be applied to samples from any
       populations", Supplement to the Journal of the Royal Statistical Society 4(1),
       1937.

    Examples
    --------
    >>> from ecg_sklearn.metrics import mcnemar_test
    >>> found = mcnemar_test(list("NNNNNN"), list("NVVVVV"), list("NNNNNN"))
    >>> found.only_1, found.only_2, found.p_value
    (0, 5, 0.0625)
    """
    arrays = {"y_true": y_true, "y_pred_1": y_pred_1, "y_pred_2": y_pred_2}
    arrays |= {} if groups is None else {"groups": groups}
    *labels, last = check_aligned(**arrays)
    labels += [last] if groups is None else []
    true, first, second = map(np.array, names_of_all(labels))
    gain = (second == true).astype(int) - (first == true)
    only_1, only_2 = int((gain < 0).sum()), int((gain > 0).sum())
    if groups is None:
        unit, n_units = "beats", only_1 + only_2
        p_value = binomtest(only_1, n_units).pvalue if n_units else 1.0
    else:
        record = np.unique(last, return_inverse=True)[1]
        gains = np.bincount(record, weights=gain).astype(int)
        unit, n_units, p_value = "records", int((gains != 0).sum()), _exchanged(gains)
    return Bunch(
        p_value=float(p_value), only_1=only_1, only_2=only_2, unit=unit, n_units=n_units
    )


def _exchanged(gains):
    """Fraction of sign assignments whose sum is as far from zero as the observed."""
    share = np.ones(1)  # of each possible sum of the positive gains
    for size in np.abs(gains[gains != 0]):
        share = (np.pad(share, (0, size)) + np.pad(share, (size, 0))) / 2
    total = len(share) - 1
    sums = 2 * np.arange(total + 1) - total
    return min(1.0, share[np.abs(sums) >= abs(gains.sum())].sum())
