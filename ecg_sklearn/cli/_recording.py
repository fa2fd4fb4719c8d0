"""Beats of a recording that nobody has annotated: read, detected, cut for a model."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ecg_sklearn.cli._messages import say
from ecg_sklearn.datasets import cut_beats
from ecg_sklearn.detection import detect_beats, signal_quality
from ecg_sklearn.io import Recording, read_recording

_N_NAMED = 5  # unreadable stretches in a message


class FoundBeats(NamedTuple):
    """Beats of a recording: columns for a model, their positions, and what was read."""

    recording: Recording
    data: pd.DataFrame | np.ndarray
    position: np.ndarray
    stretches: pd.DataFrame

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


def find_beats(path, cut, *, lead=None, rate=None, unit=None):
    """Read a recording, detect its beats outside of unreadable stretches, cut them."""
    recording = read_recording(path, sampling_rate=rate, channel=lead, unit=unit)
    signal, rate = recording.signal[:, 0], recording.sampling_rate
    stretches = signal_quality(signal, rate)
    position = detect_beats(signal, rate)
    position = position[~_is_within(position / rate, stretches)]
    frame = _cut_all(signal, rate, position, cut)
    # As the loaders: an array, unless there are features.
    data = frame if cut.get("features") else frame.to_numpy()
    return FoundBeats(recording, data, position[frame.index], stretches)


def _is_within(time, stretches):
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


def tell_about(found):
    """Say on standard error which lead was read, and how much of it was analysed."""
    recording, stretches = found.recording, found.stretches
    share = max(0.0, 1 - found.unreadable / recording.duration)
    text = (
        f"{recording.name}: {recording.format}, lead {recording.leads[0]}, "
        f"{recording.sampling_rate:g} Hz. {share:.1%} of {recording.duration:.0f} s "
        "analysed"
    )
    if len(stretches):
        named = [
            f"{row.start:.1f}-{row.end:.1f} s ({row.reason})"
            for row in stretches.head(_N_NAMED).itertuples()
        ]
        hidden = len(stretches) - len(named)
        text += f"; not read: {', '.join(named)}"
        text += f" and {hidden} more" if hidden else ""
    say("note", f"{text}.")
