"""Displays of beats, classes, records and trainings, with physical units.

A display stores arrays; ``plot`` draws them. matplotlib is imported when something is
drawn. scikit-learn's ``ConfusionMatrixDisplay`` fits as it is and has no counterpart
here.
"""

from ecg_sklearn.plotting._beats import BeatsDisplay, SpectrogramsDisplay
from ecg_sklearn.plotting._classes import (
    ClassDistributionDisplay,
    PerClassDisplay,
    RecordsDisplay,
)
from ecg_sklearn.plotting._history import TrainingHistoryDisplay
from ecg_sklearn.plotting._reliability import ReliabilityDisplay

__all__ = [
    "BeatsDisplay",
    "ClassDistributionDisplay",
    "PerClassDisplay",
    "RecordsDisplay",
    "ReliabilityDisplay",
    "SpectrogramsDisplay",
    "TrainingHistoryDisplay",
]
