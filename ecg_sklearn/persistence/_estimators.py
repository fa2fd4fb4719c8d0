"""Estimators as parameters and fitted attributes, and back.

Extends the plain values of :mod:`._values` by the types of :mod:`._types`; what is
particular to our own estimators is in :mod:`._own`.
"""

import re
import warnings

import numpy as np
from sklearn.base import BaseEstimator

from ecg_sklearn.persistence._boosting import (
    BOOSTING,
    decode_boosting,
    encode_boosting,
)
from ecg_sklearn.persistence._forests import FORESTS, decode_trees, encode_trees
from ecg_sklearn.persistence._own import (
    check_planned,
    encode_network,
    finish_classifier,
    finish_shape_rhythm,
    finish_transformer,
)
from ecg_sklearn.persistence._types import class_of, name_of, stored_type
from ecg_sklearn.persistence._values import KIND, Decoder, Encoder, shown
from ecg_sklearn.persistence._votes import VOTE, check_vote, finish_vote

__all__ = ["ModelDecoder", "ModelEncoder"]

_CLASSIFIER = "ecg_sklearn.SpectrogramCNNClassifier"
_SHAPE_RHYTHM = "ecg_sklearn.ShapeRhythmClassifier"
_TRANSFORMER = "ecg_sklearn.SpectrogramTransformer"
_PIPELINES = ("imblearn.Pipeline", "sklearn.Pipeline")
_LONGEST_TRIED = 2**22  # columns
_OUTPUT = "_sklearn_output_config"  # what set_output has set


class ModelEncoder(Encoder):
    """Turns estimators into JSON, beside plain values."""

    def _other(self, value, where):
        if isinstance(value, BaseEstimator):
            return self._estimator(value, where)
        return super()._other(value, where)

    def _estimator(self, estimator, where):
        name = name_of(type(estimator))
        if name is None:
            raise ValueError(f"{where} is a {type(estimator).__name__}.")
        stored = stored_type(name)
        params = estimator.get_params(deep=False)
        for dropped in stored.dropped:
            if params.pop(dropped) is not None and dropped == "memory":
                warnings.warn(
                    f"memory={getattr(estimator, dropped)!r} of the pipeline is not "
                    "saved: it belongs to this machine.",
                    stacklevel=2,
                )
        if name in _PIPELINES:
            encoded = {"steps": self._steps(params.pop("steps"))}
        else:
            encoded = {}
        fitted = _kept_attributes(estimator, stored, where)
        if name == _TRANSFORMER:
            check_planned(estimator, where)
        if name == VOTE:
            check_vote(estimator, where)
        return {
            KIND: "estimator",
            "type": name,
            "params": encoded | self._named(params, where),
            "fitted": self._named(fitted, where),
            "network": (
                encode_network(estimator, self, where) if name == _CLASSIFIER else None
            ),
            "trees": self._trees(name, estimator, where),
        }

    def _trees(self, name, estimator, where):
        if name in FORESTS and hasattr(estimator, "estimators_"):
            return encode_trees(estimator, self, where)
        if name == BOOSTING and hasattr(estimator, "_predictors"):
            return encode_boosting(estimator, self, where)
        if name in (*FORESTS, BOOSTING) and hasattr(estimator, "classes_"):
            raise ValueError(f"{where}: trees whose training did not come to its end.")
        return None

    def _steps(self, steps):
        return [
            self.encode((name, step), f"step {name!r}")
            if not isinstance(step, BaseEstimator)
            else {
                KIND: "tuple",
                "items": [name, self.encode(step, f"step {name!r}")],
            }
            for name, step in steps
        ]

    def _named(self, values, where):
        return {n: self.encode(v, f"{where}: {n}") for n, v in values.items()}


def _kept_attributes(estimator, stored, where):
    """Fitted attributes that a file keeps, by name."""
    kept = {}
    params = estimator.get_params(deep=False)
    for name, value in vars(estimator).items():
        if name in params or name in stored.rebuilt:
            continue
        if name == "_metadata_request":
            raise ValueError(
                f"{where}: requests for metadata (set_fit_request and the like)."
            )
        if _may_keep(name, stored):
            kept[name] = value
        elif stored.only is None:
            raise ValueError(f"{where}: the attribute {name}.")
    return kept


