"""Figures of the page, drawn and encoded, which :mod:`ecg_sklearn.report` arranges."""

import base64
import io
import sys

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.report._scoring import shape_of


def _png(figure, alt, caption):
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    png = base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"png": png, "alt": alt, "caption": caption}


def history_figure(pipe):
    from ecg_sklearn.plotting import TrainingHistoryDisplay

    pipe = shape_of(pipe)
    classifier = pipe[-1] if hasattr(pipe, "steps") else pipe
    if not getattr(classifier, "history_", None) or not hasattr(
        classifier, "n_epochs_"
    ):
        return None
    display = TrainingHistoryDisplay.from_estimator(pipe)
    return _png(
        display.figure_,
        f"Loss, accuracy and learning rate over {classifier.n_epochs_} epochs",
        "Loss, accuracy and learning rate, epoch by epoch.",
    )


def confusion_figure(results):
    import matplotlib.pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    figure, ax = plt.subplots(figsize=(5, 4.4), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        results.true,
        results.predicted,
        labels=results.names,
        normalize="true",
        values_format=".2f",
        cmap="Blues",
        im_kw={"vmin": 0, "vmax": 1},
        ax=ax,
    )
    return _png(
        figure,
        "Confusion matrix, each row divided by the number of its beats",
        "Confusion matrix; each row sums to one.",
    )


def reliability_figure(results):
    from ecg_sklearn.plotting import ReliabilityDisplay

    display = ReliabilityDisplay.from_predictions(
        results.code,
        results.probability,
        classes=np.arange(len(results.names)),
        target_names=results.names,
    )
    error = f"{display.calibration_error:.3f}"
    return _png(
        display.figure_,
        "Share of predictions that came true by their probability, of the predicted "
        f"class and of each class; expected calibration error {error}",
        "How far the probabilities can be trusted: below the diagonal the pipeline is "
        f"too sure. Expected calibration error {error}. Classes with fewer than 10 "
        "beats have no curve.",
    )


def class_bars(values, low, high, names, metric_names):
    from ecg_sklearn.plotting import PerClassDisplay

    display = PerClassDisplay(
        values, low=low, high=high, target_names=names, metric_names=metric_names
    ).plot()
    return _png(
        display.figure_,
        "Bars of sensitivity, positive predictivity and F1 of each class",
        "Scores of each class with 95 % intervals.",
    )


_SEEN = {
    "grad_cam": (
        "what the network looked at (Grad-CAM)",
        "the parts that it looked at",
    ),
    "occlusion": (
        "the stretches that its probability fell without (occlusion)",
        "the stretches that mattered",
    ),
    None: ("the beats themselves", "its wave"),
}


def mistake_figures(pipe, beats, results, n_mistakes):
    """Show the mistakes that the pipeline was surest of, and say how, in a sentence."""
    shape = shape_of(pipe)
    method = _explanation(shape)
    what, parts = _SEEN[method]
    n_columns = None
    if shape is not pipe:
        n_columns = -pipe.n_rhythm  # which stand behind those of the shape
        voted = "" if pipe.context_estimator_ is None else "trees on the context and "
        what += (
            ". The pictures are of the classifier of the shape: "
            f"what {voted}the rhythm decided is not in them"
        )
    wrong = np.flatnonzero(results.true != results.predicted)
    surest = wrong[np.argsort(-results.probability[wrong].max(axis=1), kind="stable")]
    figures = []
    for row in surest[:n_mistakes]:
        true, predicted = results.true[row], results.predicted[row]
        where = "" if results.groups is None else f" Record {results.groups[row]}"
        if where and beats.get("time") is not None:
            where += f", {beats.time[row]:.2f} s"
        certainty = results.probability[row].max()
        figures.append(
            _png(
                _mistake(shape, beats, row, n_columns, method, f"Class {predicted}"),
                f"A beat of class {true} that was taken for {predicted}, with {parts}",
                f"{true} taken for {predicted}, probability {certainty:.3f}.{where}",
            )
        )
    return figures, f"Where the pipeline was surest and wrong, and {what}."


def _explanation(pipe):
    """How the pipeline can be explained: by what it is made of."""
    from ecg_sklearn.inspection._class_activation import (
        spectrogram_step,
        split_pipeline,
    )

    steps, classifier = split_pipeline(pipe)
    if spectrogram_step(steps) is None:
        return None
    layers = getattr(getattr(classifier, "model_", None), "layers", ())
    has_maps = any(len(getattr(layer, "kernel_size", ())) == 2 for layer in layers)
    if has_maps and sys.modules["keras"].backend.backend() == "tensorflow":
        return "grad_cam"
    return "occlusion"


def _mistake(pipe, beats, row, n_columns, method, title):
    """Draw a beat, with an explanation of its prediction if there is a method."""
    import matplotlib.pyplot as plt

    from ecg_sklearn.inspection import BeatExplanationDisplay
    from ecg_sklearn.plotting import BeatsDisplay

    data = beats.data
    beat = data.iloc[[row]] if hasattr(data, "iloc") else data[[row]]
    beat = beat.iloc[:, :n_columns] if hasattr(beat, "iloc") else beat[:, :n_columns]
    if method is not None:
        codes = range(len(CLASS_NAMES))
        is_aami = all(label in codes for label in pipe.classes_.tolist())
        return BeatExplanationDisplay.from_estimator(
            pipe, beat, method=method, target_names=CLASS_NAMES if is_aami else None
        ).figure_
    rate = beats.get("sampling_rate")
    figure, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
    display = BeatsDisplay([np.asarray(beat)], sampling_rate=rate or 1)
    display.plot(np.array([[ax]]))
    ax.set(
        title=title,
        xlabel="Time (s)" if rate else "Time (samples)",
        ylabel="Amplitude (a.u.)",
    )
    return figure
