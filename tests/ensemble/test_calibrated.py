"""Calibration on held-out records, and beats that are not sure."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier

from ecg_sklearn import load, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import CalibratedRecordClassifier
from ecg_sklearn.metrics import expected_calibration_error


class Told(ClassifierMixin, BaseEstimator):
    """Answers with its columns, which are probabilities; learns nothing."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X):
        return np.asarray(X)


def answers(n_records, n_beats, share_wrong, *, confidence, seed=0):
    """Beats of two classes with answers of one confidence, some of them wrong."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n_records * n_beats)
    said = np.where(rng.random(len(y)) < share_wrong, 1 - y, y)
    X = np.full((len(y), 2), 1 - confidence)
    X[np.arange(len(y)), said] = confidence
    return X, y, np.repeat(np.arange(n_records), n_beats)


@pytest.fixture(scope="module")
def beats():
    return simulate(0, 1200, 40)


def simulate(seed, n_beats, n_records):
    """Beats with few samples, of which GaussianNB is too sure."""
    found = make_heartbeats(n_beats, n_records=n_records, random_state=seed)
    found.data = found.data[:, ::12]
    return found


def test_probabilities_are_calibrated():
    X, y, groups = answers(40, 200, 0.2, confidence=0.999)
    model = CalibratedRecordClassifier(Told(), random_state=0)
    probability = model.fit(X, y, groups=groups).predict_proba(X)
    assert probability.max(axis=1) == pytest.approx(0.8, abs=0.02)


def test_calibration_helps_on_new_records(beats):
    naive = GaussianNB().fit(beats.data, beats.target)
    model = CalibratedRecordClassifier(GaussianNB(), random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    new = simulate(1, 1200, 40)
    before, after = (
        expected_calibration_error(
            new.target, found.predict_proba(new.data), labels=range(5)
        )
        for found in (naive, model)
    )
    assert after < 0.5 * before


def test_classes_are_predicted_as_often_as_they_occur():
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.1).astype(int)
    X = (y + rng.normal(0, 0.7, len(y)))[:, None]
    groups = np.repeat(np.arange(40), 500)
    model = CalibratedRecordClassifier(GaussianNB(), random_state=0)
    model.fit(X, y, groups=groups)
    plain = model.predict_proba(X).argmax(axis=1)
    assert plain.sum() < 0.85 * y.sum()
    assert model.predict(X).sum() == pytest.approx(y.sum(), rel=0.03)
    assert model.label_weights_[0] == 1
    assert model.label_weights_[1] > 1


def test_counts_of_records():
    X = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]] * 4)
    y = np.array([0, 0, 1, 1, 1] * 4)
    groups = np.repeat(["d", "b", "a", "c"], 5)
    model = CalibratedRecordClassifier(Told(), cv=4).fit(X, y, groups=groups)
    # Of five beats, two are 0 and three 1; three are called 0, and two 1.
    assert model.record_counts_.tolist() == [[[2, 3], [3, 2]]] * 4


def test_counts_are_in_the_order_of_sorted_names():
    X, y, _ = answers(3, 4, 0.0, confidence=0.9)
    y[:] = [0, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1]
    groups = np.repeat(["c", "a", "b"], 4)
    model = CalibratedRecordClassifier(Told(), cv=3).fit(X, y, groups=groups)
    assert model.record_counts_[:, 0, 0].tolist() == [2, 1, 3]


def test_risk_counts_the_next_record_as_the_worst():
    X, y, groups = answers(9, 100, 0.0, confidence=0.99)
    model = CalibratedRecordClassifier(Told()).fit(X, y, groups=groups)
    assert model.risks_ == pytest.approx(np.full(1001, 0.1))
    assert model.threshold(0.1) == 0
    with pytest.raises(ValueError, match=r"risk of 0.05 .* 9 training records.*0.1 or"):
        model.threshold(0.05)


def test_risk_holds_in_new_records(beats):
    model = CalibratedRecordClassifier(GaussianNB(), random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    new = simulate(1, 4800, 160)
    for risk in (0.05, 0.1, 0.2):
        label = model.predict(new.data, reject=risk)
        wrong = (label != new.target) & (label != -1)
        found = [wrong[new.groups == group].mean() for group in set(new.groups)]
        assert 0.1 * risk < np.mean(found) <= 1.2 * risk  # in expectation over records


def test_labels_of_text(beats):
    model = CalibratedRecordClassifier(GaussianNB(), random_state=0)
    names = np.array(list("NSVFQ"))[beats.target]
    model.fit(beats.data, names, groups=beats.groups)
    said = model.predict(beats.data, reject=0.1)
    probability = model.predict_proba(beats.data)
    chosen = model.choose_labels(probability)
    sureness = probability[np.arange(len(chosen)), chosen]
    unsure = sureness < model.threshold(0.1)
    assert 0 < unsure.sum() < len(said)
    assert (said == "?").tolist() == unsure.tolist()
    known = said[~unsure].tolist()
    assert known == model.classes_[chosen][~unsure].tolist()
    assert set(said) <= {*"NSVFQ", "?"}


def test_same_labels_as_scikit_learns_regression(beats):
    """With one fold a record, the held-out answers are those of clones."""
    X, y, groups = beats.data[:200], beats.target[:200], np.repeat([0, 1], 100)
    model = CalibratedRecordClassifier(GaussianNB(), cv=2).fit(X, y, groups=groups)
    held_out = np.concatenate(
        [
            GaussianNB().fit(X[100:], y[100:]).predict_proba(X[:100]),
            GaussianNB().fit(X[:100], y[:100]).predict_proba(X[100:]),
        ]
    )
    expected = LogisticRegression(solver="newton-cholesky").fit(
        np.log(np.clip(held_out, 1e-4, None)), y
    )
    assert model.calibration_[:, :-1] == pytest.approx(expected.coef_, abs=1e-4)
    assert model.calibration_[:, -1] == pytest.approx(expected.intercept_, abs=1e-4)
    told = expected.predict_proba(np.log(np.clip(held_out, 1e-4, None)))
    assert model._calibrated(held_out) == pytest.approx(told, abs=1e-4)


def test_class_that_a_fold_does_not_have():
    X, y, groups = answers(4, 50, 0.1, confidence=0.9)
    X = np.column_stack([X, np.zeros(len(X))])
    y[:50] = 2
    X[:50] = [0.05, 0.05, 0.9]
    model = CalibratedRecordClassifier(GaussianNB(var_smoothing=0.1), cv=4)
    model.fit(X, y, groups=groups)
    assert model.predict_proba(X).shape == (200, 3)


def test_bad_groups(beats):
    model = CalibratedRecordClassifier(GaussianNB())
    with pytest.raises(ValueError, match="needs groups"):
        model.fit(beats.data, beats.target)
    with pytest.raises(ValueError, match="two records or more"):
        model.fit(beats.data, beats.target, groups=np.zeros(len(beats.data)))


def test_saved_with_networks_of_scikit_learn(beats, tmp_path):
    inner = MLPClassifier((8,), max_iter=200, tol=0.1, random_state=0)
    model = CalibratedRecordClassifier(inner, cv=2, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    save(model, tmp_path / "model.ecgsk")
    loaded = load(tmp_path / "model.ecgsk")
    assert np.array_equal(
        loaded.predict_proba(beats.data), model.predict_proba(beats.data)
    )
    assert loaded.threshold(0.3) == model.threshold(0.3)
    assert loaded.record_counts_.tolist() == model.record_counts_.tolist()
    again = clone(loaded).fit(beats.data, beats.target, groups=beats.groups)
    assert again.record_counts_.tolist() == model.record_counts_.tolist()
