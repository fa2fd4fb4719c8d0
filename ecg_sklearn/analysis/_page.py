"""The page of an analysis: one HTML file without network, :func:`write_page`."""

import base64
import hashlib
import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ecg_sklearn.aami import CLASS_DESCRIPTIONS, CLASS_NAMES
from ecg_sklearn.analysis._charts import make_charts, make_periods
from ecg_sklearn.analysis._disclosure import LINE, SIGNAL_BYTES, embed
from ecg_sklearn.analysis._model import LEFT_OUT
from ecg_sklearn.analysis._strips import make_mean_beats, make_strips
from ecg_sklearn.analysis._words import NOTHING, Clock, duration, number, share
from ecg_sklearn.utils._files import new_file
from ecg_sklearn.utils._templates import templates_of

MOST_EVENTS = 5000  # rows of the table of events
_SCRIPTS = ("core.js", "strip.js", "lines.js", "events.js")
_FORMS = {
    "count": "beats", "burden": "burden, %", "per_hour": "per hour",
    "singles": "single", "couplets": "couplets", "runs": "runs",
    "longest_run": "longest run, beats", "fastest_run": "fastest run, beats/min",
    "bigeminy": "bigeminy", "trigeminy": "trigeminy",
}  # fmt: skip


def write_page(analysis, path):
    """Write the page of an analysis: ``RecordingAnalysis.to_html``."""
    path = Path(path)
    page = _render(_content(analysis))
    with new_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def _render(content):
    environment = templates_of("ecg_sklearn.analysis")
    sources = [environment.loader.get_source(environment, name) for name in _SCRIPTS]
    script = (
        '\n"use strict";\n(() => {\n' + "\n".join(s[0] for s in sources) + "})();\n"
    )
    style = environment.loader.get_source(environment, "analysis.css")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("analysis.html.j2").render(
        content, script=script, script_hash=digest, style=style
    )


def _content(analysis):
    """Collect everything that the template shows."""
    recording = analysis.recording
    clock = Clock(recording.start_time, recording.duration)
    events, n_hidden = _shown_events(analysis.events)
    embedded = embed(analysis, SIGNAL_BYTES)
    return {
        "title": recording.name or "Recording",
        "facts": _facts(analysis),
        "findings": list(analysis.findings),
        "cards": _cards(analysis.summary, clock),
        "ectopy": _ectopy(analysis.summary, clock),
        "forms": list(_FORMS.values()),
        "charts": make_charts(analysis, clock),
        "periods": make_periods(analysis, clock),
        "strips": make_strips(analysis, clock),
        "mean_beats": make_mean_beats(analysis),
        "events": _event_rows(events, clock),
        "kinds": events["kind"].value_counts().sort_index().to_dict(),
        "n_hidden": n_hidden,
        "unreadable": _unreadable_rows(analysis.unreadable, clock),
        "numbers": _numbers(analysis.summary, clock),
        "classes": {name: CLASS_DESCRIPTIONS[name] for name in CLASS_NAMES},
        "model": analysis.model,
        "not_assessed": LEFT_OUT,
        "embedded": embedded,
        "n_lost_lines": 0
        if embedded["lines"] is None
        else embedded["n_lines"] - len(embedded["lines"]),
        "data": _json(_data(analysis, embedded, events, clock)),
        "version": version("ecg-sklearn"),
        "made": datetime.now().strftime("%Y-%m-%d %H:%M"),
        "clock": "clock times" if recording.start_time else "counted from the start",
    }


def _facts(analysis):
    """Name and value of what is known about the recording."""
    recording = analysis.recording
    start = recording.start_time
    return {
        "Start": start.strftime("%Y-%m-%d %H:%M:%S") if start else "unknown",
        "Duration": duration(recording.duration),
        "Lead": recording.leads[0],
        "Sampling rate": f"{recording.sampling_rate:g} Hz",
        "Classified by": analysis.model["name"],
    }


