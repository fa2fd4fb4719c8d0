"""Numbers about predictions: per class, as ANSI/AAMI EC57 asks, with intervals.

Arrays in, numbers out: nothing here sees an estimator.
"""

from ecg_sklearn.metrics._aami import AAMIReport, aami_report
from ecg_sklearn.metrics._bootstrap import BootstrapInterval, bootstrap_ci
from ecg_sklearn.metrics._classes import ClassReport, class_report
from ecg_sklearn.metrics._scorers import aami_jk_score, get_aami_scorers

__all__ = [
    "AAMIReport",
    "BootstrapInterval",
    "ClassReport",
    "aami_jk_score",
    "aami_report",
    "bootstrap_ci",
    "class_report",
    "get_aami_scorers",
]
