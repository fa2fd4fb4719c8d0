"""Scores of detected beats: ``evaluate --detect``."""

import numpy as np
from rich.progress import track

from ecg_sklearn.analysis._beats import find_beats
from ecg_sklearn.cli._evaluate import choose_subset, read_classifier
from ecg_sklearn.cli._sources import find_source, records_of
from ecg_sklearn.datasets._records import read_raw_annotations
from ecg_sklearn.metrics import ec57_report
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.report._scoring import predict_beats


def evaluate_detected(
    path,
    *,
    data,
    subset,
    records,
    annotator,
    lead,
    seed,
    escape,
    skip_first,
    quiet,
):
    """Detect and classify the beats of annotated records; return the numbers as a dict.

    Missed and extra beats count. Beats of stretches that cannot be read are missed.
    """
    source = find_source(data)
    if not source.has_records:
        raise ValueError(
            f"--detect needs annotated WFDB records, and {source} holds single beats."
        )
    model, facts, names = read_classifier(path)
    subset = choose_subset(source, subset, records, facts)
    places = records_of(source, subset, records, annotator)
    reference, detected, rates, seconds, lost = {}, {}, {}, 0.0, 0.0
    for folder, name, group in track(places, "Records", disable=quiet, transient=True):
        notes = read_raw_annotations(folder, name, annotator)
        found = find_beats(folder / name, facts["cut"], lead=lead)
        classes = np.empty(0, dtype=int)
        if len(found.position):
            classes = predict_beats(model, found)
        labels = dict(zip(model.classes_.tolist(), names, strict=True))
        letters = np.array([labels[label] for label in classes.tolist()], dtype=str)
        rate = found.recording.sampling_rate
        reference[group], rates[group] = notes, rate
        detected[group] = _with_stretches(found, letters)
        seconds += found.recording.duration
        lost += found.unreadable
    report = ec57_report(
        reference, detected, rates, skip_first=skip_first, escape=escape
    )
    print(report)
    share = 1 - lost / seconds
    print(f"\n{share:.2%} of {seconds / 3600:.2f} h analysed.")
    leakage = leakage_note(facts.get("training_records"), list(reference)).message
    print(leakage)
    return report.to_dict() | {
        "subset": subset,
        "analysed": share,
        "leakage": leakage,
    }


def _with_stretches(found, letters):
    """Join detected beats and marks around the stretches that cannot be read."""
    rate = found.recording.sampling_rate
    edges = found.stretches[["start", "end"]].to_numpy().ravel()
    marks = np.rint(edges * rate).astype(np.int64)
    sample = np.concatenate([found.position, marks])
    symbol = np.concatenate([letters.astype("U1"), np.full(len(marks), "~")])
    subtype = np.concatenate(
        [np.zeros(len(letters), dtype=int), np.resize([-1, 0], len(marks))]
    )
    order = np.argsort(sample, kind="stable")
    return sample[order], symbol[order], subtype[order]
