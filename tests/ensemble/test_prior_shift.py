"""Priors against values by hand, and what reaches whom in scikit-learn."""

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import PriorShiftClassifier


@pytest.fixture(scope="module")
def simulated():
    return make_heartbeats(500, n_records=5, features=["rr"], random_state=0)


def on_intervals(beats):
    return beats.data.filter(regex="^rr")


class Echo(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are the columns of X."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(X)


def echo(frequencies, strength):
    """Train on 100 beats of two classes."""
    counts = np.multiply(frequencies, 100).astype(int)
    model = PriorShiftClassifier(Echo(), prior_strength=strength)
    return model.fit(np.zeros((100, 2)), np.repeat(["N", "S"], counts))


def test_by_hand():
    model = echo([0.75, 0.25], 2.0)
    assert model.class_prior_.tolist() == [0.75, 0.25]
    probability = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]])
    found = model.predict_proba(probability, groups=["a", "a", "b"])
    # The first beat of a record meets the frequencies of training: nothing changes.
    np.testing.assert_allclose(found[[0, 2]], probability[[0, 2]], atol=1e-3)
    # The second finds 2 * 0.25 + 0.5 premature beats of 2 + 1.
    odds = (0.5 / 0.25) / (0.5 / 0.75) * (1.0 / 2.0)
    np.testing.assert_allclose(found[1, 1], odds / (1 + odds), atol=1e-3)
    np.testing.assert_array_equal(model.predict_proba(probability), probability)


def test_no_class_is_lost_for_good():
    probability = np.repeat([[1.0, 0.0], [0.02, 0.98]], [2000, 60], axis=0)
    found = echo([0.9, 0.1], 10.0).predict_proba(probability, groups=np.zeros(2060))
    assert (found[:2000, 1] < 0.01).all()
    assert found[-1, 1] > 0.9


def test_beats_rest_on_their_past_alone(simulated):
    X, groups = on_intervals(simulated), simulated.groups
    model = PriorShiftClassifier(GaussianNB()).fit(X, simulated.target)
    found = model.predict_proba(X, groups=groups)
    order = np.argsort(simulated.time, kind="stable")
    mixed = model.predict_proba(X.iloc[order], groups=groups[order])
    np.testing.assert_allclose(mixed, found[order], atol=1e-6)
    half = simulated.time < 40
    assert 0 < half.sum() < len(half)
    np.testing.assert_allclose(
        model.predict_proba(X[half], groups=groups[half]), found[half], atol=1e-6
    )
    np.testing.assert_allclose(found.sum(axis=1), 1)
    plain = model.predict_proba(X)
    assert not np.allclose(found, plain)
    model.set_params(prior_strength=float("inf"))
    np.testing.assert_array_equal(model.predict_proba(X, groups=groups), plain)


def test_a_patient_whose_beats_are_mostly_premature():
    """The prior of premature beats follows the record; a fixed one misses them."""
    rare, often = (
        make_heartbeats(
            1500, n_records=10, weights=weights, features=["rr"], random_state=seed
        )
        for seed, weights in enumerate(([0.97, 0.03, 0, 0, 0], [0.3, 0.7, 0, 0, 0]))
    )
    trees = ExtraTreesClassifier(10, random_state=0)
    model = PriorShiftClassifier(trees).fit(on_intervals(rare), rare.target)
    X, y = on_intervals(often), often.target
    fixed = f1_score(y, model.predict(X))
    assert f1_score(y, model.predict(X, groups=often.groups)) > fixed + 0.05


def test_score_with_records(simulated):
    X, y, groups = on_intervals(simulated), simulated.target, simulated.groups
    model = PriorShiftClassifier(GaussianNB()).fit(X, y)
    weights = np.where(y == 0, 2.0, 1.0)
    for given in (None, groups):
        predicted = model.predict(X, groups=given)
        expected = accuracy_score(y, predicted, sample_weight=weights)
        assert model.score(X, y, weights, groups=given) == expected
    with pytest.raises(ValueError, match="groups holds 3 values, and X 500 beats"):
        model.predict(X, groups=[1, 2, 3])


@pytest.mark.parametrize("routing", [False, True])
def test_in_a_pipeline(simulated, routing):
    X, y, groups = on_intervals(simulated), simulated.target, simulated.groups
    with sklearn.config_context(enable_metadata_routing=routing):
        pipe = make_pipeline(StandardScaler(), PriorShiftClassifier(GaussianNB()))
        found = pipe.fit(X, y).predict_proba(X, groups=groups)
    scaled = pipe[0].transform(X)
    np.testing.assert_array_equal(found, pipe[1].predict_proba(scaled, groups=groups))


def test_cross_validation_with_records(simulated):
    X, y, groups = on_intervals(simulated), simulated.target, simulated.groups
    model, folds = PriorShiftClassifier(GaussianNB()), GroupKFold(3)
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_val_score(model, X, y, cv=folds, params={"groups": groups})
    for score, (train, test) in zip(found, folds.split(X, y, groups), strict=True):
        one = clone(model).fit(X.iloc[train], y[train])
        assert score == one.score(X.iloc[test], y[test], groups=groups[test])


def test_a_search_over_the_strength(simulated):
    """Accuracy is told of the records; a scorer by name is not, as documented."""
    X, y, groups = on_intervals(simulated), simulated.target, simulated.groups
    grid, spread = {"prior_strength": [0.1, 1e6]}, {}
    model = PriorShiftClassifier(GaussianNB())
    for scoring in (None, "accuracy"):
        with sklearn.config_context(enable_metadata_routing=True):
            search = GridSearchCV(model, grid, scoring=scoring, cv=GroupKFold(3))
            search.fit(X, y, groups=groups)
        spread[scoring] = np.ptp(search.cv_results_["mean_test_score"])
    assert spread[None] > 0
    assert spread["accuracy"] == 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"prior_strength": 0.0}, "'prior_strength' parameter"),
        ({"estimator": "forest"}, "'estimator' parameter"),
    ],
)
def test_bad_input(simulated, params, message):
    model = PriorShiftClassifier(GaussianNB()).set_params(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(on_intervals(simulated), simulated.target)
