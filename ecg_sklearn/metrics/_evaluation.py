"""All scores of predictions: :class:`Evaluation`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.metrics._aami import AAMIReport, aami_report
from ecg_sklearn.metrics._bootstrap import (
    check_parameters,
    percentiles,
    resampled_counts,
)
from ecg_sklearn.metrics._calibration import expected_calibration_error
from ecg_sklearn.metrics._counts import check_aligned, matrix_text, plain, ratio
from ecg_sklearn.metrics._ec57 import figures_of
from ecg_sklearn.metrics._labels import names_of_all

if TYPE_CHECKING:
    import pandas as pd

_LEVEL = 0.95
_SIDES = ("y_true", "y_pred")
_RATES = ("precision", "recall", "f1-score", "specificity")
# EC57 figure -> printed name.
_EC57_NAMES = {
    "veb_sensitivity": "VEB Se",
    "veb_positive_predictivity": "VEB +P",
    "veb_false_positive_rate": "VEB FPR",
    "sveb_sensitivity": "SVEB Se",
    "sveb_positive_predictivity": "SVEB +P",
    "sveb_false_positive_rate": "SVEB FPR",
    "jk": "jk",
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All scores of a set of predictions.

    Create it with :meth:`from_predictions`. ``print`` shows it, :meth:`to_dict` is for
    JSON. A rate whose denominator is 0 is nan. Intervals are 95 % percentile intervals
    over records, or over beats without ``groups``, from the same resamples as those of
    :func:`bootstrap_ci`.

    Parameters
    ----------
    names : tuple of str of length n_classes
        The classes, in the order of all tables: N S V F Q, or the labels themselves.
    n_beats : int
        Number of beats.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Number of beats by true class (rows) and predicted class (columns).
    accuracy : float
        Fraction of beats predicted correctly.
    macro_f1 : float
        Mean F1 of the classes that occur in truth or prediction.
    classes : pandas.DataFrame
        One row for each class: "precision" (positive predictivity), "recall"
        (sensitivity), "f1-score", "specificity" and "support" (number of beats).
    intervals : pandas.DataFrame
        "estimate", "low" and "high" of "accuracy", "macro-F1", "VEB Se", "VEB +P",
        "VEB FPR", the same of SVEB, "jk", and "N recall" and similar for each class.
        "low" and "high" are nan without resamples or with a single record.
    unit : {"records", "beats"}
        What was resampled.
    n_resamples : int
        Number of resamples.
    records : pandas.DataFrame or None
        One row for each record, if known: "beats", "accuracy", its 95 % Wilson interval
        over beats as "low" and "high", and "N beats" and "N recall" for each class.
    ec57 : AAMIReport or None
        The figures of EC57, if the labels are the five AAMI classes.
    calibration_error : float or None
        :func:`expected_calibration_error`, if probabilities were given.

    See Also
    --------
    bootstrap_ci : An interval of any other metric.
    sklearn.metrics.classification_report : Scores of each class as text.

    Examples
    --------
    >>> from ecg_sklearn.metrics import Evaluation
    >>> found = Evaluation.from_predictions(
    ...     list("NNNNVV"), list("NNNVVV"), groups=["100", "101"] * 3, random_state=0
    ... )
    >>> round(found.accuracy, 3), float(found.classes.loc["V", "recall"])
    (0.833, 1.0)
    """

    names: tuple
    n_beats: int
    confusion_matrix: np.ndarray
    accuracy: float
    macro_f1: float
    classes: "pd.DataFrame"
    intervals: "pd.DataFrame"
    unit: str
    n_resamples: int
    records: "pd.DataFrame | None"
    ec57: AAMIReport | None
    calibration_error: float | None = None

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        groups=None,
        labels=None,
        *,
        target_names=None,
        y_proba=None,
        n_resamples=1000,
        random_state=0,
    ):
        """Compute all scores.

        Labels 0 to 4 (integers or floats) and N, S, V, F, Q mean the five AAMI classes;
        true and predicted labels may use different forms. EC57 figures need these
        labels. All other labels are reported unchanged.

        Parameters
        ----------
        y_true : array-like of shape (n_beats,)
            True classes.
        y_pred : array-like of shape (n_beats,)
            Predicted classes.
        groups : array-like of shape (n_beats,) or None, default=None
            Record of each beat.
        labels : array-like of shape (n_classes,) or None, default=None
            Classes to report, including those without beats, such as ``classes_`` of
            the classifier. None takes those that occur.
        target_names : sequence of str or None, default=None
            Names of the labels 0, 1 and so on, if they are not N S V F Q.
        y_proba : array-like of shape (n_beats, n_classes) or None, default=None
            Probabilities, in the order of ``labels``.
        n_resamples : int, default=1000
            Resamples for the intervals; 0 computes no intervals.
        random_state : int, RandomState or None, default=0
            Seed of the resamples.

        Returns
        -------
        Evaluation
            The scores.

        Raises
        ------
        ValueError
            If the lengths differ, a label is not in ``labels``, ``y_proba`` does not
            hold probabilities, or there are more than a million resamples.
        """
        if n_resamples != 0:
            check_parameters(n_resamples, _LEVEL)
        names, columns, true, predicted, groups = _read(
            y_true, y_pred, groups, labels, target_names
        )
        n = len(names)
        cell = true * n + predicted
        matrix = np.bincount(cell, minlength=n * n).reshape(n, n)
        records, tables, ec57, error = None, None, None, None
        if groups is not None:
            keys, record = np.unique(groups, return_inverse=True)
            tables = np.bincount(record * n * n + cell, minlength=len(keys) * n * n)
            tables = tables.reshape(len(keys), n * n)
            records = _records(keys, tables.reshape(-1, n, n), names)
        letters = np.array(names)
        if set(names) <= set(CLASS_NAMES):
            ec57 = aami_report(letters[true], letters[predicted], groups)
        if y_proba is not None:
            error = expected_calibration_error(letters[true], y_proba, labels=columns)
        resampled = np.zeros((0, n * n), dtype=np.int64)
        if n_resamples and (tables is None or len(tables) > 1):
            resampled = resampled_counts(cell, n * n, tables, n_resamples, random_state)
        found = _figures(matrix, names)
        return cls(
            names=names,
            n_beats=len(cell),
            confusion_matrix=matrix,
            accuracy=float(found["accuracy"]),
            macro_f1=float(found["macro-F1"]),
            classes=_class_table(found, matrix, names),
            intervals=_intervals(found, _figures(resampled.reshape(-1, n, n), names)),
            unit="beats" if groups is None else "records",
            n_resamples=int(n_resamples),
            records=records,
            ec57=ec57,
            calibration_error=error,
        )

    def __str__(self):
        table = self.classes.drop(columns="specificity").rename_axis(None)
        matrix = matrix_text(self.confusion_matrix, self.names)
        lines = [
            f"{self.n_beats} beats, accuracy {self.accuracy:.4f}, "
            f"macro-F1 {self.macro_f1:.4f}",
            table.to_string(float_format="{:.4f}".format, na_rep="-"),
            str(self.ec57 or f"Beats by true and predicted class\n{matrix}"),
        ]
        if self.n_resamples:
            n_shown = len(self.intervals) - len(_RATES) * len(self.names)
            intervals = [
                f"{name:<9} {row.estimate:.4f} ({row.low:.4f} to {row.high:.4f})"
                for name, row in self.intervals.iloc[:n_shown].iterrows()
            ]
            head = f"95 % intervals, {self.n_resamples} resamples of {self.unit}"
            lines.append("\n".join([head, *intervals]))
        return "\n\n".join(lines)

    def to_dict(self):
        """Convert all numbers to plain Python, for JSON; undefined ones to None.

        Returns
        -------
        dict
            Scores, confusion matrix and tables; those that exist of intervals, EC57
            and calibration error.
        """
        simple = ("n_beats", "accuracy", "macro_f1", "confusion_matrix")
        found = {name: getattr(self, name) for name in simple}
        found["classes"] = self.classes.to_dict("index")
        if self.n_resamples:
            intervals = self.intervals.assign(unit=self.unit)
            found["intervals"] = intervals.to_dict("index")
        if self.ec57 is not None:
            found["ec57"] = self.ec57.to_dict()
        if self.calibration_error is not None:
            found["calibration_error"] = self.calibration_error
        return plain(found)


