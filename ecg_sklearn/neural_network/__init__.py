"""The network as a scikit-learn classifier."""

from ecg_sklearn.neural_network._classifier import SpectrogramCNNClassifier

__all__ = ["SpectrogramCNNClassifier"]
