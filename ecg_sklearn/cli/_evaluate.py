"""The command ``evaluate``, and the labelled beats of ``report``."""

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.cli._beats import find_source, load_beats, take
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.metrics import Evaluation
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file, write_json

# Default test subset of each training protocol.
_SUBSETS = {"kaggle": "test", "inter-patient": "ds2"}


def evaluate(
    *, model, data, subset, channel, seed, resamples, output, overwrite, quiet
):
    """Score a saved pipeline on beats with labels."""
    pipe, facts, beats, subset = read_model_and_beats(
        model, data=data, subset=subset, channel=channel, seed=seed
    )
    found = Evaluation.from_predictions(
        beats.target,
        predict_beats(pipe, beats),
        groups=beats.groups,
        labels=pipe.classes_,
        n_resamples=resamples,
    )
    print(found)
    leakage = leakage_note(facts.get("training_records"), beats.groups).message
    print(f"\n{leakage}")
    if output is not None:
        scores = found.to_dict() | {"subset": subset, "leakage": leakage}
        with new_file(output) as path:
            write_json(path, scores)


def read_model_and_beats(path, *, data, subset, channel, seed):
    """Read a model, its metadata, the beats to score it on, and their subset.

    Beats of classes that the model was not trained on are left out. The subset is None
    for other databases than MIT-BIH.
    """
    source = find_source(data)
    if source.kind != "mitbih" and subset not in (None, "all"):
        raise ValueError(
            f"--subset {subset} is a part of MIT-BIH, and {data} is not MIT-BIH. Leave "
            "it out: all beats are used."
        )
    model, facts = read_model(path)
    names = label_names(model.classes_)
    if not set(names) <= set(CLASS_NAMES):
        raise ValueError(
            f"The model has the labels {', '.join(names)}, and not the AAMI classes (0 "
            "to 4, or N, S, V, F, Q), so it cannot be compared with the annotations. "
            "Use predict."
        )
    if source.kind == "mitbih":
        subset = subset or _SUBSETS.get(facts.get("protocol"), "test")
        print(f"Beats of MIT-BIH: subset {subset}.")
    cut = facts["cut"] if channel is None else facts["cut"] | {"channel": channel}
    beats = load_beats(source, subset, seed=seed, cut=cut)
    return model, facts, _of_classes(beats, names), subset


def _of_classes(beats, names):
    """Leave out beats of classes that a model was trained without."""
    found = np.array(CLASS_NAMES)[beats.target]
    known = np.isin(found, names)
    if not known.all():
        print(
            f"{np.count_nonzero(~known)} beats of "
            f"{', '.join(np.unique(found[~known]))} are left out: the model was "
            "trained without them."
        )
    if not known.any():
        raise ValueError(
            f"No beat is left: the model was trained on {', '.join(names)} only."
        )
    return take(beats, np.flatnonzero(known))
