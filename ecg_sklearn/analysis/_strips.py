"""Strips on ECG paper and mean beats, in millimetres of paper."""

from math import ceil

import numpy as np

from ecg_sklearn.aami import CLASS_DESCRIPTIONS, CLASS_NAMES
from ecg_sklearn.analysis._words import duration, number

SECONDS = 7.0  # as much as A4 and letter hold at 25 mm/s beside the pulse
SPEED, GAIN = 25.0, 10.0  # mm/s and mm/mV
_LEFT = 10.0  # mm, where the calibration pulse is
_ABOVE, _BELOW = (15, 40), (10, 40)  # mm of paper above and below the middle
_FINEST = 250.0  # points per second that are drawn
_RR_ROOM = 13.0  # mm between two beats that have room for the interval
_WINDOW = (-0.35, 0.55)  # s around the R peak of a mean beat
_MOST_BEATS = 2000  # beats of which the mean is taken

_KIND_NAMES = {
    "VEB": "Single ventricular beat",
    "VEB couplet": "Ventricular couplet",
    "VEB run": "Ventricular run",
    "VEB bigeminy": "Ventricular bigeminy",
    "VEB trigeminy": "Ventricular trigeminy",
    "SVEB": "Single supraventricular beat",
    "SVEB couplet": "Supraventricular couplet",
    "SVEB run": "Supraventricular run",
    "SVEB bigeminy": "Supraventricular bigeminy",
    "SVEB trigeminy": "Supraventricular trigeminy",
    "pause": "Pause",
    "irregular rhythm": "Irregular rhythm",
}
_QUIET = "Without events"
_BEAT_NAMES = {"F": "Fusion beat", "Q": "Unclassifiable or paced beat"}


def make_strips(analysis, clock):
    """Draw a strip of the dominant rhythm, each kind of event, and the extreme rates.

    Parameters
    ----------
    analysis : RecordingAnalysis
        What was found.
    clock : Clock
        Writes times.

    Returns
    -------
    list of dict
        Content of the strips for the template, with lengths in mm.
    """
    return [
        _draw(analysis, clock, title, note, start, end)
        for title, note, start, end in _places(analysis)
    ]


def _places(analysis):
    """Title, note, start and end in s of what the strips show."""
    events, beats = analysis.events, analysis.beats
    places = []
    quiet = _quiet_start(analysis)
    if quiet is not None:
        middle = quiet + SECONDS / 2
        places.append((_QUIET, "the first such strip", middle, middle))
    for kind, title in _KIND_NAMES.items():
        rows = events[events["kind"] == kind]
        if not len(rows):
            continue
        lengths = rows["end"] - rows["start"]
        chosen = {}
        if kind.endswith("run"):
            chosen[rows["n_beats"].idxmax()] = "the longest"
            if rows["rate"].notna().any():
                chosen.setdefault(rows["rate"].idxmax(), "the fastest")
        elif kind == "pause" or "gem" in kind:
            chosen[lengths.idxmax()] = "the longest"
        else:
            chosen[rows.index[0]] = "the first"
        for row, which in chosen.items():
            event = rows.loc[row]
            note = which if len(rows) == 1 else f"{which} of {len(rows):,}"
            if kind == "pause":
                note += f", {duration(event['end'] - event['start'])}"
            elif event["n_beats"] > 1:
                note += f", {event['n_beats']:,.0f} beats, {number(event['rate'])}/min"
            places.append((title, note, event["start"], event["end"]))
    for name, title in _BEAT_NAMES.items():
        times = beats.loc[beats["class"] == name, "time"].to_numpy()
        if len(times):
            places.append((title, f"the first of {len(times):,}", times[0], times[0]))
    for name, title in (("min", "Slowest"), ("max", "Fastest")):
        row = analysis.summary.loc[f"heart_rate_{name}"]
        if np.isfinite([row["value"], row["time"]]).all():
            note = f"{row['value']:.0f}/min over 8 intervals"
            end = row["time"] + 8 * 60 / row["value"]
            places.append((f"{title} heart rate", note, row["time"], end))
    return places


def _quiet_start(analysis):
    """Find the first strip without events in what can be read."""
    total = analysis.recording.duration
    starts, ends = (
        np.concatenate([analysis.events[name], analysis.unreadable[name]]).astype(float)
        for name in ("start", "end")
    )
    order = np.argsort(starts, kind="stable")
    until = np.append(starts[order], total)
    # A second behind an event its T wave and pause are over.
    since = np.concatenate([[0.0], np.maximum.accumulate(ends[order]) + 1.0])
    found = since[until - since >= min(SECONDS, total)]
    return float(found[0]) if len(found) and len(analysis.beats) else None


