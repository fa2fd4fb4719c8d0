"""What the commands say about predictions: numbers, a text, two figures."""

from functools import partial

import numpy as np
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    classification_report,
    confusion_matrix,
)
from sklearn.utils import _safe_indexing

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.ensemble import ShapeRhythmClassifier
from ecg_sklearn.metrics import aami_jk_score, class_report
from ecg_sklearn.report._intervals import aami_figure

INTERVALS = {
    "accuracy": accuracy_score,
    "macro-F1": lambda true, predicted: class_report(true, predicted).macro_f1,
    "VEB Se": aami_figure("veb_sensitivity"),
    "VEB +P": aami_figure("veb_positive_predictivity"),
    "SVEB Se": aami_figure("sveb_sensitivity"),
    "SVEB +P": aami_figure("sveb_positive_predictivity"),
    "jk": partial(aami_jk_score, zero_division=np.nan),
}
"""Metrics that ``evaluate`` puts an interval around, by the name it prints."""


def shape_of(model):
    """Take the pipeline of the shape out of what stands around it, if anything does."""
    return model.estimator_ if isinstance(model, ShapeRhythmClassifier) else model


def predict_beats(model, beats, method="predict"):
    """Have a model predict; one that follows records is told of them.

    Parameters
    ----------
    model : classifier
        Fitted.
    beats : Bunch
        The beats, in any order.
    method : {"predict", "predict_proba"}, default="predict"
        What to ask the model for.

    Returns
    -------
    ndarray of shape (n_beats,) or (n_beats, n_classes)
        What it answers, in the order of the beats.
    """
    predict = getattr(model, method)
    groups, time = beats.get("groups"), beats.get("time")
    if groups is None or not isinstance(model, ShapeRhythmClassifier):
        return predict(beats.data)
    groups = np.asarray(groups)
    # The official test rows are in the order of their classes.
    order = np.arange(len(groups)) if time is None else np.argsort(time, kind="stable")
    answer = predict(_safe_indexing(beats.data, order), groups=groups[order])
    found = np.empty_like(answer)
    found[order] = answer
    return found


def _names(labels):
    return [CLASS_NAMES[label] for label in labels]


def scores_of(y_true, y_pred, labels):
    """Score predictions, as plain numbers for a JSON file."""
    by_class = classification_report(
        y_true,
        y_pred,
        labels=labels,
        target_names=_names(labels),
        output_dict=True,
        zero_division=0,
    )
    return {
        "n_beats": len(y_true),
        "accuracy": accuracy_score(y_true, y_pred),
        "macro_f1": class_report(y_true, y_pred, labels=labels).macro_f1,
        "classes": {name: by_class[name] for name in _names(labels)},
        "confusion_matrix": confusion_matrix(y_true, y_pred, labels=labels).tolist(),
    }


def report_of(y_true, y_pred, labels):
    """Lay out precision, recall and F1 of each class as text."""
    return classification_report(
        y_true,
        y_pred,
        labels=labels,
        target_names=_names(labels),
        digits=4,
        zero_division=0,
    )


def draw_training(pipe, path):
    """Draw the training curves of a pipeline into a PNG file."""
    from ecg_sklearn.plotting import TrainingHistoryDisplay

    plt = _headless_pyplot()
    TrainingHistoryDisplay.from_estimator(pipe).figure_.savefig(path, dpi=150)
    plt.close("all")


def draw_confusion_matrix(y_true, y_pred, labels, path):
    """Draw a confusion matrix whose rows sum to one into a PNG file."""
    plt = _headless_pyplot()
    fig, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        y_true,
        y_pred,
        labels=labels,
        normalize="true",
        display_labels=_names(labels),
        values_format=".3f",
        cmap="Blues",
        im_kw={"vmin": 0, "vmax": 1},
        ax=ax,
    )
    ax.set_title(f"Test beats (n = {len(y_true):,}), as fractions of each row")
    fig.savefig(path, dpi=150)
    plt.close("all")


def _headless_pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt
