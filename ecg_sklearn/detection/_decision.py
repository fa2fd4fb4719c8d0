"""Which candidates are beats: two small networks, the second knows what the first said.

The weights were fitted to the records of DS1 by ``benchmarks/fit_detector.py``.
"""

from functools import cache
from importlib import resources

import numpy as np

from ecg_sklearn.detection._signal import RATE

N_PAST = 24  # candidates that a candidate is compared with
FUTURE_FIRST = round(0.36 * RATE)  # samples of the future that each network sees
FUTURE_SECOND = round(0.268 * RATE)
REFRACTORY = round(0.16 * RATE)
_LONGEST = 2.0  # s; longer intervals count as this
_LIKELY = 0.5
_SMALL = 0.7  # logarithm of 2: a P wave, or a T wave, beside a QRS complex
THRESHOLD = 0.3  # of the second network
_MEMORY = 12.0  # s of accepted candidates
_FEWEST_ACCEPTED = 3
_USUAL = 0.8  # s, the interval while fewer are known
_UNKNOWN = -8.0  # logit where there is no candidate
# Edges in s of the windows in which the largest other candidate is looked for.
_AROUND_FIRST = (
    *((-0.2, 0.0), (-0.4, -0.2), (-0.7, -0.4)),
    *((0.0, 0.1), (0.1, 0.2), (0.2, 0.28), (0.28, 0.36)),
)
_AROUND_SECOND = (
    *((-0.16, 0.0), (-0.24, -0.16), (-0.32, -0.24), (-0.42, -0.32), (-0.6, -0.42)),
    *((0.0, 0.08), (0.08, 0.16), (0.16, 0.22), (0.22, 0.268)),
)
_MOST_NEAR = 8  # candidates looked at in a window


@cache
def networks():
    """Read the weights of both networks: pairs of arrays, input layer first."""
    path = resources.files(__package__).joinpath("data/detector.npz")
    with path.open("rb") as file, np.load(file) as arrays:
        return tuple(
            tuple(arrays[f"{name}{number}"].astype(np.float64) for name in "wbvc")
            for number in (1, 2)
        )


def probability(network, features):
    """Compute the output of a network with one hidden layer, row by row.

    The sums run in one order for any number of rows, so that a stream gives the same
    as a whole record.
    """
    weights, bias, last, constant = network
    hidden = np.maximum(_add_up(bias, features[:, :, None] * weights), 0.0)
    logit = _add_up(constant, hidden * last)
    return 1 / (1 + np.exp(-np.minimum(np.maximum(logit, -30.0), 30.0)))


def _add_up(start, terms):
    """Sum over the second axis, from its beginning to its end."""
    terms[:, 0] += start
    return np.add.accumulate(terms, axis=1, out=terms)[:, -1]


