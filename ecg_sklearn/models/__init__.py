"""Models that the package brings: weights, and a card of what each is for."""

from ecg_sklearn.models._shipped import list_models, load_model, model_card

__all__ = ["list_models", "load_model", "model_card"]
