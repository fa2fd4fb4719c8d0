"""Makes the model of a checked file, in place of skops, whose import takes long.

skops itself makes what is rare in models: random generators, types, old files.
"""

import json
from importlib import import_module

import numpy as np
from sklearn.tree._tree import Tree

_PROTOCOL = 2  # files of others are left to skops
_KEYS = {"str": str, "int": int, "float": float}


class UnusualError(Exception):
    """The file holds what skops must make."""


def build(schema, arrays):
    """Make the object of a schema that ``clean`` of ``_untrusted`` has checked.

    Parameters
    ----------
    schema : dict
        Its classes are in the list of those that a file may hold.
    arrays : dict
        Arrays by the name of their file.

    Raises
    ------
    UnusualError
        If the schema has a node that is not made here.
    """
    if schema.get("protocol") != _PROTOCOL:
        raise UnusualError
    return _Builder(arrays).build(schema)


class _Builder:
    """Makes objects from the nodes of skops."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.classes: dict = {}

    def build(self, node):
        """Make the value of a node."""
        make = _MAKERS.get(node["__loader__"])
        if make is None:
            raise UnusualError
        return make(self, node)

    def _json(self, node):
        return json.loads(node["content"])

    def _list(self, node):
        return [self.build(item) for item in node["content"]]

    def _tuple(self, node):
        return tuple(self._list(node))

    def _dict(self, node):
        kinds, found = node["key_types"], {}
        if kinds["__loader__"] != "ListNode":
            raise UnusualError
        pairs = zip(kinds["content"], node["content"].items(), strict=True)
        for kind, (key, value) in pairs:
            found[self._key_type(kind)(key)] = self.build(value)
        return found

    def _key_type(self, node):
        module, name = node["__module__"], node["__class__"]
        if (node["__loader__"], module) != ("TypeNode", "builtins"):
            raise UnusualError
        if name not in _KEYS:
            raise UnusualError
        return _KEYS[name]

    def _slice(self, node):
        return slice(*(node["content"][name] for name in ("start", "stop", "step")))

    def _array(self, node):
        name = node["__class__"]
        if node["type"] == "json":
            return np.array([self.build(item) for item in node["content"]], object)
        array = self.arrays[node["file"]]
        if name == "ndarray" and array.dtype.names:  # also the bytes between fields
            whole = array.view(f"V{array.itemsize}").copy(order="K")
            return whole.view(array.dtype)
        if name == "ndarray":
            return array.copy(order="K")
        if node["__module__"] != "numpy" or array.dtype.type.__name__ != name:
            raise UnusualError
        return array[()]

    def _tree(self, node):
        tree = Tree(*self.build(node["__reduce__"]["args"]))
        tree.__setstate__(self.build(node["content"]))
        return tree

    def _object(self, node):
        place = node["__module__"], node["__class__"]
        if place not in self.classes:
            self.classes[place] = getattr(import_module(place[0]), place[1])
        kind = self.classes[place]
        found = kind.__new__(kind)
        state = self.build(node["content"])
        if hasattr(found, "__setstate__"):
            found.__setstate__(state)
        else:
            found.__dict__.update(state)
        return found


_MAKERS = {
    "DictNode": _Builder._dict,
    "JsonNode": _Builder._json,
    "ListNode": _Builder._list,
    "NdArrayNode": _Builder._array,
    "ObjectNode": _Builder._object,
    "SliceNode": _Builder._slice,
    "TreeNode": _Builder._tree,
    "TupleNode": _Builder._tuple,
}
