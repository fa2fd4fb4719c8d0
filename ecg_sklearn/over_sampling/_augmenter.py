"""Augmented copies of beats."""

from numbers import Integral, Real

import numpy as np
from imblearn.base import BaseSampler
from scipy.ndimage import spline_filter1d
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ecg_sklearn.over_sampling._strategy import present_classes
from ecg_sklearn.utils._columns import sample_columns, take_columns
from ecg_sklearn.utils._validation import refuse_label_column

# Samples per chunk, to bound the memory.
_CHUNK = 2**19
# Frequency of baseline wander, in Hz.
_WANDER_RANGE = (0.1, 0.6)
# Upper limit of the parameters.
_LARGEST = 1e9
_MOST_COPIES = 1000


class BeatAugmenter(BaseSampler):
    """Add augmented copies of the training beats.

    Each copy is randomly stretched in time, shifted and scaled, and gets baseline
    wander. Its label does not change. A network overfits the few patients of a training
    set; augmentation reduces this [1]_. The output holds the original beats, then the
    copies.

    It must come before the scaler: ``make_ecg_pipeline(augmenter=BeatAugmenter())``.
    Beyond its ends, a row is extended by reflection.

    Parameters
    ----------
    n_copies : int or dict of label to int, default=1
        Copies of each beat, at most 1000, for all labels or by label. Labels missing
        in a dict get none. A label without beats causes a warning.
    sampling_rate : float, default=120.0
        Samples per second of the beats, in Hz.
    center : float, default=0.0
        Fixed point of the stretching, in s from the first sample: 0.0 for rows of the
        Kaggle form, 0.4 for windows that begin 0.4 s before the beat.
    stretch : float, default=0.08
        Standard deviation of the logarithm of the factor in time.
    shift : float, default=0.017
        Largest shift to either side, in s; uniformly distributed.
    gain : float, default=0.2
        Standard deviation of the logarithm of the amplitude factor.
    wander : float, default=0.1
        Standard deviation of the amplitude of an added sine, in units of the beats.
        Its frequency is between 0.1 and 0.6 Hz.
    sample_columns : "auto", slice, array-like or callable, default="auto"
        Which columns of ``X`` are samples, as in
        :class:`~ecg_sklearn.preprocessing.SpectrogramTransformer`. The others are
        features, which do not change.
    random_state : int, RandomState instance or None, default=None
        Seed of the variations.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of copies made for each label.
    sample_columns_, feature_columns_ : ndarray of int
        Positions of the samples and of the features among the columns of ``X``.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if ``X`` had string names.

    See Also
    --------
    imblearn.over_sampling.SMOTE : Interpolates new beats of rare classes.

    References
    ----------
    .. [1] T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's
       disease monitoring using convolutional neural networks", ICMI, 2017.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.over_sampling import BeatAugmenter
    >>> X, y = make_heartbeats(200, random_state=0, return_X_y=True)
    >>> X_more, y_more = BeatAugmenter(n_copies=2, random_state=0).fit_resample(X, y)
    >>> X_more.shape, bool((X_more[:200] == X).all())
    ((600, 187), True)
    """

    _sampling_type = "bypass"
    sampling_strategy = "auto"  # required by the base class

    _parameter_constraints: dict = {
        "n_copies": [Interval(Integral, 0, _MOST_COPIES, closed="both"), dict],
        "sampling_rate": [Interval(Real, 1 / _LARGEST, _LARGEST, closed="both")],
        "center": [Interval(Real, -_LARGEST, _LARGEST, closed="both")],
        "stretch": [Interval(Real, 0, 1, closed="both")],
        "shift": [Interval(Real, 0, _LARGEST, closed="both")],
        "gain": [Interval(Real, 0, 1, closed="both")],
        "wander": [Interval(Real, 0, _LARGEST, closed="both")],
        "sample_columns": [StrOptions({"auto"}), slice, "array-like", callable],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_copies=1,
        *,
        sampling_rate=120.0,
        center=0.0,
        stretch=0.08,
        shift=0.017,
        gain=0.2,
        wander=0.1,
        sample_columns="auto",
        random_state=None,
    ):
        self.n_copies = n_copies
        self.sampling_rate = sampling_rate
        self.center = center
        self.stretch = stretch
        self.shift = shift
        self.gain = gain
        self.wander = wander
        self.sample_columns = sample_columns
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _check_X_y(self, X, y):
        checked = super()._check_X_y(X, y, accept_sparse=False)
        names = getattr(self, "feature_names_in_", None)
        self.sample_columns_, self.feature_columns_ = sample_columns(
            self.sample_columns, X, names
        )
        if len(self.sample_columns_) < 2:
            raise ValueError(
                "sample_columns chooses one sample of a beat, and at least two are "
                f"needed: X has n_features = {self.n_features_in_}."
            )
        refuse_label_column(checked[0], checked[1], names)
        return checked

    def fit(self, X, y, **params):
        """Check the beats and count the copies; ``fit_resample`` makes them.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats.
        y : array-like of shape (n_beats,)
            Labels.
        **params : dict
            Ignored; here for the API.

        Returns
        -------
        BeatAugmenter
            This sampler.
        """
        super().fit(X, y)
        self._rows(self._check_X_y(X, y)[1])
        return self

    def fit_resample(self, X, y, **params):
        """Add the copies.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_columns)
            Beats. A DataFrame is returned as DataFrame, with its ``attrs``.
        y : array-like of shape (n_beats,)
            Labels.
        **params : dict
            Ignored; here for the API.

        Returns
        -------
        X_resampled : ndarray or DataFrame of shape (n_beats_out, n_columns)
            The original beats, then the copies.
        y_resampled : array-like of shape (n_beats_out,)
            Their labels.
        """
        beats, labels = super().fit_resample(X, y, **params)
        if hasattr(X, "attrs") and hasattr(beats, "attrs"):
            beats.attrs = X.attrs  # how the beats were cut
        return beats, labels

    def _fit_resample(self, X, y):
        rows = self._rows(y)
        dtype = X.dtype if X.dtype == np.float32 else np.float64
        beats = X[rows].astype(dtype, copy=False)
        rng = check_random_state(self.random_state)
        size = max(1, _CHUNK // len(self.sample_columns_))
        for start in range(len(X), len(rows), size):
            part = beats[start : start + size]
            varied = self._vary(take_columns(part, self.sample_columns_), rng)
            part[:, self.sample_columns_] = varied
        return beats, y[rows]

    def _rows(self, y):
        """Find the output beats, originals and copies; count the copies."""
        n_copies = self._copies_of(y)
        copies = [np.flatnonzero(n_copies > n) for n in range(n_copies.max())]
        rows = np.concatenate([np.arange(len(y)), *copies])
        labels, counts = np.unique(y[rows[len(y) :]], return_counts=True)
        self.sampling_strategy_ = dict(
            zip(labels.tolist(), counts.tolist(), strict=True)
        )
        return rows

    def _copies_of(self, y):
        """Find the number of copies of each beat."""
        if not isinstance(self.n_copies, dict):
            return np.full(len(y), int(self.n_copies))
        for label, n in self.n_copies.items():
            if not isinstance(n, Integral) or not 0 <= n <= _MOST_COPIES:
                raise ValueError(
                    f"n_copies of class {label!r} is {n!r}, not a whole number from 0 "
                    f"to {_MOST_COPIES}."
                )
        labels = np.unique(y).tolist()
        present = present_classes(self.n_copies, labels, "n_copies")
        by_label = [present.get(label, 0) for label in labels]
        return np.array(by_label)[np.searchsorted(labels, y)]

    def _vary(self, beats, rng):
        """Augment each beat with its own random numbers."""
        n_beats, n_samples = beats.shape
        column = np.arange(n_samples)
        center = self.center * self.sampling_rate
        factor = np.exp(self.stretch * rng.standard_normal((n_beats, 1)))
        shift = rng.uniform(-1, 1, (n_beats, 1)) * self.shift * self.sampling_rate
        beats = _at_columns(beats, center + (column - center) * factor + shift)
        beats *= np.exp(self.gain * rng.standard_normal((n_beats, 1)))
        frequency = rng.uniform(*_WANDER_RANGE, (n_beats, 1))
        turns = frequency * column / self.sampling_rate + rng.uniform(size=(n_beats, 1))
        height = self.wander * rng.standard_normal((n_beats, 1))
        return beats + height * np.sin(2 * np.pi * turns)


def _at_columns(beats, place):
    """Interpolate each beat between its samples, with reflection at the ends.

    Cubic splines: linear interpolation would halve the power at a third of the rate.
    """
    last = beats.shape[1] - 1
    place = last - np.abs(last - np.abs(place) % (2 * last))
    left = place.astype(np.intp)
    part = place - left
    coefficients = spline_filter1d(beats, order=3, axis=1, mode="mirror")
    weights = (
        (1 - part) ** 3 / 6,
        2 / 3 - part**2 + part**3 / 2,
        2 / 3 - (1 - part) ** 2 + (1 - part) ** 3 / 2,
        part**3 / 6,
    )
    found = np.zeros_like(place)
    for offset, weight in zip((-1, 0, 1, 2), weights, strict=True):
        column = last - np.abs(last - np.abs(left + offset))
        found += weight * np.take_along_axis(coefficients, column, axis=1)
    return found
