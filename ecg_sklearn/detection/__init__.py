"""Where the beats of a signal are, and which stretches cannot be read."""

from ecg_sklearn.detection._align import align_beats
from ecg_sklearn.detection._detector import BeatDetector, detect_beats
from ecg_sklearn.detection._quality import signal_quality

__all__ = ["BeatDetector", "align_beats", "detect_beats", "signal_quality"]
