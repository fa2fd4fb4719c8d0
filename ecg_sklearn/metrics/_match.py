"""Which detected beat is which true beat: :func:`match_beats`."""

from bisect import bisect_left
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.metrics._counts import ratio
from ecg_sklearn.utils._validation import flat_array

NEVER = 2**62  # later than any sample
MATCH_CONSTRAINTS = {
    "sampling_rate": [Interval(Real, 0, None, closed="neither")],
    "window": [Interval(Real, 0, None, closed="left")],
    "skip_first": [Interval(Real, 0, None, closed="left")],
    "stop": [Interval(Real, 0, None, closed="neither"), None],
}


@dataclass(frozen=True, eq=False)
class Matches:
    """Result of :func:`match_beats`: pairs, missed and extra beats in order of time.

    Parameters
    ----------
    true : ndarray of int of shape (n,)
        Index of each true beat; -1 for an extra beat, which has no true one.
    pred : ndarray of int of shape (n,)
        Index of the detected beat that belongs to it; -1 for a missed beat.

    Examples
    --------
    >>> from ecg_sklearn.metrics import match_beats
    >>> found = match_beats([100, 400, 700], [105, 720, 900], sampling_rate=360)
    >>> found.true.tolist(), found.pred.tolist()
    ([0, 1, 2, -1], [0, -1, 1, 2])
    >>> found.n_matched, found.n_missed, found.n_extra
    (2, 1, 1)
    """

    true: np.ndarray
    pred: np.ndarray

    @property
    def n_matched(self):
        """Number of beats that were found."""
        return len(self.true) - self.n_missed - self.n_extra

    @property
    def n_missed(self):
        """Number of true beats that were not found."""
        return int(np.sum(self.pred < 0))

    @property
    def n_extra(self):
        """Number of detected beats that are none, or are detected twice."""
        return int(np.sum(self.true < 0))

    @property
    def sensitivity(self):
        """Fraction of the true beats that were found; nan without true beats."""
        return ratio(self.n_matched, self.n_matched + self.n_missed).item()

    @property
    def positive_predictivity(self):
        """Fraction of the detected beats that are true; nan without any."""
        return ratio(self.n_matched, self.n_matched + self.n_extra).item()


@validate_params(
    {"sample_true": ["array-like"], "sample_pred": ["array-like"]} | MATCH_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def match_beats(
    sample_true, sample_pred, sampling_rate, *, window=0.15, skip_first=0.0, stop=None
):
    """Pair detected beats with true beats, as ``bxb`` of the WFDB software does.

    A true and a detected beat are a pair if they are at most ``window`` apart and
    neither has a better partner next to it. Each beat is in one pair at most: of two
    detections of one beat the nearer one is the pair, and the other one is extra.

    Parameters
    ----------
    sample_true : array-like of int of shape (n_true,)
        Positions of the true beats, in samples.
    sample_pred : array-like of int of shape (n_pred,)
        Positions of the detected beats, in samples.
    sampling_rate : float
        Samples per second.
    window : float, default=0.15
        Largest distance of a pair, in s, as EC57 has it. It is rounded to samples.
    skip_first : float, default=0.0
        Learning period in s, whose beats are left out. EC57 has 300.0. A detected beat
        just before its end may still be the pair of the first true beat after it.
    stop : float, default=None
        Time in s after which beats are left out; None goes on to the last beat.

    Returns
    -------
    Matches
        Indices of pairs, missed and extra beats.

    Raises
    ------
    ValueError
        If a position is no whole number, or is negative.

    See Also
    --------
    ec57_report : The table of EC57 with missed and extra beats.

    Notes
    -----
    The beats are gone through in order of time. The earliest one that is left is paired
    with the first one left of the other side, if that is in the window, unless the next
    beat of its own side is at least as near to it and is not itself nearer to the next
    beat of the other side. This is the rule of ``bxb`` since 2002 [1]_.

    References
    ----------
    .. [1] G. B. Moody, ``bxb.c`` of the WFDB software package, PhysioNet.

    Examples
    --------
    >>> from ecg_sklearn.metrics import match_beats
    >>> found = match_beats([100, 400, 700], [105, 390, 410, 712], sampling_rate=360)
    >>> found.sensitivity, found.positive_predictivity
    (1.0, 0.75)
    """
    true = check_samples(sample_true, "sample_true")
    pred = check_samples(sample_pred, "sample_pred")
    order = [np.argsort(samples, kind="stable") for samples in (true, pred)]
    pairs = pair_samples(
        true[order[0]],
        pred[order[1]],
        to_samples(window, sampling_rate),
        to_samples(skip_first, sampling_rate),
        NEVER - 1 if stop is None else to_samples(stop, sampling_rate),
    )
    return Matches(
        *(
            np.append(places, -1)[side]
            for places, side in zip(order, pairs, strict=True)
        )
    )


def check_samples(values, name):
    """Check positions in samples."""
    samples = flat_array(values, name)
    if samples.dtype.kind not in "iuf" or (samples % 1 != 0).any():
        raise ValueError(
            f"{name} holds values that are no whole numbers. Give positions in samples."
        )
    samples = samples.astype(np.int64)
    if (samples < 0).any():
        raise ValueError(f"{name} holds the position {samples.min()}: give 0 or more.")
    return samples


def to_samples(seconds, sampling_rate):
    """Round a time to samples, halves up."""
    return int(seconds * sampling_rate + 0.5)


def pair_samples(true, pred, window, start, stop):
    """Pair ascending positions; return the index on both sides, -1 for no beat."""
    true, pred = ([*side.tolist(), NEVER, NEVER] for side in (true, pred))
    i, j = bisect_left(true, start), bisect_left(pred, start)
    pairs = []
    if start > 0:
        first = true[i]
        before = first - pred[j - 1] if j else NEVER
        if before <= window and before < abs(first - pred[j]):
            pairs.append((i, j - 1))
            i += 1
        elif pred[j] - start <= window and abs(first - pred[j + 1]) < abs(
            first - pred[j]
        ):
            j += 1  # its true beat may be in the learning period
    while true[i] <= stop or pred[j] <= stop:
        gap = abs(true[i] - pred[j])
        true_is_first = true[i] <= pred[j]
        near = False
        if gap <= window:
            rival, partner, after = (
                (true[i + 1], pred[j], pred[j + 1])
                if true_is_first
                else (pred[j + 1], true[i], true[i + 1])
            )
            rival_gap = abs(partner - rival)
            near = gap < rival_gap or abs(after - rival) < rival_gap
        if near or true_is_first:
            pairs.append((i, j if near else -1))
            i, j = i + 1, j + near
        else:
            pairs.append((-1, j))
            j += 1
    return np.array(pairs, dtype=np.intp).reshape(-1, 2).T
