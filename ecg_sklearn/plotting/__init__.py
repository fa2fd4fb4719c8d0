"""Displays of beats, classes, records and trainings, with physical units.

A display stores arrays; ``plot`` draws them. matplotlib is imported when something is
drawn. scikit-learn's ``ConfusionMatrixDisplay`` and ``CalibrationDisplay`` fit as they
are and have no counterpart here. Imports nothing else of the package.
"""

from ecg_sklearn.plotting._beats import BeatsDisplay, SpectrogramsDisplay
from ecg_sklearn.plotting._classes import (
    ClassDistributionDisplay,
    PerClassDisplay,
    RecordsDisplay,
)
from ecg_sklearn.plotting._history import TrainingHistoryDisplay

__all__ = [
    "BeatsDisplay",
    "ClassDistributionDisplay",
    "PerClassDisplay",
    "RecordsDisplay",
    "SpectrogramsDisplay",
    "TrainingHistoryDisplay",
]
