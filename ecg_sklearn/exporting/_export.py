"""Export of a fitted pipeline: :func:`export`."""

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
from ecg_sklearn.exporting._graphs import SUFFIXES
from ecg_sklearn.exporting._runners import RUNNERS
from ecg_sklearn.metrics._labels import label_names
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.utils._columns import sample_columns
from ecg_sklearn.utils._files import new_file

__all__ = ["ExportReport", "export"]

_SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)
_PROBES = 256
_BATCH = 256
# Classes whose probabilities differ by no more than this are tied.
_TIE = 1e-5


class ExportReport(NamedTuple):
    """Result of :func:`export`.

    Parameters
    ----------
    path : Path
        The written file.
    format : {"onnx", "litert", "keras"}
        The format.
    max_difference : float
        Largest absolute difference from ``pipe.predict_proba``.
    n_beats : int
        Number of beats compared.
    n_bytes : int
        File size.
    """

    path: Path
    format: str
    max_difference: float
    n_beats: int
    n_bytes: int


@validate_params(
    {
        "path": [str, os.PathLike],
        "format": [StrOptions(set(SUFFIXES))],
        "X": ["array-like", None],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "overwrite": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def export(pipe, path, *, format="onnx", X=None, tolerance=1e-4, overwrite=False):
    """Write a fitted pipeline as one graph, from raw beats to probabilities.

    The file holds scalers, spectrogram and network, or trees and calibration, and needs
    neither this package nor scikit-learn to run. Samplers act only in training and are
    left out. The graph is compared with the pipeline before the file is moved to
    ``path``.

    Parameters
    ----------
    pipe : Pipeline or classifier
        Fitted pipeline, such as :func:`~ecg_sklearn.pipeline.make_ecg_pipeline` makes:
        BeatScaler, StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler or none,
        then SpectrogramTransformer and SpectrogramCNNClassifier. Or an
        ExtraTreesClassifier or RandomForestClassifier, by itself or in a
        :class:`~ecg_sklearn.ensemble.ReweightedClassifier`, a
        :class:`~ecg_sklearn.ensemble.CalibratedRecordClassifier` or a pipeline that
        selects columns, such as the shipped model "causal".
    path : str or path-like
        The file, with the suffix of its format: ".onnx", ".tflite" or ".keras".
    format : {"onnx", "litert", "keras"}, default="onnx"
        "onnx" runs in ONNX Runtime, "litert" (formerly TensorFlow Lite) on phones
        and small devices, "keras" in Keras. Trees are written as "onnx".
    X : array-like of shape (n_beats, n_columns), default=None
        Beats for the comparison. None makes 256: simulated heartbeats, random walks and
        noise around the mean of the training beats; for trees, beats at the thresholds.
    tolerance : float, default=1e-4
        Largest accepted difference of a probability.
    overwrite : bool, default=False
        Replace ``path`` if it exists.

    Returns
    -------
    ExportReport
        File, size and largest difference.

    Raises
    ------
    ValueError
        If a step cannot be exported, the graph differs from the pipeline on ``X`` by
        more than ``tolerance`` or in a class, or Keras does not run on TensorFlow for
        "onnx" or "litert". No file is written then.
    FileExistsError
        If the file exists and ``overwrite`` is False.
    ImportError
        If a package that the format needs is missing.
    TypeError
        If ``pipe`` is not a pipeline.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.

    Notes
    -----
    The input "beats" is float32 of shape (n_beats, n_columns) with any n_beats. The
    output "probabilities" has shape (n_beats, n_classes), in the order of
    ``pipe.classes_``. A graph of trees has the output "labels" too, as ``pipe.predict``
    gives them. A LiteRT interpreter starts with a batch of one; resize its
    input for more. Unlike the pipeline, the graph does not refuse missing values and
    amplitudes beyond 1e15; its output for them is meaningless.

    :func:`load_graph` reads the file back and checks its input. The file holds
    metadata as JSON, in ``metadata_props`` of ONNX, or in the member
    ``ecg_sklearn.json`` of LiteRT and Keras files, which are zip archives: "classes",
    "class_names" (N, S, V, F, Q for 0 to 4), "n_columns", "column_names" (empty
    without names), "feature_columns" (positions of features), "sampling_rate" in Hz,
    "cut" (or null), "package" and, of calibrated trees, "label_weights".

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
    # It loads imbalanced-learn, which a service with a graph need not wait for.
    from ecg_sklearn.ensemble._trees import is_tree_model

    prepare = _prepare_trees if is_tree_model(pipe) else _prepare_network
    write, probes = prepare(pipe, format)
    X = probes() if X is None else X
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, f"model{SUFFIXES[format]}")
        write(written)
        run, _ = RUNNERS[format](written)
        difference = _compare(pipe, run, X, tolerance)
        content = written.read_bytes()
    with new_file(path) as temporary:
        temporary.write_bytes(content)
    return ExportReport(path, format, difference, len(X), len(content))


def _prepare_network(pipe, format):
    """Return the function that writes the graph, and the one that makes probes."""
    steps, classifier = _steps_to_export(pipe)
    for step in (*steps, classifier):
        check_is_fitted(step)
    from ecg_sklearn.exporting._formats import WRITERS
    from ecg_sklearn.neural_network._graph import keras_model

    first = (*steps, classifier)[0]
    metadata = _metadata(first, classifier.classes_)
    for transformer in _spectrograms_of(steps):
        metadata["sampling_rate"] = float(transformer.sampling_rate)
        metadata["feature_columns"] = transformer.feature_columns_.tolist()
    model = keras_model(steps, classifier.model_, metadata["n_columns"])
    return (
        lambda path: WRITERS[format](path, model, metadata),
        lambda: _probe_beats(first, steps),
    )


def _prepare_trees(model, format):
    """Return functions as :func:`_prepare_network` does."""
    from ecg_sklearn.ensemble._trees import take_apart
    from ecg_sklearn.exporting._forest import probe_columns, write_trees

    if format != "onnx":
        raise ValueError(
            f'format="{format}" is for networks. Trees are exported as format="onnx", '
            "which is made for them."
        )
    parts = take_apart(model)
    first = model.steps[0][1] if hasattr(model, "steps") else model
    metadata = _metadata(first, parts.classes)
    names, n_columns = metadata["column_names"], metadata["n_columns"]
    cut = metadata["cut"] or {}
    if cut.get("sampling_rate") is not None:
        metadata["sampling_rate"] = float(cut["sampling_rate"])
    samples, features = sample_columns("auto", np.empty((0, n_columns)), names or None)
    metadata["feature_columns"] = features.tolist()
    if parts.calibrated is not None:
        metadata["label_weights"] = parts.calibrated.label_weights_.tolist()

    def probes():
        X = probe_columns(parts, _PROBES, n_columns)
        return pd.DataFrame(X, columns=names) if names else X

    return lambda path: write_trees(path, parts, n_columns, metadata), probes


def _check_path(path, format, overwrite):
    if path.suffix != SUFFIXES[format]:
        raise ValueError(
            f"path={str(path)!r} does not end with {SUFFIXES[format]!r}, the suffix "
            f"of format={format!r}. Rename it, or choose another format: "
            f"{', '.join(f'{name!r} ({end})' for name, end in SUFFIXES.items())}."
        )
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another path, or set overwrite=True."
        )


def _steps_to_export(pipe):
    """Check a pipeline; return its transformers and its classifier."""
    from ecg_sklearn.neural_network import SpectrogramCNNClassifier

    if not hasattr(pipe, "steps"):
        raise TypeError(
            f"pipe is a {type(pipe).__name__}, not a Pipeline. Give a fitted pipeline "
            "such as make_ecg_pipeline makes: of a search, its best_estimator_; of an "
            "ensemble, its network alone, without the step 'columns' (network[1:])."
        )
    *before, (name, classifier) = pipe.steps
    if not isinstance(classifier, SpectrogramCNNClassifier):
        raise ValueError(
            f"The last step, {name!r}, is a {type(classifier).__name__}. Only a "
            "SpectrogramCNNClassifier, or a forest of trees, can be exported."
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


def _metadata(first, classes):
    """Metadata of the file."""
    from ecg_sklearn import __version__

    return {
        "classes": classes.tolist(),
        "class_names": list(map(str, label_names(classes))),
        "n_columns": int(first.n_features_in_),
        "column_names": list(getattr(first, "feature_names_in_", [])),
        "cut": getattr(first, "cut_", None),
        "package": f"ecg-sklearn {__version__}",
    }


def _spectrograms_of(steps):
    return [step for step in steps if isinstance(step, SpectrogramTransformer)]


def _probe_beats(first, steps):
    """Make beats for the comparison, about as large as the training beats."""
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
        size[samples] = np.ptp(mean[samples]) or 1  # about the size of a beat
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
    """Get a fitted attribute of a scaler, or a default for each column."""
    value = getattr(scaler, name, None)
    return default if np.ndim(value) == 0 else np.asarray(value)


def _compare(pipe, run, X, tolerance):
    """Return the largest difference between graph and pipeline; check it."""
    expected = pipe.predict_proba(X)
    beats = np.ascontiguousarray(X, dtype=np.float32)
    parts = [run(beats[i : i + _BATCH]) for i in range(0, len(beats), _BATCH)]
    # Also a single beat: a graph may be fixed to one batch size.
    found = np.concatenate([*parts, run(beats[:1])])
    expected = np.concatenate([expected, expected[:1]])
    difference = np.abs(found - expected).max(initial=0.0)
    weights = getattr(pipe, "label_weights_", 1.0)
    chosen, weighted = (found * weights).argmax(axis=1), expected * weights
    lost = weighted.max(axis=1) - weighted[np.arange(len(chosen)), chosen]
    n_changed = int((lost > _TIE)[:-1].sum())
    if n_changed or not difference <= tolerance:  # also True for NaN
        raise ValueError(
            f"The exported graph differs from the pipeline by up to {difference:.3g} "
            f"in a probability (tolerance={tolerance:g}), and in the class of "
            f"{n_changed} of {len(beats)} beats. Nothing was written. Compare on beats "
            "like those of the training (X), or accept a larger tolerance."
        )
    return float(difference)
