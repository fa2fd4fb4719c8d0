"""A fitted pipeline as one file that runs without Python: :func:`export`.

The graphs are made in :mod:`ecg_sklearn.exporting._graph` and
:mod:`ecg_sklearn.exporting._onnx`; here they are checked against the pipeline and
written. Optional packages are imported where they are used.
"""

import importlib
import json
import os
import tempfile
import warnings
import zipfile
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.exporting._graph import keras_model, steps_to_export
from ecg_sklearn.utils._files import new_file
from ecg_sklearn.utils._tensorflow import without_start_up_noise

__all__ = ["ExportReport", "export"]

_SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
_METADATA_FILE = "ecg_sklearn.json"
_PROBES = 256
_BATCH = 256
# Classes that the pipeline itself tells apart by no more than this are a tie.
_TIE = 1e-5


class ExportReport(NamedTuple):
    """What :func:`export` wrote, and how near it comes to the pipeline.

    Parameters
    ----------
    path : Path
        The file.
    format : {"onnx", "litert", "keras"}
        Its format.
    max_difference : float
        Largest difference of a probability to ``pipe.predict_proba``.
    n_beats : int
        Beats that were compared.
    n_bytes : int
        Size of the file.
    """

    path: Path
    format: str
    max_difference: float
    n_beats: int
    n_bytes: int


@validate_params(
    {
        "path": [str, os.PathLike],
        "format": [StrOptions(set(_SUFFIXES))],
        "X": ["array-like", None],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "overwrite": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def export(pipe, path, *, format="onnx", X=None, tolerance=1e-4, overwrite=False):
    """Write a fitted pipeline as one graph, from raw beats to probabilities.

    Scalers, spectrogram and network become one file that needs neither this package
    nor scikit-learn. Samplers act in training alone and are left out. The graph is
    run and compared with the pipeline before the file appears.

    Parameters
    ----------
    pipe : Pipeline
        A fitted pipeline such as :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`
        makes: StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler or none,
        SpectrogramTransformer, and a SpectrogramCNNClassifier as the last step.
    path : str or path-like
        The file; its name ends with ".onnx", ".tflite" or ".keras", as the format
        has it.
    format : {"onnx", "litert", "keras"}, default="onnx"
        "onnx" runs in ONNX Runtime, "litert" (formerly TensorFlow Lite) on phones
        and small devices, "keras" wherever Keras is.
    X : array-like of shape (n_beats, n_times + n_context), default=None
        Beats to compare on. None takes 256: simulated heartbeats, random walks and
        noise around the mean beat that the pipeline has learned.
    tolerance : float, default=1e-4
        Largest difference of a probability that is accepted.
    overwrite : bool, default=False
        Replace ``path`` if it exists.

    Returns
    -------
    ExportReport
        What was written and how near it is.

    Raises
    ------
    ValueError
        If a step cannot be written as a graph, or the graph differs from the
        pipeline on ``X`` by more than ``tolerance`` or in a class. No file is
        written then.
    FileExistsError
        If there is such a file, and ``overwrite`` is False.
    ImportError
        If a package that the format needs is missing.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.

    Notes
    -----
    The graph takes "beats", float32 of shape (n_beats, n_times + n_context), any
    number of them, and gives "probabilities", (n_beats, n_classes), in the order of
    ``pipe.classes_``. A LiteRT interpreter starts with a batch of one; resize its
    input for more. Missing values and amplitudes beyond 1e15, which the pipeline
    refuses, give numbers without meaning.

    The labels, the sampling rate and the like are in the file as JSON: in
    ``metadata_props`` of ONNX, each value by itself; else in the member
    ``ecg_sklearn.json`` of the zip archive that the file is at the same time.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecg_sklearn import export, make_ecg_pipeline
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> pipe = make_ecg_pipeline(filters=(8, 16), epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export(pipe, Path(folder, "model.keras"), format="keras")
    >>> report.n_beats, report.max_difference < 1e-4
    (256, True)
    """
    path = Path(path)
    _check_path(path, format, overwrite)
    steps, classifier = steps_to_export(pipe)
    for _, step in (*steps, ("", classifier)):
        check_is_fitted(step)
    n_columns = (steps[0][1] if steps else classifier).n_features_in_
    metadata = _metadata(steps, classifier, n_columns)
    write, load = _FORMATS[format]
    if X is None:
        X = _probe_beats(steps, n_columns)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, f"model{_SUFFIXES[format]}")
        write(written, steps, classifier, n_columns, metadata)
        difference = _compare(pipe, load(written), X, tolerance)
        content = written.read_bytes()
    with new_file(path) as temporary:
        temporary.write_bytes(content)
    return ExportReport(path, format, difference, len(X), len(content))


def _check_path(path, format, overwrite):
    if path.suffix != _SUFFIXES[format]:
        raise ValueError(
            f"path={str(path)!r} does not end with {_SUFFIXES[format]!r}, the suffix "
            f"of format={format!r}. Rename it, or choose another format: "
            f"{', '.join(f'{name!r} ({end})' for name, end in _SUFFIXES.items())}."
        )
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another path, or set overwrite=True."
        )


