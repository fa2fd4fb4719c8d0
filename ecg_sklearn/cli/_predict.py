"""The command ``predict``."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._checks import file_of, is_beat_table, record_path
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.cli._recording import find_beats, tell_about
from ecg_sklearn.cli._sources import loader_arguments, read_rows
from ecg_sklearn.datasets import load_wfdb_beats
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file


def predict(
    *,
    model,
    input,
    beats,
    annotator,
    lead,
    rate,
    unit,
    output,
    overwrite,
    quiet,
):
    """Classify the beats of a recording, or of a CSV file of single beats."""
    pipe, facts = read_model(model)
    names = label_names(pipe.classes_)
    if annotator is not None and not set(names) <= set(CLASS_NAMES):
        raise ValueError(
            f"--annotator writes N, S, V, F and Q, and the model has the labels "
            f"{', '.join(names)}. Use --output."
        )
    cut, start = facts["cut"], None
    if is_beat_table(input):
        name, found = input.name, read_rows(input, cut)
        time = np.full(len(found.data), np.nan)
    elif beats is not None:
        record = record_path(input)
        name = record.name
        cut = cut if lead is None else cut | {"channel": lead}
        found = load_wfdb_beats(
            record.parent, records=[name], annotator=beats, **loader_arguments(cut)
        )
        time = found.time
    else:
        found = find_beats(input, cut, lead=lead, rate=rate, unit=unit)
        name, start, time = (
            found.recording.name,
            found.recording.start_time,
            found.time,
        )
        if not quiet:
            tell_about(found)
    table = _table(name, start, time, names, _probabilities(pipe, found, names))
    if annotator is not None:
        _write_annotations(record_path(input), annotator, table)
    if output is not None:
        with new_file(output) as path:
            table.to_csv(path, index=False)
        counts = table["class"].value_counts()
        counts = ", ".join(f"{counts[name]} {name}" for name in names if name in counts)
        print(f"{len(table)} beats classified: {counts or 'none'}. Saved in {output}")
    elif annotator is None:
        print(table.to_csv(index=False), end="")


def _probabilities(pipe, found, names):
    """Probabilities of beats of a loader, or of one recording."""
    if len(found.data) == 0:
        return np.empty((0, len(names)))
    return predict_beats(pipe, found, "predict_proba")


def _table(record, start, time, names, probability):
    """Make a table with one row for each beat."""
    probability = probability.astype(np.float64).round(6)
    columns = {"record": record, "time": time.round(4)}
    if start is not None:
        clock = pd.Timestamp(start) + pd.to_timedelta(time.round(3), unit="s")
        columns["clock"] = clock.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3]
    columns |= {
        "class": np.array(names)[probability.argmax(axis=1)],
        "probability": probability.max(axis=1),
    }
    columns |= {f"p_{name}": p for name, p in zip(names, probability.T, strict=True)}
    return pd.DataFrame(columns, index=range(len(time)))


def _write_annotations(record, annotator, table):
    """Write the classes as a WFDB annotation file in the folder of the record."""
    import wfdb

    if table.empty:
        raise ValueError(f"No beat was found in {record}: there is nothing to write.")
    rate = wfdb.rdheader(os.fspath(record)).fs
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann(
            record.name,
            annotator,
            np.rint(table["time"].to_numpy() * rate).astype(np.int64),
            symbol=table["class"].to_numpy().astype(str),
            write_dir=folder,
        )
        written = Path(folder, f"{record.name}.{annotator}").read_bytes()
    path = file_of(record, annotator)
    with new_file(path) as unfinished:
        unfinished.write_bytes(written)
    print(f"{len(table)} annotations saved in {path}")
