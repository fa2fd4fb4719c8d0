"""The report by class against a table counted by hand and against scikit-learn."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
)

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.metrics import class_report

from .test_aami import TABLE, beats_of


def test_classes_by_hand():
    # true N 4: 3 as N, 1 as V; true S 2: both as N; true V 3: 1 as S, 2 as V
    y_true = list("NNNNSSVVV")
    y_pred = list("NNNVNNSVV")
    report = class_report(y_true, y_pred, labels=["N", "S", "V"])
    np.testing.assert_array_equal(
        report.confusion_matrix, [[3, 0, 1], [2, 0, 0], [0, 1, 2]]
    )
    np.testing.assert_array_equal(report.support, [4, 2, 3])
    np.testing.assert_allclose(report.sensitivity, [3 / 4, 0, 2 / 3])
    np.testing.assert_allclose(report.positive_predictivity, [3 / 5, 0, 2 / 3])
    np.testing.assert_allclose(report.false_positive_rate, [2 / 5, 1 / 7, 1 / 6])
    np.testing.assert_allclose(report.f1, [2 / 3, 0, 2 / 3])
    assert report.accuracy == pytest.approx(5 / 9)
    assert report.balanced_accuracy == pytest.approx((3 / 4 + 2 / 3) / 3)
    assert report.macro_f1 == pytest.approx(4 / 9)
    # chance: (4*5 + 2*1 + 3*3) / 81 = 31 / 81
    assert report.kappa == pytest.approx((45 - 31) / (81 - 31))
    # (45 - 31) / sqrt((81 - 25 - 1 - 9) (81 - 16 - 4 - 9))
    assert report.mcc == pytest.approx(14 / math.sqrt(46 * 52))


@settings(max_examples=100, deadline=None)
@given(arrays(np.int64, (4, 4), elements=st.integers(0, 6)))
def test_classes_equal_to_scikit_learn(table):
    table[0, 0] += 1
    table[1, 2] += 1  # two classes at least on either side
    y_true, y_pred = beats_of(table)
    report = class_report(y_true, y_pred)
    assert report.accuracy == pytest.approx(accuracy_score(y_true, y_pred))
    assert report.kappa == pytest.approx(cohen_kappa_score(y_true, y_pred))
    assert report.mcc == pytest.approx(matthews_corrcoef(y_true, y_pred))
    assert report.macro_f1 == pytest.approx(f1_score(y_true, y_pred, average="macro"))
    if set(y_pred) <= set(y_true):  # it warns otherwise
        expected = balanced_accuracy_score(y_true, y_pred)
        assert report.balanced_accuracy == pytest.approx(expected)


def test_a_class_without_beats_is_nan_and_a_dash():
    report = class_report([0, 0, 2], [0, 3, 3], target_names=CLASS_NAMES)
    assert report.labels == (0, 1, 2, 3, 4)
    np.testing.assert_array_equal(report.sensitivity, [0.5, np.nan, 0, np.nan, np.nan])
    np.testing.assert_array_equal(
        report.positive_predictivity, [1, np.nan, np.nan, 0, np.nan]
    )
    np.testing.assert_allclose(report.f1, [2 / 3, np.nan, 0, 0, np.nan])
    np.testing.assert_allclose(report.false_positive_rate, [0, 0, 0, 2 / 3, 0])
    assert report.balanced_accuracy == 0.25
    assert report.macro_f1 == pytest.approx(2 / 9)
    lines = str(report).splitlines()
    assert lines[2].split() == ["S", "0", "-", "-", "0.0000", "-"]
    assert lines[4].split() == ["F", "0", "-", "0.0000", "0.6667", "0.0000"]


@pytest.mark.parametrize(
    ("y_pred", "kappa", "mcc"), [([1, 1, 1], "nan", "nan"), ([1, 0, 1], 0.0, "nan")]
)
def test_one_true_class_alone(y_pred, kappa, mcc):
    report = class_report([1, 1, 1], y_pred)
    assert report.kappa == pytest.approx(float(kappa), nan_ok=True)
    assert report.mcc == pytest.approx(float(mcc), nan_ok=True)
    assert report.accuracy == np.mean(np.array(y_pred) == 1)
    assert report.false_positive_rate[-1] == pytest.approx(np.nan, nan_ok=True)


def test_one_predicted_class_alone():
    report = class_report([0, 0, 0, 1], [0, 0, 0, 0])
    assert report.kappa == 0.0
    assert math.isnan(report.mcc)


def test_class_report_as_dict_and_frame():
    y_true, y_pred = beats_of(TABLE)
    report = class_report(y_true, y_pred, target_names=CLASS_NAMES)
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert found["confusion_matrix"] == TABLE.tolist()
    assert found["classes"]["V"]["label"] == 2
    assert found["classes"]["V"]["support"] == 70
    assert found["classes"]["V"]["sensitivity"] == 50 / 70
    assert found["kappa"] == report.kappa
    frame = report.to_frame()
    assert list(frame.index) == list(CLASS_NAMES)
    assert frame.loc["V", "false_positive_rate"] == 29 / 198
    gone = class_report([0, 0], [0, 0], labels=[0, 1]).to_dict()
    assert gone["classes"]["1"]["sensitivity"] is None
    assert gone["kappa"] is None
    json.dumps(gone, allow_nan=False)


def test_order_and_names_of_classes():
    report = class_report(list("NVN"), list("NVV"), labels=["V", "N"])
    np.testing.assert_array_equal(report.confusion_matrix, [[1, 0], [1, 1]])
    assert report.target_names == ("V", "N")
    named = class_report(list("NVN"), list("NVV"), target_names=["normal", "ectopic"])
    assert named.target_names == ("normal", "ectopic")
    assert "ectopic  " in str(named)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (([0, 1], [0]), {}, "y_pred has 1 values, but y_true has 2"),
        (([], []), {}, "y_true holds no beats"),
        (([[0, 1]], [0, 1]), {}, r"y_true has shape \(1, 2\). Give one value"),
        (([0, 7], [0, 1]), {"labels": [0, 1]}, r"holds \[7\], not among the labels"),
        (([0, 1], [0, 9]), {"target_names": "NS"}, r"holds \[9\], not among"),
        (([0, 1], [0, 1]), {"labels": [0, 0, 1]}, "names each class once"),
        (
            ([0, 1], [0, 1]),
            {"labels": [0, 1], "target_names": ["N"]},
            "one name for each of the 2 labels",
        ),
        (([0, 1], [0, 1]), {"target_names": ["N", "N"]}, "all different"),
    ],
)
def test_errors_of_class_report_say_what_to_do(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        class_report(*args, **kwargs)
