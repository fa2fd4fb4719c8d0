"""Explanations of predictions: class activation maps, occlusion and their display."""

from ecg_sklearn.inspection._class_activation import grad_cam
from ecg_sklearn.inspection._display import BeatExplanationDisplay
from ecg_sklearn.inspection._occlusion import occlusion

__all__ = ["BeatExplanationDisplay", "grad_cam", "occlusion"]
