"""Figures of the page, drawn and encoded, which :mod:`ecg_sklearn.report` arranges."""

import base64
import io
from itertools import cycle

import numpy as np
from sklearn.utils import _safe_indexing

from ecg_sklearn.plotting._drawing import COLORS, legend_above, tidy
from ecg_sklearn.report._scoring import shape_of

# Classes in words, for captions.
_WORDS = {
    "N": "N (normal)",
    "S": "S (supraventricular)",
    "V": "V (ventricular)",
    "F": "F (fusion)",
    "Q": "Q (paced or unclassifiable)",
}
# Rates of each class, by their names in EC57.
RATES = {
    "recall": "sensitivity",
    "precision": "positive predictivity",
    "f1-score": "F1",
    "specificity": "specificity",
}
# A calibration curve of a class with fewer beats is chance.
_FEWEST_BEATS = 10
_METHODS = {
    "grad_cam": "what the network looked at (Grad-CAM)",
    "occlusion": "the stretches that its probability fell without (occlusion)",
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
    """Training curves, or None and the reason."""
    from ecg_sklearn.plotting import TrainingHistoryDisplay

    pipe = shape_of(pipe)
    classifier = pipe[-1] if hasattr(pipe, "steps") else pipe
    if not getattr(classifier, "history_", None) or not hasattr(
        classifier, "n_epochs_"
    ):
        name = type(classifier).__name__
        return None, f"No training curves: {name} keeps no history of epochs."
    display = TrainingHistoryDisplay.from_estimator(pipe)
    figure = _png(
        display.figure_,
        f"Loss, accuracy and learning rate over {classifier.n_epochs_} epochs",
        "Loss, accuracy and learning rate, epoch by epoch.",
    )
    return figure, ""


def confusion_matrix_of(evaluation):
    """Draw a confusion matrix whose rows sum to one."""
    import matplotlib.pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    matrix = evaluation.confusion_matrix
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, ax = plt.subplots(figsize=(5.5, 4.6), layout="constrained")
    ConfusionMatrixDisplay(shares, display_labels=evaluation.names).plot(
        values_format=".3f", cmap="Blues", im_kw={"vmin": 0, "vmax": 1}, ax=ax
    )
    ax.set(
        title=f"{evaluation.n_beats:,} beats, as fractions of each row",
        xlabel="Predicted class",
        ylabel="True class",
    )
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

    figure, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    hits, sure = results.true == results.predicted, results.probability.max(axis=1)
    CalibrationDisplay.from_predictions(
        hits,
        sure,
        n_bins=10,
        name="predicted class",
        ax=ax,
        color="0.25",
        linewidth=2.5,
    )
    curves = zip(results.names, results.probability.T, cycle(COLORS), strict=False)
    for name, column, color in curves:
        here = results.true == name
        if here.sum() >= _FEWEST_BEATS:
            CalibrationDisplay.from_predictions(
                here, column, n_bins=10, name=f"class {name}", ax=ax, color=color
            )
    ax.set(xlabel="Predicted probability", ylabel="Share that came true (fraction)")
    tidy(ax, "both")
    ax.legend(fontsize="small", loc="upper left", frameon=False)
    error = f"{results.evaluation.calibration_error:.3f}"
    return _png(
        figure,
        "Share of predictions that came true by their probability, of the predicted "
        f"class and of each class; expected calibration error {error}",
        "How far the probabilities can be trusted: below the diagonal the pipeline is "
        f"too sure. Expected calibration error {error}. Classes with fewer than "
        f"{_FEWEST_BEATS} beats have no curve.",
    )


def class_bars(evaluation):
    """Bars of the scores of each class, with intervals."""
    shown = {rate: RATES[rate] for rate in ("recall", "precision", "f1-score")}
    table = evaluation.classes[list(shown)].rename(columns=shown)
    rows = [[f"{name} {rate}" for name in evaluation.names] for rate in shown]
    found = [evaluation.intervals.loc[names] for names in rows]
    # An interval of percentiles need not hold its value; a bar of error must.
    errors = [
        [(f.estimate - f.low).clip(lower=0), (f.high - f.estimate).clip(lower=0)]
        for f in found
    ]
    ax = table.plot.bar(
        yerr=np.nan_to_num(np.array(errors)), capsize=2, color=COLORS[:3], rot=0,
        width=0.8, figsize=(5.5, 4.6), ylim=(0, 1.04), xlabel="Class",
        ylabel="Score (fraction)",
    )  # fmt: skip
    tidy(ax, "y")
    legend_above(ax, len(shown), fontsize="small")
    ax.figure.set_layout_engine("constrained")
    return _png(
        ax.figure,
        "Bars of sensitivity, positive predictivity and F1 of each class",
        "Scores of each class with 95 % intervals.",
    )


def mistake_figures(pipe, beats, results, n_mistakes):
    """Show the mistakes that the pipeline was surest of, and say how, in a sentence."""
    shape = shape_of(pipe)
    method, note = _explanation(shape)
    if shape is not pipe:
        note += (
            " The pictures are of the classifier of the shape: what the rhythm and "
            "others decided is not in them."
        )
    wrong = np.flatnonzero(results.true != results.predicted)
    surest = wrong[np.argsort(-results.probability[wrong].max(axis=1), kind="stable")]
    figures = []
    for row in surest[:n_mistakes]:
        true, predicted = (
            _WORDS.get(name, name)
            for name in (results.true[row], results.predicted[row])
        )
        where = "" if results.groups is None else f" Record {results.groups[row]}"
        if where and beats.get("time") is not None:
            where += f", {beats.time[row]:.2f} s"
        beat = _safe_indexing(beats.data, [row])
        if shape is not pipe:  # it sees the columns of the shape alone
            named = getattr(shape, "feature_names_in_", slice(shape.n_features_in_))
            beat = _safe_indexing(beat, named, axis=1)
        figures.append(
            _png(
                _mistake(shape, beat, beats, method, predicted),
                f"A beat of class {true} that was taken for {predicted}, with "
                f"{_METHODS[method]}",
                f"{true} taken for {predicted}, probability "
                f"{results.probability[row].max():.3f}.{where}",
            )
        )
    return figures, f"Where the pipeline was surest and wrong, and {note}"


def _explanation(pipe):
    """How the pipeline can be explained, by what it is made of, in a sentence."""
    from ecg_sklearn.inspection._class_activation import (
        has_maps,
        spectrogram_step,
        split_pipeline,
    )

    steps, classifier = split_pipeline(pipe)
    method = "grad_cam" if has_maps(classifier) else "occlusion"
    missing = (
        ""
        if method == "grad_cam"
        else (f" No Grad-CAM: {type(classifier).__name__} has no network with maps.")
    )
    if spectrogram_step(steps) is None:
        method = None
        missing = " The pipeline has no spectrogram to explain them by."
    return method, f"{_METHODS[method]}.{missing}"


def _mistake(pipe, beat, beats, method, title):
    """Draw a beat, with an explanation of its prediction if there is a method."""
    import matplotlib.pyplot as plt

    from ecg_sklearn.inspection import BeatExplanationDisplay
    from ecg_sklearn.inspection._class_activation import sample_places
    from ecg_sklearn.plotting import BeatsDisplay

    if method is not None:
        display = BeatExplanationDisplay.from_estimator(pipe, beat, method=method)
        figure = display.figure_
        probability = figure.axes[0].get_title().rpartition(", ")[2]
        figure.axes[0].set_title(f"Class {title}, {probability}")
        return figure
    rate = beats.get("sampling_rate")
    figure, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
    wave = np.asarray(beat)[:, sample_places([], beat)]
    display = BeatsDisplay([wave], sampling_rate=rate or 1)
    display.plot(np.array([[ax]]))
    ax.set(
        title=f"Class {title}",
        xlabel="Time (s)" if rate else "Time (samples)",
        ylabel="Amplitude (a.u.)",
    )
    return figure
