"""Beats to the time-frequency plane: :class:`SpectrogramTransformer`.

May import from :mod:`ecg_sklearn.aami` alone.
"""

from numbers import Integral, Real

import numpy as np
import scipy.fft
import scipy.signal
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["SpectrogramTransformer"]

# Beats are transformed in chunks whose frames take about this many bytes, so that
# they stay in the processor's cache and memory does not grow with n_beats.
_CHUNK_BYTES = 2**20
# Above this many multiplications a frame and frequency, the FFT is faster than the
# matrix product.
_LONGEST_MATRIX_SEGMENT = 128


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
        it is. Scaling each beat by itself hides its energy and classifies worse.
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
        "detrend": [StrOptions({"constant", "linear"}), "boolean"],
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
        self._plan(X.shape[1])
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

    def _plan(self, n_times):
        """Resolve the parameters for beats of a length, and set the two axes."""
        nperseg, nfft, hop = self._segment_lengths()
        self._padding = 0 if self.boundary is None else nperseg // 2
        reach = n_times + 2 * self._padding
        if nperseg > reach:
            raise ValueError(
                f"nperseg={nperseg} is longer than the beats (n_times={n_times}). "
                f'Use nperseg <= {n_times}, or set boundary="zeros".'
            )
        if self.boundary in ("even", "odd") and self._padding >= n_times:
            raise ValueError(
                f"boundary={self.boundary!r} mirrors nperseg // 2 = {self._padding} "
                f"samples, but the beats have n_times={n_times}. Use a smaller "
                'nperseg, or boundary="zeros".'
            )
        frequencies = np.fft.rfftfreq(nfft, 1 / self.sampling_rate)
        self._bins = self._kept_bins(frequencies)
        self.frequencies_ = frequencies[self._bins]
        starts = np.arange(0, reach - nperseg + 1, hop)
        self.times_ = (starts - self._padding + nperseg / 2) / self.sampling_rate
        self._nperseg, self._nfft, self._hop = nperseg, nfft, hop
        self._kernel = self._segment_kernel()

    def _segment_lengths(self):
        """``nperseg``, ``nfft`` and the hop in samples, checked against each other."""
        nperseg = int(self.nperseg)
        if isinstance(self.noverlap, Integral):
            noverlap = int(self.noverlap)
            if noverlap >= nperseg:
                raise ValueError(
                    f"noverlap={noverlap} must be below nperseg={nperseg}. Use a float "
                    "in [0, 1) for a fraction of nperseg."
                )
        else:
            noverlap = int(self.noverlap * nperseg)
        if self.nfft is None:
            nfft = nperseg
        elif isinstance(self.nfft, Integral):
            nfft = int(self.nfft)
            if nfft < nperseg:
                raise ValueError(
                    f"nfft={nfft} must be at least nperseg={nperseg}. Use a float for "
                    "a multiple of nperseg, or None for nperseg."
                )
        else:
            nfft = int(self.nfft * nperseg)
        return nperseg, nfft, nperseg - noverlap

    def _kept_bins(self, frequencies):
        """Slice of the frequency bins inside ``freq_range``."""
        if self.freq_range is None:
            return slice(0, len(frequencies))
        try:
            low, high = map(float, self.freq_range)
        except (TypeError, ValueError):
            low = high = np.nan
        kept = np.flatnonzero((frequencies >= low) & (frequencies <= high))
        if kept.size == 0:
            raise ValueError(
                f"freq_range={self.freq_range!r} holds none of the frequencies, which "
                f"run from 0 to {frequencies[-1]:g} Hz in steps of "
                f"{frequencies[min(1, len(frequencies) - 1)]:g} Hz. Give (low, high) "
                "in Hz, or None."
            )
        return slice(kept[0], kept[-1] + 1)

    def _segment_kernel(self):
        """Make what segments are multiplied with: window, or whole Fourier matrix.

        The matrix has the real parts of all bins in its first columns and the
        imaginary parts in the others. Detrending, the window and the scale of the
        power are linear and folded in, so that power is the sum of two squares.
        """
        nperseg = self._nperseg
        window = self._window_values()
        gain = (
            1 / (self.sampling_rate * (window**2).sum())
            if self.scaling == "density"
            else 1 / window.sum() ** 2
        )
        gain = np.full(self._nfft // 2 + 1, gain)
        if self.scale != "magnitude":
            last = -1 if self._nfft % 2 == 0 else None
            gain[1:last] *= 2  # one-sided; zero and Nyquist have no twin
        self._gain = np.sqrt(gain)[self._bins]
        if nperseg > _LONGEST_MATRIX_SEGMENT:
            return window.astype(np.float32)
        turns = np.outer(np.arange(nperseg), np.arange(self._nfft // 2 + 1)[self._bins])
        # Reduced modulo nfft, so that long transforms lose no digits of the angle.
        angle = 2 * np.pi * (turns % self._nfft) / self._nfft
        kernel = np.hstack([np.cos(angle), -np.sin(angle)]) * window[:, None]
        kernel = self._detrending() @ kernel
        return (kernel * np.tile(self._gain, 2)).astype(np.float32)

    def _window_values(self):
        """Values of the window, in double precision."""
        if isinstance(self.window, (str, tuple, Real)):
            return scipy.signal.get_window(self.window, self._nperseg)
        window = np.asarray(self.window, dtype=np.float64)
        if window.shape != (self._nperseg,):
            raise ValueError(
                f"window has shape {window.shape}; as an array it needs one value for "
                f"each of the nperseg={self._nperseg} samples of a segment."
            )
        return window

    def _detrending(self):
        """Matrix that takes the trend out of a segment; it is symmetric."""
        nperseg = self._nperseg
        identity = np.eye(nperseg)
        if self.detrend not in ("constant", "linear"):
            return identity
        basis = np.ones((nperseg, 1))
        if self.detrend == "linear" and nperseg > 1:
            basis = np.column_stack([basis, np.arange(nperseg) - (nperseg - 1) / 2])
        basis, _ = np.linalg.qr(basis)
        return identity - basis @ basis.T

    def _spectrograms(self, X):
        """Spectrograms on the chosen scale, before normalisation."""
        n_frames, n_freqs = len(self.times_), len(self.frequencies_)
        images = np.empty((len(X), n_freqs, n_frames), dtype=np.float32)
        if self._nperseg > _LONGEST_MATRIX_SEGMENT:
            segment_power, width = self._power_by_fft, self._nfft
        else:
            segment_power, width = self._power_by_matrix, self._nperseg + 2 * n_freqs
        chunk = max(1, _CHUNK_BYTES // (4 * n_frames * width))
        for start in range(0, len(X), chunk):
            part = slice(start, start + chunk)
            power = segment_power(self._segments(X[part]))
            if self.scale == "magnitude":
                np.sqrt(power, out=power)
            images[part] = power.transpose(0, 2, 1)
            if self.scale == "db":
                self._to_decibels(images[part])
        return images

    def _segments(self, X):
        """Overlapping segments of some beats, a view (n_beats, n_frames, nperseg)."""
        pad = self._padding
        if pad:
            X = _extend(X, pad, self.boundary)
        if self.detrend:
            # A constant is part of every trend: without it, float32 keeps more digits.
            X = X - X.mean(axis=1, keepdims=True)
        view = np.lib.stride_tricks.sliding_window_view(X, self._nperseg, axis=1)
        return view[:, :: self._hop]

    def _power_by_matrix(self, segments):
        """Power of each segment and bin, as one matrix product."""
        n_freqs = len(self.frequencies_)
        flat = np.ascontiguousarray(segments).reshape(-1, self._nperseg)
        parts = flat @ self._kernel
        np.square(parts, out=parts)
        power = parts[:, :n_freqs] + parts[:, n_freqs:]
        return power.reshape(*segments.shape[:2], n_freqs)

    def _power_by_fft(self, segments):
        """Power of each segment and bin, by a fast Fourier transform."""
        if self.detrend in ("constant", "linear"):
            segments = scipy.signal.detrend(segments, type=self.detrend)
        spectrum = scipy.fft.rfft(segments * self._kernel, self._nfft)
        spectrum = spectrum[..., self._bins] * self._gain.astype(np.float32)
        return np.square(spectrum.real) + np.square(spectrum.imag)

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


def _extend(X, pad, boundary):
    """Extend beats at both ends, as the boundaries of :func:`scipy.signal.stft` do."""
    widths = ((0, 0), (pad, pad))
    if boundary == "zeros":
        return np.pad(X, widths)
    if boundary == "constant":
        return np.pad(X, widths, mode="edge")
    return np.pad(X, widths, mode="reflect", reflect_type=boundary)


def _rescale(images, low, high):
    """Bring [low, high] to [0, 1], in place; what has no range goes to 0."""
    span = high - low
    images -= low
    images /= np.where(span > 0, span, 1)
