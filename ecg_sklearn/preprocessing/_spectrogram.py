"""Beats to the time-frequency plane: :class:`SpectrogramTransformer`.

The transform itself lives in :mod:`ecg_sklearn.preprocessing._stft`, its scales in
:mod:`ecg_sklearn.preprocessing._scales`.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn.preprocessing._scales import (
    RunningScale,
    check_amplitude,
    limits_of,
    rescale,
    to_decibels,
)
from ecg_sklearn.preprocessing._stft import ShortTimePower, direction_of, power_of

__all__ = ["SpectrogramTransformer"]

# Smaller numbers are zero to some processors.
_SMALLEST_POWER = float(np.finfo(np.float32).tiny)
_LARGEST_POWER = float(np.finfo(np.float32).max)


class SpectrogramTransformer(TransformerMixin, BaseEstimator):
    """Turn beats into spectrograms by the short-time Fourier transform.

    The power of each beat is computed in overlapping, windowed segments, as
    :func:`scipy.signal.spectrogram` does, put on a decibel scale and brought to
    [0, 1] with limits learned from the training beats. Detrending and the window
    are folded into the Fourier matrix, so that the transform of all segments of a beat
    is one matrix product in single precision.

    Parameters
    ----------
    sampling_rate : float, default=120.0
        Samples per second of the beats, in Hz.
    window : str, float, tuple or array-like of shape (nperseg,), default="hann"
        Window of each segment: anything that :func:`scipy.signal.get_window` knows,
        or its values.
    nperseg : int, default=16
        Samples per segment.
    noverlap : int or float, default=0.75
        Samples that neighbouring segments share: an int below ``nperseg``, or a
        float in [0, 1) for a fraction of ``nperseg``, rounded down.
    nfft : int, float or None, default=2.0
        Length of the zero-padded Fourier transform: an int of at least ``nperseg``,
        or a float of at least 1.0 for a multiple of ``nperseg``, rounded down. None
        means ``nperseg``.
    detrend : {"constant", "linear", False}, default="constant"
        What to subtract from each segment: its mean, its least-squares line, or
        nothing.
    boundary : {"zeros", "even", "odd", "constant", None}, default="zeros"
        How to extend each beat by ``nperseg // 2`` samples at both ends, as in
        :func:`scipy.signal.stft`. None does not extend it, and then beats must have
        at least ``nperseg`` samples. Samples behind the last whole segment are
        dropped.
    freq_range : tuple of two floats or None, default=(0.0, 42.0)
        Lowest and highest frequency to keep, in Hz, both inclusive. None keeps all.
    scale : {"db", "power", "magnitude"}, default="db"
        "power" is the power of each segment; "magnitude" is the modulus of its
        Fourier transform; "db" is ``10 * log10(max(power, amin))``.
    scaling : {"spectrum", "density"}, default="density"
        "density" gives power per Hz, "spectrum" power, both for a one-sided
        spectrum, as in :func:`scipy.signal.spectrogram`. Magnitudes are not doubled
        for the missing side, as there.
    amin : float, default=1e-6
        Smallest power that ``scale="db"`` tells from zero, in squared units of the
        beats (per Hz for "density"): from 1.2e-38 to 3.4e38, the range of float32.
    top_db : float or None, default=None
        With ``scale="db"``, raise what lies more than this below the largest value
        of its own beat to that level. None does not.
    normalize : {"global", "frequency", "sample", None}, default="global"
        Bring values to [0, 1]: with the smallest and largest value of all training
        beats, with those of each frequency, or with those of each single beat.
        Beats seen later are clipped to the learned limits. None leaves the scale as
        it is. Scaling each beat by itself hides its energy.
    phase : bool, default=False
        Give three channels: the level of each bin, the level times the cosine of
        its phase, and the level times its sine. The level alone does not tell a
        wave from its mirror image.
    n_context : int, default=0
        How many of the last columns of ``X`` are not samples but features of the
        beat, such as the RR ratios of ``fetch_mitbih(context=True)``. They are
        standardised and put into one more row behind the highest frequency, from
        its first frame on, and zeros behind them: a
        :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier` with
        ``context_row=True`` takes them from there.
    flatten : bool, default=False
        Give 2-D output, for any classifier to follow, with feature names such as
        ``"3.75Hz_0.033s"``. Features of the beat come last, as "context0" and so on.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Centre of each frequency bin, in Hz.
    times_ : ndarray of shape (n_frames,)
        Centre of each segment, in s from the first sample of the beat.
    data_min_, data_max_ : ndarray of shape (1,) or (n_freqs,)
        Limits learned with ``normalize="global"`` or "frequency", on the chosen
        scale; not set otherwise.
    context_mean_, context_scale_ : ndarray of shape (n_context,)
        Mean and standard deviation of the features of the training beats (1 for
        those that do not vary); not set with ``n_context=0``.
    n_samples_seen_ : int
        Beats learned from.
    n_times_ : int
        Samples per beat.
    n_features_in_ : int
        Columns of ``X``: samples per beat and features of the beat.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.neural_network.SpectrogramCNNClassifier : Classifies spectrograms.
    scipy.signal.spectrogram : The reference for the numbers.

    References
    ----------
    .. [1] J. B. Allen, L. R. Rabiner, "A unified approach to short-time Fourier
       analysis and synthesis", Proceedings of the IEEE 65(11), 1977.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.preprocessing import SpectrogramTransformer
    >>> X, y = make_heartbeats(100, random_state=0, return_X_y=True)
    >>> spectrogram = SpectrogramTransformer().fit(X)
    >>> spectrogram.transform(X).shape
    (100, 12, 47)
    >>> spectrogram.frequencies_[:3]
    array([0.  , 3.75, 7.5 ])
    """

    _parameter_constraints: dict = {
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "window": [str, tuple, Real, "array-like"],
        "nperseg": [Interval(Integral, 1, None, closed="left")],
        "noverlap": [
            Interval(Integral, 0, None, closed="left"),
            Interval(Real, 0, 1, closed="left"),
        ],
        "nfft": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 1, None, closed="left"),
            None,
        ],
        "detrend": [StrOptions({"constant", "linear"}), Options(bool, {False})],
        "boundary": [StrOptions({"zeros", "even", "odd", "constant"}), None],
        "freq_range": [tuple, list, None],
        "scale": [StrOptions({"db", "power", "magnitude"})],
        "scaling": [StrOptions({"spectrum", "density"})],
        "amin": [Interval(Real, _SMALLEST_POWER, _LARGEST_POWER, closed="both")],
        "top_db": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"global", "frequency", "sample"}), None],
        "phase": ["boolean"],
        "n_context": [Interval(Integral, 0, None, closed="left")],
        "flatten": ["boolean"],
    }

    def __init__(
        self,
        *,
        sampling_rate=120.0,
        window="hann",
        nperseg=16,
        noverlap=0.75,
        nfft=2.0,
        detrend="constant",
        boundary="zeros",
        freq_range=(0.0, 42.0),
        scale="db",
        scaling="density",
        amin=1e-6,
        top_db=None,
        normalize="global",
        phase=False,
        n_context=0,
        flatten=False,
    ):
        self.sampling_rate = sampling_rate
        self.window = window
        self.nperseg = nperseg
        self.noverlap = noverlap
        self.nfft = nfft
        self.detrend = detrend
        self.boundary = boundary
        self.freq_range = freq_range
        self.scale = scale
        self.scaling = scaling
        self.amin = amin
        self.top_db = top_db
        self.normalize = normalize
        self.phase = phase
        self.n_context = n_context
        self.flatten = flatten

    def fit(self, X, y=None):
        """Check the parameters against the beats and learn the limits of the scale.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times + n_context)
            Beats.
        y : object
            Ignored; here for the API.

        Returns
        -------
        SpectrogramTransformer
            The fitted transformer.
        """
        self.fit_transform(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit to the beats and return their spectrograms, computed once.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times + n_context)
            Beats.
        y : object
            Ignored; here for the API.

        Returns
        -------
        ndarray, float32
            The spectrograms, in the shape that :meth:`transform` gives.
        """
        X = self._validate(X, reset=True)
        images = self._images(X)
        self._learn(X, images)
        return self._finish(X, images)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Widen the limits of the scale to hold these beats as well.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times + n_context)
            Beats; as wide as those of earlier calls.
        y : object
            Ignored; here for the API.

        Returns
        -------
        SpectrogramTransformer
            The transformer, fitted to all beats seen so far.
        """
        X = self._validate(X, reset=not hasattr(self, "n_samples_seen_"))
        self._learn(X, self._images(X))
        return self

    def transform(self, X):
        """Compute the spectrograms of beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times + n_context)
            Beats, as wide as those seen in fit.

        Returns
        -------
        ndarray, float32
            The spectrograms, (n_beats, n_freqs, n_frames); with one row more for
            the features of the beat if ``n_context`` is not 0, and with a last axis
            of 3 channels if ``phase=True``. (n_beats, n_columns) with
            ``flatten=True``.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        return self._finish(X, self._images(X))

    @available_if(lambda self: self.flatten)
    def get_feature_names_out(self, input_features=None):
        """Name the columns of the flattened output by frequency and time.

        Available with ``flatten=True`` only.

        Parameters
        ----------
        input_features : object
            Ignored; here for the API.

        Returns
        -------
        ndarray of str objects of shape (n_columns,)
            Names such as ``"3.75Hz_0.033s"``; with ``phase=True``,
            ``"3.75Hz_0.033s_level"``, ``"..._cos"`` and ``"..._sin"``.
        """
        check_is_fitted(self)
        channels = ("_level", "_cos", "_sin") if self.phase else ("",)
        bins = [
            f"{f:.6g}Hz_{t:.4g}s{channel}"
            for f in self.frequencies_
            for t in self.times_
            for channel in channels
        ]
        context = [f"context{i}" for i in range(self.n_context)]
        return np.array(bins + context, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _validate(self, X, *, reset):
        """Check beats; plan the transform of the first ones."""
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=reset)
        check_amplitude(X)
        if reset:
            self._forget()
            self.n_times_ = X.shape[1] - self.n_context
            self._stft = self._plan(self.n_times_)
            self.frequencies_ = self._stft.frequencies
            self.times_ = self._stft.times
            self._check_context_row()
        return X

    def _forget(self):
        """Drop what an earlier fit has learned."""
        names = ("data_min_", "data_max_", "n_samples_seen_")
        for name in (*names, "context_mean_", "context_scale_", "_context"):
            self.__dict__.pop(name, None)

    def _plan(self, n_times):
        """Plan the transform of beats of a length."""
        if n_times < 1:
            raise ValueError(
                f"n_context={self.n_context} leaves no sample of a beat: X has "
                f"{n_times + self.n_context} columns."
            )
        return ShortTimePower(
            n_times,
            sampling_rate=self.sampling_rate,
            window=self.window,
            nperseg=self.nperseg,
            noverlap=self.noverlap,
            nfft=self.nfft,
            detrend=self.detrend,
            boundary=self.boundary,
            freq_range=self.freq_range,
            scaling=self.scaling,
            one_sided=self.scale != "magnitude",
        )

    def _check_context_row(self):
        n_slots = len(self.times_) * (3 if self.phase else 1)
        if not self.flatten and self.n_context > n_slots:
            raise ValueError(
                f"n_context={self.n_context} features do not fit into one row of "
                f"{n_slots} ({len(self.times_)} frames). Use a larger noverlap, "
                "phase=True, or flatten=True."
            )

    def _images(self, X):
        """Spectrograms before normalisation, with room for the features of the beat.

        Channels 1 and 2 hold cosine and sine; :meth:`_finish` multiplies them.
        """
        n_rows = len(self.frequencies_) + bool(self.n_context and not self.flatten)
        channels = (3,) if self.phase else ()
        shape = (len(X), n_rows, len(self.times_), *channels)
        images = np.empty(shape, dtype=np.float32)
        levels = self._levels(images)
        beats = X[:, : self.n_times_]
        for part, spectrum in self._stft.chunks(beats):
            if self.phase:
                images[part, : len(self.frequencies_), :, 1:] = direction_of(spectrum)
            chunk = levels[part]
            power_of(spectrum, out=chunk)  # the spectrum is gone now
            if self.scale == "magnitude":
                np.sqrt(chunk, out=chunk)
            elif self.scale == "db":
                to_decibels(chunk, self.amin, self.top_db)
        return images

    def _levels_in_units(self, X):
        """Levels of beats, (n_beats, n_freqs, n_frames), before normalisation."""
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=False)
        return self._levels(self._images(X))

    def _levels(self, images):
        """View the levels, (n_beats, n_freqs, n_frames), among what images hold."""
        levels = images[..., 0] if self.phase else images
        return levels[:, : len(self.frequencies_)]

    def _learn(self, X, images):
        """Learn from beats and their spectrograms, beside what was learned before."""
        if self.normalize in ("global", "frequency"):
            known = None
            if hasattr(self, "data_min_"):
                known = self.data_min_, self.data_max_
            self.data_min_, self.data_max_ = limits_of(
                self._levels(images), self.normalize, known
            )
        n_seen = getattr(self, "n_samples_seen_", 0)
        if self.n_context:
            known = RunningScale(*getattr(self, "_context", (0.0, 0.0)), n_seen)
            found = known.update(X[:, -self.n_context :])
            self._context = found.mean, found.variance
            self.context_mean_, self.context_scale_ = found.mean, found.spread
        self.n_samples_seen_ = n_seen + len(X)

    def _finish(self, X, images):
        """Normalise in place, put the features of the beat beside, flatten."""
        levels = self._levels(images)
        if self.normalize == "sample":
            low = levels.min(axis=(1, 2), keepdims=True)
            rescale(levels, low, levels.max(axis=(1, 2), keepdims=True))
        elif self.normalize is not None:
            rescale(levels, self.data_min_[:, None], self.data_max_[:, None])
            np.clip(levels, 0, 1, out=levels)
        if self.phase:
            images[:, : len(self.frequencies_), :, 1:] *= levels[..., None]
        if self.n_context:
            context = (X[:, -self.n_context :] - self.context_mean_).astype(np.float32)
            context /= self.context_scale_
            if self.flatten:
                return np.hstack([images.reshape(len(images), -1), context])
            row = np.zeros((len(X), images[0, -1].size), dtype=np.float32)
            row[:, : self.n_context] = context
            images[:, -1] = row.reshape(images[:, -1].shape)
        return images.reshape(len(images), -1) if self.flatten else images
