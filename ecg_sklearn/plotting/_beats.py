"""Displays of beats and of their spectrograms."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import (
    _safe_indexing,
    check_array,
    check_consistent_length,
    check_random_state,
)

from ecg_sklearn.plotting._drawing import (
    COLORS,
    check_count,
    check_rate,
    cut_of,
    in_words,
    name_classes,
    tidy,
    time_label,
)
from ecg_sklearn.utils._columns import sample_columns
from ecg_sklearn.utils._validation import flat_array

__all__ = ["BeatsDisplay", "SpectrogramsDisplay"]


@dataclass(eq=False, repr=False)
class BeatsDisplay:
    """Single beats of each class, one class per row.

    Parameters
    ----------
    beats : sequence of n_classes arrays of shape (n_beats_of_class, n_times)
        The beats to draw.
    sampling_rate : float
        Samples per second, in Hz.
    start : float, default=0.0
        Time of the first sample, in s: -0.4 for windows that begin 0.4 s before the
        R peak.
    unit : str, default="a.u."
        Unit of the amplitude, such as "mV".
    target_names : sequence of str or None, default=None
        Name of each row. None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (n_classes, n_columns)
        One axes for each beat; unused axes are hidden.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.plotting import BeatsDisplay
    >>> display = BeatsDisplay([np.zeros((3, 187))] * 2, sampling_rate=120.0)
    """

    beats: Sequence
    _: KW_ONLY
    sampling_rate: float
    start: float = 0.0
    unit: str = "a.u."
    target_names: Sequence | None = None

    @classmethod
    def from_beats(
        cls,
        X,
        y,
        *,
        sampling_rate,
        n_beats=4,
        start=0.0,
        unit="a.u.",
        target_names=None,
        random_state=None,
        axes=None,
    ):
        """Draw random beats of each class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_beats, n_columns)
            Beats. The columns ``t000``, ``t001``, ... of a DataFrame are drawn, or all
            if it has no such column.
        y : array-like of shape (n_beats,)
            Class of each beat.
        sampling_rate : float
            Samples per second, in Hz.
        n_beats : int, default=4
            Largest number of beats to draw of each class.
        start : float, default=0.0
            Time of the first sample, in s.
        unit : str, default="a.u."
            Unit of the amplitude, such as "mV".
        target_names : sequence of str or None, default=None
            Name of class 0, 1 and so on. None shows the labels.
        random_state : int, RandomState instance or None, default=None
            Seed of the choice.
        axes : array of matplotlib.axes.Axes or None, default=None
            Axes to draw on, of shape (n_classes, n_columns). None makes a figure.

        Returns
        -------
        BeatsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If ``X`` is not two-dimensional, the lengths differ, or a parameter is out
            of range.
        """
        check_count(n_beats, "n_beats")
        rng = check_random_state(random_state)
        names = [str(name) for name in getattr(X, "columns", ())] or None
        X = check_array(X, ensure_all_finite=False, input_name="X")
        X = X[:, sample_columns("auto", X, names)[0]]
        y = flat_array(y, "y")
        check_consistent_length(X, y)
        labels = np.unique(y).tolist()
        names = name_classes(labels, target_names)
        places = (rng.permutation(np.flatnonzero(y == label)) for label in labels)
        beats = [X[chosen[:n_beats]] for chosen in places]
        display = cls(
            beats,
            sampling_rate=sampling_rate,
            start=start,
            unit=unit,
            target_names=names,
        )
        return display.plot(axes)

    def plot(self, axes=None):
        """Draw, and return this display.

        Parameters
        ----------
        axes : array of matplotlib.axes.Axes or None, default=None
            Axes to draw on, of shape (n_classes, n_columns). None makes a figure.

        Returns
        -------
        BeatsDisplay
            This display.

        Raises
        ------
        ValueError
            If there are too few axes or no beats, or ``sampling_rate`` is invalid.
        """
        import matplotlib.pyplot as plt

        check_rate(self.sampling_rate, "sampling_rate")
        shape = (len(self.beats), max((len(rows) for rows in self.beats), default=0))
        if 0 in shape:
            raise ValueError("beats holds no beat to draw. Give one class at least.")
        names = in_words(name_classes(range(shape[0]), self.target_names))
        seconds, label = time_label(self.start), "{}"
        if axes is None:
            figure, axes = plt.subplots(
                *shape,
                figsize=(1.4 + 1.7 * shape[1], 0.7 + 1.25 * shape[0]),
                sharex=True,
                sharey=True,
                squeeze=False,
                layout="constrained",
            )
            figure.supxlabel(seconds, fontsize="medium")
            figure.supylabel(f"Amplitude ({self.unit})", fontsize="medium")
        else:
            label = f"{{}} ({self.unit})"
        axes = np.asarray(axes)
        if axes.ndim != 2 or axes.shape[0] != shape[0] or axes.shape[1] < shape[1]:
            raise ValueError(
                f"axes have shape {axes.shape}; {shape[0]} classes with up to "
                f"{shape[1]} beats need {shape}."
            )
        for row, beats, name in zip(axes, self.beats, names, strict=True):
            for ax in row[len(beats) :]:
                ax.set_visible(False)
            for ax, beat in zip(row, beats, strict=False):
                times = self.start + np.arange(len(beat)) / self.sampling_rate
                ax.plot(times, beat, color=COLORS[0], linewidth=1)
                ax.margins(x=0.02)
                ax.locator_params(axis="x", nbins=4)
                ax.tick_params(labelsize="small")
                tidy(ax, "both")
            name = label.format(name.replace(" (", "\n("))
            row[0].set_ylabel(name, fontsize="small", weight="bold")
        for ax in axes[-1] if label != "{}" else ():
            ax.set_xlabel(seconds)
        self.axes_ = axes
        self.figure_ = axes.flat[0].figure
        return self


@dataclass(eq=False, repr=False)
class SpectrogramsDisplay:
    """One spectrogram of each class, on a common colour scale.

    Parameters
    ----------
    images : array-like of shape (n_classes, n_freqs, n_frames)
        The spectrograms.
    frequencies : array-like of shape (n_freqs,)
        Centre of each row, in Hz.
    times : array-like of shape (n_frames,)
        Centre of each column, in s; relative to the R peak if the first is negative.
    label : str, default="Power (dB)"
        Quantity and unit of the values, for the colour bar.
    target_names : sequence of str or None, default=None
        Title of each spectrogram. None numbers them.
    notes : sequence of str or None, default=None
        Second line of each title, such as "mean of 40 beats".

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (n_classes,)
        The axes of the spectrograms.
    colorbar_ : matplotlib.colorbar.Colorbar
        The colour bar.
    figure_ : matplotlib.figure.Figure
        The figure.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.plotting import SpectrogramsDisplay
    >>> display = SpectrogramsDisplay(
    ...     np.zeros((5, 12, 47)), frequencies=np.arange(12) * 3.75,
    ...     times=np.arange(47) / 30,
    ... )
    """

    images: ArrayLike
    _: KW_ONLY
    frequencies: ArrayLike
    times: ArrayLike
    label: str = "Power (dB)"
    target_names: Sequence | None = None
    notes: Sequence | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        kind="mean",
        unit="unit",
        target_names=None,
        random_state=None,
        axes=None,
    ):
        """Draw the spectrograms of each class.

        The values are those before ``normalize``, so that they have a unit.

        Parameters
        ----------
        estimator : SpectrogramTransformer or Pipeline
            Fitted. In a pipeline, the steps before the spectrogram transform the
            beats; samplers are skipped.
        X : array-like or DataFrame of shape (n_beats, n_columns)
            Beats in the form that the estimator was fitted on. Features are not drawn.
        y : array-like of shape (n_beats,)
            Class of each beat.
        kind : {"mean", "example"}, default="mean"
            The mean spectrogram of a class (of decibels with ``scale="db"``), or the
            spectrogram of one random beat.
        unit : str, default="unit"
            Unit of the beats, such as "mV".
        target_names : sequence of str or None, default=None
            Name of class 0, 1 and so on. None shows the labels.
        random_state : int, RandomState instance or None, default=None
            Seed of the choice.
        axes : sequence of matplotlib.axes.Axes or None, default=None
            Axes to draw on, one for each class. None makes a figure.

        Returns
        -------
        SpectrogramsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If ``kind`` is unknown, or the estimator is not fitted or makes no
            spectrograms.
        """
        if kind not in ("mean", "example"):
            raise ValueError(f'kind={kind!r} is unknown. Use "mean" or "example".')
        spectrogram, X = _spectrogram_step(estimator, X)
        start, _ = cut_of([step for _, step in getattr(estimator, "steps", ())])
        y, rng = flat_array(y, "y"), check_random_state(random_state)
        check_consistent_length(X, y)
        labels = np.unique(y).tolist()
        images, notes = [], []
        for label in labels:
            places = np.flatnonzero(y == label)
            chosen = places if kind == "mean" else rng.choice(places, 1)
            n_beats = len(chosen)
            notes.append("one beat" if n_beats == 1 else f"mean of {n_beats:,} beats")
            levels = spectrogram._levels_in_units(_safe_indexing(X, chosen))
            images.append(levels.mean(axis=0))
        display = cls(
            np.stack(images),
            frequencies=spectrogram.frequencies_,
            times=spectrogram.times_ + start,
            label=_quantity(spectrogram, unit),
            target_names=name_classes(labels, target_names),
            notes=notes,
        )
        return display.plot(axes)

    def plot(self, axes=None, *, cmap="viridis"):
        """Draw, and return this display.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes or None, default=None
            Axes to draw on, one for each class. None makes a figure.
        cmap : str, default="viridis"
            Colour map, preferably of increasing lightness, for grey prints.

        Returns
        -------
        SpectrogramsDisplay
            This display.
        """
        import matplotlib.pyplot as plt

        images = np.asarray(self.images)
        if axes is None:
            _, axes = plt.subplots(
                1,
                len(images),
                figsize=(1.2 + 2.1 * len(images), 2.8),
                sharex=True,
                sharey=True,
                squeeze=False,
                layout="constrained",
            )
        axes = np.asarray(axes).ravel()
        titles = in_words(name_classes(range(len(images)), self.target_names))
        if self.notes is not None:
            titles = ["\n".join(both) for both in zip(titles, self.notes, strict=True)]
        for ax, image, title in zip(axes, images, titles, strict=True):
            mesh = ax.pcolormesh(
                self.times, self.frequencies, image, shading="nearest", cmap=cmap,
                vmin=images.min(), vmax=images.max(), rasterized=True,
            )  # fmt: skip
            ax.set_title(title, fontsize="medium")
            ax.set_xlabel(time_label(self.times[0]))
        axes[0].set_ylabel("Frequency (Hz)")
        self.axes_ = axes
        self.figure_ = axes[0].figure
        self.colorbar_ = self.figure_.colorbar(
            mesh, ax=axes.tolist(), label=self.label, pad=0.01
        )
        return self


def _spectrogram_step(estimator, X):
    """Return the spectrogram step, and the beats transformed up to it."""
    steps = estimator.steps if hasattr(estimator, "steps") else [("", estimator)]
    for _, step in steps:
        if hasattr(step, "frequencies_") and hasattr(step, "times_"):
            return step, X
        if hasattr(step, "transform"):  # samplers and "passthrough" have none
            X = step.transform(X)
    raise ValueError(
        f"{type(estimator).__name__} holds no fitted SpectrogramTransformer. Fit it "
        "first, or give a pipeline that has such a step."
    )


def _quantity(spectrogram, unit):
    """Quantity and unit of a transformer's values before they are normalised."""
    density = spectrogram.scaling == "density"
    if spectrogram.scale == "magnitude":
        return f"Magnitude ({unit}/√Hz)" if density else f"Magnitude ({unit})"
    power = f"{unit}²/Hz" if density else f"{unit}²"
    return (
        f"Power (dB re 1 {power})" if spectrogram.scale == "db" else f"Power ({power})"
    )
