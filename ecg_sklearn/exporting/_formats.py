"""Writers and loaders of each export format."""

import importlib
import json
import warnings
import zipfile

import keras

from ecg_sklearn.neural_network._network import predict_in_batches
from ecg_sklearn.utils._tensorflow import without_start_up_noise

__all__ = ["FORMATS"]

_METADATA_FILE = "ecg_sklearn.json"


def _write_onnx(path, model, metadata):
    """Export to ONNX by Keras; name the output and add the metadata."""
    onnx, *_ = map(_optional, ("onnx", "onnxruntime", "tf2onnx"))
    _check_backend("onnx")
    with warnings.catch_warnings(), without_start_up_noise():
        # Keras accesses numpy.object, which warns on NumPy 2.
        warnings.simplefilter("ignore", FutureWarning)
        model.export(path, format="onnx", verbose=False)
    written = onnx.load(path)
    [beats], [probabilities] = written.graph.input, written.graph.output
    for node in written.graph.node:
        if probabilities.name in node.output:
            node.output[:] = ["probabilities"]
    probabilities.name = "probabilities"
    for value in (beats, probabilities):
        value.type.tensor_type.shape.dim[0].dim_param = "n_beats"
    written.producer_name = "ecg_sklearn"
    properties = {name: json.dumps(value) for name, value in metadata.items()}
    onnx.helper.set_model_props(written, properties)
    onnx.checker.check_model(written, full_check=True)
    onnx.save(written, path)


def _load_onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda beats: session.run(["probabilities"], {"beats": beats})[0]


def _write_litert(path, model, metadata):
    """Convert by TensorFlow; Keras' own export may use operations that LiteRT lacks."""
    _check_backend("litert")
    import tensorflow as tf

    folder = path.parent / "saved_model"
    with without_start_up_noise():
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        path.write_bytes(converter.convert())
    _append_metadata(path, metadata)


def _load_litert(path):
    import tensorflow as tf

    with warnings.catch_warnings(), without_start_up_noise():
        # TensorFlow recommends another package with the same interpreter.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter")
        interpreter = tf.lite.Interpreter(model_path=str(path))
        interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def run(beats):
        interpreter.resize_tensor_input(source, beats.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, beats)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return run


def _write_keras(path, model, metadata):
    model.save(path)
    _append_metadata(path, metadata)


def _load_keras(path):
    # safe_mode refuses code in the file.
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda beats: predict_in_batches(model, beats)


def _optional(module):
    """Import an optional package, or raise an error that names its extra."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'format="onnx" needs the package {module}. Install it with '
            '`pip install "ecg-sklearn[onnx]"`.'
        ) from error


def _check_backend(format):
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f'format="{format}" is converted by TensorFlow, and Keras runs on '
            f"{backend} here. Save the pipeline, and export it where "
            "KERAS_BACKEND=tensorflow."
        )


def _append_metadata(path, metadata):
    """Add the metadata as a zip member; LiteRT files become archives, by convention."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_METADATA_FILE, json.dumps(metadata))


# Format -> writer and loader.
FORMATS = {
    "onnx": (_write_onnx, _load_onnx),
    "litert": (_write_litert, _load_litert),
    "keras": (_write_keras, _load_keras),
}
