"""Classifiers that combine other classifiers."""

from ecg_sklearn.ensemble._shape_rhythm import ShapeRhythmClassifier

__all__ = ["ShapeRhythmClassifier"]
