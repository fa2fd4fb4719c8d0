"""Beats of a training: how they are cut, protocols and hold-out."""

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch, _safe_indexing

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._recipes import TREES
from ecg_sklearn.cli._sources import (
    KAGGLE_CUT,
    find_source,
    load_beats,
    split_of_databases,
)
from ecg_sklearn.features import FEATURE_GROUPS, MODE_GROUPS
from ecg_sklearn.model_selection import record_train_test_split

# Windows of the inter-patient protocol.
WINDOW_CUT = {
    "form": "window",
    "channel": None,  # the preferred lead
    "window": [-0.4, 0.5],
    "sampling_rate": 120.0,
    "features": ["rr", "morphology"],
    "align": "peak",
}
_TEST_FRACTION = 0.25


def choose_cut(source, *, protocol, kind, form, window, features, lead, align):
    """Choose how the training beats are cut; None takes the default of the source."""
    if kind in TREES:
        features = list(MODE_GROUPS[kind])
    elif features is None:
        features = ["rr", "morphology"] if source.has_records else []
    if unknown := set(features) - set(FEATURE_GROUPS):
        raise ValueError(
            f"--features {','.join(features)}: there is no group {unknown.pop()!r}. "
            f"The groups are {', '.join(FEATURE_GROUPS)}; none is for none."
        )
    if kind == "rhythm":
        features = [*features, "rr", "rhythm"]
    features = [group for group in FEATURE_GROUPS if group in features]
    if features and source.kind == "csv":
        option = "features" if kind == "network" else kind
        raise ValueError(
            f"--{option} needs WFDB records; {source} holds beats without their times."
        )
    if lead is not None and not source.has_records:
        raise ValueError(f"--lead needs WFDB records; {source} holds beats.")
    if form is None:
        apart = source.has_records and protocol == "inter-patient"
        form = "window" if apart else "kaggle"
    if form == "kaggle":
        channel = 0 if lead is None else lead
        return KAGGLE_CUT | {"channel": channel, "features": features}
    if not source.has_records:
        raise ValueError(
            f"--form window needs WFDB records; {source} holds Kaggle rows."
        )
    return WINDOW_CUT | {
        "channel": lead,
        "window": list(window),
        "features": features,
        "align": None if align == "none" else align,
    }


def load_protocol(
    source, test_data, *, protocol, cut, seed, records=None, annotator="atr"
):
    """Load the training and the test beats of a protocol."""
    named = {"records": records, "annotator": annotator}
    if source.has_records and protocol == "inter-patient":
        return _load_patients(source, test_data, cut=cut, seed=seed, **named)
    if test_data is not None and source.kind != "csv":
        raise ValueError(
            "--test-data goes with a CSV file in --data, or with --protocol "
            "inter-patient."
        )
    if source.kind == "simulated":
        beats = load_beats(source, seed=seed, cut=cut, **named)
        groups = beats.groups if protocol == "inter-patient" else None
        return _split(beats, 0.25, groups, seed)
    if source.kind == "csv":
        if protocol != "kaggle":
            raise ValueError(
                f"{source} does not say which record a beat comes from, so patients "
                "cannot be kept apart. Give --data a folder with WFDB records."
            )
        if test_data is None:
            raise ValueError("A CSV file in --data needs another one in --test-data.")
        training = load_beats(source, cut=cut, **named)
        return training, load_beats(find_source(test_data), cut=cut)
    if source.kind == "wfdb":
        raise ValueError(
            f"The protocol kaggle is the official split of MIT-BIH, and {source} holds "
            "other records. Use --protocol inter-patient."
        )
    if records is not None or annotator != "atr":
        raise ValueError(
            "--records and --annotator go with --protocol inter-patient: the protocol "
            "kaggle is the official split of the annotations atr."
        )
    return tuple(load_beats(source, s, cut=cut) for s in ("train", "test"))


def _load_patients(source, test_data, *, cut, seed, records, annotator):
    """Load training and test beats of different records, without class Q."""
    how = {"cut": cut, "annotator": annotator}
    if test_data is not None:
        other = find_source(test_data)
        if not other.has_records:
            raise ValueError(f"--test-data {test_data} is no folder of WFDB records.")
        both = {p.resolve() for p in source.paths} & {p.resolve() for p in other.paths}
        if both:
            raise ValueError(f"{both.pop()} is in --data and in --test-data.")
        training = load_beats(source, "all", records=records, **how)
        test = load_beats(other, "all", **how)
        sides = _with_database(source, training), _with_database(other, test)
    elif source.kind == "mitbih" and records is None:
        sides = tuple(load_beats(source, subset, **how) for subset in ("ds1", "ds2"))
    else:
        names, test_names = split_of_databases(source, annotator)
        if records is None and test_names:
            sides = tuple(
                load_beats(source, records=side, **how) for side in (names, test_names)
            )
        else:
            beats = _classifiable(load_beats(source, records=records, **how))
            return _split(beats, _TEST_FRACTION, beats.groups, seed)
    return tuple(map(_classifiable, sides))


def _with_database(source, beats):
    """Name the records of one folder with the folder, as those of several are."""
    if len(source.paths) == 1:
        folder = source.paths[0].resolve().name
        beats.groups = np.char.add(f"{folder}/", beats.groups)
    return beats


def _classifiable(beats):
    """Leave out class Q, which is mostly paced or unclassifiable beats."""
    known = beats.target != CLASS_NAMES.index("Q")
    return beats if known.all() else take(beats, np.flatnonzero(known))


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
