"""Helpers of the metrics: checks of arrays, ratios, conversion to JSON, text."""

import math

import numpy as np

from ecg_sklearn.utils._validation import flat_array


def check_aligned(**arrays):
    """Check that arrays, given by name, have equal lengths."""
    found = {name: flat_array(values, name) for name, values in arrays.items()}
    first = next(iter(found))
    for name, values in found.items():
        if len(values) != len(found[first]):
            raise ValueError(
                f"{name} has {len(values)} values, but {first} has "
                f"{len(found[first])}. Give one value for each beat."
            )
    if not len(found[first]):
        raise ValueError(f"{first} holds no beats. Give at least one.")
    return list(found.values())


def ratio(part, whole):
    """Divide counts, or arrays of them; nan where the denominator is 0."""
    part, whole = np.asarray(part, dtype=float), np.asarray(whole)
    nothing = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    return np.divide(part, whole, out=nothing, where=whole != 0)


def cohen_kappa(matrix):
    """Cohen's kappa of matrices, (..., n, n); nan if all beats are in one cell."""
    total = matrix.sum(axis=(-2, -1))
    agreed = np.trace(matrix, axis1=-2, axis2=-1) * total
    by_chance = (matrix.sum(axis=-2) * matrix.sum(axis=-1)).sum(axis=-1)
    return ratio(agreed - by_chance, total**2 - by_chance)


def plain(value):
    """Convert to types of JSON: nan to None, arrays to lists."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    return None if isinstance(value, float) and math.isnan(value) else value


def text(value, width, digits, scale=1):
    """Format a number in a column; nan as "-"."""
    number = "-" if math.isnan(value) else f"{scale * value:.{digits}f}"
    return f"{number:>{width}}"


def matrix_text(matrix, names, columns=None):
    """Format a confusion matrix, true classes in rows."""
    import pandas as pd

    table = pd.DataFrame(matrix, index=names, columns=columns or names)
    table = table.rename_axis(columns="true")
    return table.to_string(col_space=7)
