"""The network as a scikit-learn classifier."""

from ecg_sklearn.neural_network._classifier import SpectrogramCNNClassifier
from ecg_sklearn.neural_network._saved_network import NetworkFromConfig

__all__ = ["NetworkFromConfig", "SpectrogramCNNClassifier"]
