"""EC57 reports against tables counted by hand, and scorers in searches."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.naive_bayes import GaussianNB

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.metrics import aami_jk_score, aami_report, get_aami_scorers

# Every cell has a count of its own, so that none can stand in for another.
TABLE = np.array([
    [100, 7, 5, 3, 2],
    [4, 20, 6, 1, 3],
    [8, 2, 50, 9, 1],
    [2, 3, 11, 6, 1],
    [1, 4, 7, 2, 10],
])  # fmt: skip
# Counted by hand: Nv + Sv = 5 + 6; Fv + Qv = 18 beats of 268 count as nothing.
BY_HAND = {
    "n_beats": 268,
    "accuracy": Fraction(186, 268),
    "kappa": Fraction(186 * 268 - 21100, 268**2 - 21100),
    "veb_tp": 50,
    "veb_fn": 8 + 2 + 9 + 1,
    "veb_fp": 5 + 6,
    "veb_tn": 112 + 28 + 12 + 17,
    "veb_sensitivity": Fraction(50, 70),
    "veb_positive_predictivity": Fraction(50, 61),
    "veb_false_positive_rate": Fraction(11, 180),
    "veb_accuracy": Fraction(219, 250),
    # Ns + Vs + Fs = 7 + 2 + 3; Qs = 4 beats count as nothing.
    "sveb_tp": 20,
    "sveb_fn": 4 + 6 + 1 + 3,
    "sveb_fp": 7 + 2 + 3,
    "sveb_tn": 110 + 68 + 20 + 20,
    "sveb_sensitivity": Fraction(20, 34),
    "sveb_positive_predictivity": Fraction(20, 32),
    "sveb_false_positive_rate": Fraction(12, 230),
    "sveb_accuracy": Fraction(238, 264),
}
BY_HAND["j"] = Fraction(50, 70) + Fraction(50, 61) + Fraction(20, 34) + Fraction(20, 32)
BY_HAND["jk"] = BY_HAND["kappa"] / 2 + BY_HAND["j"] / 8
LETTERS = np.array(CLASS_NAMES)


def beats_of(table):
    """True and predicted labels that a confusion matrix counts."""
    cells = np.repeat(np.arange(table.size), table.ravel())
    return np.divmod(np.random.default_rng(0).permutation(cells), len(table))


def assert_figures(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=1e-12), name


# aami_report


def test_ec57_by_hand():
    report = aami_report(*beats_of(TABLE))
    assert_figures(report.gross, BY_HAND)
    np.testing.assert_array_equal(report.confusion_matrix, TABLE)
    assert report.records == {}
    assert report.average == {}


def test_target_names_say_what_integers_stand_for():
    y_true, y_pred = beats_of(TABLE)
    place = np.array([4, 2, 0, 1, 3])
    report = aami_report(place[y_true], place[y_pred], target_names="VFSQN")
    np.testing.assert_array_equal(report.confusion_matrix, TABLE)
    four = aami_report([0, 1, 2], [0, 1, 1], target_names=["N", "V", "F"])
    assert four.gross["veb_positive_predictivity"] == 1.0


@pytest.mark.parametrize(
    ("true", "called", "beat", "counts_as"),
    [
        ("V", "V", "veb", "tp"),
        ("N", "V", "veb", "fp"),
        ("S", "V", "veb", "fp"),
        ("F", "V", "veb", None),
        ("Q", "V", "veb", None),
        ("V", "F", "veb", "fn"),
        ("V", "Q", "veb", "fn"),
        ("F", "N", "veb", "tn"),
        ("S", "S", "sveb", "tp"),
        ("N", "S", "sveb", "fp"),
        ("V", "S", "sveb", "fp"),
        ("F", "S", "sveb", "fp"),
        ("Q", "S", "sveb", None),
        ("S", "V", "sveb", "fn"),
        ("V", "V", "sveb", "tn"),
        ("Q", "V", "sveb", "tn"),
    ],
)
def test_one_more_beat_by_the_rules_of_bxb(true, called, beat, counts_as):
    y_true, y_pred = (LETTERS[y] for y in beats_of(TABLE))
    before = aami_report(y_true, y_pred).gross
    after = aami_report([*y_true, true], [*y_pred, called]).gross
    for count in ("tp", "fn", "fp", "tn"):
        grown = after[f"{beat}_{count}"] - before[f"{beat}_{count}"]
        assert grown == (count == counts_as)
    if counts_as is None:
        rate = f"{beat}_positive_predictivity"
        assert after[rate] == before[rate]
    assert after["n_beats"] == before["n_beats"] + 1


def test_records_add_up_to_gross():
    y_true, y_pred = beats_of(TABLE)
    groups = np.random.default_rng(1).choice(["203", "100", "208"], len(y_true))
    report = aami_report(y_true, y_pred, groups)
    assert list(report.records) == ["100", "203", "208"]
    assert_figures(report.gross, BY_HAND)
    for name, figures in report.records.items():
        here = groups == name
        assert_figures(figures, aami_report(y_true[here], y_pred[here]).gross)
    for count in ("n_beats", "veb_tp", "veb_fp", "sveb_fn", "sveb_tn"):
        assert sum(f[count] for f in report.records.values()) == BY_HAND[count]


def test_average_is_over_the_records_where_a_rate_is_defined():
    y_true, y_pred = list("NNVVNN"), list("NVVVNN")
    average = aami_report(y_true, y_pred, list("aabbcc")).average
    assert average["veb_sensitivity"] == 1.0  # in b alone
    assert average["veb_positive_predictivity"] == 0.5  # 0 in a, 1 in b, none in c
    assert average["veb_false_positive_rate"] == 0.25  # 1/2 in a, 0 in c, none in b
    assert math.isnan(average["sveb_sensitivity"])


def test_the_learning_period_is_left_out():
    y_true, y_pred = list("VVVVNN"), list("VNVVNV")
    time = [0.0, 299.9, 300.0, 310.0, 10.0, 400.0]
    report = aami_report(y_true, y_pred, list("aaaabb"), time=time, skip_first=300.0)
    assert report.gross["n_beats"] == 3
    assert report.gross["veb_tp"] == 2  # the beat at 300.0 s counts
    assert report.gross["veb_fn"] == 0
    assert report.records["b"]["veb_fp"] == 1
    assert report.skip_first == 300.0
    assert "first 300 s of each record left out" in str(report)
    everything = aami_report(y_true, y_pred, time=time)
    assert everything.gross["n_beats"] == 6


def test_what_is_not_defined_is_nan_and_a_dash():
    report = aami_report(list("NNN"), list("NNN"), ["r1"] * 3)
    gross = report.gross
    for name in ("sensitivity", "positive_predictivity"):
        assert math.isnan(gross[f"veb_{name}"])
        assert math.isnan(gross[f"sveb_{name}"])
    assert gross["veb_false_positive_rate"] == 0.0
    assert gross["veb_accuracy"] == 1.0
    for name in ("kappa", "j", "jk"):
        assert math.isnan(gross[name])
    row = ["3", "0", "-", "-", "0.000", "100.00", "0", "-", "-", "0.000", "100.00"]
    assert str(report).splitlines()[3].split() == ["r1", *row, "-", "-"]
    found = report.to_dict()
    assert found["gross"]["j"] is None
    json.dumps(found, allow_nan=False)


def test_the_table_that_engineers_know():
    y_true, y_pred = beats_of(TABLE)
    groups = np.where(np.arange(len(y_true)) < 100, 100, 201)
    report = aami_report(y_true, y_pred, groups)
    lines = str(report).splitlines()
    assert lines[0].endswith("268 beats of 2 records. Rates in %.")
    assert lines[2].split()[:7] == ["Record", "Beats", "n", "Se", "+P", "FPR", "Acc"]
    assert [line.split()[0] for line in lines[3:7]] == [
        "100",
        "201",
        "Gross",
        "Average",
    ]
    assert lines[5].split() == [
        "Gross", "268",
        "70", "71.43", "81.97", "6.111", "87.60",
        "34", "58.82", "62.50", "5.217", "90.15",
        "2.747", "0.627",
    ]  # fmt: skip
    assert lines[-5].split() == ["N", "100", "7", "5", "3", "2"]
    # Columns stand below their heads.
    assert lines[2].index("jk") + 2 == len(lines[3]) == len(lines[5])
    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert_figures(found["gross"], BY_HAND)
    assert set(found["records"]) == {"100", "201"}
    assert found["confusion_matrix"] == TABLE.tolist()
    frame = report.to_frame()
    assert list(frame.index) == [100, 201, "gross"]
    assert_figures(frame.loc["gross"].to_dict(), BY_HAND)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (([0, 1], [0]), {}, "y_pred has 1 values, but y_true has 2"),
        (([0, 1], [0, 1], ["a"]), {}, "groups has 1 values, but y_true has 2"),
        (([0, 1], [0, 1]), {"time": [1.0]}, "time has 1 values, but y_true has 2"),
        (([0, 5], [0, 1]), {}, "y_true holds the label 5. Use integers 0 to 4"),
        (([0, 1], [0, -1]), {}, "y_pred holds the label -1"),
        (([0, 1], [0, 0.5]), {}, "y_pred holds the label 0.5"),
        ((["N", "A"], ["N", "N"]), {}, "y_true holds the label 'A'"),
        ((["N", "n"], ["N", "N"]), {}, "N S V F Q, or these letters"),
        (([True, False], [0, 1]), {}, "y_true holds the label True"),
        (([0, 3], [0, 1]), {"target_names": "NSV"}, "Use integers 0 to 2 for N S V"),
        (([0, 1], [0, 1]), {"target_names": ["N", "X"]}, "must hold letters of"),
        (([0, 1], [0, 1]), {"target_names": "NN"}, "each at most once"),
        (([0, 1], [0, 1]), {"skip_first": 300.0}, "Give time: seconds since"),
        (([0, 1], [0, 1]), {"skip_first": -1}, "skip_first=-1 must be 0 s or more"),
        (
            ([0, 1], [0, 1]),
            {"skip_first": 300.0, "time": [1.0, 2.5]},
            "leaves no beats: the last one is at 2.5 s",
        ),
        (
            ([0, 1], [0, 1]),
            {"skip_first": 1.0, "time": [1.0, np.nan]},
            "time holds values that are not numbers",
        ),
    ],
)
def test_errors_of_aami_report_say_what_to_do(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        aami_report(*args, **kwargs)
    with pytest.raises(ValueError, match=r"zero_division=0.5 must be 0.0, 1.0 or nan"):
        aami_jk_score([0], [0], zero_division=0.5)


# aami_jk_score, get_aami_scorers


@pytest.mark.parametrize(
    ("y_true", "y_pred", "zero_division", "expected"),
    [
        ("NNVV", "NNVV", 0.0, 1 / 2 + 2 / 8),  # no S: its two rates count 0
        ("NNVV", "NNVV", 1.0, 1.0),
        ("NNVV", "NNVV", np.nan, np.nan),
        # agreed 3 of 4; by chance (2*2 + 2*1) of 16
        ("NNVV", "NNVS", 1.0, (12 - 6) / (16 - 6) / 2 + (1 / 2 + 1 + 1 + 0) / 8),
        ("NNNN", "NNNN", 0.0, 0.0),
        ("NNNN", "NNNN", 1.0, 1.0),
        # S is there and never predicted: a number, and not left out
        ("NSVV", "NVVV", np.nan, 5 / 18 + 5 / 24),
        ("NSVV", "NVVV", 1.0, 5 / 18 + 5 / 24),
    ],
)
def test_jk_without_some_class(y_true, y_pred, zero_division, expected):
    found = aami_jk_score(list(y_true), list(y_pred), zero_division=zero_division)
    assert found == pytest.approx(expected, nan_ok=True)


def test_scorers_on_predictions():
    class Echo(ClassifierMixin, BaseEstimator):
        """Predicts what it is given."""

        classes_ = np.arange(5)

        def predict(self, X):
            return X

    y_true, y_pred = beats_of(TABLE)
    found = {
        name: scorer(Echo(), y_pred, y_true)
        for name, scorer in get_aami_scorers().items()
    }
    expected = {name: BY_HAND[name] for name in found if name != "macro_f1"}
    expected["macro_f1"] = f1_score(y_true, y_pred, average="macro")
    assert_figures(found, expected)
    assert len(found) == 6


@pytest.mark.parametrize("names", [np.arange(5), LETTERS])
def test_scorers_in_a_search_with_classes_missing_from_a_fold(beats, names):
    y = names[beats.target]
    # One fold of N alone, one without S and V, one of everything.
    fold = np.select([beats.target == 0, np.isin(beats.target, [3, 4])], [0, 1], 2)
    fold[::4] = 2
    folds = PredefinedSplit(fold)
    scorers = get_aami_scorers()
    search = GridSearchCV(
        GaussianNB(),
        {"var_smoothing": [1e3, 1e-2]},
        scoring=scorers,
        refit="jk",
        cv=folds,
        error_score="raise",
    ).fit(beats.data, y)
    for name in scorers:
        for split in range(3):
            assert np.isfinite(search.cv_results_[f"split{split}_test_{name}"]).all()
    assert search.best_params_ == {"var_smoothing": 1e-2}
