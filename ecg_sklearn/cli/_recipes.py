"""Models to train: what suits the data and the options, and how it is made."""

from functools import partial
from pathlib import Path

TREES = ("offline", "causal")  # kinds of models without a network


def choose_recipe(*, data, protocol, preset, kind, **_):
    """Choose the protocol and the kind of model where they are not given."""
    for_patients = preset == "inter-patient"
    if protocol is None:
        apart = for_patients or kind in TREES or _are_other_records(data or [])
        protocol = "inter-patient" if apart else "kaggle"
    if kind is None:
        trees = for_patients or (preset is None and protocol == "inter-patient")
        kind = "offline" if trees else "network"
    return {"protocol": protocol, "kind": kind}


def _are_other_records(places):
    """Whether there are records without an official split."""
    if len(places) != 1 or not Path(places[0]).is_dir():
        return len(places) > 1
    from ecg_sklearn.datasets._published import MITDB

    return not MITDB.is_at(places[0])


def make_trees(*, kind, seed, param):
    """Make the trees of the shipped models."""
    from ecg_sklearn.pipeline import make_calibrated_trees

    model = make_calibrated_trees(mode=kind, random_state=seed)
    return model.set_params(**param)


def make_model(beats, *, kind, protocol, preset, sampler, epochs, seed, param, quiet):
    """Make the network to train, alone or within an ensemble."""
    from ecg_sklearn.pipeline import make_ecg_ensemble, make_ecg_pipeline

    features = beats.cut["features"]
    if preset is None:
        preset = "kaggle-features" if protocol == "kaggle" and features else protocol
    make = make_ecg_pipeline
    if kind == "rhythm":
        make = partial(make_ecg_ensemble, rhythm=True, trees="morphology" in features)
    elif preset == "kaggle-features" and {"rr", "morphology"} <= set(features):
        make = make_ecg_ensemble
    return make(
        preset=preset,
        sampling_rate=beats.sampling_rate,
        sampler=None if sampler == "none" else sampler,
        random_state=seed,
        verbose=0 if quiet else 1,
        **({} if epochs is None else {"epochs": epochs}) | param,
    )
