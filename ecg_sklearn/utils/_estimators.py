"""The estimators inside a model: finding them, and leaving out training state."""

import inspect
import warnings
from functools import partial

import joblib
import numpy as np
import pandas as pd
from imblearn.base import SamplerMixin
from joblib.func_inspect import get_func_code
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import get_routing_for_object

from ecg_sklearn.utils._refused import need

# Attributes used only in training, or restored by complete().
LEFT_OUT = (
    "_bin_mapper _feature_subsample_rng _loss _optimizer _random_state _raw_predict"
    " _sample_weight _scorer _stft callbacks checkpoint memory named_estimators_"
).split()
_COLUMNS = ("feature_names_in_", "n_features_in_")
_LONGEST = 2**20  # columns of a beat
_LARGEST = 2**26  # values in a segment of each frame


def bare(model):
    """Copy a model without training state, and with the networks as data."""
    built = [f for f in estimators_in(model) if callable(getattr(f, "build_fn", None))]
    return _bare(model, [found for found in built if hasattr(found, "model_")])


def _bare(value, networks):
    if type(value) in (list, tuple):
        return type(value)(_bare(item, networks) for item in value)
    if isinstance(value, dict):
        return {key: _bare(item, networks) for key, item in value.items()}
    if isinstance(value, SamplerMixin):
        copy = clone(value)
        vars(copy).update({k: v for k, v in vars(value).items() if k in _COLUMNS})
        return copy
    if not isinstance(value, BaseEstimator):
        return value
    if getattr(value, "memory", None) is not None:
        message = f"memory={value.memory!r} of the pipeline is not saved: "
        warnings.warn(f"{message}it belongs to this machine.", stacklevel=5)
    copy, params = object.__new__(type(value)), value._get_param_names()
    for name, item in vars(value).items():
        if name not in LEFT_OUT:
            vars(copy)[name] = _bare(item, networks)
        elif name in params:
            vars(copy)[name] = None
    if callable(getattr(value, "build_fn", None)):
        copy.build_fn = _build_fn_as_data(value, networks)
    return copy


def _build_fn_as_data(classifier, networks):
    """Find the network of ``build_fn``; that of its clone if it is not fitted."""
    data = classifier._build_fn_as_data()
    if data is None:
        wanted = joblib.hash(code_of(classifier.build_fn))
        clones = [c for c in networks if joblib.hash(code_of(c.build_fn)) == wanted]
        need(clones, "Its build_fn is code that has built no network. Call fit first.")
        networks.remove(clones[0])  # the next is a clone of the next classifier
        networks.append(clones[0])
        data = clones[0]._build_fn_as_data()
    return data


def code_of(function):
    """Tell what a callable does: its source, and the values that it holds."""
    if isinstance(function, partial):
        return code_of(function.func), function.args, function.keywords
    if hasattr(function, "__code__") or isinstance(function, type):
        owner = getattr(function, "__self__", None)
        held = owner if isinstance(owner, type) else getattr(owner, "__dict__", None)
        return get_func_code(function)[0], held
    return get_func_code(type(function).__call__)[0], vars(function)


def complete(model):
    """Check the estimators of a model, and restore what :func:`bare` left out."""
    for found in estimators_in(model):
        state, kind = vars(found), type(found).__name__
        hidden = [name for name in state if hasattr(type(found), name)]
        need(not hidden, f"It holds a {kind} in which {hidden} would hide its own.")
        for name, default in _defaults(type(found)):
            if name not in state:  # unknown to the version that wrote the file
                setattr(found, name, default)
        n_jobs = getattr(found, "n_jobs", None)
        need(abs(n_jobs or 1) <= 2**10, f"It holds a {kind} with {n_jobs=}.")
        if isinstance(found, (SamplerMixin, NearestNeighbors)):
            params = found._get_param_names()
            plain = state.keys() <= {*params, *_COLUMNS, "_sklearn_version"}
            need(plain, f"It holds a {kind} that has seen beats.")
        elif "n_times_" in state:
            _complete_spectrogram(found)
        elif "_predictors" in state:
            found._n_features = found.n_features_in_
            found._preprocessor = found._is_categorical_remapped = None
            found._loss = found._get_loss(sample_weight=None)
            found._bin_mapper = _BinMapper()
            found._bin_mapper.is_categorical_ = np.zeros(found._n_features, np.uint8)
            found._bin_mapper.bin_thresholds_ = []
        elif isinstance(found, VotingClassifier) and "estimators_" in state:
            fitted = iter(found.estimators_)
            found.named_estimators_ = Bunch()
            for name, voter in found.estimators:
                voter = voter if isinstance(voter, str) else next(fitted)
                found.named_estimators_[name] = voter


