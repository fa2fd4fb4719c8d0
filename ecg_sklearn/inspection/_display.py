"""Display of an explanation over a beat and its spectrogram."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecg_sklearn.inspection._class_activation import (
    grad_cam,
    spectrogram_step,
    split_pipeline,
)
from ecg_sklearn.inspection._occlusion import occlusion
from ecg_sklearn.plotting._drawing import cut_of, in_words, time_label

__all__ = ["BeatExplanationDisplay"]

# White to Okabe and Ito's vermilion: lightness follows the value, for colour-blind
# readers and grey prints, and a black curve stays visible.
_EVIDENCE = ("#FFFFFF", "#F3B37A", "#D55E00")
# Level of the heatmap -> line style of its contour.
_CONTOURS = {0.25: ":", 0.5: "--", 0.75: "-"}
# A negative profile beyond this fraction of the largest value is hatched.
_CLEARLY_NEGATIVE = 0.1
_QUANTITIES = {"db": "Power (dB)", "power": "Power", "magnitude": "Magnitude"}


@dataclass(eq=False, repr=False)
class BeatExplanationDisplay:
    """One beat and its spectrogram, with the evidence for a class.

    Parameters
    ----------
    beat : array-like of shape (n_times,)
        The beat.
    times : array-like of shape (n_times,)
        Times of its samples, in s; relative to the R peak if the first is negative.
    time_profile : array-like of shape (n_times,)
        Evidence at each sample. Positive values colour the background; segments of
        clearly negative values are hatched.
    spectrogram : array-like of shape (n_freqs, n_frames), default=None
        Spectrogram of the beat. None draws the beat alone.
    heatmap : array-like of shape (n_freqs, n_frames), default=None
        Evidence on the spectrogram, in [0, 1]. None draws no contours.
    frequencies : array-like of shape (n_freqs,), default=None
        Frequencies of the spectrogram, in Hz, evenly spaced.
    frame_times : array-like of shape (n_frames,), default=None
        Times of the spectrogram, in s, evenly spaced.
    spectrogram_label : str, default="Power (dB)"
        Quantity and unit of the spectrogram.
    profile_label : str, default="Evidence"
        Label of ``time_profile``.
    unit : str, default="a.u."
        Unit of the amplitude, such as "mV".
    title : str, default=None
        Title above the beat.

    Attributes
    ----------
    axes_ : ndarray of matplotlib.axes.Axes of shape (2,) or (1,)
        Axes of the beat and of the spectrogram, if there is one.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    grad_cam : Computes heatmap and profile.
    occlusion : Computes a profile, for any classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.inspection import BeatExplanationDisplay
    >>> times = np.arange(100) / 100
    >>> wave = np.exp(-((times - 0.4) ** 2) / 0.001)
    >>> display = BeatExplanationDisplay(wave, times, wave)
    """

    beat: ArrayLike
    times: ArrayLike
    time_profile: ArrayLike
    _: KW_ONLY
    spectrogram: ArrayLike | None = None
    heatmap: ArrayLike | None = None
    frequencies: ArrayLike | None = None
    frame_times: ArrayLike | None = None
    spectrogram_label: str = "Power (dB)"
    profile_label: str = "Evidence"
    unit: str = "a.u."
    title: str | None = None

    @classmethod
    def from_estimator(
        cls,
        pipe,
        x,
        class_=None,
        *,
        method="grad_cam",
        layer=None,
        start=None,
        unit=None,
        target_names=None,
        axes=None,
    ):
        """Explain one beat and draw it.

        Parameters
        ----------
        pipe : Pipeline
            Fitted, with a SpectrogramTransformer.
        x : array-like of shape (n_columns,) or (1, n_columns)
            The beat, in the form that the pipeline was fitted on.
        class_ : label, default=None
            The class to explain. None explains the predicted class.
        method : {"grad_cam", "occlusion"}, default="grad_cam"
            :func:`grad_cam`, or :func:`occlusion`, which has no heatmap.
        layer : int or str, default=None
            For "grad_cam": the convolution block, as in :func:`grad_cam`.
        start : float or None, default=None
            Time of the first sample, in s, such as -0.4 for a window that begins
            before the R peak. None takes that of the training beats, or 0 if the
            pipeline has not stored it.
        unit : str or None, default=None
            Unit of the amplitude. None as for ``start``.
        target_names : sequence of str or None, default=None
            Class names for the title: one for each label 0, 1, and so on.
        axes : sequence of two matplotlib.axes.Axes or None, default=None
            Where to draw the beat and its spectrogram.

        Returns
        -------
        BeatExplanationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If ``method`` is unknown, ``x`` is more than one beat, or the pipeline has
            no spectrogram.
        """
        if method not in ("grad_cam", "occlusion"):
            raise ValueError(
                f'method={method!r} is neither "grad_cam" nor "occlusion".'
            )
        x = x if hasattr(x, "iloc") else np.atleast_2d(x)
        if x.ndim != 2 or len(x) != 1:
            raise ValueError(
                f"x has shape {x.shape}, but the display shows one beat. Give shape "
                "(n_columns,) or (1, n_columns)."
            )
        steps, _ = split_pipeline(pipe)
        spectrogram = spectrogram_step(steps)
        if spectrogram is None:
            raise ValueError(
                "The pipeline has no spectrogram to draw. Give a display the arrays of "
                "occlusion."
            )
        if method == "grad_cam":
            found = grad_cam(pipe, x, class_, layer=layer)
        else:
            found = occlusion(pipe, x, class_)
        first, known = cut_of(steps)
        start = first if start is None else start
        beat = np.asarray(x)[0, spectrogram.sample_columns_]
        for step in steps[: steps.index(spectrogram)]:
            x = step.transform(x)
        name = found.classes[0]
        name = name if target_names is None else target_names[name]
        [name] = in_words([name])
        return cls(
            beat,
            found.times + start,
            found.time_profile[0],
            spectrogram=spectrogram._levels_in_units(x)[0],
            heatmap=found.heatmap[0] if "heatmap" in found else None,
            frequencies=spectrogram.frequencies_,
            frame_times=spectrogram.times_ + start,
            spectrogram_label=_QUANTITIES[spectrogram.scale],
            profile_label="Evidence, mean over frequency"
            if method == "grad_cam"
            else "Fall of the probability",
            unit=unit or known or "a.u.",
            title=f"One beat: {name}, probability {found.probability[0]:.2f}",
        ).plot(axes)

    def plot(self, axes=None):
        """Draw the display.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes or None, default=None
            Axes of the beat and of the spectrogram, if any. None makes a figure.

        Returns
        -------
        BeatExplanationDisplay
            This display.
        """
        import matplotlib.pyplot as plt

        n_panels = 1 if self.spectrogram is None else 2
        if axes is None:
            _, axes = plt.subplots(
                n_panels, 1, figsize=(7.5, 2.9 * n_panels), layout="constrained"
            )
        axes = np.ravel(axes)
        if len(axes) < n_panels:
            raise ValueError(
                f"{len(axes)} axes were given; this display needs {n_panels}."
            )
        self._draw_beat(axes[0])
        if n_panels == 2:
            self._draw_spectrogram(axes[1])
            axes[1].set_xlim(axes[0].get_xlim())
        self.axes_ = axes[:n_panels]
        self.figure_ = self.axes_[0].figure
        return self

    def _draw_beat(self, ax):
        """Draw the beat on a background coloured by the profile."""
        from matplotlib.colors import LinearSegmentedColormap

        times, profile = np.asarray(self.times), np.asarray(self.time_profile)
        largest = np.abs(profile).max()
        ax.plot(times, self.beat, color="black", linewidth=1.4)
        low, high = ax.get_ylim()
        ground = ax.imshow(
            profile[None, :],
            extent=(*_edges(times), low, high),
            aspect="auto",
            cmap=LinearSegmentedColormap.from_list("evidence", _EVIDENCE),
            vmin=0,
            vmax=largest if largest > 0 else 1,
            zorder=0,
        )
        against = profile < -_CLEARLY_NEGATIVE * largest
        if against.any():
            ax.fill_between(
                times, low, high, where=against, facecolor="none", edgecolor="0.6",
                hatch="///", linewidth=0, zorder=0.5, label="evidence against",
            )  # fmt: skip
            ax.legend(fontsize="small", loc="best")
        ax.set(xlim=(times[0], times[-1]), ylim=(low, high))
        ax.set(xlabel=time_label(times[0]), ylabel=f"Amplitude ({self.unit})")
        ax.set_title(self.title or "", fontsize="medium")
        ax.figure.colorbar(ground, ax=ax, label=self.profile_label, pad=0.02)

    def _draw_spectrogram(self, ax):
        """Draw the spectrogram in grey, and contours of the heatmap on it."""
        from matplotlib.patheffects import withStroke

        x, y = _edges(self.frame_times), _edges(self.frequencies)
        image = ax.imshow(
            np.asarray(self.spectrogram),
            extent=(*x, *y),
            origin="lower",
            aspect="auto",
            cmap="Greys",
        )
        ax.figure.colorbar(image, ax=ax, label=self.spectrogram_label, pad=0.02)
        ax.set(xlabel=time_label(self.times[0]), ylabel="Frequency (Hz)")
        if self.heatmap is None:
            return
        # Extended to the outer edges of the image.
        heatmap = np.pad(np.asarray(self.heatmap), 1, mode="edge")
        levels = [n for n in _CONTOURS if heatmap.min() < n < heatmap.max()]
        if levels:
            drawn = ax.contour(
                np.r_[x[0], self.frame_times, x[1]],
                np.r_[y[0], self.frequencies, y[1]],
                heatmap,
                levels=levels,
                colors=_EVIDENCE[-1],
                linestyles=[_CONTOURS[level] for level in levels],
                linewidths=1.6,
            )
            drawn.set_path_effects([withStroke(linewidth=3.2, foreground="white")])
            ax.set_title(
                "Contours: 0.25 (dotted), 0.5 (dashed), 0.75 (solid) of the largest",
                fontsize="small",
            )


def _edges(centres):
    """Outer edges of evenly spaced cells."""
    centres = np.asarray(centres)
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return centres[0] - half, centres[-1] + half
