"""What each command of ``ecg-sklearn`` does, through the public API alone."""

import contextlib
import json
import os
import platform
import shutil
import sys
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
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
)
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils import Bunch

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import _mitbih as mitbih
from ecg_sklearn.datasets import (
    fetch_mitbih,
    load_heartbeat_csv,
    load_wfdb_beats,
    make_heartbeats,
)

_PROTOCOL_NOTES = {
    "kaggle": (
        "All patients are in both training and test beats: this measures memory of "
        "patients as well as skill. For patients the model never met, use "
        "--protocol inter-patient."
    ),
    "inter-patient": "No patient is in both training and test beats.",
}
_SIMULATED = {
    "n_samples": 6000,
    "n_records": 60,
    "weights": [0.6, 0.1, 0.15, 0.05, 0.1],
}


def train(args):
    """Train a pipeline, print its scores, and save it with what belongs to it."""
    out = _console(args)
    output = args.output or Path("runs") / args.protocol
    _refuse_existing(output, args.overwrite)
    training, test = _load_protocol(args)
    training, validation = _hold_out(training, args)
    _print_counts(out, {"training": training, "validation": validation, "test": test})

    with _without_start_up_noise():
        import tensorflow  # noqa: F401
    with config_context(enable_metadata_routing=True):
        pipe = _make_pipeline(args, training.sampling_rate)
        extra = {}
        if validation is not None:
            extra = {"X_val": validation.data, "y_val": validation.target}
        start = time.perf_counter()
        pipe.fit(training.data, training.target, **extra)
    seconds = time.perf_counter() - start

    scores = {"training": _score(pipe, training), "test": _score(pipe, test)}
    if validation is not None:
        scores["validation"] = _score(pipe, validation)
    for name in ("training", "validation", "test"):
        if name in scores:
            print(f"{name:<10} accuracy {scores[name]['accuracy']:.4f}", end="  ")
            print(f"macro-F1 {scores[name]['macro_f1']:.4f}")
    print(f"\nTest beats, class by class:\n{_report(pipe, test)}")
    print(_PROTOCOL_NOTES[args.protocol])
    print(f"Trained in {seconds:.0f} s ({pipe[-1].n_epochs_} epochs).")

    with _folder(output, args.overwrite) as folder:
        joblib.dump(pipe, folder / "model.joblib")
        _write_json(
            folder / "metrics.json",
            {
                "data": args.data,
                "protocol": args.protocol,
                "sampler": args.sampler,
                "seed": args.seed,
                "param": dict(args.param),
                "fit_seconds": seconds,
                "n_epochs": pipe[-1].n_epochs_,
                "best_epoch": pipe[-1].best_epoch_,
                "history": pipe[-1].history_,
                "scores": scores,
                "versions": _versions(),
            },
        )
        _draw(pipe, test, folder)
    print(f"Saved model.joblib, metrics.json and two figures in {output}")


def demo(args):
    """Train on simulated beats, patients apart."""
    args.data, args.test_data, args.protocol = "simulated", None, "inter-patient"
    train(args)
    print("These beats are simulated: the scores say nothing about real patients.")


def evaluate(args):
    """Score a saved pipeline on beats with labels."""
    if args.output is not None:
        _refuse_existing(args.output, args.overwrite)
    pipe = _load_model(args.model)
    beats = _load_beats(args.data, args.subset, args.seed)
    known = np.isin(beats.target, pipe.classes_)
    if not known.all():
        names = sorted({CLASS_NAMES[label] for label in beats.target[~known]})
        print(
            f"{np.count_nonzero(~known)} beats of {', '.join(names)} are left out: the "
            "model was trained without them."
        )
    beats = _take(beats, np.flatnonzero(known))
    scores = _score(pipe, beats)
    print(f"{len(beats.target)} beats, accuracy {scores['accuracy']:.4f}", end=", ")
    print(f"macro-F1 {scores['macro_f1']:.4f}\n{_report(pipe, beats)}")
    if args.output is not None:
        with _file(args.output) as path:
            _write_json(path, scores)


