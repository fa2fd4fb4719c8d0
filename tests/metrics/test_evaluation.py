"""Every number about predictions against scikit-learn, bootstrap_ci and hand counts."""

import json

import numpy as np
import pandas as pd
import pytest
from imblearn.metrics import specificity_score
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.metrics import (
    Evaluation,
    aami_jk_score,
    aami_report,
    bootstrap_ci,
    expected_calibration_error,
)

from .test_aami import LETTERS, TABLE, beats_of

Y_TRUE, Y_PRED = beats_of(TABLE)
GROUPS = np.array([f"r{i % 7}" for i in range(len(Y_TRUE))])
FAST = {"n_resamples": 40}


def test_numbers_are_those_of_scikit_learn():
    found = Evaluation.from_predictions(Y_TRUE, Y_PRED, GROUPS, n_resamples=0)
    np.testing.assert_array_equal(
        found.confusion_matrix, confusion_matrix(Y_TRUE, Y_PRED)
    )
    assert found.accuracy == pytest.approx(accuracy_score(Y_TRUE, Y_PRED))
    assert found.macro_f1 == pytest.approx(f1_score(Y_TRUE, Y_PRED, average="macro"))
    expected = precision_recall_fscore_support(Y_TRUE, Y_PRED)
    columns = ["precision", "recall", "f1-score", "support"]
    np.testing.assert_allclose(found.classes[columns].T, expected)
    expected = specificity_score(Y_TRUE, Y_PRED, average=None)
    np.testing.assert_allclose(found.classes["specificity"], expected)
    assert found.ec57.gross == aami_report(Y_TRUE, Y_PRED).gross
    here = GROUPS == "r3"
    record = found.records.loc["r3"]
    assert record["beats"] == here.sum()
    assert record["accuracy"] == np.mean(Y_TRUE[here] == Y_PRED[here])
    assert record["V recall"] == pytest.approx(
        recall_score(Y_TRUE[here], Y_PRED[here], labels=[2], average="macro")
    )
    assert found.intervals["low"].isna().all()
    assert "intervals" not in found.to_dict()


def aami_figure(name):
    return lambda y_true, y_pred: aami_report(y_true, y_pred).gross[name]


@pytest.mark.parametrize("groups", [GROUPS, None])
@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("accuracy", accuracy_score),
        ("macro-F1", lambda t, p: f1_score(t, p, average="macro")),
        ("V f1-score", lambda t, p: f1_score(t, p, labels=[2], average="macro")),
        ("VEB +P", aami_figure("veb_positive_predictivity")),
        ("SVEB Se", aami_figure("sveb_sensitivity")),
        ("jk", lambda t, p: aami_jk_score(t, p, zero_division=np.nan)),
    ],
)
def test_intervals_are_those_of_the_bootstrap(name, metric, groups):
    found = Evaluation.from_predictions(Y_TRUE, Y_PRED, groups, **FAST)
    slow = bootstrap_ci(metric, Y_TRUE, Y_PRED, groups=groups, random_state=0, **FAST)
    assert found.unit == slow.unit
    expected = slow.estimate, slow.low, slow.high
    np.testing.assert_allclose(found.intervals.loc[name], expected, rtol=1e-12)


def test_chunks_of_resamples_do_not_show(monkeypatch):
    whole = Evaluation.from_predictions(Y_TRUE, Y_PRED, GROUPS, **FAST)
    monkeypatch.setattr("ecg_sklearn.metrics._bootstrap._CHUNK_DRAWN", 25)
    parts = Evaluation.from_predictions(Y_TRUE, Y_PRED, GROUPS, **FAST)
    pd.testing.assert_frame_equal(whole.intervals, parts.intervals)


@pytest.mark.parametrize(
    "form",
    [lambda y: y.astype(float), lambda y: LETTERS[y], lambda y: pd.Series(LETTERS[y])],
)
def test_labels_mean_the_five_classes(form):
    expected = Evaluation.from_predictions(Y_TRUE, Y_PRED, **FAST)
    labels = np.unique(form(np.arange(5)))  # letters in alphabetical order
    for true, predicted in (
        (form(Y_TRUE), form(Y_PRED)), (Y_TRUE, form(Y_PRED)), (form(Y_TRUE), Y_PRED)
    ):  # fmt: skip
        found = Evaluation.from_predictions(true, predicted, labels=labels, **FAST)
        assert found.names == CLASS_NAMES
        assert found.to_dict() == expected.to_dict()


