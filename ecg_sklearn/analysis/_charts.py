"""Figures over the whole recording: heart rate, RR intervals, and counts by hour.

Shapes are drawn in a box of 1000 by 100 that is stretched to the width of the page; the
template writes the labels beside it, so that they keep their size.
"""

from math import ceil

import numpy as np
import pandas as pd

from ecg_sklearn.analysis._words import number, share

_N_BINS = 480  # of the heart rate
_N_RR = 8  # intervals of which the rate is the mean
_MOST_RR = 3.0  # s, longer ones are drawn at the top
_FEW = 1500  # intervals, which are drawn as larger dots
_TICKS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
    3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 345600,
)  # fmt: skip
_PERIODS = {
    10: "10 s", 60: "minute", 300: "5 min", 900: "15 min", 3600: "hour",
    10800: "3 hours", 21600: "6 hours", 86400: "day",
}  # fmt: skip
_MOST_PERIODS = 32
_STACKED = ("V", "S", "F", "Q")


def make_charts(analysis, clock):
    """Draw the heart rate and the RR intervals over time.

    Parameters
    ----------
    analysis : RecordingAnalysis
        What was found.
    clock : Clock
        Writes times.

    Returns
    -------
    list of dict
        Content of each figure for the template; positions in percent or box units.
    """
    total = analysis.recording.duration
    shared = {"x_ticks": _time_ticks(total, clock), "shades": _shades(analysis, clock)}
    drawn = (_heart_rate(analysis, total), _intervals(analysis, total))
    return [shared | chart for chart in drawn if chart is not None]


def _time_ticks(total, clock):
    """Position in percent, label, and whether a narrow page shows it too."""
    step = next((s for s in _TICKS if total / s <= 12), _TICKS[-1])
    step = max(step, _TICKS[-1] * ceil(total / _TICKS[-1] / 12) if total > 4e6 else 0)
    first = -clock.offset % step
    form = "%H:%M:%S" if step < 60 else "%H:%M"
    places = np.arange(first, total + 0.5, step)
    return [
        (100 * place / total, clock.tick(place, form), k % 3 == 0)
        for k, place in enumerate(places)
        if place <= 0.985 * total
    ]


def _shades(analysis, clock):
    """Position and width in box units, and words, of what was not analysed."""
    total = analysis.recording.duration
    return [
        (
            1000 * start / total,
            max(1000 * (end - start) / total, 1.0),
            f"not analysed: {reason}, {clock(start)} to {clock(end)}",
        )
        for start, end, reason in analysis.unreadable[
            ["start", "end", "reason"]
        ].itertuples(index=False)
    ]


def rates(beats):
    """Heart rate in beats per minute over 8 intervals, nan where one is missing."""
    mean = beats["rr"].rolling(_N_RR).mean()
    return 60.0 / mean.where(mean > 0)


