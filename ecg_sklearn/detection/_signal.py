"""Waves of a stream at 250 Hz: slopes of three bands, and candidates for beats.

Every value depends only on the samples around it, and is computed in the order of the
samples. It is the same to the last bit for any division of the stream into blocks.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import firwin, lfilter

RATE = 250.0
_HALF = 15  # half the taps of a filter at 250 Hz: a delay of 60 ms
_CUTOFFS = (11.0, 20.0, 45.0)  # Hz, of three low-pass filters
_ANTI_ALIAS = 0.02  # s, half the length of the filter before resampling
_SMOOTH = (12, 17, 12)  # half widths of the means of the slopes of each band
_BEFORE, _AFTER = 210, 32  # samples of the local mean
_NEIGHBOUR = 15  # a candidate is the largest within 60 ms
_MERGED = 20  # slow candidates this near to fast ones are left out
_RISE = 0.9  # a candidate is at least this share of the local mean
SHAPE = 20  # half width of the shape of a candidate
# With a second coefficient, lfilter goes from sample to sample. With one, it convolves,
# and the last digits depend on the length of the block.
_IIR = (1.0, 0.0)
_TINY = 1e-30
_STEEPEST = 1e7  # a larger slope would leave no digits for the others
# Samples behind a candidate that decide whether it is one.
LOOKAHEAD = _HALF + _MERGED + max(_AFTER, _NEIGHBOUR + max(_SMOOTH)) + 2


def check_lead(signal):
    """Return an array of numbers of one lead, or raise an error."""
    if signal.ndim != 1 or signal.dtype.kind not in "iuf":
        raise ValueError(
            f"signal has shape {signal.shape} and type {signal.dtype}. Give numbers of "
            "one lead, such as signal[:, 0]."
        )
    return signal


class Candidates(NamedTuple):
    """Places where a beat may be; arrays of length n_candidates.

    ``place`` counts samples at 250 Hz; ``fast``, ``slow`` and ``sharp`` are logarithms
    of the mean slopes of the bands, ``fast_mean`` and ``slow_mean`` of their local
    means; ``shape`` (n_candidates, 41) is the wave, with mean 0 and norm 1.
    """

    place: np.ndarray
    fast: np.ndarray
    slow: np.ndarray
    sharp: np.ndarray
    fast_mean: np.ndarray
    slow_mean: np.ndarray
    shape: np.ndarray

    @classmethod
    def join(cls, parts):
        """Concatenate candidates."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def take(self, chosen):
        """Select candidates by a slice or mask."""
        return Candidates(*(column[chosen] for column in self))


class Resampler:
    """Brings blocks of a stream to 250 Hz; missing samples repeat the last one."""

    def __init__(self, sampling_rate):
        self.step = sampling_rate / RATE
        half = round(_ANTI_ALIAS * sampling_rate) if self.step > 1 else 0
        self.taps = None
        if half:
            self.taps = firwin(2 * half + 1, 100.0, fs=sampling_rate)
        self.delay = half
        self.state = np.zeros(2 * half)
        self.offset = None  # the first sample, so that an offset has no effect
        self.last = 0.0
        self.rest = np.empty(0)  # filtered samples not used up
        self.first = -half  # position of rest[0] in the stream
        self.n_out = 0

    def push(self, samples):
        """Resample the next block; return what is complete."""
        samples = np.asarray(samples, dtype=np.float64)
        if len(samples) == 0:
            return samples
        known = np.isfinite(samples)
        if not known.all():
            place = np.maximum.accumulate(
                np.where(known, np.arange(1, len(samples) + 1), 0)
            )
            samples = np.concatenate([[self.last], samples])[place]
            if self.offset is None and known.any():
                first = int(np.argmax(known))
                samples[:first] = samples[first]
        if self.offset is None and known.any():
            self.offset = samples[0]
        self.last = samples[-1]
        samples = samples - (self.offset or 0.0)
        if self.taps is not None:
            samples, self.state = lfilter(self.taps, _IIR, samples, zi=self.state)
        self.rest = np.concatenate([self.rest, samples])
        end = self.first + len(self.rest) - 1  # the last position with a next sample
        stop = max(self.n_out, int(np.ceil(end / self.step)) if end > 0 else 0)
        at = np.arange(self.n_out, stop) * self.step
        left = np.floor(at).astype(np.int64)
        value = self.rest[left - self.first] if len(at) else np.empty(0)
        if len(at):
            value = value + (self.rest[left + 1 - self.first] - value) * (at - left)
        self.n_out = stop
        keep = int(np.floor(stop * self.step)) - self.first
        keep = min(max(keep, 0), len(self.rest))
        self.rest, self.first = self.rest[keep:], self.first + keep
        return value


