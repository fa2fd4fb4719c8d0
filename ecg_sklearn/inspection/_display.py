"""The display that lays an explanation over a beat and its spectrogram."""

import numpy as np

from ecg_sklearn.inspection._class_activation import (
    grad_cam,
    spectrogram_step,
    split_pipeline,
)
from ecg_sklearn.inspection._drawing import draw_explanation
from ecg_sklearn.inspection._occlusion import occlusion

__all__ = ["BeatExplanationDisplay"]


class BeatExplanationDisplay:
    """One beat and its spectrogram, with what spoke for a class laid over them.

    Parameters
    ----------
    beat : array-like of shape (n_times,)
        The beat.
    times : array-like of shape (n_times,)
        Times of its samples, in s.
    time_profile : array-like of shape (n_times,)
        Evidence at each sample. Positive values colour the ground behind the beat;
        stretches of clearly negative values are hatched.
    spectrogram : array-like of shape (n_freqs, n_frames), default=None
        Spectrogram of the beat. None draws the beat alone.
    heatmap : array-like of shape (n_freqs, n_frames), default=None
        Evidence on the spectrogram, in [0, 1]. None draws the spectrogram bare.
    frequencies : array-like of shape (n_freqs,), default=None
        Frequencies of the spectrogram, in Hz, evenly spaced.
    frame_times : array-like of shape (n_frames,), default=None
        Times of the spectrogram, in s, evenly spaced.
    spectrogram_label : str, default="Power (dB)"
        What the values of the spectrogram are.
    profile_label : str, default="Evidence"
        What the values of ``time_profile`` are.
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
    grad_cam : Gives heatmap and profile.
    occlusion : Gives a profile, of any classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.inspection import BeatExplanationDisplay
    >>> times = np.arange(100) / 100
    >>> wave = np.exp(-((times - 0.4) ** 2) / 0.001)
    >>> display = BeatExplanationDisplay(wave, times, wave)
    """

    def __init__(
        self,
        beat,
        times,
        time_profile,
        *,
        spectrogram=None,
        heatmap=None,
        frequencies=None,
        frame_times=None,
        spectrogram_label="Power (dB)",
        profile_label="Evidence",
        title=None,
    ):
        self.beat = beat
        self.times = times
        self.time_profile = time_profile
        self.spectrogram = spectrogram
        self.heatmap = heatmap
        self.frequencies = frequencies
        self.frame_times = frame_times
        self.spectrogram_label = spectrogram_label
        self.profile_label = profile_label
        self.title = title

    @classmethod
    def from_estimator(
        cls,
        pipe,
        x,
        class_=None,
        *,
        method="grad_cam",
        layer=None,
        target_names=None,
        axes=None,
    ):
        """Explain one beat and draw it.

        Parameters
        ----------
        pipe : Pipeline
            Fitted, with a step that makes spectrograms.
        x : array-like of shape (n_features,) or (1, n_features)
            The beat, as the pipeline takes it.
        class_ : label, default=None
            The class to explain. None explains the predicted class.
        method : {"grad_cam", "occlusion"}, default="grad_cam"
            :func:`grad_cam`, or :func:`occlusion`, which has no heatmap.
        layer : int or str, default=None
            For "grad_cam": the convolution block, as there.
        target_names : sequence of str or None, default=None
            Names of the classes, for the title: one for each label 0, 1, and so on.
        axes : sequence of two matplotlib.axes.Axes or None, default=None
            Where to draw the beat and its spectrogram.

        Returns
        -------
        BeatExplanationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there is no such method, more than one beat, or no spectrogram.
        """
        if method not in ("grad_cam", "occlusion"):
            raise ValueError(
                f'method={method!r} is neither "grad_cam" nor "occlusion".'
            )
        x = x if hasattr(x, "iloc") else np.atleast_2d(x)
        if x.ndim != 2 or len(x) != 1:
            raise ValueError(
                f"x has shape {x.shape}, but the display shows one beat. Give shape "
                "(n_times,) or (1, n_times)."
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
            profile_label = "Evidence, mean over frequency"
        else:
            found = occlusion(pipe, x, class_)
            profile_label = "Fall of the probability"
        image, label = _spectrogram_in_units(steps, spectrogram, x)
        name = found.classes[0]
        name = name if target_names is None else target_names[name]
        return cls(
            np.asarray(x)[0, spectrogram.sample_columns_],
            found.times,
            found.time_profile[0],
            spectrogram=image,
            heatmap=found.heatmap[0] if "heatmap" in found else None,
            frequencies=spectrogram.frequencies_,
            frame_times=spectrogram.times_,
            spectrogram_label=label,
            profile_label=profile_label,
            title=f"Class {name}, probability {found.probability[0]:.2f}",
        ).plot(axes)

    def plot(self, axes=None):
        """Draw.

        Parameters
        ----------
        axes : sequence of matplotlib.axes.Axes or None, default=None
            Where to draw the beat and, if there is one, the spectrogram; None makes
            a figure.

        Returns
        -------
        BeatExplanationDisplay
            This display.
        """
        self.axes_ = draw_explanation(self, axes)
        self.figure_ = self.axes_[0].figure
        return self


def _spectrogram_in_units(steps, spectrogram, x):
    """Spectrogram of one beat without its normalisation, and what its values are."""
    for step in steps:
        if step is spectrogram:
            break
        x = step.transform(x)
    label = {"db": "Power (dB)", "power": "Power", "magnitude": "Magnitude"}
    return spectrogram._levels_in_units(x)[0], label[spectrogram.scale]
