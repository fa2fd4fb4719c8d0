"""How beats were cut: the dict ``cut`` of a loader, in frames and in fitted models."""

import numpy as np

# Fields that must agree. The lead may differ between databases.
_COMPARED = ("form", "window", "sampling_rate", "unit", "align")


def cut_of(X):
    """Read how beats were cut from a DataFrame of a loader; None if unknown."""
    return getattr(X, "attrs", {}).get("cut")


def learned_cut(model):
    """Find how the training beats of a fitted model were cut; None if unknown.

    A BeatScaler of the model has learned it, at any depth.
    """
    if getattr(model, "cut_", None) is not None:  # of an exported graph, for example
        return model.cut_
    # It loads imbalanced-learn.
    from ecg_sklearn.utils._estimators import estimators_in

    cuts = (getattr(part, "cut_", None) for part in estimators_in(model))
    return next((cut for cut in cuts if cut is not None), None)


def check_cut(X, expected):
    """Refuse beats that were cut differently; nothing is checked if a cut is unknown.

    ``expected`` is the cut of the training beats, or None.
    """
    found = cut_of(X)
    if expected is None or found is None:
        return
    for name in _COMPARED:
        if _plain(expected.get(name)) != _plain(found.get(name)):
            raise ValueError(
                "These beats were cut in another way than the training beats: "
                f"{name} is {found.get(name)!r}, and was {expected.get(name)!r} in "
                f"training. Training: {expected}. These: {found}. Cut them alike, or "
                "train anew."
            )


def _plain(value):
    """Convert a value for comparison: tuples to lists, numbers rounded."""
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(part) for part in value]
    return round(float(value), 9) if isinstance(value, (int, float)) else value
