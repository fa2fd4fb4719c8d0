"""What each command of ``ecg-sklearn`` does, through the public API alone.

``train`` and ``demo`` live in :mod:`ecg_sklearn.cli._train`.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._model_files import check_place, cut_of_model, read_model
from ecg_sklearn.cli._protocols import load_beats, read_csv_of_any_width, take
from ecg_sklearn.cli._train import demo, print_counts, train_on_stream
from ecg_sklearn.cli._train import train as train_in_memory
from ecg_sklearn.datasets import _mitbih_files as mitbih
from ecg_sklearn.datasets import fetch_mitbih, load_wfdb_beats
from ecg_sklearn.metrics import aami_report
from ecg_sklearn.metrics._bootstrap import MOST_RESAMPLES
from ecg_sklearn.report._intervals import score_with_interval
from ecg_sklearn.report._scoring import INTERVALS, predict_beats, report_of, scores_of
from ecg_sklearn.utils._files import new_file, refuse_existing, write_json

__all__ = ["data", "demo", "evaluate", "predict", "report", "train"]

_CSV_SUFFIXES = (".csv", ".gz", ".zip")


def train(args):
    """Train a pipeline, in memory or from a stream of records."""
    (train_on_stream if args.stream else train_in_memory)(args)


def evaluate(args):
    """Score a saved pipeline on beats with labels."""
    _check_output(args)
    _check_resamples(args)
    pipe = read_model(args.model)
    beats = _load_known_beats(args, pipe)
    predicted = predict_beats(pipe, beats)
    scores = scores_of(beats.target, predicted, pipe.classes_)
    print(f"{len(beats.target)} beats, accuracy {scores['accuracy']:.4f}", end=", ")
    print(f"macro-F1 {scores['macro_f1']:.4f}")
    print(report_of(beats.target, predicted, pipe.classes_))
    ec57 = aami_report(beats.target, predicted, beats.groups)
    print(f"{ec57}\n")
    scores["ec57"] = ec57.to_dict()
    unit = "beats" if beats.groups is None else "records"
    print(f"95 % intervals, {args.resamples} resamples of {unit}")
    scores["intervals"] = {}
    for name, metric in INTERVALS.items():
        found = score_with_interval(
            metric,
            beats.target,
            predicted,
            groups=beats.groups,
            n_resamples=args.resamples,
            random_state=0,
        )
        print("{:<9} {:.4f} ({:.4f} to {:.4f})".format(name, *found))
        scores["intervals"][name] = dict(
            zip(("estimate", "low", "high"), found, strict=True), unit=unit
        )
    if args.output is not None:
        with new_file(args.output) as path:
            write_json(path, scores)


def report(args):
    """Write an HTML page about a saved pipeline."""
    from ecg_sklearn.report import make_report

    _check_output(args)
    _check_resamples(args)
    pipe = read_model(args.model)
    beats = _load_known_beats(args, pipe)
    records = note = None
    metrics = args.model.with_name("metrics.json")
    if metrics.is_file():
        trained_on = json.loads(metrics.read_text()).get("sets", {})
        sides = [trained_on[s] for s in ("training", "validation") if s in trained_on]
        if sides and all(side["records"] for side in sides):
            records = sorted({record for side in sides for record in side["records"]})
        if sides:
            counts = ", ".join(
                f"{n:,} {name}" for name, n in sides[0]["counts"].items()
            )
            note = f"{sides[0]['source']} Beats: {counts}."
    make_report(
        pipe,
        beats,
        args.output,
        title=args.title,
        training_groups=records,
        training_note=note,
        n_resamples=args.resamples,
    )
    print(f"Saved {args.output}")


def _load_known_beats(args, pipe):
    """Load labelled beats; leave out classes that a pipeline was trained without."""
    beats = load_beats(args.data, args.subset, seed=args.seed, cut=cut_of_model(pipe))
    known = np.isin(beats.target, pipe.classes_)
    if not known.all():
        names = sorted({CLASS_NAMES[label] for label in beats.target[~known]})
        print(
            f"{np.count_nonzero(~known)} beats of {', '.join(names)} are left out: the "
            "model was trained without them."
        )
    return take(beats, np.flatnonzero(known))


def predict(args):
    """Classify the beats of a CSV file or a WFDB record."""
    _check_output(args)
    if (
        args.input.is_dir()
        and not args.input.with_name(f"{args.input.name}.hea").exists()
    ):
        raise IsADirectoryError(
            f"{args.input} is a folder. Name a record in it, without its suffix, or a "
            "CSV file."
        )
    if args.annotator is not None:
        _check_annotator(args)
    pipe = read_model(args.model)
    cut = dict(cut_of_model(pipe))
    if args.channel is not None:
        cut["channel"] = args.channel
    if args.input.suffix in _CSV_SUFFIXES:
        beats = read_csv_of_any_width(args.input, cut)
        record, seconds = args.input.name, np.full(len(beats.data), np.nan)
    else:
        beats = load_wfdb_beats(
            args.input.parent,
            records=[args.input.name],
            annotator=args.beats,
            **cut,
        )
        record, seconds = args.input.name, beats.time
    probability = predict_beats(pipe, beats, "predict_proba")
    names = [CLASS_NAMES[label] for label in pipe.classes_]
    probability = probability.astype(np.float64).round(6)
    table = pd.DataFrame(
        {
            "record": record,
            "time": seconds.round(4),
            "class": np.array(names)[probability.argmax(axis=1)],
            "probability": probability.max(axis=1),
        }
        | {
            f"p_{name}": column
            for name, column in zip(names, probability.T, strict=True)
        }
    )
    if args.annotator is not None:
        _write_annotations(args, table)
    if args.output is None:
        if args.annotator is None:
            print(table.to_csv(index=False), end="")
        return
    with new_file(args.output) as path:
        table.to_csv(path, index=False)
    counts = table["class"].value_counts()
    print(
        f"{len(table)} beats classified: "
        f"{', '.join(f'{counts[n]} {n}' for n in names if n in counts)}. "
        f"Saved in {args.output}"
    )


def _check_output(args):
    """Refuse, before any work, an output that could not or should not be written."""
    if args.output is None:
        return
    if args.output.is_dir():
        raise IsADirectoryError(f"--output {args.output} is a folder. Name a file.")
    refuse_existing(args.output, args.overwrite)
    check_place(args.output)


def _check_resamples(args):
    if not 1 <= args.resamples <= MOST_RESAMPLES:
        raise ValueError(
            f"--resamples {args.resamples} must be from 1 to {MOST_RESAMPLES:,}."
        )


def _check_annotator(args):
    """Refuse annotation files that cannot or should not be written."""
    if args.input.suffix in _CSV_SUFFIXES:
        raise ValueError("--annotator needs a WFDB record; a CSV file has no times.")
    if not args.annotator.isalpha():
        raise ValueError(f"--annotator {args.annotator!r}: letters only, as wfdb asks.")
    if args.annotator == args.beats:
        raise ValueError(
            f"--annotator {args.annotator} would replace the annotations that mark the "
            "beats. Choose another name."
        )
    refuse_existing(_annotation_file(args), args.overwrite)


def _annotation_file(args):
    return args.input.with_name(f"{args.input.name}.{args.annotator}")


def _write_annotations(args, table):
    """Write the classes beside the record, for WAVE, LightWAVE and bxb to read."""
    import wfdb

    rate = wfdb.rdheader(os.fspath(args.input)).fs
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann(
            args.input.name,
            args.annotator,
            np.rint(table["time"].to_numpy() * rate).astype(np.int64),
            symbol=table["class"].to_numpy().astype("U1"),
            write_dir=folder,
        )
        written = Path(folder, f"{args.input.name}.{args.annotator}").read_bytes()
    with new_file(_annotation_file(args)) as path:
        path.write_bytes(written)
    print(f"{len(table)} annotations saved in {_annotation_file(args)}")


def data(args):
    """Fetch, verify or count the MIT-BIH database."""
    directory = mitbih.find_mitbih(args.data)
    if args.action == "fetch":
        check_place(directory / "RECORDS")
        mitbih.download_mitbih(directory)  # what is there and whole stays
        print(f"The MIT-BIH database is in {directory}")
    elif args.action == "verify":
        if missing := mitbih.missing_files(directory):
            raise OSError(
                f"{len(missing)} files are missing in {directory}: {missing[0]}"
            )
        if damaged := mitbih.damaged_files(directory):
            raise OSError(f"{len(damaged)} files in {directory} are damaged: {damaged}")
        print(f"{len(mitbih.checksums())} files in {directory} are as published.")
    else:
        subsets = {
            name: fetch_mitbih(
                data_home=args.data, subset=name, download_if_missing=False
            )
            for name in ("all", "train", "test", "ds1", "ds2")
        }
        print_counts(args, subsets)