def _draw(analysis, clock, title, note, start, end):
    """Content of one strip."""
    recording, rate = analysis.recording, analysis.recording.sampling_rate
    first = (start + end - SECONDS) / 2 if end - start < SECONDS - 2 else start - 1.0
    first = max(min(first, recording.duration - SECONDS), 0.0)
    begin = int(first * rate)
    lead = recording.signal[begin : begin + int(SECONDS * rate), 0]
    shown = lead[np.isfinite(lead)]
    middle = float(np.median(shown)) if len(shown) else 0.0
    low, high = (shown.min(), shown.max()) if len(shown) else (middle, middle)
    above, below = (
        float(np.clip(5 * np.ceil((GAIN * part + 2) / 5), *limits))
        for part, limits in ((high - middle, _ABOVE), (middle - low, _BELOW))
    )
    x = _LEFT + SPEED * np.arange(len(lead)) / rate
    y = above - GAIN * (lead - middle)
    beats = analysis.beats
    times = beats["time"].to_numpy()
    inside = slice(*np.searchsorted(times, [first, first + SECONDS]))
    labels = [
        {
            "x": _LEFT + SPEED * (time - first),
            "name": name,
            "sure": sure,
            "rr": f"{1000 * rr:.0f}" if SPEED * rr >= _RR_ROOM else "",
            "middle": _LEFT + SPEED * (time - rr / 2 - first),
        }
        for time, name, sure, rr in zip(
            times[inside],
            beats["class"].iloc[inside],
            beats["sure"].iloc[inside],
            beats["rr"].iloc[inside],
            strict=True,
        )
    ]
    letters = "".join(label["name"] for label in labels)
    marked = np.clip([start - first - 0.2, end - first + 0.2], 0, SECONDS)
    whole = [
        second
        for second in np.arange(np.ceil(first), first + SECONDS)
        if first + SECONDS - second > 0.6
    ]
    return {
        "title": title,
        "note": note,
        "time": clock(start),
        "at": round(float((start + end) / 2 if end - start < 8 else start + 3), 3),
        "alt": f"{title}, {note}, at {clock(start)}: {SECONDS:g} s of lead "
        f"{recording.leads[0]}, beats {letters or 'none'}.",
        "width": _LEFT + SPEED * SECONDS,
        "height": above + below,
        "above": above,
        "left": _LEFT,
        "fine": grid(_LEFT + SPEED * SECONDS, above + below, 1),
        "coarse": grid(_LEFT + SPEED * SECONDS, above + below, 5),
        "trace": path(*_at_most(x, y, rate)),
        "labels": labels,
        "marked": None
        if title == _QUIET
        else (_LEFT + SPEED * marked[0], SPEED * (marked[1] - marked[0])),
        "ticks": [
            (_LEFT + SPEED * (second - first), clock(second)) for second in whole[::2]
        ],
    }


def grid(width, height, step):
    """Lines of ECG paper as the path of an SVG."""
    across = "".join(f"M{x:g} 0v{height:g}" for x in np.arange(0, width + 0.1, step))
    return across + "".join(
        f"M0 {y:g}h{width:g}" for y in np.arange(0, height + 0.1, step)
    )


def path(x, y):
    """Points as the path of an SVG, with a gap where y is not finite."""
    known = np.isfinite(y)
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    parts = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        points = np.round(np.stack([x[start:stop], y[start:stop]], axis=1), 2)
        parts.append("M" + " ".join(f"{a:g} {b:g}" for a, b in points.tolist()))
    return "".join(parts)


def _at_most(x, y, rate):
    """Thin points out to at most about 250 a second; peaks stay."""
    width = 2 * ceil(rate / _FINEST - 0.2)
    if width <= 2 or len(y) < width:
        return x, y
    n = len(y) // width
    blocks = y[: n * width].reshape(n, width)
    lowest, highest = blocks.argmin(axis=1), blocks.argmax(axis=1)
    kept = np.sort(np.stack([lowest, highest], axis=1), axis=1)
    kept = (kept + width * np.arange(n)[:, None]).ravel()
    return x[kept], y[kept]


def make_mean_beats(analysis):
    """Draw the mean beat of each class with its 10th to 90th percentile.

    Parameters
    ----------
    analysis : RecordingAnalysis
        What was found.

    Returns
    -------
    list of dict
        Content of the figures for the template, in mm at 50 mm/s and 20 mm/mV.
    """
    recording, rate = analysis.recording, analysis.recording.sampling_rate
    lead = recording.signal[:, 0]
    offsets = np.arange(round(_WINDOW[0] * rate), round(_WINDOW[1] * rate) + 1)
    found = []
    for name in CLASS_NAMES:
        places = analysis.beats.loc[analysis.beats["class"] == name, "sample"]
        places = places.to_numpy()
        count = len(places)
        inside = (places + offsets[0] >= 0) & (places + offsets[-1] < len(lead))
        places = places[inside]
        every = max(1, -(-len(places) // _MOST_BEATS))
        windows = lead[places[::every, None] + offsets]
        windows = windows[np.isfinite(windows).all(axis=1)]
        if len(windows):
            windows = windows - np.median(windows, axis=1, keepdims=True)
            low, high = np.percentile(windows, [10, 90], axis=0)
            found.append((name, count, len(windows), windows.mean(axis=0), low, high))
    if not found:
        return []
    above = 5 * np.ceil(max(20 * each[-1].max() for each in found) / 5 + 0.2)
    below = 5 * np.ceil(max(-20 * each[-2].min() for each in found) / 5 + 0.2)
    above, below = min(float(above), 80.0), min(float(below), 80.0)
    width = 50 * (_WINDOW[1] - _WINDOW[0])
    x = 50 * (offsets / rate - _WINDOW[0])
    return [
        {
            "name": name,
            "words": CLASS_DESCRIPTIONS[name],
            "count": count,
            "used": used,
            "width": width,
            "height": above + below,
            "fine": grid(width, above + below, 1),
            "coarse": grid(width, above + below, 5),
            "mean": path(x, above - 20 * mean),
            "band": path(
                np.concatenate([x, x[::-1]]),
                above - 20 * np.concatenate([high, low[::-1]]),
            )
            + "Z",
        }
        for name, count, used, mean, low, high in found
    ]
