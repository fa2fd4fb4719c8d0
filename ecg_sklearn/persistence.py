"""Model files that run no code, based on skops."""

import contextlib
import io
import json
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from imblearn import combine, over_sampling, under_sampling
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_params

from ecg_sklearn.utils._build import UnusualError, build
from ecg_sklearn.utils._estimators import ask, bare, complete
from ecg_sklearn.utils._files import new_file
from ecg_sklearn.utils._refused import Refused, need
from ecg_sklearn.utils._tensorflow import ForkedError
from ecg_sklearn.utils._untrusted import clean, text_of

__all__ = ["VersionWarning", "load", "read_metadata", "save"]

_FORMAT = "ecg_sklearn model 2"
_PACKAGES = "ecg-sklearn scikit-learn imbalanced-learn keras numpy skops".split()
_TREE = "sklearn.tree._tree.Tree"
_TYPES = {  # all types that a file may contain, by public module
    "ecg_sklearn.ensemble": "CalibratedRecordClassifier PatientClassifier"
    " PriorShiftClassifier RefinedClassifier ReweightedClassifier SecondPassClassifier"
    " SoftVotingClassifier",
    "ecg_sklearn.neural_network": "NetworkFromConfig SpectrogramCNNClassifier",
    "ecg_sklearn.over_sampling": "EpisodeSampler PresentClasses",
    "ecg_sklearn.pipeline": "ECGPipeline",
    "ecg_sklearn.preprocessing": "BeatScaler SpectrogramTransformer",
    "imblearn.pipeline": "Pipeline",
    "sklearn.compose": "ColumnTransformer",
    "sklearn.ensemble": "ExtraTreesClassifier HistGradientBoostingClassifier"
    " RandomForestClassifier VotingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.linear_model": "LogisticRegression",
    "sklearn.neighbors": "NearestNeighbors",
    "sklearn.neural_network": "MLPClassifier",
    "sklearn.pipeline": "Pipeline",
    "sklearn.preprocessing": "FunctionTransformer LabelBinarizer LabelEncoder"
    " MaxAbsScaler MinMaxScaler Normalizer PowerTransformer QuantileTransformer"
    " RobustScaler StandardScaler",
    "sklearn.tree": "DecisionTreeClassifier ExtraTreeClassifier",
} | {m.__name__: " ".join(m.__all__) for m in (combine, over_sampling, under_sampling)}
_NAMES = {f"{module}.{n}" for module, names in _TYPES.items() for n in names.split()}


class VersionWarning(UserWarning):
    """A model was saved with other versions of packages than those installed."""


