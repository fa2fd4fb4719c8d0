"""The Bunch that all loaders return, RR intervals, and the rows of the Kaggle form."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.features._groups import feature_names

KAGGLE_N_TIMES = 187
KAGGLE_SIGNAL_RATE = 360.0
KAGGLE_DECIMATION = 3
KAGGLE_SAMPLING_RATE = KAGGLE_SIGNAL_RATE / KAGGLE_DECIMATION


class Columns(NamedTuple):
    """What is known of each beat: the fields of a Bunch that have one row a beat."""

    data: np.ndarray
    target: np.ndarray
    groups: np.ndarray
    symbols: np.ndarray
    rr: np.ndarray
    time: np.ndarray
    rhythms: np.ndarray

    @classmethod
    def join(cls, parts):
        """Put the beats of several records behind each other."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def make_bunch(
    data,
    target,
    *,
    sampling_rate,
    descr,
    form="kaggle",
    window=None,
    channel=None,
    features=(),
    groups=None,
    symbols=None,
    rr=None,
    time=None,
    rhythms=None,
    return_X_y=False,
):
    """Pack beats the way every loader returns them."""
    import pandas as pd

    names = feature_names(features)
    n_times = data.shape[1] - len(names)
    names = [*(f"t{i:03d}" for i in range(n_times)), *names]
    cut = {
        "form": form,
        "window": None if window is None else [float(edge) for edge in window],
        "sampling_rate": float(sampling_rate),
        "channel": list(channel) if isinstance(channel, tuple) else channel,
        "unit": "min-max" if form == "kaggle" else "mV",
        "features": list(features),
    }
    frame = pd.DataFrame(data, columns=names, copy=False)
    frame.attrs["cut"] = cut
    # An array would lose the names of its columns.
    data = frame if features else data
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        frame=frame,
        feature_names=names,
        target=target,
        target_names=list(CLASS_NAMES),
        groups=groups,
        symbols=symbols,
        rr=rr,
        time=time,
        rhythms=rhythms,
        sampling_rate=float(sampling_rate),
        cut=cut,
        DESCR=descr + _describe_features(features),
    )


def _describe_features(features):
    """Say what the columns behind the samples are."""
    if not features:
        return ""
    return (
        "\nBehind the samples, data holds the features of each beat, named by "
        f"ecg_sklearn.features.FEATURE_GROUPS: {', '.join(features)}."
    )


def rr_intervals(sample, sampling_rate, *, n_local=10):
    """Compute four RR features for each beat of one record, (n_beats, 4), in s.

    Previous interval, next interval, mean of the last ``n_local``, mean of the record.
    Where a beat has no previous or next interval, the mean of the record stands in for
    it. A record of a single beat has NaN.
    """
    sample = np.asarray(sample, dtype=np.float64)
    n_beats = len(sample)
    if n_beats < 2:
        return np.full((n_beats, 4), np.nan, dtype=np.float32)
    interval = np.diff(sample) / sampling_rate
    mean = interval.mean()
    previous = np.concatenate([[mean], interval])
    following = np.concatenate([interval, [mean]])
    total = np.concatenate([[0.0], np.cumsum(previous)])
    stop = np.arange(1, n_beats + 1)
    start = np.maximum(stop - n_local, 0)
    local = (total[stop] - total[start]) / (stop - start)
    return np.stack(
        [previous, following, local, np.full(n_beats, mean)], axis=1
    ).astype(np.float32)


def kaggle_spans(sample, n_samples):
    """Find what of a 360 Hz signal each annotation but the last gives a row of."""
    edges = np.append(sample, n_samples)
    stop = edges[1:-1] + (0.2 * np.diff(edges)[1:]).astype(int)
    return edges[:-2], stop


def cut_kaggle_beats(signal, sample, rows):
    """Cut beats as the Kaggle "heartbeat" files hold them.

    A row starts at a beat's annotation, runs to the next annotation of any kind
    plus 20 % of the interval after that one, keeps every third sample of the
    360 Hz signal (120 Hz), is min-max scaled, then cut or zero-padded to 187
    samples. The recipe was recovered by matching rows with the records; it
    reproduces the published float32 values exactly.
    """
    beats = np.zeros((len(rows), KAGGLE_N_TIMES), dtype=np.float32)
    spans = np.stack(kaggle_spans(sample, len(signal)), axis=1)[rows]
    for row, (start, stop) in zip(beats, spans, strict=True):
        segment = signal[start:stop:KAGGLE_DECIMATION].astype(np.float32)
        low, high = segment.min(), segment.max()
        if high > low:
            n = min(KAGGLE_N_TIMES, len(segment))
            row[:n] = (segment[:n] - low) / (high - low)
    return beats
