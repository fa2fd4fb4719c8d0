"""The signal and the beats, small enough to be embedded in the page.

Integers are stored as differences, zigzag-coded, one plane of bytes after the other,
and deflated. A step of 5 to 20 uV is 0.05 to 0.2 mm at 10 mm/mV.
"""

import base64
import zlib
from math import ceil

import numpy as np
import pandas as pd
from scipy.signal import resample_poly

from ecg_sklearn.aami import CLASS_NAMES

SIGNAL_BYTES = 6_200_000  # of base64: beats, events and figures need the rest of 8 MB
_HIGHEST, _HIGHEST_LONG, _LOWEST = 250.0, 125.0, 50.0  # Hz
_LONG = 2 * 3600.0  # s
_PROBES, _PROBE = 12, 60.0  # number and s of the pieces whose size is measured
LINE = 60  # s, a line of the full disclosure


def embed(analysis, most=SIGNAL_BYTES):
    """Encode the analysed lead and its beats for the scripts of the page.

    Parameters
    ----------
    analysis : RecordingAnalysis
        What was found.
    most : int, default=6_200_000
        Characters that the signal may take. If it takes more at the lowest rate, only
        some minutes are embedded: those with the rarest kinds of events first.

    Returns
    -------
    dict
        "rate" in Hz, "step" in mV, "signal" and "beats" and "classes" in base64,
        "n_samples", "n_beats", "lines" (embedded minutes, None for all), "n_lines", and
        "gaps", pairs of positions between which nothing was recorded.
    """
    recording = analysis.recording
    lead = recording.signal[:, 0]
    n_lines = ceil(len(lead) / (LINE * recording.sampling_rate))
    factor, step, size = _choose(lead, recording.sampling_rate, most)
    lines = None
    if size > most:
        lines = _choose_lines(analysis.events, n_lines, int(n_lines * most / size))
    samples, missing = _thin(lead, factor)
    rate = recording.sampling_rate / factor
    places = np.rint(analysis.beats["time"].to_numpy() * 1000).astype(np.int64)
    classes = pd.Categorical(analysis.beats["class"], CLASS_NAMES).codes.astype(int)
    classes += 8 * ~analysis.beats["sure"].to_numpy(dtype=bool)
    if lines is not None:
        bounds = np.rint(np.arange(n_lines + 1) * LINE * rate).astype(int)
        pieces = [slice(bounds[line], bounds[line + 1]) for line in lines]
        samples = np.concatenate([samples[piece] for piece in pieces])
        kept = np.isin(places // (1000 * LINE), lines)
        places, classes = places[kept], classes[kept]
    return {
        "rate": rate,
        "step": step,
        "signal": _pack(np.rint(samples / step), 2),
        "n_samples": len(samples),
        "beats": _pack(places, 4),
        "classes": _pack(classes, 1),
        "n_beats": len(places),
        "lines": None if lines is None else lines.tolist(),
        "n_lines": n_lines,
        "gaps": np.flatnonzero(np.diff(missing, prepend=False, append=False)).tolist(),
    }


def _choose(lead, rate, most):
    """Choose the factor of decimation, the step in mV, and estimate the size."""
    is_long = len(lead) > _LONG * rate
    first = max(1, ceil(rate / (_HIGHEST_LONG if is_long else _HIGHEST) - 0.01))
    last = max(first, int(rate / _LOWEST))
    settings = [
        (first, 0.005),
        *((k, step) for k in range(first, last + 1) for step in (0.01, 0.015)),
        (last, 0.02),
    ]
    length = int(_PROBE * rate)
    if len(lead) <= 2 * _PROBES * length:
        probes = [lead]
    else:
        starts = np.linspace(0, len(lead) - length, _PROBES).astype(int)
        probes = [lead[start : start + length] for start in starts]
    n_probed = sum(map(len, probes))
    for factor, step in settings:
        sizes = [
            len(_pack(np.rint(_thin(each, factor)[0] / step), 2)) for each in probes
        ]
        size = 1.03 * sum(sizes) * len(lead) / n_probed
        if size <= most:
            break
    return factor, step, size


def _thin(lead, factor):
    """Take every ``factor``-th sample behind a low-pass filter, and what is missing."""
    missing = ~np.isfinite(lead)
    if missing.all():
        lead = np.zeros_like(lead)
    elif missing.any():
        beside = ~missing & (np.roll(missing, 1) | np.roll(missing, -1))
        places = np.flatnonzero(beside)
        lead = lead.copy()
        lead[missing] = np.interp(np.flatnonzero(missing), places, lead[places])
    if factor > 1:
        # The ends are continued by their value, not by 0.
        lead = resample_poly(lead, 1, factor, padtype="edge")
    return lead, missing[::factor]


def _pack(values, n_bytes):
    """Encode integers; the differences must fit into ``n_bytes``."""
    steps = np.diff(values.astype(np.int64), prepend=0)
    limit = 1 << (8 * n_bytes - 1)
    if n_bytes == 2 and len(steps) and np.abs(steps).max() >= limit:
        # A step of more than 100 mV is no ECG: it is drawn over several samples.
        values = np.clip(values, -limit // 2 + 1, limit // 2 - 1)
        steps = np.diff(values.astype(np.int64), prepend=0)
    coded = ((steps << 1) ^ (steps >> 63)).astype("<u8")
    planes = coded.view(np.uint8).reshape(-1, 8)[:, :n_bytes].T
    # Runs and Huffman codes alone: as small as other settings here, and much faster.
    packer = zlib.compressobj(9, strategy=zlib.Z_RLE)
    packed = packer.compress(np.ascontiguousarray(planes).tobytes()) + packer.flush()
    return base64.b64encode(packed).decode("ascii")


def _choose_lines(events, n_lines, n_kept):
    """Choose minutes: those with the rarest kinds of events first, then any."""
    rank = np.full(n_lines, np.inf)
    counts = events["kind"].map(events["kind"].value_counts()).to_numpy(dtype=float)
    lines = np.minimum(
        events["start"].to_numpy(dtype=float) // LINE, n_lines - 1
    ).astype(int)
    np.minimum.at(rank, lines, counts)
    mixed = np.random.RandomState(0).permutation(n_lines)
    return np.sort(np.lexsort([mixed, rank])[: max(n_kept, 1)])
