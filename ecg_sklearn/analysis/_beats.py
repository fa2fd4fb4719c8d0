"""Beats of a recording that nobody has annotated: found, classified, in a table."""

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import cut_beats
from ecg_sklearn.datasets._cut import cut_like
from ecg_sklearn.detection import detect_beats, signal_quality
from ecg_sklearn.io import Recording, read_recording
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._labels import choose_labels

RISK = 0.02  # share of the beats of a record that may be sure and wrong
_AROUND = 5.0  # s before and after a beat whose quality is told


class FoundBeats(NamedTuple):
    """Beats of a recording: columns for a model, their positions, and what was read.

    ``left_out`` has the positions of the beats that could not be cut.
    """

    recording: Recording
    data: pd.DataFrame | np.ndarray
    position: np.ndarray
    stretches: pd.DataFrame
    left_out: np.ndarray

    @property
    def time(self):
        """Time of each beat in s."""
        return self.position / self.recording.sampling_rate

    @property
    def unreadable(self):
        """Duration of the stretches that cannot be read, in s."""
        return float((self.stretches["end"] - self.stretches["start"]).sum())

    @property
    def groups(self):
        """Record of each beat, which is the same."""
        return np.full(len(self.position), self.recording.name)

    def get(self, name):
        """Get a field, as of a Bunch."""
        return getattr(self, name, None)


def find_beats(source, cut, *, lead=None, rate=None, unit=None, named=False):
    """Read a recording, detect its beats outside of unreadable stretches, cut them.

    ``named`` says that the model knows the names of its columns.
    """
    recording = as_recording(source, lead=lead, rate=rate, unit=unit)
    signal, rate = recording.signal[:, 0], recording.sampling_rate
    stretches = signal_quality(signal, rate)
    position = detect_beats(signal, rate)
    position = position[~is_within(position / rate, stretches)]
    frame = _cut_all(signal, rate, position, cut)
    # As the loaders: an array, unless there are features.
    data = frame if named or cut.get("features") else frame.to_numpy()
    kept = frame.index.to_numpy(dtype=np.intp)
    left_out = np.delete(position, kept)
    return FoundBeats(recording, data, position[kept], stretches, left_out)


def as_recording(source, *, lead=None, rate=None, unit=None):
    """Read a recording, or take one that is read; the lead to analyse is its first."""
    if not isinstance(source, Recording):
        return read_recording(source, sampling_rate=rate, channel=lead, unit=unit)
    for name, value in {"sampling_rate": rate, "unit": unit}.items():
        if value is not None:
            raise ValueError(
                f"{name}={value!r} is for files and arrays, and a Recording knows it. "
                f"Leave {name} out."
            )
    if lead is None:
        return source
    places = [lead]
    if isinstance(lead, str):
        names = [name.casefold() for name in source.leads]
        places = [k for k, name in enumerate(names) if name == lead.casefold()]
    if not places or not 0 <= places[0] < source.n_leads:
        raise ValueError(
            f"lead={lead!r} is not in the recording. It has {', '.join(source.leads)}."
        )
    place = places[0]
    return replace(
        source,
        signal=source.signal[:, [place]],
        leads=(source.leads[place],),
        units=(source.units[place],),
    )


def is_within(time, stretches):
    """Mask of the times that lie in an unreadable stretch."""
    start, end = (stretches[name].to_numpy() for name in ("start", "end"))
    before = np.searchsorted(start, time, side="right") - 1
    return (before >= 0) & (time < np.append(end, -np.inf)[before])


def _cut_all(signal, rate, position, cut):
    """Cut beats; the signal is held at its ends, so that the outer beats fit too."""
    if cut["form"] == "kaggle":
        return cut_beats(signal, rate, position, like=cut)
    n = int(np.ceil(max(map(abs, cut["window"])) * rate)) + 1
    return cut_beats(np.pad(signal, n, "edge"), rate, position + n, like=cut)


