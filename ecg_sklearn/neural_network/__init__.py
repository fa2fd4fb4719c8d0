"""The network as a scikit-learn classifier."""

from ecg_sklearn.utils._backend import import_keras

import_keras()  # whose error says more than that of the modules below

from ecg_sklearn.neural_network._classifier import (  # noqa: E402
    SpectrogramCNNClassifier,
)
from ecg_sklearn.neural_network._saved_network import NetworkFromConfig  # noqa: E402

__all__ = ["NetworkFromConfig", "SpectrogramCNNClassifier"]
