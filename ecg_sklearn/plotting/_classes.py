"""Displays of numbers: beats and scores of each class."""

import numpy as np

from ecg_sklearn.plotting._drawing import (
    DARK,
    bar_style,
    legend_above,
    name_classes,
    tidy,
)

__all__ = ["ClassDistributionDisplay", "PerClassDisplay"]


class ClassDistributionDisplay:
    """Number of beats of each class, in one or several sets of beats.

    Parameters
    ----------
    counts : dict of str to array-like of shape (n_classes,)
        Beats of each class, for each set, such as "training" and "test".
    target_names : sequence of str or None, default=None
        Name of each class. None numbers them.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from ecg_sklearn.plotting import ClassDistributionDisplay
    >>> display = ClassDistributionDisplay(
    ...     {"training": [90, 10], "test": [9, 1]}, target_names=["N", "V"]
    ... )
    """

    def __init__(self, counts, *, target_names=None):
        self.counts = counts
        self.target_names = target_names

    @classmethod
    def from_bunches(cls, bunches, *, log_scale=False, ax=None):
        """Count the beats of data sets and draw.

        Parameters
        ----------
        bunches : dict of str to Bunch
            Data sets of :mod:`ecg_sklearn.datasets` by the name to show.
        log_scale : bool, default=False
            Draw on a logarithmic axis, where rare classes can be seen.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw.

        Returns
        -------
        ClassDistributionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the data sets have different classes, or there are none.
        """
        classes = {tuple(bunch.target_names) for bunch in bunches.values()}
        if len(classes) != 1:
            raise ValueError(
                "bunches need one list of target_names in common, and have "
                f"{len(classes)}: {sorted(classes)}. Draw them apart."
            )
        names = classes.pop()
        counts = {
            key: np.bincount(bunch.target, minlength=len(names))
            for key, bunch in bunches.items()
        }
        return cls(counts, target_names=names).plot(ax, log_scale=log_scale)

    def plot(self, ax=None, *, log_scale=False):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; None makes a figure.
        log_scale : bool, default=False
            Draw on a logarithmic axis, where rare classes can be seen.

        Returns
        -------
        ClassDistributionDisplay
            This display.
        """
        import matplotlib.pyplot as plt

        counts = {key: np.asarray(values) for key, values in self.counts.items()}
        n_classes = len(next(iter(counts.values())))
        if ax is None:
            height = 1.2 + 0.24 * n_classes * (len(counts) + 0.5)
            _, ax = plt.subplots(figsize=(6.4, height), layout="constrained")
        left = 0.7 if log_scale else 0  # on the logarithm, a bar of one beat is seen
        thickness = 0.84 / len(counts)
        for number, (key, values) in enumerate(counts.items()):
            places = np.arange(n_classes) + (number + 0.5) * thickness - 0.42
            widths = np.maximum(values - left, 0)
            style = bar_style(number)
            ax.barh(places, widths, thickness, left=left, label=key, **style)
            for place, value in zip(places, values, strict=True):
                ax.annotate(
                    f"{value:,}",
                    (max(value, left), place),
                    xytext=(3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize="small",
                )
        largest = max(values.max() for values in counts.values())
        if log_scale:
            ax.set_xscale("log")
            ax.set_xlim(left, max(10, largest) * (max(10, largest) / left) ** 0.16)
        else:
            ax.set_xlim(0, 1.16 * max(1, largest))
        ax.xaxis.set_major_formatter("{x:,.0f}")
        names = name_classes(range(n_classes), self.target_names)
        ax.set_yticks(range(n_classes), names)
        ax.set_ylim(n_classes - 0.45, -0.55)
        ax.set(xlabel="Number of beats", ylabel="Class")
        tidy(ax, "x")
        if len(counts) > 1:
            legend_above(ax, len(counts))
        self.ax_ = ax
        self.figure_ = ax.figure
        return self


class PerClassDisplay:
    """Scores of each class as bars, with confidence intervals if they are known.

    Parameters
    ----------
    values : array-like of shape (n_classes, n_metrics)
        The scores, fractions from 0 to 1; NaN where a score is not defined.
    low, high : array-like of shape (n_classes, n_metrics) or None, default=None
        Ends of the confidence intervals.
    metric_names : sequence of str, default=("Se", "+P", "F1")
        Names of the scores; EC57 writes Se for the sensitivity and +P for the
        positive predictivity.
    target_names : sequence of str or None, default=None
        Name of each class. None numbers them.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> from ecg_sklearn.plotting import PerClassDisplay
    >>> display = PerClassDisplay(
    ...     [[0.99, 0.98, 0.985], [0.80, 0.70, 0.75]], target_names=["N", "S"]
    ... )
    """

    def __init__(
        self,
        values,
        *,
        low=None,
        high=None,
        metric_names=("Se", "+P", "F1"),
        target_names=None,
    ):
        self.values = values
        self.low = low
        self.high = high
        self.metric_names = metric_names
        self.target_names = target_names

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        PerClassDisplay
            This display.

        Raises
        ------
        ValueError
            If the shapes do not fit each other, or one of ``low`` and ``high`` is
            missing.
        """
        import matplotlib.pyplot as plt
        from matplotlib.patheffects import withStroke

        values, low, high = self._checked()
        n_classes, n_metrics = values.shape
        if ax is None:
            width = 1.5 + 0.32 * n_classes * (n_metrics + 0.6)
            _, ax = plt.subplots(figsize=(max(4, width), 3.6), layout="constrained")
        width = 0.84 / n_metrics
        for number, name in enumerate(self.metric_names):
            places = np.arange(n_classes) + (number + 0.5) * width - 0.42
            ax.bar(places, values[:, number], width, label=name, **bar_style(number))
            if low is not None:
                # From end to end, wherever the value lies: percentiles of a bootstrap
                # need not enclose it. The white rim shows the line on dark bars.
                ends = np.stack([low[:, number], high[:, number]])
                ax.plot(
                    np.stack([places, places]),
                    ends,
                    color=DARK,
                    linewidth=1.8,
                    path_effects=[withStroke(linewidth=4, foreground="white")],
                )
            for place in places[np.isnan(values[:, number])]:
                ax.annotate(
                    "not defined",
                    (place, 0.01),
                    ha="center",
                    va="bottom",
                    rotation=90,
                    fontsize="x-small",
                    color=DARK,
                )
        ax.set_xticks(
            range(n_classes), name_classes(range(n_classes), self.target_names)
        )
        ax.set(xlabel="Class", ylabel="Score (fraction)", ylim=(0, 1.02))
        tidy(ax, "y")
        legend_above(ax, n_metrics)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _checked(self):
        """Scores and the ends of their intervals as arrays, of one shape."""
        values = np.asarray(self.values, dtype=float)
        if values.ndim != 2 or values.shape[1] != len(self.metric_names):
            raise ValueError(
                f"values have shape {values.shape}; they need one row for each class "
                f"and one column for each of {list(self.metric_names)!r}."
            )
        if self.low is None and self.high is None:
            return values, None, None
        if self.low is None or self.high is None:
            raise ValueError(
                "An interval has two ends, and one of low and high is None. Give both, "
                "or none."
            )
        ends = [np.asarray(end, dtype=float) for end in (self.low, self.high)]
        for name, end in zip(("low", "high"), ends, strict=True):
            if end.shape != values.shape:
                raise ValueError(
                    f"{name} has shape {end.shape} and values have {values.shape}. "
                    "Give one end for each value."
                )
        return values, *ends
