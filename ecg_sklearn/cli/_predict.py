"""The command ``predict``."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._beats import loader_arguments, read_rows
from ecg_sklearn.cli._checks import file_of, is_table, record_path
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.datasets import load_wfdb_beats
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file


def predict(*, model, input, beats, annotator, channel, output, overwrite, quiet):
    """Classify the beats of a CSV file or a WFDB record."""
    pipe, facts = read_model(model)
    names = label_names(pipe.classes_)
    if annotator is not None and not set(names) <= set(CLASS_NAMES):
        raise ValueError(
            f"--annotator writes N, S, V, F and Q, and the model has the labels "
            f"{', '.join(names)}. Use --output."
        )
    cut = facts["cut"] if channel is None else facts["cut"] | {"channel": channel}
    if is_table(input):
        name, found = input.name, read_rows(input, cut)
        time = np.full(len(found.data), np.nan)
    else:
        record = record_path(input)
        name = record.name
        found = load_wfdb_beats(
            record.parent, records=[name], annotator=beats, **loader_arguments(cut)
        )
        time = found.time
    table = _table(name, time, names, predict_beats(pipe, found, "predict_proba"))
    if annotator is not None:
        _write_annotations(record, annotator, table)
    if output is not None:
        with new_file(output) as path:
            table.to_csv(path, index=False)
        counts = table["class"].value_counts()
        counts = ", ".join(f"{counts[name]} {name}" for name in names if name in counts)
        print(f"{len(table)} beats classified: {counts}. Saved in {output}")
    elif annotator is None:
        print(table.to_csv(index=False), end="")


def _table(record, time, names, probability):
    """Make a table with one row for each beat."""
    probability = probability.astype(np.float64).round(6)
    columns = {
        "record": record,
        "time": time.round(4),
        "class": np.array(names)[probability.argmax(axis=1)],
        "probability": probability.max(axis=1),
    }
    columns |= {f"p_{name}": p for name, p in zip(names, probability.T, strict=True)}
    return pd.DataFrame(columns)


def _write_annotations(record, annotator, table):
    """Write the classes as a WFDB annotation file in the folder of the record."""
    import wfdb

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
