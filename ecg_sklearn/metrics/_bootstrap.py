"""How sure a number is: :func:`bootstrap_ci`."""

import warnings
from dataclasses import asdict, dataclass
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_random_state

from ecg_sklearn.metrics._counts import check_aligned, plain

# More would take days, and tell nothing more.
MOST_RESAMPLES = 1_000_000


@dataclass(frozen=True)
class BootstrapInterval:
    """What :func:`bootstrap_ci` found; ``print`` shows it in one line.

    Parameters
    ----------
    estimate : float
        The metric of all beats.
    low : float
        Lower end of the interval; nan where no resample had a value.
    high : float
        Upper end of the interval.
    confidence_level : float
        Share of such intervals that should hold the true value.
    unit : {"records", "beats"}
        What was resampled.
    n_units : int
        Number of records or beats.
    n_resamples : int
        Resamples drawn.
    n_undefined : int
        Resamples that were left out, because the metric was not defined there.

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

    def to_dict(self):
        """Give the numbers as plain Python, ready for JSON.

        Returns
        -------
        dict
            One item for each parameter of this class; nan is None.
        """
        return plain(asdict(self))


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
    """Put an interval around a metric by the percentile bootstrap.

    Beats of one patient are alike: a classifier that fails on a patient fails on many
    of the beats. Where the records are known, whole records are therefore drawn with
    replacement (cluster bootstrap [2]_), and the interval tells what other patients
    may bring. Resampling beats, as is done without ``groups``, tells what other beats
    of the same patients may bring, and is too narrow for anything else.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred)`` gives a float. Where it gives nan, or scikit-learn
        warns that the metric is not defined, the resample is left out and counted.
    y_true : array-like of shape (n_beats,)
        True classes.
    y_pred : array-like of shape (n_beats,)
        Predictions.
    groups : array-like of shape (n_beats,) or None, default=None
        Record, or better patient, of each beat.
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
        If the lengths differ, there is one record only, the metric of all beats is not
        defined, or a parameter is out of range.

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
    _check_parameters(n_resamples, confidence_level)
    arrays = {"y_true": y_true, "y_pred": y_pred}
    if groups is None:
        y_true, y_pred = check_aligned(**arrays)
        resamples = _beats(y_true, y_pred)
        unit, n_units = "beats", len(y_true)
    else:
        y_true, y_pred, groups = check_aligned(**arrays, groups=groups)
        resamples, n_units = _records(y_true, y_pred, groups)
        unit = "records"
    random_state = check_random_state(random_state)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UndefinedMetricWarning)
        estimate = _value(metric, y_true, y_pred)
        if np.isnan(estimate):
            raise ValueError(
                f"{metric!r} is not defined on these {len(y_true)} beats, so there is "
                "nothing to put an interval around. Are classes missing?"
            )
        values = np.array(
            [
                _value(metric, *resamples(random_state.randint(n_units, size=n_units)))
                for _ in range(n_resamples)
            ]
        )
    defined = values[~np.isnan(values)]
    low = high = np.nan
    if defined.size:
        tail = (1 - confidence_level) / 2
        low, high = np.quantile(defined, [tail, 1 - tail])
    return BootstrapInterval(
        estimate=estimate,
        low=float(low),
        high=float(high),
        confidence_level=float(confidence_level),
        unit=unit,
        n_units=n_units,
        n_resamples=int(n_resamples),
        n_undefined=int(n_resamples - defined.size),
    )


def _check_parameters(n_resamples, confidence_level):
    """Refuse what makes no interval."""
    if not isinstance(n_resamples, Integral) or not 1 <= n_resamples <= MOST_RESAMPLES:
        raise ValueError(
            f"n_resamples={n_resamples!r} must be an int from 1 to {MOST_RESAMPLES:,}."
        )
    if not (isinstance(confidence_level, Real) and 0 < confidence_level < 1):
        raise ValueError(
            f"confidence_level={confidence_level!r} must lie between 0 and 1, such as "
            "0.95."
        )


def _beats(y_true, y_pred):
    """Give a function from drawn beats to their labels."""
    return lambda drawn: (y_true[drawn], y_pred[drawn])


def _records(y_true, y_pred, groups):
    """Give a function from drawn records to the labels of their beats; and n_records.

    The beats of each record are gathered once, so that a resample is a concatenation.
    """
    names, record = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError(
            f"groups holds one record only, {names[0]!s}; an interval over records "
            "needs two at least. Use groups=None to resample beats."
        )
    order = np.argsort(record, kind="stable")
    ends = np.cumsum(np.bincount(record))[:-1]
    true, predicted = np.split(y_true[order], ends), np.split(y_pred[order], ends)

    def resample(drawn):
        return tuple(
            np.concatenate([parts[unit] for unit in drawn])
            for parts in (true, predicted)
        )

    return resample, len(names)


def _value(metric, y_true, y_pred):
    """Call the metric; nan where it is not defined."""
    try:
        return float(metric(y_true, y_pred))
    except UndefinedMetricWarning:
        return np.nan
