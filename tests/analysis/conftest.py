"""Recordings of which every number is known by hand."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from ecg_sklearn.analysis import analyze_beats
from ecg_sklearn.io import Recording

RATE = 250.0


def recording_of(duration, *, start_time=None, n_leads=1, rate=RATE):
    """A recording whose signal does not matter."""
    leads = ("II", "V5", "V1")[:n_leads]
    return Recording(
        signal=np.zeros((round(duration * rate), n_leads), dtype=np.float32),
        sampling_rate=rate,
        leads=leads,
        start_time=start_time,
        name="hand",
        units=("mV",) * n_leads,
        format="array",
    )


def stretches_of(*rows):
    return pd.DataFrame(rows, columns=["start", "end", "reason"])


def analysed(letters, rr=0.8, *, unreadable=(), first=1.0, start_time=None):
    """Analyse beats at given RR intervals; ``rr`` has one value, or one for each beat.

    The first value of a list is not used: the first beat is at ``first``.
    """
    n_beats = len(letters)
    intervals = np.broadcast_to(rr, n_beats).astype(float).copy()
    if n_beats:
        intervals[0] = first
    sample = np.rint(np.cumsum(intervals) * RATE).astype(int)
    duration = (sample[-1] / RATE if n_beats else 0.0) + 1.0
    recording = recording_of(max(duration, 10.0), start_time=start_time)
    return analyze_beats(
        recording, sample, list(letters), unreadable=stretches_of(*unreadable)
    )


def value(found, name, column="value"):
    return found.summary.at[name, column]


@pytest.fixture(scope="session")
def night():
    """A start at 22 o'clock."""
    return datetime(2024, 3, 1, 22, 0, 0)
