"""Arrays that were computed once, kept on disk, where several processes may meet.

A file is whole or not there: it is written under another name, then moved. It holds a
SHA-256 sum, the names of the arrays, and the arrays in NumPy's own format. So damage is
noticed wherever it is, and nothing in a file could be run.
"""

import hashlib
import os
import warnings
from pathlib import Path

import joblib
import numpy as np

from ecg_sklearn.utils._files import new_file

CACHE_VARIABLE = "ECG_SKLEARN_CACHE"
_SUM_LENGTH = hashlib.sha256().digest_size


def cached(function, *args):
    """Call a function, or read what an earlier call with the same arguments gave.

    Parameters
    ----------
    function : callable
        It returns a named tuple of arrays without Python objects. Arguments must tell
        its results apart: a changed function is not noticed.
    *args : object
        Its arguments; anything that :func:`joblib.hash` knows.

    Returns
    -------
    dict of str to ndarray
        The fields of the named tuple.

    Warns
    -----
    RuntimeWarning
        If a cached file is damaged, which is replaced then, or if none can be
        written. The arrays are right in either case.
    """
    path = cache_folder() / f"{function.__name__.strip('_')}-{joblib.hash(args)}.arrays"
    if path.is_file():
        try:
            return _read(path)
        except (OSError, ValueError) as error:
            _warn(f"{path} cannot be used ({error}). Its beats are cut again.")
    arrays = function(*args)._asdict()
    try:
        with new_file(path) as new:
            _write(new, arrays)
    except OSError as error:
        _warn(
            f"Beats are not cached: {path.parent} cannot be used ({error}). Set "
            f"${CACHE_VARIABLE} to a writable folder with room."
        )
    return arrays


def cache_folder():
    """Folder of the cached files: ``$ECG_SKLEARN_CACHE``, or the user's cache."""
    location = os.environ.get(CACHE_VARIABLE)
    if location is None:
        import pooch

        location = pooch.os_cache("ecg_sklearn")
    return Path(location)


def _write(path, arrays):
    with path.open("w+b") as file:
        file.write(bytes(_SUM_LENGTH))
        np.save(file, np.array(list(arrays)), allow_pickle=False)
        for array in arrays.values():
            np.save(file, array, allow_pickle=False)
        file.seek(_SUM_LENGTH)
        checksum = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        file.write(checksum)


def _read(path):
    with path.open("rb") as file:
        checksum = file.read(_SUM_LENGTH)
        if hashlib.file_digest(file, "sha256").digest() != checksum:
            raise ValueError("its SHA-256 sum is another one")
        file.seek(_SUM_LENGTH)
        names = np.load(file, allow_pickle=False)
        return {str(name): np.load(file, allow_pickle=False) for name in names}


def _warn(message):
    """Warn in the line that called the public function, behind its validation."""
    warnings.warn(message, RuntimeWarning, stacklevel=5)
