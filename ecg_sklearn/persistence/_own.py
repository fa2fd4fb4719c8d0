"""What is particular to our own estimators: the network, the planned transform.

Both are made anew from checked numbers, and parts are checked against each other.
Talks to the network through :mod:`._networks`.
"""

from numbers import Integral

import numpy as np

from ecg_sklearn.persistence._networks import build, check_spec
from ecg_sklearn.persistence._values import shown

__all__ = [
    "check_planned",
    "encode_network",
    "finish_classifier",
    "finish_shape_rhythm",
    "finish_transformer",
]

# A plan takes memory by these, and a file can name any number.
_LONGEST_SEGMENT = 2**15
_LONGEST_BEAT = 2**22


def encode_network(classifier, encoder, where):
    """Take the network of a classifier apart.

    Parameters
    ----------
    classifier : SpectrogramCNNClassifier
        Fitted or not.
    encoder : ModelEncoder
        Takes the weights.
    where : str
        What it is, for errors.

    Returns
    -------
    dict or None
        The network as JSON, or None if there is none.
    """
    if "model_" not in vars(classifier):
        return None
    from ecg_sklearn.neural_network import _network

    packed = _network.pack_network(classifier.model_)
    try:
        check_spec(packed["spec"])
    except ValueError as error:
        raise ValueError(f"{where}: a network beyond the limits. {error}") from error
    return {
        "spec": encoder.encode(packed["spec"], where),
        "variables": [
            encoder.encode(value, f"{where}: weight {number}")
            for number, value in enumerate(packed["variables"])
        ],
    }


def finish_classifier(classifier, network, decoder):
    """Give a classifier its network.

    Parameters
    ----------
    classifier : SpectrogramCNNClassifier
        With its other fitted attributes.
    network : object
        What :func:`encode_network` gave.
    decoder : ModelDecoder
        Has the weights.

    Raises
    ------
    ValueError
        If it is no network, or not that of this classifier.
    """
    if not isinstance(network, dict) or set(network) != {"spec", "variables"}:
        raise ValueError("Its network does not have the parts of one.")
    spec = decoder.decode(network["spec"])
    check_spec(spec)
    variables = decoder.items(network["variables"])
    if not all(isinstance(value, np.ndarray) for value in variables):
        raise ValueError("Its weights are not arrays.")
    _check_classifier(vars(classifier), spec, variables)
    classifier.model_ = build(spec, variables)
    classifier._spec = classifier.model_.spec


def _check_classifier(fitted, spec, variables):
    """Check the fitted attributes of a classifier against its network."""
    classes = fitted.get("classes_")
    shape = fitted.get("_input_shape")
    optimizer = fitted.get("_optimizer_state")
    history = fitted.get("history_", {})
    shapes = {(), *(value.shape for value in variables)}
    counts = [fitted.get(name, 1) for name in ("n_epochs_", "best_epoch_")]
    facts = {
        "classes_": isinstance(classes, np.ndarray)
        and classes.shape == (spec["n_classes"],),
        "_input_shape": type(shape) is tuple
        and _as_image(shape) == spec["image_shape"]
        and fitted.get("n_features_in_") == shape[0],
        "_shuffler": isinstance(fitted.get("_shuffler"), np.random.Generator),
        "_optimizer_state": isinstance(optimizer, list)
        and all(isinstance(v, np.ndarray) and v.shape in shapes for v in optimizer),
        "history_": isinstance(history, dict)
        and all(
            isinstance(values, list) and all(type(v) is float for v in values)
            for values in history.values()
        ),
        "n_epochs_ or best_epoch_": all(type(n) is int and n >= 0 for n in counts),
    }
    if wrong := [name for name, holds in facts.items() if not holds]:
        raise ValueError(f"Its classifier and its network do not agree on {wrong[0]}.")


def _as_image(shape):
    """Shape of an image with its channels, of beats of one of three shapes."""
    return {1: (1, *shape, 1), 2: (*shape, 1), 3: shape}.get(len(shape))


def check_planned(transformer, where):
    """Refuse a transformer whose plan does not follow from its parameters.

    Parameters
    ----------
    transformer : SpectrogramTransformer
        Fitted or not.
    where : str
        What it is, for errors.

    Raises
    ------
    ValueError
        If a parameter was set after fit.
    """
    if "_stft" not in vars(transformer):
        return
    used = vars(transformer._stft)
    try:
        planned = vars(_plan(transformer))
    except ValueError as error:
        raise ValueError(f"{where}: parameters that it cannot have. {error}") from error
    if not all(np.array_equal(planned[name], used[name]) for name in used):
        raise ValueError(f"{where}: parameters that were set after fit. Fit it again.")