def _may_keep(name, stored):
    """Whether a fitted attribute of this name goes into a file, or out of it."""
    if stored.only is not None:
        return name in stored.only
    if name in stored.rebuilt:
        return False
    is_public = re.fullmatch(r"[A-Za-z]\w*_", name, re.ASCII) is not None
    return is_public or name in (*stored.private, _OUTPUT)


class ModelDecoder(Decoder):
    """Makes estimators, of the listed types alone, beside plain values."""

    def __init__(self, arrays):
        super().__init__(arrays)
        fields = {"fitted", "network", "params", "trees", "type"}
        self._kinds["estimator"] = (self._estimator, fields)

    def _estimator(self, fitted, network, params, trees, name):
        stored = stored_type(name)
        cls = class_of(name)
        params, fitted = self._named(params), self._named(fitted)
        if unknown := set(params) - (set(cls._get_param_names()) - set(stored.dropped)):
            raise ValueError(f"{name} has no parameter {shown(sorted(unknown)[0])}.")
        for attribute in fitted:
            # Nothing that the class defines may be hidden by a value.
            if not _may_keep(attribute, stored) or hasattr(cls, attribute):
                raise ValueError(f"{name} has no attribute {shown(attribute)}.")
        if name in _PIPELINES:
            _check_steps(params.get("steps"), (None, "passthrough"))
        if name == VOTE:
            _check_steps(params.get("estimators"), ("drop",))
        _check_fitted(fitted)
        if (network is not None) > (name == _CLASSIFIER):
            raise ValueError(f"{name} has no network.")
        has_trees = name in (*FORESTS, BOOSTING) and "classes_" in fitted
        if (trees is not None) != has_trees:
            raise ValueError(f"{name} has {'its' if has_trees else 'no'} trees.")
        estimator = cls(**params)
        vars(estimator).update(fitted)
        if fitted and name.startswith("sklearn."):
            estimator._validate_params()  # fit did, and predict relies on it
        if name == _TRANSFORMER:
            finish_transformer(estimator)
        if name == _CLASSIFIER and network is not None:
            finish_classifier(estimator, network, self)
        if trees is not None:
            decode = decode_boosting if name == BOOSTING else decode_trees
            decode(estimator, trees, self)
        if name == _SHAPE_RHYTHM:
            finish_shape_rhythm(estimator)
        if name == VOTE:
            finish_vote(estimator)
        if name.startswith("sklearn.") and name not in _PIPELINES:
            _try_out(estimator, fitted.get("n_features_in_"))
        return estimator

    def _named(self, values):
        if not isinstance(values, dict) or KIND in values:
            raise ValueError(f"{shown(values)} stands where named values should.")
        return {name: self.decode(value) for name, value in values.items()}


def _try_out(estimator, n_features):
    """Refuse a fitted estimator of scikit-learn that fails on a row of ones."""
    if n_features is None or n_features > _LONGEST_TRIED:
        return
    work = getattr(estimator, "predict_proba", None) or estimator.transform
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of names of columns
        try:
            work(np.ones((1, n_features)))
        # It raises whatever the values that a file has put into it make it raise.
        except Exception as error:
            raise ValueError(
                f"Its {type(estimator).__name__} does not work "
                f"({type(error).__name__}: {error}). Save the model again."
            ) from error


def _check_steps(steps, stand_ins):
    """Refuse steps that are not names and estimators, or what may stand for one."""
    if not isinstance(steps, list) or not all(
        isinstance(step, tuple)
        and len(step) == 2
        and isinstance(step[0], str)
        and (step[1] in stand_ins or isinstance(step[1], BaseEstimator))
        for step in steps
    ):
        raise ValueError("It does not hold pairs of a name and an estimator.")


def _check_fitted(fitted):
    """Check what all estimators have in common."""
    n_features = fitted.get("n_features_in_", 1)
    if type(n_features) is not int or n_features < 1:
        raise ValueError(f"It has n_features_in_={shown(n_features)}.")
    names = fitted.get("feature_names_in_")
    if names is not None and getattr(names, "shape", None) != (n_features,):
        raise ValueError("It does not have one name for each feature.")
    output = fitted.get(_OUTPUT, {"transform": "default"})
    if output not in [{"transform": v} for v in ("default", "pandas", "polars", None)]:
        raise ValueError(f"It has an output of {shown(output)}.")
