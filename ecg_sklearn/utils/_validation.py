"""Validation of values with one entry for each beat, and of label columns in X."""

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.validation import _num_samples

_FEWEST = 10  # beats, and columns


def refuse_label_column(X, y, names=None):
    """Refuse a table that holds one value for each class in a column."""
    X = np.asarray(X)
    if X.dtype.kind not in "biuf":
        X = X.astype(np.float64)
    _, first, place, counts = np.unique(
        y, return_index=True, return_inverse=True, return_counts=True
    )
    if len(y) != len(X) or min(X.shape) < _FEWEST or np.sum(counts >= 3) < 2:
        return  # in a small table, a match may be chance
    one_each = X[first]  # (n_classes, n_columns)
    differs = (np.diff(np.sort(one_each, axis=0), axis=0) > 0).all(axis=0)
    # A few hundred beats exclude nearly all columns.
    differs &= (X[:300] == one_each[place[:300]]).all(axis=0)
    for column in np.flatnonzero(differs):
        if (X[:, column] == one_each[place, column]).all():
            name = int(column) if names is None else names[column]
            raise ValueError(
                f"Column {name!r} of X is the label: it holds one value for each "
                "class of y. Leave it out of X."
            )


def refuse_one_hot(y):
    """Refuse labels with one column for each class."""
    y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all():
        raise ValueError(
            f"y has shape {y.shape}: it is one-hot. Give one label for each beat, such "
            "as y.argmax(axis=1)."
        )


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


def one_for_each(values, name, X):
    """Check that an array of metadata has one value for each beat; None is accepted."""
    if values is None:
        return None
    values, n_beats = flat_array(values, name), _num_samples(X)
    if len(values) != n_beats:
        raise ValueError(
            f"{name} holds {len(values)} values, and X {n_beats} beats. Give one for "
            "each beat."
        )
    return values


def records_of(groups):
    """Find the beats of each record."""
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:])


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
