"""A patient's own labels: what they change, which are asked for, bad input, files."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB

import ecg_sklearn
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import PatientClassifier
from ecg_sklearn.features import RECORD_GROUPS
from ecg_sklearn.pipeline import make_record_ensemble


@pytest.fixture(scope="module")
def beats():
    groups = list(RECORD_GROUPS)
    return make_heartbeats(600, n_records=6, features=groups, random_state=0)


@pytest.fixture(scope="module")
def mine(beats):
    return beats.groups == beats.groups[0]


def plane(seed=0):
    """Two clusters of points; the classifier knows the frequencies alone."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 0.1, size=(200, 2))
    X[100:] += 1
    return X, np.repeat([0, 1], 100)


def blind(**params):
    X, y = plane()
    model = PatientClassifier(DummyClassifier(), columns=slice(None), **params)
    return model.fit(X, np.where(np.arange(200) < 150, 0, 1)), X, y


def test_by_hand():
    model, X, _ = blind(strength=2.0, bandwidth=0.7)
    np.testing.assert_allclose(model.predict_proba(X), [[0.75, 0.25]] * 200)
    model.adapt(X, [1], rows=[150])
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    # The probabilities are the same: two more columns of the distance are zero.
    square = ((standard - standard[150]) ** 2).sum(axis=1) / 4
    weight = np.exp(-square / (2 * 0.7**2))
    expected = (2.0 * 0.25 + weight) / (2.0 + weight)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expected)


def test_a_label_changes_the_beats_that_resemble_it_and_no_others():
    model, X, y = blind()
    assert model.score(X, y) == 0.5
    model.adapt(X, [1], rows=[150])
    assert model.score(X, y) == 1.0
    np.testing.assert_allclose(model.predict_proba(X)[:100, 0], 0.75, atol=0.1)
    assert model.forget().score(X, y) == 0.5


def test_labels_are_added_in_any_number_of_calls():
    one, X, y = blind()
    two, _, _ = blind()
    rows = np.array([3, 120, 7])
    one.adapt(X, y[rows], rows=rows)
    mask = np.isin(np.arange(200), [3, 7])
    two.adapt(X, y[mask], rows=mask).adapt(X, y[[120]], rows=[120])
    np.testing.assert_allclose(two.predict_proba(X), one.predict_proba(X))
    three, _, _ = blind()
    three.adapt(X[rows], y[rows])
    np.testing.assert_allclose(three.predict_proba(X), one.predict_proba(X))


def test_it_asks_about_each_cluster_once():
    model, X, y = blind()
    rows = model.query(X, 2)
    assert set(y[rows]) == {0, 1}
    model.adapt(X, y[rows[:1]], rows=rows[:1])
    [third] = model.query(X, 1)
    assert y[third] != y[rows[0]]
    assert len(set(model.query(X, 200).tolist())) == 200


def test_ten_beats_that_it_asks_for_are_worth_more_than_ten_others(beats, mine):
    """A patient whose V are called S everywhere else."""
    y = np.where(~mine & (beats.target == 2), 1, beats.target)
    y[np.flatnonzero(~mine)[:5]] = 2  # the class is known
    model = PatientClassifier(GaussianNB(), columns=beats.feature_names[187:])
    model.fit(beats.data[~mine], y[~mine])
    X, true = beats.data[mine], y[mine]
    before = model.score(X, true)
    rows = model.query(X, 10)
    asked = model.adapt(X, true[rows], rows=rows).score(X, true)
    model.forget().adapt(X, true[:10], rows=np.arange(10))
    first = model.score(X, true)
    assert asked > first
    assert asked > before


def test_around_a_classifier_of_whole_records(beats, mine, tmp_path):
    trees = make_record_ensemble(n_estimators=5, random_state=0)
    model = PatientClassifier(trees)
    model.fit(beats.data[~mine], beats.target[~mine], groups=beats.groups[~mine])
    X, y, groups = (part[mine] for part in (beats.data, beats.target, beats.groups))
    rows = model.query(X, 5)
    model.adapt(X, y[rows], rows=rows)
    expected = model.predict_proba(X, groups=groups)
    np.testing.assert_allclose(model.predict_proba(X), expected)  # one record
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    ecg_sklearn.save(model, tmp_path / "model.ecgsk")
    joblib.dump(model, tmp_path / "model.joblib")
    for loaded in (
        ecg_sklearn.load(tmp_path / "model.ecgsk"),
        joblib.load(tmp_path / "model.joblib"),
    ):
        np.testing.assert_array_equal(loaded.predict_proba(X), expected)
        loaded.adapt(X, y[:2], rows=[0, 1])
        assert len(loaded.known_) == 7


def test_the_compared_columns(beats, mine):
    model = PatientClassifier(DummyClassifier()).fit(beats.data, beats.target)
    names = beats.data.columns[model.columns_]
    assert "rr_previous" not in names
    assert "rr_previous_to_slow_25" in names
    assert "t000" not in names
    by_name = clone(model).set_params(columns=["rr_prematurity", "cluster"])
    by_name.fit(beats.data, beats.target)
    assert list(beats.data.columns[by_name.columns_]) == ["rr_prematurity", "cluster"]


def test_beats_of_another_cut(beats):
    model = PatientClassifier(DummyClassifier()).fit(beats.data, beats.target)
    other = beats.data.copy()
    other.attrs["cut"] = other.attrs["cut"] | {"form": "window"}
    with pytest.raises(ValueError, match="cut in another way than the training beats"):
        model.predict(other)


def test_bad_input():
    model, X, _ = blind()
    with pytest.raises(ValueError, match="y holds 2 labels, and rows 1 beats"):
        model.adapt(X, [0, 1], rows=[3])
    with pytest.raises(ValueError, match=r"y holds \[7\], which the training beats"):
        model.adapt(X, [7], rows=[3])
    for n in (0, 201, 1.5):
        with pytest.raises(ValueError, match="not a whole number from 1 to 200"):
            model.query(X, n)
    with pytest.raises(ValueError, match="groups holds 1 values, and X 200"):
        model.predict(X, groups=[1])
    with pytest.raises(NotFittedError):
        PatientClassifier(GaussianNB()).query(X)
    with pytest.raises(ValueError, match="'bandwidth' parameter"):
        PatientClassifier(GaussianNB(), bandwidth=0).fit(X, X[:, 0] > 0)
