"""A fitted pipeline as one file that runs without Python: :func:`export`."""

import os
import tempfile
from numbers import Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.utils._files import new_file

__all__ = ["ExportReport", "export"]

_SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
_SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)
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
        Fitted, such as :func:`~ecg_sklearn.pipeline.make_ecg_pipeline` makes:
        BeatScaler, StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler or none,
        SpectrogramTransformer, and a SpectrogramCNNClassifier at the end.
    path : str or path-like
        The file; its name ends with ".onnx", ".tflite" or ".keras", as the format
        has it.
    format : {"onnx", "litert", "keras"}, default="onnx"
        "onnx" runs in ONNX Runtime, "litert" (formerly TensorFlow Lite) on phones
        and small devices, "keras" wherever Keras is.
    X : array-like of shape (n_beats, n_columns), default=None
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
        pipeline on ``X`` by more than ``tolerance`` or in a class, or "onnx" or
        "litert" is asked for where Keras does not run on TensorFlow. No file is
        written then.
    FileExistsError
        If there is such a file, and ``overwrite`` is False.
    ImportError
        If a package that the format needs is missing.
    TypeError
        If ``pipe`` is no pipeline.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.

    Notes
    -----
    The graph takes "beats", float32 of shape (n_beats, n_columns), any number
    of them, and gives "probabilities", (n_beats, n_classes), in the order of
    ``pipe.classes_``. A LiteRT interpreter starts with a batch of one; resize its
    input for more. Missing values and amplitudes beyond 1e15, which the pipeline
    refuses, give numbers without meaning.

    The file holds facts as JSON, in ``metadata_props`` of ONNX or else in the member
    ``ecg_sklearn.json`` of the zip archive that the file is: "classes", "n_columns",
    "column_names" (empty if the pipeline knows none), "feature_columns" (positions of
    columns that are no samples), "sampling_rate" in Hz, "cut" (or null), "package".

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
    steps, classifier = _steps_to_export(pipe)
    for step in (*steps, classifier):
        check_is_fitted(step)
    from ecg_sklearn.exporting._formats import FORMATS
    from ecg_sklearn.exporting._graph import keras_model

    first = (*steps, classifier)[0]
    metadata = _metadata(first, steps, classifier)
    write, load = FORMATS[format]
    if X is None:
        X = _probe_beats(first, steps)
    model = keras_model(steps, classifier.model_, metadata["n_columns"])
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, f"model{_SUFFIXES[format]}")
        write(written, model, metadata)
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


def _steps_to_export(pipe):
    """Check a pipeline; give its transformers, without samplers, and its classifier."""
    from ecg_sklearn.neural_network import SpectrogramCNNClassifier

    if not hasattr(pipe, "steps"):
        raise TypeError(
            f"pipe is a {type(pipe).__name__}, not a Pipeline. Give a fitted pipeline "
            "such as make_ecg_pipeline makes: of a search, its best_estimator_; of a "
            "ShapeRhythmClassifier, its estimator_, which is its first stage alone."
        )
    *before, (name, classifier) = pipe.steps
    if not isinstance(classifier, SpectrogramCNNClassifier):
        raise ValueError(
            f"The last step, {name!r}, is a {type(classifier).__name__}. Only a "
            "SpectrogramCNNClassifier can be exported."
        )
    steps = []
    for name, step in before:
        if step is None or step == "passthrough" or hasattr(step, "fit_resample"):
            continue
        if not isinstance(step, (*_SCALERS, SpectrogramTransformer)):
            known = ", ".join(kind.__name__ for kind in _SCALERS)
            raise ValueError(
                f"Step {name!r} is a {type(step).__name__}, which export cannot write "
                f"as a graph. It knows {known}, SpectrogramTransformer, and samplers, "
                "which it leaves out."
            )
        steps.append(step)
    return steps, classifier


def _metadata(first, steps, classifier):
    """Facts that are needed to run the file."""
    from ecg_sklearn import __version__

    facts = {
        "classes": classifier.classes_.tolist(),
        "n_columns": int(first.n_features_in_),
        "column_names": list(getattr(first, "feature_names_in_", [])),
        "cut": getattr(first, "cut_", None),
        "package": f"ecg-sklearn {__version__}",
    }
    for transformer in _spectrograms_of(steps):
        facts["sampling_rate"] = float(transformer.sampling_rate)
        facts["feature_columns"] = transformer.feature_columns_.tolist()
    return facts


def _spectrograms_of(steps):
    return [step for step in steps if isinstance(step, SpectrogramTransformer)]


def _probe_beats(first, steps):
    """Make beats to compare on, about as large as the training's."""
    rng = np.random.default_rng(0)
    n_columns = first.n_features_in_
    X = rng.normal(size=(_PROBES, n_columns))
    samples = np.arange(n_columns)
    for transformer in _spectrograms_of(steps):
        samples = transformer.sample_columns_
        X[:, transformer.feature_columns_] *= transformer.feature_scale_
    X[:, samples] = _curves(len(samples), rng)
    mean = _learned(first, "center_", _learned(first, "mean_", np.zeros(n_columns)))
    size = _learned(first, "data_range_", _learned(first, "scale_", None))
    if size is None:
        size = np.ones(n_columns)
        size[samples] = np.ptp(mean[samples]) or 1  # about that of a beat
    X = (mean + size * X).astype(np.float32)
    names = getattr(first, "feature_names_in_", None)
    return X if names is None else pd.DataFrame(X, columns=names)


def _curves(n_times, rng):
    """Make simulated heartbeats, random walks and noise, about 1 in size."""
    quarter = _PROBES // 4
    simulated = make_heartbeats(2 * quarter, random_state=0).data
    places = np.linspace(0, simulated.shape[1] - 1, n_times)
    samples = np.arange(simulated.shape[1])
    return np.concatenate(
        [
            [np.interp(places, samples, beat) for beat in simulated - simulated.mean()],
            rng.normal(size=(quarter, n_times)).cumsum(axis=1) / n_times**0.5,
            rng.normal(scale=0.3, size=(quarter, n_times)),
        ]
    )


def _learned(scaler, name, default):
    """Get what a scaler has learned of each column, or a default."""
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
