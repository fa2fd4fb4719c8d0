"""Beats to the time-frequency plane: :class:`SpectrogramTransformer`.

The transform itself lives in :mod:`ecg_sklearn._stft`.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ecg_sklearn._stft import ShortTimePower

__all__ = ["SpectrogramTransformer"]


class SpectrogramTransformer(TransformerMixin, BaseEstimator):
    """Turn beats into spectrograms by the short-time Fourier transform.

    The power of each beat is computed in overlapping, windowed segments, as
    :func:`scipy.signal.spectrogram` does, put on a decibel scale and brought to
    [0, 1] with limits learned from the training beats. Detrending and the window
    are folded into the Fourier matrix, so that the transform of all segments is one
    matrix product in single precision.

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
        beats (per Hz for "density").
    top_db : float or None, default=None
        With ``scale="db"``, raise what lies more than this below the largest value
        of its own beat to that level. None does not.
    normalize : {"global", "frequency", "sample", None}, default="global"
        Bring values to [0, 1]: with the smallest and largest value of all training
        beats, with those of each frequency, or with those of each single beat.
        Beats seen later are clipped to the learned limits. None leaves the scale as
        it is. Scaling each beat by itself hides its energy.
    flatten : bool, default=False
        Give 2-D output, for any classifier to follow, with feature names such as
        ``"3.75Hz_0.033s"``.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Centre of each frequency bin, in Hz.
    times_ : ndarray of shape (n_frames,)
        Centre of each segment, in s from the first sample of the beat.
    data_min_, data_max_ : ndarray of shape (1,) or (n_freqs,)
        Limits learned with ``normalize="global"`` or "frequency", on the chosen
        scale; not set otherwise.
    n_features_in_ : int
        Samples per beat, n_times.
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
        "amin": [Interval(Real, 0, None, closed="neither")],
        "top_db": [Interval(Real, 0, None, closed="neither"), None],
        "normalize": [StrOptions({"global", "frequency", "sample"}), None],
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
        self.flatten = flatten

    def fit(self, X, y=None):
        """Check the parameters against the beats and learn the limits of the scale.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times)
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
        X : array-like of shape (n_beats, n_times)
            Beats.
        y : object
            Ignored; here for the API.

        Returns
        -------
        ndarray of shape (n_beats, n_freqs, n_frames), float32
            The spectrograms; (n_beats, n_freqs * n_frames) with ``flatten=True``.
        """
        X = validate_data(self, X, dtype=np.float32)
        self._stft = ShortTimePower(
            X.shape[1],
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
        self.frequencies_ = self._stft.frequencies
        self.times_ = self._stft.times
        images = self._spectrograms(X)
        self.__dict__.pop("data_min_", None)
        self.__dict__.pop("data_max_", None)
        if self.normalize in ("global", "frequency"):
            axis = None if self.normalize == "global" else (0, 2)
            self.data_min_ = np.atleast_1d(images.min(axis=axis))
            self.data_max_ = np.atleast_1d(images.max(axis=axis))
        return self._finish(images)

    def transform(self, X):
        """Compute the spectrograms of beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_times)
            Beats, as long as those seen in fit.

        Returns
        -------
        ndarray of shape (n_beats, n_freqs, n_frames), float32
            The spectrograms; (n_beats, n_freqs * n_frames) with ``flatten=True``.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return self._finish(self._spectrograms(X))

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
        ndarray of str objects of shape (n_freqs * n_frames,)
            Names such as ``"3.75Hz_0.033s"``.
        """
        check_is_fitted(self)
        return np.array(
            [f"{f:.6g}Hz_{t:.4g}s" for f in self.frequencies_ for t in self.times_],
            dtype=object,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _spectrograms(self, X):
        """Spectrograms on the chosen scale, before normalisation."""
        shape = (len(X), len(self.frequencies_), len(self.times_))
        images = np.empty(shape, dtype=np.float32)
        for part, power in self._stft.chunks(X):
            images[part] = power
            if self.scale == "magnitude":
                np.sqrt(images[part], out=images[part])
            elif self.scale == "db":
                self._to_decibels(images[part])
        return images

    def _to_decibels(self, power):
        """Put power on a decibel scale, in place."""
        np.maximum(power, np.float32(self.amin), out=power)
        np.log10(power, out=power)
        power *= 10
        if self.top_db is not None:
            floor = power.max(axis=(1, 2), keepdims=True) - np.float32(self.top_db)
            np.maximum(power, floor, out=power)

    def _finish(self, images):
        """Normalise in place and flatten."""
        if self.normalize == "sample":
            low = images.min(axis=(1, 2), keepdims=True)
            _rescale(images, low, images.max(axis=(1, 2), keepdims=True))
        elif self.normalize is not None:
            _rescale(images, self.data_min_[:, None], self.data_max_[:, None])
            np.clip(images, 0, 1, out=images)
        return images.reshape(len(images), -1) if self.flatten else images


def _rescale(images, low, high):
    """Bring [low, high] to [0, 1], in place; what has no range goes to 0."""
    span = high - low
    images -= low
    images /= np.where(span > 0, span, 1)
