"""Beats to the time-frequency plane."""

from ecg_sklearn.preprocessing._spectrogram import SpectrogramTransformer

__all__ = ["SpectrogramTransformer"]
