"""VotingClassifier: what has to hold of it, and what is made anew."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

__all__ = ["VOTE", "check_vote", "finish_vote"]

VOTE = "sklearn.VotingClassifier"


def check_vote(vote, where):
    """Refuse a fitted vote that could not predict, or not what it was fitted to.

    Parameters
    ----------
    vote : VotingClassifier
        Fitted or not.
    where : str
        What it is, for errors.

    Raises
    ------
    ValueError
        If its training failed, or estimators or weights were set after it.
    """
    fitted = vars(vote).get("estimators_")
    if fitted is None and "classes_" in vars(vote):
        raise ValueError(f"{where}: a vote whose training did not come to its end.")
    if fitted is not None and not _fits_together(vote, fitted):
        raise ValueError(
            f"{where}: estimators and weights that do not go with those of fit. Fit it "
            "again."
        )


def finish_vote(vote):
    """Check the parts of a vote from a file, and make the rest anew.

    Parameters
    ----------
    vote : VotingClassifier
        With its parameters and fitted attributes.

    Raises
    ------
    ValueError
        If they do not fit together.
    """
    fitted = vars(vote)
    if not fitted.keys() & {"classes_", "estimators_"}:
        return
    voters, classes = fitted.get("estimators_"), fitted.get("classes_")
    if not (
        isinstance(classes, np.ndarray)
        and classes.ndim == 1
        and np.array_equal(np.unique(classes), classes)
        and isinstance(voters, list)
        and _fits_together(vote, voters)
        and all(_votes_on(voter, len(classes), vote.voting) for voter in voters)
        and len({getattr(voter, "n_features_in_", None) for voter in voters}) == 1
    ):
        raise ValueError("The parts of its vote do not fit together.")
    vote.le_ = LabelEncoder()
    vote.le_.classes_ = classes
    remaining = iter(voters)
    vote.named_estimators_ = Bunch()
    for name, estimator in vote.estimators:
        voter = estimator if _is_dropped(estimator) else next(remaining)
        vote.named_estimators_[name] = voter
        if hasattr(voter, "feature_names_in_"):
            vote.feature_names_in_ = voter.feature_names_in_


def _is_dropped(estimator):
    return isinstance(estimator, str) and estimator == "drop"


def _fits_together(vote, voters):
    """Whether there is a voter for each estimator, and usable weights."""
    is_kept = np.array([not _is_dropped(est) for _, est in vote.estimators])
    kept = [est for _, est in vote.estimators if not _is_dropped(est)]
    if len(voters) != len(kept) or not voters:
        return False
    if any(type(a) is not type(b) for a, b in zip(voters, kept, strict=True)):
        return False
    if vote.weights is None:
        return True
    weights = np.asarray(vote.weights)
    return (
        weights.dtype.kind in "biuf"
        and weights.shape == is_kept.shape
        and bool(np.isfinite(weights).all())
        and weights[is_kept].sum() != 0
    )


def _votes_on(voter, n_classes, voting):
    """Whether a voter knows the classes, by their places, as a vote trains it."""
    ask = "predict_proba" if voting == "soft" else "predict"
    return (
        isinstance(voter, BaseEstimator)
        and np.array_equal(getattr(voter, "classes_", None), np.arange(n_classes))
        and hasattr(voter, ask)
    )
