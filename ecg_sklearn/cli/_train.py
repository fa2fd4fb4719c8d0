"""The commands that train: in memory, from a stream of records, and the demo."""

import contextlib
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn import config_context

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._model_files import MODEL_NAME, check_place, write_model
from ecg_sklearn.cli._protocols import (
    context_trees,
    cut_of,
    hold_out,
    load_protocol,
    pipeline_params,
)
from ecg_sklearn.datasets import iter_beats
from ecg_sklearn.datasets._records import record_names
from ecg_sklearn.ensemble import ShapeRhythmClassifier
from ecg_sklearn.model_selection import check_no_leakage, subject_of
from ecg_sklearn.report._scoring import (
    draw_confusion_matrix,
    draw_training,
    predict_beats,
    report_of,
    scores_of,
    shape_of,
)
from ecg_sklearn.streaming import fit_stream
from ecg_sklearn.utils._files import (
    new_folder,
    refuse_existing,
    without_start_up_noise,
    write_json,
)

__all__ = ["demo", "print_counts", "train", "train_on_stream"]


def train(args):
    """Train a pipeline, print its scores, and save it with what belongs to it."""
    if getattr(args, "channel", None) is not None:
        raise ValueError("--channel goes with --stream.")
    if args.copies < 0:
        raise ValueError(f"--copies {args.copies} is negative.")
    args.protocol = args.protocol or "kaggle"
    output = args.output or Path("runs") / args.protocol
    _check_output(output, args)
    state = _state_file(output)
    _check_state(state, args)
    cut = cut_of(args)
    training, test = load_protocol(args, cut)
    training, validation = hold_out(training, args)
    sets = {"training": training, "validation": validation, "test": test}
    sets = {name: beats for name, beats in sets.items() if beats is not None}
    print_counts(args, sets)
    with _advice_on_resuming(state):
        model, seconds = _fit(args, cut, training, validation, state)
        model.cut_ = cut  # evaluate, report and predict cut their beats likewise
        predicted = {name: predict_beats(model, beats) for name, beats in sets.items()}
        scores = {
            name: scores_of(beats.target, predicted[name], model.classes_)
            for name, beats in sets.items()
        }
        _print_scores(scores, test.target, predicted["test"], model.classes_)
        print(_who_is_on_both_sides(args, training, test))
        pipe = shape_of(model)
        print(f"Trained in {seconds:.0f} s ({pipe[-1].n_epochs_} epochs).")
        with new_folder(output, args.overwrite) as folder:
            write_model(model, folder / MODEL_NAME)
            facts = _facts(args, cut, pipe, seconds) | {
                "sets": {name: _describe(beats) for name, beats in sets.items()},
                "scores": scores,
            }
            write_json(folder / "metrics.json", facts)
            draw_training(pipe, folder / "history.png")
            figure = folder / "confusion_matrix.png"
            draw_confusion_matrix(
                test.target, predicted["test"], model.classes_, figure
            )
    state.unlink(missing_ok=True)
    print(f"Saved {MODEL_NAME}, metrics.json and two figures in {output}")


def demo(args):
    """Train on simulated beats, patients apart."""
    args.data, args.test_data, args.protocol = "simulated", None, "inter-patient"
    args.form, args.context, args.rhythm = "kaggle", False, False
    args.copies = 0
    train(args)
    print("These beats are simulated: the scores say nothing about real patients.")


def _fit(args, cut, training, validation, state):
    """Make and fit the model; return it and the seconds that took."""
    with without_start_up_noise():
        import tensorflow  # noqa: F401
    with config_context(enable_metadata_routing=True):
        pipe = _make_pipeline(args, pipeline_params(args, training, cut))
        pipe.set_params(cnn__checkpoint=os.fspath(state))
        if not args.resume:
            state.unlink(missing_ok=True)
        elif state.exists():
            print(f"Going on from {state}.")
        model, extra = pipe, {}
        if args.rhythm:
            model = ShapeRhythmClassifier(
                pipe, n_rhythm=training.n_rhythm, random_state=args.seed
            )
            if training.n_context:
                trees = context_trees(training.target, args.seed)
                model.set_params(context_estimator=trees, n_context=training.n_context)
            extra = {"groups": training.groups, "rhythms": training.rhythms}
        if validation is not None:
            extra |= {"X_val": validation.data, "y_val": validation.target}
        start = time.perf_counter()
        model.fit(training.data, training.target, **extra)
    return model, time.perf_counter() - start


