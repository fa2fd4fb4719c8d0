"""What class labels mean: the five classes of AAMI, or anything else."""

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES

__all__ = ["label_names", "names_of_all"]


def label_names(labels, target_names=None):
    """Name class labels.

    Parameters
    ----------
    labels : array-like of shape (n_labels,)
        Labels, such as ``classes_`` of a classifier.
    target_names : sequence of str or None, default=None
        Names of the labels 0, 1 and so on. None means N S V F Q.

    Returns
    -------
    list of str
        Where all labels are numbers that ``target_names`` names, 0 or 0.0 and so on,
        these names; the labels as they are, otherwise.
    """
    return names_of_all([labels], target_names)[0]


def names_of_all(arrays, target_names=None):
    """Name the labels of several arrays alike, as :func:`label_names` does.

    Parameters
    ----------
    arrays : list of array-like
        Labels. Some may be numbers and others letters that mean the same classes.
    target_names : sequence of str or None
        As there.

    Returns
    -------
    list of list of str
        Names of the labels of each array.
    """
    names = CLASS_NAMES if target_names is None else tuple(map(str, target_names))
    arrays = [np.asarray(labels) for labels in arrays]
    numbers = [labels for labels in arrays if labels.dtype.kind in "iuf"]
    others = {str(v) for labels in arrays for v in labels.tolist()} - {
        str(v) for labels in numbers for v in labels.tolist()
    }
    if others <= set(names) and all(
        np.isin(labels, range(len(names))).all() for labels in numbers
    ):
        return [
            [names[int(v)] for v in labels]
            if labels.dtype.kind in "iuf"
            else [str(v) for v in labels.tolist()]
            for labels in arrays
        ]
    if len({labels.dtype.kind for labels in numbers}) > 1:  # 7 and 7.0 are one label
        arrays = [
            labels.astype(float) if labels.dtype.kind in "iuf" else labels
            for labels in arrays
        ]
    return [[str(v) for v in labels.tolist()] for labels in arrays]