def _read(y_true, y_pred, groups, labels, target_names):
    """Return class names, column names, codes of the beats, and their records."""
    arrays = {"y_true": y_true, "y_pred": y_pred}
    arrays |= {} if groups is None else {"groups": groups}
    arrays = dict(zip(arrays, check_aligned(**arrays), strict=True))
    sides = [np.unique(arrays[side], return_inverse=True) for side in _SIDES]
    given = [values for values, _ in sides]
    given += [] if labels is None else check_aligned(labels=labels)
    *found, columns = named = names_of_all(given, target_names)
    if labels is None:  # sort numbers as numbers, not as text
        value = {
            name: (0, label) if isinstance(label, (int, float)) else (1, str(label))
            for names, labels_of in zip(named, given, strict=True)
            for name, label in zip(names, labels_of.tolist(), strict=True)
        }
        columns = sorted(value, key=value.get)
    names = tuple(columns)
    if len(set(names)) != len(names):
        raise ValueError(f"labels={list(names)!r} must name each class once.")
    if set(names) <= set(CLASS_NAMES):
        names = tuple(name for name in CLASS_NAMES if name in names)
    codes = []
    for side, side_names, (_, place) in zip(_SIDES, named, sides, strict=False):
        if unknown := [name for name in side_names if name not in names]:
            raise ValueError(
                f"{side} holds {unknown!r}, not among the labels {list(columns)!r}. "
                "Leave these beats out, or name all classes in labels."
            )
        codes.append(np.array([names.index(name) for name in side_names])[place])
    return names, columns, *codes, arrays.get("groups")


