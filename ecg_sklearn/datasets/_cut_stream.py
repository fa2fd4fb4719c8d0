"""Beats of a stream, cut as a model expects: :class:`StreamCutter`."""

from dataclasses import dataclass

import numpy as np
import scipy.signal

from ecg_sklearn.datasets._cut import resampling_ratio, window_at
from ecg_sklearn.datasets._stream_buffer import StreamBuffer
from ecg_sklearn.detection._align import Aligner
from ecg_sklearn.features._groups import feature_names
from ecg_sklearn.features._morphology import NO_BEAT, cut_waves
from ecg_sklearn.features._stream import CausalFeatures

_LATENESS = 1.0  # s, of the detector
_WAVES = (0.29, 0.45)  # s around a beat that features of morphology see
_SHIFT = 0.28  # s by which align moves a beat at most
_ALIGNED = 0.33  # s on both sides that align sees
_MORE = 4  # samples beside, against rounding


@dataclass(slots=True)
class _Beat:
    """A beat that is not cut yet; ``sample`` is its aligned position, if known.

    ``waves`` are the samples around it from position ``start`` on, once all have come.
    """

    position: int
    sample: int | None = None
    start: int = 0
    waves: np.ndarray | None = None
    missing: np.ndarray | None = None


class StreamCutter:
    """Cut the beats of a stream into the columns that ``cut_beats`` gives for a file.

    Parameters
    ----------
    cut : Cut
        Windows, with causal groups of features.
    sampling_rate : float
        Of the stream, in Hz.
    """

    def __init__(self, cut, sampling_rate):
        self.rate = sampling_rate
        self.is_aligned = cut.align == "peak"
        self.beat_rate = float(cut.sampling_rate or sampling_rate)
        self.window = window_at(cut.window, self.beat_rate)
        ratio = resampling_ratio("The stream", sampling_rate, self.beat_rate)
        self._resampler = None if ratio is None else _Resampler(ratio)
        margin = _MORE + (0 if ratio is None else self._resampler.margin)
        shift = (_SHIFT if self.is_aligned else 0.0) * sampling_rate + margin
        first, stop = (edge / self.beat_rate for edge in self.window)
        self.before = int(max(-first, _WAVES[0]) * sampling_rate + shift) + 1
        self.after = int(max(stop, _WAVES[1]) * sampling_rate + shift) + 1
        if self.is_aligned:
            reach = int(_ALIGNED * sampling_rate) + _MORE
            self.before = max(self.before, reach)
            self.after = max(self.after, reach)
        n_times = self.window[1] - self.window[0]
        self.columns = [f"t{i:03d}" for i in range(n_times)]
        self.columns += feature_names(cut.features)
        self._features = CausalFeatures(cut.features)
        self._buffer = StreamBuffer()
        self._beats = []
        self._last_sample = 0

    def push(self, samples, positions):
        """Add samples, and the beats found by now; return the beats that are cut.

        Returns
        -------
        positions : list of int
            Of all beats that are decided.
        is_kept : ndarray of bool of shape (n_decided,)
            False where the window does not fit into the stream or touches a gap.
        data : ndarray of shape (n_kept, n_columns)
            Samples, then features.
        """
        if self._buffer.push(samples):
            self._close_gap()
        self._beats += [_Beat(position) for position in positions]
        found = self._cut(end=False)
        keep = self._buffer.n_times - int((_LATENESS + 0.1) * self.rate) - self.before
        for beat in self._beats:
            if beat.waves is None:
                keep = min(keep, beat.position - self.before)
                break
        self._buffer.forget(keep)
        return found

    def finish(self, positions):
        """Add the last beats, and end the stream; return as :meth:`push` does."""
        self._buffer.close()
        self._close_gap()
        self._beats += [_Beat(position) for position in positions]
        return self._cut(end=True)

    def _close_gap(self):
        for beat in self._beats:
            if beat.waves is not None:
                self._buffer.fill(beat.waves, beat.start)

    def _cut(self, end):
        """Cut the beats that are complete."""
        for beat in self._beats:
            if beat.waves is None:
                stop = beat.position + self.after + 1
                if stop > self._buffer.n_times and not end:
                    break
                beat.start = max(beat.position - self.before, 0)
                taken = self._buffer.take(beat.start, stop)
                beat.waves, beat.missing = taken
        self._align(end)
        n_known = sum(beat.sample is not None for beat in self._beats)
        n_known -= 0 if end else 1  # the features of the last one need the next one
        n_ready = 0
        for beat in self._beats[: max(n_known, 0)]:
            if beat.waves is None or np.isnan(beat.waves).any():
                break
            n_ready += 1
        ready = self._beats[:n_ready]
        sample = np.array([beat.sample for beat in self._beats[: n_ready + 1]], int)
        self._beats = self._beats[n_ready:]
        return self._columns_of(ready, sample)

    def _align(self, end):
        """Find the final positions of beats, in their order."""
        for beat in self._beats:
            if beat.sample is not None:
                continue
            sample = self._aligned(beat, end) if self.is_aligned else beat.position
            if sample is None:
                break
            beat.sample = self._last_sample = max(sample, self._last_sample)

    def _aligned(self, beat, end):
        """Move a beat to its peak; None if samples are missing that will come."""
        reach = int(_ALIGNED * self.rate) + _MORE
        start, stop = max(beat.position - reach, 0), beat.position + reach + 1
        if beat.waves is None:
            if stop > self._buffer.n_times:
                return None
            waves, _ = self._buffer.take(start, stop)
        else:
            waves = beat.waves[start - beat.start : stop - beat.start]
        if np.isnan(waves).any():
            return None
        aligner = Aligner(self.rate, keep=np.inf)
        waves = aligner.push(waves.astype(np.float64))
        aligner.first = start
        [sample] = aligner.align(np.array([beat.position]))
        return int(np.clip(sample, 0, self._buffer.n_times - 1))

    def _columns_of(self, beats, sample):
        """Cut beats and compute their features.

        ``sample`` are their positions, and that of the next beat, if there is one.
        """
        positions = [beat.position for beat in beats]
        first, stop = self.window
        is_kept = np.array([self._is_whole(beat) for beat in beats], dtype=bool)
        kept = [beat for beat, chosen in zip(beats, is_kept, strict=True) if chosen]
        data = np.empty((len(kept), stop - first), dtype=np.float32)
        for row, beat in zip(data, kept, strict=True):
            centre = self._centre(beat)
            row[:] = self._resampled(beat, centre + first, centre + stop)
        if self._features.groups and beats:
            following = np.append(sample, NO_BEAT)[1 : len(beats) + 1]
            parts = [
                cut_waves(beat.waves, here, after, self.rate, beat.start)
                for beat, here, after in zip(
                    beats, sample[: len(beats), None], following[:, None], strict=True
                )
            ]
            time = np.append(sample / self.rate, np.nan)
            time, following = time[: len(beats)], time[1 : len(beats) + 1]
            found = self._features.extend(time, following, np.concatenate(parts))
            data = np.hstack([data, found[is_kept]])
        elif self._features.groups:
            data = np.empty((0, len(self.columns)), dtype=np.float32)
        return positions, is_kept, data

    def _centre(self, beat):
        return int(np.rint(beat.sample / self.rate * self.beat_rate))

    def _is_whole(self, beat):
        """Whether the window fits into the stream, and no sample of it is missing."""
        first, stop = self.window
        n_times = self._buffer.n_times
        if self._resampler is not None:
            n_times = self._resampler.length(n_times)
        centre = self._centre(beat)
        if centre + first < 0 or centre + stop > n_times:
            return False
        time = beat.sample / self.rate
        # As valid_beats has it; 1e-6 is against rounding.
        start = np.floor((time + first / self.beat_rate) * self.rate + 1e-6)
        end = np.ceil((time + stop / self.beat_rate) * self.rate - 1e-6)
        start, end = max(int(start) - beat.start, 0), max(int(end) - beat.start, 0)
        return not beat.missing[start:end].any()

    def _resampled(self, beat, start, stop):
        """Resample a beat; take the part between two positions at its rate."""
        if self._resampler is None:
            return beat.waves[start - beat.start : stop - beat.start]
        return self._resampler.take(beat.waves, beat.start, start, stop)


class _Resampler:
    """Gives parts of what ``scipy.signal.resample_poly`` makes of a whole signal."""

    def __init__(self, ratio):
        self.up, self.down = ratio.numerator, ratio.denominator
        largest = max(self.up, self.down)
        self.half = 10 * largest  # as resample_poly has it
        taps = scipy.signal.firwin(
            2 * self.half + 1, 1.0 / largest, window=("kaiser", 5.0)
        )
        self.taps = taps.astype(np.float32) * np.float32(self.up)
        self.margin = -(-self.half // self.up)  # samples on both sides

    def length(self, n_times):
        """Length of the whole signal after resampling."""
        return -(-n_times * self.up // self.down)

    def take(self, samples, first, start, stop):
        """Resample a part that begins at position ``first`` of the whole signal.

        ``start`` and ``stop`` are positions after resampling.
        """
        place = self.half - first * self.up
        n_zeros = -place % self.down
        taps = np.concatenate([np.zeros(n_zeros, dtype=np.float32), self.taps])
        found = scipy.signal.upfirdn(taps, samples, self.up, self.down)
        skip = (place + n_zeros) // self.down
        return found[start + skip : stop + skip]
