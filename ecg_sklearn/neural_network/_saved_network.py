"""A network as data, in place of the function that built it."""

import functools
import json
import math
import random
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np

from ecg_sklearn.neural_network._network import LARGEST, claim_backend, variables_of
from ecg_sklearn.utils._refused import Refused, need
from ecg_sklearn.utils._untrusted_network import network_config


@dataclass(frozen=True, repr=False)
class NetworkFromConfig:
    """Build a network from its Keras config: the ``build_fn`` of a loaded classifier.

    :func:`~ecg_sklearn.persistence.save` stores it in place of the function that built
    the network. It runs no code of the config: layers, activations and operations of
    Keras are allowed, other classes and functions are not. Each network has new random
    weights.

    Parameters
    ----------
    config : str
        The functional network as JSON, as ``keras.Model.to_json`` writes it.
    n_feature_rows : int, default=0
        Number of last rows of the image in which the network expects features.

    Examples
    --------
    >>> import keras
    >>> from ecg_sklearn.neural_network import NetworkFromConfig
    >>> from ecg_sklearn.neural_network import SpectrogramCNNClassifier
    >>> inputs = keras.Input((12, 47, 1))
    >>> x = keras.layers.Flatten()(inputs)
    >>> outputs = keras.layers.Dense(5, activation="softmax")(x)
    >>> build = NetworkFromConfig(keras.Model(inputs, outputs).to_json())
    >>> build
    NetworkFromConfig(<network of 3 layers>)
    >>> build(image_shape=(12, 47, 1), n_classes=5, n_feature_rows=0).count_params()
    2825
    >>> cnn = SpectrogramCNNClassifier(build_fn=build)
    """

    config: str
    n_feature_rows: int = 0

    def __repr__(self):
        n_layers = str(self.config).count('"inbound_nodes"')
        return f"NetworkFromConfig(<network of {n_layers} layers>)"

    def __call__(self, image_shape, n_classes, n_feature_rows):
        """Build the network; refuse sizes other than its own."""
        found = _measure(self.config)
        wanted = tuple(image_shape), n_classes, n_feature_rows
        own = found.input_shape[1:], found.output_shape[-1], self.n_feature_rows
        if wanted != own:
            names = "image_shape={}, n_classes={} and n_feature_rows={}"
            raise ValueError(
                f"This network was saved for {names.format(*own)}, and these beats "
                f"have {names.format(*wanted)}. Pass the function that built it as "
                "build_fn again."
            )
        return _build(network_config(self.config))


class _Sizes(NamedTuple):
    """What a network takes, returns and holds."""

    input_shape: tuple
    output_shape: tuple
    names: list[str]
    shapes: list[tuple[int, ...]]


def network_as_data(network):
    """Write a network as :class:`NetworkFromConfig`; refuse one with other code."""
    model = keras.Model(network.inputs, network.outputs, name=network.name)
    try:
        with warnings.catch_warnings(action="ignore"):  # of code, refused below
            text = model.to_json()
    # Layers of others can raise any exception.
    except Exception as error:
        raise Refused(f"Keras cannot write its network: {error}") from error
    text = json.dumps(network_config(text), allow_nan=False)
    found = _measure(text)
    shapes = [tuple(variable.shape) for variable in variables_of(network)]
    same = (found.names, found.shapes) == (_names(network), shapes)
    need(same, "Keras would build its layers in another order.")
    return NetworkFromConfig(text, network.spec.n_feature_rows)


def check_weights(build_fn, values):
    """Refuse weights that are not those of the network, before it is built."""
    found = [np.shape(value) for value in values]
    same = found == _measure(build_fn.config).shapes
    need(same, "Its weights are not those of its network.")


def _build(config):
    try:
        return keras.saving.deserialize_keras_object(config, safe_mode=True)
    except Exception as error:  # any, and with the whole config in its text
        reason = f"{type(error).__name__}: ...{str(error)[-200:]}"
        raise Refused(f"Keras cannot build its network ({reason}).") from error


@functools.lru_cache(maxsize=4)
def _measure(text):
    """Find the sizes of a network without making its weights."""
    config = network_config(text)
    claim_backend()
    state = random.getstate()  # the seeds of the next layers
    try:
        # In a thread of its own, because Keras would make the weights later in this.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(_sizes, config).result()
    finally:
        random.setstate(state)


def _sizes(config):
    """Build a network whose weights have shapes only; refuse a large one."""
    with keras.StatelessScope(initialize_variables=False):
        network = _build(config)
    shapes = [tuple(variable.shape) for variable in variables_of(network)]
    n_weights, n_values = sum(map(math.prod, shapes)), max(_values_in(network))
    large = f"Its network is too large: {n_weights} weights, {n_values} values in a"
    large += f" layer. Build one of at most {LARGEST} of each."
    need(max(n_weights, n_values) <= LARGEST, large)
    return _Sizes(network.input_shape, network.output_shape, _names(network), shapes)


def _names(network):
    return [layer.name for layer in network.layers if layer.variables]


def _values_in(network):
    """Yield the number of values that each call of a layer computes for a beat."""
    for layer in getattr(network, "operations", network.layers):
        for node in layer._inbound_nodes:
            inputs, outputs = node.input_tensors, node.output_tensors
            inner = getattr(layer, "layer", layer)  # of TimeDistributed
            # SeparableConv adds up the values of its first step.
            times = getattr(inner, "depth_multiplier", 1)
            yield max(times * sum(map(_size, inputs)), sum(map(_size, outputs)))
            if isinstance(layer, keras.layers.MultiHeadAttention):
                n, m = (math.prod(x.shape[1:-1]) for x in inputs[:2])
                width = max(layer.key_dim, layer.value_dim)
                yield layer.num_heads * max(n * m, n * width, m * width)
            if isinstance(layer, keras.Model):
                expected = [tensor.shape for tensor in layer.inputs]
                same = [tensor.shape for tensor in inputs] == expected
                need(same, f"Its {layer.name!r:.60} takes inputs of other shapes.")
        if isinstance(layer, keras.Model):
            yield from _values_in(layer)


def _size(tensor):
    sizes = tensor.shape[1:]
    need(None not in sizes, "Its network has sizes that are not known before.")
    return math.prod(sizes)
