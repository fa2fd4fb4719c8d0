"""Record-wise splits, and a check for leakage."""

from ecg_sklearn.model_selection._leakage import check_no_leakage, subject_of
from ecg_sklearn.model_selection._split import (
    InterPatientSplit,
    record_train_test_split,
)

__all__ = [
    "InterPatientSplit",
    "check_no_leakage",
    "record_train_test_split",
    "subject_of",
]
