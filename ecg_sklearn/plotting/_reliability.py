"""The display that holds predicted probabilities against what came true.

:mod:`ecg_sklearn.plotting` shows it.
"""

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.utils import check_array

from ecg_sklearn.plotting._drawing import (
    COLORS,
    DARK,
    check_count,
    legend_above,
    name_classes,
    tidy,
)
from ecg_sklearn.utils._validation import flat_array

__all__ = ["ReliabilityDisplay"]

# A curve of a class with fewer beats is chance.
_FEWEST_BEATS = 10
# Probabilities may have been rounded.
_SUM_TOLERANCE = 0.01
# They tell the curves of the classes apart in grey.
_MARKERS = ("s", "^", "D", "v", "P", "X")


class ReliabilityDisplay:
    """How often predictions come true, by the probability that they were given.

    The thick curve is about the predicted class of each beat: its probability (the
    confidence) against the share of beats where it was right. Above the diagonal a
    classifier is too modest, below it too sure. The thin curves are about one class
    against all others. Below, the confidences of all beats.

    Parameters
    ----------
    prob_pred : array-like of shape (n_filled_bins,)
        Mean confidence of the beats in each bin that has beats.
    prob_true : array-like of shape (n_filled_bins,)
        Share of the beats of each of these bins whose class was predicted.
    confidence : array-like of shape (n_beats,)
        Probability of the predicted class of each beat.
    calibration_error : float
        Expected calibration error: the distance of ``prob_true`` from ``prob_pred``,
        averaged over the beats.
    class_curves : dict of str to (prob_pred, prob_true) or None, default=None
        Curve of each class against all others, by its name.
    n_bins : int, default=10
        Bins of [0, 1].

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (2,)
        Axes of the curves and of the histogram.
    figure_ : matplotlib.figure.Figure
        The figure.

    References
    ----------
    .. [1] C. Guo et al., "On calibration of modern neural networks", ICML, 2017.

    Examples
    --------
    >>> from ecg_sklearn.plotting import ReliabilityDisplay
    >>> display = ReliabilityDisplay.from_predictions(
    ...     ["N", "N", "V", "V"],
    ...     [[0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.3, 0.7]],
    ...     classes=["N", "V"],
    ... )
    >>> print(f"{display.calibration_error:.2f}")
    0.15
    """

    def __init__(
        self,
        prob_pred,
        prob_true,
        confidence,
        *,
        calibration_error,
        class_curves=None,
        n_bins=10,
    ):
        self.prob_pred = prob_pred
        self.prob_true = prob_true
        self.confidence = confidence
        self.calibration_error = calibration_error
        self.class_curves = class_curves
        self.n_bins = n_bins

    @classmethod
    def from_predictions(
        cls, y_true, probability, *, classes, target_names=None, n_bins=10, axes=None
    ):
        """Compare probabilities with true classes, and draw.

        Classes with fewer than 10 beats get no curve of their own.

        Parameters
        ----------
        y_true : array-like of shape (n_beats,)
            True classes.
        probability : array-like of shape (n_beats, n_classes)
            What ``predict_proba`` gives.
        classes : array-like of shape (n_classes,)
            Class of each column, as ``classes_`` of a classifier.
        target_names : sequence of str or None, default=None
            Name of class 0, 1 and so on. None shows the labels.
        n_bins : int, default=10
            Bins of [0, 1], all of one width.
        axes : sequence of two matplotlib.axes.Axes or None, default=None
            Where to draw the curves and the histogram.

        Returns
        -------
        ReliabilityDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the shapes do not fit each other, a beat has a class that is not in
            ``classes``, a probability is not in [0, 1], those of a beat do not add up
            to 1 (within 0.01), or ``n_bins`` is below 1.
        """
        check_count(n_bins, "n_bins")
        y_true = flat_array(y_true, "y_true")
        classes = flat_array(classes, "classes")
        probability = _check_probability(y_true, probability, classes)
        names = name_classes(classes.tolist(), target_names)
        confidence = probability.max(axis=1)
        hits = classes[probability.argmax(axis=1)] == y_true
        observed, predicted = _curve(hits, confidence, n_bins)
        # The bins of calibration_curve, which does not tell how many beats they hold.
        inner_edges = np.linspace(0, 1, n_bins + 1)[1:-1]
        n_beats = np.bincount(np.searchsorted(inner_edges, confidence))
        error = np.average(np.abs(observed - predicted), weights=n_beats[n_beats > 0])
        curves = {}
        for name, label, column in zip(names, classes, probability.T, strict=True):
            if np.count_nonzero(y_true == label) >= _FEWEST_BEATS:
                curves[name] = _curve(y_true == label, column, n_bins)[::-1]
        display = cls(
            predicted,
            observed,
            confidence,
            calibration_error=float(error),
            class_curves=curves,
            n_bins=n_bins,
        )
        return display.plot(axes)

    def plot(self, axes=None):
        """Draw.

        Parameters
        ----------
        axes : sequence of two matplotlib.axes.Axes or None, default=None
            Where to draw the curves and the histogram; None makes a figure.

        Returns
        -------
        ReliabilityDisplay
            This display.
        """
        import matplotlib.pyplot as plt

        if axes is None:
            _, axes = plt.subplots(
                2,
                1,
                figsize=(5, 5.6),
                height_ratios=[3, 1],
                sharex=True,
                layout="constrained",
            )
        curves, histogram = axes
        curves.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="as it should be")
        for number, (name, curve) in enumerate((self.class_curves or {}).items()):
            curves.plot(
                *curve,
                color=COLORS[number % len(COLORS)],
                marker=_MARKERS[number % len(_MARKERS)],
                markersize=4,
                linewidth=1,
                label=f"class {name}",
            )
        curves.plot(
            self.prob_pred,
            self.prob_true,
            color=DARK,
            marker="o",
            linewidth=2.5,
            label=f"predicted class (error {self.calibration_error:.3f})",
        )
        confidence = np.asarray(self.confidence)
        histogram.hist(
            confidence,
            bins=np.linspace(0, 1, self.n_bins + 1),
            weights=np.full(confidence.shape, 1 / max(1, confidence.size)),
            color=COLORS[0],
            edgecolor="white",
        )
        curves.set(
            ylabel="Share that came true (fraction)", xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
        )  # fmt: skip
        histogram.set(
            xlabel="Predicted probability", ylabel="Beats (fraction)", ylim=(0, 1)
        )
        for ax in (curves, histogram):
            tidy(ax, "both")
        legend_above(curves, 2, fontsize="small")
        self.axes_ = np.asarray(axes)
        self.figure_ = curves.figure
        return self


