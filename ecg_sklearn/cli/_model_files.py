"""Reads model files of :mod:`ecg_sklearn.persistence`, and pickles after a warning."""

import warnings

import joblib

from ecg_sklearn.cli._checks import kind_of_model
from ecg_sklearn.cli._messages import say, show_warning
from ecg_sklearn.cli._sources import KAGGLE_CUT, loader_arguments
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.persistence import load, read_metadata
from ecg_sklearn.utils._cut import learned_cut
from ecg_sklearn.utils._tensorflow import without_start_up_noise

MODEL_NAME = "model.ecgsk"


def read_model(path):
    """Read a classifier and the metadata of its training.

    The metadata always hold ``cut``; those of a pickle hold nothing else.
    """
    facts = {}
    if kind_of_model(path) == "pickle":
        model = _read_pickle(path)
    else:
        facts = read_metadata(path)
        if not _are_sound(facts):
            raise ValueError(
                f"{path} says of its training what ecg-sklearn train does not write. "
                "Load it in Python, and save it with other metadata."
            )
        model = _read_quietly(load, path)
    if not hasattr(model, "predict_proba"):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a classifier.")
    return model, {"cut": learned_cut(model) or KAGGLE_CUT} | facts


def _are_sound(facts):
    """Whether metadata have the form that ``train`` writes."""
    try:
        cut = facts.get("cut") or KAGGLE_CUT
        start, stop = cut.get("window") or (0, 0)
        training = facts.get("sets", {}).get("training", {"source": "", "counts": {}})
        texts = [facts.get("protocol", ""), training["source"]]
        texts += facts.get("training_records") or []
        return (
            bool(loader_arguments(cut))
            and float(start) <= float(stop)
            and set(cut.get("features") or ()) <= set(FEATURE_GROUPS)
            and all(isinstance(text, str) for text in texts)
            and all(isinstance(n, int) for n in training["counts"].values())
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _read_pickle(path):
    say(
        "warning",
        f"{path} is a pickle, and opening one runs any code that is in it. Open only "
        "those of people whom you trust; ecg_sklearn.save writes files without code.",
    )
    try:
        return _read_quietly(joblib.load, path)
    # Unpickling can raise any exception.
    except Exception as error:
        raise ValueError(
            f"{path} is not a model that ecg-sklearn train saved "
            f"({type(error).__name__}: {error})."
        ) from error


def _read_quietly(reader, path):
    """Read without TensorFlow's start-up messages; show warnings afterwards."""
    with warnings.catch_warnings(record=True) as caught, without_start_up_noise():
        warnings.simplefilter("always")
        model = reader(path)
    for warning in caught:
        show_warning(warning.message, warning.category)
    return model