def _metadata(steps, classifier, n_columns):
    """Plain facts that whoever runs the file will need."""
    from ecg_sklearn import __version__

    facts = {
        "classes": classifier.classes_.tolist(),
        "n_columns": int(n_columns),
        "package": f"ecg-sklearn {__version__}",
    }
    for _, step in steps:
        if hasattr(step, "frequencies_"):
            facts["sampling_rate"] = float(step.sampling_rate)
            facts["n_context"] = int(step.n_context)
    return facts


def _probe_beats(steps, n_columns):
    """Make beats to compare on, of the size and around the mean of the training's."""
    rng = np.random.default_rng(0)
    center, size = np.zeros(n_columns), np.ones(n_columns)
    scaler = steps[0][1] if steps else None
    for name in ("center_", "mean_"):
        center = _learned(scaler, name, center)
    size = _learned(scaler, "data_range_", _learned(scaler, "scale_", size))
    n_context = sum(getattr(step, "n_context", 0) for _, step in steps)
    n_times = n_columns - n_context
    quarter = _PROBES // 4
    simulated = make_heartbeats(2 * quarter, random_state=0).data
    places = np.linspace(0, simulated.shape[1] - 1, n_times)
    samples = np.arange(simulated.shape[1])
    curves = np.concatenate(
        [
            [np.interp(places, samples, beat) for beat in simulated - simulated.mean()],
            rng.normal(size=(quarter, n_times)).cumsum(axis=1) / max(1, n_times) ** 0.5,
            rng.normal(scale=0.3, size=(quarter, n_times)),
        ]
    )
    X = np.hstack([curves, rng.normal(size=(len(curves), n_context))])
    if n_context:
        spread = next(s.context_scale_ for _, s in steps if hasattr(s, "context_mean_"))
        X[:, n_times:] *= spread
    return (center + size * X).astype(np.float32)


def _learned(scaler, name, default):
    """One number for each column that a scaler has learned, or what stands in."""
    value = getattr(scaler, name, None)
    return default if np.ndim(value) == 0 else np.asarray(value)


def _compare(pipe, run, X, tolerance):
    """Give the largest difference of a graph to the pipeline, or refuse the graph."""
    expected = pipe.predict_proba(X)
    beats = np.ascontiguousarray(X, dtype=np.float32)
    parts = [run(beats[i : i + _BATCH]) for i in range(0, len(beats), _BATCH)]
    # One beat alone as well: a graph may have been fixed to one size of batch.
    found = np.concatenate([*parts, run(beats[:1])])
    expected = np.concatenate([expected, expected[:1]])
    difference = np.abs(found - expected).max(initial=0.0)
    chosen = np.take_along_axis(expected, found.argmax(axis=1)[:, None], axis=1)[:, 0]
    n_changed = int((expected.max(axis=1) - chosen > _TIE)[:-1].sum())
    if n_changed or not difference <= tolerance:  # NaN is no match either
        raise ValueError(
            f"The exported graph differs from the pipeline by up to {difference:.3g} "
            f"in a probability (tolerance={tolerance:g}), and in the class of "
            f"{n_changed} of {len(beats)} beats. Nothing was written. Compare on beats "
            "like those of the training (X), or accept a larger tolerance."
        )
    return float(difference)


def _optional(module):
    """Import an optional package, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'format="onnx" needs the package {module.split(".")[0]}. Install it with '
            '`pip install "ecg-sklearn[onnx]"`.'
        ) from error


def _write_onnx(path, steps, classifier, n_columns, metadata):
    onnx = _optional("onnx")
    from ecg_sklearn.exporting._onnx import onnx_model

    properties = {name: json.dumps(value) for name, value in metadata.items()}
    onnx.save(onnx_model(steps, classifier, n_columns, properties), path)


def _load_onnx(path):
    runtime = _optional("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda beats: session.run(["probabilities"], {"beats": beats})[0]


def _write_keras(path, steps, classifier, n_columns, metadata):
    keras_model(steps, classifier, n_columns).save(path)
    _append_metadata(path, metadata)


def _load_keras(path):
    import keras

    from ecg_sklearn.neural_network._network import predict_in_batches

    # safe_mode: nothing in the file may be code.
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda beats: predict_in_batches(model, beats)


def _write_litert(path, steps, classifier, n_columns, metadata):
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            'format="litert" is converted by TensorFlow, and Keras runs on '
            f"{keras.backend.backend()} here. Save the pipeline, and export it where "
            "KERAS_BACKEND=tensorflow."
        )
    import tensorflow as tf

    model = keras_model(steps, classifier, n_columns)
    folder = path.parent / "saved_model"
    with without_start_up_noise():
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
        path.write_bytes(converter.convert())
    _append_metadata(path, metadata)


def _load_litert(path):
    try:
        runtime = importlib.import_module("ai_edge_litert.interpreter")
    except ImportError:
        # TensorFlow brings the same thing, and advises the other package.
        from tensorflow import lite as runtime
    with warnings.catch_warnings(), without_start_up_noise():
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter")
        interpreter = runtime.Interpreter(model_path=str(path))
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


def _append_metadata(path, metadata):
    """Add a member to a zip archive; LiteRT files become one, by its convention."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_METADATA_FILE, json.dumps(metadata))


_FORMATS = {
    "onnx": (_write_onnx, _load_onnx),
    "litert": (_write_litert, _load_litert),
    "keras": (_write_keras, _load_keras),
}
