"""Morphology features: a beat compared with the dominant beat of its record so far."""

import numpy as np

MORPHOLOGY_NAMES: tuple[str, ...] = (
    "qrs_similarity",
    "p_similarity",
    "t_similarity",
    "beat_similarity",
    "qrs_similarity_to_previous",
    "qrs_distance",
    "p_distance",
    "qrs_size",
    "p_size",
    "qrs_width",
)

_N_DOMINANT = 50  # beats averaged to the dominant beat
_N_COMPARED = 32  # previous beats that a beat is compared with
_LIMIT = 3.0  # of logarithms of ratios: a factor of 20

# Beats are resampled to one rate, so that features do not depend on the signal's rate.
_RATE = 250.0
_CUT = (-0.28, 0.44)  # s around the annotation
_QRS, _P, _T = (-0.1, 0.1), (-0.26, -0.08), (0.12, 0.42)
_CLEAR = 0.08  # s before the next annotation, where the next QRS may begin
_LEAST_TYPICAL = 0.3
_AT_A_TIME = 4096  # beats
_SHARPNESS = 8  # exponent: a correlation of .9 weighs .43, one of .5 almost 0


def morphology_features(signal, sample, sampling_rate):
    """Compare the waves of each beat with the dominant beat of its record so far.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        One channel, in any unit. Non-finite samples repeat the previous sample.
    sample : ndarray of shape (n_beats,)
        Ascending positions of the beats, in samples.
    sampling_rate : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_beats, 10), float32
        Finite values in the order of ``FEATURE_GROUPS["morphology"]``: correlations
        from -1 to 1, and natural logarithms of ratios, clipped to -3 and 3. They are
        causal except for the position of the next beat: those of beat ``i`` depend
        only on ``sample[: i + 2]`` and ``signal[: sample[i + 1]]``.
    """
    sample = np.asarray(sample, dtype=np.intp)
    if len(sample) == 0:
        return np.empty((0, len(MORPHOLOGY_NAMES)), dtype=np.float32)
    beats = _cut_beats(_without_gaps(signal), sample, sampling_rate)
    return _compare(beats).astype(np.float32)


def _without_gaps(signal):
    """Replace non-finite samples by the last finite one."""
    signal = np.asarray(signal)
    known = np.isfinite(signal)
    if known.all():
        return signal
    last = np.maximum.accumulate(np.where(known, np.arange(len(signal)), 0))
    return np.nan_to_num(signal[last], nan=0.0, posinf=0.0, neginf=0.0)


def _cut_beats(signal, sample, sampling_rate):
    """Cut a window around each beat; hold its last sample before the next beat."""
    end = len(signal) - 1
    clear = round(_CLEAR * sampling_rate)
    last = np.append(sample[1:] - clear, end)
    last = np.minimum(np.maximum(last, sample), end)[:, None]
    offset = np.arange(round(_CUT[0] * _RATE), round(_CUT[1] * _RATE)) / _RATE
    found = np.empty((len(sample), len(offset)), dtype=np.float32)
    for first in range(0, len(sample), _AT_A_TIME):  # for memory
        rows = slice(first, first + _AT_A_TIME)
        place = np.clip(sample[rows, None] + offset * sampling_rate, 0, last[rows])
        left = place.astype(np.intp)
        value = signal[left].astype(np.float32)
        step = signal[np.minimum(left + 1, last[rows])].astype(np.float32) - value
        beats = value + step * (place - left).astype(np.float32)
        found[rows] = beats - np.median(beats, axis=1, keepdims=True)
    return found


def _part(beats, edges, first=_CUT[0]):
    """Columns of beats cut from ``first`` s on, between two times in s."""
    start, stop = (round((edge - first) * _RATE) for edge in edges)
    return beats[:, start:stop]


def _compare(beats):
    """Compare each beat with the dominant beat of its past."""
    dominant = _dominant_beats(beats)
    qrs, p, t = (_part(beats, edges) for edges in (_QRS, _P, _T))
    dominant_qrs, dominant_p, dominant_t = (
        _part(dominant, edges) for edges in (_QRS, _P, _T)
    )
    qrs_before = np.concatenate([qrs[:1], qrs[:-1]])
    columns = [
        _correlation(qrs, dominant_qrs),
        _correlation(p, dominant_p),
        _correlation(t, dominant_t),
        _correlation(beats, dominant),
        _correlation(qrs, qrs_before),
        _log_ratio(_size(qrs - dominant_qrs), _size(dominant_qrs)),
        _log_ratio(_size(p - dominant_p), _size(dominant_p)),
        _log_ratio(_size(qrs), _size(dominant_qrs)),
        _log_ratio(_size(p), _size(dominant_p)),
        _log_ratio(_width(qrs), _width(dominant_qrs)),
    ]
    return np.stack(columns, axis=1)


def _dominant_beats(beats):
    """Mean of the beats before each beat, weighted by their typicality.

    The first beat is its own dominant beat.
    """
    weight = np.clip(_typicality(_part(beats, _QRS)), _LEAST_TYPICAL, 1) ** _SHARPNESS
    total = np.zeros((len(beats) + 1, beats.shape[1]))
    np.cumsum(weight[:, None] * beats, axis=0, out=total[1:])
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    stop = np.maximum(np.arange(len(beats)), 1)
    start = np.maximum(stop - _N_DOMINANT, 0)
    mass = (mass[stop] - mass[start])[:, None]
    mean = np.empty(beats.shape, dtype=np.float32)
    for first in range(0, len(beats), _AT_A_TIME):  # for memory
        rows = slice(first, first + _AT_A_TIME)
        mean[rows] = (total[stop[rows]] - total[start[rows]]) / mass[rows]
    return mean


def _typicality(beats):
    """Median correlation of each beat with the beats before it; 1 for the first."""
    unit = _unit_rows(beats)
    table = np.full((len(unit), _N_COMPARED), np.nan)
    table[0] = 1.0
    for lag in range(1, min(_N_COMPARED, len(unit) - 1) + 1):
        table[lag:, lag - 1] = np.einsum("ij,ij->i", unit[lag:], unit[:-lag])
    return np.nanmedian(table, axis=1)


def _unit_rows(rows):
    """Centre rows and scale them to length 1; constant rows become 0."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)


def _correlation(rows, others):
    return np.einsum("ij,ij->i", _unit_rows(rows), _unit_rows(others))


def _size(rows):
    """Euclidean norm of each centred row."""
    return np.linalg.norm(rows - rows.mean(axis=1, keepdims=True), axis=1)


def _width(rows):
    """Mean deviation divided by the largest: near 1 for a block, near 0 for a spike."""
    deviation = np.abs(rows - np.median(rows, axis=1, keepdims=True))
    largest = deviation.max(axis=1)
    mean = deviation.mean(axis=1)
    return np.divide(mean, largest, out=np.zeros_like(mean), where=largest > 0)


def _log_ratio(value, dominant):
    """Logarithm of the ratio to the dominant value, with 5 % of it as noise floor."""
    floor = 0.05 * dominant.astype(np.float64) + 1e-12
    return np.clip(np.log((value + floor) / (dominant + floor)), -_LIMIT, _LIMIT)
