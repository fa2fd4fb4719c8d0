"""Classifiers around other classifiers, one job each."""

from ecg_sklearn.ensemble._calibrated import CalibratedRecordClassifier
from ecg_sklearn.ensemble._patient import PatientClassifier
from ecg_sklearn.ensemble._prior_shift import PriorShiftClassifier
from ecg_sklearn.ensemble._refined import RefinedClassifier
from ecg_sklearn.ensemble._reweighted import ReweightedClassifier
from ecg_sklearn.ensemble._second_pass import SecondPassClassifier
from ecg_sklearn.ensemble._voting import SoftVotingClassifier

__all__ = [
    "CalibratedRecordClassifier",
    "PatientClassifier",
    "PriorShiftClassifier",
    "RefinedClassifier",
    "ReweightedClassifier",
    "SecondPassClassifier",
    "SoftVotingClassifier",
]