def _curve(is_true, probability, n_bins):
    """Share that came true and mean probability, of each bin that has beats."""
    return calibration_curve(is_true, probability, pos_label=True, n_bins=n_bins)


def _check_probability(y_true, probability, classes):
    """Probabilities as an array that fits the beats and the classes."""
    probability = check_array(
        probability,
        dtype=float,
        ensure_2d=False,
        ensure_all_finite=False,
        ensure_min_samples=0,
        input_name="probability",
    )
    if probability.shape != (len(y_true), len(classes)) or len(y_true) == 0:
        raise ValueError(
            f"probability has shape {probability.shape}; {len(y_true)} beats and "
            f"{len(classes)} classes need ({len(y_true)}, {len(classes)}), and at "
            "least one beat. Give what predict_proba returns for these beats."
        )
    if not ((probability >= 0) & (probability <= 1)).all():  # NaN is not, either
        raise ValueError(
            f"probability goes from {probability.min():g} to {probability.max():g}. "
            "Give probabilities from 0 to 1, not scores."
        )
    sums = probability.sum(axis=1)
    if (wrong := np.abs(sums - 1) > _SUM_TOLERANCE).any():
        raise ValueError(
            f"The probabilities of beat {wrong.argmax()} add up to "
            f"{sums[wrong.argmax()]:g}, not to 1. Give one column for each class, as "
            "predict_proba does."
        )
    if (unknown := ~np.isin(y_true, classes)).any():
        raise ValueError(
            f"y_true holds {np.unique(y_true[unknown]).tolist()!r}, not among the "
            f"classes {classes.tolist()!r}. Leave these beats out."
        )
    return probability
