"""Boosted trees as numbers: the nodes of all trees in arrays, checked beforehand.

As with forests (:mod:`._forests`), scikit-learn follows the numbers of a node without
looking at them.
"""

import numpy as np
from sklearn.preprocessing import LabelEncoder

from ecg_sklearn.persistence._nodes import add_up, check_links, is_array
from ecg_sklearn.persistence._values import shown

__all__ = ["BOOSTING", "decode_boosting", "encode_boosting"]

BOOSTING = "sklearn.HistGradientBoostingClassifier"

# Fields of a node that a file keeps, and their types there.
_FIELDS = {
    "value": np.float64,
    "count": np.int64,
    "feature_idx": np.int64,
    "num_threshold": np.float64,
    "missing_go_to_left": np.uint8,
    "left": np.int64,
    "right": np.int64,
    "gain": np.float64,
    "depth": np.int64,
    "is_leaf": np.uint8,
    "bin_threshold": np.uint8,
}
# The other fields are about columns of categories, which no file may have.
_OF_CATEGORIES = ("is_categorical", "bitset_idx")
_LARGEST_COUNT = np.iinfo(np.uint32).max
# More than any model has; each takes some memory beside its nodes.
_MOST_TREES = 100_000
_MOST_FEATURES = 2**22


def encode_boosting(model, encoder, where):
    """Take the trees of a model apart.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        Fitted.
    encoder : ModelEncoder
        Takes the arrays.
    where : str
        What it is, for errors.

    Returns
    -------
    dict
        The trees as JSON.

    Raises
    ------
    ValueError
        If some of its columns hold categories, or it is to go on from these trees.
    """
    if model.is_categorical_ is not None:
        raise ValueError(f"{where}: boosted trees with columns of categories.")
    if model.warm_start:
        raise ValueError(f"{where}: boosted trees with warm_start=True.")
    nodes = [tree.nodes for trees in model._predictors for tree in trees]
    columns = {
        name: np.concatenate([part[name] for part in nodes]).astype(dtype)
        for name, dtype in _FIELDS.items()
    }
    columns["n_nodes"] = np.array([len(part) for part in nodes], dtype=np.int64)
    return {n: encoder.encode(v, f"{where}: {n}") for n, v in columns.items()}


def decode_boosting(model, columns, decoder):
    """Give a model its trees.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        With its other fitted attributes.
    columns : object
        What :func:`encode_boosting` gave.
    decoder : ModelDecoder
        Has the arrays.

    Raises
    ------
    ValueError
        If they are no trees, or not those of this model.
    """
    if not isinstance(columns, dict) or set(columns) != {*_FIELDS, "n_nodes"}:
        raise ValueError("Its boosted trees do not have the parts of such.")
    columns = {name: decoder.decode(columns[name]) for name in sorted(columns)}
    n_nodes = columns.pop("n_nodes")
    n_features, n_outputs = _sizes(vars(model))
    if (
        not is_array(n_nodes, np.int64, np.shape(n_nodes)[:1])
        or not 0 < len(n_nodes) <= _MOST_TREES
        or len(n_nodes) % n_outputs
        or not add_up(n_nodes, n_all := len(columns["value"]))
        or not all(is_array(columns[n], t, (n_all,)) for n, t in _FIELDS.items())
    ):
        raise ValueError("The arrays of its boosted trees do not fit together.")
    counts = np.array([columns["count"], columns["depth"]])
    if (
        not np.isfinite([columns["value"], columns["gain"]]).all()
        or np.isnan(columns["num_threshold"]).any()
        or counts.min() < 0
        or counts.max() > _LARGEST_COUNT
    ):
        raise ValueError("Its boosted trees hold values that no tree has.")
    is_leaf = columns["is_leaf"] == 1
    if (columns["is_leaf"] > 1).any():
        raise ValueError("Its boosted trees hold a node that may be a leaf.")
    links = (columns[name] for name in ("left", "right", "feature_idx"))
    check_links(*links, is_leaf, n_nodes, n_features)
    for name in ("left", "right", "feature_idx"):
        columns[name][is_leaf] = 0
    trees = _make_trees(columns, n_nodes)
    model._predictors = [
        trees[start : start + n_outputs] for start in range(0, len(trees), n_outputs)
    ]
    _finish(model, n_features)


def _sizes(fitted):
    """Check the fitted attributes of a model; give its features and outputs."""
    classes, n_features = fitted.get("classes_"), fitted.get("n_features_in_")
    n_outputs = fitted.get("n_trees_per_iteration_")
    n_classes = np.size(classes)
    baseline = fitted.get("_baseline_prediction")
    facts = {
        "n_features_in_": type(n_features) is int and n_features <= _MOST_FEATURES,
        "classes_": isinstance(classes, np.ndarray)
        and classes.shape == (n_classes,)
        and n_classes > 0,
        "n_trees_per_iteration_": type(n_outputs) is int
        and n_outputs == (1 if n_classes <= 2 else n_classes),
        "is_categorical_": fitted.get("is_categorical_") is None,
        "_baseline_prediction": is_array(baseline, np.float64, (1, n_outputs))
        and np.isfinite(baseline).all(),
        "warm_start": fitted.get("warm_start") is False,
        "_fitted_with_sw": type(fitted.get("_fitted_with_sw", False)) is bool,
    }
    if wrong := [name for name, holds in facts.items() if not holds]:
        raise ValueError(
            f"Its boosted trees have {wrong[0]}={shown(fitted.get(wrong[0]))}."
        )
    return n_features, n_outputs


def _make_trees(columns, n_nodes):
    """Make scikit-learn's trees of nodes that were checked."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    if set(PREDICTOR_RECORD_DTYPE.names) != {*_FIELDS, *_OF_CATEGORIES}:
        raise ValueError(
            "The nodes of this version of scikit-learn have the fields "
            f"{', '.join(PREDICTOR_RECORD_DTYPE.names)}; those of the file are others."
        )
    nodes = np.zeros(n_nodes.sum(), dtype=PREDICTOR_RECORD_DTYPE)
    for name, values in columns.items():
        nodes[name] = values
    no_categories = np.zeros((0, 8), dtype=np.uint32)
    return [
        TreePredictor(part.copy(), no_categories, no_categories)
        for part in np.split(nodes, np.cumsum(n_nodes)[:-1])
    ]


def _finish(model, n_features):
    """Set what scikit-learn asks for when the trees predict."""
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    model._n_features = n_features
    model._preprocessor = model._is_categorical_remapped = None
    model._loss = model._get_loss(sample_weight=None)
    model._label_encoder = LabelEncoder().fit(model.classes_)
    # Looked at for columns of categories alone; the edges of bins serve training.
    model._bin_mapper = _BinMapper()
    model._bin_mapper.is_categorical_ = np.zeros(n_features, dtype=np.uint8)
    model._bin_mapper.bin_thresholds_ = []
