"""The ONNX dialect of an exported pipeline, and the Keras network written in it.

ONNX convolves images with their channels in front, Keras with their channels behind:
the axes are swapped once, before the network.
"""

import numpy as np

from ecg_sklearn.exporting._graph import images_of

__all__ = ["onnx_model"]

OPSET = 18  # the first that takes the axes of all reductions as inputs
IR_VERSION = 8  # the format of that opset's time, which older runtimes read too


def onnx_model(steps, classifier, n_columns, metadata):
    """Build the whole pipeline as one ONNX model.

    Parameters
    ----------
    steps : list of tuple
        What :func:`~ecg_sklearn.exporting._graph.steps_to_export` gave.
    classifier : SpectrogramCNNClassifier
        The fitted classifier.
    n_columns : int
        Columns of the raw beats.
    metadata : dict of str to str
        Goes into the model's ``metadata_props``.

    Returns
    -------
    onnx.ModelProto
        ``beats`` (n_beats, n_columns) to ``probabilities`` (n_beats, n_classes), both
        float32; checked by ONNX.
    """
    import onnx
    from onnx import TensorProto, helper

    network = classifier.model_
    ops = OnnxDialect()
    images = images_of("beats", steps, network.input_shape[1:], ops)
    images = ops.node("Transpose", images, perm=[0, 3, 1, 2])
    ops.node("Identity", _write_network(images, network, ops), output="probabilities")

    def described(name, width):
        return helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["n_beats", width]
        )

    graph = helper.make_graph(
        ops.nodes,
        "ecg_pipeline",
        [described("beats", n_columns)],
        [described("probabilities", network.output_shape[-1])],
        ops.constants,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="ecg_sklearn",
    )
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return model


class OnnxDialect:
    """The operations as nodes of an ONNX graph; values are their names.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
        What was written so far.
    constants : list of onnx.TensorProto
        The arrays that the nodes refer to.
    """

    def __init__(self):
        self.nodes = []
        self.constants = []

    def node(self, kind, *inputs, output=None, **attributes):
        """Write a node with one output, and name that.

        Parameters
        ----------
        kind : str
            The operator of ONNX.
        *inputs : str, ndarray or float
            Values, and constants in the type that the operator asks for.
        output : str, default=None
            Name of the output; None makes one up.
        **attributes : object
            Attributes of the operator.

        Returns
        -------
        str
            The name of the output.
        """
        from onnx import helper

        output = output or f"{kind.lower()}_{len(self.nodes)}"
        names = [v if isinstance(v, str) else self._constant(v) for v in inputs]
        self.nodes.append(helper.make_node(kind, names, [output], **attributes))
        return output

    def _constant(self, value):
        from onnx import numpy_helper

        value = np.asarray(value)
        kind = np.int64 if value.dtype.kind in "iu" else np.float32
        name = f"constant_{len(self.constants)}"
        value = np.ascontiguousarray(value, dtype=kind).reshape(value.shape)
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def __getattr__(self, name):
        """Take an operation that ONNX calls by another name; numbers are float32."""
        if name not in _OPERATORS:
            raise AttributeError(f"ONNX graphs have no operation {name!r} here.")
        return lambda *operands: self.node(
            _OPERATORS[name],
            *(v if isinstance(v, str) else np.asarray(v, np.float32) for v in operands),
        )

    def square(self, x):
        """Square."""
        return self.node("Mul", x, x)

    def columns(self, x, start, stop, axis=1):
        """Part of an axis, the second unless told."""
        return self.node("Slice", x, [start], [stop], [axis])

    def take(self, x, indices):
        """Columns in a new order."""
        return self.node("Gather", x, indices, axis=1)

    def pad_columns(self, x, before, after):
        """Zeros on both sides of the second axis."""
        return self.node("Pad", x, [0, before, 0, after])

    def amax(self, x):
        """Largest value of each beat."""
        return self.node("ReduceMax", x, [1, 2])

    def amin(self, x):
        """Smallest value of each beat."""
        return self.node("ReduceMin", x, [1, 2])

    def concatenate(self, values, axis):
        """Values behind each other."""
        return self.node("Concat", *values, axis=axis)

    def reshape(self, x, shape):
        """Another shape behind the axis of the beats."""
        return self.node("Reshape", x, [-1, *shape])

    def correlate(self, x, matrix, hop):
        """Products of a matrix with all segments, (n_beats, n_rows, n_frames)."""
        kernel = np.asarray(matrix)[:, None, :]
        return self.node("Conv", self.node("Unsqueeze", x, [1]), kernel, strides=[hop])


