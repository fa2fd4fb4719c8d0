"""Samplers: augmented copies of beats, excerpts around premature beats."""

from ecg_sklearn.over_sampling._augmenter import BeatAugmenter
from ecg_sklearn.over_sampling._episodes import EpisodeSampler
from ecg_sklearn.over_sampling._strategy import PresentClasses

__all__ = ["BeatAugmenter", "EpisodeSampler", "PresentClasses"]
