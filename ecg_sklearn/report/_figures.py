"""Figures of the report."""

import base64
import io
from collections import Counter

import numpy as np
from sklearn.utils import _safe_indexing

from ecg_sklearn.plotting._drawing import COLORS, in_words, legend_above, tidy
from ecg_sklearn.utils._estimators import network_pipeline

# Rates of each class, by EC57 name.
RATES = {
    "recall": "sensitivity",
    "precision": "positive predictivity",
    "f1-score": "F1",
    "specificity": "specificity",
}
# Classes with fewer beats get no calibration curve.
_FEWEST_BEATS = 10
_METHODS = {
    "grad_cam": "what the network looked at (Grad-CAM)",
    "occlusion": "which stretches its probability depends on (occlusion)",
    None: "the beats themselves",
}


def _png(figure, alt, caption):
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    png = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"png": png, "alt": alt, "caption": caption}


def history_figure(pipe):
    """Training curves, or None, and the reason."""
    from ecg_sklearn.plotting import TrainingHistoryDisplay

    pipe = network_pipeline(pipe)
    classifier = pipe[-1] if hasattr(pipe, "steps") else pipe
    n_epochs = getattr(classifier, "n_epochs_", None)
    if n_epochs is None or not getattr(classifier, "history_", None):
        name = type(classifier).__name__
        return None, f"No training curves: {name} keeps no history of epochs."
    figure = _png(
        TrainingHistoryDisplay.from_estimator(pipe).figure_,
        f"Loss, accuracy and learning rate over {n_epochs} epochs",
        "Loss, accuracy and learning rate, epoch by epoch.",
    )
    return figure, ""


def confusion_matrix_of(evaluation):
    """Draw a confusion matrix whose rows sum to one."""
    import matplotlib.pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    matrix = evaluation.confusion_matrix
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, ax = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
    ConfusionMatrixDisplay(shares, display_labels=evaluation.names).plot(
        values_format=".3f", cmap="Blues", im_kw={"vmin": 0, "vmax": 1}, ax=ax
    )
    ax.set(
        title=f"{evaluation.n_beats:,} beats, as fractions of each row",
        xlabel="Predicted class",
        ylabel="True class",
    )
    ax.set_yticks(ax.get_yticks(), in_words(evaluation.names))
    return figure


def confusion_figure(evaluation):
    return _png(
        confusion_matrix_of(evaluation),
        "Confusion matrix, each row divided by the number of its beats",
        "Confusion matrix; each row sums to one.",
    )


