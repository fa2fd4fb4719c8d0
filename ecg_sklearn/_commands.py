"""What each command of ``ecg-sklearn`` does, through the public API alone."""

import json
import os
import platform
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn import config_context

from ecg_sklearn._files import (
    new_file,
    new_folder,
    refuse_existing,
    without_start_up_noise,
    write_json,
)
from ecg_sklearn._intervals import score_with_interval
from ecg_sklearn._protocols import (
    KAGGLE_CUT,
    cut_of,
    hold_out,
    load_beats,
    load_protocol,
    read_csv_of_any_width,
    take,
)
from ecg_sklearn._scoring import (
    INTERVALS,
    draw_confusion_matrix,
    draw_training,
    report_of,
    scores_of,
)
from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import _mitbih as mitbih
from ecg_sklearn.datasets import fetch_mitbih, load_wfdb_beats
from ecg_sklearn.metrics import aami_report
from ecg_sklearn.model_selection import check_no_leakage

_CSV_SUFFIXES = (".csv", ".gz", ".zip")


def train(args):
    """Train a pipeline, print its scores, and save it with what belongs to it."""
    out = _console(args)
    output = args.output or Path("runs") / args.protocol
    refuse_existing(output, args.overwrite)
    cut = cut_of(args)
    training, test = load_protocol(args, cut)
    training, validation = hold_out(training, args)
    sets = {"training": training, "validation": validation, "test": test}
    sets = {name: beats for name, beats in sets.items() if beats is not None}
    _print_counts(out, sets)

    with without_start_up_noise():
        import tensorflow  # noqa: F401
    with config_context(enable_metadata_routing=True):
        pipe = _make_pipeline(args, training.sampling_rate)
        extra = {}
        if validation is not None:
            extra = {"X_val": validation.data, "y_val": validation.target}
        start = time.perf_counter()
        pipe.fit(training.data, training.target, **extra)
    seconds = time.perf_counter() - start
    pipe.cut_ = cut  # evaluate, report and predict cut their beats likewise

    predicted = {name: pipe.predict(beats.data) for name, beats in sets.items()}
    scores = {
        name: scores_of(beats.target, predicted[name], pipe.classes_)
        for name, beats in sets.items()
    }
    for name, score in scores.items():
        print(f"{name:<10} accuracy {score['accuracy']:.4f}", end="  ")
        print(f"macro-F1 {score['macro_f1']:.4f}")
    print(
        "\nTest beats, class by class:\n"
        f"{report_of(test.target, predicted['test'], pipe.classes_)}"
    )
    print(_who_is_on_both_sides(args, training, test))
    print(f"Trained in {seconds:.0f} s ({pipe[-1].n_epochs_} epochs).")

    with new_folder(output, args.overwrite) as folder:
        joblib.dump(pipe, folder / "model.joblib")
        write_json(
            folder / "metrics.json",
            {
                "data": args.data,
                "protocol": args.protocol,
                "cut": cut,
                "sampler": args.sampler,
                "seed": args.seed,
                "param": dict(args.param),
                "fit_seconds": seconds,
                "n_epochs": pipe[-1].n_epochs_,
                "best_epoch": pipe[-1].best_epoch_,
                "history": pipe[-1].history_,
                "sets": {name: _describe(beats) for name, beats in sets.items()},
                "scores": scores,
                "versions": _versions(),
            },
        )
        draw_training(pipe, folder / "history.png")
        draw_confusion_matrix(
            test.target,
            predicted["test"],
            pipe.classes_,
            folder / "confusion_matrix.png",
        )
    print(f"Saved model.joblib, metrics.json and two figures in {output}")


