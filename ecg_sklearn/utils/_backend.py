"""Import of Keras and scikeras, which loads TensorFlow only where Keras runs on it."""

import sys

_BACKENDS = ("tensorflow", "jax", "torch")


def import_keras():
    """Import Keras, or say how to choose a backend that is installed."""
    try:
        import keras
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _BACKENDS:
            raise
        raise ImportError(
            f"Keras cannot start: its backend {missing} is not installed. Install it "
            f"(pip install {missing}), or set the environment variable KERAS_BACKEND "
            'to another one, "tensorflow", "jax" or "torch", before Python starts.'
        ) from error
    return keras


def import_scikeras():
    """Import ``scikeras.wrappers``, without TensorFlow where Keras runs on another.

    ``scikeras.utils.random_state`` imports TensorFlow wherever it is installed, which
    takes seconds, and memory of a graphics card. It does without where the import
    fails, and fails it here.
    """
    keras = import_keras()
    hide = keras.backend.backend() != "tensorflow" and "tensorflow" not in sys.modules
    if hide:
        sys.modules["tensorflow"] = None
    try:
        import scikeras.wrappers
    finally:
        if hide:
            del sys.modules["tensorflow"]
    return scikeras.wrappers
