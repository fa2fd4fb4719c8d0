"""Functions that run an exported graph, one a format; packages are loaded on use."""

import json
import warnings

from ecg_sklearn.utils._optional import import_optional
from ecg_sklearn.utils._tensorflow import without_start_up_noise

METADATA_FILE = "ecg_sklearn.json"  # member of files that are zip archives


def optional(module):
    """Import a package of the extra "onnx"."""
    return import_optional(module, "onnx", 'format="onnx"')


def _open_onnx(path):
    runtime = optional("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    facts = {
        name: json.loads(value)
        for name, value in session.get_modelmeta().custom_metadata_map.items()
    }
    return (
        lambda beats: session.run(["probabilities"], {"beats": beats})[0],
        facts,
    )


def _open_litert(path):
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

    return run, None


def _open_keras(path):
    with without_start_up_noise():
        import keras

        from ecg_sklearn.neural_network._prediction import predict_in_batches

    # safe_mode refuses code in the file.
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda beats: predict_in_batches(model, beats), None


# Format -> function of a path that returns the function of beats, and the metadata if
# the runtime reads them.
RUNNERS = {"onnx": _open_onnx, "litert": _open_litert, "keras": _open_keras}
