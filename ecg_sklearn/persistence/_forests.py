"""Forests as numbers: the nodes of all trees in arrays, checked before a tree is made.

scikit-learn follows the numbers of a node without looking at them, so that a wrong one
would read, or write, memory that is not the tree's.
"""

import numpy as np
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree

from ecg_sklearn.persistence._nodes import add_up, check_links, is_array
from ecg_sklearn.persistence._values import shown

__all__ = ["FORESTS", "decode_trees", "encode_trees"]

FORESTS = ("sklearn.ExtraTreesClassifier", "sklearn.RandomForestClassifier")
"""Names of the forests whose trees can be taken apart."""

_LEAF = -1
_CHILDREN = ("left_child", "right_child")
# What the files call the fields of a node, and their types there.
_FIELDS = {
    "left_child": np.int64,
    "right_child": np.int64,
    "feature": np.int64,
    "threshold": np.float64,
    "impurity": np.float64,
    "n_node_samples": np.int64,
    "weighted_n_node_samples": np.float64,
    "missing_go_to_left": np.uint8,
}


def encode_trees(forest, encoder, where):
    """Take the trees of a forest apart.

    Parameters
    ----------
    forest : ForestClassifier
        Fitted.
    encoder : ModelEncoder
        Takes the arrays.
    where : str
        What it is, for errors.

    Returns
    -------
    dict
        The trees as JSON.
    """
    if forest.n_outputs_ != 1:
        raise ValueError(f"{where}: a forest of {forest.n_outputs_} outputs.")
    trees = [tree.tree_ for tree in forest.estimators_]
    states = [tree.__getstate__() for tree in trees]
    columns = {
        name: np.concatenate([s["nodes"][name] for s in states]).astype(dtype)
        for name, dtype in _FIELDS.items()
    }
    columns["n_nodes"] = np.array([tree.node_count for tree in trees], dtype=np.int64)
    columns["value"] = np.concatenate([s["values"][:, 0] for s in states])
    return {n: encoder.encode(v, f"{where}: {n}") for n, v in columns.items()}


def decode_trees(forest, columns, decoder):
    """Give a forest its trees.

    Parameters
    ----------
    forest : ForestClassifier
        With its other fitted attributes.
    columns : object
        What :func:`encode_trees` gave.
    decoder : ModelDecoder
        Has the arrays.

    Raises
    ------
    ValueError
        If they are no trees, or not those of this forest.
    """
    if not isinstance(columns, dict) or set(columns) != {*_FIELDS, "n_nodes", "value"}:
        raise ValueError("Its forest does not have the parts of one.")
    columns = {name: decoder.decode(columns[name]) for name in sorted(columns)}
    n_features, n_classes = _sizes(vars(forest))
    value, n_nodes = columns.pop("value"), columns.pop("n_nodes")
    if (
        not is_array(n_nodes, np.int64, (forest.n_estimators,))
        or not add_up(n_nodes, n_all := len(columns["feature"]))
        or not is_array(value, np.float64, (n_all, n_classes))
        or not all(is_array(columns[n], t, (n_all,)) for n, t in _FIELDS.items())
    ):
        raise ValueError("The arrays of its forest do not fit together.")
    numbers = {n: columns[n] for n, t in _FIELDS.items() if t is np.float64}
    threshold = numbers.pop("threshold")
    if (
        not all(np.isfinite(array).all() for array in (value, *numbers.values()))
        or not (threshold > -np.inf).all()  # inf parts missing values from all others
        or value.min() < 0
    ):
        raise ValueError("Its forest holds values that no tree has.")
    feature, left, right = (columns[n] for n in ("feature", *_CHILDREN))
    is_leaf = left == _LEAF
    if (right[is_leaf] != _LEAF).any():
        raise ValueError("Its forest holds a node with one child.")
    check_links(left, right, feature, is_leaf, n_nodes, n_features)
    depths = _depths(left, right, n_nodes)
    layout = _layout()
    starts = np.cumsum(n_nodes) - n_nodes
    forest.estimators_ = []
    for start, count, depth in zip(starts, n_nodes, depths, strict=True):
        part = slice(start, start + count)
        nodes = np.zeros(count, dtype=layout)
        for name in _FIELDS:
            nodes[name] = columns[name][part]
        tree = _empty_tree(forest, n_features, n_classes)
        tree.tree_.__setstate__(
            {
                "max_depth": int(depth),
                "node_count": int(count),
                "nodes": nodes,
                "values": np.ascontiguousarray(value[part, None]),
            }
        )
        forest.estimators_.append(tree)


def _sizes(fitted):
    """Check the fitted attributes of a forest; give its features and classes."""
    classes, n_features = fitted.get("classes_"), fitted.get("n_features_in_")
    facts = {
        "n_features_in_": type(n_features) is int,
        "classes_": isinstance(classes, np.ndarray)
        and classes.ndim == 1
        and len(classes) > 0,
        "n_outputs_": fitted.get("n_outputs_") == 1,
        "n_estimators": type(fitted.get("n_estimators")) is int,
    }
    if wrong := [name for name, holds in facts.items() if not holds]:
        raise ValueError(f"Its forest has {wrong[0]}={shown(fitted.get(wrong[0]))}.")
    if fitted.get("n_classes_") != len(classes):
        raise ValueError(f"Its forest has n_classes_={shown(fitted['n_classes_'])}.")
    return n_features, len(classes)


def _depths(left, right, n_nodes):
    """Give the depth of each tree, whose links were checked."""
    starts = np.cumsum(n_nodes) - n_nodes
    start = np.repeat(starts, n_nodes)
    tree = np.repeat(np.arange(len(n_nodes)), n_nodes)
    depths = np.zeros(len(n_nodes), dtype=np.int64)
    level, depth = starts, 0
    while len(level):
        depths[tree[level]] = depth
        level = level[left[level] != _LEAF]
        first = start[level]
        level = np.concatenate([first + left[level], first + right[level]])
        depth += 1
    return depths


def _layout():
    """Give the layout that the installed scikit-learn has for a node."""
    stump = DecisionTreeClassifier(max_depth=1).fit([[0.0], [1.0]], [0, 1])
    layout = stump.tree_.__getstate__()["nodes"].dtype
    if set(layout.names) != set(_FIELDS):
        raise ValueError(
            "The nodes of this version of scikit-learn have the fields "
            f"{', '.join(layout.names)}; those of the file are others."
        )
    return layout


def _empty_tree(forest, n_features, n_classes):
    """Make a tree as the forest makes its own, without nodes."""
    params = {name: getattr(forest, name) for name in forest.estimator_params}
    tree = type(forest.estimator)(**params | {"random_state": None})
    tree.n_features_in_ = n_features
    tree.n_outputs_ = 1
    tree.classes_ = np.arange(n_classes)
    tree.n_classes_ = n_classes
    tree.tree_ = Tree(n_features, np.array([n_classes], dtype=np.intp), 1)
    return tree
