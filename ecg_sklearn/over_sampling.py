"""Resampling: SMOTE with errors in our terms, and beats as others might have them."""

from numbers import Integral, Real

import numpy as np
from imblearn.base import BaseSampler
from imblearn.over_sampling import SMOTE
from scipy.ndimage import spline_filter1d
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval

__all__ = ["BeatAugmenter", "BeatSMOTE"]

# Samples that are varied at a time, so that memory does not grow with the beats.
_CHUNK = 2**19
# Of a baseline that breathing and movement make wander, in Hz.
_WANDER_RANGE = (0.1, 0.6)
# Of rates, seconds and millivolts: more is a slip of the pen.
_LARGEST = 1e9
_MOST_COPIES = 1000


class BeatSMOTE(SMOTE):
    """SMOTE that says which class of beats is too small, and what to do.

    Synthetic beats are drawn between beats of a rare class and their nearest
    neighbours in that class [1]_. Everything is as in
    :class:`imblearn.over_sampling.SMOTE`, the error alone is not.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many beats of each class to end with. "auto" brings all classes to the
        size of the largest; a dict gives numbers by label.
    random_state : int, RandomState instance or None, default=None
        Seed of the synthetic beats.
    k_neighbors : int or object, default=5
        Neighbours to draw from, or an estimator that finds them.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of beats made for each label.
    nn_k_ : estimator
        The estimator that found the neighbours.
    n_features_in_ : int
        Samples per beat.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.pipeline.make_ecg_pipeline : Puts it in front of the spectrogram.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic
       minority over-sampling technique", Journal of Artificial Intelligence Research
       16, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.over_sampling import BeatSMOTE
    >>> X, y = make_heartbeats(
    ...     200, weights=[6, 1, 1, 1, 1], random_state=0, return_X_y=True
    ... )
    >>> X_resampled, y_resampled = BeatSMOTE(random_state=0).fit_resample(X, y)
    >>> np.bincount(y), np.bincount(y_resampled)
    (array([120,  20,  20,  20,  20]), array([120, 120, 120, 120, 120]))
    """

    def _fit_resample(self, X, y):
        self._validate_estimator()
        needed = self.nn_k_.n_neighbors  # a beat is its own nearest neighbour
        for label, n_wanted in self.sampling_strategy_.items():
            n_beats = np.count_nonzero(y == label)
            if n_wanted and n_beats < needed:
                name = label.item() if hasattr(label, "item") else label
                advice = f"Set k_neighbors={n_beats - 1}, get" if n_beats > 1 else "Get"
                plural = "s" if n_beats != 1 else ""
                raise ValueError(
                    f"Class {name!r} has {n_beats} beat{plural}, and "
                    f"SMOTE with k_neighbors={needed - 1} needs {needed}. {advice} "
                    "more beats of this class, leave it out of sampling_strategy, or "
                    "train without a sampler (make_ecg_pipeline(sampler=None))."
                )
        return super()._fit_resample(X, y)


