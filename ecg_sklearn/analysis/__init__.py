"""What a reader of a Holter counts: burden, runs, pauses, rates; and the page of it."""

from ecg_sklearn.analysis._analysis import RecordingAnalysis
from ecg_sklearn.analysis._analyze import analyze, analyze_beats
from ecg_sklearn.analysis._stream import StreamAnalyzer

__all__ = ["RecordingAnalysis", "StreamAnalyzer", "analyze", "analyze_beats"]
