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
NO_BEAT = np.iinfo(np.int64).max // 2  # position of a beat that does not come
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
    signal = _without_gaps(signal)
    following = np.append(sample[1:], NO_BEAT)
    history = MorphologyHistory()
    found = []
    for first in range(0, len(sample), _AT_A_TIME):  # for memory
        rows = slice(first, first + _AT_A_TIME)
        waves = cut_waves(signal, sample[rows], following[rows], sampling_rate)
        found.append(history.extend(waves))
    return np.concatenate(found)


def _without_gaps(signal):
    """Replace non-finite samples by the last finite one."""
    signal = np.asarray(signal)
    known = np.isfinite(signal)
    if known.all():
        return signal
    last = np.maximum.accumulate(np.where(known, np.arange(len(signal)), 0))
    return np.nan_to_num(signal[last], nan=0.0, posinf=0.0, neginf=0.0)


def cut_waves(signal, sample, following, sampling_rate, first=0):
    """Cut a window around each beat; hold its last sample before the next beat.

    ``following`` are the positions of the next beats; ``first`` is the position of
    ``signal[0]``, which is 0 for a whole record.
    """
    end = first + len(signal) - 1
    last = np.maximum(following - round(_CLEAR * sampling_rate), sample)
    last = np.minimum(last, end)[:, None]
    offset = np.arange(round(_CUT[0] * _RATE), round(_CUT[1] * _RATE)) / _RATE
    place = np.clip(sample[:, None] + offset * sampling_rate, first, last)
    left = place.astype(np.intp)
    value = signal[left - first].astype(np.float32)
    right = np.minimum(left + 1, last) - first
    step = signal[right].astype(np.float32) - value
    waves = value + step * (place - left).astype(np.float32)
    return waves - np.median(waves, axis=1, keepdims=True)


def _part(beats, edges, first=_CUT[0]):
    """Columns of beats cut from ``first`` s on, between two times in s."""
    start, stop = (round((edge - first) * _RATE) for edge in edges)
    return beats[:, start:stop]


class MorphologyHistory:
    """The waves of a record so far, as far as features look back.

    A record is one call of :meth:`extend`, a stream is many: the values are the same.
    """

    def __init__(self):
        self._waves = None  # of the last beats
        self._totals = None  # running sums of weighted waves
        self._masses = np.zeros(1)  # running sums of weights

    def extend(self, waves):
        """Add the waves of new beats, from :func:`cut_waves`; return their columns."""
        if self._waves is None:
            self._waves = waves[:0]
            self._totals = np.zeros((1, waves.shape[1]))
        if len(waves) == 0:
            return np.empty((0, len(MORPHOLOGY_NAMES)), dtype=np.float32)
        start = len(self._waves)
        known = np.concatenate([self._waves, waves])
        dominant = self._dominant(known, start)
        qrs = _part(known, _QRS)
        before = qrs[np.maximum(np.arange(start, len(known)) - 1, 0)]
        self._waves = known[-_N_COMPARED:].copy()
        columns = _compare(waves, dominant, before)
        return columns.astype(np.float32)

    def _dominant(self, known, start):
        """Mean of the waves before each new beat, weighted by their typicality.

        The first beat is its own dominant beat.
        """
        new = known[start:]
        typicality = _typicality(_part(known, _QRS), start)
        weight = np.clip(typicality, _LEAST_TYPICAL, 1) ** _SHARPNESS
        totals, masses = self._totals, self._masses
        n_kept = len(masses) - 1  # beats in the sums
        added = np.concatenate([totals[-1:], weight[:, None] * new])
        totals = np.concatenate([totals, np.cumsum(added, axis=0)[1:]])
        added = np.concatenate([masses[-1:], weight])
        masses = np.concatenate([masses, np.cumsum(added)[1:]])
        stop = np.maximum(np.arange(n_kept, n_kept + len(new)), 1)
        first = np.maximum(stop - _N_DOMINANT, 0)
        mass = (masses[stop] - masses[first])[:, None]
        self._totals = totals[-(_N_DOMINANT + 1) :].copy()
        self._masses = masses[-(_N_DOMINANT + 1) :].copy()
        return ((totals[stop] - totals[first]) / mass).astype(np.float32)


def _compare(waves, dominant, qrs_before):
    """Compare each beat with the dominant beat of its past, and the previous one."""
    qrs, p, t = (_part(waves, edges) for edges in (_QRS, _P, _T))
    dominant_qrs, dominant_p, dominant_t = (
        _part(dominant, edges) for edges in (_QRS, _P, _T)
    )
    columns = [
        _correlation(qrs, dominant_qrs),
        _correlation(p, dominant_p),
        _correlation(t, dominant_t),
        _correlation(waves, dominant),
        _correlation(qrs, qrs_before),
        _log_ratio(_size(qrs - dominant_qrs), _size(dominant_qrs)),
        _log_ratio(_size(p - dominant_p), _size(dominant_p)),
        _log_ratio(_size(qrs), _size(dominant_qrs)),
        _log_ratio(_size(p), _size(dominant_p)),
        _log_ratio(_width(qrs), _width(dominant_qrs)),
    ]
    return np.stack(columns, axis=1)


def _typicality(rows, start):
    """Median correlation of each row from ``start`` on with the rows before it.

    It is 1 for the first beat of a record.
    """
    unit = _unit_rows(rows)
    table = np.full((len(unit) - start, _N_COMPARED), np.nan)
    for lag in range(1, min(_N_COMPARED, len(unit) - 1) + 1):
        first = max(start, lag)
        same = np.einsum("ij,ij->i", unit[first:], unit[first - lag : len(unit) - lag])
        table[first - start :, lag - 1] = same
    if start == 0:
        table[0] = 1.0
    # Much faster than nanmedian.
    ordered = np.sort(table, axis=1)  # NaN last
    n_values = np.count_nonzero(table == table, axis=1)
    rows = np.arange(len(ordered))
    return (ordered[rows, (n_values - 1) // 2] + ordered[rows, n_values // 2]) / 2


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