def _who_is_on_both_sides(args, training, test):
    if training.groups is None:
        return (
            "The files do not say which patients the beats come from: the test may "
            "measure memory of patients as well as skill."
        )
    if args.protocol == "kaggle":
        return (
            "Patients of the test beats are in the training beats as well: this "
            "measures memory of patients as well as skill. For patients the model "
            "never met, use --protocol inter-patient."
        )
    found = check_no_leakage(training.groups, test.groups, on_leak="return")
    shared = [
        f"{', '.join(here)} (training) and {', '.join(there)} (test)"
        for here, there in found.subjects.values()
    ]
    return "No record is in both training and test beats." + (
        f" Of one subject all the same: {', '.join(shared)}." if shared else ""
    )


def demo(args):
    """Train on simulated beats, patients apart."""
    args.data, args.test_data, args.protocol = "simulated", None, "inter-patient"
    args.form = "kaggle"
    train(args)
    print("These beats are simulated: the scores say nothing about real patients.")


def evaluate(args):
    """Score a saved pipeline on beats with labels."""
    if args.output is not None:
        refuse_existing(args.output, args.overwrite)
    pipe = _load_model(args.model)
    beats = _load_known_beats(args, pipe)
    predicted = pipe.predict(beats.data)
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

    refuse_existing(args.output, args.overwrite)
    pipe = _load_model(args.model)
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
    beats = load_beats(args.data, args.subset, seed=args.seed, cut=_cut_of_model(pipe))
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
    if args.output is not None:
        refuse_existing(args.output, args.overwrite)
    if args.annotator is not None:
        _check_annotator(args)
    pipe = _load_model(args.model)
    cut = dict(_cut_of_model(pipe))
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
    probability = pipe.predict_proba(beats.data)
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
        _print_counts(_console(args), subsets)


def _make_pipeline(args, sampling_rate):
    from ecg_sklearn.pipeline import make_ecg_pipeline

    pipe = make_ecg_pipeline(
        sampling_rate=sampling_rate,
        sampler=None if args.sampler == "none" else args.sampler,
        random_state=args.seed,
        verbose=0 if args.quiet else 1,
    )
    if args.epochs is not None:
        pipe.set_params(cnn__epochs=args.epochs)
    return pipe.set_params(**dict(args.param))


def _cut_of_model(pipe):
    """How the training beats were cut; pipelines from elsewhere take Kaggle rows."""
    return getattr(pipe, "cut_", KAGGLE_CUT)


def _load_model(path):
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    try:
        with without_start_up_noise():
            pipe = joblib.load(path)
    # Unpickling raises whatever the bytes make it do.
    except Exception as error:
        raise ValueError(
            f"{path} is not a model that ecg-sklearn train saved "
            f"({type(error).__name__}: {error})."
        ) from error
    if not hasattr(pipe, "predict_proba"):
        raise ValueError(f"{path} holds a {type(pipe).__name__}, not a classifier.")
    return pipe


def _print_counts(out, subsets):
    table = Table(title="Beats by class")
    table.add_column("")
    for column in (*CLASS_NAMES, "all", "records"):
        table.add_column(column, justify="right")
    for name, beats in subsets.items():
        counts = np.bincount(beats.target, minlength=len(CLASS_NAMES))
        n_records = "?" if beats.groups is None else len(np.unique(beats.groups))
        table.add_row(
            name, *(f"{n:,}" for n in (*counts, counts.sum())), str(n_records)
        )
    out.print(table)


def _describe(beats):
    """Say which beats these are, for metrics.json and the report."""
    counts = np.bincount(beats.target, minlength=len(CLASS_NAMES)).tolist()
    return {
        "source": beats.DESCR.splitlines()[0],
        "counts": dict(zip(CLASS_NAMES, counts, strict=True)),
        "records": None if beats.groups is None else np.unique(beats.groups).tolist(),
    }


def _console(args):
    return Console(quiet=getattr(args, "quiet", False))


def _versions():
    packages = ("ecg-sklearn", "scikit-learn", "imbalanced-learn", "scikeras", "keras")
    packages += ("tensorflow", "numpy", "scipy")
    return {"python": platform.python_version()} | {p: version(p) for p in packages}
