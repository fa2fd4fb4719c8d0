"""Classify ECG heartbeats with scikit-learn.

Public names are loaded on first use. TensorFlow is loaded with the classifier.
"""

import importlib
import os

__version__ = "0.1.0"

_MODULES = (
    "aami",
    "analysis",
    "datasets",
    "detection",
    "ensemble",
    "exporting",
    "features",
    "inspection",
    "io",
    "metrics",
    "model_selection",
    "models",
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
    "BeatScaler": "preprocessing",
    "SpectrogramCNNClassifier": "neural_network",
    "SpectrogramTransformer": "preprocessing",
    "analyze": "analysis",
    "cut_beats": "datasets",
    "detect_beats": "detection",
    "export": "exporting",
    "fit_stream": "streaming",
    "list_models": "models",
    "load": "persistence",
    "load_model": "models",
    "make_calibrated_trees": "pipeline",
    "make_ecg_ensemble": "pipeline",
    "make_ecg_pipeline": "pipeline",
    "make_record_ensemble": "pipeline",
    "make_report": "report",
    "read_recording": "io",
    "save": "persistence",
}

__all__ = sorted([*_MODULES, *_NAMES, "__version__"])

# TensorFlow reads these variables once, when it starts. They silence its start-up
# messages, turn oneDNN on for processors without AVX-512, where training is three times
# slower without it, and respect OMP_NUM_THREADS, which joblib sets for its workers.
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
