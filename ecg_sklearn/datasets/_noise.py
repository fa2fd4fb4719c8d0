"""Noise and faults of a simulated signal."""

import numpy as np
from scipy.signal import butter, sosfilt

REASONS = ("gap", "flat", "lead off", "clipped", "noise")
_BLOCK = 2**19  # samples of noise made at a time
_RAIL = 5.0  # mV, where an amplifier ends


def samples_of(start, end, rate):
    """Positions of the first sample of a stretch and of the first one after it."""
    return int(np.ceil(start * rate)), int(np.ceil(end * rate))


def add_f_waves(signal, rate, start, end, rng):
    """Add fibrillatory waves of about 6 Hz, in place."""
    first, stop = samples_of(start, end, rate)
    t = np.arange(first, min(stop, len(signal))) / rate
    drift = 2 * np.sin(2 * np.pi * 0.2 * t)
    waves = 0.05 * np.sin(2 * np.pi * rng.uniform(5, 7) * t + drift)
    signal[first:stop] += waves[:, None].astype(np.float32)


def add_noise(signal, rate, noise, wander, muscle, rng):
    """Add white noise, baseline wander and muscle noise, in place."""
    band = butter(2, (20, min(150, 0.45 * rate)), "bandpass", fs=rate, output="sos")
    # The filter leaves the share of the white noise that its impulse response has.
    gain = np.linalg.norm(sosfilt(band, np.eye(1, 4096)[0]))
    sines = rng.uniform(0.05, 0.5, size=3), rng.uniform(size=3)
    for lead in signal.T:
        state = np.zeros((len(band), 2))
        scale = wander * rng.uniform(0.7, 1.3) / np.sqrt(1.5)
        for first in range(0, len(lead), _BLOCK):
            block = lead[first : first + _BLOCK]
            t = (first + np.arange(len(block))) / rate
            if wander:
                for frequency, phase in zip(*sines, strict=True):
                    block += scale * np.sin(2 * np.pi * (frequency * t + phase))
            if noise:
                block += noise * rng.standard_normal(len(block))
            if muscle:
                white = rng.standard_normal(len(block))
                filtered, state = sosfilt(band, white, zi=state)
                block += muscle / gain * filtered


def spoil(stretch, reason, rng):
    """Make a stretch of a signal unreadable, in place."""
    if reason == "gap":
        stretch[:] = np.nan
    elif reason == "flat":
        stretch[:] = stretch[:1]
    elif reason == "lead off":
        stretch[:] = _RAIL
    elif reason == "clipped":
        np.clip(100 * stretch, -_RAIL, _RAIL, out=stretch)
    else:
        stretch[:] = rng.standard_normal(stretch.shape)
