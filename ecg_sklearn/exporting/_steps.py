"""What of a fitted pipeline acts on the beats that are to be predicted."""

from typing import NamedTuple

import numpy as np
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from ecg_sklearn.preprocessing import SpectrogramTransformer

__all__ = ["SCALERS", "Columns", "columns_of", "steps_to_export"]

SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)


class Columns(NamedTuple):
    """Numbers of the columns that are samples and features, and scale of the latter."""

    samples: np.ndarray
    features: np.ndarray
    feature_mean: np.ndarray
    feature_scale: np.ndarray


def columns_of(transformer):
    """Read the columns of a fitted SpectrogramTransformer."""
    columns = np.arange(transformer.n_features_in_)
    n_times = transformer.n_times_
    return Columns(
        columns[:n_times],
        columns[n_times:],
        getattr(transformer, "context_mean_", np.zeros(0)),
        getattr(transformer, "context_scale_", np.ones(0)),
    )


def steps_to_export(pipe):
    """Check a pipeline; give its transformers, without samplers, and its classifier."""
    from ecg_sklearn.neural_network import SpectrogramCNNClassifier

    if not hasattr(pipe, "steps"):
        raise TypeError(
            f"pipe is a {type(pipe).__name__}, not a Pipeline. Give a fitted pipeline "
            "such as make_ecg_pipeline makes: of a search, its best_estimator_; of a "
            "ShapeRhythmClassifier, its estimator_, which is the shape alone."
        )
    *before, (name, classifier) = pipe.steps
    if not isinstance(classifier, SpectrogramCNNClassifier):
        raise ValueError(
            f"The last step, {name!r}, is a {type(classifier).__name__}. Only a "
            "SpectrogramCNNClassifier can be exported."
        )
    steps = []
    for name, step in before:
        if step is None or step == "passthrough" or hasattr(step, "fit_resample"):
            continue
        if not isinstance(step, (*SCALERS, SpectrogramTransformer)):
            known = ", ".join(kind.__name__ for kind in SCALERS)
            raise ValueError(
                f"Step {name!r} is a {type(step).__name__}, which export cannot write "
                f"as a graph. It knows {known}, SpectrogramTransformer, and samplers, "
                "which it leaves out."
            )
        steps.append(step)
    return steps, classifier
