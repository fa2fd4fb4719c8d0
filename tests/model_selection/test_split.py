"""Splits by record: nobody on both sides, by hand, by property and in searches."""

import re

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB

from ecg_sklearn.aami import DS1, DS2, MITBIH_RECORDS
from ecg_sklearn.model_selection import (
    InterPatientSplit,
    check_no_leakage,
    record_train_test_split,
    subject_of,
)
from ecg_sklearn.model_selection._leakage import leakage_note

GROUPS = np.array(["100", "101", "101", "102", "103", "201", "202"])


@st.composite
def recordings(draw):
    """Records and classes of some beats, two records at least."""
    n_beats = draw(st.integers(2, 120))
    names = draw(
        st.lists(st.sampled_from(MITBIH_RECORDS), min_size=n_beats, max_size=n_beats)
    )
    assume(len(set(names)) > 1)
    classes = draw(st.lists(st.integers(0, 4), min_size=n_beats, max_size=n_beats))
    return np.array(names), np.array(classes)


def places(groups, **kwargs):
    """Places of the training and of the test beats."""
    return record_train_test_split(np.arange(len(groups)), groups=groups, **kwargs)[:2]


@pytest.fixture
def sim_split(beats):
    """The first five simulated records to train on, the others to test on."""
    records = np.unique(beats.groups).tolist()
    return InterPatientSplit(train_records=records[:5], test_records=records[5:])


# InterPatientSplit ------------------------------------------------------------------


def test_one_split_of_ds1_and_ds2_in_order():
    splitter = InterPatientSplit()
    assert splitter.get_n_splits() == 1
    [(train, test)] = splitter.split(np.zeros((7, 2)), groups=GROUPS)
    assert train.tolist() == [1, 2, 5]
    assert test.tolist() == [0, 4, 6]  # 102 is paced and on neither side
    numbers = pd.Series(GROUPS.astype(int))
    [(train_again, test_again)] = splitter.split(numbers, groups=numbers)
    np.testing.assert_array_equal(train_again, train)
    np.testing.assert_array_equal(test_again, test)


def test_in_a_search_with_and_without_metadata_routing(beats, sim_split):
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1.0]}, cv=sim_split)
    plain = clone(search).fit(beats.data, beats.target, groups=beats.groups)
    assert plain.n_splits_ == 1
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(search).fit(beats.data, beats.target, groups=beats.groups)
        [score] = cross_val_score(
            plain.best_estimator_,
            beats.data,
            beats.target,
            params={"groups": beats.groups},
            cv=sim_split,
        )
    np.testing.assert_array_equal(
        plain.cv_results_["mean_test_score"], routed.cv_results_["mean_test_score"]
    )
    assert score == plain.best_score_


def test_without_groups_nothing_is_split(beats, sim_split):
    message = "InterPatientSplit needs groups, the record of each beat, and got None"
    with pytest.raises(ValueError, match=message):
        next(sim_split.split(beats.data, beats.target))
    with pytest.raises(ValueError, match=message):
        cross_validate(GaussianNB(), beats.data, beats.target, cv=sim_split)


@pytest.mark.parametrize(
    ("groups", "params", "message"),
    [
        (
            ["100", "103"],
            {},
            r"none of the 22 train_records .* hold '100', '103'. Give",
        ),
        (["101", "102"], {}, "none of the 22 test_records"),
        ([], {}, "groups is empty"),
        ([["100"] * 2] * 2, {}, r"groups has shape \(2, 2\). Give one value for each"),
        (
            GROUPS,
            {"train_records": ["100", "101"], "test_records": ["101"]},
            "share '101'. Name each record in one",
        ),
    ],
)
def test_faults_of_groups_and_lists(groups, params, message):
    with pytest.raises(ValueError, match=message):
        next(InterPatientSplit(**params).split(np.zeros(len(groups)), groups=groups))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(InterPatientSplit().split(np.zeros(3), groups=GROUPS))


@pytest.mark.mitbih
def test_ds1_and_ds2_of_the_real_records(mitbih_home):
    from ecg_sklearn.datasets import fetch_mitbih

    def load(subset):
        return fetch_mitbih(
            data_home=mitbih_home, subset=subset, download_if_missing=False
        )

    whole = load("all")
    [(train, test)] = InterPatientSplit().split(whole.data, groups=whole.groups)
    for places_of_side, subset in ((train, "ds1"), (test, "ds2")):
        side = load(subset)
        np.testing.assert_array_equal(whole.data[places_of_side], side.data)
        np.testing.assert_array_equal(whole.target[places_of_side], side.target)
    report = check_no_leakage(whole.groups[train], whole.groups[test], on_leak="return")
    assert report.subjects == {"201/202": (["201"], ["202"])}


# record_train_test_split ------------------------------------------------------------


def test_all_kinds_of_arrays_are_split_alike(beats):
    table = pd.DataFrame(beats.data)
    groups = pd.Series(beats.groups)
    parts = record_train_test_split(
        beats.data, table, beats.target.tolist(), groups=groups, random_state=0
    )
    X_train, X_test, table_train, table_test, y_train, y_test = parts[:6]
    groups_train, groups_test = parts[6:]
    np.testing.assert_array_equal(table_train.to_numpy(), X_train)
    np.testing.assert_array_equal(table_test.to_numpy(), X_test)
    np.testing.assert_array_equal(y_train, beats.target[groups_train.index])
    np.testing.assert_array_equal(y_test, beats.target[groups_test.index])
    assert isinstance(y_test, list)


