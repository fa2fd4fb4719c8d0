"""Record features: a beat compared with all of its record, before and after it."""

from functools import partial

import numpy as np
import scipy.signal
from scipy.ndimage import median_filter, percentile_filter

from ecg_sklearn.features import _morphology
from ecg_sklearn.features._morphology import _RATE, _correlation, _log_ratio, _size
from ecg_sklearn.features._rr import _LIMIT, _RR_RANGE

_QUANTILES = (5, 25, 50, 75, 90, 95)  # of all RR intervals of the record, in %
RECORD_RR_NAMES: tuple[str, ...] = (
    *(f"rr_previous_to_quantile_{q:02}" for q in _QUANTILES),
    "rr_next_to_quantile_50",
    "rr_previous_to_median_51",
    "rr_next_to_median_51",
    "rr_previous_to_median_17",
    "rr_next_to_median_17",
    "rr_previous_to_slow_25",
    "rr_previous_to_slow_121",
    "rr_previous_to_longest_10",
    "rr_previous_to_shortest_10",
    "rr_record_rank",
    "rr_rank_20",
    "rr_change_31",
)

RECORD_MORPHOLOGY_NAMES: tuple[str, ...] = (
    "cluster",
    "cluster_share",
    "cluster_prematurity",
    "cluster_rr_next",
    "cluster_width",
    "cluster_p_similarity",
    "cluster_similarity_to_common",
    "cluster_size_to_common",
    "same_cluster_as_previous",
    "same_cluster_as_next",
    "in_reference_cluster",
    "qrs_similarity_to_common",
    "qrs_distance_to_common",
    "qrs_size_to_common",
    "qrs_width_to_common",
    "qrs_similarity_to_reference",
    "qrs_distance_to_reference",
    "qrs_size_to_reference",
    "qrs_width_to_reference",
    "qrs_peak",
    "qrs_trough",
    "p_similarity_to_slow",
    "p_distance_to_slow",
    "p_similarity_to_usual",
    "p_similarity_of_record",
    "t_similarity_to_usual",
    "t_distance_to_usual",
)

