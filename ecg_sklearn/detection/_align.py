"""Marks moved to the main deflection of their beat: :func:`align_beats`."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

_AROUND = 0.25  # s of signal on both sides of a mark
_SOFT = 0.012  # s, half width of the smoothing
_ENERGY = 0.045  # s, half width of the mean of the slopes
_CLIMB = 0.05  # s, one step towards the steepest place
_N_CLIMBS = 4
_PEAK = 0.07  # s around the steepest place in which the peak lies
_AT_A_TIME = 4096  # beats


@validate_params(
    {
        "signal": ["array-like"],
        "sampling_rate": [Interval(Real, 50, None, closed="left")],
        "positions": ["array-like"],
    },
    prefer_skip_nested_validation=True,
)
def align_beats(signal, sampling_rate, positions):
    """Move the marks of beats to the main deflection next to each.

    Databases and detectors put their marks at different places of the QRS complex:
    those of the MIT-BIH Supraventricular Arrhythmia Database lie about 16 ms before the
    R peak. From each mark, the method climbs to the place with the steepest slopes, and
    then takes the largest deflection within 70 ms. Positions of
    :func:`detect_beats` are aligned already.

    Parameters
    ----------
    signal : array-like of shape (n_times,)
        One lead, in any unit. NaN repeats the last sample.
    sampling_rate : float
        Samples per second, in Hz; 50 at least.
    positions : array-like of shape (n_beats,)
        Marks, in samples.

    Returns
    -------
    ndarray of int of shape (n_beats,)
        Positions of the R peak, or of the S or QS peak where that is larger.

    Raises
    ------
    ValueError
        If a mark lies outside of the signal.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_recording
    >>> from ecg_sklearn.detection import align_beats
    >>> beats = make_recording(60, random_state=0)
    >>> early = beats.sample - 5  # 20 ms
    >>> moved = align_beats(beats.signal[:, 0], beats.sampling_rate, early)
    >>> int(abs(moved - beats.sample).max()) <= 1
    True
    """
    signal = np.asarray(signal, dtype=np.float64)
    positions = np.asarray(positions)
    if positions.size == 0:
        return np.empty(0, dtype=np.int64)
    if not 0 <= positions.min() <= positions.max() <= len(signal):
        raise ValueError(
            f"positions go from {positions.min()} to {positions.max()}, and the signal "
            f"has n_times={len(signal)}. Give places in samples."
        )
    aligner = Aligner(sampling_rate, keep=np.inf)
    aligner.push(signal)
    found = aligner.align(np.rint(positions).astype(np.int64))
    return np.clip(found, 0, len(signal) - 1)


class Aligner:
    """Moves marks in a stream; keeps the last ``keep`` seconds of it."""

    def __init__(self, sampling_rate, keep=3.0):
        self.rate = sampling_rate
        self.keep = keep * sampling_rate
        self.samples = np.empty(0)
        self.first = 0  # position of samples[0]
        self.last = 0.0
        self.before = 0.0  # what stands before the stream: its first sample

    def push(self, samples):
        """Add samples; return them with missing ones replaced by the last one."""
        known = np.isfinite(samples)
        if not known.all():
            filled = np.concatenate([[self.last], samples])
            place = np.where(known, np.arange(1, len(samples) + 1), 0)
            samples = filled[np.maximum.accumulate(place)]
        if len(samples) == 0:
            return samples
        if self.first + len(self.samples) == 0:
            self.before = samples[0]
        self.last = float(samples[-1])
        if len(self.samples) > 2 * self.keep:
            drop = len(self.samples) - int(self.keep)
            self.samples, self.first = self.samples[drop:], self.first + drop
        self.samples = np.concatenate([self.samples, samples])
        return samples

    def align(self, marks):
        """Find the main deflection next to each mark."""
        parts = [
            self._align(marks[first : first + _AT_A_TIME])
            for first in range(0, len(marks), _AT_A_TIME)
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *parts])

    def _align(self, marks):
        half = self._samples(_AROUND)
        soft, energy = self._samples(_SOFT), self._samples(_ENERGY)
        margin = soft + energy + 1
        offset = np.arange(-half - margin, half + margin + 1)
        index = marks[:, None] + offset - self.first
        waves = self.samples[np.clip(index, 0, len(self.samples) - 1)]
        if self.first == 0:
            waves = np.where(index < 0, self.before, waves)
        waves = _smooth(waves, soft)
        slopes = _smooth(np.abs(np.diff(waves, axis=1)), energy)
        waves = waves[:, energy : energy + slopes.shape[1]]
        waves = np.abs(waves - np.median(waves, axis=1, keepdims=True))
        centre = np.full(len(marks), slopes.shape[1] // 2)
        for _ in range(_N_CLIMBS):
            centre = _largest(slopes, centre, self._samples(_CLIMB))
        peak = _largest(waves, centre, self._samples(_PEAK))
        return marks + peak - slopes.shape[1] // 2

    def _samples(self, seconds):
        return max(1, round(seconds * self.rate))


def _smooth(waves, half):
    """Mean of each value and ``half`` on both sides; the row gets shorter by them."""
    n = waves.shape[1] - 2 * half
    total = waves[:, :n].copy()
    for step in range(1, 2 * half + 1):
        total += waves[:, step : step + n]
    return total / (2 * half + 1)


def _largest(values, centre, reach):
    """Position of the largest value within ``reach`` of the centre of each row."""
    rows = np.arange(len(values))
    place = centre[:, None] + np.arange(-reach, reach + 1)
    place = np.minimum(np.maximum(place, 0), values.shape[1] - 1)
    best = values[rows[:, None], place].argmax(axis=1)
    return place[rows, best]