def test_the_best_split_of_few_records_is_found():
    # Of the four records, "c" alone has a quarter of both classes.
    groups = np.repeat(["a", "b", "c", "d"], [30, 20, 20, 10])
    classes = np.r_[[0] * 20, [1] * 10, [0] * 20, [0] * 15, [1] * 5, [0] * 5, [1] * 5]
    for seed in range(5):
        _, test = places(groups, stratify=classes, random_state=seed)
        assert set(groups[test]) == {"c"}


@pytest.mark.parametrize("test_size", [500, 0.25])
def test_size_and_seeds(test_size):
    groups = np.repeat(np.arange(40), 50)
    found = {
        tuple(places(groups, test_size=test_size, random_state=seed)[1])
        for seed in range(3)
    }
    assert {len(test) for test in found} == {500}
    assert len(found) == 3


def test_both_records_of_a_subject_stay_together():
    groups = np.repeat(MITBIH_RECORDS, 3)
    for seed in range(3):
        train, test = places(groups, stratify=None, random_state=seed)
        leaks = check_no_leakage(groups[train], groups[test], on_leak="return").subjects
        assert set(leaks) <= {"201/202"}
        train, test = places(subject_of(groups), random_state=seed)
        check_no_leakage(groups[train], groups[test])


def test_a_class_of_one_record_is_warned_of_and_kept_for_training():
    groups = np.repeat(["a", "b", "c", "d"], 10)
    classes = np.where(groups == "b", "V", "N")
    with pytest.warns(UserWarning, match="test set has no beats of class 'V'"):
        train, _ = places(groups, stratify=classes, random_state=0)
    assert "b" in groups[train]


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "record_train_test_split needs groups.* cannot be kept on one side"),
        ({"groups": ["a"] * 6}, "All 6 beats are of record 'a'.*two records or more"),
        (
            {"groups": list("aabbcc"), "test_size": 6},
            "test_size=6 leaves none of the 6",
        ),
        ({"groups": list("aabbcc"), "test_size": 1.5}, "'test_size'.*must be a float"),
        ({"groups": list("aab")}, "inconsistent numbers of samples"),
        ({"groups": list("aabbcc"), "stratify": [1]}, "inconsistent numbers"),
    ],
)
def test_errors_of_the_split(kwargs, message):
    with pytest.raises(ValueError, match=message):
        record_train_test_split(np.zeros((6, 2)), **kwargs)


# subject_of and check_no_leakage ----------------------------------------------------


def test_48_records_of_47_subjects():
    subjects = subject_of(MITBIH_RECORDS)
    assert len(set(subjects)) == 47
    assert subject_of([201, 202, 200]).tolist() == ["201/202", "201/202", "200"]
    assert subject_of(pd.Series(["x", "201"])).tolist() == ["x", "201/202"]
    with pytest.raises(ValueError, match="subject_of needs groups"):
        subject_of(None)


def test_the_protocol_has_a_leak_that_is_named():
    message = (
        r"Records on both sides of the split: none. Subjects on both sides: "
        r"'201/202' \(training: 201; test: 202\)"
    )
    with pytest.raises(ValueError, match=message):
        check_no_leakage(DS1, DS2)
    with pytest.warns(UserWarning, match=message):
        warned = check_no_leakage(DS1, DS2, on_leak="warn")
    returned = check_no_leakage(DS1, DS2, on_leak="return")
    assert warned == returned
    assert returned.records == []
    assert returned.subjects == {"201/202": (["201"], ["202"])}


def test_without_a_leak_nothing_is_said():
    without_201 = [record for record in DS1 if record != "201"]
    report = check_no_leakage(without_201, DS2)
    assert report == {"records": [], "subjects": {}, "message": ""}


def test_other_databases_have_their_own_subjects():
    check_no_leakage(["201"], ["202"], subjects=None)
    with pytest.raises(ValueError, match=r"'p1' \(training: p1_a; test: p1_b\)"):
        check_no_leakage(
            ["p1_a", "p2_a"],
            ["p1_b"],
            subjects=lambda records: [name.split("_")[0] for name in records],
        )


@settings(deadline=None, max_examples=30)
@given(recordings(), recordings())
def test_the_guard_finds_what_sets_find(first, second):
    train, test = first[0], second[0]
    report = check_no_leakage(train, test, on_leak="return")
    assert report.records == sorted(set(train) & set(test))
    assert set(report.subjects) == set(subject_of(train)) & set(subject_of(test))
    for name in (*report.records, *report.subjects):
        assert repr(name) in report.message
    assert bool(report.subjects) == bool(report.message)
    assert leakage_note(train, test).is_clean == (not report.subjects)


@pytest.mark.parametrize(
    ("train", "test", "is_clean", "said"),
    [
        (None, DS2, None, "unknown. The records of the training beats are not known"),
        (DS1, None, None, "unknown. The records of these beats are not known"),
        (DS1[:5], DS2, True, "No record and no subject is in both"),
        (
            DS1,
            DS2,
            False,
            "1 of the 22 patients here were trained on: '201/202' (training: 201; "
            "test: 202). For them",
        ),
        (DS1, DS1, False, "22 of the 22 .* '101', '106', .* and 17 more. For them"),
    ],
)
def test_a_sentence_about_both_sides(train, test, is_clean, said):
    found = leakage_note(train, test)
    assert found.is_clean is is_clean
    assert re.search(said, found.message) or said in found.message


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((None, DS2), {}, "check_no_leakage needs groups_train"),
        ((DS1, []), {}, "groups_test is empty"),
        ((DS1, DS2), {"on_leak": "ignore"}, "'on_leak'.*'raise'"),
    ],
)
def test_errors_of_the_guard(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        check_no_leakage(*arguments, **options)
