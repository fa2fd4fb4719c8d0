"""The files of the shipped models."""

import warnings
from importlib.resources import as_file, files

from sklearn.utils._param_validation import StrOptions, validate_params

_FOLDER = files("ecg_sklearn.models") / "weights"
_SUFFIX = ".ecgsk"
_SUFFIXES = {"sklearn": _SUFFIX, "onnx": ".onnx"}
DEFAULT = "offline"


def list_models():
    """List the names of the shipped models.

    Returns
    -------
    list of str
        Names for :func:`load_model`.

    Examples
    --------
    >>> from ecg_sklearn.models import list_models
    >>> list_models()
    ['causal', 'offline']
    """
    names = (path.name for path in _FOLDER.iterdir())
    return sorted(n.removesuffix(_SUFFIX) for n in names if n.endswith(_SUFFIX))


@validate_params(
    {"name": [str], "format": [StrOptions(set(_SUFFIXES))]},
    prefer_skip_nested_validation=True,
)
def load_model(name=DEFAULT, *, format="sklearn"):
    """Load a shipped model.

    Parameters
    ----------
    name : {"offline", "causal"}, default="offline"
        "offline" sees the whole record, and is for files. "causal" sees nothing beyond
        the next beat, and is for streams.
    format : {"sklearn", "onnx"}, default="sklearn"
        "onnx" is the same model "causal" as a graph of
        :func:`~ecg_sklearn.exporting.export`, for services: it needs ONNX Runtime
        (``pip install "ecg-sklearn[onnx]"``), and works with any scikit-learn.

    Returns
    -------
    CalibratedRecordClassifier or ExportedGraph
        Fitted to all records of the MIT-BIH Arrhythmia and Supraventricular Arrhythmia
        Databases. Its classes 0 to 3 are N, S, V and F. See :func:`model_card`.

    Raises
    ------
    ValueError
        If there is no such model, if it has no graph, or if the installed scikit-learn
        is so new that it stores trees in another way.
    ImportError
        If ONNX Runtime is missing, for "onnx".

    Examples
    --------
    >>> from ecg_sklearn.models import load_model
    >>> load_model("offline").classes_.tolist()
    [0, 1, 2, 3]
    """
    file = _file_of(name, format)
    # Each loads what the other need not wait for.
    if format == "onnx":
        from ecg_sklearn.exporting import load_graph

        with as_file(file) as path:
            return load_graph(path)
    from ecg_sklearn.persistence import VersionWarning, load

    with as_file(file) as path, warnings.catch_warnings():
        # Tests compare the answers on the lowest and the newest versions.
        warnings.simplefilter("ignore", VersionWarning)
        return load(path)


def model_card(name=DEFAULT):
    """Read the card of a shipped model.

    Parameters
    ----------
    name : {"offline", "causal"}, default="offline"
        Name of the model.

    Returns
    -------
    dict
        "name", "mode", "description", "limits" (sentences), "training_records",
        "scores" (where each was measured, from "marked" or "detected" beats, and the
        numbers with their intervals of 95 %), "counts" (burden, couplets and runs of
        the records of DS2 against the annotations), "risk" (the least probability of a
        sure beat, for a share of wrong labels), "licence", "citations" and
        "weights_sha256" (hash of all but the card).

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> from ecg_sklearn.models import model_card
    >>> len(model_card("offline")["training_records"])
    122
    """
    from ecg_sklearn.persistence import read_metadata

    with as_file(_file_of(name)) as path:
        return read_metadata(path)


def _file_of(name, format="sklearn"):
    if name not in list_models():
        raise ValueError(
            f"There is no model {name!r}. The shipped models are "
            f"{', '.join(map(repr, list_models()))}."
        )
    file = _FOLDER / f"{name}{_SUFFIXES[format]}"
    if not file.is_file():
        raise ValueError(
            f"The model {name!r} has no ONNX graph: it sees all beats of a record at "
            'once, and a graph takes each beat alone. Use load_model("causal", '
            'format="onnx").'
        )
    return file