@validate_params(
    {"model": [BaseEstimator], "metadata": [dict, None], "overwrite": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def save(model, path, *, metadata=None, overwrite=False):
    """Save a model as a file that runs no code when it is loaded.

    Not saved are ``callbacks`` and ``checkpoint`` of the network, ``memory`` of a
    pipeline (with a warning), and fitted attributes of samplers, which may hold beats.
    In place of ``build_fn`` of a fitted network, its layers are saved, as
    :class:`~ecg_sklearn.neural_network.NetworkFromConfig`.

    Parameters
    ----------
    model : estimator
        A pipeline of :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, one of its steps,
        or a classifier of :mod:`ecg_sklearn.ensemble`, fitted or not. Samplers of
        imbalanced-learn, the scalers, forests and boosted trees of scikit-learn,
        LogisticRegression, VotingClassifier, and a ColumnTransformer that selects
        columns by a list are supported too.
    path : str or path-like
        The file, usually with the suffix ``.ecgsk``. Its folder is made if needed.
    metadata : dict, optional
        Metadata to store with the model, as JSON of at most 1 MB.
    overwrite : bool, default=False
        Replace ``path`` if it exists.

    Raises
    ------
    ValueError
        If the model or the metadata cannot be stored. Nothing is written.
    FileExistsError
        If the file exists and ``overwrite`` is False.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.preprocessing import StandardScaler
    >>> from ecg_sklearn import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(StandardScaler(), Path(folder, "model.ecgsk"))
    ...     load(Path(folder, "model.ecgsk"))
    StandardScaler()
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another name, or pass overwrite=True."
        )
    for key, value in (metadata or {}).items():
        try:
            need(isinstance(key, str), "the key is no string")
            text_of(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"metadata[{key!r}] is not JSON: {error}.") from error
    facts = {"format": _FORMAT, "versions": _versions(), "metadata": metadata or {}}
    try:
        from skops.io import dumps

        members = clean(dumps(bare(model)), _NAMES, shared=True).members()
        content = _pack({"facts.json": text_of(facts)} | members)
        before, after = ask(model), ask(_make(content)[1])
        same = before is None or np.allclose(before, after, 1e-4, 1e-6, equal_nan=True)
        need(same, "It would predict otherwise: parameters were set after fit.")
    # Models can raise any exception.
    except Exception as error:
        hint = "joblib.dump stores any model, as a pickle for those who trust you."
        if hasattr(model, "best_estimator_"):
            hint = "Save its best_estimator_."
        what = f"This {type(model).__name__} cannot be saved without a pickle."
        raise ValueError(f"{what} {_reason(error)} {hint}") from error
    with new_file(path) as unfinished:
        unfinished.write_bytes(content)


def load(path):
    """Load a model that :func:`save` has written, without running code of the file.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator
        The model. With the same package versions and the same kind of processor, its
        predictions equal those of the saved model. ``partial_fit`` continues from the
        saved state.

    Raises
    ------
    ValueError
        If the file is not a model file, is damaged, or has a newer format.
    OSError
        If it cannot be read.

    Warns
    -----
    ecg_sklearn.persistence.VersionWarning
        If the major or minor version of a package differs from that at saving.
    """
    with _checked(path) as file:
        versions, model = _make(file.read())
        ask(model)
    different = [
        f"{package} {versions[package]} (here {here})"
        for package, here in _versions().items()
        if versions.get(package, here).split(".")[:2] != here.split(".")[:2]
    ]
    if different:
        message = f"{path} was saved with {', '.join(different)}. Check its predictions"
        message += ", or install those versions."
        warnings.warn(message, VersionWarning, stacklevel=2)
    return model


def read_metadata(path):
    """Read the metadata of a model file, without loading the model.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    dict
        The metadata; empty if there are none.

    Raises
    ------
    ValueError
        If the file is not a model file, or is damaged.
    OSError
        If it cannot be read.
    """
    with _checked(path) as file, zipfile.ZipFile(file) as archive:
        return _facts(archive)["metadata"]


def _reason(error):
    if isinstance(error, ForkedError):
        raise error
    if isinstance(error, Refused):
        return str(error)
    return f"It does not fit together ({type(error).__name__}: {error}). Save it again."


def _versions():
    return {package: version(package) for package in _PACKAGES}


@contextlib.contextmanager
def _checked(path):
    """Open a model file; convert all errors to ValueError."""
    with Path(path).open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # VersionWarning replaces them
        start = file.read(40)
        file.seek(0)
        try:
            need(start[:1] != b"\x80", "It is a pickle: joblib.load runs its code.")
            need(start[30:] != b"model.json", "It is of the old form. Save it again.")
            need(start[30:] == b"facts.json", "It is not a model file of ecg_sklearn.")
            yield file
        except Exception as error:
            reason = _reason(error)
            raise ValueError(f"{path} cannot be loaded. {reason}") from error


def _facts(archive):
    """Read format, versions and metadata."""
    entry = archive.getinfo("facts.json")
    plain = entry.compress_type == 0 and entry.file_size < 2**20 + 2**12
    need(plain, "It has more metadata than 1 MB.")
    facts = json.loads(archive.read(entry))
    newer = f"It is a {facts['format']!r:.40}. Try pip install --upgrade ecg-sklearn."
    need(facts["format"] == _FORMAT, newer)
    plain = all(v.isprintable() and len(v) < 64 for v in facts["versions"].values())
    need(plain and isinstance(facts["metadata"], dict), "Its versions are no text.")
    return facts


def _pack(members):
    """Make an uncompressed, reproducible zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _make(content):
    """Load the model of a file; return it and the versions."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        versions = _facts(archive)["versions"]
    checked = clean(content, _NAMES, shared=False)
    try:
        model = build(checked.schema, checked.arrays)
    except UnusualError:
        from skops.io import loads

        model = loads(_pack(checked.members()), trusted=[*_NAMES, _TREE])
    need(isinstance(model, BaseEstimator), "It holds no estimator.")
    complete(model)
    return versions, model