_CUT = (-0.32, 0.48)  # s around the R peak
_SHAPE_STEP = 8  # samples: 32 ms
RECORD_SHAPE_NAMES: tuple[str, ...] = tuple(
    f"shape_{i:02}" for i in range(round((_CUT[1] - _CUT[0]) * _RATE) // _SHAPE_STEP)
)

_part = partial(_morphology._part, first=_CUT[0])
_QRS, _P, _T = (-0.1, 0.12), (-0.26, -0.07), (0.14, 0.44)
_P_SHIFT = 6  # samples by which a P wave may come earlier or later
_BAND = (0.5, 40.0)  # Hz, without baseline wander and mains
_BLOCK, _MARGIN = 600.0, 8.0  # s of signal filtered at a time, and beside it

_ALIKE = 0.5  # distance of two beats of a cluster, relative to the larger
_MOST_CLUSTERED = 1500  # beats that the clusters are found with
_MOST_CLUSTERS = 16
_LAST_CLUSTER = 10.0  # rarer clusters share this number
_COMMON = 0.2  # size of a cluster that may be the reference, relative to the largest
_AMPLITUDE_LIMIT = 10.0
_WIDE = 0.25  # of the largest deviation, where the width is measured


def record_rr_features(time):
    """Compare the RR intervals of each beat with all intervals of its record.

    Parameters
    ----------
    time : ndarray of shape (n_beats,)
        Ascending times of the beats of one record, in s.

    Returns
    -------
    ndarray of shape (n_beats, 18), float32
        Finite values in the order of ``FEATURE_GROUPS["record_rr"]``. Ratios are
        natural logarithms, clipped to -3 and 3; ranks are from 0 to 1. "Quantile_75" is
        that of the record in %; "median_17" that of the 17 intervals around a beat;
        "slow_25" and "slow_121" are quantiles of 85 and 90 % of so many intervals: an
        estimate of the sinus rhythm where premature beats are frequent. Not causal:
        they need the whole record.
    """
    time = np.asarray(time, dtype=np.float64)
    n_beats = len(time)
    if n_beats == 0:
        return np.empty((0, len(RECORD_RR_NAMES)), dtype=np.float32)
    interval = np.log(np.clip(np.diff(time), *_RR_RANGE)) if n_beats > 1 else [0.0]
    interval = np.asarray(interval)
    before = np.clip(np.arange(n_beats) - 1, 0, None)  # interval that ends at a beat
    after = np.minimum(np.arange(n_beats), len(interval) - 1)
    previous, following = interval[before], interval[after]

    around = np.clip(before[:, None] + np.arange(-9, 11), 0, len(interval) - 1)
    around = interval[around]
    nearest = around[:, 5:15]
    quantiles = np.quantile(interval, np.divide(_QUANTILES, 100))
    median_51, median_17 = (_centred(interval, n)[before] for n in (51, 17))
    slow_25, slow_121 = (
        percentile_filter(interval, q, n, mode="reflect")[before]
        for q, n in ((85, 25), (90, 121))
    )
    ratios = [
        *(previous - q for q in quantiles),
        following - quantiles[2],
        previous - median_51,
        following - median_51,
        previous - median_17,
        following - median_17,
        previous - slow_25,
        previous - slow_121,
        previous - nearest.max(axis=1),
        previous - nearest.min(axis=1),
    ]
    change = np.abs(np.diff(interval, prepend=interval[:1]))
    columns = [
        *np.clip(ratios, -_LIMIT, _LIMIT),
        np.searchsorted(np.sort(interval), previous) / len(interval),
        np.mean(around < previous[:, None] - 0.03, axis=1),  # by 3 % at least
        _centred(change, 31)[before],
    ]
    return np.column_stack(columns).astype(np.float32)


def record_waves_features(signal, sample, sampling_rate):
    """Compare the waves of each beat with the beats of all of its record.

    The beats of a record are clustered by their QRS complexes, without labels: beats
    are alike if the Euclidean distance is at most half the norm of the larger. The
    "common" beat is the median of the largest cluster. The "reference" is the common
    cluster (a fifth of the largest at least) whose beats are narrow and not premature:
    where premature beats dominate, the largest cluster is theirs. Its "usual" beats
    are not premature, and its "slow" ones end the longer half of its intervals: a beat
    after a long interval cannot be premature, so that their P wave is that of the
    sinus rhythm.

    Parameters
    ----------
    signal : ndarray of shape (n_samples,)
        One channel, in any unit. Non-finite samples are interpolated.
    sample : ndarray of shape (n_beats,)
        Ascending positions of the R peaks, in samples.
    sampling_rate : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_beats, 52), float32
        Finite values in the order of ``FEATURE_GROUPS["record_morphology"]``, then of
        ``FEATURE_GROUPS["record_shape"]``. Similarities are correlations; distances,
        sizes and widths are natural logarithms of ratios, clipped to -3 and 3;
        "cluster" is its rank by size, from 0. Amplitudes and the shape, which is the
        difference to the usual beat every 32 ms from -0.32 s, are in units of the root
        mean square of the reference QRS. Not causal: they need the whole record.
    """
    sample = np.asarray(sample, dtype=np.float64)
    if len(sample) == 0:
        n_columns = len(RECORD_MORPHOLOGY_NAMES) + len(RECORD_SHAPE_NAMES)
        return np.empty((0, n_columns), dtype=np.float32)
    beats = _cut_filtered(np.asarray(signal), sample, sampling_rate)
    rr = record_rr_features(sample / sampling_rate)
    previous = rr[:, RECORD_RR_NAMES.index("rr_previous_to_quantile_50")]
    prematurity = rr[:, RECORD_RR_NAMES.index("rr_previous_to_median_51")]
    following = rr[:, RECORD_RR_NAMES.index("rr_next_to_median_51")]

    qrs = _part(beats, _QRS)
    cluster, centres = _find_clusters(qrs)
    n_of = np.bincount(cluster, minlength=len(centres))
    median_of = _medians(cluster, len(centres))
    early, late, width = median_of(prematurity), median_of(following), _width(centres)
    cost = np.where(n_of >= _COMMON * n_of[0], width - 0.7 * np.minimum(early, 0), 9.0)
    reference = int(cost.argmin())
    scale = np.sqrt(np.mean(centres[reference] ** 2)) + 1e-12

    in_reference = cluster == reference
    is_slow = in_reference & (previous >= np.median(previous[in_reference]))
    is_usual = in_reference & (prematurity > -0.05)
    slow, usual = (
        np.median(beats[mask if mask.sum() >= 5 else in_reference], axis=0)[None]
        for mask in (is_slow, is_usual)
    )
    p, t = _part(beats, _P), _part(beats, _T)
    p_slow, t_usual = _part(slow, _P), _part(usual, _T)
    p_similarity = _shifted_similarity(beats, _part(usual, _P)[0])
    common = centres[:1]
    same = np.append(cluster[1:] == cluster[:-1], False)
    columns = [
        np.minimum(cluster, _LAST_CLUSTER),
        (n_of / len(beats))[cluster],
        early[cluster],
        late[cluster],
        width[cluster],
        median_of(p_similarity)[cluster],
        _correlation(centres, common)[cluster],
        _log_ratio(_size(centres), _size(common))[cluster],
        np.roll(same, 1),
        same,
        in_reference,
        *_compared(qrs, common),
        *_compared(qrs, centres[reference : reference + 1]),
        np.clip(qrs.max(axis=1) / scale, -_AMPLITUDE_LIMIT, _AMPLITUDE_LIMIT),
        np.clip(qrs.min(axis=1) / scale, -_AMPLITUDE_LIMIT, _AMPLITUDE_LIMIT),
        _shifted_similarity(beats, p_slow[0]),
        _log_ratio(_size(p - p_slow), _size(p_slow)),
        p_similarity,
        np.full(len(beats), np.median(p_similarity[in_reference])),
        _correlation(t, t_usual),
        _log_ratio(_size(t - t_usual), _size(t_usual)),
    ]
    shape = (beats - usual)[:, ::_SHAPE_STEP] / scale
    shape = np.clip(shape, -_AMPLITUDE_LIMIT, _AMPLITUDE_LIMIT)
    return np.column_stack([*columns, shape]).astype(np.float32)


def _centred(values, length):
    """Median of the values around each value."""
    return median_filter(values, length, mode="reflect")


def _cut_filtered(signal, sample, rate):
    """Cut a window around each beat from the filtered signal, block by block."""
    offset = np.arange(round(_CUT[0] * _RATE), round(_CUT[1] * _RATE)) / _RATE * rate
    band = [_BAND[0], min(_BAND[1], 0.45 * rate)]
    sos = scipy.signal.butter(2, band, "bandpass", fs=rate, output="sos")
    block, margin = round(_BLOCK * rate), round(_MARGIN * rate)
    found = np.empty((len(sample), len(offset)), dtype=np.float32)
    for start in range(0, max(len(signal), 1), block):
        rows = np.flatnonzero((sample >= start) & (sample < start + block))
        if start + block >= len(signal):  # the last beat may lie at the very end
            rows = np.flatnonzero(sample >= start)
        if len(rows) == 0:
            continue
        first = max(start - margin, 0)
        part = _without_gaps(signal[first : start + block + margin])
        if len(part) > 1:
            pad = min(3 * (2 * len(sos) + 1), len(part) - 1)
            part = scipy.signal.sosfiltfilt(sos, part, padlen=pad)
        place = np.clip(sample[rows, None] - first + offset, 0, len(part) - 1)
        left = np.minimum(place.astype(np.intp), max(len(part) - 2, 0))
        right = np.minimum(left + 1, len(part) - 1)
        found[rows] = part[left] + (part[right] - part[left]) * (place - left)
    return found


def _without_gaps(signal):
    """Interpolate non-finite samples."""
    signal = np.asarray(signal, dtype=np.float64)
    known = np.isfinite(signal)
    if known.all():
        return signal
    place = np.arange(len(signal))
    if not known.any():
        return np.zeros(len(signal))
    return np.interp(place, place[known], signal[known])


def _find_clusters(qrs):
    """Cluster QRS complexes: cluster of each, and the median beat of each cluster.

    The centre of a cluster is the beat with most beats alike among those that are in
    no cluster yet. Clusters are sorted by size.
    """
    qrs = (qrs - qrs.mean(axis=1, keepdims=True)).astype(np.float64)
    n_some = min(len(qrs), _MOST_CLUSTERED)
    some = qrs[np.linspace(0, len(qrs) - 1, n_some).astype(np.intp)]
    norm = np.einsum("ij,ij->i", some, some)
    distance = norm[:, None] + norm - 2 * some @ some.T
    alike = distance <= _ALIKE**2 * np.maximum(norm[:, None], norm)
    np.fill_diagonal(alike, True)
    left = np.ones(n_some, dtype=bool)
    centres = []
    while left.any() and len(centres) < _MOST_CLUSTERS:
        n_alike = np.where(left, alike[:, left].sum(axis=1), -1)
        members = alike[n_alike.argmax()] & left
        centres.append(np.median(some[members], axis=0))
        left &= ~members
    centres = np.stack(centres)
    norms = np.einsum("ij,ij->i", qrs, qrs)[:, None]
    of_centres = np.einsum("ij,ij->i", centres, centres)
    distance = np.maximum(norms + of_centres - 2 * qrs @ centres.T, 0)
    nearest = (distance / (np.maximum(norms, of_centres) + 1e-12)).argmin(axis=1)
    order = np.argsort(-np.bincount(nearest, minlength=len(centres)), kind="stable")
    return np.argsort(order)[nearest], centres[order]


def _medians(cluster, n_clusters):
    """Return a function of a column: its median in each cluster, 0 in an empty one."""
    members = [np.flatnonzero(cluster == k) for k in range(n_clusters)]
    return lambda values: np.array(
        [np.median(values[rows]) if len(rows) else 0.0 for rows in members]
    )


def _width(rows):
    """Share of samples that deviate by a quarter of the largest deviation or more."""
    deviation = np.abs(rows - np.median(rows, axis=1, keepdims=True))
    return np.mean(deviation > _WIDE * deviation.max(axis=1, keepdims=True), axis=1)


def _compared(qrs, other):
    """Similarity, distance, size and width relative to another QRS."""
    return (
        _correlation(qrs, other),
        _log_ratio(_size(qrs - other), _size(other)),
        _log_ratio(_size(qrs), _size(other)),
        _log_ratio(_width(qrs), _width(other)),
    )


def _shifted_similarity(beats, p):
    """Largest correlation of the P wave of each beat with another, over shifts."""
    first = round((_P[0] - _CUT[0]) * _RATE)
    shifts = range(first - _P_SHIFT, first + _P_SHIFT + 1, 2)
    found = [_correlation(beats[:, s : s + len(p)], p[None]) for s in shifts]
    return np.max(found, axis=0)
