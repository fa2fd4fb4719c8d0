"""Checks of beats, labels, weights and parameters of the network."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite, compute_sample_weight
from sklearn.utils.validation import (
    _check_sample_weight,
    column_or_1d,
    validate_data,
)

from ecg_sklearn.utils._columns import sample_columns


def check_images(estimator, X, name="X", *, y="no_validation", reset=False):
    """Validate beats; return them as images, and find the rows of features."""
    found = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        dtype=np.float32,
        allow_nd=True,
        order="C",
        ensure_all_finite="allow-nan",
    )
    X, *labels = found if isinstance(found, tuple) else (found,)
    _refuse_features(estimator, X)
    if reset:
        estimator._input_shape = X.shape[1:]
    elif X.shape[1:] != estimator._input_shape:
        raise ValueError(
            f"{name} holds beats of shape {X.shape[1:]}, but "
            f"{type(estimator).__name__} was fitted on {estimator._input_shape}."
        )
    images = _as_images(X, name)
    slots = _feature_slots(estimator, images)
    if reset:
        estimator._feature_slots = slots
    elif slots != estimator._feature_slots:
        raise ValueError(
            f"{name} holds {_say_slots(slots)}, but {type(estimator).__name__} was "
            f"fitted on beats with {_say_slots(estimator._feature_slots)}."
        )
    return (images, *labels) if labels else images


def _refuse_features(estimator, X):
    """Refuse rows in which columns of features follow samples: they are no samples."""
    names = getattr(estimator, "feature_names_in_", None)
    if X.ndim > 2 or names is None:
        return
    samples, features = sample_columns("auto", X, names)
    if (np.diff(samples) < 0).any():
        raise ValueError(
            f"The columns of X are {', '.join(map(str, names[:3]))}, ..., and "
            f"{type(estimator).__name__} takes them for samples in the order of time. "
            "Sort them: t000, t001, ..."
        )
    if len(features):
        shown = ", ".join(map(str, names[features[:3]]))
        raise ValueError(
            f"X holds {len(samples)} samples and {len(features)} features ({shown}"
            f"{', ...' if len(features) > 3 else ''}), and "
            f"{type(estimator).__name__} would take all for samples. Leave the "
            "features out, or put a SpectrogramTransformer before it, which keeps them "
            "apart."
        )


def _as_images(X, name):
    """View beats as (n_beats, n_freqs, n_frames, n_channels)."""
    if X.ndim == 2:
        return X[:, None, :, None]
    if X.ndim == 3:
        return X[..., None]
    if X.ndim == 4:
        return X
    raise ValueError(
        f"{name} has {X.ndim} dimensions. Give (n_beats, n_features), (n_beats, "
        "n_freqs, n_frames) or (n_beats, n_freqs, n_frames, n_channels)."
    )


def _feature_slots(estimator, images):
    """Count the features in each row of features; NaN anywhere else is an error.

    The last rows of an image hold features. The rest of each such row is NaN.
    """
    n_rows, n_slots = 0, images.shape[2] * images.shape[3]
    while n_rows < images.shape[1] - 1 and np.isnan(images[0, -1 - n_rows, -1, -1]):
        n_rows += 1
    n_image_rows = images.shape[1] - n_rows
    parts = [images[:, :n_image_rows]]
    rows = images[:, n_image_rows:].reshape(len(images), n_rows, n_slots)
    empty = np.isnan(rows)
    counts = (~empty[:1]).sum(axis=2, keepdims=True)
    if (empty != (np.arange(n_slots) >= counts)).any():  # a beat lacks a feature
        parts.append(rows)
    for part in parts:
        assert_all_finite(part, estimator_name=type(estimator).__name__, input_name="X")
    return tuple(counts.ravel().tolist())


def _say_slots(slots):
    if not slots:
        return "no row of features"
    return f"{sum(slots)} features in the last {len(slots)} row(s)"


def check_classes(classes):
    """Refuse a single class."""
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class only, {classes.tolist()[0]!r}. A classifier needs "
            "beats of at least two classes."
        )
    return classes


def check_architecture(filters, residual):
    """Check the parameters of the blocks."""
    if not filters or not all(isinstance(n, Integral) and n > 0 for n in filters):
        raise ValueError(
            f"filters={filters!r} must hold a positive int for each block, such as "
            "(32, 64, 128, 256)."
        )
    known = range(1, len(filters) + 1)
    if not all(isinstance(n, Integral) and n in known for n in residual):
        raise ValueError(
            f"residual={residual!r} names blocks that are not there: filters="
            f"{filters!r} makes blocks 1 to {len(filters)}."
        )


def dense_layers(units):
    """Units of each dense layer, as a tuple of int."""
    layers = ((units,) if units else ()) if isinstance(units, Integral) else units
    if not all(isinstance(n, Integral) and n > 0 for n in layers):
        raise ValueError(
            f"dense_units={units!r} must hold a positive int for each dense layer, "
            "such as (512, 256). 0 leaves the layer out."
        )
    return tuple(map(int, layers))


def check_validation_data(estimator, X_val, y_val):
    """Check validation beats against the training beats."""
    expected, classes = estimator._input_shape, estimator.classes_
    if np.ndim(X_val) < 1 + len(expected):
        raise ValueError(
            f"X_val has shape {np.shape(X_val)}, but the training beats have shape "
            f"(n_beats, {', '.join(map(str, expected))}): it did not pass the steps of "
            "the pipeline. Make it by make_ecg_pipeline, and give its fit X_val and "
            "y_val without the name of a step; in another Pipeline, set "
            'transform_input=["X_val"] and '
            "sklearn.set_config(enable_metadata_routing=True)."
        )
    images = check_images(estimator, X_val, "X_val")
    y_val = column_or_1d(y_val)
    if len(images) != len(y_val):
        raise ValueError(
            f"X_val holds {len(images)} beats and y_val {len(y_val)} labels."
        )
    codes = np.searchsorted(classes, y_val).clip(max=len(classes) - 1)
    if (unknown := np.unique(y_val[classes[codes] != y_val])).size:
        raise ValueError(
            f"y_val holds labels {unknown.tolist()} that y does not: "
            f"{classes.tolist()}. Take them out, or add them to y."
        )
    return images, codes


def training_weights(y, sample_weight, class_weight, classes):
    """Weight of each beat in the loss; does not change the caller's array."""
    weights = None
    if sample_weight is not None:
        weights = _check_sample_weight(
            sample_weight, y, dtype=np.float32, ensure_non_negative=True, copy=True
        )
    if class_weight is not None:
        by_class = _weights_by_class(class_weight, y, classes).astype(np.float32)
        if not (by_class >= 0).all():
            raise ValueError(
                f"class_weight={class_weight!r} must hold positive numbers or zero."
            )
        weights = by_class if weights is None else weights * by_class
    if weights is not None and not weights.any():
        raise ValueError(
            "The weights of all beats are zero, which leaves nothing to train on. "
            "Check sample_weight and class_weight."
        )
    return weights


def _weights_by_class(class_weight, y, classes):
    """Weight of each beat by its class; a batch may lack classes."""
    if isinstance(class_weight, dict):
        known = np.asarray(classes).tolist()
        if unknown := set(class_weight) - set(known):
            warnings.warn(
                f"class_weight names {sorted(unknown, key=str)}, which are not among "
                f"the classes {known}.",
                UserWarning,
                stacklevel=2,
            )
        present = set(np.unique(y).tolist())
        class_weight = {k: v for k, v in class_weight.items() if k in present}
    return compute_sample_weight(class_weight, y)


def hold_out(rows, codes, classes, fraction, rng):
    """Hold out a fraction of the rows, stratified by class."""
    codes = codes[rows]
    try:
        return train_test_split(
            rows,
            test_size=fraction,
            stratify=codes,
            random_state=rng.randint(2**31 - 1),
        )
    except ValueError as error:
        counts = dict(zip(classes.tolist(), np.bincount(codes).tolist(), strict=False))
        raise ValueError(
            f"validation_fraction={fraction} of {len(rows)} beats cannot be held out "
            f"by class (beats per class: {counts}): {error} Pass X_val and y_val, or "
            "set early_stopping=False."
        ) from error
