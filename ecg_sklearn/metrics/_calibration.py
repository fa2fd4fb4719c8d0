"""Calibration of probabilities: :func:`expected_calibration_error`."""

from numbers import Integral

import numpy as np

from ecg_sklearn.metrics._counts import check_aligned

# Tolerance for rounded probabilities.
_SUM_TOLERANCE = 0.01


def expected_calibration_error(y_true, y_proba, *, labels, n_bins=10):
    """Compute the expected calibration error of the predicted class.

    Beats are binned by the probability of the predicted class. In each bin, the mean
    probability is compared with the accuracy; the absolute differences are averaged,
    weighted by the number of beats [1]_.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True classes.
    y_proba : array-like of shape (n_beats, n_classes)
        Output of ``predict_proba``.
    labels : array-like of shape (n_classes,)
        Class of each column, as ``classes_`` of a classifier.
    n_bins : int, default=10
        Number of bins of equal width in [0, 1].

    Returns
    -------
    float
        The error, from 0 (calibrated) to 1.

    Raises
    ------
    ValueError
        If the shapes do not match, a true class is not in ``labels``, a probability is
        not in [0, 1], the probabilities of a beat do not add up to 1 (within 0.01), or
        ``n_bins`` is below 1.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Draws the curve of one class.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML, 2017.

    Examples
    --------
    >>> from ecg_sklearn.metrics import expected_calibration_error
    >>> proba = [[0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.3, 0.7]]
    >>> round(expected_calibration_error(list("NNVV"), proba, labels=["N", "V"]), 2)
    0.15
    """
    if not isinstance(n_bins, Integral) or n_bins < 1:
        raise ValueError(f"n_bins={n_bins!r} must be an int of 1 or more.")
    [y_true] = check_aligned(y_true=y_true)
    [labels] = check_aligned(labels=labels)
    y_proba = _check_probability(y_true, y_proba, labels)
    confidence = y_proba.max(axis=1)
    hits = labels[y_proba.argmax(axis=1)] == y_true
    place = np.searchsorted(np.linspace(0, 1, n_bins + 1)[1:-1], confidence)
    gap = np.bincount(place, weights=confidence - hits)
    return float(np.abs(gap).sum() / len(y_true))


def _check_probability(y_true, y_proba, labels):
    """Check probabilities against beats and classes."""
    y_proba = np.asarray(y_proba, dtype=float)
    if y_proba.shape != (len(y_true), len(labels)):
        raise ValueError(
            f"y_proba has shape {y_proba.shape}; {len(y_true)} beats and "
            f"{len(labels)} classes need ({len(y_true)}, {len(labels)}). Give what "
            "predict_proba returns for these beats."
        )
    if not ((y_proba >= 0) & (y_proba <= 1)).all():  # also refuses NaN
        raise ValueError(
            f"y_proba goes from {y_proba.min():g} to {y_proba.max():g}. Give "
            "probabilities from 0 to 1, not scores."
        )
    sums = y_proba.sum(axis=1)
    if (wrong := np.abs(sums - 1) > _SUM_TOLERANCE).any():
        raise ValueError(
            f"The probabilities of beat {wrong.argmax()} add up to "
            f"{sums[wrong.argmax()]:g}, not to 1. Give one column for each class."
        )
    if (unknown := ~np.isin(y_true, labels)).any():
        raise ValueError(
            f"y_true holds {np.unique(y_true[unknown]).tolist()!r}, not among the "
            f"labels {labels.tolist()!r}. Leave these beats out."
        )
    return y_proba
