"""The work of ``analyze`` on one recording, in this process or in another."""

import contextlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES, symbol_classes
from ecg_sklearn.analysis import analyze, analyze_beats
from ecg_sklearn.analysis._findings import duration_text
from ecg_sklearn.analysis._model import choose_model
from ecg_sklearn.cli._checks import is_beat_table
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.cli._tables import clock_text, write_annotations
from ecg_sklearn.datasets._records import read_annotations
from ecg_sklearn.io import read_recording
from ecg_sklearn.utils._cut import learned_cut
from ecg_sklearn.utils._files import new_file, write_json

_DIGITS = {"time": 4, "start": 4, "end": 4, "rr": 4, "probability": 6, "quality": 4}
_INTERVALS = ("veb_burden", "sveb_burden")
# Columns of the table on the terminal, and how their numbers are written.
_OVERVIEW = {
    "beats": ("n_beats", "{:.0f}"),
    "VEB": ("veb_count", "{:.0f}"),
    "VEB %": ("veb_burden", "{:.2f}"),
    "VEB runs": ("veb_runs", "{:.0f}"),
    "SVEB": ("sveb_count", "{:.0f}"),
    "SVEB %": ("sveb_burden", "{:.2f}"),
    "SVEB runs": ("sveb_runs", "{:.0f}"),
    "pauses": ("pauses", "{:.0f}"),
    "irregular min": ("irregular_minutes", "{:.0f}"),
}


class Found(NamedTuple):
    """What came of one recording: a row of the summary, findings, warnings."""

    row: dict
    text: str = ""
    notes: tuple[str, ...] = ()
    annotations: str = ""


class Classifier(NamedTuple):
    """A model and its name; or the name of a shipped model, and None."""

    model: object
    name: str | None = None


def load_classifier(model, *, check_name=False):
    """Load the classifier of a file; the name of a shipped one stays a name.

    With ``check_name``, an unknown name is an error here and not in each recording.
    """
    if not isinstance(model, Path):
        if check_name:
            choose_model(model)
        return Classifier(model)
    pipe, facts = read_model(model)
    if learned_cut(pipe) is None:  # it was fitted to arrays, and its file knows the cut
        pipe.cut_ = facts["cut"]
    return Classifier(pipe, "/".join(model.parts[-2:]))


def attempt_job(place, job, **options):
    """Analyse one of several recordings; an error is part of what is returned."""
    try:
        return place, analyze_job(job, **options)
    except (OSError, ValueError, MemoryError, ImportError) as error:
        row = {"recording": job.name, "file": str(job.path)}
        return place, Found(row | {"error": str(error) or type(error).__name__})


def analyze_job(job, *, classifier, beats, escape, annotator, lead, rate, unit):
    """Analyse one recording and write its files."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if is_beat_table(job.path):
            raise ValueError(
                f"{job.path} holds rows of single beats, which do not say when a beat "
                "was. Use predict."
            )
        recording = read_recording(
            job.path, channel=lead, sampling_rate=rate, unit=unit
        )
        if beats is not None:
            found = _analyze_annotated(recording, job.path, beats, escape)
        else:
            found = analyze(recording, classifier.model)
            if classifier.name is not None:
                found = replace(found, model=found.model | {"name": classifier.name})
        _write_files(found, job.files)
    notes = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    annotations = ""
    if annotator is not None:
        if found.beats.empty:
            notes.append(f"No beat was found, so {annotator} was not written.")
        else:
            time, classes = found.beats["time"], found.beats["class"]
            annotations = write_annotations(job.path, annotator, time, classes)
    text = "\n".join([str(found), "", *found.findings])
    return Found(_row(job, found), text, tuple(notes), annotations)


def _analyze_annotated(recording, path, annotator, escape):
    """Count the beats of a WFDB annotation file."""
    notes = read_annotations(
        path.parent, path.name, annotator, recording.sampling_rate, recording.n_times
    )
    sample = np.rint(notes.sample).astype(np.int64)
    classes = symbol_classes(notes.symbol, escape=escape)
    is_beat = (classes >= 0) & (sample < recording.n_times)
    names = np.array(CLASS_NAMES)[classes[is_beat]]
    return analyze_beats(recording, sample[is_beat], names)


def _write_files(found, files):
    """Write all files of a recording, or none."""
    with contextlib.ExitStack() as stack:
        paths = {kind: stack.enter_context(new_file(to)) for kind, to in files.items()}
        for kind, path in paths.items():
            if kind == "page":
                found.to_html(path)
            elif kind == "json":
                write_json(path, found.to_dict())
            else:
                _written(getattr(found, kind)).to_csv(path, index=False)


def _written(table):
    """Round the numbers of a table, and write its times of day."""
    digits = {name: 6 for name in table if str(name).startswith("p_")} | _DIGITS
    table = table.round({name: n for name, n in digits.items() if name in table})
    return table.assign(clock=clock_text(table["clock"]))


def _row(job, found):
    """Make the row of a recording in the summary."""
    recording, values = found.recording, found.summary["value"]
    row = {
        "recording": job.name,
        "file": str(job.path),
        "error": "",
        "lead": recording.leads[0],
        "sampling_rate": recording.sampling_rate,
        "start": recording.start_time and recording.start_time.isoformat(),
        "model": found.model["name"],
    } | values.to_dict()
    for name in _INTERVALS:
        for edge in ("low", "high"):
            row[f"{name}_{edge}"] = found.summary.at[name, edge]
    return row


def write_summary(path, rows):
    """Write one row for each recording."""
    with new_file(path) as unfinished:
        pd.DataFrame(rows).to_csv(unfinished, index=False)


def overview(rows):
    """Make the table of recordings that is printed."""
    table = pd.DataFrame(
        {
            "recording": [row["recording"] for row in rows],
            "duration": [
                "-" if row["error"] else duration_text(row["duration"]) for row in rows
            ],
            "read %": [_number(row, "analysed_share", "{:.1f}") for row in rows],
        }
        | {
            title: [_number(row, name, form) for row in rows]
            for title, (name, form) in _OVERVIEW.items()
        }
    )
    return table.to_string(index=False)


def _number(row, name, form):
    value = row.get(name, np.nan)
    return "-" if np.isnan(value) else form.format(value)
