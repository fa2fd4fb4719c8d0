"""Every class against the others: :func:`class_report`."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import (
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)
from sklearn.utils.multiclass import unique_labels

from ecg_sklearn.metrics._counts import (
    check_aligned,
    cohen_kappa,
    matrix_text,
    plain,
    ratio,
    text,
)

_PER_CLASS = (
    "sensitivity",
    "positive_predictivity",
    "false_positive_rate",
    "f1",
    "support",
)
_OVERALL = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro-F1",
    "kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
}


@dataclass(frozen=True, eq=False)
class ClassReport:
    """What :func:`class_report` found; ``print`` shows it as a table.

    Rates are fractions; one whose denominator is 0 is nan, and is printed as "-".

    Parameters
    ----------
    labels : tuple
        The classes, in the order of all arrays here.
    target_names : tuple of str
        Their names.
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Beats, by true class (rows) and predicted class (columns).
    sensitivity : ndarray of shape (n_classes,)
        Share of the beats of a class that were predicted as such; also recall.
    positive_predictivity : ndarray of shape (n_classes,)
        Share of the beats predicted as a class that belong to it; also precision.
    false_positive_rate : ndarray of shape (n_classes,)
        Share of the beats of all other classes that were predicted as this class.
    f1 : ndarray of shape (n_classes,)
        Harmonic mean of sensitivity and positive predictivity.
    support : ndarray of shape (n_classes,)
        Beats that belong to a class.
    accuracy : float
        Share of all beats that were predicted correctly.
    balanced_accuracy : float
        Mean sensitivity of the classes that have beats.
    macro_f1 : float
        Mean F1 of the classes that have beats, or were predicted.
    kappa : float
        Cohen's kappa; nan where truth and prediction are one single class.
    mcc : float
        Matthews correlation; nan where truth or prediction is one single class.

    Examples
    --------
    >>> from ecg_sklearn.metrics import class_report
    >>> report = class_report(["N", "N", "V", "V"], ["N", "N", "V", "N"])
    >>> report.sensitivity
    array([1. , 0.5])
    """

    labels: tuple
    target_names: tuple
    confusion_matrix: np.ndarray
    sensitivity: np.ndarray
    positive_predictivity: np.ndarray
    false_positive_rate: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    kappa: float
    mcc: float

    def __str__(self):
        first = max(len("Class"), *map(len, self.target_names))
        lines = [f"{'Class':<{first}}   Beats      Se      +P     FPR      F1"]
        for place, name in enumerate(self.target_names):
            rates = (getattr(self, rate)[place] for rate in _PER_CLASS[:-1])
            lines.append(
                f"{name:<{first}}{self.support[place]:>8}"
                + "".join(text(rate, 8, 4) for rate in rates)
            )
        overall = [
            f"{title:<22}{text(getattr(self, name), 7, 4)}"
            for name, title in _OVERALL.items()
        ]
        matrix = matrix_text(self.confusion_matrix, self.target_names)
        return "\n".join(
            [*lines, "", *overall, "", "Beats by true and predicted class", matrix]
        )

    def to_dict(self):
        """Give the numbers as plain Python, ready for JSON.

        Returns
        -------
        dict
            "classes": a dict for each name, with its "label", rates and "support";
            the overall numbers; "confusion_matrix": a list of rows. What is not
            defined is None.
        """
        classes = {
            name: {
                "label": self.labels[place],
                **{rate: getattr(self, rate)[place] for rate in _PER_CLASS},
            }
            for place, name in enumerate(self.target_names)
        }
        overall = {name: getattr(self, name) for name in _OVERALL}
        return plain(
            {
                "classes": classes,
                **overall,
                "confusion_matrix": self.confusion_matrix,
            }
        )

    def to_frame(self):
        """Give the rates of the classes as a table.

        Returns
        -------
        pandas.DataFrame
            One row for each class, by name; rates and "support" in the columns.
        """
        import pandas as pd

        return pd.DataFrame(
            {rate: getattr(self, rate) for rate in _PER_CLASS},
            index=pd.Index(self.target_names, name="class"),
        )


def class_report(y_true, y_pred, *, labels=None, target_names=None):
    """Count predictions by class, and rate each class against all others.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True classes: integers or strings.
    y_pred : array-like of shape (n_beats,)
        Predicted classes.
    labels : array-like of shape (n_classes,) or None, default=None
        The classes, in the order to report them; all that occur must be here. None
        means those that occur, sorted; with ``target_names`` and integer classes, it
        means ``range(len(target_names))``.
    target_names : sequence of str or None, default=None
        Names of the classes, such as :data:`ecg_sklearn.aami.CLASS_NAMES`. None
        means the labels themselves.

    Returns
    -------
    ClassReport
        The numbers.

    Raises
    ------
    ValueError
        If the lengths differ, a class is not among the labels, or there is not one
        name for each label.

    See Also
    --------
    aami_report : The same predictions as ANSI/AAMI EC57 counts them.
    sklearn.metrics.classification_report : Without false positive rates.

    References
    ----------
    .. [1] J. Cohen, "A coefficient of agreement for nominal scales", Educational and
       Psychological Measurement 20(1), 1960.
    .. [2] J. Gorodkin, "Comparing two K-category assignments by a K-category
       correlation coefficient", Computational Biology and Chemistry 28, 2004.

    Examples
    --------
    >>> from ecg_sklearn.metrics import class_report
    >>> print(class_report(["N", "N", "N", "V", "V"], ["N", "N", "V", "V", "V"]))
    Class   Beats      Se      +P     FPR      F1
    N           3  0.6667  1.0000  0.0000  0.8000
    V           2  1.0000  0.6667  0.3333  0.8000
    <BLANKLINE>
    Accuracy               0.8000
    Balanced accuracy      0.8333
    Macro-F1               0.8000
    Cohen's kappa          0.6154
    Matthews correlation   0.6667
    <BLANKLINE>
    Beats by true and predicted class
    true      N      V
    N         2      1
    V         0      2
    """
    y_true, y_pred = check_aligned(y_true=y_true, y_pred=y_pred)
    labels = _check_labels(y_true, y_pred, labels, target_names)
    names = _check_names(labels, target_names)
    if len(labels) == 1:  # scikit-learn would warn
        matrix = np.array([[len(y_true)]])
    else:
        matrix = confusion_matrix(y_true, y_pred, labels=labels)

    # From here on each cell is a beat with a weight: no more passes over the beats.
    true, predicted = np.indices(matrix.shape).reshape(2, -1)
    rates = {
        average: precision_recall_fscore_support(
            true,
            predicted,
            labels=np.arange(len(labels)),
            sample_weight=matrix.ravel(),
            average=average,
            zero_division=np.nan,
        )
        for average in (None, "macro")
    }
    precision, recall, f1, _ = rates[None]
    support, called = matrix.sum(axis=1), matrix.sum(axis=0)
    false_positives = called - np.diag(matrix)
    others = matrix.sum() - support
    two_sided = (support > 0).sum() > 1 and (called > 0).sum() > 1
    return ClassReport(
        labels=tuple(labels.tolist()),
        target_names=names,
        confusion_matrix=matrix,
        sensitivity=recall,
        positive_predictivity=precision,
        false_positive_rate=np.array(
            [ratio(*counts) for counts in zip(false_positives, others, strict=True)]
        ),
        f1=f1,
        support=support,
        accuracy=ratio(np.trace(matrix), matrix.sum()),
        balanced_accuracy=float(rates["macro"][1]),
        macro_f1=float(rates["macro"][2]),
        kappa=cohen_kappa(matrix),
        mcc=float(matthews_corrcoef(true, predicted, sample_weight=matrix.ravel()))
        if two_sided
        else np.nan,
    )


def _check_labels(y_true, y_pred, labels, target_names):
    """Find the classes to report, and hold that all that occur are among them."""
    found = unique_labels(y_true, y_pred)
    if labels is not None:
        labels = np.asarray(labels)
        if labels.ndim != 1 or len(np.unique(labels)) != labels.size:
            raise ValueError(
                f"labels={labels.tolist()!r} must be a flat list that names each "
                "class once."
            )
    elif target_names is not None and found.dtype.kind in "iu":
        labels = np.arange(len(target_names))
    else:
        return found
    unknown = found[~np.isin(found, labels)]
    if unknown.size:
        raise ValueError(
            f"y_true or y_pred holds {unknown.tolist()!r}, not among the labels "
            f"{labels.tolist()!r}. Give all classes that occur in labels."
        )
    return labels


def _check_names(labels, target_names):
    """One name for each class, no name twice."""
    names = tuple(map(str, labels if target_names is None else target_names))
    if len(names) != len(labels) or len(set(names)) != len(names):
        raise ValueError(
            f"target_names={list(names)!r} must hold one name for each of the "
            f"{len(labels)} labels {labels.tolist()!r}, all different."
        )
    return names