def _figures(matrices, names):
    """All figures of one or several confusion matrices, by printed name."""
    true, called = matrices.sum(axis=-1), matrices.sum(axis=-2)
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    n_beats = true.sum(axis=-1)
    f1 = ratio(2 * hits, true + called)
    others = n_beats[..., None] - true
    n_defined = (~np.isnan(f1)).sum(axis=-1)
    found = {
        "accuracy": ratio(hits.sum(axis=-1), n_beats),
        "macro-F1": ratio(np.nansum(f1, axis=-1), n_defined),
    }
    if set(names) <= set(CLASS_NAMES):
        place = [CLASS_NAMES.index(name) for name in names]
        five = np.zeros((*matrices.shape[:-2], 5, 5), dtype=np.int64)
        five[..., np.array(place)[:, None], place] = matrices
        figures = figures_of(five)
        found |= {shown: figures[name] for name, shown in _EC57_NAMES.items()}
    rates = {
        "precision": ratio(hits, called),
        "recall": ratio(hits, true),
        "f1-score": f1,
        "specificity": ratio(others - (called - hits), others),
    }
    for number, name in enumerate(names):
        found |= {f"{name} {rate}": rates[rate][..., number] for rate in _RATES}
    return found


def _class_table(found, matrix, names):
    """Rates and number of beats of each class."""
    import pandas as pd

    table = {
        rate: [float(found[f"{name} {rate}"]) for name in names] for rate in _RATES
    }
    index = pd.Index(names, name="class", dtype=object)
    return pd.DataFrame(table | {"support": matrix.sum(axis=1)}, index=index)


def _intervals(found, resampled):
    """Estimate and interval of each figure; the interval is nan without resamples."""
    import pandas as pd

    values = np.stack(list(resampled.values()), axis=1)
    low, high = np.full((2, len(found)), np.nan)
    if len(values):
        low, high = percentiles(values, _LEVEL)
    estimate = np.array([float(value) for value in found.values()])
    low, high = (np.where(np.isnan(estimate), np.nan, ends) for ends in (low, high))
    return pd.DataFrame(
        {"estimate": estimate, "low": low, "high": high}, index=pd.Index(found)
    )


def _records(keys, tables, names):
    """Score each record, with Wilson intervals of its accuracy."""
    import pandas as pd

    n_beats, true = tables.sum(axis=(1, 2)), tables.sum(axis=2)
    hits = np.diagonal(tables, axis1=1, axis2=2)
    ends = [
        binomtest(right, n).proportion_ci(_LEVEL, method="wilson")
        for right, n in zip(hits.sum(axis=1).tolist(), n_beats.tolist(), strict=True)
    ]
    columns = {
        "beats": n_beats,
        "accuracy": ratio(hits.sum(axis=1), n_beats),
        "low": [float(end.low) for end in ends],
        "high": [float(end.high) for end in ends],
    }
    for number, name in enumerate(names):
        columns[f"{name} beats"] = true[:, number]
        columns[f"{name} recall"] = ratio(hits[:, number], true[:, number])
    return pd.DataFrame(columns, index=pd.Index(keys, name="record", dtype=object))
