"""How :class:`~ecg_sklearn.inspection.BeatExplanationDisplay` is drawn."""

import numpy as np

__all__ = ["draw_explanation"]

# White to Okabe and Ito's vermilion: light and dark follow the value, so that the
# colour-blind and a grey print see the same, and a black curve stays readable on it.
_EVIDENCE = ("#FFFFFF", "#F3B37A", "#D55E00")
# Contours of the heatmap, told apart without colour.
_CONTOURS = {
    0.25: {"linestyle": ":", "linewidth": 1.4},
    0.5: {"linestyle": "--", "linewidth": 1.4},
    0.75: {"linestyle": "-", "linewidth": 2.0},
}
# Below this fraction of the largest value, a negative profile is hatched.
_CLEARLY_NEGATIVE = 0.1


def draw_explanation(display, axes=None):
    """Draw a display.

    Parameters
    ----------
    display : BeatExplanationDisplay
        What to draw.
    axes : sequence of matplotlib.axes.Axes or None
        Where; None makes a figure.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        The axes of the beat and of the spectrogram, if there is one.

    Raises
    ------
    ValueError
        If there are too few axes.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    n_panels = 1 if display.spectrogram is None else 2
    if axes is None:
        _, axes = plt.subplots(
            n_panels, 1, figsize=(7.5, 2.9 * n_panels), layout="constrained"
        )
    axes = np.ravel(axes)
    if len(axes) < n_panels:
        raise ValueError(f"{len(axes)} axes were given; this display needs {n_panels}.")
    evidence = LinearSegmentedColormap.from_list("evidence", _EVIDENCE)
    times = np.asarray(display.times)
    _draw_beat(display, axes[0], times, evidence)
    if n_panels == 2:
        _draw_spectrogram(display, axes[1])
        axes[1].set_xlim(times[0], times[-1])
    return axes[:n_panels]


def _draw_beat(display, ax, times, evidence):
    """Draw the beat on a ground coloured by the profile."""
    profile = np.asarray(display.time_profile)
    largest = np.abs(profile).max()
    ax.plot(times, display.beat, color="black", linewidth=1.4)
    low, high = ax.get_ylim()
    ground = ax.imshow(
        profile[None, :],
        extent=(*_edges(times), low, high),
        aspect="auto",
        cmap=evidence,
        vmin=0,
        vmax=largest if largest > 0 else 1,
        zorder=0,
    )
    against = profile < -_CLEARLY_NEGATIVE * largest
    if against.any():
        ax.fill_between(
            times, low, high, where=against, facecolor="none", edgecolor="0.6",
            hatch="///", linewidth=0, label="spoke against the class", zorder=0.5,
        )  # fmt: skip
        ax.legend(fontsize="small", loc="best")
    ax.set(xlim=(times[0], times[-1]), ylim=(low, high))
    ax.set(xlabel="Time (s)", ylabel="Amplitude")
    if display.title is not None:
        ax.set_title(display.title)
    ax.figure.colorbar(ground, ax=ax, label=display.profile_label, pad=0.02)


def _draw_spectrogram(display, ax):
    """Draw the spectrogram in grey, and contours of the heatmap, which hide little."""
    image = ax.imshow(
        np.asarray(display.spectrogram),
        extent=(*_edges(display.frame_times), *_edges(display.frequencies)),
        origin="lower",
        aspect="auto",
        cmap="Greys",
    )
    ax.figure.colorbar(image, ax=ax, label=display.spectrogram_label, pad=0.02)
    if display.heatmap is not None:
        _draw_contours(display, ax)
    ax.set(xlabel="Time (s)", ylabel="Frequency (Hz)")


def _draw_contours(display, ax):
    """Draw the contours that the heatmap has, with a legend above the axes."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    heatmap = np.asarray(display.heatmap)
    # Carried on to the edges of the outer cells, where the image ends.
    heatmap = np.pad(heatmap, 1, mode="edge")
    x = _with_edges(display.frame_times)
    y = _with_edges(display.frequencies)
    handles = []
    for level, line in _CONTOURS.items():
        if not heatmap.min() < level < heatmap.max():
            continue
        drawn = ax.contour(
            x,
            y,
            heatmap,
            levels=[level],
            colors=_EVIDENCE[-1],
            linestyles=line["linestyle"],
            linewidths=line["linewidth"],
        )
        drawn.set_path_effects(
            [withStroke(linewidth=line["linewidth"] + 1.6, foreground="white")]
        )
        label = f"{level} of the largest evidence" if not handles else f"{level}"
        handles.append(Line2D([], [], color=_EVIDENCE[-1], label=label, **line))
    if handles:
        ax.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(handles),
            fontsize="small",
            frameon=False,
        )


def _with_edges(centres):
    first, last = _edges(centres)
    return np.concatenate([[first], centres, [last]])


def _edges(centres):
    """Outer edges of evenly spaced cells, of any number from one."""
    centres = np.asarray(centres)
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return centres[0] - half, centres[-1] + half
