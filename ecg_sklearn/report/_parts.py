"""Tables and sentences, which :mod:`ecg_sklearn.report` arranges."""

import platform
from importlib.metadata import version

import numpy as np
from scipy.stats import binomtest
from sklearn.utils import estimator_html_repr

from ecg_sklearn.aami import CLASS_DESCRIPTIONS, CLASS_NAMES
from ecg_sklearn.metrics import aami_report
from ecg_sklearn.model_selection import check_no_leakage
from ecg_sklearn.report._figures import class_bars
from ecg_sklearn.report._intervals import aami_figure, score_with_interval


def class_name(label):
    is_aami = isinstance(label, (int, np.integer)) and 0 <= label < len(CLASS_NAMES)
    return CLASS_NAMES[label] if is_aami else str(label)


def subtitle(beats):
    n_beats = len(beats.data)
    if beats.get("groups") is None:
        return f"{n_beats:,} beats of unknown records"
    return f"{n_beats:,} beats of {len(np.unique(beats.groups))} records"


def _matrix(true, predicted, n_classes):
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes)


def _accuracy(true, predicted):
    return (true == predicted).mean()


def _macro_f1(n_classes):
    def score(true, predicted):
        matrix = _matrix(true, predicted, n_classes)
        size = matrix.sum(axis=0) + matrix.sum(axis=1)
        shown = size > 0  # as class_report: classes with beats, or predicted
        return (2 * np.diag(matrix)[shown] / size[shown]).mean()

    return score


def tiles(results, **interval):
    tiles = []
    for name, metric in (
        ("accuracy", _accuracy),
        ("macro-F1", _macro_f1(len(results.names))),
    ):
        value, low, high = score_with_interval(
            metric, results.code, results.predicted_code, **interval
        )
        note = "one record: no interval"
        if not np.isnan(low):
            note = f"95 % interval {low:.3f} to {high:.3f}"
        tiles.append({"name": name, "value": f"{value:.4f}", "note": note})
    tiles.append(
        {"name": "beats", "value": f"{len(results.true):,}", "note": "all with labels"}
    )
    if results.groups is not None:
        n_records = len(np.unique(results.groups))
        tiles.append({"name": "records", "value": str(n_records), "note": "patients"})
    return tiles


def interval_note(results, n_resamples):
    unit = "beats" if results.groups is None else "whole records"
    why = (
        "The records are unknown, so the intervals are too narrow: beats of one "
        "patient resemble each other."
        if results.groups is None
        else "Beats of one patient resemble each other; resampling beats would make "
        "the intervals too narrow."
    )
    return (
        f"Intervals: percentile bootstrap over {unit}, {n_resamples} resamples. {why}"
    )


def _cell(value):
    """Text of a cell, the key that it is sorted by, and whether it is a number."""
    if isinstance(value, tuple):  # a rate and its interval
        rate, low, high = value
        cell = _cell(float(rate))
        if not np.isnan([rate, low]).any():
            cell["text"] += f" ({low:.2f} to {high:.2f})"
        return cell
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return {"text": "–", "key": "", "kind": "number"}
        return {"text": f"{value:.3f}", "key": repr(float(value)), "kind": "number"}
    if isinstance(value, (int, np.integer)):
        return {"text": f"{value:,}", "key": str(int(value)), "kind": "number"}
    return {"text": str(value), "key": str(value), "kind": "text"}


def _table(caption, columns, rows):
    cells = [[_cell(value) for value in row] for row in rows]
    kinds = [cell["kind"] for cell in cells[0]]
    heads = [
        {"text": name, "kind": kind} for name, kind in zip(columns, kinds, strict=True)
    ]
    return {"caption": caption, "columns": heads, "rows": cells}


def counts_table(results):
    rows = []
    for name in results.names:
        here = results.true == name
        row = [name, CLASS_DESCRIPTIONS.get(name, ""), int(here.sum()), here.mean()]
        if results.groups is not None:
            row.append(len(np.unique(results.groups[here])))
        rows.append(row)
    columns = ["class", "what it holds", "beats", "fraction"]
    if results.groups is not None:
        columns.append("records")
    return _table("Beats of each class", columns, rows)


def leakage(groups, training_groups):
    if groups is None or training_groups is None:
        missing = "these beats" if groups is None else "the training beats"
        return {
            "kind": "warn",
            "verdict": f"Patients on both sides: unknown. The records of {missing} "
            "were not given.",
            "explanation": "Beats of a patient that was trained on are easier.",
        }
    found = check_no_leakage(training_groups, groups, on_leak="return")
    explanation = (
        f"{len(np.unique(training_groups))} training records, "
        f"{len(np.unique(groups))} records here."
    )
    if not found.subjects:
        return {
            "kind": "ok",
            "verdict": "No record and no subject is in both training and these beats.",
            "explanation": explanation,
        }
    return {
        "kind": "warn",
        "verdict": found.message,
        "explanation": f"{explanation} For these patients, the scores measure memory "
        "as well as skill.",
    }


def diagram(pipe):
    from markupsafe import Markup

    # scikit-learn escapes the parameters that it shows.
    return Markup(estimator_html_repr(pipe))