def _make_pipeline(args, params):
    from ecg_sklearn.pipeline import make_ecg_pipeline

    pipe = make_ecg_pipeline(**params, verbose=0 if args.quiet else 1)
    if args.epochs is not None:
        pipe.set_params(cnn__epochs=args.epochs)
    for name, _ in args.param:
        if name.partition("__")[0] not in pipe.named_steps:
            raise ValueError(
                f"--param {name}: the pipeline has no such step. Its steps are "
                f"{', '.join(pipe.named_steps)}."
            )
    return pipe.set_params(**dict(args.param))


def _check_output(output, args):
    refuse_existing(output, args.overwrite)
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output} is a file. Choose another --output.")
    check_place(output)


def _state_file(output):
    """Where the state of an unfinished training lies: beside its output."""
    output = output if output.name else Path(os.path.abspath(output))
    return output.with_name(f"{output.name}.training.npz")


def _check_state(state, args):
    """Refuse to lose the state of an unfinished training."""
    if state.exists() and not args.resume and not args.overwrite:
        raise FileExistsError(
            f"{state} holds the state of a training that was broken off. Add --resume "
            "to go on from there, or --overwrite to begin anew."
        )


@contextlib.contextmanager
def _advice_on_resuming(state):
    """Say how to go on from the state on disk, whatever broke the training off."""
    advice = (
        f"the training so far is in {state}: the same command with --resume goes on "
        "from there"
    )
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(advice if state.exists() else "") from None
    except OSError as error:
        if not state.exists():
            raise
        raise OSError(f"{error}; {advice}") from error


def _print_scores(scores, y_true, y_pred, classes):
    """Print a line for each set of beats, and the classes of the test beats."""
    for name, score in scores.items():
        print(f"{name:<10} accuracy {score['accuracy']:.4f}", end="  ")
        print(f"macro-F1 {score['macro_f1']:.4f}")
    print(f"\nTest beats, class by class:\n{report_of(y_true, y_pred, classes)}")


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


def print_counts(args, subsets):
    """Print how many beats of each class there are.

    Parameters
    ----------
    args : argparse.Namespace
        With ``quiet``, or without.
    subsets : dict of str to Bunch
        Beats by the name of their subset.
    """
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
    Console(quiet=getattr(args, "quiet", False)).print(table)


def _facts(args, cut, pipe, seconds):
    """Collect what metrics.json says of any training."""
    return {
        "data": args.data,
        "protocol": args.protocol,
        "cut": cut,
        "sampler": args.sampler,
        "copies": getattr(pipe.named_steps.get("augmenter"), "n_copies", 0),
        "rhythm": args.rhythm,
        "seed": args.seed,
        "param": dict(args.param),
        "fit_seconds": seconds,
        "n_epochs": pipe[-1].n_epochs_,
        "best_epoch": pipe[-1].best_epoch_,
        "history": pipe[-1].history_,
        "versions": _versions(),
    }


def _describe(beats):
    """Say which beats these are, for metrics.json and the report."""
    counts = np.bincount(beats.target, minlength=len(CLASS_NAMES)).tolist()
    return {
        "source": beats.DESCR.splitlines()[0],
        "counts": dict(zip(CLASS_NAMES, counts, strict=True)),
        "records": None if beats.groups is None else np.unique(beats.groups).tolist(),
    }


def _versions():
    packages = ("ecg-sklearn", "scikit-learn", "imbalanced-learn", "scikeras", "keras")
    packages += ("tensorflow", "numpy", "scipy")
    return {"python": platform.python_version()} | {p: version(p) for p in packages}


