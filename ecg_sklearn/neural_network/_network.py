"""The Keras graph: layers, and conversion to plain data."""

import os
import random
from itertools import pairwise
from typing import NamedTuple, get_args, get_type_hints

import keras
import numpy as np

from ecg_sklearn.utils._tensorflow import ForkedError

LARGEST = 2**26  # weights, or values in a layer
_IMAGES = {"dtype": "float32", "data_format": "channels_last"}

_process_of_backend = None


def claim_backend():
    """Record that this process uses the backend; raise if its parent process did.

    A forked process has no threads of TensorFlow and JAX, and would hang.
    """
    global _process_of_backend
    if _process_of_backend is None:
        _process_of_backend = os.getpid()
    elif _process_of_backend != os.getpid() and keras.backend.backend() != "torch":
        raise ForkedError(
            f"Process {os.getpid()} was forked from process {_process_of_backend}, "
            f"which had used a network, and {keras.backend.backend()} does not work "
            "in a forked process. Start processes by multiprocessing's method "
            '"spawn" or by joblib\'s "loky", or load the model in each worker and not '
            "before the fork (gunicorn: without --preload)."
        )


class NetworkSpec(NamedTuple):
    """All parameters and sizes that the training step depends on.

    ``image_shape`` is (n_freqs, n_frames, n_channels), including ``n_feature_rows``;
    ``logit_offsets`` are added to the logits in the loss (empty: none).
    """

    image_shape: tuple[int, int, int]
    n_classes: int
    filters: tuple[int, ...]
    kernel_size: int
    pooling: str
    residual: tuple[int, ...]
    dropout: float
    dense_units: tuple[int, ...]
    dense_dropout: float
    n_feature_rows: int
    optimizer: str
    weight_decay: float
    label_smoothing: float
    logit_offsets: tuple[float, ...]


def build_network(spec, seed=0, build_fn=None):
    """Build the network, or that of ``build_fn``, with new weights."""
    claim_backend()
    if build_fn is None:
        network = _build_own(spec, _seeds(seed))
    else:
        network = _build_by(build_fn, spec, seed)
    network.spec, network.build_fn = spec, build_fn
    return network


def build_folded(spec):
    """Build the network with a bias in place of each normalisation."""
    return _build_own(spec, _seeds(0), folded=True)


def _build_by(build_fn, spec, seed):
    """Call ``build_fn``; ``seed`` determines the seeds that its layers lack."""
    state = random.getstate()
    random.seed(seed)
    try:
        network = build_fn(spec.image_shape, spec.n_classes, spec.n_feature_rows)
    finally:
        random.setstate(state)
    found = [getattr(network, f"{side}_shape", None) for side in ("input", "output")]
    expected = [(None, *spec.image_shape), (None, spec.n_classes)]
    if not isinstance(network, keras.Model) or found != expected:
        raise ValueError(
            f"build_fn={build_fn!r} returned a {type(network).__name__} from "
            f"{found[0]} to {found[1]}. It must return a functional keras.Model from "
            f"{expected[0]} to {expected[1]}."
        )
    if getattr(network.layers[-1], "activation", None) is keras.activations.linear:
        raise ValueError(
            f"build_fn={build_fn!r} returned a network whose last layer is linear. It "
            'must end in probabilities: give the last layer activation="softmax".'
        )
    return network


def _build_own(spec, seeds, folded=False):
    """Build the network of the classifier's parameters.

    Each block is Conv2D, BatchNormalization, ReLU, downsampling by two and Dropout.
    Rows of features bypass the blocks and are concatenated before the dense layer.

    Each layer is given its seed, dtype and data format, because Keras' defaults are
    global settings of the process.
    """
    layers = keras.layers
    inputs = layers.Input(spec.image_shape, dtype="float32", name="spectrogram")
    x = inputs
    if spec.n_feature_rows:
        x, features = _split_rows(inputs, spec.n_feature_rows)
    for number, width in enumerate(spec.filters, start=1):
        x = _block(x, number, width, spec, seeds, folded)
    x = layers.GlobalAveragePooling2D(**_IMAGES, name="average")(x)
    if spec.n_feature_rows:
        x = layers.Concatenate(dtype="float32", name="join")([x, features])
    for number, units in enumerate(spec.dense_units, start=1):
        name = "dense" if number == 1 else f"dense_{number}"
        x = _dense(x, units, "relu", name, seeds)
        if spec.dense_dropout:
            x = _dropout(x, spec.dense_dropout, f"{name}_dropout", seeds)
    outputs = _dense(x, spec.n_classes, "softmax", "classes", seeds)
    network = keras.Model(inputs, outputs, name="spectrogram_cnn")
    network.dtype_policy = keras.DTypePolicy("float32")
    return network


def _split_rows(inputs, n_feature_rows):
    """Split an image into spectrogram and flat features, with NaN replaced by zero."""
    layers, ops = keras.layers, keras.ops
    n_image_rows = inputs.shape[1] - n_feature_rows
    image = layers.Cropping2D(((0, n_feature_rows), (0, 0)), **_IMAGES, name="image")
    rows = layers.Cropping2D(((n_image_rows, 0), (0, 0)), **_IMAGES, name="rows")
    features = rows(inputs)
    features = ops.where(ops.isnan(features), 0.0, features)
    return image(inputs), layers.Flatten(**_IMAGES, name="features")(features)


