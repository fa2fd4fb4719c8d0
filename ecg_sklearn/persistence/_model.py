"""The two public functions: whole files, versions, and errors with the path."""

import os
import platform
import warnings
from importlib.metadata import version
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import validate_params

from ecg_sklearn import __version__
from ecg_sklearn.persistence._container import read_model, write_model
from ecg_sklearn.persistence._estimators import ModelDecoder, ModelEncoder
from ecg_sklearn.utils._files import new_file

__all__ = ["VersionWarning", "load", "save"]

# Their versions decide what the parameters of a model mean.
_PACKAGES = ("scikit-learn", "imbalanced-learn", "keras", "numpy")
# What a hostile file makes constructors raise, beside ValueError.
_REFUSALS = (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError)


class VersionWarning(UserWarning):
    """A model was saved with another version of a package than the installed one."""


@validate_params(
    {
        "pipe": [BaseEstimator],
        "path": [str, os.PathLike],
        "overwrite": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def save(pipe, path, *, overwrite=False):
    """Save a model as a file that runs no code when it is loaded.

    The file is an uncompressed zip: ``model.json`` with parameters, plain values and
    checksums, and one ``.npy`` for each array. It holds no pickle and no program. It
    appears whole or not at all.

    Parameters
    ----------
    pipe : estimator
        A pipeline of :func:`~ecg_sklearn.pipeline.make_ecg_pipeline`, or one of its
        steps; or a :class:`~ecg_sklearn.ensemble.ShapeRhythmClassifier`; fitted or
        not. Other scalers and samplers of scikit-learn and imbalanced-learn may take
        part, LogisticRegression, forests and boosted trees as the last step, and a
        VotingClassifier around any of these.
    path : str or path-like
        The file, by custom with the suffix ``.ecgsk``. Its folder is made if it is not
        there.
    overwrite : bool, default=False
        Replace ``path`` if it exists.

    Raises
    ------
    ValueError
        If the model holds a type or a value that the file cannot. Nothing is written.
    FileExistsError
        If there is such a file, and ``overwrite`` is False.
    OSError
        If it cannot be written.

    See Also
    --------
    load : The way back.
    ecg_sklearn.export : A graph that runs without Python.

    Notes
    -----
    Left out are ``callbacks`` and ``checkpoint`` of the network, ``memory`` of a
    pipeline (with a warning), and what samplers have learned but the number of beats
    of each class: some remember beats.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from ecg_sklearn import load, make_ecg_pipeline, save
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> pipe = make_ecg_pipeline(filters=(8, 16), epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(pipe, Path(folder, "model.ecgsk"))
    ...     again = load(Path(folder, "model.ecgsk"))
    >>> bool((again.predict_proba(X) == pipe.predict_proba(X)).all())
    True
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another name, or pass overwrite=True."
        )
    kind = type(pipe).__name__
    encoder = ModelEncoder()
    try:
        tree = encoder.encode(pipe, "the model")
        versions = {"python": platform.python_version()} | _versions()
        with new_file(path) as unfinished:
            write_model(unfinished, versions, tree, encoder.arrays)
    except ValueError as error:
        advice = "joblib.dump stores any model, as a pickle for those who trust you."
        if hasattr(pipe, "best_estimator_"):
            advice = "Save its best_estimator_."
        raise ValueError(
            f"This {kind} cannot be saved without a pickle: {error} {advice}"
        ) from error


def load(path):
    """Load a model that :func:`save` has written.

    The file is checked before anything is made of it, and what it says is never run:
    only types of a closed list are made, and the network is built by this package.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    estimator
        The model. It predicts as the saved one did, bit by bit with the same versions
        on the same kind of machine, and ``partial_fit`` goes on from the same state.

    Raises
    ------
    ValueError
        If it is no such file, a damaged one, or one of a newer format.
    OSError
        If it cannot be read.

    Warns
    -----
    ecg_sklearn.persistence.VersionWarning
        If a package has another version than when the model was saved, in the first
        or second number.

    See Also
    --------
    save : The way there, with an example.
    """
    path = Path(path)
    try:
        versions, tree, arrays = read_model(path)
        decoder = ModelDecoder(arrays)
        model = decoder.decode(tree)
        decoder.finish()
        if not isinstance(model, BaseEstimator):
            raise ValueError("It holds no estimator.")
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded. {error}") from error
    except _REFUSALS as error:
        raise ValueError(
            f"{path} cannot be loaded. It does not fit together "
            f"({type(error).__name__}: {error}). Save the model again."
        ) from error
    _warn_of_versions(path, versions)
    return model


def _versions():
    return {"ecg-sklearn": __version__} | {p: version(p) for p in _PACKAGES}


def _warn_of_versions(path, saved):
    """Name the packages whose versions differ before the second dot."""
    different = [
        f"{package} {saved[package]} (here {installed})"
        for package, installed in _versions().items()
        if package in saved and _minor(saved[package]) != _minor(installed)
    ]
    if different:
        warnings.warn(
            f"{path} was saved with {', '.join(different)}. Check its predictions, or "
            "install those versions.",
            VersionWarning,
            stacklevel=3,
        )


def _minor(text):
    return text.split(".")[:2]
