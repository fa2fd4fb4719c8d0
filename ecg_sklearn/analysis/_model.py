"""What an analysis says about the model that classified the beats."""

from ecg_sklearn.features import CAUSAL_GROUPS
from ecg_sklearn.utils._cut import learned_cut

NOT_ASSESSED = (
    "Not assessed: AV block, ST segments, QT, pacing and paced rhythm, the type of a "
    "tachycardia."
)
_LIMITS = (
    "Not a medical device: every finding must be checked in the signal.",
    NOT_ASSESSED,
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
    from ecg_sklearn.models import load_model, model_card

    chosen = {} if model is None else {"name": model}
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
