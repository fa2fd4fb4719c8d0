"""Plain values as JSON and arrays, and back.

What JSON has stays as it is; everything else is an object with the name of its kind
under "~". Arrays stand beside the JSON, in a list.
"""

import math
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np

from ecg_sklearn.persistence._random import pack_random, unpack_random

__all__ = ["Decoder", "Encoder", "is_storable", "shown"]

KIND = "~"
MAX_DEPTH = 32
MAX_INT_BITS = 128  # those of a PCG64


class Encoder:
    """Turns values into JSON, and puts their arrays aside.

    Attributes
    ----------
    arrays : list of ndarray
        The arrays met so far.
    """

    def __init__(self):
        self.arrays = []
        self._depth = 0
        self._by_type = {
            int: self._int,
            float: self._float,
            str: self._str,
            list: self._list,
            tuple: self._tuple,
            dict: self._dict,
            OrderedDict: self._dict,
            defaultdict: self._dict,
            slice: self._slice,
            np.ndarray: self._array,
            np.random.Generator: self._random,
            np.random.RandomState: self._random,
        }

    def encode(self, value, where):
        """Encode one value.

        Parameters
        ----------
        value : object
            None, bool, int, float, str, list, tuple, dict, slice, NumPy array,
            scalar, dtype, Generator (PCG64) or RandomState.
        where : str
            What the value is, for errors.

        Returns
        -------
        object
            What :mod:`json` can write.

        Raises
        ------
        ValueError
            If it is nothing of these.
        """
        # Subclasses may hold more than their base, so the type has to be the very one.
        if value is None or type(value) is bool:
            return value
        encode = self._by_type.get(type(value), self._other)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"{where} is nested deeper than {MAX_DEPTH} levels.")
        try:
            return encode(value, where)
        finally:
            self._depth -= 1

    def array(self, array, where):
        """Put an array aside.

        Parameters
        ----------
        array : ndarray
            Of bool, int, float, or str of one width.
        where : str
            What it is, for errors.

        Returns
        -------
        int
            Its place in :attr:`arrays`.
        """
        if not is_storable(array.dtype):
            raise ValueError(f"{where} is an array of dtype {array.dtype}.")
        self.arrays.append(array)
        return len(self.arrays) - 1

    def _int(self, value, where):
        if value.bit_length() > MAX_INT_BITS:
            raise ValueError(f"{where} is an int of {value.bit_length()} bits.")
        return value

    def _float(self, value, where):
        return value if math.isfinite(value) else _tagged("float", value=repr(value))

    def _str(self, value, where):
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{where} is a str with a lone surrogate.")
        return value

    def _list(self, value, where):
        return [self.encode(v, f"{where}[{i}]") for i, v in enumerate(value)]

    def _tuple(self, value, where):
        return _tagged("tuple", items=self._list(value, where))

    def _dict(self, value, where):
        items = []
        for key, content in value.items():
            if not isinstance(key, (str, int, np.integer)):
                raise ValueError(f"{where} is a dict with the key {key!r}.")
            place = f"{where}[{key!r}]"
            items.append([self.encode(key, place), self.encode(content, place)])
        return _tagged("dict", items=items)

    def _slice(self, value, where):
        parts = (value.start, value.stop, value.step)
        return _tagged("slice", items=self._list(parts, where))

    def _array(self, value, where):
        if value.dtype != object:
            return _tagged("array", place=self.array(value, where))
        # Names of columns and labels come as str objects.
        if value.ndim != 1 or not all(type(v) is str for v in value):
            raise ValueError(f"{where} is an array of objects other than str.")
        return _tagged("strings", items=self._list(value.tolist(), where))

    def _random(self, value, where):
        return _tagged("random", state=self.encode(pack_random(value, where), where))

    def _other(self, value, where):
        if isinstance(value, np.dtype) and is_storable(value):
            return _tagged("dtype", value=value.str)
        if isinstance(value, np.generic):
            return self._scalar(value, where)
        raise ValueError(f"{where} is a {_name_of(type(value))}.")

    def _scalar(self, value, where):
        if not is_storable(value.dtype):
            raise ValueError(f"{where} is a scalar of dtype {value.dtype}.")
        content = self.encode(value.item(), where)
        return _tagged("scalar", dtype=value.dtype.str, value=content)


