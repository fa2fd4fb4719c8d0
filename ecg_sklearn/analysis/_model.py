"""What an analysis says about the model that classified the beats."""

from functools import cache

from ecg_sklearn.features import CAUSAL_GROUPS
from ecg_sklearn.utils._cut import learned_cut

LEFT_OUT = {
    "ST segment, T wave and QT interval": "",
    "AV and bundle branch block": "P waves are not looked for",
    "atrial fibrillation as a diagnosis": "only irregular RR intervals are counted",
    "atrial flutter with a regular rhythm": "its RR intervals are like others",
    "ventricular fibrillation": "it has no beats to count",
    "the type of a tachycardia": "",
    "pacing": "spikes may be lost at the rate of the recording",
}
"""What no analysis assesses, and why."""

NOT_ASSESSED = f"Not assessed: {', '.join(LEFT_OUT)}."
_LIMITS = (
    "Not a medical device: every finding must be checked in the signal.",
    "One lead was analysed.",
)


def choose_model(model):
    """Load a shipped model by its name (None: the default); return it and its card.

    Of another model, the card holds the name of its type alone.
    """
    if model is not None and not isinstance(model, str):
        if not hasattr(model, "predict"):
            raise TypeError(
                f"model={model!r:.60} is neither a fitted classifier nor the name of "
                "a shipped model. Load a model file with ecg_sklearn.load first."
            )
        if not hasattr(model, "classes_"):
            raise ValueError(f"This {type(model).__name__} is not fitted. Call fit.")
        return model, {"name": type(model).__name__}
    return _shipped_model(model)


@cache
def _shipped_model(name):
    """Load a shipped model once for all recordings of this process."""
    from ecg_sklearn.models import load_model, model_card

    chosen = {} if name is None else {"name": name}
    return load_model(**chosen), model_card(**chosen)


def describe_model(model, card, names, *, has_interval):
    """Make the dict ``model`` of an analysis."""
    groups = learned_cut(model).get("features") or ()
    offline = not set(groups) <= set(CAUSAL_GROUPS)
    limits = list(_LIMITS)
    missing = [letter for letter in "SVFQ" if letter not in names]
    if missing:
        limits.append(
            f"The model has no class {', '.join(missing)}: such beats are in others."
        )
    if not has_interval:
        limits.append(
            "The burden has no interval: the model does not know its errors on "
            "records that it was not trained on (record_counts_)."
        )
    seen = "the whole recording" if offline else "the beat and what was before it"
    told = f"{card['name']}, which has the classes {' '.join(names)} and sees {seen}."
    return {
        "name": card["name"],
        "mode": "offline" if offline else "causal",
        "description": card.get("description", told),
        "limits": limits + card.get("limits", []),
    }


ANNOTATED = {
    "name": "annotations",
    "mode": "annotated",
    "description": "The beats and their classes were given, and are taken as they are.",
    "limits": [*_LIMITS],
}