def _cards(summary, clock):
    """Key numbers: name, value, unit, and lines of text with a time in s or None."""

    def value(name):
        return float(summary.loc[name, "value"])

    def placed(words, name, digits=0, unit=""):
        """Write a value with its time, to which its line leads."""
        if not np.isfinite(value(name)):
            return (f"{words} {NOTHING}", None)
        time = float(summary.loc[name, "time"])
        text = f"{words} {number(value(name), digits)}{unit}".strip()
        if not np.isfinite(time):
            return (text, None)
        return (f"{text} at {clock(time)}", time)

    def ectopy(prefix):
        burden = summary.loc[f"{prefix}_burden"]
        lines = [(f"burden {share(burden['value'])} %", None)]
        if burden["low"] < burden["high"]:
            low, high = share(burden["low"]), share(burden["high"])
            lines.append((f"95 % interval {low} to {high} %", None))
        return lines

    n_pauses = value("pauses")
    at_longest = _finite(summary.loc["rr_longest", "time"], 3)
    return [
        ("Beats", number(value("n_beats")), "",
         [(f"{number(value('n_unsure'))} of them unsure", None)]),
        ("Heart rate", number(value("heart_rate_mean")), "/min, mean",
         [placed("lowest", "heart_rate_min"), placed("highest", "heart_rate_max")]),
        ("Ventricular ectopy (VEB)", number(value("veb_count")), "beats",
         ectopy("veb")),
        ("Supraventricular (SVEB)", number(value("sveb_count")), "beats",
         ectopy("sveb")),
        ("Pauses", number(n_pauses), "",
         [placed("longest", "longest_pause", 1, " s") if n_pauses > 0
          else ("none found", None)]),
        ("Longest RR interval", number(value("rr_longest"), 2), "s",
         [] if at_longest is None else [(f"at {clock(at_longest)}", at_longest)]),
        ("Irregular rhythm", number(value("irregular_minutes")), "min",
         [("may be atrial fibrillation" if value("irregular_minutes") > 0
           else "none found", None)]),
        ("Analysed", share(value("analysed_share")), "%",
         [(f"{duration(value('analysed'))} of {duration(value('duration'))}", None)]),
    ]  # fmt: skip


def _ectopy(summary, clock):
    """Rows of the table of ectopic beats: name, and values with a time or None."""
    rows = []
    for prefix in ("veb", "sveb"):
        cells = []
        for form in _FORMS:
            found = summary.loc[f"{prefix}_{form}"]
            write = share if form == "burden" else number
            text = write(found["value"])
            if form == "per_hour" and 0 < found["value"] < 10:
                text = number(found["value"], 1)
            time = found["time"]
            cells.append((text, (time, clock(time)) if np.isfinite(time) else None))
        rows.append((prefix.upper(), cells))
    return rows


def _numbers(summary, clock):
    """Rows of the table of all numbers."""
    rows = []
    for name, row in summary.iterrows():
        value = row["value"]
        unit = row["unit"] if isinstance(row["unit"], str) else ""
        whole = np.isfinite(value) and value == np.rint(value)
        digits = 0 if whole or abs(value) >= 1000 else 2
        interval = ""
        if row["low"] < row["high"]:
            low, high = (number(row[each], digits or 2) for each in ("low", "high"))
            interval = f"{low} to {high}"
        time = (row["time"], clock(row["time"])) if np.isfinite(row["time"]) else None
        rows.append(
            (name, number(value, digits), unit, interval, time, row["description"])
        )
    return rows


def _shown_events(events):
    """Leave the commonest kinds of events out if there are too many for a table."""
    if len(events) <= MOST_EVENTS:
        return events, 0
    counts = events["kind"].map(events["kind"].value_counts()).to_numpy()
    kept = np.sort(np.argsort(counts, kind="stable")[:MOST_EVENTS])
    return events.iloc[kept], len(events) - MOST_EVENTS


def _event_rows(events, clock):
    return [
        (
            clock(start),
            kind,
            number(n),
            number(rate),
            number(end - start if end > start else np.nan, 1),
        )
        for start, end, kind, n, rate in events[
            ["start", "end", "kind", "n_beats", "rate"]
        ].itertuples(index=False)
    ]


def _unreadable_rows(unreadable, clock):
    return [
        (start, clock(start), clock(end), duration(end - start), reason)
        for start, end, reason in unreadable[["start", "end", "reason"]].itertuples(
            index=False
        )
    ]


def _data(analysis, embedded, events, clock):
    """Collect what the scripts need."""
    recording = analysis.recording
    strings = {"signal", "beats", "classes"}
    return {
        **{name: value for name, value in embedded.items() if name not in strings},
        "line": LINE,
        "duration": recording.duration,
        "offset": clock.offset,
        "has_clock": recording.start_time is not None,
        "counts_days": clock.counts_days,
        "lead": recording.leads[0],
        "names": "".join(CLASS_NAMES),
        "unreadable": [
            [round(start, 3), round(end, 3), reason]
            for start, end, reason in analysis.unreadable[
                ["start", "end", "reason"]
            ].itertuples(index=False)
        ],
        "events": [
            [round(start, 3), round(end, 3), kind, _finite(n, 0), _finite(rate)]
            for start, end, kind, n, rate in events[
                ["start", "end", "kind", "n_beats", "rate"]
            ].itertuples(index=False)
        ],
    }


def _finite(value, digits=1):
    return round(float(value), digits) if np.isfinite(value) else None


def _json(data):
    """Write JSON that cannot end the element that holds it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
