"""Metrics of predictions: per class, ANSI/AAMI EC57, and intervals."""

from ecg_sklearn.metrics._aami import AAMIReport, aami_report
from ecg_sklearn.metrics._annotations import ec57_report
from ecg_sklearn.metrics._bootstrap import (
    BootstrapInterval,
    bootstrap_ci,
    bootstrap_difference,
)
from ecg_sklearn.metrics._calibration import expected_calibration_error
from ecg_sklearn.metrics._evaluation import Evaluation
from ecg_sklearn.metrics._match import Matches, match_beats
from ecg_sklearn.metrics._mcnemar import mcnemar_test
from ecg_sklearn.metrics._scorers import aami_jk_score, get_aami_scorers

__all__ = [
    "AAMIReport",
    "BootstrapInterval",
    "Evaluation",
    "Matches",
    "aami_jk_score",
    "aami_report",
    "bootstrap_ci",
    "bootstrap_difference",
    "ec57_report",
    "expected_calibration_error",
    "get_aami_scorers",
    "match_beats",
    "mcnemar_test",
]