def _defaults(kind):
    """Names and defaults of the parameters of an estimator."""
    parameters = inspect.signature(kind.__init__).parameters.values()
    return [(p.name, p.default) for p in parameters if p.default is not p.empty]


def _complete_spectrogram(transformer):
    """Plan the transform; refuse one that needs gigabytes."""
    nperseg, nfft = transformer.nperseg, transformer.nfft or 1
    nfft = nfft if isinstance(nfft, int) else nfft * nperseg
    longest, n_frames = max(nperseg, nfft), len(transformer.times_)
    small = longest <= 2**15 and transformer.n_features_in_ <= _LONGEST
    need(small and longest * n_frames <= _LARGEST, f"Its spectrogram has {nfft=}.")
    transformer._stft = plan = transformer._plan(transformer.n_times_)
    planned = len(plan.frequencies), len(plan.times)
    same = planned == (len(transformer.frequencies_), n_frames)
    need(same, "Its spectrogram has other frequencies or times than its parameters.")


def ask(model):
    """Predict one row; None if the model is not fitted or takes images."""
    sizes = [vars(found).get("n_features_in_") for found in estimators_in(model)]
    n_features = next((size for size in sizes if size is not None), None)
    work = getattr(model, "predict_proba", None) or getattr(model, "transform", None)
    if n_features is None or work is None or hasattr(model, "_input_shape"):
        return None
    small = type(n_features) is int and 0 < n_features <= _LONGEST
    need(small, f"It says to take {n_features} columns.")
    row = np.linspace(0, 1, n_features)[None]
    if hasattr(model, "feature_names_in_"):
        row = pd.DataFrame(row, columns=model.feature_names_in_)
    told = {}
    if hasattr(model, "predict_proba"):
        told = requested(model, "predict_proba", groups=np.zeros(1))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if hasattr(model, "predict"):
                model.predict(row, **told)
            return np.asarray(work(row, **told), dtype=float)
        except NotFittedError:
            return None


def estimators_in(value):
    """Yield all estimators of a model, itself first."""
    if isinstance(value, BaseEstimator):
        yield value
        value = dict(vars(value))
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from estimators_in(item)


def network_pipeline(model):
    """Find the fitted pipeline of a network inside a model; the model itself if none.

    Of several, it is the first that computes spectrograms. A selection of columns
    before it is left out.
    """
    found = [
        inside
        for inside in estimators_in(model)
        if hasattr(inside, "steps") and hasattr(inside.steps[-1][1], "history_")
    ]
    for pipe in sorted(found, key=lambda pipe: not _has_spectrogram(pipe)):
        selects = isinstance(pipe.steps[0][1], ColumnTransformer)
        return pipe[1:] if selects else pipe
    return model


def _has_spectrogram(pipe):
    return any(hasattr(step, "frequencies_") for _, step in pipe.steps)


def requested(estimator, method, **metadata):
    """Choose the metadata, other than None, that a method of an estimator requests."""
    given = {name: value for name, value in metadata.items() if value is not None}
    names = get_routing_for_object(estimator).consumes(method, given)
    return {name: given[name] for name in names}
