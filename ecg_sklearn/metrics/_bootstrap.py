"""Percentile bootstrap over records or beats."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_random_state

from ecg_sklearn.metrics._counts import check_aligned

# More would take days.
MOST_RESAMPLES = 1_000_000
# Units drawn at once, to bound the memory.
_CHUNK_DRAWN = 2_000_000


@dataclass(frozen=True)
class BootstrapInterval:
    """Result of :func:`bootstrap_ci`; ``print`` shows it in one line.

    Parameters
    ----------
    estimate : float
        Value of the metric on all beats.
    low : float
        Lower end of the interval; nan if no resample had a value.
    high : float
        Upper end of the interval.
    confidence_level : float
        Nominal coverage of the interval.
    unit : {"records", "beats"}
        The resampled unit.
    n_units : int
        Number of records or beats.
    n_resamples : int
        Number of resamples.
    n_undefined : int
        Resamples left out because the metric was not defined.

    Examples
    --------
    >>> from ecg_sklearn.metrics import BootstrapInterval
    >>> print(BootstrapInterval(0.8421, 0.79, 0.881, 0.95, "records", 22, 1000, 3))
    0.8421 (95% interval 0.7900 to 0.8810; 1000 resamples of 22 records, 3 undefined)
    """

    estimate: float
    low: float
    high: float
    confidence_level: float
    unit: str
    n_units: int
    n_resamples: int
    n_undefined: int

    def __str__(self):
        left_out = f", {self.n_undefined} undefined" if self.n_undefined else ""
        return (
            f"{self.estimate:.4f} ({100 * self.confidence_level:g}% interval "
            f"{self.low:.4f} to {self.high:.4f}; {self.n_resamples} resamples of "
            f"{self.n_units} {self.unit}{left_out})"
        )


def bootstrap_ci(
    metric,
    y_true,
    y_pred,
    *,
    groups=None,
    n_resamples=1000,
    confidence_level=0.95,
    random_state=None,
):
    """Compute a percentile bootstrap interval of any metric.

    With ``groups``, whole records are drawn with replacement (cluster bootstrap [2]_),
    because beats of one patient are correlated: the interval is for other patients.
    Without ``groups``, beats are drawn [1]_: the interval is for other beats of the
    same patients.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred)`` returns a float. If it returns nan, or scikit-learn
        warns that the metric is undefined, the resample is left out and counted.
    y_true : array-like of shape (n_beats,)
        True classes.
    y_pred : array-like of shape (n_beats,)
        Predictions.
    groups : array-like of shape (n_beats,) or None, default=None
        Record or, if known, patient of each beat.
    n_resamples : int, default=1000
        Resamples to draw; a million at most.
    confidence_level : float, default=0.95
        Between 0 and 1.
    random_state : int, RandomState or None, default=None
        Chooses the resamples.

    Returns
    -------
    BootstrapInterval
        Estimate, interval, and what was resampled.

    Raises
    ------
    ValueError
        If the lengths differ, there is a single record, the metric is undefined on all
        beats, or a parameter is out of range.

    See Also
    --------
    Evaluation : Intervals of all figures of a confusion matrix, from the same
        resamples, 100 times faster.
    bootstrap_difference : Interval of the difference between two classifiers.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman and
       Hall, 1993.
    .. [2] C. A. Field, A. H. Welsh, "Bootstrapping clustered data", Journal of the
       Royal Statistical Society B 69(3), 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import accuracy_score
    >>> from ecg_sklearn.metrics import bootstrap_ci
    >>> y_true = np.zeros(100)
    >>> y_pred = np.repeat([0, 0, 0, 0, 1], 20)
    >>> records = np.repeat(["a", "b", "c", "d", "e"], 20)
    >>> found = bootstrap_ci(
    ...     accuracy_score, y_true, y_pred, groups=records, random_state=0
    ... )
    >>> found.unit, found.estimate, round(found.low, 3), found.high
    ('records', 0.8, 0.4, 1.0)
    """
    y_true, y_pred = check_aligned(y_true=y_true, y_pred=y_pred)
    settings = n_resamples, confidence_level, random_state
    return _bootstrap(metric, (y_true, y_pred), metric, groups, *settings)


def bootstrap_difference(
    metric,
    y_true,
    y_pred_1,
    y_pred_2,
    *,
    groups=None,
    n_resamples=1000,
    confidence_level=0.95,
    random_state=None,
):
    """Compute a bootstrap interval of the difference between two classifiers.

    Both are scored on the same resamples (paired bootstrap), so records that are
    difficult for both do not widen the interval. Otherwise as :func:`bootstrap_ci`.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred)`` returns a float, as for :func:`bootstrap_ci`.
    y_true : array-like of shape (n_beats,)
        True classes.
    y_pred_1, y_pred_2 : array-like of shape (n_beats,)
        Predictions of the first and of the second classifier.
    groups : array-like of shape (n_beats,) or None, default=None
        Record or, if known, patient of each beat: the resampled unit.
    n_resamples : int, default=1000
        Resamples to draw; a million at most.
    confidence_level : float, default=0.95
        Between 0 and 1.
    random_state : int, RandomState or None, default=None
        Chooses the resamples.

    Returns
    -------
    BootstrapInterval
        The metric of the second minus that of the first classifier. If the interval
        contains 0, the data do not show which is better.

    Raises
    ------
    ValueError
        As :func:`bootstrap_ci`.

    See Also
    --------
    mcnemar_test : Tests the difference in correct beats.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import accuracy_score
    >>> from ecg_sklearn.metrics import bootstrap_difference
    >>> y_true = np.zeros(100)
    >>> first = np.repeat([0, 0, 1, 0, 1], 20)
    >>> second = np.repeat([0, 0, 0, 0, 1], 20)
    >>> records = np.repeat(["a", "b", "c", "d", "e"], 20)
    >>> found = bootstrap_difference(
    ...     accuracy_score, y_true, first, second, groups=records, random_state=0
    ... )
    >>> round(found.estimate, 3), found.low, round(found.high, 3)
    (0.2, 0.0, 0.6)
    """
    arrays = check_aligned(y_true=y_true, y_pred_1=y_pred_1, y_pred_2=y_pred_2)

    def gain(y_true, first, second):
        return metric(y_true, second) - metric(y_true, first)

    settings = n_resamples, confidence_level, random_state
    return _bootstrap(gain, arrays, metric, groups, *settings)


def _bootstrap(statistic, arrays, metric, groups, n_resamples, level, random_state):
    """Draw resamples of the arrays, and compute the interval of a statistic."""
    check_parameters(n_resamples, level)
    unit, members, n_units = "beats", None, len(arrays[0])
    if groups is not None:
        _, groups = check_aligned(y_true=arrays[0], groups=groups)
        names, record = np.unique(groups, return_inverse=True)
        unit, n_units = "records", len(names)
        if n_units < 2:
            raise ValueError(
                f"groups holds one record only, {names[0]!s}; an interval over records "
                "needs two at least. Use groups=None to resample beats."
            )
        order = np.argsort(record, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(record))[:-1])
    rng = check_random_state(random_state)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        estimate = _value(statistic, arrays)
        if np.isnan(estimate):
            raise ValueError(
                f"{metric!r} is not defined on these {len(arrays[0])} beats, so there "
                "is nothing to put an interval around. Are classes missing?"
            )
        values = []
        for _ in range(n_resamples):
            drawn = rng.randint(n_units, size=n_units)
            if members is not None:
                drawn = np.concatenate([members[place] for place in drawn])
            values.append(_value(statistic, [values[drawn] for values in arrays]))
    low, high = map(float, percentiles(np.array(values), level))
    n_undefined = int(np.isnan(values).sum())
    return BootstrapInterval(
        estimate, low, high, float(level), unit, n_units, int(n_resamples), n_undefined
    )


def check_parameters(n_resamples, confidence_level):
    """Check the parameters of an interval."""
    if not isinstance(n_resamples, Integral) or not 1 <= n_resamples <= MOST_RESAMPLES:
        raise ValueError(
            f"n_resamples={n_resamples!r} must be an int from 1 to {MOST_RESAMPLES:,}."
        )
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} must lie between 0 and 1, such as "
            "0.95."
        )


def percentiles(values, confidence_level):
    """Compute the ends of the interval of each column, without nan."""
    tail = (1 - confidence_level) / 2
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        return np.nanquantile(values, [tail, 1 - tail], axis=0)


def resampled_counts(cell, n_cells, tables, n_resamples, random_state):
    """Count the beats in each cell for the resamples of :func:`bootstrap_ci`.

    ``tables`` holds the counts of each record, (n_records, n_cells); None draws beats.
    """
    rng = check_random_state(random_state)
    n_units = len(cell) if tables is None else len(tables)
    chunk = max(1, _CHUNK_DRAWN // n_units)
    counts = []
    for start in range(0, n_resamples, chunk):
        size = min(chunk, n_resamples - start)
        drawn = rng.randint(n_units, size=(size, n_units))
        if tables is None:
            counts.append(_count_rows(cell[drawn], n_cells))
        else:  # BLAS multiplies floats only; counts stay exact
            times = _count_rows(drawn, n_units).astype(float)
            counts.append((times @ tables.astype(float)).astype(np.int64))
    return np.concatenate(counts)


def _count_rows(values, n_values):
    """Count each value from 0 to n_values - 1 in each row."""
    n_rows = len(values)
    numbered = values + n_values * np.arange(n_rows)[:, None]
    counts = np.bincount(numbered.ravel(), minlength=n_rows * n_values)
    return counts.reshape(n_rows, n_values)


def _value(statistic, arrays):
    """Call the statistic; return nan if it is undefined."""
    try:
        return float(statistic(*arrays))
    except UndefinedMetricWarning:
        return np.nan
