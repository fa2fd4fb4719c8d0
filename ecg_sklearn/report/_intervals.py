"""Scores with their intervals, where a page or a printout must go on without one."""

import numpy as np

from ecg_sklearn.metrics import aami_report, bootstrap_ci


def score_with_interval(metric, y_true, y_pred, *, groups, **kwargs):
    """Score predictions and put a bootstrap interval around the score.

    Parameters
    ----------
    metric : callable
        Takes ``(y_true, y_pred)``, returns a number.
    y_true, y_pred : ndarray of shape (n_beats,)
        Labels.
    groups : ndarray of shape (n_beats,) or None
        Record of each beat.
    **kwargs : dict
        For :func:`~ecg_sklearn.metrics.bootstrap_ci`.

    Returns
    -------
    value, low, high : float
        NaN for the ends where the score is not defined, or one record is all there is.
    """
    value = metric(y_true, y_pred)
    if np.isnan(value) or (groups is not None and len(np.unique(groups)) < 2):
        return value, np.nan, np.nan
    found = bootstrap_ci(metric, y_true, y_pred, groups=groups, **kwargs)
    return found.estimate, found.low, found.high


def aami_figure(name):
    """Make a metric of one of the gross figures of EC57, such as "veb_sensitivity"."""

    def figure(y_true, y_pred):
        return aami_report(y_true, y_pred).gross[name]

    return figure