class Decoder:
    """Turns what :class:`Encoder` made back into values.

    Parameters
    ----------
    arrays : list of ndarray
        The arrays beside the JSON.
    """

    def __init__(self, arrays):
        self.arrays = arrays
        self._unused = set(range(len(arrays)))
        self._depth = 0
        self._kinds = {
            "array": (self._array, {"place"}),
            "dict": (self._dict, {"items"}),
            "dtype": (self._dtype, {"value"}),
            "float": (self._float, {"value"}),
            "random": (self._random, {"state"}),
            "scalar": (self._scalar, {"dtype", "value"}),
            "slice": (self._slice, {"items"}),
            "strings": (self._strings, {"items"}),
            "tuple": (self._tuple, {"items"}),
        }

    def decode(self, node):
        """Decode one value.

        Parameters
        ----------
        node : object
            What :mod:`json` has read.

        Returns
        -------
        object
            The value.

        Raises
        ------
        ValueError
            If this is nothing that :class:`Encoder` writes.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"Values are nested deeper than {MAX_DEPTH} levels.")
        try:
            if isinstance(node, list):
                return [self.decode(item) for item in node]
            if isinstance(node, dict):
                return self._tagged(node)
            if type(node) is int and node.bit_length() > MAX_INT_BITS:
                raise ValueError("It holds an int that is too large.")
            return node
        finally:
            self._depth -= 1

    def finish(self):
        """Refuse arrays that no value has asked for.

        Raises
        ------
        ValueError
            If there are any.
        """
        if self._unused:
            raise ValueError(f"Nothing uses the arrays {sorted(self._unused)}.")

    def array(self, place):
        """Hand out an array, once.

        Parameters
        ----------
        place : int
            Its place in the list.

        Returns
        -------
        ndarray
            The array.
        """
        if type(place) is not int or place not in self._unused:
            raise ValueError(f"There is no array {shown(place)}, or it is used twice.")
        self._unused.remove(place)
        return self.arrays[place]

    def items(self, node):
        """Decode a list.

        Parameters
        ----------
        node : object
            Has to be a list.

        Returns
        -------
        list
            The values.
        """
        if not isinstance(node, list):
            raise ValueError(f"{shown(node)} stands where a list should.")
        return [self.decode(item) for item in node]

    def _tagged(self, node):
        kind = node.get(KIND)
        if not isinstance(kind, str) or kind not in self._kinds:
            raise ValueError(f"It holds a value of the unknown kind {shown(kind)}.")
        decode, fields = self._kinds[kind]
        if set(node) != fields | {KIND}:
            raise ValueError(f"It holds a {kind} with the fields {shown(list(node))}.")
        return decode(*(node[name] for name in sorted(fields)))

    def _array(self, place):
        return self.array(place)

    def _scalar(self, dtype, value):
        dtype, value = self._dtype(dtype), self.decode(value)
        python_type = {"b": bool, "f": float, "U": str}.get(dtype.kind, int)
        if type(value) is not python_type:
            raise ValueError(f"{shown(value)} is not a scalar of dtype {dtype}.")
        return dtype.type(value)

    def _float(self, value):
        if value not in ("nan", "inf", "-inf"):
            raise ValueError(f"{shown(value)} is not a float.")
        return float(value)

    def _dict(self, items):
        found: dict[Any, Any] = {}
        for pair in self.items(items):
            if not isinstance(pair, list) or len(pair) != 2:
                raise ValueError("An item of a dict is not a pair.")
            key, value = pair
            if not isinstance(key, (str, int, np.integer)) or key in found:
                raise ValueError(f"A dict has the key {shown(key)}, or has it twice.")
            found[key] = value
        return found

    def _dtype(self, value):
        if not isinstance(value, str) or len(value) > 12:
            raise ValueError(f"{shown(value)} is not a dtype.")
        try:
            dtype = np.dtype(value)
        except (TypeError, ValueError, SyntaxError) as error:
            raise ValueError(f"{shown(value)} is not a dtype.") from error
        if not is_storable(dtype) or dtype.str != value:
            raise ValueError(f"{shown(value)} is not a dtype that can be stored.")
        return dtype

    def _random(self, state):
        return unpack_random(self.decode(state))

    def _slice(self, items):
        parts = self.items(items)
        if len(parts) != 3 or any(p is not None and type(p) is not int for p in parts):
            raise ValueError("A slice does not hold three whole numbers.")
        return slice(*parts)

    def _strings(self, items):
        found = self.items(items)
        if not all(type(item) is str for item in found):
            raise ValueError("An array of str holds something else.")
        return np.array(found, dtype=object)

    def _tuple(self, items):
        return tuple(self.items(items))


def is_storable(dtype):
    """Tell whether .npy holds a dtype without a pickle, alike on every machine.

    Parameters
    ----------
    dtype : numpy.dtype
        The dtype.

    Returns
    -------
    bool
        True for bool, int, float up to 64 bits, and str of one width.
    """
    if dtype.kind == "U":
        return dtype.itemsize > 0
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def shown(value):
    """Show a value out of a file in an error, cut short.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        Its representation, of 60 characters at most.
    """
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _tagged(kind, **fields):
    return {KIND: kind, **fields}


def _name_of(cls):
    return f"{cls.__module__}.{cls.__qualname__}"
