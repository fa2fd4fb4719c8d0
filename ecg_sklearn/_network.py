"""The Keras graph: what it computes, how it predicts, and how it is packed.

One of the two modules that import Keras at their top, so import it late. Imports
nothing else of the package. Everything here is arrays and Keras objects; the
scikit-learn contract lives in :mod:`ecg_sklearn.neural_network`.
"""

from typing import NamedTuple

import keras
import numpy as np

__all__ = [
    "NetworkSpec",
    "build_network",
    "pack_network",
    "predict_in_batches",
    "unpack_network",
    "value_of",
    "variables_of",
]

PREDICT_BATCH = 512


class NetworkSpec(NamedTuple):
    """Everything that decides what the training step computes.

    ``image_shape`` is (n_freqs, n_frames, n_channels); the rest is as in
    :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier`.
    """

    image_shape: tuple[int, int, int]
    n_classes: int
    filters: tuple[int, ...]
    kernel_size: int
    pooling: str
    dropout: float
    dense_units: int
    optimizer: str
    weight_decay: float


def build_network(spec):
    """Build the network, with new weights.

    Each block is Conv2D, BatchNormalization, ReLU, a reduction by two and Dropout. A
    dimension of size one is left alone, so that an image of any size passes any
    number of blocks. Global average pooling, a dense layer and softmax follow.

    Parameters
    ----------
    spec : NetworkSpec
        What to build.

    Returns
    -------
    keras.Model
        The network.
    """
    layers = keras.layers
    inputs = layers.Input(spec.image_shape, name="spectrogram")
    x = inputs
    for number, width in enumerate(spec.filters, start=1):
        size = x.shape[1:3]
        halve = tuple(2 if n > 1 else 1 for n in size)
        x = layers.Conv2D(
            width,
            # Along a dimension of size one, more taps would only meet padding.
            tuple(spec.kernel_size if n > 1 else 1 for n in size),
            strides=halve if spec.pooling == "stride" else 1,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"block{number}_conv",
        )(x)
        # Keras' momentum of 0.99 would need hundreds of batches to settle.
        x = layers.BatchNormalization(momentum=0.9, name=f"block{number}_norm")(x)
        x = layers.ReLU(name=f"block{number}_relu")(x)
        if spec.pooling == "max" and max(halve) > 1:
            x = layers.MaxPooling2D(halve, name=f"block{number}_pool")(x)
        if spec.dropout:
            x = layers.Dropout(spec.dropout, name=f"block{number}_dropout")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    if spec.dense_units:
        x = layers.Dense(spec.dense_units, activation="relu", name="dense")(x)
        if spec.dropout:
            x = layers.Dropout(spec.dropout, name="dense_dropout")(x)
    outputs = layers.Dense(spec.n_classes, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="spectrogram_cnn")


def predict_in_batches(network, images):
    """Compute class probabilities of any number of images.

    On TensorFlow, this is one graph that is traced once per network for batches of
    any size; ``keras.Model.predict`` spends some 50 ms a call on setting up its loop.

    Parameters
    ----------
    network : keras.Model
        The network.
    images : ndarray of shape (n_beats, n_freqs, n_frames, n_channels), float32
        The images.

    Returns
    -------
    ndarray of shape (n_beats, n_classes), float32
        Rows that sum to one.
    """
    if not hasattr(network, "forward_graph"):
        network.forward_graph = _forward_graph(network)
    parts = [
        network.forward_graph(images[start : start + PREDICT_BATCH])
        for start in range(0, len(images), PREDICT_BATCH)
    ]
    return np.concatenate(parts)


def _forward_graph(network):
    """Compile the path from one batch of images to probabilities."""
    if keras.backend.backend() != "tensorflow":
        return network.predict_on_batch
    import tensorflow as tf

    signature = tf.TensorSpec([None, *network.input_shape[1:]], tf.float32)
    graph = tf.function(
        lambda images: network(images, training=False), input_signature=[signature]
    ).get_concrete_function()
    return lambda images: graph(tf.constant(images)).numpy()


def pack_network(network):
    """Take a network apart into plain data that any Keras backend can load.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    dict
        The layers as JSON ("config") and all their variables ("variables").
    """
    return {
        "config": network.to_json(),
        "variables": [value_of(v) for v in variables_of(network)],
    }


def unpack_network(state):
    """Put a network together again; the inverse of :func:`pack_network`.

    Parameters
    ----------
    state : dict
        What :func:`pack_network` gave.

    Returns
    -------
    keras.Model
        The network.
    """
    network = keras.models.model_from_json(state["config"])
    for variable, value in zip(variables_of(network), state["variables"], strict=True):
        variable.assign(value)
    return network


def variables_of(network):
    """List the variables of all layers: weights, and the state of random layers.

    Parameters
    ----------
    network : keras.Model
        The network.

    Returns
    -------
    list of keras.Variable
        In the order of the layers.
    """
    return [variable for layer in network.layers for variable in layer.variables]


def value_of(variable):
    """Copy a variable to an array.

    Parameters
    ----------
    variable : keras.Variable
        The variable.

    Returns
    -------
    ndarray
        Its value now.
    """
    return np.array(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))