def predict(args):
    """Classify the beats of a CSV file or a WFDB record."""
    if args.output is not None:
        _refuse_existing(args.output, args.overwrite)
    pipe = _load_model(args.model)
    if args.input.suffix in (".csv", ".gz", ".zip"):
        beats = _read_csv_of_any_width(args.input)
        record, seconds = args.input.name, np.full(len(beats.data), np.nan)
    else:
        beats = load_wfdb_beats(
            args.input.parent,
            records=[args.input.name],
            annotator=args.annotator,
            channel=args.channel,
            form="kaggle",
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
    if args.output is None:
        print(table.to_csv(index=False), end="")
        return
    with _file(args.output) as path:
        table.to_csv(path, index=False)
    counts = table["class"].value_counts()
    print(
        f"{len(table)} beats classified: "
        f"{', '.join(f'{counts[n]} {n}' for n in names if n in counts)}. "
        f"Saved in {args.output}"
    )


def data(args):
    """Fetch, verify or count the MIT-BIH database."""
    directory = mitbih.find_mitbih(args.data)
    if args.action == "fetch":
        if mitbih.missing_files(directory):
            mitbih.download_mitbih(directory)
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


def _load_protocol(args):
    """Training and test beats of a protocol."""
    if args.data == "simulated":
        beats = make_heartbeats(**_SIMULATED, random_state=args.seed)
        groups = beats.groups if args.protocol == "inter-patient" else None
        return _split(beats, 0.25, groups, args.seed)
    if args.data is not None and Path(args.data).is_file():
        if args.protocol != "kaggle":
            raise ValueError(
                f"{args.data} does not say which record a beat comes from, so patients "
                "cannot be kept apart. Give --data a folder with the MIT-BIH records."
            )
        if args.test_data is None:
            raise ValueError("A CSV file in --data needs another one in --test-data.")
        return load_heartbeat_csv(args.data), load_heartbeat_csv(args.test_data)
    if args.test_data is not None:
        raise ValueError("--test-data goes with a CSV file in --data.")
    if args.protocol == "kaggle":
        return _load_beats(args.data, "train"), _load_beats(args.data, "test")
    unclassifiable = CLASS_NAMES.index("Q")
    sides = (_load_beats(args.data, subset) for subset in ("ds1", "ds2"))
    return tuple(_take(b, np.flatnonzero(b.target != unclassifiable)) for b in sides)


def _load_beats(where, subset, seed=None):
    """Beats of one source: simulated, a CSV file, or a subset of MIT-BIH."""
    if where == "simulated":
        return make_heartbeats(**_SIMULATED, random_state=seed)
    if where is not None and Path(where).is_file():
        return load_heartbeat_csv(where)
    if where is not None and not Path(where).is_dir():
        raise FileNotFoundError(
            f"--data {where}: there is no such folder or file. To download the MIT-BIH "
            f"database there: ecg-sklearn data fetch --data {where}"
        )
    return fetch_mitbih(data_home=where, subset=subset)


def _read_csv_of_any_width(path):
    """Read rows of 187 samples, with or without a label behind them."""
    try:
        width = pd.read_csv(path, header=None, nrows=1).shape[1]
    except (pd.errors.EmptyDataError, pd.errors.ParserError, FileNotFoundError):
        width = 0  # the reader below says what is wrong
    return load_heartbeat_csv(path, labelled=width == 188)


def _hold_out(beats, args):
    """Hold out beats to validate on: whole records where patients are kept apart."""
    if not 0 <= args.validation < 1:
        raise ValueError(f"--validation {args.validation} is not in [0, 1).")
    if args.validation == 0:
        return beats, None
    groups = beats.groups if args.protocol == "inter-patient" else None
    return _split(beats, args.validation, groups, args.seed)


def _split(beats, fraction, groups, seed):
    """Split beats in two, stratified by class, with groups kept together."""
    rows = np.arange(len(beats.target))
    if groups is None:
        parts = train_test_split(
            rows, test_size=fraction, stratify=beats.target, random_state=seed
        )
    else:
        folds = StratifiedGroupKFold(
            max(2, round(1 / fraction)), shuffle=True, random_state=seed
        )
        parts = next(folds.split(rows, beats.target, groups))
    return tuple(_take(beats, np.sort(part)) for part in parts)


def _take(beats, rows):
    """Beats of some rows."""
    columns = ("data", "target", "groups", "symbols", "rr", "time")
    taken = {
        key: value[rows] if key in columns and value is not None else value
        for key, value in beats.items()
    }
    return Bunch(**taken)


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


def _load_model(path):
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    try:
        with _without_start_up_noise():
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


def _score(pipe, beats):
    """Scores of a pipeline on some beats, as plain numbers."""
    predicted = pipe.predict(beats.data)
    labels = pipe.classes_
    report = classification_report(
        beats.target,
        predicted,
        labels=labels,
        target_names=[CLASS_NAMES[label] for label in labels],
        output_dict=True,
        zero_division=0,
    )
    return {
        "n_beats": len(beats.target),
        "accuracy": accuracy_score(beats.target, predicted),
        "macro_f1": f1_score(
            beats.target, predicted, labels=labels, average="macro", zero_division=0
        ),
        "classes": {CLASS_NAMES[label]: report[CLASS_NAMES[label]] for label in labels},
        "confusion_matrix": confusion_matrix(
            beats.target, predicted, labels=labels
        ).tolist(),
    }


def _report(pipe, beats):
    return classification_report(
        beats.target,
        pipe.predict(beats.data),
        labels=pipe.classes_,
        target_names=[CLASS_NAMES[label] for label in pipe.classes_],
        digits=4,
        zero_division=0,
    )


def _draw(pipe, test, folder):
    """Draw the training curves and the confusion matrix into a folder."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from ecg_sklearn.plotting import TrainingHistoryDisplay

    history = TrainingHistoryDisplay.from_estimator(pipe)
    history.figure_.savefig(folder / "history.png", dpi=150)
    fig, ax = plt.subplots(figsize=(5.5, 4.8), layout="constrained")
    ConfusionMatrixDisplay.from_estimator(
        pipe,
        test.data,
        test.target,
        normalize="true",
        display_labels=[CLASS_NAMES[label] for label in pipe.classes_],
        values_format=".3f",
        cmap="Blues",
        im_kw={"vmin": 0, "vmax": 1},
        ax=ax,
    )
    ax.set_title(f"Test beats (n = {len(test.target):,}), as fractions of each row")
    fig.savefig(folder / "confusion_matrix.png", dpi=150)
    plt.close("all")


def _print_counts(out, subsets):
    table = Table(title="Beats by class")
    table.add_column("")
    for column in (*CLASS_NAMES, "all", "records"):
        table.add_column(column, justify="right")
    for name, beats in subsets.items():
        if beats is not None:
            counts = np.bincount(beats.target, minlength=len(CLASS_NAMES))
            n_records = "?" if beats.groups is None else len(np.unique(beats.groups))
            table.add_row(
                name, *(f"{n:,}" for n in (*counts, counts.sum())), str(n_records)
            )
    out.print(table)


def _console(args):
    return Console(quiet=getattr(args, "quiet", False))


def _versions():
    packages = ("ecg-sklearn", "scikit-learn", "imbalanced-learn", "scikeras", "keras")
    packages += ("tensorflow", "numpy", "scipy")
    return {"python": platform.python_version()} | {p: version(p) for p in packages}


def _write_json(path, content):
    path.write_text(json.dumps(content, indent=1, default=float) + "\n")


def _refuse_existing(path, overwrite):
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another --output, or add --overwrite."
        )


@contextlib.contextmanager
def _file(path):
    """Give a temporary path beside ``path``; move it there if all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _folder(path, overwrite):
    """Give a temporary folder beside ``path``; move it there if all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    old = None
    try:
        yield new
        _refuse_existing(path, overwrite)
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
            os.replace(path, old)
        new.chmod(0o777 & ~_umask())
        os.rename(new, path)
    finally:
        for leftover in (new, old):
            if leftover is not None:
                shutil.rmtree(leftover, ignore_errors=True)


@contextlib.contextmanager
def _without_start_up_noise():
    """Hold back what TensorFlow writes while it starts, unless it fails.

    It tells of its optimisations and of graphics cards that it does not find, before
    any setting can stop it.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
