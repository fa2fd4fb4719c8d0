"""Classify ECG heartbeats with scikit-learn.

The public names are loaded when they are first used, so that importing the package
is as light as importing scikit-learn: TensorFlow comes with the classifier alone.
"""

import importlib
import os

__version__ = "0.1.0"

_MODULES = (
    "aami",
    "datasets",
    "ensemble",
    "exporting",
    "features",
    "inspection",
    "metrics",
    "model_selection",
    "neural_network",
    "over_sampling",
    "persistence",
    "pipeline",
    "plotting",
    "preprocessing",
    "report",
    "streaming",
)
_NAMES = {
    "BeatAugmenter": "over_sampling",
    "BeatScaler": "preprocessing",
    "ShapeRhythmClassifier": "ensemble",
    "SpectrogramCNNClassifier": "neural_network",
    "SpectrogramTransformer": "preprocessing",
    "export": "exporting",
    "fit_stream": "streaming",
    "load": "persistence",
    "make_ecg_pipeline": "pipeline",
    "make_report": "report",
    "save": "persistence",
}

__all__ = sorted([*_MODULES, *_NAMES, "__version__"])

# TensorFlow reads these once, when it starts, so they are set before anything can
# load it. It logs about graphics cards that a machine does not have; it leaves oneDNN
# off on processors without AVX-512, where a training then takes three times as long;
# and it takes all cores, where joblib tells its workers by OMP_NUM_THREADS to use a
# share.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if "OMP_NUM_THREADS" in os.environ:
    for _variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(_variable, os.environ["OMP_NUM_THREADS"])


def __getattr__(name):
    """Load a public name on first use."""
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    """List the public names."""
    return __all__
