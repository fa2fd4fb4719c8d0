"""Ectopic beats as ANSI/AAMI EC57 reports them: :func:`aami_report`."""

from dataclasses import dataclass

import numpy as np

from ecg_sklearn.metrics._counts import check_aligned, matrix_text, plain, text
from ecg_sklearn.metrics._ec57 import (
    ECTOPIC,
    N_CLASSES,
    QRS_RATES,
    RATES,
    TABLE_NAMES,
    cells,
    figures_of,
)


@dataclass(frozen=True, eq=False)
class AAMIReport:
    """Result of :func:`aami_report` and :func:`ec57_report`; ``print`` shows a table.

    Rates are fractions; ``print`` shows percentages. A rate whose denominator is 0 is
    nan, printed as "-".

    Parameters
    ----------
    gross : dict of str to number
        Figures of all beats together: "n_beats", "accuracy" and "kappa" over all five
        classes; for ventricular ectopic beats the counts "veb_tp", "veb_fn", "veb_fp",
        "veb_tn" and the rates "veb_sensitivity", "veb_positive_predictivity",
        "veb_false_positive_rate", "veb_accuracy"; "sveb_..." for supraventricular ones;
        and the indices "j" and "jk". Where beats may be missed or extra, also "qrs_tp",
        "qrs_fn", "qrs_fp", "qrs_sensitivity" and "qrs_positive_predictivity" of all
        beats, whatever their class. "n_beats" counts true beats; in accuracy and kappa
        each missed and each extra beat is an error.
    records : dict of record to dict
        The same figures for each record; empty without ``groups``.
    confusion_matrix : ndarray of shape (5, 5) or (7, 7)
        Number of beats by true class (rows) and predicted class (columns), both in the
        order N S V F Q. Where beats may be missed or extra, O and X follow: row O are
        extra beats, column O missed ones; X are those of them where the other side
        could not read the signal.
    skip_first : float
        Learning period left out at the start of each record, in s.
    escape : {"N", "S"} or None, default=None
        Class that supraventricular escape beats count as; None if it is not known.

    Examples
    --------
    >>> from ecg_sklearn.metrics import aami_report
    >>> report = aami_report(list("NNVVFS"), list("NVVVVS"))
    >>> round(report.gross["veb_positive_predictivity"], 3)
    0.667
    """

    gross: dict
    records: dict
    confusion_matrix: np.ndarray
    skip_first: float
    escape: str | None = None

    @property
    def average(self):
        """Mean of each rate over the records where it is defined."""
        if not self.records:
            return {}
        names = [f"{beat}_{rate}" for beat in ECTOPIC for rate in RATES]
        names += [f"qrs_{rate}" for rate in QRS_RATES if self._has_qrs]
        return self.to_frame()[names].iloc[:-1].mean().to_dict()

    @property
    def _has_qrs(self):
        return len(self.confusion_matrix) > N_CLASSES

    def __str__(self):
        counted = f"{self.gross['n_beats']} beats"
        if self.records:
            counted += f" of {len(self.records)} records"
        if self.skip_first:
            counted += f", the first {self.skip_first:g} s of each record left out"
        first = max([len("Average"), *(len(str(name)) for name in self.records)])
        heads = f"{'QRS':-^13} " if self._has_qrs else ""
        heads += "".join(f"{beat.upper():-^36} " for beat in ECTOPIC)
        columns = f"{'Se':>6}{'+P':>7} " if self._has_qrs else ""
        columns += f"{'n':>7}{'Se':>7}{'+P':>7}{'FPR':>8}{'Acc':>7} " * 2
        rows = self.records | {"Gross": self.gross}
        rows |= {"Average": self.average} if self.records else {}
        names, found = TABLE_NAMES[: len(self.confusion_matrix)], None
        table = "Beats by true and predicted class"
        if self._has_qrs:
            found = [name.lower() for name in names]  # as bxb prints them
            table += " (O: no beat on the other side, X: not readable there)"
        lines = [
            f"ANSI/AAMI EC57, beat by beat: {counted}. Rates in %.",
            *([f"Escape beats count as {self.escape}."] if self.escape else []),
            f"{'':<{first + 8}} {heads}".rstrip(),
            f"{'Record':<{first}}{'Beats':>8}{columns}{'j':>7}{'jk':>7}",
            *(_line(str(name), first, figures) for name, figures in rows.items()),
            "",
            f"Accuracy over all classes {text(self.gross['accuracy'], 6, 2, 100)}, "
            f"Cohen's kappa {text(self.gross['kappa'], 6, 4)}",
            "",
            table,
            matrix_text(self.confusion_matrix, names, found),
        ]
        return "\n".join(lines)

    def to_dict(self):
        """Convert all numbers to plain Python, for JSON; undefined ones to None.

        Returns
        -------
        dict
            The attributes and ``average``.
        """
        return plain(vars(self) | {"average": self.average})

    def to_frame(self):
        """Convert the figures to a table.

        Returns
        -------
        pandas.DataFrame
            One row for each record, then the row "gross".
        """
        import pandas as pd

        rows = [*self.records.values(), self.gross]
        index = pd.Index([*self.records, "gross"], name="record", dtype=object)
        return pd.DataFrame(rows, index=index)


