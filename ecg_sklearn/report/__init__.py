"""One self-contained HTML page about a fitted pipeline: :func:`make_report`.

The page needs no network and no other file. What comes from outside (titles, record
names, labels) is escaped by the template engine.
"""

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.report._figures import (
    confusion_figure,
    history_figure,
    mistake_figures,
    reliability_figure,
)
from ecg_sklearn.report._parts import (
    aami_table,
    card,
    class_name,
    class_table_and_bars,
    counts_table,
    diagram,
    interval_note,
    leakage,
    records_table,
    search_note,
    subtitle,
    tiles,
)
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._files import new_file

__all__ = ["make_report"]


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
    """Write a page that says how good a pipeline is, on which beats, and why.

    It holds the beats by class, a check for patients on both sides, the diagram of
    the pipeline, training curves, scores of each class with confidence intervals,
    confusion matrix, how far the probabilities can be trusted, the ANSI/AAMI EC57
    table, scores of each record, the most confident mistakes with what the network
    looked at, and a model card. Without a network there are no training curves, and
    the mistakes are explained by occlusion, or shown bare without a spectrogram.

    Parameters
    ----------
    pipe : Pipeline, classifier or search such as GridSearchCV
        Fitted, with ``predict_proba``, and labels 0 to 4 for N, S, V, F, Q, or those
        letters; other labels get no EC57 table. Of a search, the best pipeline.
    beats : Bunch
        Beats that it was not trained on, as the functions of
        :mod:`ecg_sklearn.datasets` return them: ``data``, ``target``, ``DESCR``, and
        ``groups`` where they are known.
    path : str or Path
        The HTML file to write. It is replaced if it exists.
    title : str, default="Heartbeat classification"
        Heading of the page.
    training_groups : array-like of str or None, default=None
        Records of the training beats, to look for patients on both sides.
    training_note : str or None, default=None
        What the pipeline was trained on, for the model card.
    n_mistakes : int, default=4
        How many mistakes to show.
    n_resamples : int, default=1000
        Bootstrap samples behind each confidence interval.
    random_state : int, RandomState instance or None, default=0
        Seed of the bootstrap.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the beats have no labels, or labels that the pipeline does not know; if
        the classifier has no ``predict_proba``; if a search was not refitted.
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
    import jinja2

    path = Path(path)
    pipe, chosen_by = _best(pipe)
    results = _predict(pipe, beats)
    interval = {
        "groups": results.groups,
        "n_resamples": n_resamples,
        "random_state": random_state,
    }
    content = {
        "title": title,
        "subtitle": subtitle(beats),
        "tiles": tiles(results, **interval),
        "interval_note": interval_note(results, n_resamples),
        "data_note": beats.DESCR.splitlines()[0] if beats.get("DESCR") else "",
        "counts": counts_table(results),
        "leakage": leakage(results.groups, training_groups),
        "history": history_figure(pipe),
        "diagram": diagram(pipe),
        "classes": None,
        "confusion": confusion_figure(results),
        "reliability": reliability_figure(results),
        "aami": None,
        "aami_note": "",
        "records": records_table(results),
        "card": card(pipe, beats, training_note, chosen_by),
    }
    content["mistakes"], content["mistakes_note"] = mistake_figures(
        pipe, beats, results, n_mistakes
    )
    content["classes"], content["bars"] = class_table_and_bars(results, **interval)
    if set(results.names) <= set(CLASS_NAMES):
        content["aami"], content["aami_note"] = aami_table(results, **interval)
    content["sections"] = [
        (key, name)
        for key, name, shown in (
            ("data", "Beats", True),
            ("pipeline", "Pipeline", True),
            ("training", "Training", content["history"]),
            ("classes", "Classes", True),
            ("ec57", "EC57", content["aami"]),
            ("records", "Records", content["records"]),
            ("mistakes", "Mistakes", True),
            ("card", "Model card", True),
        )
        if shown
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecg_sklearn.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("report.html.j2").render(content)
    with new_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path


def _best(pipe):
    """Take the best pipeline out of a search, and say how it was chosen."""
    check_is_fitted(pipe)
    chosen_by = None
    if hasattr(pipe, "cv_results_"):
        if not hasattr(pipe, "best_estimator_"):
            raise ValueError(
                f"{type(pipe).__name__} was fitted with refit=False and holds no "
                "pipeline. Fit it with refit=True, or give the pipeline."
            )
        chosen_by, pipe = search_note(pipe), pipe.best_estimator_
    if not hasattr(pipe, "predict_proba"):
        raise ValueError(
            f"{type(pipe).__name__} has no predict_proba, which a report needs. "
            "Calibrate its classifier with sklearn.calibration.CalibratedClassifierCV."
        )
    return pipe, chosen_by


def _predict(pipe, beats):
    """Predict once; name labels as the AAMI classes, where they are those."""
    if beats.get("target") is None:
        raise ValueError("The beats have no target. A report needs labelled beats.")
    target = np.asarray(beats.target)
    if unknown := set(np.unique(target).tolist()) - set(pipe.classes_.tolist()):
        raise ValueError(
            f"The beats have labels {sorted(unknown)} that the pipeline was not "
            f"trained on: {pipe.classes_.tolist()}. Leave these beats out."
        )
    probability = predict_beats(pipe, beats, "predict_proba")
    names = np.array([class_name(label) for label in pipe.classes_])
    code = np.searchsorted(pipe.classes_, target)
    groups = beats.get("groups")
    return Bunch(
        names=names.tolist(),
        code=code,
        predicted_code=probability.argmax(axis=1),
        true=names[code],
        predicted=names[probability.argmax(axis=1)],
        probability=probability,
        groups=None if groups is None else np.asarray(groups).astype(str),
    )
