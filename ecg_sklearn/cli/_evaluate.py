"""The command ``evaluate``, and the labelled beats of ``report``."""

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES, symbol_classes
from ecg_sklearn.cli._beats import take
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.cli._sources import find_source, load_beats
from ecg_sklearn.metrics import Evaluation
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file, write_json

# Default test subset of each training protocol.
_SUBSETS = {"kaggle": "test", "inter-patient": "ds2"}


def evaluate(
    *,
    model,
    detect,
    escape,
    skip_first,
    resamples,
    output,
    overwrite,
    quiet,
    **options,
):
    """Score a saved pipeline on beats with labels.

    The other options are those of :func:`read_model_and_beats`.
    """
    if detect:
        from ecg_sklearn.cli._detected import evaluate_detected

        options |= {"escape": escape, "skip_first": skip_first, "quiet": quiet}
        found = evaluate_detected(model, **options)
        if output is not None:
            with new_file(output) as path:
                write_json(path, found)
        return
    pipe, facts, beats, subset = read_model_and_beats(model, **options)
    if escape == "S" and beats.symbols is not None:
        beats.target = symbol_classes(beats.symbols, escape=escape)
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
            write_json(path, scores | {"escape": escape})


def read_model_and_beats(
    path, *, data, subset, records, annotator, lead, seed, quiet=False
):
    """Read a model, its metadata, the beats to score it on, and their subset.

    Beats of classes that the model was not trained on are left out. The subset is None
    for other databases than MIT-BIH.
    """
    source = find_source(data)
    model, facts, names = read_classifier(path)
    subset = choose_subset(source, subset, records, facts)
    cut = facts["cut"] if lead is None else facts["cut"] | {"channel": lead}
    beats = load_beats(
        source, subset, seed=seed, cut=cut, records=records, annotator=annotator
    )
    return model, facts, _of_classes(beats, names), subset


def read_classifier(path):
    """Read a model of the AAMI classes; return it, its metadata and the classes."""
    model, facts = read_model(path)
    names = label_names(model.classes_)
    if not set(names) <= set(CLASS_NAMES):
        raise ValueError(
            f"The model has the labels {', '.join(names)}, and not the AAMI classes (0 "
            "to 4, or N, S, V, F, Q), so it cannot be compared with the annotations. "
            "Use predict."
        )
    return model, facts, names


def choose_subset(source, subset, records, facts):
    """Choose the subset of MIT-BIH; None for other beats."""
    if source.kind != "mitbih" or records is not None:
        if subset not in (None, "all"):
            reason = "--records was given" if records else f"{source} is not MIT-BIH"
            raise ValueError(
                f"--subset {subset} is a part of MIT-BIH, and {reason}. Leave it out: "
                "all beats are used."
            )
        return None
    subset = subset or _SUBSETS.get(facts.get("protocol"), "test")
    print(f"Beats of MIT-BIH: subset {subset}.")
    return subset


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
