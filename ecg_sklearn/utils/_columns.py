"""Which columns of a table are meant: names, positions, a mask, a slice, a callable."""

import re

import numpy as np

__all__ = ["sample_columns", "select_columns", "take_columns"]

_SAMPLE_NAME = re.compile(r"t\d+")


def sample_columns(spec, X, n_columns, names):
    """Find the columns that hold samples of the beat, and the others.

    Parameters
    ----------
    spec : "auto", slice, array-like or callable
        "auto" takes the columns named ``t000``, ``t001``, ..., or all if none is so
        named. The rest as in :func:`select_columns`.
    X : array-like of shape (n_beats, n_columns)
        The table, for a callable.
    n_columns : int
        Number of columns.
    names : ndarray of shape (n_columns,) or None
        Names of the columns, if they have names.

    Returns
    -------
    samples, features : ndarray of int
        Positions. Features are in ascending order.

    Raises
    ------
    ValueError
        As in :func:`select_columns`.
    """
    if isinstance(spec, str) and spec == "auto":
        named = [] if names is None else [_SAMPLE_NAME.fullmatch(n) for n in names]
        samples = np.flatnonzero(named) if any(named) else np.arange(n_columns)
    else:
        samples = select_columns(spec, X, n_columns, names, "sample_columns")
    return samples, np.setdiff1d(np.arange(n_columns), samples)


def select_columns(spec, X, n_columns, names, parameter):
    """Find the columns that a parameter names.

    Parameters
    ----------
    spec : slice, array-like or callable
        A slice, positions, a boolean mask, names, or a function of ``X`` that returns
        one of these.
    X : array-like of shape (n_beats, n_columns)
        The table, for a callable.
    n_columns : int
        Number of columns.
    names : ndarray of shape (n_columns,) or None
        Names of the columns, if they have names.
    parameter : str
        Name of the parameter, for errors.

    Returns
    -------
    ndarray of int
        Positions, in the order of ``spec``.

    Raises
    ------
    ValueError
        If a column does not exist or is chosen twice, or none is chosen.
    """
    if callable(spec):
        spec = spec(X)
    if isinstance(spec, slice):
        if any(isinstance(end, str) for end in (spec.start, spec.stop)):
            raise ValueError(
                f"{parameter}={spec} has names. Give a slice of positions."
            )
        chosen = np.arange(n_columns)[spec]
    else:
        chosen = _positions(spec, n_columns, names, parameter)
    if len(chosen) == 0:
        raise ValueError(
            f"{parameter} chooses none of the {n_columns} columns of X. Choose at "
            "least one."
        )
    values, counts = np.unique(chosen, return_counts=True)
    if (counts > 1).any():
        twice = values[counts > 1][0]
        raise ValueError(
            f"{parameter} chooses column {twice if names is None else names[twice]!r} "
            f"{counts.max()} times. Name each column once."
        )
    return chosen


def _positions(spec, n_columns, names, parameter):
    """Positions that names, a mask or integers stand for."""
    values = np.asarray(spec)
    if values.ndim == 1 and len(values) == 0:
        return np.empty(0, dtype=np.intp)
    if values.ndim == 1 and all(isinstance(value, str) for value in values):
        known = {} if names is None else {name: i for i, name in enumerate(names)}
        missing = [str(value) for value in values if value not in known]
        if missing and names is None:
            raise ValueError(
                f"{parameter} gives names ({missing[0]!r}, ...), and the columns of X "
                "have none. Give a DataFrame, or positions or a mask."
            )
        if missing:
            raise ValueError(
                f"{parameter} names {missing[:3]}, which X has not. Its columns are "
                f"{_some(names)}."
            )
        return np.array([known[value] for value in values])
    if values.ndim == 1 and values.dtype.kind == "b":
        if len(values) != n_columns:
            raise ValueError(
                f"{parameter} is a mask of {len(values)} values, and X has {n_columns} "
                "columns. Give one value for each column."
            )
        return np.flatnonzero(values)
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(
            f"{parameter}={spec!r} is no choice of columns. Give a slice, positions, a "
            "boolean mask, names, or a function of X that returns one of these."
        )
    wrong = values[(values < -n_columns) | (values >= n_columns)]
    if len(wrong):
        raise ValueError(
            f"{parameter} chooses column {wrong[0]}, and X has {n_columns} columns, "
            "counted from 0."
        )
    return values.astype(np.intp) % n_columns


def _some(names):
    """List names, in short."""
    names = [str(name) for name in names]
    return names if len(names) <= 8 else f"{names[:3]} to {names[-3:]}"


def take_columns(X, columns):
    """Take columns of an array, as a view if they are neighbours.

    Parameters
    ----------
    X : ndarray of shape (n_beats, n_columns)
        The array.
    columns : ndarray of int
        Positions of at least one column.

    Returns
    -------
    ndarray of shape (n_beats, len(columns))
        The columns.
    """
    first = columns[0]
    if np.array_equal(columns, np.arange(first, first + len(columns))):
        return X[:, first : first + len(columns)]
    return X[:, columns]
