"""Exported graphs, read back for use without TensorFlow: :func:`load_graph`."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
from sklearn.utils._param_validation import validate_params

from ecg_sklearn.exporting._runners import METADATA_FILE, RUNNERS
from ecg_sklearn.utils._cut import check_cut

SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
_BATCH = 1024
_EXPECTED = {"classes": list, "class_names": list, "n_columns": int}


class ExportedGraph:
    """A graph of :func:`export`, ready to classify beats; made by :func:`load_graph`.

    It refuses beats that were cut in another way, columns of another order, and values
    that are not finite, as the pipeline does.

    Parameters
    ----------
    path : Path
        The file.
    facts : dict
        Its metadata.
    run : callable
        Computes the probabilities of float32 beats of shape (n_beats, n_columns).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the probabilities.
    class_names_ : list of str
        Names of the labels: N, S, V, F, Q for the integers 0 to 4.
    cut_ : dict or None
        How the training beats were cut, for ``cut_beats(..., like=graph)``.
    n_features_in_ : int
        Columns of a beat.
    feature_names_in_ : ndarray of shape (n_features_in_,) or None
        Names of the columns, if the pipeline was fitted to a DataFrame.
    sampling_rate_ : float or None
        Of the beats, in Hz.
    label_weights_ : ndarray of shape (n_classes,) or None
        Weight of each class in the choice of the label, of a model that has such
        weights.
    """

    def __init__(self, path, facts, run):
        self.path = path
        self.classes_ = np.asarray(facts["classes"])
        self.class_names_ = facts["class_names"]
        self.cut_ = facts.get("cut")
        self.n_features_in_ = facts["n_columns"]
        names = facts.get("column_names")
        self.feature_names_in_ = np.array(names, dtype=object) if names else None
        self.sampling_rate_ = facts.get("sampling_rate")
        weights = facts.get("label_weights")
        self.label_weights_ = None if weights is None else np.array(weights)
        self._run = run

    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            Beats, such as the DataFrame of :func:`~ecg_sklearn.datasets.cut_beats`.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            Rows that sum to one, in the order of ``classes_``.

        Raises
        ------
        ValueError
            If the beats have other columns, were cut in another way, or hold values
            that are not finite.
        """
        check_cut(X, self.cut_)
        names = getattr(X, "columns", None)
        if names is not None and self.feature_names_in_ is not None:
            # Faster than list(names) of an Index.
            found = np.asarray(names, dtype=object).tolist()
            wanted = self.feature_names_in_.tolist()
            if found != wanted:
                pairs = zip(found, wanted, strict=False)
                first = next(
                    (p for p in pairs if p[0] != p[1]), ("nothing", wanted[-1])
                )
                raise ValueError(
                    f"X has {len(found)} columns, and {self.path.name} takes "
                    f"{len(wanted)}: {first[0]!r} stands where {first[1]!r} is "
                    "expected. Cut the beats with cut_beats(..., like=graph)."
                )
        beats = np.ascontiguousarray(X, dtype=np.float32)
        if beats.ndim != 2 or beats.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has shape {beats.shape}, and {self.path.name} takes "
                f"n_columns={self.n_features_in_}."
            )
        if not np.isfinite(beats).all():
            raise ValueError("X holds NaN or infinite values. Leave these beats out.")
        if len(beats) == 0:
            return np.empty((0, len(self.classes_)), dtype=np.float32)
        parts = [beats[i : i + _BATCH] for i in range(0, len(beats), _BATCH)]
        return np.concatenate([self._run(part) for part in parts])

    def predict(self, X):
        """Predict the class of each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features_in_)
            As in :meth:`predict_proba`.

        Returns
        -------
        ndarray of shape (n_beats,)
            Labels.
        """
        return self.classes_[self.choose_labels(self.predict_proba(X))]

    def choose_labels(self, probability):
        """Choose the label of each beat, given its probabilities.

        Parameters
        ----------
        probability : ndarray of shape (n_beats, n_classes)
            As :meth:`predict_proba` gives it.

        Returns
        -------
        ndarray of int of shape (n_beats,)
            Position in ``classes_`` of each label.
        """
        weights = 1.0 if self.label_weights_ is None else self.label_weights_
        return (np.asarray(probability) * weights).argmax(axis=1)


@validate_params({"path": [str, os.PathLike]}, prefer_skip_nested_validation=True)
def load_graph(path):
    """Load a graph that :func:`export` has written, with what belongs to it.

    An ONNX graph needs ONNX Runtime alone: neither TensorFlow nor Keras is loaded.

    Parameters
    ----------
    path : str or path-like
        The file: ".onnx", ".tflite" or ".keras".

    Returns
    -------
    ExportedGraph
        With ``predict_proba``, ``predict``, the labels and the cut.

    Raises
    ------
    ValueError
        If the suffix is another one, or the file is damaged or holds no metadata of
        this package.
    FileNotFoundError
        If there is no file.
    ImportError
        If the package that runs the format is missing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecg_sklearn import export, make_ecg_pipeline
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.exporting import load_graph
    >>> beats = make_heartbeats(300, random_state=0)
    >>> pipe = make_ecg_pipeline(filters=(8,), epochs=1, random_state=0)
    >>> pipe = pipe.fit(beats.frame, beats.target)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = export(pipe, Path(folder, "model.keras"), format="keras")
    ...     graph = load_graph(report.path)
    >>> graph.class_names_, graph.cut_["form"]
    (['N', 'S', 'V', 'F', 'Q'], 'kaggle')
    >>> bool((graph.predict(beats.frame) == pipe.predict(beats.frame)).all())
    True
    """
    path = Path(path)
    formats = {suffix: format for format, suffix in SUFFIXES.items()}
    format = formats.get(path.suffix)
    if format is None:
        raise ValueError(
            f"{path} has none of the suffixes {', '.join(formats)} of exported graphs. "
            "ecg_sklearn.load reads model files."
        )
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        run, facts = RUNNERS[format](path)
        facts = _read_member(path) if facts is None else facts
    except ImportError:
        raise
    # The runtimes raise errors of their own.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as an exported graph ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}). Export it again."
        ) from error
    sound = all(isinstance(facts.get(k), kind) for k, kind in _EXPECTED.items())
    if not sound:
        raise ValueError(
            f"{path} does not say which classes and columns it has: it was not written "
            "by this version of ecg_sklearn.exporting.export. Export it again."
        )
    return ExportedGraph(path, facts, run)


def _read_member(path):
    """Read the metadata of a LiteRT or Keras file, which is a zip archive."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(METADATA_FILE))
