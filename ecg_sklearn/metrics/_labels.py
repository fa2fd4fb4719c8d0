"""Names of class labels: the five AAMI classes, or others."""

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES

__all__ = ["label_names", "names_of_all"]


def label_names(labels, target_names=None):
    """Name labels 0, 0.0, 1, ... by ``target_names`` (None: N S V F Q).

    If a label has no name, all labels are converted to str.
    """
    return names_of_all([labels], target_names)[0]


def names_of_all(arrays, target_names=None):
    """Name the labels of several arrays; some may hold numbers, others letters."""
    names = CLASS_NAMES if target_names is None else tuple(map(str, target_names))
    numbered = dict(enumerate(names))  # 2.0 finds the key 2
    arrays = [np.asarray(labels).tolist() for labels in arrays]
    every = [label for labels in arrays for label in labels]
    if all(
        label in names or (label in numbered and not isinstance(label, bool))
        for label in every
    ):
        return [[numbered.get(label, label) for label in labels] for labels in arrays]
    digits = [v for v in every if isinstance(v, str) and v.strip().isdecimal()]
    if target_names is not None and digits:
        raise ValueError(
            f"The label {digits[0]!r} is text, and target_names={list(names)} name the "
            "labels 0, 1, ... Give integers: y.astype(int)."
        )
    if any(isinstance(label, int) for label in every):  # 7.0 is 7, if 7 is there
        arrays = [
            [int(v) if isinstance(v, float) and v.is_integer() else v for v in labels]
            for labels in arrays
        ]
    return [[str(label) for label in labels] for labels in arrays]
