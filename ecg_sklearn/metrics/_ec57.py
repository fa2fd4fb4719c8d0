"""The counting rules of ANSI/AAMI EC57, on confusion matrices.

They have 5 rows and columns, N S V F Q. Where beats may be missed or extra there are 7:
row O is a beat that was detected and is none, column O one that was missed; X is either
where the other side could not read the signal.
"""

import numpy as np

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.metrics._counts import cohen_kappa, ratio

N_CLASSES = len(CLASS_NAMES)
TABLE_NAMES = (*CLASS_NAMES, "O", "X")
QRS_RATES = ("sensitivity", "positive_predictivity")
# Ectopic beat -> its class, and the true classes that do not count as false positives.
ECTOPIC = {"veb": ("V", "FQ"), "sveb": ("S", "Q")}
# Rate -> digits of its percentage in EC57 reports.
RATES = {
    "sensitivity": 2,
    "positive_predictivity": 2,
    "false_positive_rate": 3,
    "accuracy": 2,
}


def cells(y_true, y_pred, target_names=None):
    """Find the cell of each beat in the flattened confusion matrix."""
    names = CLASS_NAMES if target_names is None else tuple(target_names)
    if not set(names) <= set(CLASS_NAMES) or len(set(names)) != len(names):
        raise ValueError(
            f"target_names={list(names)!r} must hold letters of "
            f"{list(CLASS_NAMES)!r}, each at most once."
        )
    true, predicted = (
        _codes(values, names, which)
        for which, values in {"y_true": y_true, "y_pred": y_pred}.items()
    )
    return true * N_CLASSES + predicted


def _codes(values, names, which):
    """Position of each label in N S V F Q."""
    codes = np.full(len(values), -1)
    for integer, name in enumerate(names):
        label = integer if values.dtype.kind in "iuf" else name
        codes[values == label] = CLASS_NAMES.index(name)
    if codes.min() < 0:
        unknown = values[codes < 0][0].item()
        raise ValueError(
            f"{which} holds the label {unknown!r}. Use integers 0 to "
            f"{len(names) - 1} for {' '.join(names)}, or these letters."
        )
    return codes


def aami_matrix(y_true, y_pred):
    """Confusion matrix over N S V F Q."""
    counts = np.bincount(cells(y_true, y_pred), minlength=N_CLASSES**2)
    return counts.reshape(N_CLASSES, N_CLASSES)


def figures_of(matrix):
    """All figures of confusion matrices, (..., 5, 5) or (..., 7, 7)."""
    right = np.trace(matrix, axis1=-2, axis2=-1)
    figures = {
        "n_beats": matrix[..., :N_CLASSES, :].sum(axis=(-2, -1)),
        "accuracy": ratio(right, matrix.sum(axis=(-2, -1))),
        "kappa": cohen_kappa(matrix),
    }
    if matrix.shape[-1] > N_CLASSES:
        tp = matrix[..., :N_CLASSES, :N_CLASSES].sum(axis=(-2, -1))
        fn = matrix[..., :N_CLASSES, N_CLASSES:].sum(axis=(-2, -1))
        fp = matrix[..., N_CLASSES:, :N_CLASSES].sum(axis=(-2, -1))
        figures |= {
            "qrs_tp": tp,
            "qrs_fn": fn,
            "qrs_fp": fp,
            "qrs_sensitivity": ratio(tp, tp + fn),
            "qrs_positive_predictivity": ratio(tp, tp + fp),
        }
    for beat in ECTOPIC:
        tp, fn, fp, tn = _ectopic_counts(matrix, beat)
        figures |= {
            f"{beat}_tp": tp,
            f"{beat}_fn": fn,
            f"{beat}_fp": fp,
            f"{beat}_tn": tn,
            f"{beat}_sensitivity": ratio(tp, tp + fn),
            f"{beat}_positive_predictivity": ratio(tp, tp + fp),
            f"{beat}_false_positive_rate": ratio(fp, tn + fp),
            f"{beat}_accuracy": ratio(tp + tn, tp + tn + fp + fn),
        }
    j, jk = jk_indices(matrix, np.nan)
    return figures | {"j": j, "jk": jk}


def _ectopic_counts(matrix, beat):
    """TP, FN, FP, TN of an ectopic beat by the rules of EC57."""
    name, forgiven = ECTOPIC[beat]
    place = CLASS_NAMES.index(name)
    tp = matrix[..., place, place]
    fn = matrix[..., place, :].sum(axis=-1) - tp
    called = matrix[..., place].sum(axis=-1)
    fp = called - tp
    for other in forgiven:
        fp = fp - matrix[..., CLASS_NAMES.index(other), place]
    found = matrix[..., :N_CLASSES]  # missed beats are no true negatives
    tn = found.sum(axis=(-2, -1)) - (found[..., place, :].sum(axis=-1) - tp) - called
    return tp, fn, fp, tn


def jk_indices(matrix, zero_division):
    """Compute j and jk; rates of a class without beats are ``zero_division``."""
    j = 0.0
    for beat in ECTOPIC:
        tp, fn, fp, _ = _ectopic_counts(matrix, beat)
        # A class that has beats and was never predicted has predictivity 0.
        absent = np.where(tp + fn == 0, zero_division, 0.0)
        for rate in (ratio(tp, tp + fn), ratio(tp, tp + fp)):
            j = j + np.where(np.isnan(rate), absent, rate)
    kappa = cohen_kappa(matrix)
    return j, np.where(np.isnan(kappa), zero_division, kappa) / 2 + j / 8
