"""Positions of the beats of a signal or a stream."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.detection._align import Aligner
from ecg_sklearn.detection._decision import (
    FUTURE_FIRST,
    FUTURE_SECOND,
    N_PAST,
    first_features,
    is_large_enough,
    keep_best,
    networks,
    probability,
    second_features,
)
from ecg_sklearn.detection._signal import (
    RATE,
    CandidateFinder,
    Candidates,
    Resampler,
    check_lead,
)

_BLOCK = 600  # s of a record handled at once
_EARLIEST = 0.06  # s of the peak before the place of the candidate
_FLUSH = 1.5  # s of the last sample behind the end of a record


class BeatDetector:
    """Find beats in a stream, at most one second late.

    The positions are those of :func:`detect_beats` for the whole signal, for any
    division of the stream into blocks.

    Parameters
    ----------
    sampling_rate : float
        Samples per second, in Hz; 50 at least.

    See Also
    --------
    detect_beats : The method.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_recording
    >>> from ecg_sklearn.detection import BeatDetector
    >>> beats = make_recording(20, sampling_rate=250, random_state=0)
    >>> detector, found = BeatDetector(250), []
    >>> for start in range(0, 5000, 250):
    ...     found += detector.push(beats.signal[start : start + 250, 0]).tolist()
    >>> found += detector.finish().tolist()
    >>> len(found) == len(beats.sample)
    True
    """

    def __init__(self, sampling_rate):
        if not 50 <= sampling_rate < np.inf:
            raise ValueError(
                f"sampling_rate={sampling_rate!r} is not 50 Hz or more, as beats need."
            )
        self.sampling_rate = float(sampling_rate)
        self._resampler = Resampler(self.sampling_rate)
        self._finder = CandidateFinder()
        self._aligner = Aligner(self.sampling_rate)
        self._found = Candidates.join([self._finder.push(np.empty(0))])
        self._first = np.empty(0)  # probabilities of the first network
        self._second = np.empty(0)
        self._n_decided = 0
        self._n_samples = 0
        self._last_position = -1

    def push(self, samples):
        """Add the next samples of the stream.

        Parameters
        ----------
        samples : array-like of shape (n_times,)
            One lead, in any unit; NaN where nothing was recorded.

        Returns
        -------
        ndarray of int of shape (n_new,)
            Positions in samples since the start of the stream, in ascending order. All
            beats up to one second before the end of ``samples`` have been returned.
        """
        samples = np.asarray(samples, dtype=np.float64)
        if samples.ndim != 1:
            raise ValueError(
                f"samples has shape {samples.shape}. Give one lead, such as "
                "signal[:, 0]."
            )
        self._n_samples += len(samples)
        samples = self._aligner.push(samples)
        new = self._finder.push(self._resampler.push(samples))
        self._found = Candidates.join([self._found, new])
        return self._positions(self._decide())

    def finish(self):
        """Return the beats of the last second; the detector cannot be used afterwards.

        Returns
        -------
        ndarray of int of shape (n_new,)
            Positions, as in :meth:`push`.
        """
        n_samples = self._n_samples
        n_more = int(np.ceil(_FLUSH * self.sampling_rate))
        found = self.push(np.full(n_more, self._aligner.last))
        return found[found < n_samples]

    def _decide(self):
        """Classify candidates whose future is known; return the places of new beats."""
        found, done = self._found, self._finder.done
        first, second = networks()
        n_first = np.searchsorted(found.place, done - FUTURE_FIRST)
        start = len(self._first)
        if n_first > start:
            features = first_features(found, start, n_first)
            new = probability(first, features)
            self._first = np.concatenate([self._first, new])
        known = done - FUTURE_FIRST - FUTURE_SECOND
        n_second = min(np.searchsorted(found.place, known), len(self._first))
        start = len(self._second)
        if n_second > start:
            features = second_features(found, self._first, start, n_second)
            new = probability(second, features)
            self._second = np.concatenate([self._second, new])
        start, low = self._n_decided, max(0, self._n_decided - N_PAST)
        place, chance = found.place[low : len(self._first)], self._first[low:]
        keep = keep_best(place, chance, self._second[low:])[start - low :]
        keep &= is_large_enough(found, start, n_second)
        places = found.place[start:n_second][keep]
        self._n_decided = n_second
        self._forget()
        return places

    def _forget(self):
        """Drop candidates that no later decision needs."""
        n = self._n_decided - 3 * N_PAST
        if n > 8 * N_PAST:
            self._found = self._found.take(slice(n, None))
            self._first, self._second = self._first[n:], self._second[n:]
            self._n_decided -= n

    def _positions(self, places):
        """Move places at 250 Hz to the R peak in samples; drop doubles."""
        rough = np.rint(places * (self.sampling_rate / RATE)).astype(np.int64)
        position = self._aligner.align(rough)
        # An earlier peak would be more than one second late.
        position = np.maximum(position, rough - int(_EARLIEST * self.sampling_rate))
        kept = []
        for value in position.tolist():
            if value > self._last_position:
                kept.append(value)
                self._last_position = value
        return np.array(kept, dtype=np.int64)


@validate_params(
    {
        "signal": ["array-like"],
        "sampling_rate": [Interval(Real, 50, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def detect_beats(signal, sampling_rate):
    """Find the beats of one lead.

    The slopes of three bands propose about 1.3 places for each beat. Two small networks
    decide which of them are beats, by slopes relative to those around and before, by
    the similarity of waves, and by the intervals. Everything is relative: gain, offset
    and polarity do not matter. No decision looks further than one second ahead.

    Parameters
    ----------
    signal : array-like of shape (n_times,)
        One lead, in any unit; NaN where nothing was recorded.
    sampling_rate : float
        Samples per second, in Hz; 50 at least.

    Returns
    -------
    ndarray of int of shape (n_beats,)
        Positions of the main deflection of each beat (the R peak, or the S or QS peak
        where that is larger), in samples, in ascending order.

    Raises
    ------
    ValueError
        If the signal is not one lead, or the rate is too low.

    See Also
    --------
    signal_quality : Stretches whose beats should not be counted.
    BeatDetector : The same for a stream.

    Notes
    -----
    The networks were fitted to both leads of the 22 records of DS1
    (``benchmarks/fit_detector.py``); ``benchmarks/bench_detection.py`` measures them.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_recording
    >>> from ecg_sklearn.detection import detect_beats
    >>> beats = make_recording(60, random_state=0)
    >>> found = detect_beats(beats.signal[:, 0], beats.sampling_rate)
    >>> len(found) == len(beats.sample), int(abs(found - beats.sample).max()) < 5
    (True, True)
    """
    signal = np.asarray(signal)
    if signal.ndim == 2 and signal.shape[1] == 1:
        signal = signal[:, 0]
    check_lead(signal)
    detector = BeatDetector(sampling_rate)
    step = int(_BLOCK * sampling_rate)
    found = [
        detector.push(signal[first : first + step])
        for first in range(0, len(signal), step)
    ]
    return np.concatenate([*found, detector.finish()])