class CandidateFinder:
    """Finds candidates in a stream at 250 Hz."""

    def __init__(self):
        self.taps = [firwin(2 * _HALF + 1, cut, fs=RATE) for cut in _CUTOFFS]
        self.states = [np.zeros(2 * _HALF) for _ in _CUTOFFS]
        self.before = [0.0, 0.0]  # last values of the two slower bands
        self.waves = np.zeros(0)  # the band up to 20 Hz
        self.totals = [np.zeros(1) for _ in range(3)]  # running sums
        self.first = 0  # place of the first value in the buffers
        self.done = 0  # places before are decided

    def push(self, samples):
        """Add samples at 250 Hz; return the candidates that are complete."""
        if len(samples) == 0:
            return _NO_CANDIDATES
        bands = []
        for k, taps in enumerate(self.taps):
            band, self.states[k] = lfilter(taps, _IIR, samples, zi=self.states[k])
            bands.append(band)
        slow, fast, sharp = bands
        slopes = [
            np.abs(np.diff(band, prepend=self.before[k]))
            for k, band in enumerate((fast, slow))
        ]
        self.before = [fast[-1], slow[-1]]
        slopes.append(np.abs(sharp - fast))
        self.waves = np.concatenate([self.waves, fast])
        for k, slope in enumerate(slopes):
            slope = np.minimum(slope, _STEEPEST)
            total = np.cumsum(np.concatenate([self.totals[k][-1:], slope]))
            self.totals[k] = np.concatenate([self.totals[k], total[1:]])
        return self._decide()

    def _decide(self):
        """Find the candidates between the places decided so far and the new ones."""
        n = len(self.waves)
        end = self.first + n - LOOKAHEAD
        start = self.done
        if end <= start:
            return _NO_CANDIDATES
        context = _MERGED + _NEIGHBOUR + 1
        low = max(0, start - context)
        places = np.arange(low, end + context)  # the outer ones are not decided
        fast, slow, sharp = (
            self._mean(k, places, half, half) for k, half in enumerate(_SMOOTH)
        )
        found = []
        for k, strength in enumerate((fast, slow)):
            mean = self._mean(k, places, _BEFORE, _AFTER)
            largest = maximum_filter1d(strength, 2 * _NEIGHBOUR + 1, mode="nearest")
            rises = np.diff(strength, prepend=-1.0) > 0
            is_peak = (strength == largest) & rises & (strength > _RISE * mean)
            found.append(np.flatnonzero(is_peak & (strength > _TINY)))
        first, second = found
        if len(first) and len(second):
            at = np.searchsorted(first, second)
            after = np.abs(first[np.minimum(at, len(first) - 1)] - second)
            before = np.abs(first[np.maximum(at - 1, 0)] - second)
            second = second[np.minimum(after, before) > _MERGED]
        chosen = np.sort(np.concatenate([first, second]))
        chosen = chosen[(places[chosen] >= start) & (places[chosen] < end)]
        place = places[chosen]
        means = [self._mean(k, place, _BEFORE, _AFTER) for k in (0, 1)]
        logs = [
            np.log(values + _TINY)
            for values in (fast[chosen], slow[chosen], sharp[chosen], *means)
        ]
        shape = self._shapes(place)
        self.done = end
        self._forget()
        return Candidates(place, *logs, shape)

    def _mean(self, k, places, before, after):
        """Mean slope of a band around places; the delay of its filter is removed."""
        total = self.totals[k]
        centre = places + _HALF - self.first
        last = len(total) - 1  # np.clip is slow for a few values
        high = np.minimum(np.maximum(centre + after + 1, 0), last)
        low = np.minimum(np.maximum(centre - before, 0), last)
        # Before the start of the stream there is nothing.
        return np.maximum(total[high] - total[low], 0.0) / np.maximum(high - low, 1)

    def _shapes(self, places):
        """Waves around places, with mean 0 and norm 1."""
        index = places[:, None] + _HALF - self.first + np.arange(-SHAPE, SHAPE + 1)
        waves = self.waves[np.clip(index, 0, len(self.waves) - 1)]
        waves = waves - waves.mean(axis=1, keepdims=True)
        norm = np.sqrt((waves**2).sum(axis=1, keepdims=True))
        return waves / np.maximum(norm, _TINY)

    def _forget(self):
        """Drop samples that no later candidate needs."""
        keep = self.done - _BEFORE - SHAPE - 4 * _MERGED - self.first
        if keep > 4096:
            self.waves = self.waves[keep:]
            self.totals = [total[keep:] for total in self.totals]
            self.first += keep


_NOTHING = np.empty(0)
_NO_CANDIDATES = Candidates(
    place=np.empty(0, dtype=np.int64),
    fast=_NOTHING,
    slow=_NOTHING,
    sharp=_NOTHING,
    fast_mean=_NOTHING,
    slow_mean=_NOTHING,
    shape=np.empty((0, 2 * SHAPE + 1)),
)
