"""Display of class counts."""

import numpy as np

from ecg_sklearn.plotting._drawing import (
    bar_style,
    in_words,
    legend_above,
    name_classes,
    tidy,
)

__all__ = ["ClassDistributionDisplay"]


class ClassDistributionDisplay:
    """Number of beats of each class in one or several data sets.

    Parameters
    ----------
    counts : dict of str to array-like of shape (n_classes,)
        Number of beats of each class, for each data set, such as "training".
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
            Data sets of :mod:`ecg_sklearn.datasets`, by displayed name.
        log_scale : bool, default=False
            Use a logarithmic axis, on which rare classes are visible.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw on. None makes a figure.

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
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw on. None makes a figure.
        log_scale : bool, default=False
            Use a logarithmic axis, on which rare classes are visible.

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
        left = 0.7 if log_scale else 0  # keeps a bar of one beat visible
        thickness = 0.84 / len(counts)
        for number, (key, values) in enumerate(counts.items()):
            places = np.arange(n_classes) + (number + 0.5) * thickness - 0.42
            widths = np.maximum(values - left, 0)
            bars = ax.barh(
                places, widths, thickness, left=left, label=key, **bar_style(number)
            )
            ax.bar_label(bars, [f"{n:,}" for n in values], padding=3, fontsize="small")
        largest = max(values.max() for values in counts.values())
        if log_scale:
            ax.set_xscale("log")
            ax.set_xlim(left, max(10, largest) * (max(10, largest) / left) ** 0.16)
        else:
            ax.set_xlim(0, 1.16 * max(1, largest))
        ax.xaxis.set_major_formatter("{x:,.0f}")
        names = name_classes(range(n_classes), self.target_names)
        ax.set_yticks(range(n_classes), in_words(names))
        ax.set_ylim(n_classes - 0.45, -0.55)
        ax.set(xlabel="Number of beats")
        tidy(ax, "x")
        if len(counts) > 1:
            legend_above(ax, len(counts))
        self.ax_ = ax
        self.figure_ = ax.figure
        return self