# Classes


def classify(source, model, **options):
    """Find the beats of a recording and their classes.

    Returns the beats, their letters, the probabilities of the classes (None if the
    model gives none) and whether each class is sure.
    """
    names = aami_names(model)
    cut, named = cut_like(model)[1], hasattr(model, "feature_names_in_")
    with warnings.catch_warnings():  # the analysis says it
        warnings.filterwarnings("ignore", message=".*They are left out")
        found = find_beats(source, cut, named=named, **options)
    n_beats = len(found.position)
    if not hasattr(model, "predict_proba"):
        answer = predict_beats(model, found) if n_beats else []
        letters = np.array(label_names(answer), dtype="U1")
        return found, letters, None, np.ones(n_beats, dtype=bool)
    probability = np.empty((0, len(names)))
    if n_beats:
        probability = predict_beats(model, found, "predict_proba")
    chosen = choose_labels(model, probability)
    sure = probability[np.arange(n_beats), chosen] >= least_probability(model)
    probability = pd.DataFrame(probability.astype(np.float64), columns=names)
    return found, np.array(names)[chosen], probability, sure


def aami_names(model):
    """Letters of the classes of a model; refuses a model of other classes."""
    names = label_names(model.classes_)
    if not set(names) <= set(CLASS_NAMES):
        raise ValueError(
            f"The model has the labels {', '.join(names)}. An analysis needs the AAMI "
            "classes: 0 to 4, or N, S, V, F and Q."
        )
    return names


def least_probability(model):
    """Probability from which a class is sure; 0 if the model does not know its risk.

    The risk is 2 %, or the least one that the model can promise.
    """
    risks = getattr(model, "risks_", None)
    return 0.0 if risks is None else model.threshold(max(RISK, risks[-1]))


# The table of beats


def beat_table(recording, sample, letters, stretches, *, breaks=(), sure=True):
    """Make the table of beats but for the columns of a model and of the events.

    No RR interval is formed across an unreadable stretch, or across a position of
    ``breaks``: a beat that could not be classified.
    """
    sample = np.asarray(sample)
    rate = recording.sampling_rate
    time = sample / rate
    piece = np.searchsorted(stretches["start"].to_numpy(), time, side="right")
    piece = piece + np.searchsorted(np.sort(np.asarray(breaks)), sample, side="right")
    rr = np.full(len(sample), np.nan)
    rr[1:] = np.where(np.diff(piece) == 0, np.diff(sample) / rate, np.nan)
    return pd.DataFrame(
        {
            "sample": sample,
            "time": time,
            "clock": clock_of(recording, time),
            "class": np.asarray(letters, dtype=object),
            "probability": np.full(len(sample), np.nan),
            "sure": np.broadcast_to(sure, len(sample)),
            "rr": rr,
            "quality": _quality(time, stretches, recording.duration),
            "event": np.full(len(sample), -1),
        }
    )


def clock_of(recording, time):
    """Date and time of times in s; NaT where the start is unknown."""
    if recording.start_time is None:
        return np.full(len(time), np.datetime64("NaT", "ms"))
    start = np.datetime64(recording.start_time, "ms")
    return start + np.rint(np.asarray(time) * 1000).astype("timedelta64[ms]")


def _quality(time, stretches, duration):
    """Share of the 10 s around each beat that can be read."""
    edges = stretches[["start", "end"]].to_numpy().ravel()
    lost = np.zeros(len(edges))  # s that were lost before each edge
    lost[1::2] = np.cumsum(edges[1::2] - edges[::2])
    lost[2::2] = lost[1:-1:2]
    first, last = np.maximum(time - _AROUND, 0), np.minimum(time + _AROUND, duration)
    if len(edges) == 0:
        return np.ones(len(time))
    bad = np.interp(last, edges, lost) - np.interp(first, edges, lost)
    return np.clip(1 - bad / (last - first), 0, 1)
