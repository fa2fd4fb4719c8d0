"""Samplers: excerpts around premature beats, and numbers for present classes."""

from ecg_sklearn.over_sampling._episodes import EpisodeSampler
from ecg_sklearn.over_sampling._strategy import PresentClasses

__all__ = ["EpisodeSampler", "PresentClasses"]