def finish_transformer(transformer):
    """Plan the transform of a transformer that was fitted.

    Parameters
    ----------
    transformer : SpectrogramTransformer
        With its fitted attributes.

    Raises
    ------
    ValueError
        If parameters and attributes do not agree.
    """
    fitted = vars(transformer)
    if "frequencies_" not in fitted:
        return
    if type(fitted.get("n_features_in_")) is not int:
        raise ValueError("Its spectrogram does not know n_features_in_.")
    plan = _plan(transformer)
    n_freqs, n_context = len(plan.frequencies), transformer.n_context
    shapes = {"frequencies_": (n_freqs,), "times_": (len(plan.times),)}
    if transformer.normalize in ("global", "frequency"):
        limits = (n_freqs if transformer.normalize == "frequency" else 1,)
        shapes |= {"data_min_": limits, "data_max_": limits}
    if n_context:
        shapes |= {"context_mean_": (n_context,), "context_scale_": (n_context,)}
    for name, shape in shapes.items():
        found = fitted.get(name)
        if not isinstance(found, np.ndarray) or found.shape != shape:
            raise ValueError(f"Its spectrogram has {name}={shown(found)}.")
    if fitted.get("n_times_") != transformer.n_features_in_ - n_context:
        raise ValueError("Its spectrogram does not agree on n_times_.")
    same = all(
        np.allclose(ours, theirs)
        for ours, theirs in (
            (plan.frequencies, fitted["frequencies_"]),
            (plan.times, fitted["times_"]),
        )
    )
    if not same:
        raise ValueError("Its spectrogram has other frequencies than its parameters.")
    transformer._stft = plan


def finish_shape_rhythm(model):
    """Check that the classifiers of a model are those of its columns and classes.

    Parameters
    ----------
    model : ShapeRhythmClassifier
        With its fitted attributes.

    Raises
    ------
    ValueError
        If they are not.
    """
    fitted = vars(model)
    if "estimator_" not in fitted:
        return
    model._validate_params()
    shape, rhythm = fitted["estimator_"], fitted.get("rhythm_estimator_")
    n_shape = fitted.get("n_features_in_", 0) - model.n_rhythm
    own = fitted.get("classes_"), getattr(shape, "classes_", None)
    pair = fitted.get("pair_")
    shares = fitted.get("rhythm_shares_")
    kinds = getattr(rhythm, "classes_", ())
    context = fitted.get("context_estimator_", "missing")
    facts = {
        "classes_": all(isinstance(labels, np.ndarray) for labels in own)
        and np.array_equal(*own),
        # A pipeline does not know its columns if its first step passes them through.
        "estimator_": getattr(shape, "n_features_in_", n_shape) == n_shape,
        "context_estimator_": context is None
        or (
            getattr(context, "n_features_in_", model.n_context) == model.n_context
            and model.n_context <= n_shape
            and np.array_equal(getattr(context, "classes_", None), own[0])
        ),
        "rhythm_estimator_": rhythm is None
        or (
            getattr(rhythm, "n_features_in_", model.n_rhythm) == model.n_rhythm
            and any(np.array_equal(kinds, range(n)) for n in (2, 3))
        ),
        "pair_": rhythm is None
        or (
            isinstance(pair, np.ndarray)
            and pair.shape == (2,)
            and pair.dtype.kind == "i"
            and np.isin(pair, np.arange(np.size(own[0]))).all()
            and pair[0] != pair[1]
        ),
        "rhythm_shares_": rhythm is None
        or (
            isinstance(shares, np.ndarray)
            and shares.shape == np.shape(kinds)
            and shares.dtype == np.float64
            and (shares > 0).all()
            and np.isclose(shares.sum(), 1)
        ),
    }
    if wrong := [name for name, holds in facts.items() if not holds]:
        raise ValueError(f"Its shape and its rhythm do not agree on {wrong[0]}.")


def _plan(transformer):
    """Plan a transform, unless it would take more memory than any beat needs."""
    transformer._validate_params()
    nperseg, nfft = transformer.nperseg, transformer.nfft or 1
    longest = nfft if isinstance(nfft, Integral) else nfft * nperseg
    if max(longest, nperseg) > _LONGEST_SEGMENT:
        raise ValueError(
            f"Its segments have nperseg={nperseg}, nfft={transformer.nfft}; they may "
            f"have {_LONGEST_SEGMENT} samples at most."
        )
    if transformer.n_features_in_ > _LONGEST_BEAT:
        raise ValueError(f"Its beats have {transformer.n_features_in_} columns.")
    return transformer._plan(transformer.n_features_in_ - transformer.n_context)
