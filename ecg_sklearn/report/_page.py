"""Tables and text of the report, and the function that writes it."""

import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch, estimator_html_repr
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.aami import CLASS_DESCRIPTIONS
from ecg_sklearn.metrics import Evaluation
from ecg_sklearn.metrics._labels import names_of_all
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.plotting._drawing import in_words
from ecg_sklearn.report._figures import (
    RATES,
    calibration_figure,
    class_bars,
    confusion_figure,
    history_figure,
    mistake_figures,
)
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file
from ecg_sklearn.utils._labels import choose_labels
from ecg_sklearn.utils._templates import templates_of

__all__ = ["make_report"]

_PACKAGES = ("ecg-sklearn", "scikit-learn", "keras", "numpy")


def make_report(
    pipe,
    beats,
    path,
    *,
    title="Heartbeat classification",
    training_groups=None,
    training_note=None,
    n_mistakes=4,
    n_resamples=1000,
    random_state=0,
):
    """Write an HTML report on a fitted pipeline.

    It contains the number of beats by class, a leakage check, the diagram of the
    pipeline, training curves, scores of each class with confidence intervals, confusion
    matrix, calibration, the ANSI/AAMI EC57 table, scores of each record, explained
    confident mistakes of different kinds and records, and a model card. Training curves
    need a network. Mistakes are explained by Grad-CAM for a network with convolutions,
    by occlusion for other pipelines with a spectrogram, and otherwise not.

    Parameters
    ----------
    pipe : Pipeline, classifier or search such as GridSearchCV
        Fitted, with ``predict_proba``. Labels may be 0 to 4 for N, S, V, F, Q, or
        these letters; other labels get no EC57 table. For a search, the best pipeline
        is used.
    beats : Bunch
        Test beats from a loader of :mod:`ecg_sklearn.datasets`: ``data``, ``target``,
        ``DESCR``, and ``groups`` if known. ``target_names`` names other classes than
        these five.
    path : str or Path
        The HTML file to write. It is replaced if it exists.
    title : str, default="Heartbeat classification"
        Heading of the page.
    training_groups : array-like of str or None, default=None
        Records of the training beats, for the leakage check.
    training_note : str or None, default=None
        Description of the training data, for the model card.
    n_mistakes : int, default=4
        Number of mistakes to show.
    n_resamples : int, default=1000
        Bootstrap resamples for each confidence interval.
    random_state : int, RandomState instance or None, default=0
        Seed of the bootstrap.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the beats have no labels or labels unknown to the pipeline, the classifier
        has no ``predict_proba``, or a search was not refitted.
    sklearn.exceptions.NotFittedError
        If the pipeline is not fitted.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from ecg_sklearn.report import make_report
    >>> make_report(pipe, test_beats, "report.html")  # doctest: +SKIP
    PosixPath('report.html')
    """
    path = Path(path)
    pipe, chosen_by = _best(pipe)
    results = _predict(pipe, beats, n_resamples, random_state)
    found = results.evaluation
    history, history_note = history_figure(pipe)
    mistakes, mistakes_note = mistake_figures(pipe, beats, results, n_mistakes)
    page = _render(
        title=title,
        n_beats=found.n_beats,
        n_records=None if found.records is None else len(found.records),
        evaluation=found,
        data_note=beats.DESCR.splitlines()[0] if beats.get("DESCR") else "",
        counts=_counts_table(found),
        leakage=leakage_note(training_groups, results.groups),
        diagram=estimator_html_repr(pipe),  # escapes the parameters that it shows
        history=history,
        history_note=history_note,
        classes=_class_table(found),
        bars=class_bars(found),
        confusion=confusion_figure(found),
        calibration=calibration_figure(results),
        ec57=_ec57_table(found),
        records=_records_table(found),
        mistakes=mistakes,
        mistakes_note=mistakes_note,
        card=_card(pipe, results, beats, training_note, chosen_by),
    )
    with new_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def _render(**content):
    environment = templates_of("ecg_sklearn.report")
    environment.filters["html"] = _html
    return environment.get_template("report.html.j2").render(content)


def _best(pipe):
    """Get the best pipeline of a search, and describe the search."""
    check_is_fitted(pipe)
    chosen_by = None
    if hasattr(pipe, "cv_results_"):
        if not hasattr(pipe, "best_estimator_"):
            raise ValueError(
                f"{type(pipe).__name__} was fitted with refit=False and holds no "
                "pipeline. Fit it with refit=True, or give the pipeline."
            )
        chosen_by, pipe = _search_note(pipe), pipe.best_estimator_
    if not hasattr(pipe, "predict_proba"):
        raise ValueError(
            f"{type(pipe).__name__} has no predict_proba, which a report needs. "
            "Calibrate its classifier with sklearn.calibration.CalibratedClassifierCV."
        )
    return pipe, chosen_by