def _seeds(seed):
    """Yield the seeds that Keras would draw after ``random.seed(seed)``."""
    rng = random.Random(seed)
    while True:
        yield rng.randint(1, 10**9)


def _block(x, number, width, spec, seeds, folded):
    """Append one block of the network."""
    layers = keras.layers
    name = f"block{number}"
    halve = tuple(2 if n > 1 else 1 for n in x.shape[1:3])
    strides = halve if spec.pooling == "stride" else 1
    x = _convolution(x, width, spec.kernel_size, strides, name, seeds, folded)
    x = layers.ReLU(dtype="float32", name=f"{name}_relu")(x)
    if number in spec.residual:
        second = f"{name}_residual"
        added = _convolution(x, width, spec.kernel_size, 1, second, seeds, folded)
        x = layers.Add(dtype="float32", name=f"{name}_add")([x, added])
        x = layers.ReLU(dtype="float32", name=f"{name}_add_relu")(x)
    if spec.pooling == "max" and max(halve) > 1:
        x = layers.MaxPooling2D(halve, **_IMAGES, name=f"{name}_pool")(x)
    if spec.dropout:
        x = _dropout(x, spec.dropout, f"{name}_dropout", seeds)
    return x


def _convolution(x, width, kernel_size, strides, name, seeds, folded):
    """Append a convolution and its normalisation, or one that includes it."""
    x = keras.layers.Conv2D(
        width,
        # Along a dimension of size one, a larger kernel would only see padding.
        tuple(kernel_size if n > 1 else 1 for n in x.shape[1:3]),
        strides=strides,
        padding="same",
        use_bias=folded,
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        **_IMAGES,
        name=f"{name}_conv",
    )(x)
    if folded:
        return x
    # Keras' default momentum of 0.99 needs hundreds of batches to converge.
    norm = keras.layers.BatchNormalization(
        axis=-1, momentum=0.9, dtype="float32", name=f"{name}_norm"
    )
    return norm(x)


def _dropout(x, rate, name, seeds):
    """Append dropout."""
    seed = next(seeds)
    return keras.layers.Dropout(rate, seed=seed, dtype="float32", name=name)(x)


def _dense(x, width, activation, name, seeds):
    """Append a dense layer."""
    initializer = keras.initializers.GlorotUniform(seed=next(seeds))
    layer = keras.layers.Dense(
        width,
        activation=activation,
        kernel_initializer=initializer,
        dtype="float32",
        name=name,
    )
    return layer(x)


def last_convolution(network):
    """Find the last convolution of a network."""
    kinds = (keras.layers.Conv2D, keras.layers.SeparableConv2D)
    found = [layer for layer in network.layers if isinstance(layer, kinds)]
    return found[-1] if found else None


def pack_network(network):
    """Convert a network to plain data, for any backend of Keras."""
    return {
        "spec": network.spec._asdict(),
        "variables": [value_of(v) for v in variables_of(network)],
    }


def unpack_network(state, build_fn=None):
    """Build a network from the data of :func:`pack_network`."""
    spec = NetworkSpec(**state["spec"])
    if isinstance(spec.dense_units, int):  # in files of earlier versions
        spec = spec._replace(dense_units=(spec.dense_units,) * (spec.dense_units != 0))
    _check_spec(spec)
    network = build_network(spec, build_fn=build_fn)
    assign_variables(network, state["variables"])
    return network


def _check_spec(spec):
    """Refuse values of wrong types, and networks that need gigabytes."""
    for name, kind in get_type_hints(NetworkSpec).items():
        value = getattr(spec, name)
        if not _is_of(value, kind):
            raise ValueError(f"A network cannot have {name}={value!r:.60}.")
    n_rows, n_columns, n_channels = spec.image_shape
    widths = n_channels, *spec.filters
    n_weights = sum(2 * spec.kernel_size**2 * a * b for a, b in pairwise(widths))
    n_inputs = widths[-1] + spec.n_feature_rows * n_columns * n_channels
    dense = n_inputs, *spec.dense_units, spec.n_classes
    n_weights += sum(a * b for a, b in pairwise(dense))
    n_layers = len(widths) + len(dense)
    if max(n_weights, n_rows * n_columns * max(widths)) > LARGEST or n_layers > 36:
        raise ValueError(f"A network of {spec.filters!r:.60} filters is too large.")


def _is_of(value, kind):
    """Whether a value has a type of :class:`NetworkSpec` and is not too large."""
    if isinstance(kind, type):
        return type(value) is kind and (kind is str or abs(value) <= 2**16)
    items = get_args(kind)
    return type(value) is tuple and all(_is_of(item, items[0]) for item in value)


def assign_variables(network, values):
    """Set the variables of a network, in the order of :func:`variables_of`."""
    for variable, value in zip(variables_of(network), values, strict=True):
        variable.assign(value)


def variables_of(network):
    """List the variables of all layers: weights, and the state of random layers."""
    return [variable for layer in network.layers for variable in layer.variables]


def value_of(variable):
    """Copy the value of a variable to an array."""
    return np.array(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))
