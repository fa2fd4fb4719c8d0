"""Selection of columns by names, positions, mask, slice or callable."""

import re

import numpy as np
from sklearn.utils._indexing import _get_column_indices

_SAMPLE_NAME = re.compile(r"t\d+")


def sample_columns(spec, X, names):
    """Find the columns of samples, in the order of ``spec``, and the other columns.

    "auto" takes those named ``t000``, ``t001``, ..., in this order wherever they are,
    or all if there are none. Other specifications are as in :func:`select_columns`.
    """
    X = X if hasattr(X, "shape") else np.asarray(X)
    everything = np.arange(X.shape[1])
    if isinstance(spec, str) and spec == "auto":
        named = [] if names is None else [_SAMPLE_NAME.fullmatch(n) for n in names]
        samples = np.flatnonzero(named) if any(named) else everything
        if any(named):
            samples = samples[np.argsort([int(names[i][1:]) for i in samples])]
    else:
        samples = select_columns(spec, X, "sample_columns")
    return samples, np.setdiff1d(everything, samples)


def select_columns(spec, X, parameter):
    """Find the columns that a parameter names, as an array of positions.

    ``spec`` is a slice, positions, a boolean mask, names, or a function of ``X`` that
    returns one of these. Unknown columns, duplicates and an empty selection raise a
    ValueError.
    """
    chosen = spec(X) if callable(spec) else spec
    chosen = list(chosen) if isinstance(chosen, (range, tuple)) else chosen
    X = X if hasattr(X, "columns") else np.asarray(X)
    if isinstance(chosen, slice) and chosen == slice(None):  # sklearn takes names
        return np.arange(X.shape[1])
    try:
        positions = np.asarray(_get_column_indices(X, chosen), dtype=np.intp)
    except (ValueError, TypeError, IndexError, NotImplementedError) as error:
        raise ValueError(
            f"{parameter}={str(spec)[:60]} cannot be found in X of shape "
            f"{np.shape(X)} ({str(error).rstrip('.')}). Give a slice, positions, a "
            "boolean mask, names of columns of a DataFrame, or a function of X that "
            "returns one of these."
        ) from error
    if len(positions) == 0 or len(np.unique(positions)) < len(positions):
        what = "a column twice" if len(positions) else "no column"
        raise ValueError(
            f"{parameter} chooses {what}, of the {np.shape(X)[1]} columns of X. Choose "
            "one or more, each of them once."
        )
    return positions


def named_columns(names, wanted, finder, groups):
    """Find columns by name; ``names`` are those of ``X``, or None.

    A column that is missing is a ValueError, which names ``finder`` and the ``groups``
    of features to load.
    """
    names = [] if names is None else list(names)
    missing = [name for name in wanted if name not in names]
    if missing:
        found = f"X lacks {missing[:3]}" if names else "X has no names"
        listed = ", ".join(f'"{group}"' for group in groups)
        raise ValueError(
            f"{finder} finds its columns by name, and {found}. Load the beats with "
            f"features=[{listed}], and give the DataFrame."
        )
    return np.array([names.index(name) for name in wanted])


def take_columns(X, columns):
    """Take columns of an array, as a view if they are adjacent."""
    first = columns[0]
    if np.array_equal(columns, np.arange(first, first + len(columns))):
        return X[:, first : first + len(columns)]
    return X[:, columns]
