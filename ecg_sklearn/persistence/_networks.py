"""The network as numbers: checked field by field, built by our own code."""

import math

import numpy as np

from ecg_sklearn.persistence._values import shown

__all__ = ["build", "check_spec"]

_MAX_BLOCKS = 32
_MAX_WIDTH = 4096
_MAX_SIDE = 2**16
_MAX_CLASSES = 2**16


def _whole(low, high):
    return lambda value: type(value) is int and low <= value <= high


def _number(low, high):
    return lambda value: type(value) is float and low <= value < high


def _tuple_of(check, longest):
    return lambda value: (
        type(value) is tuple and len(value) <= longest and all(map(check, value))
    )


def _one_of(*choices):
    return lambda value: isinstance(value, str) and value in choices


_FIELDS = {
    "image_shape": _tuple_of(_whole(1, _MAX_SIDE), 3),
    "n_classes": _whole(2, _MAX_CLASSES),
    "filters": _tuple_of(_whole(1, _MAX_WIDTH), _MAX_BLOCKS),
    "kernel_size": _whole(1, 255),
    "pooling": _one_of("stride", "max"),
    "residual": _tuple_of(_whole(1, _MAX_BLOCKS), _MAX_BLOCKS),
    "dropout": _number(0, 1),
    "dense_units": _whole(0, _MAX_SIDE),
    "dense_dropout": _number(0, 1),
    "context_row": lambda value: type(value) is bool,
    "optimizer": _one_of("adamw", "adam", "sgd", "rmsprop"),
    "weight_decay": _number(0, math.inf),
    "label_smoothing": _number(0, 1),
    "logit_offsets": _tuple_of(_number(-math.inf, math.inf), _MAX_CLASSES),
    "soft_labels": lambda value: type(value) is bool,
}


def check_spec(spec):
    """Check what a network is to be built from.

    Parameters
    ----------
    spec : dict
        Fields of :class:`ecg_sklearn.neural_network._network.NetworkSpec`.

    Raises
    ------
    ValueError
        If a field is missing, unknown, of another type or out of its bounds.
    """
    if not isinstance(spec, dict) or set(spec) != set(_FIELDS):
        raise ValueError("Its network does not have the fields of one.")
    for name, check in _FIELDS.items():
        if not check(spec[name]):
            raise ValueError(f"Its network has {name}={shown(spec[name])}.")
    if len(spec["image_shape"]) != 3 or not spec["filters"]:
        raise ValueError("Its network has no blocks, or no image to see.")
    if spec["image_shape"][0] <= spec["context_row"]:
        raise ValueError("Its network has no row of the image left.")
    if max(spec["residual"], default=0) > len(spec["filters"]):
        raise ValueError("Its network has more residual blocks than blocks.")
    if len(spec["logit_offsets"]) not in (0, spec["n_classes"]):
        raise ValueError("Its network has offsets of other classes.")


def build(spec, variables):
    """Build a network and give it its weights.

    Parameters
    ----------
    spec : dict
        What :func:`check_spec` has passed.
    variables : list of ndarray
        Values in the order of :func:`ecg_sklearn.neural_network._network.variables_of`.

    Returns
    -------
    keras.Model
        The network.

    Raises
    ------
    ValueError
        If the values do not fit.
    """
    needed = _count_weights(spec)
    given = sum(np.size(value) for value in variables)
    # Before Keras reserves memory for them.
    if given < needed:
        raise ValueError(f"Its network needs {needed} weights, and it has {given}.")
    from ecg_sklearn.neural_network import _network

    network = _network.build_network(_network.NetworkSpec(**spec))
    expected = [_kind_of(_network.value_of(v)) for v in _network.variables_of(network)]
    if [_kind_of(value) for value in variables] != expected:
        raise ValueError("Its weights do not have the shapes that its network has.")
    _network.assign_variables(network, variables)
    return network


def _kind_of(array):
    return array.shape, array.dtype


def _count_weights(spec):
    """Count the weights of the kernels, without building anything."""
    n_rows, n_columns, n_channels = spec["image_shape"]
    n_context = n_columns * n_channels if spec["context_row"] else 0
    sides = [n_rows - spec["context_row"], n_columns]
    count = 0
    for number, width in enumerate(spec["filters"], start=1):
        count += _taps(sides, spec) * n_channels * width
        rounding = math.ceil if spec["pooling"] == "stride" else math.floor
        halved = [max(1, rounding(n / 2)) for n in sides]
        if number in spec["residual"]:
            # With strides, the second convolution sees what the first has halved.
            seen = halved if spec["pooling"] == "stride" else sides
            count += _taps(seen, spec) * width * width
        sides, n_channels = halved, width
    n_inputs = n_channels + n_context
    if spec["dense_units"]:
        count += n_inputs * spec["dense_units"]
        n_inputs = spec["dense_units"]
    return count + n_inputs * spec["n_classes"]


def _taps(sides, spec):
    return math.prod(spec["kernel_size"] if n > 1 else 1 for n in sides)
