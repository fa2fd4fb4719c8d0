"""What a classifier looked at: class activation maps, occlusion and their display.

Keras, TensorFlow and matplotlib are loaded by the functions that need them, not by
importing this module.
"""

from ecg_sklearn.inspection._class_activation import grad_cam
from ecg_sklearn.inspection._display import BeatExplanationDisplay
from ecg_sklearn.inspection._occlusion import occlusion

__all__ = ["BeatExplanationDisplay", "grad_cam", "occlusion"]
