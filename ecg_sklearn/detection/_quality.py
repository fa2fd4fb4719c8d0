"""Stretches of a signal that cannot be read: :func:`signal_quality`."""

from numbers import Real

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import firwin, lfilter
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.detection._signal import RATE, Resampler, check_lead

_BLOCK = 600  # s handled at once
_AT_A_TIME = 4096  # s of which windows are made at once
_STEPS = 25  # values of the smoothed slope kept of each second
_WINDOW = 9  # s around each second, an odd number
_CUTOFFS = (20.0, 45.0)  # Hz
_HALF = 15  # half the taps of the filters
# In noise, the slope is nearly the same everywhere, and much of the signal is fast.
# Entering and leaving a stretch have different limits.
_PEAKED = (2.6, 3.4)  # 95th percentile of the slope over its median
_FAST = (0.22, 0.17)  # mean size of 20 to 45 Hz over that below 20 Hz
_FLAT = 0.02  # of the usual range of a second
_LONGEST_PAUSE = 10.0  # s without a wave that may still be a pause of the heart
_CONSTANT = 2.0  # s of one value, which no amplifier gives
_FAR = 1.5  # usual ranges away from the usual level: the end of the amplifier's range
_RAIL = 0.15  # share of a second at one end of the range
_RUN = 0.02  # s at one end of the range, one after the other
_SHORTEST = 3.0  # s, of noise and clipped stretches
_MERGED = 3.0  # s between two stretches that are one
_REASONS = ("gap", "lead off", "flat", "clipped", "noise")  # the first one counts


