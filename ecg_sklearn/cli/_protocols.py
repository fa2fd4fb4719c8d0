"""The beats of a command: its sources, its protocols, and what is held out."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import fetch_mitbih, load_heartbeat_csv, make_heartbeats
from ecg_sklearn.model_selection import record_train_test_split

_SIMULATED = {
    "n_samples": 6000,
    "n_records": 60,
    "weights": [0.6, 0.1, 0.15, 0.05, 0.1],
}


# How beats are cut, unless a model says otherwise: as arguments of load_wfdb_beats.
KAGGLE_CUT = {"form": "kaggle", "channel": 0, "context": False}
WINDOW_CUT = {
    "form": "window",
    "channel": ("MLII", "V5"),
    "window": (-0.4, 0.5),
    "sampling_rate": 120.0,
    "context": True,
}

_KAGGLE = {"phase": True, "residual": (3,), "label_smoothing": 0.1, "epochs": 12}
PIPELINES = {
    "kaggle": _KAGGLE,
    # The rhythm makes rare classes safe to say, so that they may be said more often.
    "kaggle, with context": _KAGGLE | {"logit_adjustment": 0.3},
    "inter-patient": {
        "filters": (16, 32, 64),
        "dense_dropout": 0.5,
        "logit_adjustment": 0.5,
        "epochs": 6,
    },
}
"""What make_ecg_pipeline is given for each protocol; benchmarks/RESULTS.md says why."""
# Each epoch is as much longer as there are copies.
PIPELINES["inter-patient, varied"] = PIPELINES["inter-patient"] | {"epochs": 3}


def pipeline_params(args, beats, cut):
    """Arguments of :func:`make_ecg_pipeline` for the training beats of a command."""
    n_context = beats.get("n_context", 0)
    augmenter = beat_augmenter(beats, cut, args.copies, args.seed)
    name = args.protocol
    if name == "kaggle" and n_context:
        name = "kaggle, with context"
    elif name == "inter-patient" and augmenter is not None:
        name = "inter-patient, varied"
    return PIPELINES[name] | {
        "sampling_rate": beats.sampling_rate,
        "sampler": None if args.sampler == "none" else args.sampler,
        "augmenter": augmenter,
        "n_context": n_context,
        "random_state": args.seed,
    }


def beat_augmenter(beats, cut, n_copies, random_state):
    """Make the sampler that varies beats of a cut; None for no copies."""
    if not n_copies:
        return None
    from ecg_sklearn.over_sampling import BeatAugmenter

    return BeatAugmenter(
        n_copies,
        sampling_rate=beats.sampling_rate,
        center=-cut["window"][0] if cut["form"] == "window" else 0.0,
        n_context=beats.get("n_context", 0),
        random_state=random_state,
    )


def context_trees(y, random_state):
    """Boosted trees for the context of beats; classes weigh as the root of how rare.

    They stop by a tenth of the beats, if every class has two.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    counts = np.unique(y, return_counts=True)[1]
    weights = (counts.max() / counts) ** 0.5
    return HistGradientBoostingClassifier(
        # scikit-learn looks them up by the places of the labels, and not by the labels.
        class_weight=dict(enumerate(weights.tolist())),
        early_stopping="auto" if counts.min() > 1 else False,
        random_state=random_state,
    )


def cut_of(args):
    """How the beats of a training are to be cut, as arguments of a loader."""
    has_records = args.data is None or Path(args.data).is_dir()
    form = args.form
    if form is None:
        patients_apart = args.protocol == "inter-patient"
        form = "window" if has_records and patients_apart else "kaggle"
    if args.rhythm and args.data is not None and Path(args.data).is_file():
        raise ValueError(
            f"--rhythm needs WFDB records; {args.data} holds beats without their times."
        )
    rhythm = {"rhythm": True} if args.rhythm else {}
    if form == "kaggle":
        return KAGGLE_CUT | {"context": has_records and args.context} | rhythm
    if not has_records:
        raise ValueError(
            f"--form window needs the MIT-BIH records; {args.data} holds Kaggle rows."
        )
    window = {"window": tuple(args.window), "context": args.context}
    return WINDOW_CUT | window | rhythm


def load_protocol(args, cut):
    """Training and test beats of a protocol."""
    if args.data == "simulated":
        beats = load_beats(args.data, None, seed=args.seed, cut=cut)
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
        return tuple(load_beats(args.data, s, cut=cut) for s in ("train", "test"))
    unclassifiable = CLASS_NAMES.index("Q")
    sides = (load_beats(args.data, subset, cut=cut) for subset in ("ds1", "ds2"))
    return tuple(take(b, np.flatnonzero(b.target != unclassifiable)) for b in sides)


def load_beats(where, subset, *, seed=None, cut=KAGGLE_CUT):
    """Beats of one source: simulated, a CSV file, or a subset of MIT-BIH."""
    is_file = where is not None and Path(where).is_file()
    if where == "simulated":
        rhythm = cut.get("rhythm", False)
        _check_rows_fit(where, cut | {"rhythm": False})
        return make_heartbeats(**_SIMULATED, rhythm=rhythm, random_state=seed)
    if is_file:
        _check_rows_fit(where, cut)
        return load_heartbeat_csv(where)
    if where is not None and not Path(where).is_dir():
        raise FileNotFoundError(
            f"--data {where}: there is no such folder or file. To download the MIT-BIH "
            f"database there: ecg-sklearn data fetch --data {where}"
        )
    if cut["form"] == "kaggle":  # whose channel is the first
        cut = {name: cut[name] for name in ("form", "context", "rhythm") if name in cut}
    return fetch_mitbih(data_home=where, subset=subset, **cut)


def read_csv_of_any_width(path, cut):
    """Read rows of 187 samples, with or without a label behind them."""
    _check_rows_fit(path, cut)
    try:
        width = pd.read_csv(path, header=None, nrows=1).shape[1]
    except (pd.errors.EmptyDataError, ValueError, FileNotFoundError):
        width = 0  # the reader below says what is wrong
    return load_heartbeat_csv(path, labelled=width == 188)


def _check_rows_fit(where, cut):
    """Refuse rows of the Kaggle form where a model needs more than they hold."""
    if cut["form"] != "kaggle":
        raise ValueError(
            f"{where} holds rows of the Kaggle form, and the model knows windows of "
            f"{cut['window'][0]:g} to {cut['window'][1]:g} s around each beat. Give "
            "WFDB records, or train with --form kaggle."
        )
    if cut.get("context") or cut.get("rhythm"):
        raise ValueError(
            f"{where} holds rows alone, and the model was trained with the rhythm "
            "around each beat. Give WFDB records, or train with --no-context and "
            "without --rhythm."
        )


def hold_out(beats, args):
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
    options = {
        "test_size": fraction,
        "stratify": beats.target,
        "random_state": seed,
    }
    if groups is None:
        parts = train_test_split(rows, **options)
    else:
        parts = record_train_test_split(rows, groups=groups, **options)[:2]
    return tuple(take(beats, np.sort(part)) for part in parts)


def take(beats, rows):
    """Beats of some rows."""
    columns = ("data", "target", "groups", "symbols", "rr", "time", "rhythms")
    taken = {
        key: value[rows] if key in columns and value is not None else value
        for key, value in beats.items()
    }
    return Bunch(**taken)
