"""The command ``train``."""

import contextlib
import os
import platform
import shutil
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from joblib import parallel_config
from rich.console import Console
from rich.table import Table
from sklearn import config_context

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._beats import choose_cut, hold_out, load_protocol
from ecg_sklearn.cli._checks import state_folder
from ecg_sklearn.cli._model_files import MODEL_NAME
from ecg_sklearn.cli._progress import show_progress
from ecg_sklearn.cli._recipes import TREES, make_model, make_trees
from ecg_sklearn.cli._sources import find_source
from ecg_sklearn.metrics import Evaluation
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.persistence import save
from ecg_sklearn.report._scoring import (
    draw_confusion_matrix,
    draw_training,
    predict_beats,
)
from ecg_sklearn.utils._backend import import_keras
from ecg_sklearn.utils._estimators import network_pipeline
from ecg_sklearn.utils._files import new_folder, write_json
from ecg_sklearn.utils._tensorflow import without_start_up_noise

_PACKAGES = (
    "ecg-sklearn",
    "scikit-learn",
    "imbalanced-learn",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "scipy",
)
_VALIDATION = 0.1  # part of the training beats
_RECIPE = ("preset", "sampler", "epochs", "param")


def train(
    *,
    data,
    protocol,
    kind,
    seed,
    output,
    overwrite,
    resume,
    quiet,
    **options,
):
    """Train a pipeline, print its scores, and save it with metrics and figures.

    The other options are those of :func:`_load` and of :func:`make_model`.
    """
    shared = {"protocol": protocol, "kind": kind, "seed": seed}
    recipe = {name: options.pop(name) for name in _RECIPE} | {"quiet": quiet} | shared
    source = find_source(data)
    sets = _load(source, **options, **shared)
    print_counts(sets, quiet=quiet)
    with _advice_on_resuming(state_folder(output)) as state:
        if state.exists() and not resume:
            shutil.rmtree(state)
        if kind in TREES:
            model, seconds = _fit_trees(sets["training"], recipe)
        else:
            model, seconds = _fit_network(sets, recipe, state)
        found = {
            name: Evaluation.from_predictions(
                beats.target,
                predict_beats(model, beats),
                labels=model.classes_,
                n_resamples=0,
            )
            for name, beats in sets.items()
        }
        _print_scores(found)
        print(_who_is_in_both(protocol, sets["training"], sets["test"]))
        network = None if kind in TREES else network_pipeline(model)
        epochs = "" if network is None else f" ({network[-1].n_epochs_} epochs)"
        print(f"Trained in {seconds:.0f} s{epochs}.")
        facts = _facts_of_beats(protocol, sets)
        about = facts | {"data": str(source), "kind": kind, "fit_seconds": seconds}
        about |= {"seed": seed} | {name: recipe[name] for name in _RECIPE}
        with new_folder(output, overwrite) as folder:
            save(model, folder / MODEL_NAME, metadata=facts)
            _write_numbers(folder, about, network, found)
    shutil.rmtree(state, ignore_errors=True)
    figures = "a figure" if network is None else "two figures"
    print(f"Saved {MODEL_NAME}, metrics.json and {figures} in {output}")


def _load(
    source,
    *,
    form,
    window,
    features,
    lead,
    align,
    test_data,
    records,
    annotator,
    validation,
    protocol,
    kind,
    seed,
):
    """Load the beats of a protocol: training, validation and test."""
    shared = {"protocol": protocol, "seed": seed}
    cut = choose_cut(
        source,
        protocol=protocol,
        kind=kind,
        form=form,
        window=window,
        features=features,
        lead=lead,
        align=align,
    )
    training, test = load_protocol(
        source, test_data, cut=cut, records=records, annotator=annotator, **shared
    )
    # Rows of a CSV file and simulated beats have no channel.
    training.cut = training.cut | {"channel": cut["channel"]}
    if validation is None:
        validation = 0.0 if kind in TREES else _VALIDATION
    training, held_out = hold_out(training, validation, **shared)
    sets = {"training": training, "validation": held_out, "test": test}
    return {name: beats for name, beats in sets.items() if beats is not None}