def class_table_and_bars(results, **interval):
    """Scores of each class with intervals, as a table and as bars."""
    keys = ["sensitivity", "positive_predictivity", "f1"]
    shown = ["sensitivity", "positive predictivity", "F1"]
    cells = [
        [
            score_with_interval(
                _one_class(code, key), results.code, results.predicted_code, **interval
            )
            for key in keys
        ]
        for code in range(len(results.names))
    ]
    values, low, high = np.moveaxis(np.array(cells, dtype=float), 2, 0)
    rows = []
    for name, rates in zip(results.names, cells, strict=True):
        row = [name, int((results.true == name).sum()), *rates]
        rows.append(row)
    columns = ["class", "beats", *shown]
    bars = class_bars(values, low, high, results.names, shown)
    return _table("Scores of each class", columns, rows), bars


def _one_class(code, key):
    """Make a metric of one class that is cheap enough to resample."""

    def score(true, predicted):
        is_true, is_predicted = true == code, predicted == code
        hits = np.count_nonzero(is_true & is_predicted)
        n_true, n_predicted = np.count_nonzero(is_true), np.count_nonzero(is_predicted)
        above, below = {
            "sensitivity": (hits, n_true),
            "positive_predictivity": (hits, n_predicted),
            "f1": (2 * hits, n_true + n_predicted),
        }[key]
        return above / below if below else np.nan

    return score


def records_table(results):
    if results.groups is None:
        return None
    rows = []
    for record in np.unique(results.groups):
        here = results.groups == record
        true, predicted = results.code[here], results.predicted_code[here]
        row = [record, int(here.sum()), _wilson(true == predicted)]
        for code in range(len(results.names)):
            found = _one_class(code, "sensitivity")(true, predicted)
            row += [int((true == code).sum()), found]
        rows.append(row)
    rows.sort(key=lambda row: row[2][0])
    columns = ["record", "beats", "accuracy"]
    for name in results.names:
        columns += [f"{name} beats", f"{name} found"]
    return _table("Scores of each record", columns, rows)


def _wilson(hits):
    """Share of hits, with the ends of its 95 % Wilson interval."""
    found = binomtest(int(hits.sum()), len(hits))
    ends = found.proportion_ci(0.95, method="wilson")
    return found.statistic, float(ends.low), float(ends.high)


def card(pipe, beats, training_note, chosen_by):
    packages = ("ecg-sklearn", "scikit-learn", "keras", "numpy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        (
            "Intended use",
            "Research and teaching on annotated heartbeats. Not a medical device: no "
            "diagnosis, monitoring or treatment may rest on it.",
        ),
        ("Model", " → ".join(type(step).__name__ for _, step in _steps(pipe))),
        *([("Chosen by", chosen_by)] if chosen_by else []),
        ("Classes", ", ".join(class_name(label) for label in pipe.classes_)),
        ("Trained on", training_note or "Not stated."),
        ("Tested on", beats.get("DESCR") or "Not stated."),
        (
            "Limits",
            "It labels beats that somebody has located; it does not detect them. It "
            "knows the recorder, leads and patients of its training beats alone. Rare "
            "classes rest on few patients: read their intervals, not their scores.",
        ),
        ("Software", f"Python {platform.python_version()}, {versions}"),
    ]


def search_note(search):
    """Say what a search tried and found."""
    best = ", ".join(f"{name}={value!r}" for name, value in search.best_params_.items())
    note = f"{type(search).__name__} among {len(search.cv_results_['params'])} settings"
    if hasattr(search, "best_score_"):
        note += f", with a score of {search.best_score_:.4f} on the beats it held out"
    return f"{note}: {best}."


def _steps(pipe):
    return pipe.steps if hasattr(pipe, "steps") else [("classifier", pipe)]


def aami_table(results, **interval):
    """Count ectopic beats by the rules of EC57, with intervals of the gross rates."""
    # Codes in the order of N S V F Q, which count faster than letters.
    place = np.array([CLASS_NAMES.index(name) for name in results.names])
    true, predicted = place[results.code], place[results.predicted_code]
    report = aami_report(true, predicted)
    rows = []
    for beat, name in (
        ("veb", "ventricular (VEB)"),
        ("sveb", "supraventricular (SVEB)"),
    ):
        row = [name]
        for count in ("tp", "fn", "fp"):
            row.append(report.gross[f"{beat}_{count}"])
        for rate in ("sensitivity", "positive_predictivity", "false_positive_rate"):
            metric = aami_figure(f"{beat}_{rate}")
            row.append(score_with_interval(metric, true, predicted, **interval))
        rows.append(row)
    columns = ["ectopic beats", "TP", "FN", "FP", "sensitivity"]
    columns += ["positive predictivity", "false positive rate"]
    j, jk = report.gross["j"], report.gross["jk"]
    note = (
        "Counted as WFDB's bxb does: a fusion or unclassifiable beat that is called "
        "ventricular is no false positive, nor is an unclassifiable one that is called "
        f"supraventricular. j = {_cell(j)['text']}, jk = {_cell(jk)['text']}, "
        f"kappa = {_cell(report.gross['kappa'])['text']}."
    )
    return _table("Ectopic beats, gross", columns, rows), note