def _line(name, first, figures):
    """Format one line of the table; the average has no counts and indices."""
    counted = "n_beats" in figures
    line = f"{name:<{first}}{figures['n_beats'] if counted else '':>8}"
    if "qrs_sensitivity" in figures:
        for rate, width in zip(QRS_RATES, (6, 7), strict=True):
            line += text(figures[f"qrs_{rate}"], width, 2, 100)
        line += " "
    for beat in ECTOPIC:
        n_true = figures[f"{beat}_tp"] + figures[f"{beat}_fn"] if counted else ""
        line += f"{n_true:>7}"
        for rate, digits in RATES.items():
            width = 8 if digits == 3 else 7
            line += text(figures[f"{beat}_{rate}"], width, digits, 100)
        line += " "
    if counted:
        line += text(figures["j"], 7, 3) + text(figures["jk"], 7, 3)
    return line.rstrip()


def aami_report(
    y_true,
    y_pred,
    groups=None,
    *,
    time=None,
    skip_first=0.0,
    target_names=None,
    escape=None,
):
    """Count ectopic beats as in ANSI/AAMI EC57, in total and for each record.

    This is the beat-by-beat comparison of EC57 [1]_, as implemented in ``bxb`` of the
    WFDB software [2]_ and tabulated by de Chazal et al. [3]_. For
    ventricular ectopic beats (VEB), with true N predicted as V written Nv, true
    positives are Vv, false negatives Vn, Vs, Vf and Vq, false positives Nv and Sv. Fv
    and Qv are not counted: a fusion or unclassifiable beat predicted as ventricular is
    neither rewarded nor penalised. For supraventricular ectopic beats (SVEB), true
    positives are Ss, false negatives Sn, Sv, Sf and Sq, false positives Ns, Vs and Fs;
    Qs is not counted. True negatives are all other beats that are not V, or not S.
    ``bxb`` prints no false positive rate of SVEB and no accuracies; these are counted
    as in [3]_. Every beat is assumed to be detected: :func:`ec57_report` also counts
    missed and extra beats.

    Two indices summarise the figures [4]_: j is the sum of both sensitivities and both
    positive predictivities, 4 at best; jk is kappa / 2 + j / 8, from -0.5 to 1, with
    Cohen's kappa over all classes present. Both are nan without true S or without true
    V beats. If there are such beats and none was predicted, the positive predictivity
    is nan in the report and counts as 0 in j.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True classes: integers 0 to 4 for N S V F Q, or these letters.
    y_pred : array-like of shape (n_beats,)
        Predicted classes.
    groups : array-like of shape (n_beats,) or None, default=None
        Record of each beat. None reports gross figures only.
    time : array-like of shape (n_beats,) or None, default=None
        Time of each beat since the start of its record, in s.
    skip_first : float, default=0.0
        Leave out beats before this time of their record, in s; needs ``time``. EC57
        leaves out a learning period of 300.0.
    target_names : sequence of str or None, default=None
        Letter of each integer label, if the classes are not N S V F Q in this order,
        such as ``["N", "S", "V", "F"]``.
    escape : {"N", "S"} or None, default=None
        Class that supraventricular escape beats have in the labels, for the print. The
        loaders of this package make them N; EC57 and ``bxb`` count them as S.

    Returns
    -------
    AAMIReport
        The figures.

    Raises
    ------
    ValueError
        If the lengths differ, a label is unknown, or ``skip_first`` is given without
        ``time`` or leaves no beats.

    See Also
    --------
    ec57_report : The same from annotations, with missed and extra beats.
    Evaluation : These figures and those of each class, with intervals.
    aami_jk_score : The index jk alone.

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms.
    .. [2] G. B. Moody, ``bxb.c`` and ``sumstats.c`` of the WFDB software package,
       PhysioNet. The latter gives the gross and the average figures; its SVEB
       positive predictivity leaves out Fs, which that of ``bxb`` and EC57 counts.
    .. [3] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features", IEEE
       Transactions on Biomedical Engineering 51(7), 2004.
    .. [4] T. Mar et al., "Optimization of ECG classification by means of feature
       selection", IEEE Transactions on Biomedical Engineering 58(8), 2011.

    Examples
    --------
    >>> from ecg_sklearn.metrics import aami_report
    >>> y_true = list("NNNNSVVF")
    >>> y_pred = list("NNNVSVNV")
    >>> report = aami_report(y_true, y_pred, ["100"] * 4 + ["208"] * 4)
    >>> report.gross["veb_tp"], report.gross["veb_fn"], report.gross["veb_fp"]
    (1, 1, 1)
    >>> report.records["208"]["veb_sensitivity"]
    0.5
    """
    arrays = {"y_true": y_true, "y_pred": y_pred}
    arrays |= {} if groups is None else {"groups": groups}
    arrays |= {} if time is None else {"time": time}
    arrays = dict(zip(arrays, check_aligned(**arrays), strict=True))
    cell = cells(arrays["y_true"], arrays["y_pred"], target_names)
    kept = _after(arrays.get("time"), skip_first, len(cell))
    names, record = np.array([]), np.zeros(len(cell), dtype=int)
    if groups is not None:
        names, record = np.unique(arrays["groups"], return_inverse=True)
    # Count the beats of each record and cell in one pass.
    size = N_CLASSES**2
    counts = np.bincount(
        record[kept] * size + cell[kept], minlength=max(1, len(names)) * size
    ).reshape(-1, N_CLASSES, N_CLASSES)
    if not counts.sum():
        raise ValueError(
            f"skip_first={skip_first} leaves no beats: the last one is at "
            f"{arrays['time'].max():g} s. Use a smaller skip_first."
        )
    return report_of(counts, names.tolist(), skip_first, escape)


def report_of(counts, names, skip_first, escape):
    """Make the report of the confusion matrices of records."""
    gross = counts.sum(axis=0)
    return AAMIReport(
        gross=_plain_figures(gross),
        records={
            name: _plain_figures(matrix)
            for name, matrix in zip(names, counts, strict=False)
        },
        confusion_matrix=gross,
        skip_first=float(skip_first),
        escape=escape,
    )


def _plain_figures(matrix):
    """Figures of one matrix as ints and floats."""
    return {name: value.item() for name, value in figures_of(matrix).items()}


def _after(time, skip_first, n_beats):
    """Mask of the beats after the learning period of their record."""
    if not skip_first >= 0:
        raise ValueError(f"skip_first={skip_first} must be 0 s or more.")
    if skip_first and time is None:
        raise ValueError(
            f"skip_first={skip_first} needs to know when the beats are. Give time: "
            "seconds since the start of the record, for each beat."
        )
    if time is None:
        return np.ones(n_beats, dtype=bool)
    if time.dtype.kind not in "iuf" or np.isnan(time).any():
        raise ValueError(
            "time holds values that are not numbers. Give seconds since the start of "
            "the record, for each beat."
        )
    return time >= skip_first
