"""Checks of untrusted skops files, before objects are created.

skops checks the types in a file, but not their attributes. Compiled code does not check
the numbers in trees, random generators and array headers.
"""

import io
import json
import math
import zipfile
from typing import NamedTuple

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.tree._tree import NODE_DTYPE

from ecg_sklearn.utils._refused import need
from ecg_sklearn.utils._untrusted_network import network_config

_DEEPEST = 100
# scikit-learn casts other layouts by position of the fields, not by name.
_LAYOUT = "It holds a tree in the layout of another scikit-learn. Save it again."
_COLUMNS = "Its trees ask for columns that it does not have."
# Broadcasting two arrays of other shapes could need memory of the product of sizes.
_MATRICES = tuple(
    "calibration_ coef_ known_ quantiles_ record_counts_ _baseline_prediction nodes"
    " values".split()
)


def text_of(content):
    """Encode JSON as bytes."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


class Checked(NamedTuple):
    """A model that was checked, without shared objects.

    ``files`` and ``arrays`` are those that its ``schema`` names: bytes, and the same as
    read-only arrays.
    """

    schema: dict
    files: dict[str, bytes]
    arrays: dict[str, np.ndarray]

    def members(self):
        """Members of a zip that skops can read."""
        return {"schema.json": text_of(self.schema)} | self.files


def clean(content, names, shared):
    """Check a zip of skops; normalise the model, without shared objects."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
        plain = all(entry.compress_type == 0 for entry in archive.infolist())
        plain = plain and total <= len(content) < 2**31
        need(plain, "It is compressed, or larger than 2 GB.")
        files = {name: archive.read(name) for name in archive.namelist()}
    need(len(files["schema.json"]) < 2**26, "Its schema.json is larger than 64 MB.")
    reader = _Reader(names, files)
    schema = json.loads(files["schema.json"])
    reader.read(schema)
    found = Checked(schema, reader.used, reader.arrays)
    need(shared or len(found.files) < len(files), "It uses an array more than once.")
    return found


class _Reader:
    """Reads nodes of skops as plain values, and normalises the nodes."""

    def __init__(self, names, files):
        self.names, self.files, self.depth = names, files, 0
        self.used, self.arrays = {}, {}

    def read(self, node):
        """Return the value of a node; for an object, its attributes."""
        node.pop("__id__", None)  # skops shares objects by this id
        module, kind, loader = (node[f"__{k}__"] for k in ("module", "class", "loader"))
        room = module.partition("._")[0]
        if f"{room}.{kind}" in self.names:
            node["__module__"] = module = room
        if loader == "ObjectNode":
            known = f"{module}.{kind}" in self.names
        elif loader in ("DictNode", "ListNode", "TupleNode"):
            known = (module, f"{kind.title()}Node") == ("builtins", loader)
        else:
            known = loader in _LOADERS
        need(known, f"It holds a {module}.{kind} ({loader}), which no model file may.")
        self.depth += 1
        need(self.depth < _DEEPEST, "It is nested too deep.")
        value = _LOADERS[loader](self, node)
        self.depth -= 1
        return value

    def _json(self, node):
        return json.loads(node["content"])

    def _list(self, node):
        return [self.read(item) for item in node["content"]]

    def _tuple(self, node):
        return tuple(self._list(node))

    def _dict(self, node):
        kinds, content = self.read(node["key_types"]), node["content"]
        need(len(kinds) == len(content), "It holds a dict that lacks a key.")
        need("bool" not in kinds, "It holds a dict with builtins.bool for a key.")
        return {key: self.read(value) for key, value in content.items()}

    def _kind(self, node):
        return node["__class__"]

    def _array(self, node):
        if node["type"] == "json":  # labels and names of columns
            texts, shape = self._list(node), self.read(node["shape"])
            plain = shape == (len(texts),) and all(type(text) is str for text in texts)
            need(plain, "It holds an array of objects that are not all text.")
            return np.array(texts, dtype=object)
        content, node["file"] = self.files[node["file"]], f"{len(self.used)}.npy"
        self.used[node["file"]] = content
        self.arrays[node["file"]] = array = _parse_npy(content)
        if node["__class__"] == "memmap":
            node["__class__"] = "ndarray"
        plain = node["__class__"] == "ndarray" or array.ndim == 0
        need(plain, "It holds an array as a number.")
        return array

    def _generator(self, node):
        parts = node["content"]
        bits, seeds = self.read(parts["bit_generator"]), self.read(parts["seed_seq"])
        # Other pool sizes allocate memory, other kinds read beyond the state.
        usual = bits["bit_generator"] == "PCG64" and seeds["pool_size"] == 4
        need(usual, "It holds a random generator of an odd kind or state.")

    def _random_state(self, node):
        state = self.read(node["content"])
        key, pos = state["state"]["key"], state["state"]["pos"]
        usual = key.shape == (624,) and type(pos) is int and 0 <= pos <= 624
        usual = usual and state["bit_generator"] == "MT19937"
        need(usual, "It holds a random generator of an odd kind or state.")

    def _tree(self, node):
        state = self.read(node["content"])
        n_features, n_classes, n_outputs = self.read(node["__reduce__"]["args"])
        nodes, values = state["nodes"], state["values"]
        need(nodes.dtype == NODE_DTYPE, _LAYOUT)
        links = (nodes[name] for name in ("left_child", "right_child", "feature"))
        depth = _check_links(*links, nodes["left_child"] == -1, n_features)
        sizes = n_outputs, n_classes.shape, values.shape, state["node_count"]
        right = 1, (1,), (len(nodes), 1, n_classes.flat[0]), len(nodes)
        need(sizes == right and state["max_depth"] == depth, "A tree has other sizes.")
        return {"n_features": n_features}

    def _object(self, node):
        state, kind = self.read(node["content"]), node["__class__"]
        if kind == "TreePredictor":
            nodes = state["nodes"]
            need(nodes.dtype == PREDICTOR_RECORD_DTYPE, _LAYOUT)
            need(not nodes["is_categorical"].any(), "It holds trees of categories.")
            links = [nodes[name] for name in ("left", "right", "feature_idx")]
            _check_links(*links, nodes["is_leaf"] != 0, np.inf)
            return {"n_features": max(nodes["feature_idx"]) + 1}
        for name, value in state.items():
            flat = not isinstance(value, np.ndarray) or value.ndim < 2
            need(flat or name in _MATRICES, f"{name} of a {kind} is no row of numbers.")
        if kind == "NetworkFromConfig":
            need(state.keys() == {"config", "n_feature_rows"}, "Its network has more.")
            network_config(state["config"])
        data = type(state.get("build_fn")) in (dict, type(None))
        need(data, "It holds a network that is built by code.")
        if kind == "FunctionTransformer":
            plain = state["func"] is state["inverse_func"] is None
            plain = plain and state["feature_names_out"] in (None, "one-to-one")
            need(plain, "It holds a FunctionTransformer with a function.")
        if kind == "ColumnTransformer":
            chosen = state["transformers"] + state.get("transformers_", [])
            chosen = [*chosen, state.get("_remainder", (0, 0, []))]
            plain = all(_are_names(columns) for _, _, columns in chosen)
            need(plain, "It holds columns that are no list of names or positions.")
        n_features = state.get("n_features_in_")
        if "tree_" in state:
            need(state["tree_"]["n_features"] == n_features, _COLUMNS)
        if kind in ("ExtraTreesClassifier", "RandomForestClassifier"):
            trees = state.get("estimators_", [])
            need(all(tree["n_features_in_"] == n_features for tree in trees), _COLUMNS)
            known = not trees or state["n_classes_"] == len(state["classes_"])
            need(known, "Its forest does not agree on its classes.")
        if "coefs_" in state:
            _check_layers(state["coefs_"], state["intercepts_"], n_features)
        if "_predictors" in state:
            trees = [tree for trees in state["_predictors"] for tree in trees]
            need(all(tree["n_features"] <= n_features for tree in trees), _COLUMNS)
            n_classes, n_trees = len(state["classes_"]), state["n_trees_per_iteration_"]
            known = n_trees == (n_classes if n_classes > 2 else 1)
            need(known, "Its boosted trees do not agree on their classes.")
        return state


