"""The last samples of a stream, with gaps interpolated: :class:`StreamBuffer`."""

import numpy as np


class StreamBuffer:
    """Hold the last samples of a stream, with gaps filled as those of a whole record.

    Missing samples are interpolated once the gap is over. Until then they are NaN.

    Attributes
    ----------
    n_times : int
        Samples so far.
    gap : int or None
        Position where a gap began that is not over.
    """

    def __init__(self):
        self.n_times = 0
        self.gap = None
        self._first = 0  # position of the first sample that is held
        self._samples = np.empty(0, dtype=np.float32)
        self._missing = np.empty(0, dtype=bool)
        self._last = None  # position and value of the last sample that is known
        self._ends = ([0], [0.0])  # between them the last gap is interpolated

    def push(self, samples):
        """Add samples, as float32; return whether a gap is over."""
        known = np.isfinite(samples)
        start = self.n_times
        self.n_times += len(samples)
        self._missing = np.concatenate([self._missing, ~known])
        if known.all() and self.gap is None:
            self._samples = np.concatenate([self._samples, samples])
            if len(samples):
                self._last = self.n_times - 1, samples[-1]
            return False
        samples = np.where(known, samples, np.float32(np.nan))
        self._samples = np.concatenate([self._samples, samples])
        was_open = self.gap is not None
        if not known.any():
            self.gap = start if self.gap is None else self.gap
            return False
        place = np.flatnonzero(known)
        before = [self._last] if self._last is not None else []
        self._ends = (
            np.array([*(position for position, _ in before), *(start + place)]),
            np.array([*(value for _, value in before), *samples[place]]),
        )
        last = start + int(place[-1])
        self._last = last, samples[place[-1]]
        self.fill(self._samples[: last + 1 - self._first], self._first)
        self.gap = None if last + 1 == self.n_times else last + 1
        return was_open

    def close(self):
        """End the stream: a gap at its end holds the last sample, or 0 without one."""
        position, value = (0, 0.0) if self._last is None else self._last
        self._ends = [position], [value]
        self.fill(self._samples, self._first)
        self.gap = None

    def fill(self, samples, first):
        """Interpolate a gap that is over in samples from position ``first`` on."""
        place = np.flatnonzero(np.isnan(samples))
        samples[place] = np.interp(first + place, *self._ends)

    def take(self, start, stop):
        """Copy samples between two positions, and the mask of those missing."""
        rows = slice(max(start - self._first, 0), max(stop - self._first, 0))
        return self._samples[rows].copy(), self._missing[rows].copy()

    def forget(self, position):
        """Drop samples before a position."""
        n_dropped = position - self._first
        if n_dropped > 0:
            self._samples = self._samples[n_dropped:].copy()
            self._missing = self._missing[n_dropped:].copy()
            self._first = position
