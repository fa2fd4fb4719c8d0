"""The command ``predict``."""

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.analysis._beats import find_beats
from ecg_sklearn.cli._checks import is_beat_table, record_path
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.cli._recording import tell_about
from ecg_sklearn.cli._sources import loader_arguments, read_rows
from ecg_sklearn.cli._tables import clock_text, write_annotations
from ecg_sklearn.datasets import load_wfdb_beats
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file
from ecg_sklearn.utils._labels import choose_labels


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
    probability = _probabilities(pipe, found, names)
    chosen = choose_labels(pipe, probability)
    table = _table(name, start, time, names, probability, chosen)
    if annotator is not None:
        record = record_path(input)
        print(write_annotations(record, annotator, table["time"], table["class"]))
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


def _table(record, start, time, names, probability, chosen):
    """Make a table with one row for each beat."""
    probability = probability.astype(np.float64).round(6)
    columns = {"record": record, "time": time.round(4)}
    if start is not None:
        clock = pd.Timestamp(start) + pd.to_timedelta(time.round(3), unit="s")
        columns["clock"] = clock_text(clock)
    columns |= {
        "class": np.array(names)[chosen],
        "probability": probability[np.arange(len(chosen)), chosen],
    }
    columns |= {f"p_{name}": p for name, p in zip(names, probability.T, strict=True)}
    return pd.DataFrame(columns, index=range(len(time)))
