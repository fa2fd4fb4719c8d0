"""Two passes: what the second one knows, held-out records, bad input, files."""

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.tree import DecisionTreeClassifier

import ecg_sklearn
from ecg_sklearn.datasets import cut_beats, make_heartbeats, make_recording
from ecg_sklearn.ensemble import SecondPassClassifier
from ecg_sklearn.ensemble._second_pass import _context_of
from ecg_sklearn.features import FEATURE_GROUPS, RECORD_GROUPS
from ecg_sklearn.pipeline import make_record_ensemble

_N_CLASSES = 5
_N_CONTEXT = 5 + 8 * 5 + 2 * 5 + 5 + 5 + 4 + 3 * 5


class Spy(DummyClassifier):
    """A classifier that remembers what it was shown, and answers by the record."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y):
        Spy.seen.append((np.asarray(X), np.asarray(y)))
        return super().fit(X, y)


@pytest.fixture(scope="module")
def beats():
    return make_heartbeats(
        600, n_records=6, features=list(RECORD_GROUPS), random_state=0
    )


@pytest.fixture(scope="module")
def model(beats):
    model = make_record_ensemble(n_estimators=20, random_state=0)
    return model.fit(beats.data, beats.target, groups=beats.groups)


def tree():
    return DecisionTreeClassifier(min_samples_leaf=5, random_state=0)


def test_what_the_answers_say_by_hand():
    n = 30
    answers = np.tile([1.0, 0.0], (n, 1))
    answers[10] = 0.0, 1.0
    interval = np.full(n, 0.8)
    interval[[10, 11]] = 0.4, 1.2
    cluster = np.zeros(n)
    cluster[[10, 20]] = 1
    shape = np.zeros((n, 25))
    shape[10] = 2.0
    following = np.append(interval[1:], 0.8)
    values = np.column_stack([np.log(interval), np.log(following), cluster, shape])
    found = _context_of(values, answers, normal=0)
    n_columns = 2 + 8 * 2 + 2 * 2 + 2 + 2 + 4 + 3 * 2
    assert found.shape == (n, n_columns)
    log, neighbours = found[:, :2], found[:, 2:18].reshape(n, 8, 2)
    near, far, record, of_cluster = np.split(found[:, 18:26], 4, axis=1)
    intervals, first, second = found[:, 26:30], found[:, 30:33], found[:, 33:36]
    np.testing.assert_allclose(log[10], np.log([0.001, 1.001]))
    # Steps -4 to -1 and 1 to 4.
    np.testing.assert_array_equal(neighbours[12, :, 1], [0, 0, 1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(neighbours[7, :, 1], [0, 0, 0, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(near[10], [14 / 15, 1 / 15])
    np.testing.assert_allclose(near[0], [1, 0])
    np.testing.assert_allclose(far[0], [29 / 30, 1 / 30])
    np.testing.assert_allclose(record[5], [29 / 30, 1 / 30])
    np.testing.assert_allclose(of_cluster[20], [0.5, 0.5])
    np.testing.assert_allclose(of_cluster[5], [1, 0])
    # Intervals to and from the second class are no reference.
    np.testing.assert_allclose(intervals[10, [0, 3]], np.log(0.5))
    np.testing.assert_allclose(intervals[10, 1], np.log(1.5))
    np.testing.assert_allclose(intervals[10, 2], 0, atol=1e-12)
    np.testing.assert_allclose(first[10, 1:], 2.0, rtol=0.01)
    np.testing.assert_allclose(second[10, 1:], 0.0, atol=0.03)
    np.testing.assert_allclose(second[10, 0], 0.0, atol=0.01)
    np.testing.assert_allclose(second[5, 1:], 2.0, rtol=0.02)


@pytest.mark.parametrize("n_beats", [1, 2, 3, 200])
def test_a_record_of_any_length(n_beats):
    rng = np.random.default_rng(0)
    answers = rng.dirichlet(np.ones(4), n_beats)
    values = rng.normal(size=(n_beats, 28))
    found = _context_of(values, answers, normal=0)
    assert np.isfinite(found).all()


def test_the_second_pass_sees_features_and_answers_and_no_samples(beats):
    Spy.seen.clear()
    SecondPassClassifier(tree(), Spy()).fit(
        beats.data, beats.target, groups=beats.groups
    )
    [(X, y)] = Spy.seen
    n_features = sum(len(FEATURE_GROUPS[group]) for group in RECORD_GROUPS)
    assert X.shape == (600, n_features + _N_CONTEXT)
    np.testing.assert_array_equal(X[:, :n_features], beats.data.iloc[:, 187:])
    np.testing.assert_array_equal(y, beats.target)


def test_the_second_pass_learns_from_records_that_the_first_has_not_seen(beats):
    Spy.seen.clear()
    model = SecondPassClassifier(Spy(), tree(), cv=3, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    *folds, whole = Spy.seen
    assert len(whole[1]) == 600
    assert len(folds) == 3
    assert sum(len(y) for _, y in folds) == 2 * 600
    record_of = {
        row.tobytes(): name for row, name in zip(whole[0], beats.groups, strict=True)
    }
    for X, y in folds:
        records = [record_of[row.tobytes()] for row in X]
        n_beats = sum(np.sum(beats.groups == name) for name in set(records))
        assert n_beats == len(y) < 600


def test_records_do_not_influence_each_other(model, beats):
    whole = model.predict_proba(beats.data, groups=beats.groups)
    for name in np.unique(beats.groups):
        rows = beats.groups == name
        alone = model.predict_proba(beats.data[rows], groups=beats.groups[rows])
        np.testing.assert_allclose(alone, whole[rows], atol=1e-6)
    order = np.argsort(beats.time, kind="stable")  # records in turn
    mixed = model.predict_proba(beats.data.iloc[order], groups=beats.groups[order])
    np.testing.assert_allclose(mixed, whole[order], atol=1e-6)


def test_the_second_pass_is_better_than_the_first_on_a_clear_case(beats):
    """One class that only the neighbours show: every beat after a V."""
    after_v = np.append(False, beats.target[:-1] == 2)
    first_of_record = np.append(True, beats.groups[1:] != beats.groups[:-1])
    y = np.where(after_v & ~first_of_record, 1, np.where(beats.target == 2, 2, 0))
    model = SecondPassClassifier(tree(), tree(), random_state=0)
    model.fit(beats.data, y, groups=beats.groups)
    second = model.score(beats.data, y, groups=beats.groups)
    only_samples = beats.data.columns[:187]
    first = tree().fit(beats.data[only_samples], y).score(beats.data[only_samples], y)
    assert second > 0.95
    assert second > first


def test_it_is_reproducible_and_takes_labels_of_any_kind(beats, model):
    expected = model.predict_proba(beats.data, groups=beats.groups)
    names = np.array(beats.target_names)[beats.target]
    named = make_record_ensemble(n_estimators=20, random_state=0)
    named.set_params(normal="N", sampler__premature="S")
    named.fit(beats.data, names, groups=beats.groups)
    found = named.predict_proba(beats.data, groups=beats.groups)
    assert set(named.predict(beats.data, groups=beats.groups)) <= set(names)
    order = [named.classes_.tolist().index(name) for name in beats.target_names]
    assert np.mean(found[:, order].argmax(1) == expected.argmax(1)) > 0.95
    again = clone(model).fit(beats.data, beats.target, groups=beats.groups)
    np.testing.assert_array_equal(
        again.predict_proba(beats.data, groups=beats.groups), expected
    )


def test_a_class_that_a_fold_lacks_has_the_probability_zero(beats):
    y = np.where(beats.groups == beats.groups[0], beats.target, 0)
    y[1] = 4
    model = SecondPassClassifier(tree(), tree()).fit(beats.data, y, groups=beats.groups)
    found = model.predict_proba(beats.data, groups=beats.groups)
    assert found.shape == (600, len(np.unique(y)))
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_premature_beats_of_one_record_alone(beats):
    y = np.where(
        (beats.groups != beats.groups[0]) & (beats.target == 1), 0, beats.target
    )
    model = make_record_ensemble(n_estimators=3, random_state=0)
    with pytest.warns(UserWarning, match="premature=1 is no label of y"):
        model.fit(beats.data, y, groups=beats.groups)
    assert model.classes_.tolist() == [0, 1, 2, 3, 4]


def test_cross_validation_with_routing(beats):
    with config_context(enable_metadata_routing=True):
        model = SecondPassClassifier(tree(), tree())
        found = cross_validate(
            model,
            beats.data,
            beats.target,
            cv=GroupKFold(3),
            params={"groups": beats.groups},
            error_score="raise",
        )
    assert found["test_score"].mean() > 0.5


def test_files(model, beats, tmp_path):
    expected = model.predict_proba(beats.data, groups=beats.groups)
    ecg_sklearn.save(model, tmp_path / "model.ecgsk")
    joblib.dump(model, tmp_path / "model.joblib")
    for loaded in (
        ecg_sklearn.load(tmp_path / "model.ecgsk"),
        joblib.load(tmp_path / "model.joblib"),
    ):
        found = loaded.predict_proba(beats.data, groups=beats.groups)
        np.testing.assert_array_equal(found, expected)
        assert loaded.cut_["features"] == list(RECORD_GROUPS)


def test_it_knows_its_cut(model):
    recording = make_recording(60, random_state=0)
    X = cut_beats(
        recording.signal[:, 0], recording.sampling_rate, recording.sample, like=model
    )
    found = model.predict(X, groups=np.zeros(len(X)))
    assert len(found) == len(X)


def test_bad_input(beats, model):
    X, y, groups = beats.data, beats.target, beats.groups
    new = SecondPassClassifier(tree(), tree())
    with pytest.raises(ValueError, match=r"needs groups.*groups=np.zeros"):
        new.fit(X, y)
    with pytest.raises(ValueError, match=r"needs groups.*groups=np.zeros"):
        model.predict(X)
    with pytest.raises(ValueError, match="two records or more, and groups holds 1"):
        new.fit(X, y, groups=np.zeros(600))
    with pytest.raises(ValueError, match="by name, and X has no names"):
        new.fit(X.to_numpy(), y, groups=groups)
    with pytest.raises(ValueError, match=r"X lacks \['cluster'\]. Load the beats"):
        new.fit(X.drop(columns="cluster"), y, groups=groups)
    with pytest.raises(ValueError, match=r"normal='N' is no label of y.*\[0, 1, 2"):
        clone(new).set_params(normal="N").fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="groups holds 3 values, and X 600"):
        new.fit(X, y, groups=[1, 2, 3])
    shuffled = X[X.columns[::-1]]
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(shuffled, groups=groups)
    other = X.copy()
    other.attrs["cut"] = X.attrs["cut"] | {"form": "window"}
    with pytest.raises(ValueError, match="cut in another way than the training beats"):
        model.predict(other, groups=groups)
    with pytest.raises(NotFittedError):
        new.predict(X, groups=groups)
    with pytest.raises(ValueError, match="'cv' parameter"):
        clone(new).set_params(cv=1).fit(X, y, groups=groups)
