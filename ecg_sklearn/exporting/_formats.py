"""Writers of each export format."""

import json
import warnings
import zipfile

import keras

from ecg_sklearn.exporting._runners import METADATA_FILE, optional
from ecg_sklearn.utils._tensorflow import without_start_up_noise


def _write_onnx(path, model, metadata):
    """Export to ONNX by Keras; name the output and add the metadata."""
    onnx, *_ = map(optional, ("onnx", "onnxruntime", "tf2onnx"))
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


def _write_keras(path, model, metadata):
    model.save(path)
    _append_metadata(path, metadata)


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
        archive.writestr(METADATA_FILE, json.dumps(metadata))


# Format -> writer.
WRITERS = {"onnx": _write_onnx, "litert": _write_litert, "keras": _write_keras}