def first_features(found, start, stop):
    """Features of the candidates from ``start`` to ``stop``; all columns are finite.

    They compare slopes with local means, with the candidates before, and with those
    within 0.36 s behind; and the shape with those before.
    """
    rows = np.arange(start, stop)
    both = (found.fast + found.slow) / 2
    time = found.place / RATE
    edge = found.sharp - found.fast
    columns = [
        found.fast[rows] - found.fast_mean[rows],
        found.slow[rows] - found.slow_mean[rows],
        edge[rows],
        found.slow[rows] - found.fast[rows],
    ]
    for values in (found.fast, found.slow, found.sharp):
        own = values[rows]
        past = _past(values, start, stop)
        ranked = np.sort(np.where(np.isfinite(past), past, own[:, None]), axis=1)
        picks = (N_PAST // 2, int(0.85 * N_PAST), N_PAST - 2)
        columns += [own - ranked[:, pick] for pick in picks]
    for step in (1, 2, 3):
        other = np.maximum(rows - step, 0)
        interval = np.where(rows >= step, time[rows] - time[other], _LONGEST)
        near = interval < _LONGEST
        columns += [
            np.minimum(interval, _LONGEST),
            np.where(near, both[rows] - both[other], 0.0),
            np.where(near, found.sharp[rows] - found.sharp[other], 0.0),
        ]
    for largest in _largest_in(found.place, both, rows, _AROUND_FIRST, -np.inf):
        columns.append(np.minimum(np.maximum(both[rows] - largest, -4.0), 4.0))
    columns += _similarity(found, both, rows, start, stop)
    past_time = _past(time, start, stop)
    strong = _past(both, start, stop) > both[rows, None] - 1.0
    since = np.where(strong, time[rows, None] - past_time, 9.0).min(axis=1)
    columns.append(np.minimum(since, 3.0))
    return np.column_stack(columns)


def second_features(found, first, start, stop):
    """Features that use the probabilities ``first`` of the candidates around."""
    rows = np.arange(start, stop)
    time = found.place / RATE
    both = (found.fast + found.slow) / 2
    own = first[rows]
    logit = np.log(first + 1e-4) - np.log(1 + 1e-4 - first)
    ago = time[rows, None] - _past(time, start, stop)
    accepted = (_past(first, start, stop, 0.0) > _LIKELY) & (ago < _MEMORY)
    since = np.sort(np.where(accepted, ago, 9.0), axis=1)
    count = np.count_nonzero(accepted, axis=1)
    strength = np.where(accepted, _past(both, start, stop, 0.0), 0.0).sum(axis=1)
    relative = np.where(count > 0, both[rows] - strength / np.maximum(count, 1), 0.0)
    span = np.where(accepted, ago, 0.0).max(axis=1) - since[:, 0]
    usual = np.where(count >= _FEWEST_ACCEPTED, span / np.maximum(count - 1, 1), _USUAL)
    usual = np.maximum(usual, 0.1)
    columns = [own, logit[rows], since[:, 0], since[:, 1], relative, usual]
    columns += [np.minimum(since[:, k] / usual, 4.0) for k in (0, 1)]
    columns += [*_largest_in(found.place, logit, rows, _AROUND_SECOND, _UNKNOWN)]
    return np.column_stack([*columns, first_features(found, start, stop)])


def is_large_enough(found, start, stop):
    """Mask of candidates that are no small waves of the first second.

    Nothing comes before them to compare with, so they are compared with what follows.
    """
    rows = np.arange(start, stop)
    both = (found.fast + found.slow) / 2
    edges = (0.0, (FUTURE_FIRST + FUTURE_SECOND) / RATE)
    [largest] = _largest_in(found.place, both, rows, [edges], -np.inf)
    return (found.place[rows] >= RATE) | (both[rows] > largest - _SMALL)


def keep_best(place, first, second):
    """Mask of the candidates that are beats: likely, and the best within 160 ms.

    ``second`` may be shorter than the others: the last ones are not decided.
    """
    n = len(second)
    keep = second > THRESHOLD
    likely = first > _LIKELY
    for step in range(1, _MOST_NEAR):
        near = place[step:] - place[:-step] < REFRACTORY
        if not near.any():
            break
        later_wins = first[step:] > first[:-step]
        loses = near & later_wins & likely[step:]
        keep[: len(loses)] &= ~loses[:n]
        loses = near & ~later_wins & likely[:-step]
        keep[step:] &= ~loses[: max(0, n - step)]
    return keep


def _past(values, start, stop, fill=-np.inf):
    """Return the values of the candidates before each one, nearest last."""
    padded = np.concatenate([np.full(N_PAST, fill), values[:stop]])
    return padded[np.arange(start, stop)[:, None] + np.arange(N_PAST)]


def _largest_in(place, values, rows, windows, fill):
    """Find the largest value of other candidates in each window around each one.

    Returns an array of shape (n_windows, n_rows).
    """
    low, high = np.array([[round(edge * RATE) for edge in w] for w in windows]).T
    first = np.searchsorted(place, place[rows] + low[:, None])
    after = np.searchsorted(place, place[rows] + high[:, None], side="right")
    other = first[..., None] + np.arange(_MOST_NEAR)
    inside = (other < after[..., None]) & (other != rows[:, None])
    value = values[np.minimum(other, len(values) - 1)]
    return np.where(inside, value, fill).max(axis=2, initial=fill)


def _similarity(found, both, rows, start, stop):
    """Compare the shape of each candidate with those of the candidates before it."""
    strength = _past(both, start, stop)[:, ::-1]
    known = np.isfinite(strength)
    others = np.maximum(rows[:, None] - np.arange(1, N_PAST + 1), 0)
    alike = (found.shape[rows, None] * found.shape[others]).sum(axis=2)
    top = np.where(known, strength, -np.inf).max(axis=1, initial=-1e300)
    relative = np.where(known, strength, -1e300) - top[:, None]
    weight = np.exp(2 * np.minimum(np.maximum(relative, -6.0), 0.0))
    weight = np.where(known, weight, 0.0)
    total = weight.sum(axis=1) + 1e-9
    alike = np.where(known, alike, 0.0)
    return [
        (alike * weight).sum(axis=1) / total,
        alike.max(axis=1),
        ((alike > 0.8) * weight).sum(axis=1) / total,
    ]
