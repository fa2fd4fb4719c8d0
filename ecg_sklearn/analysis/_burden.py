"""Interval of a burden that counts the errors of the model, from held-out records."""

import numpy as np

LEVEL = 0.95
FEWEST_RECORDS = 10
_Z = 1.959964
_WIDTH = 1.0  # of the kernel: records of a burden up to e times as large are like this
_SMALL = 1e-3  # burden below which the kernel makes little difference
_FLOOR = 0.01  # least size of the differences of square roots


def burden_intervals(model, names, letters):
    """Interval in % of the burden of each class of V and S; (NaN, NaN) if unknown.

    ``model.record_counts_`` has the true and the predicted number of beats of each
    class of records that the model was not fitted to, (n_records, n_classes, 2).
    """
    counts = getattr(model, "record_counts_", None)
    found = dict.fromkeys("VS", (np.nan, np.nan))
    if counts is None:
        return found
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.shape[1:] != (len(names), 2) or (counts < 0).any():
        raise ValueError(
            f"record_counts_ of the model has shape {counts.shape}. It should hold the "
            "true and the predicted number of beats of each held-out record and class: "
            f"(n_records, {len(names)}, 2)."
        )
    total = counts[:, :, 0].sum(axis=1)
    counts, total = counts[total > 0], total[total > 0]
    n_beats = len(letters)
    if n_beats == 0 or len(total) < FEWEST_RECORDS:
        return found
    for letter in set(names) & set(found):
        true, predicted = counts[:, names.index(letter)].T / total
        share = np.count_nonzero(letters == letter) / n_beats
        low, high = burden_interval(share, n_beats, true, predicted)
        found[letter] = 100 * low, 100 * high
    return found


def burden_interval(share, n_beats, true, predicted):
    """Interval of the true share of a class, where ``share`` was predicted.

    ``true`` and ``predicted`` are the shares of held-out records. The error of a record
    is the difference of the square roots of both. Errors upwards and downwards are
    divided by their usual size among records of a comparable predicted share; the 97.5
    % quantiles of what results, as in a normalised conformal prediction [1]_, bound the
    error here. The errors of ``n_beats`` beats add a binomial part.

    References
    ----------
    .. [1] J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani, L. Wasserman,
       "Distribution-free predictive inference for regression", Journal of the American
       Statistical Association 113(523), 2018.
    """
    errors = np.sqrt(true) - np.sqrt(predicted)
    place = np.log(predicted + _SMALL)
    apart = place[:, None] - np.append(place, np.log(share + _SMALL))
    weight = np.exp(-0.5 * (apart / _WIDTH) ** 2)
    np.fill_diagonal(weight, 0)  # a record says nothing about itself
    weight /= weight.sum(axis=0) + np.finfo(float).tiny
    middle = np.sqrt(share)
    low, high = (
        np.clip(middle + sign * _largest(sign * errors, weight), 0, 1) ** 2
        for sign in (-1, 1)
    )
    low, high = min(low, share), max(high, share)
    low = share - np.hypot(share - low, _Z * np.sqrt(low * (1 - low) / n_beats))
    high = share + np.hypot(high - share, _Z * np.sqrt(high * (1 - high) / n_beats))
    # What n beats without a single one allow, after Clopper and Pearson.
    least = 1 - ((1 - LEVEL) / 2) ** (1 / n_beats)
    return max(low, 0.0), min(max(high, least), 1.0)


def _largest(errors, weight):
    """Largest error to one side that is to be expected.

    The last column of ``weight`` belongs to the new record, the others to the known
    ones. The mean of square roots gives a size that single large errors hardly change.
    """
    errors = np.maximum(errors, 0)
    size = (np.sqrt(errors) @ weight) ** 2 + _FLOOR
    ratio = np.sort(errors / size[:-1])
    outer = max(int((1 - LEVEL) / 2 * (len(ratio) + 1)), 1)
    return ratio[-outer] * size[-1]
