"""Checks of the config of a Keras network, before Keras reads it."""

import json
import math

from ecg_sklearn.utils._refused import need

_LONGEST = 2**20  # characters
_DEEPEST = 100
_LARGEST = 2**16  # of whole numbers: units, sizes, strides
_LARGEST_OF = {"seed": 2**64, "shape": 2**26}
_MOST = 2**9  # layers and their calls
_LAYERS = {
    "keras.layers": "Activation ActivityRegularization Add AlphaDropout Average"
    " AveragePooling1D AveragePooling2D BatchNormalization Bidirectional Concatenate"
    " Conv1D Conv1DTranspose Conv2D Conv2DTranspose Cropping1D Cropping2D Dense"
    " DepthwiseConv1D DepthwiseConv2D Dropout ELU Flatten GRU GaussianDropout"
    " GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D"
    " GlobalMaxPooling2D GroupNormalization Identity InputLayer LSTM LayerNormalization"
    " LeakyReLU Masking MaxPooling1D MaxPooling2D Maximum Minimum MultiHeadAttention"
    " Multiply PReLU Permute RMSNormalization ReLU RepeatVector Rescaling Reshape"
    " SeparableConv1D SeparableConv2D SimpleRNN Softmax SpatialDropout1D"
    " SpatialDropout2D Subtract TimeDistributed UnitNormalization UpSampling1D"
    " UpSampling2D ZeroPadding1D ZeroPadding2D"
}
_GRAPHS = {
    "keras": "Sequential",
    "keras.src.activations.activations": "ReLU",
    "keras.src.models.functional": "Functional",
    "keras.src.ops.core": "Cast",
    "keras.src.ops.nn": "Elu Gelu HardSigmoid LeakyRelu LogSoftmax Relu Relu6 Selu"
    " Sigmoid Silu Softmax Softplus Softsign",
    "keras.src.ops.numpy": "Absolute Add Clip Concatenate Divide Equal Exp ExpandDims"
    " GetItem Greater GreaterEqual Isfinite Isnan Less LessEqual Log Log1p LogicalAnd"
    " LogicalNot LogicalOr Matmul Max Maximum Mean Min Minimum Multiply NanToNum"
    " Negative NotEqual Power Reshape Sqrt Square Squeeze Stack Std Subtract Sum"
    " Swapaxes Tanh Transpose TrueDivide Var Where",
}
_ALLOWED = {  # all that a network may consist of, by key and module
    "": {"keras.src.models.functional": "Functional"},
    "activation": {"keras.layers": "ELU LeakyReLU ReLU Softmax"},  # have no weights
    "backward_layer": _LAYERS,
    "constraint": {"keras.constraints": "MaxNorm MinMaxNorm NonNeg UnitNorm"},
    "dtype": {"keras": "DTypePolicy"},
    "initializer": {
        "keras.initializers": "Constant GlorotNormal GlorotUniform HeNormal HeUniform"
        " LecunNormal LecunUniform Ones Orthogonal RandomNormal RandomUniform"
        " TruncatedNormal VarianceScaling Zeros"
    },
    "layer": _LAYERS,
    "layers": _LAYERS | _GRAPHS,
    "regularizer": {"keras.regularizers": "L1 L1L2 L2"},
}
_PLAIN = ("__ellipsis__", "__keras_tensor__", "__slice__")
_KEYS = {"module", "class_name", "config", "registered_name", "name", "inbound_nodes"}
_LEFT_OUT = ("build_config", "compile_config")  # Keras finds them out itself
_ACTIVATIONS = (
    "elu exponential gelu hard_sigmoid hard_silu hard_swish leaky_relu linear"
    " log_softmax mish relu relu6 selu sigmoid silu softmax softplus softsign swish"
    " tanh"
).split()
_DTYPES = (
    "bfloat16 bool float16 float32 float64 int32 mixed_bfloat16 mixed_float16"
).split()
_KINDS = ("activation", "constraint", "initializer", "regularizer")


def network_config(text):
    """Read the JSON of a functional network; refuse all but layers of Keras.

    It must not name code outside Keras or large sizes. How much memory the layers need
    together is measured afterwards.
    """
    fits = isinstance(text, str) and len(text) <= _LONGEST
    need(fits, "The config of its network is longer than 1 MB, or no text.")
    config = json.loads(text)
    need(isinstance(config, dict) and "class_name" in config, "It holds no network.")
    return _Reader().read(config)


class _Reader:
    """Checks and copies the nodes of a config."""

    def __init__(self):
        self.layer, self.depth, self.n_calls = "", 0, 0

    def read(self, value, key=""):
        """Return a value without what Keras finds out itself."""
        self.depth += 1
        need(self.depth < _DEEPEST, "Its network is nested too deep.")
        kind = next((kind for kind in _KINDS if key.endswith(kind)), key)
        if isinstance(value, dict) and "class_name" in value:
            self._check_class(value, kind)
        elif value is not None and kind in _KINDS:
            known = kind == "activation" and value in _ACTIVATIONS
            self._need(known, f"{key}={value!r:.60}")
        elif isinstance(value, str):  # ">" is in names that a program registers
            known = value in _DTYPES if key == "dtype" else ">" not in value
            self._need(known, f"{key}={value!r:.60}")
        elif value is True:
            self._need(key not in ("unroll", "stateful"), f"{key}=True")
        elif type(value) is int:
            small = abs(value) <= _LARGEST_OF.get(key, _LARGEST)
            self._need(small, f"{key}={value!r:.20}")
        elif type(value) is float:
            self._need(math.isfinite(value), f"{key}={value}")
        if isinstance(value, dict):
            items = [(k, v) for k, v in value.items() if k not in _LEFT_OUT]
            value = {name: self.read(item, name) for name, item in items}
        elif isinstance(value, list):
            self.n_calls += len(value) if key == "inbound_nodes" else 0
            value = [self.read(item, key) for item in value]
        self.depth -= 1
        return value

    def _need(self, fact, what):
        place = f" in layer {self.layer!r:.60}" if self.layer else ""
        text = f"Its network has {what}{place}, which no model file may have. "
        need(fact, text + "Build it from layers, activations and operations of Keras.")

    def _check_class(self, value, kind):
        name, room, config = map(value.get, ("class_name", "module", "config"))
        if name in _PLAIN:
            return
        if isinstance(config, dict) and kind == "layers":
            self.layer = config.get("name")
            self.n_calls += 1
            need(self.n_calls <= _MOST, f"Its network has over {_MOST // 2} layers.")
        names = _ALLOWED.get(kind, {}).get(room, "").split()
        what = f"a {room}.{name}" if room else f"a {name}"
        what += f" as {kind}" if kind not in ("", "layers") else ""
        self._need(name in names, what)
        registered = value.get("registered_name")
        self._need(registered in (None, name), f"a registered {registered!r:.60}")
        more = value.keys() - _KEYS - {*_LEFT_OUT}
        self._need(not more, f"a {name} with {sorted(more)}")
        if name == "DTypePolicy":
            self.read(config["name"], "dtype")
