"""Scales of a spectrogram: decibels, and limits learned from beats."""

import numpy as np

# Power is the square of a sum over a segment, and float32 ends at 3e38.
LARGEST_AMPLITUDE = 1e15


def check_amplitude(X):
    """Refuse beats beyond 1e15, whose power single precision cannot hold."""
    largest = max(X.max(), -X.min()) if X.size else 0.0
    if largest > LARGEST_AMPLITUDE:
        raise ValueError(
            f"X holds a value of size {largest:.3g}; its power does not fit into "
            f"float32. Scale the beats to values below {LARGEST_AMPLITUDE:g} (an ECG "
            "in mV stays below 100)."
        )


def to_decibels(power, amin, top_db):
    """Put power, (n_beats, n_freqs, n_frames), on a decibel scale, in place.

    ``amin`` is the smallest power that is told from zero. What lies more than
    ``top_db`` below the largest value of its beat is raised to that level.
    """
    np.maximum(power, np.float32(amin), out=power)
    np.log10(power, out=power)
    power *= 10
    if top_db is not None:
        floor = power.max(axis=(1, 2), keepdims=True) - np.float32(top_db)
        np.maximum(power, floor, out=power)


def limits_of(levels, normalize, known=None):
    """Find the smallest and the largest level, over everything or by frequency.

    ``known`` are the limits of earlier beats, which are widened. The limits have
    shape (1,) or (n_freqs,).
    """
    axis = None if normalize == "global" else (0, 2)
    low = np.atleast_1d(levels.min(axis=axis))
    high = np.atleast_1d(levels.max(axis=axis))
    if known is not None:
        low, high = np.minimum(low, known[0]), np.maximum(high, known[1])
    return low, high


def rescale(levels, low, high):
    """Bring [low, high] to [0, 1], in place; what has no range goes to 0."""
    span = high - low
    levels -= low
    levels /= np.where(span > 0, span, 1)


def feature_rows(features, n_rows, n_slots):
    """Lay features out in rows of an image, (n_beats, n_rows, n_slots).

    Slots that are left are NaN, and the last one of each row always is.
    """
    room = n_rows * (n_slots - 1) - features.shape[1]
    rows = np.pad(features, ((0, 0), (0, room)), constant_values=np.nan)
    rows = rows.reshape(len(features), n_rows, n_slots - 1)
    return np.pad(rows, ((0, 0), (0, 0), (0, 1)), constant_values=np.nan)