class BeatAugmenter(BaseSampler):
    """Add copies of the training beats as another patient might have given them.

    Each copy is stretched in time, shifted, scaled and put on a wandering baseline, by
    numbers that are drawn anew for it; its label stays. The patients of a training set
    are few, and what a network learns of their beats by heart does not hold for others
    [1]_. The beats as they are come first, then the copies.

    Put it in front of the scaler, where beats are still beats:
    ``make_ecg_pipeline(augmenter=BeatAugmenter())``. Where a copy would need samples
    beyond the ends of its row, it mirrors those within.

    Parameters
    ----------
    n_copies : int or dict of label to int, default=1
        Copies of each beat, 1000 at most: of all, or by label; of labels that a dict
        leaves out, none.
    sampling_rate : float, default=120.0
        Samples per second of the beats, in Hz.
    center : float, default=0.0
        Where stretching leaves a beat in place, in s from the first sample: 0.0 for
        rows of the Kaggle form, 0.4 for windows that begin 0.4 s before the beat.
    stretch : float, default=0.08
        Standard deviation of the logarithm of the factor in time.
    shift : float, default=0.017
        Largest shift to either side, in s. All are equally likely.
    gain : float, default=0.2
        Standard deviation of the logarithm of the factor in height.
    wander : float, default=0.1
        Standard deviation of the height of a sine that is added, in units of the
        beats. Its frequency is between 0.1 and 0.6 Hz.
    n_context : int, default=0
        How many of the last columns of ``X`` are features of the beat, and no samples.
        Copies keep those of their beat.
    random_state : int, RandomState instance or None, default=None
        Seed of the numbers.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of copies made for each label.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    BeatSMOTE : Draws new beats of rare classes between those that are there.

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
    sampling_strategy = "auto"  # which this base class asks for

    _parameter_constraints: dict = {
        "n_copies": [Interval(Integral, 0, _MOST_COPIES, closed="both"), dict],
        "sampling_rate": [Interval(Real, 1 / _LARGEST, _LARGEST, closed="both")],
        "center": [Interval(Real, -_LARGEST, _LARGEST, closed="both")],
        "stretch": [Interval(Real, 0, 1, closed="both")],
        "shift": [Interval(Real, 0, _LARGEST, closed="both")],
        "gain": [Interval(Real, 0, 1, closed="both")],
        "wander": [Interval(Real, 0, _LARGEST, closed="both")],
        "n_context": [Interval(Integral, 0, None, closed="left")],
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
        n_context=0,
        random_state=None,
    ):
        self.n_copies = n_copies
        self.sampling_rate = sampling_rate
        self.center = center
        self.stretch = stretch
        self.shift = shift
        self.gain = gain
        self.wander = wander
        self.n_context = n_context
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags

    def _check_X_y(self, X, y):
        return super()._check_X_y(X, y, accept_sparse=False)

    def fit(self, X, y, **params):
        """Check the beats and count the copies; ``fit_resample`` makes them.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_samples + n_context)
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
        X, y, _ = self._check_X_y(X, y)
        self._rows(X, y)
        return self

    def _fit_resample(self, X, y):
        rows = self._rows(X, y)
        dtype = X.dtype if X.dtype == np.float32 else np.float64
        beats = X[rows].astype(dtype, copy=False)
        rng = check_random_state(self.random_state)
        n_samples = X.shape[1] - self.n_context
        size = max(1, _CHUNK // n_samples)
        for start in range(len(X), len(rows), size):
            part = beats[start : start + size, :n_samples]
            part[...] = self._vary(part, rng)
        return beats, y[rows]

    def _rows(self, X, y):
        """Find the beats that come out: all, and the copied ones; count the copies."""
        n_samples = X.shape[1] - self.n_context
        if n_samples < 2:
            raise ValueError(
                f"n_context={self.n_context} leaves {n_samples} samples of a beat: X "
                f"has {X.shape[1]} columns. At least two are needed."
            )
        n_copies = self._copies_of(y)
        copies = [np.flatnonzero(n_copies > n) for n in range(n_copies.max())]
        rows = np.concatenate([np.arange(len(X)), *copies])
        labels, counts = np.unique(y[rows[len(X) :]], return_counts=True)
        self.sampling_strategy_ = dict(
            zip(labels.tolist(), counts.tolist(), strict=True)
        )
        return rows

    def _copies_of(self, y):
        """How many copies of each beat to make."""
        if not isinstance(self.n_copies, dict):
            return np.full(len(y), int(self.n_copies))
        labels = np.unique(y).tolist()
        for label, n in self.n_copies.items():
            if label not in labels:
                raise ValueError(
                    f"n_copies names the class {label!r}; y holds {labels}."
                )
            if not isinstance(n, Integral) or not 0 <= n <= _MOST_COPIES:
                raise ValueError(
                    f"n_copies of class {label!r} is {n!r}, not a whole number from 0 "
                    f"to {_MOST_COPIES}."
                )
        by_label = [self.n_copies.get(label, 0) for label in labels]
        return np.array(by_label)[np.searchsorted(labels, y)]

    def _vary(self, beats, rng):
        """Vary each of some beats by numbers of its own."""
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
    """Read each beat at columns between its samples; its ends are mirrors.

    By cubic splines: straight lines would take half the power at a third of the rate.
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
