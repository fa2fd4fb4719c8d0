"""Short-time power spectra of many beats at once: arrays in, arrays out.

Each segment of a beat is detrended, windowed and Fourier-transformed. All three are
linear, so that for short segments they are one small matrix, and the transform of all
segments of a beat is one matrix product in single precision. Long segments take an FFT.
"""

from numbers import Integral, Real

import numpy as np
import scipy.fft
import scipy.signal

# Beats are transformed in chunks whose frames take about this many bytes, so that
# they stay in the processor's cache and memory does not grow with n_beats.
CHUNK_BYTES = 2**21
# Above this many samples a segment, the FFT is faster than the matrix product.
LONGEST_MATRIX_SEGMENT = 128
# More is taken for a mistake: it would need more memory than there is.
LONGEST_TRANSFORM = 2**22
# Power of a beat that is 1 throughout, beyond which single precision could not hold
# that of the beats that are allowed.
POWER_OF_ONES = (1e-12, 1e8)


class ShortTimePower:
    """The transform of beats of one length, planned once."""

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
            gains[1 : -1 if self.nfft % 2 == 0 else None] *= 2  # but zero and Nyquist
        self.gain = np.sqrt(gains)[self.bins]
        self.matrix = None
        if self.nperseg <= LONGEST_MATRIX_SEGMENT:
            self.matrix = self._fourier_matrix().astype(np.float32, order="C")

    def chunks(self, X):
        """Compute spectra of beats, (n_beats, n_times), chunk by chunk.

        Yields the slice of the beats of a chunk, and real and imaginary parts,
        (n_chunk, 2, n_freqs, n_frames), for :func:`power_of` and :func:`direction_of`.
        """
        width = self.nperseg + (
            self.nfft if self.matrix is None else 2 * len(self.frequencies)
        )
        size = max(1, CHUNK_BYTES // (4 * len(self.times) * width))
        spectrum_of = self._by_fft if self.matrix is None else self._by_matrix
        for start in range(0, len(X), size):
            part = slice(start, start + size)
            # In one order of memory, so that sums add up in one order too.
            beats = np.ascontiguousarray(X[part], dtype=np.float32)
            yield part, spectrum_of(self._extended(beats))

    def _extended(self, X):
        """Beats with extended ends, and without what is part of every trend."""
        if self.padding:
            X = _extend(X, self.padding, self.boundary)
        # A line through the whole beat is part of every trend, and a constant too:
        # without them, float32 keeps more digits.
        return _without_trend(X, self.detrend) if self.detrend else X

    def _by_matrix(self, X):
        # One product for each beat: in one for all of them, the last digits of a beat
        # would depend on its place among the others on some processors.
        products = np.matmul(self.matrix, self._segments_in_columns(X))
        return products.reshape(len(X), 2, len(self.frequencies), len(self.times))

    def _segments_in_columns(self, X):
        """Copy segments to (n_beats, nperseg, n_frames).

        Samples that are one hop apart are put side by side first, so that what follows
        copies runs of ``n_frames`` values, and not single ones.
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
        """Fold detrending, window, Fourier transform and gain into one matrix.

        The first rows give the real parts of all bins, the others the imaginary parts.
        """
        bins = np.arange(self.nfft // 2 + 1)[self.bins]
        # Reduced modulo nfft, so that long transforms lose no digits of the angle.
        turns = np.outer(np.arange(self.nperseg), bins) % self.nfft
        angle = 2 * np.pi * turns / self.nfft
        matrix = np.hstack([np.cos(angle), -np.sin(angle)]) * self.window[:, None]
        matrix = _detrending(self.nperseg, self.detrend) @ matrix
        return (matrix * np.tile(self.gain, 2)).T


def power_of(spectrum, out):
    """Add up the squares of real and imaginary parts; overwrites the spectrum."""
    np.square(spectrum, out=spectrum)
    np.add(spectrum[:, 0], spectrum[:, 1], out=out)


def direction_of(spectrum):
    """Find cosine and sine of the phase of each bin; both 0 where there is no power."""
    modulus = np.hypot(spectrum[:, :1], spectrum[:, 1:])
    unit = np.divide(spectrum, modulus, out=np.zeros_like(spectrum), where=modulus > 0)
    return unit.transpose(0, 2, 3, 1)


def _segment_lengths(nperseg, noverlap, nfft):
    """Resolve ``nperseg``, ``nfft`` and the hop to samples, and check them."""
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
    """Bring a squared sum to power, or to power per Hz."""
    with np.errstate(all="ignore"):
        if scaling == "density":
            gain = 1 / (np.float64(sampling_rate) * (values**2).sum())
        else:
            gain = 1 / values.sum() ** 2
        of_ones = gain * np.abs(values).sum() ** 2
    lowest, highest = POWER_OF_ONES
    if not lowest <= of_ones <= highest:  # NaN is not, either
        raise ValueError(
            f"A beat that is 1 throughout would have a power of {of_ones:g} with "
            f"sampling_rate={sampling_rate:g} and this window; it must be from "
            f"{lowest:g} to {highest:g} to fit into float32. Give sampling_rate in Hz, "
            "and a window whose values do not cancel out or vanish."
        )
    return gain


def _without_trend(X, detrend):
    """Take the mean or a line out of the last axis.

    :func:`scipy.signal.detrend` fits all lines at once, and the last digits of one
    then depend on the others.
    """
    X = X - X.mean(axis=-1, keepdims=True)
    if detrend == "linear" and X.shape[-1] > 1:
        ramp = np.arange(X.shape[-1]) - (X.shape[-1] - 1) / 2
        ramp = (ramp / np.sqrt(ramp @ ramp)).astype(np.float32)
        X -= (X * ramp).sum(axis=-1, keepdims=True) * ramp
    return X


def _detrending(nperseg, detrend):
    """Matrix that takes the trend out of a segment; it is symmetric."""
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
    if boundary == "zeros":  # numpy.pad takes three times as long
        whole = np.zeros((len(X), X.shape[1] + 2 * pad), dtype=X.dtype)
        whole[:, pad : pad + X.shape[1]] = X
        return whole
    widths = ((0, 0), (pad, pad))
    if boundary == "constant":
        return np.pad(X, widths, mode="edge")
    return np.pad(X, widths, mode="reflect", reflect_type=boundary)
