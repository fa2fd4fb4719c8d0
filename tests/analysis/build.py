"""Analyses of simulated recordings, counted by simple code, for tests of the page."""

from datetime import datetime

import numpy as np
import pandas as pd

from ecg_sklearn.analysis import RecordingAnalysis
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.io import Recording

START = datetime(2026, 3, 1, 21, 30)
FORMS = (
    "count", "burden", "per_hour", "singles", "couplets", "runs", "longest_run",
    "fastest_run", "bigeminy", "trigeminy",
)  # fmt: skip
OTHERS = (
    "duration", "analysed", "analysed_share", "n_beats", "n_unsure", "heart_rate_mean",
    "heart_rate_min", "heart_rate_max", "rr_longest",
    *(f"{prefix}_{form}" for prefix in ("veb", "sveb") for form in FORMS),
    "fusion_count", "unknown_count", "pauses", "longest_pause", "irregular_minutes",
    "sdnn", "rmssd", "pnn50",
)  # fmt: skip


class Counted(RecordingAnalysis):
    """An analysis whose findings are made by hand."""

    @property
    def findings(self):
        counts = self.events["kind"].value_counts()
        return [f"{n} x {kind} <was> found & counted." for kind, n in counts.items()]


def simulated(*args, name="simulated", start=START, **settings):
    """Simulate a recording and count what was put into it."""
    ecg = make_recording(*args, **settings)
    recording = Recording(
        ecg.signal, ecg.sampling_rate, ecg.leads, start, name, ("mV",), "array"
    )
    return counted(
        recording, ecg.sample, np.array(ecg.target_names)[ecg.target], ecg.gaps
    )


def counted(recording, sample, names, gaps):
    """Fill an analysis with beats, events and numbers."""
    time = np.asarray(sample) / recording.sampling_rate
    rr = np.diff(time, prepend=np.nan)
    for end in gaps["end"]:
        rr[np.searchsorted(time, end) : np.searchsorted(time, end) + 1] = np.nan
    beats = pd.DataFrame(
        {
            "sample": np.asarray(sample, dtype=int),
            "time": time,
            "clock": pd.NaT,
            "class": np.asarray(names, dtype=object),
            "probability": np.nan,
            "sure": np.arange(len(time)) % 17 > 0,
            "rr": rr,
            "quality": 1.0,
            "event": -1,
        }
    )
    events = _events(beats)
    return Counted(
        recording=recording,
        beats=beats,
        events=events,
        summary=_summary(recording, beats, events, gaps),
        unreadable=gaps,
        model={
            "name": "truth",
            "mode": "annotated",
            "description": "The classes are those of the simulation.",
            "limits": ["It knows <everything>."],
        },
    )


def _events(beats):
    rows = []
    names, time = beats["class"].to_numpy(), beats["time"].to_numpy()
    edges = np.flatnonzero(np.r_[True, names[1:] != names[:-1], True][: len(names) + 1])
    for first, stop in zip(edges[:-1], edges[1:], strict=True):
        prefix, n = {"V": "VEB", "S": "SVEB"}.get(names[first]), stop - first
        if prefix:
            form = {1: "", 2: " couplet"}.get(n, " run")
            rows.append((first, stop - 1, prefix + form, n))
    for row in np.flatnonzero(beats["rr"].to_numpy() > 2.0):
        rows.append((row - 1, row, "pause", 2))
    frame = pd.DataFrame(rows, columns=["first", "last", "kind", "n_beats"])
    first, last = frame["first"].to_numpy(int), frame["last"].to_numpy(int)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = 60 * (last - first) / (time[last] - time[first])
    frame = frame.assign(
        start=time[first], end=time[last], clock=pd.NaT, rate=rate.astype(float)
    )
    return frame.sort_values("start", ignore_index=True)


def _summary(recording, beats, events, gaps):
    table = pd.DataFrame(
        {"value": np.nan, "unit": "", "low": np.nan, "high": np.nan, "time": np.nan},
        index=list(OTHERS),
    ).assign(description="what it means")
    lost = (gaps["end"] - gaps["start"]).sum()

    def put(name, value, time=np.nan):
        table.loc[name, ["value", "time"]] = [float(value), float(time)]

    put("duration", recording.duration)
    put("analysed", recording.duration - lost)
    put("analysed_share", 100 * (1 - lost / recording.duration))
    put("n_beats", len(beats))
    put("n_unsure", (~beats["sure"]).sum())
    rr = beats["rr"]
    if rr.notna().any():
        put("heart_rate_mean", 60 / rr.mean())
        put("rr_longest", rr.max(), beats["time"][rr.idxmax()])
    rate = 60 / rr.rolling(8).mean()
    if rate.notna().any():
        put("heart_rate_min", rate.min(), beats["time"][rate.idxmin()])
        put("heart_rate_max", rate.max(), beats["time"][rate.idxmax()])
    for prefix, letter in (("veb", "V"), ("sveb", "S")):
        count = (beats["class"] == letter).sum()
        put(f"{prefix}_count", count)
        if len(beats):
            put(f"{prefix}_burden", 100 * count / len(beats))
            burden = table.loc[f"{prefix}_burden", "value"]
            table.loc[f"{prefix}_burden", ["low", "high"]] = [
                burden * 0.9,
                burden * 1.1,
            ]
        put(f"{prefix}_per_hour", 3600 * count / recording.duration)
        for form, end in (("singles", ""), ("couplets", " couplet"), ("runs", " run")):
            put(f"{prefix}_{form}", (events["kind"] == prefix.upper() + end).sum())
        runs = events[events["kind"] == f"{prefix.upper()} run"]
        if len(runs):
            row = runs.loc[runs["n_beats"].idxmax()]
            put(f"{prefix}_longest_run", row["n_beats"], row["start"])
            row = runs.loc[runs["rate"].idxmax()]
            put(f"{prefix}_fastest_run", row["rate"], row["start"])
    pauses = events[events["kind"] == "pause"]
    put("pauses", len(pauses))
    if len(pauses):
        row = pauses.loc[(pauses["end"] - pauses["start"]).idxmax()]
        put("longest_pause", row["end"] - row["start"], row["start"])
    put("irregular_minutes", 0)
    return table
