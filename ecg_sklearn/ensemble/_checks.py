"""Checks of parameters and metadata of ShapeRhythmClassifier."""

from numbers import Integral

import numpy as np

from ecg_sklearn.ensemble._episodes import INTERVAL_NAMES
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.utils._columns import select_columns
from ecg_sklearn.utils._validation import flat_array


def check_labels(pair, classes):
    """Check labels and the pair; return whether both classes of the pair occur."""
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(
            f"pair={pair!r} is not two labels. Give the class of normal beats "
            "and that of premature ones, such as (0, 1)."
        )
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class, {classes[0]}. Give beats of two at least."
        )
    known = np.isin(pair, classes)
    if not known.any():
        raise ValueError(
            f"pair={pair!r} are no labels of y, which holds "
            f"{classes.tolist()}. Name the class of normal beats and that of "
            "premature ones."
        )
    return known.all()


def check_excerpts(n_around, chosen, names):
    """Check that the features of excerpts can be recomputed."""
    if not all(isinstance(n, Integral) and n >= 1 for n in n_around):
        raise ValueError(
            f"n_around={n_around!r} are not all whole numbers of 1 or more. "
            "Give such as (2, 5, 12), or () for no excerpts."
        )
    if len(chosen) != len(INTERVAL_NAMES) or (
        names is not None and list(names[chosen]) != list(INTERVAL_NAMES)
    ):
        raise ValueError(
            f"n_around={n_around!r} needs the columns of the groups 'rr' and "
            f"'rhythm', and rhythm_columns chooses {len(chosen)} others. Set "
            "n_around=(), or give no groups."
        )


def columns_of(spec, X, names, parameter, groups):
    """Find the columns of a parameter; "auto" takes ``groups`` by name."""
    if not isinstance(spec, str):
        return select_columns(spec, X, parameter)
    wanted = [name for group in groups for name in FEATURE_GROUPS[group]]
    known = {} if names is None else {name: i for i, name in enumerate(names)}
    missing = [name for name in wanted if name not in known]
    if missing:
        found = "X has no names" if names is None else f"X lacks {missing[:3]}"
        raise ValueError(
            f'{parameter}="auto" finds columns by name, and {found}. Load the beats '
            f"with features={list(groups)} and give the DataFrame, or set {parameter} "
            "to positions, a mask or names."
        )
    return np.array([known[name] for name in wanted])


def one_for_each(values, name, X):
    """Check that an array of metadata has one value for each beat; None is accepted."""
    if values is None:
        return None
    values = flat_array(values, name)
    if len(values) != len(X):
        raise ValueError(
            f"{name} holds {len(values)} values, and X {len(X)} beats. Give one for "
            "each beat."
        )
    return values