def train_on_stream(args):
    """Train on the records of a folder, a few at a time; score those held out."""
    _check_stream_options(args)
    args.protocol = "inter-patient"  # for the parameters that suit new patients
    output = args.output or Path("runs") / "stream"
    _check_output(output, args)
    cut = cut_of(args)
    if args.channel is not None:
        cut["channel"] = args.channel
    folder = Path(args.data)
    training, held_out = _split_records(folder, args)

    with without_start_up_noise():
        import tensorflow  # noqa: F401
    batches = _Counted(lambda: iter_beats(folder, records=training, **cut))
    first = next(batches())
    params = pipeline_params(args, first, cut)
    # It needs the frequencies of the classes, which a stream tells too late.
    params.pop("logit_adjustment", None)
    pipe = _make_pipeline(args, params)
    start = time.perf_counter()
    fit_stream(pipe, batches, epochs=pipe["cnn"].epochs, verbose=int(not args.quiet))
    seconds = time.perf_counter() - start
    pipe.cut_ = cut
    sets = {"training": batches.description(first, training)}
    scores = {}
    if held_out:
        test = _Counted(lambda: iter_beats(folder, records=held_out, **cut))
        y_true, y_pred = _predict_stream(pipe, test)
        sets["test"] = test.description(first, held_out)
        scores["test"] = scores_of(y_true, y_pred, pipe.classes_)
        _print_scores(scores, y_true, y_pred, pipe.classes_)
    print(f"Trained in {seconds:.0f} s on {len(training)} records.")
    with new_folder(output, args.overwrite) as new:
        write_model(pipe, new / MODEL_NAME)
        facts = _facts(args, cut, pipe, seconds)
        facts |= {"protocol": "stream", "sets": sets, "scores": scores}
        write_json(new / "metrics.json", facts)
        if held_out:
            figure = new / "confusion_matrix.png"
            draw_confusion_matrix(y_true, y_pred, pipe.classes_, figure)
    print(f"Saved {MODEL_NAME} and what belongs to it in {output}")


def _check_stream_options(args):
    """Refuse what does not go with --stream."""
    if args.data is None or not Path(args.data).is_dir():
        raise ValueError(
            f"--stream needs a folder of WFDB records in --data; got {args.data}."
        )
    for option, given in (
        ("--protocol", args.protocol),
        ("--test-data", args.test_data),
        ("--resume", args.resume),
        ("--rhythm", args.rhythm),
        ("--copies", args.copies),
    ):
        if given:
            raise ValueError(f"{option} does not go with --stream.")
    if args.sampler != "none":
        raise ValueError(
            f"--sampler {args.sampler} does not go with --stream: neighbours of a beat "
            "are not in its batch."
        )


def _split_records(folder, args):
    """Names of the records to train on and to hold out, subjects kept together."""
    if not 0 <= args.validation < 1:
        raise ValueError(f"--validation {args.validation} is not in [0, 1).")
    if args.seed < 0:
        raise ValueError(f"--seed {args.seed} is negative.")
    names = np.array(record_names(folder, None, "atr"))
    rng = np.random.default_rng(args.seed)
    subjects = subject_of(names)
    order = rng.permutation(np.unique(subjects))
    n_held_out = round(args.validation * len(order)) or int(args.validation > 0)
    if n_held_out >= len(order):
        raise ValueError(
            f"{folder} holds records of {len(order)} subjects, which leaves none to "
            f"train on with --validation {args.validation}. Use --validation 0."
        )
    held_out = np.isin(subjects, order[:n_held_out])
    # Neighbours in the list are often alike, and batches should not be.
    return rng.permutation(names[~held_out]).tolist(), names[held_out].tolist()


def _predict_stream(pipe, batches):
    """Labels and predictions of all beats whose class the pipeline knows."""
    y_true, y_pred = [], []
    for beats in batches():
        known = np.isin(beats.target, pipe.classes_)
        if known.any():
            y_true.append(beats.target[known])
            y_pred.append(pipe.predict(beats.data[known]))
    if not y_true:
        raise ValueError("The records held out have no beat of a class trained on.")
    return np.concatenate(y_true), np.concatenate(y_pred)


class _Counted:
    """Batches that are counted while they are read."""

    def __init__(self, make):
        self.make = make
        self.counts = np.zeros(len(CLASS_NAMES), dtype=int)

    def __call__(self):
        counts = np.zeros(len(CLASS_NAMES), dtype=int)
        for batch in self.make():
            counts += np.bincount(batch.target, minlength=len(CLASS_NAMES))
            yield batch
        self.counts = counts

    def description(self, beats, records):
        """Say what :func:`_describe` says of beats that are there at once."""
        counts = dict(zip(CLASS_NAMES, self.counts.tolist(), strict=True))
        source = beats.DESCR.splitlines()[0]
        return {"source": source, "counts": counts, "records": sorted(records)}