@validate_params(
    {
        "signal": "no_validation",
        "sampling_rate": [Interval(Real, 50, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def signal_quality(signal, sampling_rate=None):
    """Find the stretches of a lead that cannot be read.

    Parameters
    ----------
    signal : array-like of shape (n_times,), or recording
        One lead, in any unit; NaN where nothing was recorded. Of a
        :class:`~ecg_sklearn.io.Recording`, the first lead.
    sampling_rate : float, default=None
        Samples per second, in Hz. None takes that of the recording.

    Returns
    -------
    DataFrame
        One row for each stretch, in ascending order and without overlap: ``start`` and
        ``end`` in s, and ``reason``: "gap" (nothing recorded), "lead off" (a constant
        far away from the usual level), "flat" (no waves for ten seconds, or one value
        for two), "clipped" (at the ends of the range) or "noise" (nearly the same
        slopes everywhere, and many of them fast). Ventricular fibrillation and pauses
        of the heart are no such stretches.

    Raises
    ------
    ValueError
        If the signal is not one lead, or the rate is missing.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_recording
    >>> from ecg_sklearn.detection import signal_quality
    >>> beats = make_recording(120, unreadable=[(40, 60, "gap")], random_state=0)
    >>> signal_quality(beats.signal[:, 0], beats.sampling_rate)
       start   end reason
    0   40.0  60.0    gap
    """
    import pandas as pd

    if hasattr(signal, "sampling_rate"):
        sampling_rate = signal.sampling_rate if sampling_rate is None else sampling_rate
        signal = signal.signal[:, 0]
    if sampling_rate is None:
        raise ValueError("sampling_rate is missing. Give it in Hz beside an array.")
    signal = check_lead(np.asarray(signal))
    found = np.full(len(signal), len(_REASONS), dtype=np.int8)
    _mark_noise(signal, sampling_rate, found)
    _mark_still(signal, sampling_rate, found)
    found[~np.isfinite(signal)] = _REASONS.index("gap")
    edges = np.flatnonzero(np.diff(found, prepend=-1, append=-1))
    rows = [
        (start / sampling_rate, end / sampling_rate, _REASONS[found[start]])
        for start, end in zip(edges[:-1], edges[1:], strict=True)
        if found[start] < len(_REASONS)
    ]
    return pd.DataFrame(rows, columns=["start", "end", "reason"]).astype(
        {"start": float, "end": float, "reason": object}
    )


def _mark_noise(signal, rate, found):
    """Mark noise, second by second."""
    slopes, fast = _seconds_of(signal, rate)
    if len(slopes) == 0:
        return
    half = _WINDOW // 2
    padded = np.pad(slopes, ((half, half), (0, 0)), mode="edge")
    windows = sliding_window_view(padded, _WINDOW, axis=0)
    middle, high = np.concatenate(
        [
            np.percentile(windows[k : k + _AT_A_TIME], [50, 95], axis=(1, 2))
            for k in range(0, len(windows), _AT_A_TIME)
        ],
        axis=1,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        peaked = np.where(middle > 0, high / middle, np.inf)
    kernel = np.ones(_WINDOW) / _WINDOW
    fast = np.convolve(np.pad(fast, half, mode="edge"), kernel, mode="valid")
    enter = (peaked < _PEAKED[0]) & (fast > _FAST[0])
    stay = (peaked < _PEAKED[1]) & (fast > _FAST[1])
    is_noise = _with_hysteresis(enter, stay)
    for start, end in _runs(is_noise, 1.0):
        _mark(found, start, end, rate, len(slopes), "noise")


def _seconds_of(signal, rate):
    """Smoothed slopes (n_seconds, 25), and the share of fast waves, of each second."""
    resampler = Resampler(rate)
    taps = [firwin(2 * _HALF + 1, cutoff, fs=RATE) for cutoff in _CUTOFFS]
    states = [np.zeros(2 * _HALF) for _ in taps]
    width = int(RATE) // _STEPS
    per_second = int(RATE)
    rest = [np.empty(0)] * 2
    slopes, fast = [], []
    step = int(_BLOCK * rate)
    for first in range(0, len(signal), step):
        samples = resampler.push(signal[first : first + step])
        for k in (0, 1):
            band, states[k] = lfilter(taps[k], 1.0, samples, zi=states[k])
            rest[k] = np.concatenate([rest[k], band])
        n = (len(rest[0]) - 1) // per_second
        if n < 1:
            continue
        low, both = (band[: n * per_second + 1] for band in rest)
        steep = np.abs(np.diff(low)).reshape(n, _STEPS, width).mean(axis=2)
        # 0.12 s, as long as a QRS complex
        steep = (steep + np.roll(steep, 1, axis=1) + np.roll(steep, -1, axis=1)) / 3
        sharp = np.abs(both - low)[:-1].reshape(n, per_second).mean(axis=1)
        low = low[:-1].reshape(n, per_second)
        size = np.abs(low - np.median(low, axis=1, keepdims=True)).mean(axis=1)
        slopes.append(steep.astype(np.float32))
        fast.append(np.where(size > 0, sharp / np.maximum(size, 1e-300), 0.0))
        rest = [band[n * per_second :] for band in rest]
    if not slopes:
        return np.empty((0, _STEPS)), np.empty(0)
    return np.concatenate(slopes), np.concatenate(fast)


def _with_hysteresis(enter, stay):
    """Keep the runs of ``stay`` that hold an ``enter``."""
    is_inside = np.zeros(len(enter), dtype=bool)
    edges = np.flatnonzero(np.diff(stay, prepend=False, append=False))
    total = np.concatenate([[0], np.cumsum(enter)])
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        is_inside[start:end] = total[end] > total[start]
    return is_inside


def _runs(mask, rate):
    """Find starts and ends in s; merge near runs, leave short ones out."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    merged = []
    for start, end in zip(edges[::2] / rate, edges[1::2] / rate, strict=True):
        if merged and start - merged[-1][1] < _MERGED:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return [(start, end) for start, end in merged if end - start >= _SHORTEST]


def _mark_still(signal, rate, found):
    """Mark stretches at the ends of the range, and those without waves."""
    width = round(rate)
    n = len(signal) // width
    if n < 2 or not np.isfinite(signal).any():
        return
    seconds = signal[: n * width].reshape(n, width)
    known = np.isfinite(seconds).all(axis=1)
    if not known.any():
        return
    low, high = seconds.min(axis=1), seconds.max(axis=1)
    usual = np.median((high - low)[known & (high > low)]) if (high > low).any() else 0.0
    level = np.median(((high + low) / 2)[known])
    bottom, top = low[known].min(), high[known].max()
    at_end = (seconds >= top - 1e-3 * usual) | (seconds <= bottom + 1e-3 * usual)
    run = max(2, round(_RUN * rate))
    in_run = at_end[:, : width - width % run].reshape(n, -1, run).all(axis=2)
    clipped = known & (in_run.mean(axis=1) > _RAIL) & (high > low)
    flat = known & (high - low <= _FLAT * usual)
    constant = known & (high == low)
    far = np.abs((high + low) / 2 - level) > _FAR * max(usual, 1e-300)
    for start, end in _runs(clipped & ~constant, 1.0):
        _mark(found, start, end, rate, n, "clipped")
    for mask, shortest in ((flat, _LONGEST_PAUSE), (constant, _CONSTANT)):
        edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            is_far = far[start:end].all() and usual > 0
            if end - start >= (_CONSTANT if is_far else shortest):
                reason = "lead off" if is_far else "flat"
                start, end = _exact(signal, start * width, end * width, width)
                found[start:end] = _REASONS.index(reason)


def _mark(found, start, end, rate, n, reason):
    stop = None if end >= n else round(end * rate)
    found[round(start * rate) : stop] = _REASONS.index(reason)


def _exact(signal, start, end, most):
    """Extend a stretch by neighbours of the same value, ``most`` on each side."""
    low, high = signal[start:end].min(), signal[start:end].max()
    for _ in range(most):
        if start > 0 and low <= signal[start - 1] <= high:
            start -= 1
        if end < len(signal) and low <= signal[end] <= high:
            end += 1
    return start, end