def test_text_that_reads_as_a_number_has_no_name():
    with pytest.raises(ValueError, match="The label '0' is text, and target_names="):
        Evaluation.from_predictions([0, 1], ["1", "0"], target_names="NS", **FAST)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "target_names", "names"),
    [
        (["wide", "narrow"], ["wide", "wide"], None, ("narrow", "wide")),
        ([10, 9], [10, 10], None, ("9", "10")),
        ([10.0, 9.5], [10.0, 10.0], None, ("9.5", "10.0")),
        ([7, 0], [7.0, 7.0], None, ("0", "7")),
        ([True, False], [True, True], None, ("False", "True")),
        ([1, 0], [1.0, 1], ["normal", "infarction"], ("normal", "infarction")),
        (["N", "x"], ["N", "N"], None, ("N", "x")),
    ],
)
def test_other_labels_are_reported_as_they_are(y_true, y_pred, target_names, names):
    found = Evaluation.from_predictions(
        y_true, y_pred, target_names=target_names, **FAST
    )
    assert found.names == names
    assert found.accuracy == 0.5
    assert found.ec57 is None
    assert "ec57" not in found.to_dict()
    assert names[-1] in str(found)
    assert "VEB" not in str(found)


def test_classes_without_beats():
    found = Evaluation.from_predictions(
        [0, 0, 2], [0, 3, 3], labels=range(5), groups=["a", "a", "b"], **FAST
    )
    nan = np.nan
    np.testing.assert_array_equal(found.classes["recall"], [0.5, nan, 0, nan, nan])
    np.testing.assert_array_equal(found.classes["precision"], [1, nan, nan, 0, nan])
    assert found.macro_f1 == pytest.approx(2 / 9)
    assert found.to_dict()["classes"]["S"]["recall"] is None
    json.dumps(found.to_dict(), allow_nan=False)
    assert "-" in str(found).splitlines()[4]
    one = Evaluation.from_predictions([0, 2], [0, 2], groups=["a", "a"], **FAST)
    assert one.intervals["low"].isna().all()  # over one record there is none


def test_the_printout():
    text = str(Evaluation.from_predictions(Y_TRUE, Y_PRED, GROUPS, **FAST))
    assert text.startswith("268 beats, accuracy 0.6940, macro-F1 ")
    assert "V     0.6329  0.7143    0.6711       70" in text
    assert "ANSI/AAMI EC57" in text
    assert "95 % intervals, 40 resamples of records\naccuracy  0.6940 (" in text
    assert "V recall" not in text


def test_calibration_error_by_hand():
    # Three beats at 0.95, all right; one at 0.55, wrong: (3 * 0.05 + 0.55) / 4.
    proba = [[0.95, 0.05], [0.95, 0.05], [0.05, 0.95], [0.55, 0.45]]
    error = expected_calibration_error([0, 0, 1, 1], proba, labels=[0, 1])
    assert error == pytest.approx(0.175)
    found = Evaluation.from_predictions(
        list("VVNN"), list("VVNV"), labels=["V", "N"], y_proba=proba, **FAST
    )
    assert found.calibration_error == found.to_dict()["calibration_error"] == error


def test_calibration_of_a_calibrated_and_of_a_sure_classifier():
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([0.3] * 5, 20_000)
    y = (rng.random((20_000, 1)) > proba.cumsum(axis=1)).sum(axis=1).clip(max=4)
    assert expected_calibration_error(y, proba, labels=range(5)) < 0.02
    sure = np.eye(5)[proba.argmax(axis=1)]
    error = expected_calibration_error(y, sure, labels=range(5))
    assert error == pytest.approx(1 - (proba.argmax(axis=1) == y).mean())


@pytest.mark.parametrize(
    ("y", "proba", "message"),
    [
        ([0, 1], [[0.5, 0.5]], r"shape \(1, 2\); 2 beats and 2 classes need \(2, 2\)"),
        ([0], [[0.2, 0.3, 0.5]], r"need \(1, 2\)"),
        ([0], [[-2.0, 3.0]], "goes from -2 to 3"),
        ([0], [[np.nan, 0.5]], "from nan"),
        ([0, 1], [[0.5, 0.5], [1.0, 1.0]], "of beat 1 add up to 2, not to 1"),
        ([7], [[0.5, 0.5]], r"holds \[7\], not among the labels \[0, 1\]"),
    ],
)
def test_probabilities_that_are_none(y, proba, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(y, proba, labels=[0, 1])
    with pytest.raises(ValueError, match="n_bins=0 must be an int of 1 or more"):
        expected_calibration_error([0], [[0.5, 0.5]], labels=[0, 1], n_bins=0)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (([0, 1], [0]), {}, "y_pred has 1 values, but y_true has 2"),
        (([], []), {}, "y_true holds no beats"),
        (([[0, 1]], [0, 1]), {}, r"y_true has shape \(1, 2\). Give one value"),
        (([0, 1], [0, 1], ["a"]), {}, "groups has 1 values"),
        (([0, 7], [0, 1]), {"labels": [0, 1]}, r"holds \['7'\], not among the labels"),
        (([0, 1], [0, 1]), {"labels": [0, 0, 1]}, "must name each class once"),
        (([0, 1], [0, 1]), {"n_resamples": -1}, "n_resamples=-1 must be an int"),
    ],
)
def test_errors_say_what_to_do(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        Evaluation.from_predictions(*args, **kwargs)


def test_labels_of_different_types():
    found = Evaluation.from_predictions([b"N", b"N"], [0, 1], n_resamples=0)
    assert found.accuracy == 0.0
