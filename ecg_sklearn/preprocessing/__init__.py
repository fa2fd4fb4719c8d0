"""Scaler and spectrogram transformer."""

from ecg_sklearn.preprocessing._scaler import BeatScaler
from ecg_sklearn.preprocessing._spectrogram import SpectrogramTransformer

__all__ = ["BeatScaler", "SpectrogramTransformer"]
