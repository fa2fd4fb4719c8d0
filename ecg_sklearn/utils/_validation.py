"""Validation of arrays with one value for each beat: :func:`flat_array`."""

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan


def flat_array(values, name, *, column=False):
    """Convert one value for each beat to an array of one type, without missing values.

    ``numpy.asarray`` drops the mask of a masked array, and converts a mixed list of
    numbers and strings to strings.
    """
    if np.ma.is_masked(values):
        raise _missing(name, "a masked value", np.ma.getmaskarray(values))
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} is not one value for each beat, shape (n_beats,): {error}"
        ) from error
    if column and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(
            f"{name} has shape {array.shape}. Give one value for each beat, "
            "shape (n_beats,)."
        )
    if array.dtype.kind == "O":
        array = _of_one_kind(array, name)
    if array.dtype.kind not in "biufSU":
        raise ValueError(
            f"{name} holds values of type {array.dtype}. Give numbers or strings."
        )
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise _missing(name, "values that are not numbers (NaN)", np.isnan(array))
    return array


def _of_one_kind(array, name):
    """Convert an object array, such as that of pandas, to one type."""
    missing = [v is None or is_scalar_nan(v) or is_pandas_na(v) for v in array]
    if any(missing):
        raise _missing(name, "missing values", missing)
    texts = [isinstance(value, (str, bytes)) for value in array]
    if any(texts) and not all(texts):
        other = array[texts.index(False)]
        raise ValueError(
            f"{name} holds {array[texts.index(True)]!r} and {other!r}: strings and "
            "other values do not go together. Give one kind of them."
        )
    return np.array(array.tolist())


def _missing(name, what, mask):
    place = int(np.flatnonzero(mask)[0])
    return ValueError(
        f"{name} holds {what}, the first at position {place}. Give one value for each "
        "beat, or leave these beats out."
    )