def _heart_rate(analysis, total):
    beats = analysis.beats
    rate = rates(beats)
    known = rate.notna().to_numpy()
    if not known.any():
        return None
    rate, times = rate[known], beats["time"].to_numpy()[known]
    width = max(total / _N_BINS, 2.5)
    found = rate.groupby((times // width).astype(int)).agg(["min", "mean", "max"])
    x = np.minimum(1000 * (found.index.to_numpy() + 0.5) * width / total, 1000)
    step = 20 if found["max"].max() - found["min"].min() < 120 else 40
    low = max(step * np.floor((found["min"].min() - 2) / step), 0)
    high = max(step * ceil((found["max"].max() + 2) / step), low + 2 * step)
    y = {name: 100 * (high - found[name].to_numpy()) / (high - low) for name in found}
    apart = np.flatnonzero(np.diff(found.index) * width > max(2.1 * width, 10)) + 1
    pieces = np.split(np.arange(len(x)), apart)
    line = "".join(_path(x[p], y["mean"][p]) for p in pieces)
    band = "".join(
        _path(np.r_[x[p], x[p][::-1]], np.r_[y["max"][p], y["min"][p][::-1]]) + "Z"
        for p in pieces
        if len(p) > 1
    )
    return {
        "title": "Heart rate",
        "unit": "beats/min",
        "alt": f"Heart rate over time, between {number(found['min'].min())} and "
        f"{number(found['max'].max())} beats a minute.",
        "y_ticks": _y_ticks(low, high, step, "{:.0f}"),
        "layers": [("band", band), ("line", line)],
        "legend": [
            ("line", "mean of 8 intervals"),
            ("band", "lowest to highest within the time of a point"),
        ],
    }


def _intervals(analysis, total):
    beats = analysis.beats
    known = beats["rr"].notna().to_numpy()
    if not known.any():
        return None
    times, rr = beats["time"].to_numpy()[known], beats["rr"].to_numpy()[known]
    top = min(_MOST_RR, max(0.5 * ceil(rr.max() / 0.5), 1.0))
    x = np.round(1000 * times / total / 1.5) * 1.5
    y = np.round(2 * 100 * (1 - np.minimum(rr, top) / top)) / 2
    names = beats["class"].to_numpy()[known]
    few = "few " if len(rr) < _FEW else ""
    groups = [
        (f"dots {few}{name}", _dots(x[names == name], y[names == name]))
        for name in ("N", "Q", "F", "S", "V")
        if (names == name).any()
    ]
    words = {"N": "normal", "S": "supraventricular", "V": "ventricular"}
    words |= {"F": "fusion", "Q": "unknown"}
    return {
        "title": "RR intervals",
        "unit": "s",
        "alt": f"Interval before each beat over time, {rr.min():.2f} to {rr.max():.2f} "
        "s. Premature beats lie below the band of normal beats.",
        "y_ticks": _y_ticks(0, top, 0.5, "{:.1f}"),
        "layers": groups,
        "legend": [
            (layer, f"before a beat of class {layer[-1]} ({words[layer[-1]]})")
            for layer, _ in groups
        ]
        + ([("", f"longer than {top:g} s: at the top")] if rr.max() > top else []),
    }


def _y_ticks(low, high, step, form):
    values = np.arange(low, high + step / 2, step)
    return [(100 * (high - v) / (high - low), form.format(v)) for v in values]


def _path(x, y):
    points = np.round(np.stack([x, y], axis=1), 1).tolist()
    tail = "h0" if len(points) == 1 else ""  # a dot
    return "M" + " ".join(f"{a:g} {b:g}" for a, b in points) + tail


def _dots(x, y):
    places = np.unique(np.stack([x, y], axis=1), axis=0).tolist()
    # Not of length 0: some printers leave out such a line with square ends.
    return "".join(f"M{a:g} {b:g}h.1" for a, b in places)


def make_periods(analysis, clock):
    """Count beats and events hour by hour, or in shorter or longer periods.

    Parameters
    ----------
    analysis : RecordingAnalysis
        What was found.
    clock : Clock
        Writes times.

    Returns
    -------
    dict
        "name" of a period, "rows" of the table, and "bars": label, heights in percent
        of each class, and words; "top", the highest number of beats.
    """
    total = analysis.recording.duration
    longest = max(_PERIODS)
    size = next((s for s in _PERIODS if total / s <= _MOST_PERIODS), longest)
    edges = np.arange(-(clock.offset % size), total, size)
    edges = np.append(edges, edges[-1] + size)
    beats, events = analysis.beats, analysis.events
    period = np.searchsorted(edges, beats["time"], side="right") - 1
    n = len(edges) - 1
    counts = pd.crosstab(period, beats["class"].to_numpy()).reindex(
        index=range(n), columns=list("NSVFQ"), fill_value=0
    )
    rate = rates(beats).groupby(period).agg(["min", "max"]).reindex(range(n))
    mean = 60 / beats["rr"].groupby(period).mean().reindex(range(n))
    pauses = events.loc[events["kind"] == "pause", "start"]
    pauses = np.bincount(
        np.searchsorted(edges, pauses, side="right") - 1, minlength=n
    ).astype(int)
    lost = _overlap(edges, analysis.unreadable)
    inside = np.clip(edges[1:], 0, total) - np.clip(edges[:-1], 0, total)
    top = max(int(counts[list(_STACKED)].sum(axis=1).max()), 1)
    rows, bars = [], []
    for k in range(n):
        begin = max(edges[k], 0.0)
        form = "%H:%M" if size >= 60 else "%H:%M:%S"
        label = clock(begin, form)
        row = counts.loc[k]
        rows.append(
            (
                label,
                f"{row.sum():,}",
                number(mean[k]),
                number(rate["min"][k]),
                number(rate["max"][k]),
                f"{row['V']:,}",
                f"{row['S']:,}",
                f"{pauses[k]:,}",
                share(100 * (1 - lost[k] / inside[k])),
            )
        )
        bars.append(
            (
                clock.tick(begin, form),
                [(name, 100 * int(row[name]) / top) for name in _STACKED if row[name]],
                100 * lost[k] / inside[k],
                k % max(1, ceil(n / 8)) == 0 and k < 0.93 * n,
            )
        )
    classes = [name for name in _STACKED if counts[name].any()]
    return {
        "name": _PERIODS[size], "rows": rows, "bars": bars, "top": top,
        "classes": classes,
    }  # fmt: skip


def _overlap(edges, unreadable):
    """Seconds of each period that were not analysed."""
    lost = np.zeros(len(edges) - 1)
    for start, end in unreadable[["start", "end"]].itertuples(index=False):
        lost += np.clip(
            np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None
        )
    return lost