def _predict(pipe, beats, n_resamples, random_state):
    """Predict once, and compute all scores."""
    if beats.get("target") is None:
        raise ValueError("The beats have no target. A report needs labelled beats.")
    target, target_names = np.asarray(beats.target), beats.get("target_names")
    labels, place = np.unique(target, return_inverse=True)
    names, true_names = map(
        np.array, names_of_all([pipe.classes_, labels], target_names)
    )
    groups = beats.get("groups")
    found = Bunch(
        names=names,
        true=true_names[place],
        probability=predict_beats(pipe, beats, "predict_proba"),
        groups=None if groups is None else np.asarray(groups).astype(str),
    )
    found.predicted = names[choose_labels(pipe, found.probability)]
    found.evaluation = Evaluation.from_predictions(
        found.true,
        found.predicted,
        found.groups,
        names,
        y_proba=found.probability,
        n_resamples=n_resamples,
        random_state=random_state,
    )
    return found


def _with_interval(row):
    """Format a rate and its interval."""
    rate, low, high = row
    if np.isnan(rate):
        return "–"
    return f"{rate:.3f}" + ("" if np.isnan(low) else f" ({low:.2f} to {high:.2f})")


def _counts_table(found):
    """Count the beats of each class, with class names in words."""
    support = found.classes["support"]
    table = pd.DataFrame({"beats": support, "fraction": support / found.n_beats})
    if found.records is not None:
        table["records"] = [
            (found.records[f"{n} beats"] > 0).sum() for n in found.names
        ]
    words = [f"{n}: {CLASS_DESCRIPTIONS.get(n, '')}".rstrip(": ") for n in found.names]
    return table.set_axis(words).rename_axis("class")


def _class_table(found):
    """Scores of each class with intervals."""
    table = found.classes[["support"]].rename(columns={"support": "beats"})
    table = table.set_axis(in_words(found.names)).rename_axis("class")
    for rate, shown in RATES.items():
        rows = found.intervals.loc[[f"{name} {rate}" for name in found.names]]
        table[shown] = [_with_interval(row) for row in rows.to_numpy()]
    return table


def _ec57_table(found):
    """Gross EC57 figures with intervals, if labels are AAMI classes."""
    if found.ec57 is None:
        return None
    rows = {}
    for beat, name in (("VEB", "ventricular"), ("SVEB", "supraventricular")):
        counts = [found.ec57.gross[f"{beat}_{c}".lower()] for c in ("tp", "fn", "fp")]
        rates = found.intervals.loc[[f"{beat} {rate}" for rate in ("Se", "+P", "FPR")]]
        shown = [_with_interval(row) for row in rates.to_numpy()]
        rows[f"{name} ({beat})"] = [*counts, *shown]
    columns = ["TP", "FN", "FP", "sensitivity", "positive predictivity"]
    columns.append("false positive rate")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("ectopic beats")


def _records_table(found):
    """Scores of each record, the least accurate first."""
    if found.records is None:
        return None
    table = found.records.sort_values("accuracy", kind="stable")
    accuracy = table[["accuracy", "low", "high"]].to_numpy()
    table = table.assign(accuracy=[_with_interval(row) for row in accuracy])
    return table.drop(columns=["low", "high"])


def _html(table):
    """Convert a table to escaped HTML."""
    counts = table.select_dtypes("integer").columns
    return table.reset_index().to_html(
        index=False,
        border=0,
        classes="sortable",
        na_rep="–",
        float_format="{:.3f}".format,
        formatters=dict.fromkeys(counts, "{:,}".format),
    )


def _card(pipe, results, beats, training_note, chosen_by):
    """Collect the content of the model card."""
    steps = [step for _, step in pipe.steps] if hasattr(pipe, "steps") else [pipe]
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return {
        "model": " → ".join(type(step).__name__ for step in steps),
        "chosen_by": chosen_by,
        "classes": ", ".join(in_words(results.names)),
        "trained_on": training_note or "Not stated.",
        "tested_on": beats.get("DESCR") or "Not stated.",
        "software": f"Python {platform.python_version()}, {versions}",
    }


def _search_note(search):
    """Describe a search and its result."""
    best = ", ".join(f"{name}={value!r}" for name, value in search.best_params_.items())
    note = f"{type(search).__name__} among {len(search.cv_results_['params'])} settings"
    if hasattr(search, "best_score_"):
        note += f", with a score of {search.best_score_:.4f} on the beats it held out"
    return f"{note}: {best}."