def _check_layers(weights, offsets, n_columns):
    """Check that each layer of a network takes what the one before it gives."""
    fit = len(weights) == len(offsets) > 0
    for matrix, row in zip(weights, offsets, strict=False):
        fit = fit and matrix.ndim == 2 and matrix.shape[0] == n_columns
        n_columns = matrix.shape[-1]
        fit = fit and row.shape == (n_columns,)
    need(fit, "It holds a network whose layers do not fit together.")


def _are_names(columns):
    return type(columns) is list and all(type(name) in (str, int) for name in columns)


_LOADERS = {  # of skops; no functions, methods, partials, bytes
    "DictNode": _Reader._dict,
    "JsonNode": _Reader._json,
    "ListNode": _Reader._list,
    "NdArrayNode": _Reader._array,
    "ObjectNode": _Reader._object,
    "RandomGeneratorNode": _Reader._generator,
    "RandomStateNode": _Reader._random_state,
    "SliceNode": _Reader._kind,
    "TreeNode": _Reader._tree,
    "TupleNode": _Reader._tuple,
    "TypeNode": _Reader._kind,
}


def _parse_npy(content):
    """Read an array; check its size before allocating memory."""
    stream = io.BytesIO(content)
    need(np.lib.format.read_magic(stream) == (1, 0), "It holds an array of odd form.")
    header = np.lib.format.read_array_header_1_0(stream, max_header_size=4096)
    shape, is_fortran, dtype = header
    kinds = [dtype[field] for field in dtype.names or ()] or [dtype]
    plain = all(k.kind in "biufU" and k.isnative and not k.subdtype for k in kinds)
    need(plain, f"It holds an array of {dtype}.")
    size = math.prod(shape) * dtype.itemsize
    whole = min(shape, default=0) >= 0 and size == len(content) - stream.tell()
    need(whole, f"It holds an array of shape {shape} and of another size.")
    array = np.frombuffer(content, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if is_fortran else "C")


def _check_links(left, right, feature, is_leaf, n_features):
    """Check that each tree node is reached once, from an earlier node; return depth."""
    inner = np.flatnonzero(~is_leaf)
    left, right = left.astype(np.int64), right.astype(np.int64)
    children = np.concatenate([left[inner], right[inner]])
    inside = (np.tile(inner, 2) < children).all() and (children < len(left)).all()
    known = (feature[inner] >= 0).all() and (feature[inner] < n_features).all()
    need(inside and known, "It holds a tree with a node that leads out of it.")
    counts = np.bincount(children, minlength=len(left))
    once = (counts == (np.arange(len(left)) > 0)).all()
    need(once, "It holds a tree with a node that is not reached once.")
    level, depth = np.array([0]), -1
    while len(level):
        level, depth = level[~is_leaf[level]], depth + 1
        level = np.concatenate([left[level], right[level]])
    return depth
