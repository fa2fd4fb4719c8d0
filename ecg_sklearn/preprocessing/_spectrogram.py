"""Spectrograms of beats: :class:`SpectrogramTransformer`."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
    validate_data,
)

from ecg_sklearn.preprocessing._images import ImageMixin, check_amplitude
from ecg_sklearn.preprocessing._stft import ShortTimePower
from ecg_sklearn.utils._columns import sample_columns

# Some processors flush subnormal floats to zero.
_SMALLEST_POWER = float(np.finfo(np.float32).tiny)
_LARGEST_POWER = float(np.finfo(np.float32).max)
_STFT_PARAMETERS = (
    *("sampling_rate", "window", "nperseg", "noverlap", "nfft"),
    *("detrend", "boundary", "freq_range", "scaling"),
)


class SpectrogramTransformer(ImageMixin, TransformerMixin, BaseEstimator):
    """Turn beats into spectrograms by the short-time Fourier transform.

    The power of each beat is computed in overlapping, windowed segments, as
    :func:`scipy.signal.spectrogram` does, put on a decibel scale and brought to
    [0, 1] with limits learned from the training beats.

    Parameters
    ----------
    sampling_rate : float, default=120.0
        Samples per second of the beats, in Hz.
    window : str, float, tuple or array-like of shape (nperseg,), default="hann"
        Window of each segment: a window of :func:`scipy.signal.get_window`, or its
        values.
    nperseg : int, default=16
        Samples per segment, at most those of a beat.
    noverlap : int or float, default=0.75
        Samples that neighbouring segments share: an int below ``nperseg``, or a
        float in [0, 1) for a fraction of ``nperseg``, rounded down.
    nfft : int, float or None, default=2.0
        Length of the zero-padded Fourier transform: an int of at least ``nperseg``,
        or a float of at least 1.0 for a multiple of ``nperseg``, rounded down. None
        means ``nperseg``.
    detrend : {"constant", "linear", False}, default="constant"
        What to subtract from each segment: mean, least-squares line, or nothing.
    boundary : {"zeros", "even", "odd", "constant", None}, default="zeros"
        How to extend each beat by ``nperseg // 2`` samples at both ends, as in
        :func:`scipy.signal.stft`. None does not extend it. Samples after the last
        complete segment are dropped.
    freq_range : tuple of two floats or None, default=(0.0, 42.0)
        Lowest and highest frequency to keep, in Hz, both inclusive. None keeps all.
    scale : {"db", "power", "magnitude"}, default="db"
        "power" is the power of each segment; "magnitude" is the modulus of its
        Fourier transform; "db" is ``10 * log10(max(power, amin))``.
    scaling : {"spectrum", "density"}, default="density"
        "density" gives power per Hz, "spectrum" power, both for a one-sided
        spectrum, as in :func:`scipy.signal.spectrogram`, where magnitudes are not
        doubled for the missing side either.
    amin : float, default=1e-6
        Lower limit of the power with ``scale="db"``, in squared units of the beats (per
        Hz for "density"): from 1.2e-38 to 3.4e38, the range of float32.
    top_db : float or None, default=None
        With ``scale="db"``, clip levels at this distance below the largest level of
        each beat. None does not clip.
    normalize : {"global", "frequency", "sample", None}, default="global"
        Scale values to [0, 1] by the smallest and largest value of all training beats,
        of each frequency in training, or of each single beat, which hides its energy.
        New beats are clipped to the learned limits. None does not scale.
    phase : bool, default=False
        Return three channels: the level of each bin, the level times the cosine of its
        phase, and the level times its sine. The level alone is the same for a wave and
        its mirror image.
    sample_columns : "auto", slice, array-like or callable, default="auto"
        Which columns of ``X`` are samples of the beat: a slice, positions, a boolean
        mask, names, or a function of ``X`` that returns one of these. "auto" takes
        the columns named ``t000``, ``t001``, ... of a DataFrame, or all if none is so
        named, and all columns of an array. The other columns are features of the
        beat, such as the RR ratios of ``fetch_mitbih(features=["rr"])``. They are
        standardised and put into one or more additional rows after the highest
        frequency. Unused slots are NaN, and so is the last slot of each such row, which
        marks it for :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier`.
    flatten : bool, default=False
        Return 2-D output, for any classifier, with feature names such as
        ``"3.75Hz_0.033s"``. Features of the beat come last and keep their names.

    Attributes
    ----------
    frequencies_ : ndarray of shape (n_freqs,)
        Centre of each frequency bin, in Hz.
    times_ : ndarray of shape (n_frames,)
        Centre of each segment, in s from the first sample of the beat.
    data_min_, data_max_ : ndarray of shape (1,) or (n_freqs,)
        Limits learned with ``normalize="global"`` or "frequency", on the chosen
        scale; not set otherwise.
    sample_columns_ : ndarray of shape (n_times_,), int
        Positions of the samples among the columns of ``X``.
    feature_columns_ : ndarray of shape (n_beat_features,), int
        Positions of the features of the beat: the other columns.
    feature_mean_, feature_scale_ : ndarray of shape (n_beat_features,)
        Mean and standard deviation of the features of the training beats (1 for
        those that do not vary).
    n_samples_seen_ : int
        Number of training beats.
    n_times_ : int
        Samples per beat.
    n_features_in_ : int
        Columns of ``X``: samples per beat and features of the beat.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

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
        "sample_columns": [StrOptions({"auto"}), slice, "array-like", callable],
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
        sample_columns="auto",
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
        self.sample_columns = sample_columns
        self.flatten = flatten

    def fit(self, X, y=None):
        """Check the parameters against the beats and learn the limits of the scale.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
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
        """Fit to beats and return their spectrograms, computed only once.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : object
            Ignored; here for the API.

        Returns
        -------
        ndarray, float32
            The spectrograms, as in :meth:`transform`.
        """
        X = self._validate(X, reset=True)
        images = self._learn_images(X)
        self._by_parts(self._normalize, images, X)
        return self._output(images, X)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Extend the limits of the scale to include these beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats with the same columns as in earlier calls.
        y : object
            Ignored; here for the API.

        Returns
        -------
        SpectrogramTransformer
            The transformer, fitted to all beats seen so far.
        """
        X = self._validate(X, reset=not hasattr(self, "n_samples_seen_"))
        self._learn_images(X)
        return self

    def transform(self, X):
        """Compute the spectrograms of beats.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats with the same columns as in fit.

        Returns
        -------
        ndarray, float32
            The spectrograms, (n_beats, n_freqs, n_frames); with more rows if there
            are features of the beat, and with a last axis of 3 channels if
            ``phase=True``. (n_beats, n_columns_out) with ``flatten=True``.
        """
        check_is_fitted(self)
        X = self._validate(X, reset=False)
        images = self._new_images(len(X))
        self._by_parts(self._compute_normalized, images, X)
        return self._output(images, X)

    @available_if(lambda self: self.flatten)
    def get_feature_names_out(self, input_features=None):
        """Name the columns of the flattened output by frequency and time.

        Available with ``flatten=True`` only.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of ``X``. None takes those seen in fit, or else
            ``"x0"``, ``"x1"``, ...

        Returns
        -------
        ndarray of str objects of shape (n_columns_out,)
            Names such as ``"3.75Hz_0.033s"``; with ``phase=True``,
            ``"3.75Hz_0.033s_level"``, ``"..._cos"`` and ``"..._sin"``. Then those of
            the features of the beat.
        """
        check_is_fitted(self)
        channels = ("_level", "_cos", "_sin") if self.phase else ("",)
        bins = [
            f"{f:.6g}Hz_{t:.4g}s{channel}"
            for f in self.frequencies_
            for t in self.times_
            for channel in channels
        ]
        names = _check_feature_names_in(self, input_features)
        return np.array([*bins, *names[self.feature_columns_]], dtype=object)

    def set_output(self, *, transform=None):
        """Choose the container of flattened output; images are always arrays.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            As in scikit-learn. It has an effect only with ``flatten=True``, and is
            otherwise accepted, so that it can be set for a whole pipeline.

        Returns
        -------
        SpectrogramTransformer
            This transformer.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _validate(self, X, *, reset):
        """Check beats; plan the transform if ``reset``."""
        table = X
        X = validate_data(self, X, dtype=[np.float32, np.float64], reset=reset)
        check_amplitude(X)
        if reset:
            self._forget()
            names = getattr(self, "feature_names_in_", None)
            self.sample_columns_, self.feature_columns_ = sample_columns(
                self.sample_columns, table, names
            )
            self.n_times_ = len(self.sample_columns_)
            self._stft = self._plan(self.n_times_)
            self.frequencies_ = self._stft.frequencies
            self.times_ = self._stft.times
            if self._n_feature_rows and self._n_slots < 2:
                raise ValueError(
                    "The spectrogram has a single frame, and its rows no room for "
                    f"{len(self.feature_columns_)} features. Use a smaller nperseg, "
                    "phase=True, or flatten=True."
                )
        return X

    def _forget(self):
        """Delete the fitted attributes."""
        for name in ("data_min_", "data_max_", "n_samples_seen_", "_feature_scaler"):
            self.__dict__.pop(name, None)

    def _plan(self, n_times):
        """Plan the transform of beats with ``n_times`` samples."""
        params = {name: getattr(self, name) for name in _STFT_PARAMETERS}
        return ShortTimePower(n_times, **params, one_sided=self.scale != "magnitude")