_OPERATORS = {
    "absolute": "Abs",
    "add": "Add",
    "clip": "Clip",
    "divide": "Div",
    "log": "Log",
    "matmul": "MatMul",
    "maximum": "Max",
    "multiply": "Mul",
    "sqrt": "Sqrt",
    "subtract": "Sub",
}


def _write_network(images, network, ops):
    """Write all layers of a Keras network; name its output."""
    values = {id(network.inputs[0]): images}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        if kind not in _LAYERS:
            raise ValueError(
                f"Layer {layer.name!r} of the classifier's network is a {kind}, which "
                'export cannot write in ONNX. Use format="keras" or "litert".'
            )
        sources = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs = [values[id(source)] for source in sources]
        values[id(layer.output)] = _LAYERS[kind](inputs, layer, ops)
    return values[id(network.outputs[0])]


def _arrays(layer):
    from ecg_sklearn.neural_network._network import value_of

    return {variable.name: value_of(variable) for variable in layer.variables}


def _activated(x, layer, ops):
    """Append the activation of a layer."""
    name = layer.activation.__name__
    if name == "linear":
        return x
    if name == "softmax":
        return ops.node("Softmax", x, axis=1)
    if name == "relu":
        return ops.node("Relu", x)
    raise ValueError(
        f"Layer {layer.name!r} of the classifier's network has the activation {name}, "
        'which export cannot write in ONNX. Use format="keras" or "litert".'
    )


def _write_convolution(inputs, layer, ops):
    arrays = _arrays(layer)
    # Keras: height, width, in, out; ONNX: out, in, height, width
    kernel = arrays["kernel"].transpose(3, 2, 0, 1)
    bias = [arrays["bias"]] if layer.use_bias else []
    padding = [(0, 0), (0, 0)]
    if layer.padding == "same":
        sizes = zip(
            layer.input.shape[1:3], layer.kernel_size, layer.strides, strict=True
        )
        padding = [_same_padding(*size) for size in sizes]
    (top, bottom), (left, right) = padding
    x = ops.node(
        "Conv",
        *inputs,
        kernel,
        *bias,
        strides=list(layer.strides),
        pads=[top, left, bottom, right],
    )
    return _activated(x, layer, ops)


def _same_padding(size, kernel, stride):
    """Count the zeros before and behind an axis for padding="same"."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _write_normalisation(inputs, layer, ops):
    arrays = _arrays(layer)
    order = ("gamma", "beta", "moving_mean", "moving_variance")
    return ops.node(
        "BatchNormalization",
        *inputs,
        *(arrays[name] for name in order),
        epsilon=layer.epsilon,
    )


def _write_dense(inputs, layer, ops):
    arrays = _arrays(layer)
    x = ops.node("Gemm", *inputs, arrays["kernel"], arrays["bias"])
    return _activated(x, layer, ops)


def _write_max_pooling(inputs, layer, ops):
    return ops.node(
        "MaxPool",
        *inputs,
        kernel_shape=list(layer.pool_size),
        strides=list(layer.strides),
    )


def _write_cropping(inputs, layer, ops):
    (top, bottom), (left, right) = layer.cropping
    height, width = layer.input.shape[1:3]
    x = ops.columns(*inputs, top, height - bottom, axis=2)
    return ops.columns(x, left, width - right, axis=3)


def _write_flatten(inputs, layer, ops):
    behind = ops.node("Transpose", *inputs, perm=[0, 2, 3, 1])
    return ops.reshape(behind, (layer.output.shape[1],))


_LAYERS = {
    "Add": lambda inputs, layer, ops: ops.add(*inputs),
    "BatchNormalization": _write_normalisation,
    "Concatenate": lambda inputs, layer, ops: ops.concatenate(inputs, axis=1),
    "Conv2D": _write_convolution,
    "Cropping2D": _write_cropping,
    "Dense": _write_dense,
    "Dropout": lambda inputs, layer, ops: inputs[0],
    "Flatten": _write_flatten,
    "GlobalAveragePooling2D": lambda inputs, layer, ops: ops.node(
        "ReduceMean", *inputs, [2, 3], keepdims=0
    ),
    "MaxPooling2D": _write_max_pooling,
    "ReLU": lambda inputs, layer, ops: ops.node("Relu", *inputs),
}
