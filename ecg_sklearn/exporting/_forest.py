"""Writes a forest of trees, with its calibration, as one ONNX graph."""

import json

import numpy as np

from ecg_sklearn.ensemble._calibrated import LEAST
from ecg_sklearn.exporting._runners import optional

__all__ = ["probe_columns", "write_trees"]

_IR, _OPERATORS, _TREE_OPERATORS = 8, 15, 3  # all of 2021: runtimes of today know them


def write_trees(path, parts, n_columns, metadata):
    """Write the graph of a :class:`~ecg_sklearn.ensemble._trees.TreeModel`.

    ``TreeEnsembleRegressor`` sums the shares of the classes in the leaves of all trees.
    (``TreeEnsembleClassifier`` does the same, and has rules of its own for two
    classes; the newer ``TreeEnsemble`` has one class a leaf.)
    """
    onnx, _ = map(optional, ("onnx", "onnxruntime"))
    make, kind = onnx.helper, onnx.TensorProto
    constants: dict = {"classes": _labels(parts.classes)}
    node = make.make_node
    trees = node(
        "TreeEnsembleRegressor",
        ["beats"],
        ["shares"],
        domain="ai.onnx.ml",
        n_targets=len(parts.classes),
        **_attributes(parts),
    )
    nodes = [trees, *_calibration(node, parts.calibrated, constants)]
    nodes.append(node("ArgMax", ["weighted"], ["place"], axis=1, keepdims=0))
    nodes.append(node("Gather", ["classes", "place"], ["labels"]))
    label_kind = make.np_dtype_to_tensor_dtype(constants["classes"].dtype)
    value = make.make_tensor_value_info
    graph = make.make_graph(
        nodes,
        "trees",
        [value("beats", kind.FLOAT, ["n_beats", n_columns])],
        [
            value("probabilities", kind.FLOAT, ["n_beats", len(parts.classes)]),
            value("labels", label_kind, ["n_beats"]),
        ],
        [onnx.numpy_helper.from_array(v, name) for name, v in constants.items()],
    )
    versions = [("", _OPERATORS), ("ai.onnx.ml", _TREE_OPERATORS)]
    written = make.make_model(
        graph,
        producer_name="ecg_sklearn",
        ir_version=_IR,
        opset_imports=[make.make_opsetid(*version) for version in versions],
    )
    properties = {name: json.dumps(value) for name, value in metadata.items()}
    make.set_model_props(written, properties)
    onnx.checker.check_model(written, full_check=True)
    onnx.save(written, path)


def _labels(classes):
    """Labels as a tensor may hold them."""
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64)
    if classes.dtype.kind == "b":
        return classes
    return classes.astype(str).astype(object)


def _calibration(node, calibrated, constants):
    """Nodes from the shares of the trees to probabilities, and to weighted ones."""
    if calibrated is None:
        return [
            node("Identity", ["shares"], ["probabilities"]),
            node("Identity", ["shares"], ["weighted"]),
        ]
    constants |= {
        "least": np.array(LEAST, dtype=np.float32),
        "coefficients": calibrated.calibration_[:, :-1].astype(np.float32),
        "intercept": calibrated.calibration_[:, -1].astype(np.float32),
        "label_weights": calibrated.label_weights_.astype(np.float32),
    }
    linear = ["logarithms", "coefficients", "intercept"]
    return [
        node("Max", ["shares", "least"], ["clipped"]),
        node("Log", ["clipped"], ["logarithms"]),
        node("Gemm", linear, ["logits"], transB=1),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
        node("Mul", ["probabilities", "label_weights"], ["weighted"]),
    ]


def _attributes(parts):
    """Attributes of the node of all trees."""
    targets = np.searchsorted(parts.classes, parts.forest.classes_)
    found: dict = {
        name: []
        for name in (
            "nodes_treeids",
            "nodes_nodeids",
            "nodes_featureids",
            "nodes_values",
            "nodes_modes",
            "nodes_truenodeids",
            "nodes_falsenodeids",
            "target_treeids",
            "target_nodeids",
            "target_ids",
            "target_weights",
        )
    }
    for number, tree in enumerate(parts.trees):
        is_leaf = tree.children_left < 0
        place = np.arange(tree.node_count)
        columns = parts.columns[np.where(is_leaf, 0, tree.feature)]
        shares = tree.value[:, 0] * is_leaf[:, None] / len(parts.trees)
        leaf, share = np.nonzero(shares)
        rows = {
            "nodes_treeids": np.full(tree.node_count, number),
            "nodes_nodeids": place,
            "nodes_featureids": np.where(is_leaf, 0, columns),
            "nodes_values": np.where(is_leaf, 0, round_down(tree.threshold)),
            "nodes_modes": np.where(is_leaf, "LEAF", "BRANCH_LEQ"),
            "nodes_truenodeids": np.where(is_leaf, 0, tree.children_left),
            "nodes_falsenodeids": np.where(is_leaf, 0, tree.children_right),
            "target_treeids": np.full(len(leaf), number),
            "target_nodeids": leaf,
            "target_ids": targets[share],
            "target_weights": shares[leaf, share],
        }
        for name, values in rows.items():
            found[name] += values.tolist()
    return found


def round_down(threshold):
    """Largest float32 that is not above a threshold.

    A float32 is below the threshold exactly if it is below this, so each beat takes the
    same way through the trees as in scikit-learn, which compares in float64.
    """
    threshold = np.asarray(threshold, dtype=np.float64)
    rounded = threshold.astype(np.float32)
    down = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > threshold, down, rounded)


def probe_columns(parts, n_beats, n_columns):
    """Make beats at the thresholds of the trees, where rounding would show.

    Each value is a threshold of its column, rounded down or up.
    """
    rng = np.random.default_rng(0)
    X = np.zeros((n_beats, n_columns), dtype=np.float32)
    thresholds: dict = {}
    for tree in parts.trees:
        inner = tree.children_left >= 0
        columns = parts.columns[tree.feature[inner]]
        for column, value in zip(columns, tree.threshold[inner], strict=True):
            thresholds.setdefault(int(column), []).append(value)
    for column, values in thresholds.items():
        below = round_down(rng.choice(values, n_beats))
        above = np.nextafter(below, np.float32(np.inf))
        X[:, column] = np.where(rng.random(n_beats) < 0.5, below, above)
    return X
