"""Short-time power spectra of many beats at once.

Detrending, window and Fourier transform are linear. For short segments they are one
matrix, and a beat needs one matrix product in float32. Long segments use an FFT.
"""

from numbers import Integral, Real

import numpy as np
import scipy.fft
import scipy.signal

# Size of the frames of a chunk: fits into the processor's cache and bounds the memory.
CHUNK_BYTES = 2**21
# For longer segments, the FFT is faster than the matrix product.
LONGEST_MATRIX_SEGMENT = 128
# Longer transforms would not fit into memory.
LONGEST_TRANSFORM = 2**22
# Range of the power of a constant beat of 1, so that float32 holds the power of all
# valid beats.
POWER_OF_ONES = (1e-12, 1e8)


class ShortTimePower:
    """Planned transform of beats of one length."""

    def __init__(
        self,
        n_times,
        *,
        sampling_rate,
        window,
        nperseg,
        noverlap,
        nfft,
        detrend,
        boundary,
        freq_range,
        scaling,
        one_sided,
    ):
        self.nperseg, self.nfft, self.hop = _segment_lengths(nperseg, noverlap, nfft)
        self.detrend = detrend
        self.boundary = boundary
        self.padding = _check_padding(self.nperseg, n_times, boundary)
        self.window = _window_values(window, self.nperseg)
        gain = _power_gain(self.window, sampling_rate, scaling)
        frequencies = np.fft.rfftfreq(self.nfft, 1 / sampling_rate)
        self.bins = _kept_bins(frequencies, freq_range)
        self.frequencies = frequencies[self.bins]
        last_start = n_times + 2 * self.padding - self.nperseg
        starts = np.arange(0, last_start + 1, self.hop)
        self.times = (starts - self.padding + self.nperseg / 2) / sampling_rate
        gains = np.full(len(frequencies), gain)
        if one_sided:
            gains[1 : -1 if self.nfft % 2 == 0 else None] *= 2  # not 0 and Nyquist
        self.gain = np.sqrt(gains)[self.bins]
        self.matrix = None
        if self.nperseg <= LONGEST_MATRIX_SEGMENT:
            self.matrix = self._fourier_matrix().astype(np.float32, order="C")

    def chunks(self, X):
        """Compute spectra of beats, (n_beats, n_times), chunk by chunk.

        Yields the slice of the beats of a chunk, and real and imaginary parts,
        (n_chunk, 2, n_freqs, n_frames).
        """
        width = self.nperseg + (
            self.nfft if self.matrix is None else 2 * len(self.frequencies)
        )
        size = max(1, CHUNK_BYTES // (4 * len(self.times) * width))
        spectrum_of = self._by_fft if self.matrix is None else self._by_matrix
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            # The memory order determines the order of summation, and so the rounding.
            beats = np.ascontiguousarray(X[part], dtype=np.float32)
            yield part, spectrum_of(self._extended(beats))

    def _extended(self, X):
        """Detrend whole beats and extend their ends."""
        if self.padding:
            X = _extend(X, self.padding, self.boundary)
        # Detrending the whole beat first does not change the result and keeps more
        # float32 digits.
        return _without_trend(X, self.detrend) if self.detrend else X

    def _by_matrix(self, X):
        # One product per beat: in a joint product, the rounding of a beat would depend
        # on its position on some processors.
        products = np.matmul(self.matrix, self._segments_in_columns(X))
        return products.reshape(len(X), 2, len(self.frequencies), len(self.times))

    def _segments_in_columns(self, X):
        """Copy segments to (n_beats, nperseg, n_frames).

        Samples one hop apart are made contiguous first, so that blocks of ``n_frames``
        values are copied instead of single values.
        """
        n_frames = len(self.times)
        n_hops = n_frames - 1 + -(-self.nperseg // self.hop)
        whole = np.zeros((len(X), n_hops * self.hop), dtype=np.float32)
        n_used = min(X.shape[1], whole.shape[1])
        whole[:, :n_used] = X[:, :n_used]
        apart = whole.reshape(len(X), n_hops, self.hop).swapaxes(1, 2)
        runs = np.lib.stride_tricks.sliding_window_view(
            np.ascontiguousarray(apart), n_frames, axis=2
        )
        columns = runs.swapaxes(1, 2).reshape(len(X), -1, n_frames)
        return columns[:, : self.nperseg]

    def _by_fft(self, X):
        view = np.lib.stride_tricks.sliding_window_view(X, self.nperseg, axis=1)
        segments = view[:, :: self.hop]
        if self.detrend:
            segments = _without_trend(segments, self.detrend)
        spectrum = scipy.fft.rfft(segments * self.window.astype(np.float32), self.nfft)
        spectrum = spectrum[..., self.bins] * self.gain.astype(np.float32)
        pairs = spectrum.view(np.float32).reshape(*spectrum.shape, 2)
        return pairs.transpose(0, 3, 2, 1)

    def _fourier_matrix(self):
        """Combine detrending, window, Fourier transform and gain in one matrix.

        The first half of the rows gives real parts, the second half imaginary parts.
        """
        bins = np.arange(self.nfft // 2 + 1)[self.bins]
        # Modulo nfft, to keep the precision of the angle in long transforms.
        turns = np.outer(np.arange(self.nperseg), bins) % self.nfft
        angle = 2 * np.pi * turns / self.nfft
        matrix = np.hstack([np.cos(angle), -np.sin(angle)]) * self.window[:, None]
        matrix = _detrending(self.nperseg, self.detrend) @ matrix
        return (matrix * np.tile(self.gain, 2)).T


def power_of(spectrum, out):
    """Add up the squares of real and imaginary parts."""
    np.add(np.square(spectrum[:, 0]), np.square(spectrum[:, 1]), out=out)


def direction_of(spectrum, power, out):
    """Compute cosine and sine of the phase of each bin, from its power.

    Both are 0 without power, and a power below the normal numbers of float32 is none.
    """
    has_power = power >= np.finfo(np.float32).tiny
    factor = np.sqrt(np.where(has_power, power, np.float32(np.inf)))
    np.divide(spectrum, factor[:, None], out=out)


def _segment_lengths(nperseg, noverlap, nfft):
    """Convert ``nperseg``, ``nfft`` and the hop to samples, and check them."""
    nperseg = int(nperseg)
    if not isinstance(noverlap, Integral):
        noverlap = int(noverlap * nperseg)
    elif noverlap >= nperseg:
        raise ValueError(
            f"noverlap={noverlap} must be below nperseg={nperseg}. Use a float in "
            "[0, 1) for a fraction of nperseg."
        )
    if nfft is None:
        nfft = nperseg
    elif not isinstance(nfft, Integral):
        nfft = int(nfft * nperseg)
    elif nfft < nperseg:
        raise ValueError(
            f"nfft={nfft} must be at least nperseg={nperseg}. Use a float for a "
            "multiple of nperseg, or None for nperseg."
        )
    if nfft > LONGEST_TRANSFORM:
        raise ValueError(
            f"nfft asks for transforms of {int(nfft):,} points; at most "
            f"{LONGEST_TRANSFORM:,} are possible. As a float, nfft is a multiple of "
            "nperseg."
        )
    return nperseg, int(nfft), nperseg - int(noverlap)


def _check_padding(nperseg, n_times, boundary):
    """Count the samples to extend beats by, at each end."""
    if nperseg > n_times:
        raise ValueError(
            f"nperseg={nperseg} is longer than the beats (n_times={n_times}). Use "
            f"nperseg <= {n_times}, or cut longer beats."
        )
    return 0 if boundary is None else nperseg // 2


def _kept_bins(frequencies, freq_range):
    """Find the slice of the frequency bins inside ``freq_range``."""
    if freq_range is None:
        return slice(0, len(frequencies))
    try:
        low, high = map(float, freq_range)
    except (TypeError, ValueError):
        low = high = np.nan
    kept = np.flatnonzero((frequencies >= low) & (frequencies <= high))
    if kept.size == 0:
        raise ValueError(
            f"freq_range={freq_range!r} holds none of the frequencies, which run from "
            f"0 to {frequencies[-1]:g} Hz in steps of "
            f"{frequencies[min(1, len(frequencies) - 1)]:g} Hz. Give (low, high) in "
            "Hz, or None."
        )
    return slice(int(kept[0]), int(kept[-1]) + 1)


def _window_values(window, nperseg):
    """Values of the window, in double precision."""
    if isinstance(window, (str, tuple, Real)):
        try:
            with np.errstate(all="ignore"):
                values = scipy.signal.get_window(window, nperseg)
        except ValueError as error:
            raise ValueError(
                f"window={window!r} is no window that scipy.signal.get_window knows: "
                f"{error}"
            ) from error
        if not np.isfinite(values).all() or not values.any():
            raise ValueError(
                f"window={window!r} gives no usable window of {nperseg} samples: its "
                "values are zero or not finite. Choose another parameter for it."
            )
        return values
    values = np.asarray(window, dtype=np.float64)
    if values.shape != (nperseg,):
        raise ValueError(
            f"window has shape {values.shape}; as an array it needs one value for each "
            f"of the nperseg={nperseg} samples of a segment."
        )
    return values


def _power_gain(values, sampling_rate, scaling):
    """Factor from a squared sum to power, or to power per Hz."""
    with np.errstate(all="ignore"):
        if scaling == "density":
            gain = 1 / (np.float64(sampling_rate) * (values**2).sum())
        else:
            gain = 1 / values.sum() ** 2
        of_ones = gain * np.abs(values).sum() ** 2
    lowest, highest = POWER_OF_ONES
    if not lowest <= of_ones <= highest:  # also refuses NaN
        raise ValueError(
            f"A beat that is 1 throughout would have a power of {of_ones:g} with "
            f"sampling_rate={sampling_rate:g} and this window; it must be from "
            f"{lowest:g} to {highest:g} to fit into float32. Give sampling_rate in Hz, "
            "and a window whose values do not cancel out or vanish."
        )
    return gain


def _without_trend(X, detrend):
    """Subtract the mean or a line along the last axis.

    :func:`scipy.signal.detrend` fits all lines at once, so the rounding of one beat
    would depend on the others.
    """
    X = X - X.mean(axis=-1, keepdims=True)
    if detrend == "linear" and X.shape[-1] > 1:
        ramp = np.arange(X.shape[-1]) - (X.shape[-1] - 1) / 2
        ramp = (ramp / np.sqrt(ramp @ ramp)).astype(np.float32)
        X -= (X * ramp).sum(axis=-1, keepdims=True) * ramp
    return X


def _detrending(nperseg, detrend):
    """Symmetric matrix that removes the trend of a segment."""
    identity = np.eye(nperseg)
    if not detrend:
        return identity
    basis = np.ones((nperseg, 1))
    if detrend == "linear" and nperseg > 1:
        basis = np.column_stack([basis, np.arange(nperseg) - (nperseg - 1) / 2])
    basis, _ = np.linalg.qr(basis)
    return identity - basis @ basis.T


def _extend(X, pad, boundary):
    """Extend beats at both ends, as the boundaries of :func:`scipy.signal.stft` do."""
    if boundary == "zeros":  # three times faster than numpy.pad
        whole = np.zeros((len(X), X.shape[1] + 2 * pad), dtype=X.dtype)
        whole[:, pad : pad + X.shape[1]] = X
        return whole
    widths = ((0, 0), (pad, pad))
    if boundary == "constant":
        return np.pad(X, widths, mode="edge")
    return np.pad(X, widths, mode="reflect", reflect_type=boundary)