def calibration_figure(results):
    """Calibration curves of the predicted class and of each class."""
    import matplotlib.pyplot as plt
    from sklearn.calibration import CalibrationDisplay

    figure, ax = plt.subplots(figsize=(6.2, 5.4), layout="constrained")
    true, probability = results.true, results.probability
    hits, sure = true == results.predicted, probability.max(axis=1)
    curves = [("predicted class", hits, sure, {"color": "0.25", "linewidth": 3})]
    words = in_words(results.names)
    for number, (name, word) in enumerate(zip(results.names, words, strict=True)):
        if (true == name).sum() >= _FEWEST_BEATS:
            style = {"color": COLORS[number % len(COLORS)]}
            curves.append((word, true == name, probability[:, number], style))
    for name, came_true, column, style in curves:
        CalibrationDisplay.from_predictions(
            came_true, column, n_bins=10, name=name, ax=ax, markersize=4, **style
        )
    ax.set(xlabel="Predicted probability", ylabel="Observed fraction")
    tidy(ax, "both")
    ax.get_legend().remove()
    figure.legend(loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    error = f"{results.evaluation.calibration_error:.3f}"
    return _png(
        figure,
        "Observed fraction by predicted probability, of the predicted "
        f"class and of each class; expected calibration error {error}",
        "Calibration: below the diagonal, probabilities are too high. "
        f"Expected calibration error {error}. Classes with fewer than "
        f"{_FEWEST_BEATS} beats have no curve.",
    )


def class_bars(evaluation):
    """Bars of the scores of each class, with intervals."""
    shown = {rate: RATES[rate] for rate in ("recall", "precision", "f1-score")}
    table = evaluation.classes[list(shown)].rename(columns=shown)
    rows = [[f"{name} {rate}" for name in evaluation.names] for rate in shown]
    found = [evaluation.intervals.loc[names] for names in rows]
    # A percentile interval may exclude the estimate, which error bars do not allow.
    errors = [
        [(f.estimate - f.low).clip(lower=0), (f.high - f.estimate).clip(lower=0)]
        for f in found
    ]
    ax = table.set_axis(in_words(evaluation.names)).plot.barh(
        xerr=np.nan_to_num(np.array(errors)), capsize=2, color=COLORS[:3], width=0.8,
        figsize=(6.2, 4.6), xlim=(0, 1.04), xlabel="Score (fraction)", ylabel="",
    )  # fmt: skip
    ax.invert_yaxis()
    tidy(ax, "x")
    legend_above(ax, len(shown), fontsize="small")
    ax.figure.set_layout_engine("constrained")
    return _png(
        ax.figure,
        "Bars of sensitivity, positive predictivity and F1 of each class",
        "Scores of each class with 95 % intervals.",
    )


def mistake_figures(pipe, beats, results, n_mistakes):
    """Draw mistakes of different kinds and records, and describe how."""
    network = network_pipeline(pipe)
    method, note = _explanation(network)
    if network is not pipe:
        note += (
            " The pictures are of the network alone: what the other classifiers of the "
            "model decided is not in them."
        )
    words = dict(zip(results.names, in_words(results.names), strict=True))
    figures = []
    for row in _different_mistakes(results, n_mistakes):
        true, predicted = words[results.true[row]], words[results.predicted[row]]
        said = f"{true} taken for {predicted}"
        probability = f"probability {results.probability[row].max():.3f}"
        where = "" if results.groups is None else f" Record {results.groups[row]}"
        if where and beats.get("time") is not None:
            where += f", at {beats.time[row]:.2f} s"
        beat = _safe_indexing(beats.data, [row])
        if network is not pipe:  # it sees only some columns
            named = getattr(network, "feature_names_in_", slice(network.n_features_in_))
            beat = _safe_indexing(beat, named, axis=1)
        figures.append(
            _png(
                _mistake(network, beat, beats, method, said),
                f"A beat of class {true} that was taken for {predicted}, with "
                f"{_METHODS[method]}",
                f"{said}, {probability}.{where}",
            )
        )
    note = f"Where the pipeline was most confident and wrong, and {note}"
    return figures, f"{note} Mistakes of different kinds and records come first."


def _different_mistakes(results, n_mistakes):
    """Select confident mistakes of kinds and records that were shown least."""
    wrong = np.flatnonzero(results.true != results.predicted)
    order = np.argsort(-results.probability[wrong].max(axis=1), kind="stable")
    left, shown, chosen = wrong[order].tolist(), Counter(), []

    def marks(row):
        record = None if results.groups is None else results.groups[row]
        return (results.true[row], results.predicted[row]), record

    while left and len(chosen) < n_mistakes:
        row = min(left, key=lambda row: sum(shown[mark] for mark in marks(row)))
        shown.update(marks(row))
        left.remove(row)
        chosen.append(row)
    return chosen


def _explanation(pipe):
    """Choose the method of explanation for a pipeline, and describe it."""
    from ecg_sklearn.inspection._class_activation import (
        has_maps,
        spectrogram_step,
        split_pipeline,
    )

    steps, classifier = split_pipeline(pipe)
    method = "grad_cam" if has_maps(classifier) else "occlusion"
    name = type(classifier).__name__
    missing = f" No Grad-CAM: {name} has no network with maps."
    missing = "" if method == "grad_cam" else missing
    if spectrogram_step(steps) is None:
        method = None
        missing = " The pipeline has no spectrogram to explain them by."
    return method, f"{_METHODS[method]}.{missing}"


def _mistake(pipe, beat, beats, method, title):
    """Draw a beat, with an explanation if there is a method."""
    import matplotlib.pyplot as plt

    from ecg_sklearn.inspection import BeatExplanationDisplay
    from ecg_sklearn.inspection._class_activation import sample_places
    from ecg_sklearn.plotting import BeatsDisplay

    cut, rate = beats.get("cut") or {}, beats.get("sampling_rate")
    where = {
        "start": (cut.get("window") or [0])[0],
        "unit": "mV" if cut.get("unit") == "mV" else "a.u.",
    }
    n_panels = 1 if method is None else 2
    figure, axes = plt.subplots(
        n_panels, 1, figsize=(6.4, 2.5 * n_panels), layout="constrained", squeeze=False
    )
    if method is None:
        wave = np.asarray(beat)[:, sample_places([], beat)]
        BeatsDisplay([wave], sampling_rate=rate or 1, **where).plot(axes)
        axes[0, 0].set_ylabel(f"Amplitude ({where['unit']})", weight="normal")
        if not rate:
            axes[0, 0].set_xlabel("Time (samples)")
    else:
        BeatExplanationDisplay.from_estimator(
            pipe, beat, method=method, axes=axes[:, 0], **where
        )
    axes[0, 0].set_title(f"One beat: {title}", fontsize="medium")
    return figure
