"""Displays of beats, class counts and training histories.

A display stores arrays; ``plot`` draws them, and imports matplotlib.
"""

from ecg_sklearn.plotting._beats import BeatsDisplay, SpectrogramsDisplay
from ecg_sklearn.plotting._classes import ClassDistributionDisplay
from ecg_sklearn.plotting._history import TrainingHistoryDisplay

__all__ = [
    "BeatsDisplay",
    "ClassDistributionDisplay",
    "SpectrogramsDisplay",
    "TrainingHistoryDisplay",
]
