"""Prediction with a network: of few beats, and in bulk."""

import math

import joblib
import keras
import numpy as np
from sklearn.utils import _safe_indexing, gen_batches
from sklearn.utils.validation import _num_samples

from ecg_sklearn.neural_network._device import has_accelerator
from ecg_sklearn.neural_network._graph import spectrogram_model
from ecg_sklearn.neural_network._network import build_folded, claim_backend, value_of

BULK = 2048  # beats for which folding pays; XLA does as well without
ON_CPU = {"tensorflow": 2**10, "jax": 2**7, "torch": 2**9}  # fastest batches
ON_ACCELERATOR = 2**13
_BATCH_VALUES = 2**20  # rows times columns of the images in a batch


def predict_in_batches(network, images):
    """Compute class probabilities of any number of images.

    ``keras.Model.predict`` has an overhead of about 50 ms per call.
    """
    claim_backend()
    own = getattr(network, "build_fn", callable) is None
    if own and len(images) >= BULK and keras.backend.backend() != "jax":
        forward = _bulk_graph(network)
    else:
        forward = _graph(network)
    size = _batch_size(images.shape[1:3], keras.backend.backend())
    return _joined((images[rows] for rows in gen_batches(len(images), size)), forward)


def _joined(batches, forward):
    """Compute batches; those of JAX wait for their results in the end alone."""
    parts = [(forward(batch), len(batch)) for batch in batches]
    return np.concatenate([np.asarray(part)[:n] for part, n in parts])


def computes_spectrograms(X):
    """Whether :func:`predict_beats` is faster than images from the processor."""
    on_jax = keras.backend.backend() == "jax"
    return on_jax and has_accelerator() and _num_samples(X) >= BULK


def predict_beats(transformer, network, X, prepare):
    """Compute class probabilities of beats whose spectrograms an accelerator computes.

    A beat is much smaller than its image, and the way to the device takes longest.
    While the device computes a batch, ``prepare`` makes the next from rows of ``X``.
    """
    claim_backend()
    state = joblib.hash(transformer)
    if getattr(network, "of_beats", (None,))[0] != state:
        network.of_beats = state, _graph(spectrogram_model(transformer, network))
    size = _batch_size(network.input_shape[1:3], keras.backend.backend())
    batches = (
        prepare(_safe_indexing(X, rows)) for rows in gen_batches(_num_samples(X), size)
    )
    return _joined(batches, network.of_beats[1])


def _batch_size(image_size, backend):
    """Choose the images of a batch, a power of two: fewer if they are large."""
    n_images, largest = _BATCH_VALUES // math.prod(image_size), ON_CPU[backend]
    if has_accelerator():
        n_images, largest = 8 * n_images, ON_ACCELERATOR
    return min(largest, 2 ** (max(1, n_images).bit_length() - 1))


def _graph(network):
    """Return the function that computes a batch; it is traced once."""
    if not hasattr(network, "forward_graph"):
        make = {"tensorflow": _tensorflow_graph, "jax": _jax_graph}
        backend = keras.backend.backend()
        trace = make.get(backend, lambda network: network.predict_on_batch)
        network.forward_graph = trace(network)
    return network.forward_graph


def _tensorflow_graph(network):
    """Trace the network once, for any batch size."""
    import tensorflow as tf

    signature = tf.TensorSpec([None, *network.input_shape[1:]], tf.float32)
    graph = tf.function(
        lambda images: network(images, training=False), input_signature=[signature]
    ).get_concrete_function()
    return lambda images: graph(tf.constant(images)).numpy()


def _jax_graph(network):
    """Compile the network for batches of powers of two, which zeros fill up.

    A graphics card rounds factors to 11 bits unless it is asked for float32. Levels of
    weak bins would not survive that, and classes would differ from the processor's.
    """
    import jax

    @jax.jit
    def compiled(trainable, others, images):
        with jax.default_matmul_precision("float32"):
            return network.stateless_call(trainable, others, images, training=False)[0]

    def forward(images):
        if n_missing := (1 << (len(images) - 1).bit_length()) - len(images):
            images = np.pad(images, [(0, n_missing)] + [(0, 0)] * (images.ndim - 1))
        variables = network.trainable_variables, network.non_trainable_variables
        return compiled(*([v.value for v in group] for group in variables), images)

    return forward


def _bulk_graph(network):
    """Return the function of the network with its normalisations folded."""
    if not hasattr(network, "fold"):
        network.fold = _Folded(network)
    return network.fold.graph()


class _Folded:
    """A network whose convolutions include the normalisations behind them.

    It is no attribute of the other network, whose layers it would become.
    """

    def __init__(self, network):
        self.layers = network.layers
        self.network = build_folded(network.spec)

    def graph(self):
        """Take over the weights, and return the function that computes a batch."""
        norms = {layer.name: layer for layer in self.layers}
        for layer in self.layers:
            if layer.name.endswith("_conv"):
                norm = norms[layer.name.removesuffix("conv") + "norm"]
                values = _fold(layer, norm)
            elif isinstance(layer, keras.layers.Dense):
                values = [value_of(v) for v in layer.variables]
            else:
                continue
            copy = self.network.get_layer(layer.name)
            for variable, value in zip(copy.variables, values, strict=True):
                variable.assign(value)
        return _graph(self.network)


def _fold(convolution, norm):
    """Kernel and bias of a convolution and the normalisation of its result."""
    kernel = value_of(convolution.kernel)
    names = "gamma", "beta", "moving_mean", "moving_variance"
    gamma, beta, mean, variance = (
        value_of(getattr(norm, name)).astype(np.float64) for name in names
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return kernel * scale, beta - mean * scale
