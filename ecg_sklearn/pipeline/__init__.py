"""Models from beats to classes: a pipeline with its presets, ensembles, and trees."""

from ecg_sklearn.pipeline import _pipeline
from ecg_sklearn.pipeline._ensembles import (
    make_calibrated_trees,
    make_ecg_ensemble,
    make_record_ensemble,
)
from ecg_sklearn.pipeline._pipeline import ECGPipeline as ECGPipeline  # in model files
from ecg_sklearn.pipeline._pipeline import make_ecg_pipeline

__all__ = [
    "PRESETS",
    "make_calibrated_trees",
    "make_ecg_ensemble",
    "make_ecg_pipeline",
    "make_record_ensemble",
]

PRESETS: dict[str, dict] = _pipeline.PRESETS
"""Parameters of each preset of :func:`make_ecg_pipeline`.

"notebook" is the recipe of many notebooks on the Kaggle files. "kaggle" was chosen on
the training rows of the official split, "kaggle-features" on the same rows with RR
intervals and morphology, and "inter-patient" on folds of whole records of DS1.
"""
