"""Beats of a command: sources, protocols and hold-out."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch, _safe_indexing

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import (
    fetch_mitbih,
    load_heartbeat_csv,
    load_wfdb_beats,
    make_heartbeats,
)
from ecg_sklearn.datasets._mitbih_files import (
    find_mitbih,
    is_mitbih_folder,
    missing_files,
)
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.model_selection import record_train_test_split

_SIMULATED = {
    "n_samples": 6000,
    "n_records": 60,
    "weights": [0.6, 0.1, 0.15, 0.05, 0.1],
}

# Default cut.
KAGGLE_CUT = {"form": "kaggle", "channel": 0, "features": []}
WINDOW_CUT = {
    "form": "window",
    "channel": ["MLII", "V5"],
    "window": [-0.4, 0.5],
    "sampling_rate": 120.0,
    "features": ["rr", "morphology"],
}


class Source(NamedTuple):
    """Source of beats: "simulated", "csv", "mitbih" or "wfdb", and its path."""

    kind: str
    path: Path | None


def find_source(data):
    """Find the kind of source that ``--data`` names."""
    if data == "simulated":
        return Source("simulated", None)
    if data is not None and Path(data).is_file():
        return Source("csv", Path(data))
    if data is not None and not is_mitbih_folder(data) and _holds_records(Path(data)):
        return Source("wfdb", Path(data))
    directory = find_mitbih(data)
    missing = missing_files(directory)
    if not missing:
        return Source("mitbih", directory)
    fetch = "ecg-sklearn data fetch" + ("" if data is None else f" --data {data}")
    raise FileNotFoundError(
        f"{len(missing)} files of the MIT-BIH database are missing in {directory} "
        f"({', '.join(missing[:3])}, ...). To download them: {fetch}"
        + (". To use another folder: --data FOLDER" if data is None else "")
    )


def _holds_records(folder):
    """Whether a folder holds WFDB records or a file RECORDS."""
    return (folder / "RECORDS").is_file() or any(folder.glob("*.hea"))


def load_beats(source, subset, *, seed=None, cut=KAGGLE_CUT):
    """Load the labelled beats of one source."""
    if source.kind == "simulated":
        _refuse_windows("simulated", cut)
        features = loader_arguments(cut)["features"]
        return make_heartbeats(**_SIMULATED, features=features, random_state=seed)
    if source.kind == "csv":
        _check_rows_fit(source.path, cut)
        return _read_labelled(source.path)
    if source.kind == "wfdb":
        return load_wfdb_beats(source.path, **loader_arguments(cut))
    arguments = loader_arguments(cut)
    if cut["form"] == "kaggle" and arguments["channel"] == 0:
        del arguments["channel"]  # Kaggle rows are always channel 0
    return fetch_mitbih(
        data_home=source.path, subset=subset, download_if_missing=False, **arguments
    )


def loader_arguments(cut):
    """Arguments of :func:`~ecg_sklearn.datasets.load_wfdb_beats` for a cut."""
    channel = cut.get("channel")
    if cut["form"] == "kaggle":
        found = {"form": "kaggle", "channel": 0 if channel is None else channel}
    else:
        found = {name: cut[name] for name in ("form", "channel", "window")}
        found["sampling_rate"] = cut["sampling_rate"]
    return found | {"features": cut.get("features") or None}


def read_rows(path, cut):
    """Read rows of 187 samples, with or without a label."""
    _check_rows_fit(path, cut)
    try:
        width = pd.read_csv(path, header=None, nrows=1).shape[1]
    # load_heartbeat_csv below raises the error with its reason.
    except (ValueError, OSError):
        width = 0
    return load_heartbeat_csv(path, labelled=width == 188)


def _read_labelled(path):
    """Read rows with labels, which must stand for the AAMI classes."""
    beats = load_heartbeat_csv(path)
    if beats.target_names != list(CLASS_NAMES):
        raise ValueError(
            f"{path} holds the classes {', '.join(beats.target_names)}, and this "
            f"command works with {', '.join(CLASS_NAMES)}. Read the file in Python "
            "with load_heartbeat_csv."
        )
    return beats


def _refuse_windows(where, cut):
    if cut["form"] != "kaggle":
        start, stop = cut["window"]
        raise ValueError(
            f"{where} holds rows of the Kaggle form, and the model knows windows of "
            f"{start:g} to {stop:g} s around each beat. Give WFDB records, or train "
            "with --form kaggle."
        )


def _check_rows_fit(where, cut):
    """Refuse rows of the Kaggle form for a model that needs features or windows."""
    _refuse_windows(where, cut)
    if cut.get("features"):
        raise ValueError(
            f"{where} holds rows without times, and the model was trained with the "
            f"features {', '.join(cut['features'])}. Give WFDB records, or train with "
            "--features none and without --rhythm."
        )


def choose_cut(source, *, protocol, form, window, features, rhythm):
    """Choose how the training beats are cut; None takes the default of the source."""
    has_records = source.kind == "mitbih"
    if features is None:
        features = ["rr", "morphology"] if has_records else []
    if unknown := set(features) - set(FEATURE_GROUPS):
        raise ValueError(
            f"--features {','.join(features)}: there is no group {unknown.pop()!r}. "
            f"The groups are {', '.join(FEATURE_GROUPS)}; none is for none."
        )
    if rhythm:
        features = [*features, "rr", "rhythm"]
    features = [group for group in FEATURE_GROUPS if group in features]
    if features and source.kind == "csv":
        raise ValueError(
            f"{'--rhythm' if rhythm else '--features'} needs WFDB records; "
            f"{source.path} holds beats without their times."
        )
    if form is None:
        form = "window" if has_records and protocol == "inter-patient" else "kaggle"
    if form == "kaggle":
        return KAGGLE_CUT | {"features": features}
    if not has_records:
        raise ValueError(
            f"--form window needs the MIT-BIH records; {source.path or source.kind} "
            "holds Kaggle rows."
        )
    return WINDOW_CUT | {"window": list(window), "features": features}


def load_protocol(source, test_data, *, protocol, cut, seed):
    """Load the training and the test beats of a protocol."""
    if test_data is not None and source.kind != "csv":
        raise ValueError("--test-data goes with a CSV file in --data.")
    if source.kind == "simulated":
        beats = load_beats(source, None, seed=seed, cut=cut)
        groups = beats.groups if protocol == "inter-patient" else None
        return _split(beats, 0.25, groups, seed)
    if source.kind == "csv":
        if protocol != "kaggle":
            raise ValueError(
                f"{source.path} does not say which record a beat comes from, so "
                "patients cannot be kept apart. Give --data a folder with the MIT-BIH "
                "records."
            )
        if test_data is None:
            raise ValueError("A CSV file in --data needs another one in --test-data.")
        return _read_labelled(source.path), _read_labelled(Path(test_data))
    if source.kind == "wfdb":
        raise ValueError(
            f"{source.path} holds other records than MIT-BIH, and train has no "
            "protocol for them. Use load_wfdb_beats and record_train_test_split in "
            "Python; evaluate, report and predict read such records."
        )
    if protocol == "kaggle":
        return tuple(load_beats(source, s, cut=cut) for s in ("train", "test"))
    unclassifiable = CLASS_NAMES.index("Q")
    sides = (load_beats(source, subset, cut=cut) for subset in ("ds1", "ds2"))
    return tuple(take(b, np.flatnonzero(b.target != unclassifiable)) for b in sides)


def hold_out(beats, fraction, *, protocol, seed):
    """Hold out validation beats: whole records with the protocol inter-patient."""
    if fraction == 0:
        return beats, None
    groups = beats.groups if protocol == "inter-patient" else None
    return _split(beats, fraction, groups, seed)


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
    """Select rows of a Bunch."""
    columns = ("data", "target", "groups", "symbols", "rr", "time", "rhythms")
    taken = {
        key: _safe_indexing(value, rows)
        for key, value in beats.items()
        if key in columns and value is not None
    }
    # The frame would be a second copy of the data.
    rest = {key: value for key, value in beats.items() if key not in ("frame", *taken)}
    return Bunch(**taken, **rest)
