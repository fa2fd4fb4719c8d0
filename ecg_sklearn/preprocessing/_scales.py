"""Scales of a spectrogram: decibels, limits learned from beats, features beside it.

Arrays in, arrays out.
"""

import numpy as np
from sklearn.utils.extmath import _incremental_mean_and_var

__all__ = [
    "RunningScale",
    "check_amplitude",
    "limits_of",
    "rescale",
    "to_decibels",
]

# Power is the square of a sum over a segment, and float32 ends at 3e38.
LARGEST_AMPLITUDE = 1e15


def check_amplitude(X):
    """Refuse beats whose power single precision cannot hold.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_times)
        Beats.

    Raises
    ------
    ValueError
        If a value is beyond 1e15 in size.
    """
    largest = max(X.max(), -X.min()) if X.size else 0.0
    if largest > LARGEST_AMPLITUDE:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; its power does not fit into "
            f"float32. Scale the beats to values below {LARGEST_AMPLITUDE:g} (an ECG "
            "in mV stays below 100)."
        )


def to_decibels(power, amin, top_db):
    """Put power on a decibel scale, in place.

    Parameters
    ----------
    power : ndarray of shape (n_beats, n_freqs, n_frames)
        Power; decibels afterwards.
    amin : float
        Smallest power that is told from zero.
    top_db : float or None
        Raise what lies more than this below the largest value of its beat.
    """
    np.maximum(power, np.float32(amin), out=power)
    np.log10(power, out=power)
    power *= 10
    if top_db is not None:
        floor = power.max(axis=(1, 2), keepdims=True) - np.float32(top_db)
        np.maximum(power, floor, out=power)


def limits_of(levels, normalize, known=None):
    """Find the smallest and the largest level.

    Parameters
    ----------
    levels : ndarray of shape (n_beats, n_freqs, n_frames)
        Levels of some beats.
    normalize : {"global", "frequency"}
        Over everything, or for each frequency.
    known : tuple of two ndarray, optional
        Limits of earlier beats, to widen.

    Returns
    -------
    low, high : ndarray of shape (1,) or (n_freqs,)
        The limits.
    """
    axis = None if normalize == "global" else (0, 2)
    low = np.atleast_1d(levels.min(axis=axis))
    high = np.atleast_1d(levels.max(axis=axis))
    if known is not None:
        low, high = np.minimum(low, known[0]), np.maximum(high, known[1])
    return low, high


def rescale(levels, low, high):
    """Bring [low, high] to [0, 1], in place; what has no range goes to 0.

    Parameters
    ----------
    levels : ndarray of shape (n_beats, n_freqs, n_frames)
        Levels; between 0 and 1 afterwards, where they were within the limits.
    low, high : ndarray
        The limits, in a shape that broadcasts against ``levels``.
    """
    span = high - low
    levels -= low
    levels /= np.where(span > 0, span, 1)


class RunningScale:
    """Mean and spread of columns that come in parts.

    Parameters
    ----------
    mean, variance : ndarray of shape (n_columns,), default=0.0
        Those of the rows seen so far.
    n_seen : int, default=0
        How many those are.
    """

    def __init__(self, mean=0.0, variance=0.0, n_seen=0):
        self.mean, self.variance, self.n_seen = mean, variance, n_seen

    def update(self, columns):
        """Take in more rows.

        Parameters
        ----------
        columns : ndarray of shape (n_rows, n_columns)
            The rows.

        Returns
        -------
        RunningScale
            Of all rows seen.
        """
        mean, variance, n_seen = _incremental_mean_and_var(
            columns, self.mean, self.variance, np.full(columns.shape[1], self.n_seen)
        )
        return RunningScale(mean, variance, int(n_seen[0]))

    @property
    def spread(self):
        """Standard deviations, 1 for columns that do not vary."""
        spread = np.sqrt(self.variance)
        return np.where(spread > 1e-7 * np.maximum(1, np.abs(self.mean)), spread, 1.0)
