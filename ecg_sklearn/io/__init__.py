"""Recordings of any format, read into arrays in millivolts."""

from ecg_sklearn.io._recording import Recording, read_recording

__all__ = ["Recording", "read_recording"]