def _fit_network(sets, recipe, state):
    """Make and fit a network; return it and the training time in seconds."""
    training, validation = sets["training"], sets.get("validation")
    with without_start_up_noise():
        import_keras()
    with config_context(enable_metadata_routing=True):
        param = recipe["param"] | {"cnn__checkpoint": os.fspath(state)}
        model = make_model(training, **recipe | {"param": param})
        if state.exists():
            print(f"Going on from {state}.")
        extra = {}
        if recipe["kind"] == "rhythm":
            extra = {"groups": training.groups, "rhythms": training.rhythms}
        if validation is not None:
            extra |= {"X_val": validation.data, "y_val": validation.target}
        start = time.perf_counter()
        model.fit(training.data, training.target, **extra)
    return model, time.perf_counter() - start


def _fit_trees(training, recipe):
    """Make and fit trees; return them and the training time in seconds."""
    with without_start_up_noise():
        model = make_trees(**{name: recipe[name] for name in ("kind", "seed", "param")})
    start = time.perf_counter()
    # Not n_jobs of the trees, which the model file would keep.
    with show_progress(quiet=recipe["quiet"]), parallel_config("threading", n_jobs=-1):
        model.fit(training.data, training.target, groups=training.groups)
    return model, time.perf_counter() - start


@contextlib.contextmanager
def _advice_on_resuming(state):
    """Add advice on --resume to any error that interrupts the training."""
    advice = (
        f"the training so far is in {state}: the same command with --resume goes on "
        "from there"
    )
    try:
        yield state
    except KeyboardInterrupt:
        raise KeyboardInterrupt(advice if state.exists() else "") from None
    except OSError as error:
        if not state.exists():
            raise
        raise OSError(f"{error}; {advice}") from error


def _print_scores(found):
    """Print accuracy and macro-F1 of each set, and the test scores of each class."""
    for name, score in found.items():
        print(f"{name:<10} accuracy {score.accuracy:.4f}", end="  ")
        print(f"macro-F1 {score.macro_f1:.4f}")
    print(f"\nTest beats, class by class:\n{found['test']}")


def _who_is_in_both(protocol, training, test):
    if training.groups is None:
        return (
            "The files do not say which patients the beats come from: the test may "
            "measure memory of patients as well as skill."
        )
    if protocol == "kaggle":
        return (
            "Patients of the test beats are in the training beats as well: this "
            "measures memory of patients as well as skill. For patients that the model "
            "has not met, use --protocol inter-patient."
        )
    return leakage_note(training.groups, test.groups).message


def print_counts(sets, *, quiet):
    """Print how many beats of each class there are."""
    table = Table(title="Beats by class")
    table.add_column("")
    for column in (*CLASS_NAMES, "all", "records"):
        table.add_column(column, justify="right")
    for name, beats in sets.items():
        counts = np.bincount(beats.target, minlength=len(CLASS_NAMES))
        n_records = "?" if beats.groups is None else len(np.unique(beats.groups))
        table.add_row(
            name, *(f"{n:,}" for n in (*counts, counts.sum())), str(n_records)
        )
    Console(quiet=quiet).print(table)


def _facts_of_beats(protocol, sets):
    """Collect the metadata of the training for the model file."""
    records = None
    if sets["training"].groups is not None:
        sides = [
            sets[name].groups for name in ("training", "validation") if name in sets
        ]
        records = np.unique(np.concatenate(sides)).tolist()
    versions = {name: _version_of(name) for name in _PACKAGES}
    return {
        "protocol": protocol,
        "cut": sets["training"].cut,
        "training_records": records,
        "sets": {name: _describe(beats) for name, beats in sets.items()},
        "versions": {"python": platform.python_version()} | versions,
    }


def _version_of(package):
    """Version of a package; None for a backend of Keras that is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _describe(beats):
    """Describe the source and the number of beats."""
    counts = np.bincount(beats.target, minlength=len(CLASS_NAMES)).tolist()
    return {
        "source": beats.DESCR.splitlines()[0],
        "counts": dict(zip(CLASS_NAMES, counts, strict=True)),
        "records": None if beats.groups is None else np.unique(beats.groups).tolist(),
    }


def _write_numbers(folder, about, network, found):
    """Write metrics.json and the figures; without a network, no training curves."""
    about |= {"scores": {name: score.to_dict() for name, score in found.items()}}
    if network is not None:
        about |= {
            "n_epochs": network[-1].n_epochs_,
            "best_epoch": network[-1].best_epoch_,
            "history": network[-1].history_,
        }
        draw_training(network, folder / "history.png")
    write_json(folder / "metrics.json", about)
    draw_confusion_matrix(found["test"], folder / "confusion_matrix.png")
