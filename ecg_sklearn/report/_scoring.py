"""Predictions with records, and the two figures of the command train."""

import numpy as np
from sklearn.utils import _safe_indexing

from ecg_sklearn.utils._estimators import requested


def predict_beats(model, beats, method="predict"):
    """Predict beats in any order; pass sorted records to models that use ``groups``."""
    predict = getattr(model, method)
    groups, time = beats.get("groups"), beats.get("time")
    if not requested(model, method, groups=groups):
        return predict(beats.data)
    groups = np.asarray(groups)
    # The official test rows are sorted by class, not by time.
    order = np.arange(len(groups)) if time is None else np.argsort(time, kind="stable")
    answer = predict(_safe_indexing(beats.data, order), groups=groups[order])
    found = np.empty_like(answer)
    found[order] = answer
    return found


def draw_training(pipe, path):
    """Draw the training curves of a pipeline into a PNG file."""
    from ecg_sklearn.plotting import TrainingHistoryDisplay

    plt = _headless_pyplot()
    TrainingHistoryDisplay.from_estimator(pipe).figure_.savefig(path, dpi=150)
    plt.close("all")


def draw_confusion_matrix(evaluation, path):
    """Draw the confusion matrix of an evaluation into a PNG file."""
    from ecg_sklearn.report._figures import confusion_matrix_of

    plt = _headless_pyplot()
    confusion_matrix_of(evaluation).savefig(path, dpi=150)
    plt.close("all")


def _headless_pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt
