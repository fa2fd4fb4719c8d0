"""Two stages: who decides what, what they are trained on, bad input, files."""

import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

import ecg_sklearn
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import PriorShiftClassifier, RefinedClassifier
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.over_sampling import EpisodeSampler

INTERVALS = [*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["rhythm"]]


class Spy(DummyClassifier):
    """A classifier that remembers what it was shown."""

    def fit(self, X, y, X_val=None, y_val=None):
        self.seen_ = X, y, X_val, y_val
        return super().fit(X, y)


@pytest.fixture(scope="module")
def simulated():
    return make_heartbeats(500, n_records=5, features=["rr", "rhythm"], random_state=0)


def refiner(trees=None):
    """Trees on the intervals, whose priors follow a record."""
    columns = make_column_transformer(("passthrough", INTERVALS))
    trees = trees or ExtraTreesClassifier(10, random_state=0)
    return PriorShiftClassifier(make_pipeline(columns, trees))


def two_stages(**params):
    params = {"sampler": EpisodeSampler(), "refiner": refiner()} | params
    return RefinedClassifier(**{"estimator": GaussianNB()} | params)


def fitted(beats, **params):
    model = two_stages(**params)
    return model.fit(beats.data, beats.target, groups=beats.groups)


def test_the_refiner_splits_the_pair_alone(simulated):
    model = fitted(simulated)
    X = simulated.data
    for told in ({}, {"groups": simulated.groups}):
        found = model.predict_proba(X, **told)
        first = model.estimator_.predict_proba(X)
        share = model.refiner_.predict_proba(X, **told)
        np.testing.assert_array_equal(found[:, 2:], first[:, 2:])
        pair = first[:, :1] + first[:, 1:2]
        np.testing.assert_allclose(found[:, :2], pair * share, atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-4)
        np.testing.assert_array_equal(
            model.predict(X, **told), model.classes_[found.argmax(axis=1)]
        )
    assert not np.allclose(found, model.predict_proba(X))


def test_labels_may_be_strings(simulated):
    names = np.array(list("NSVFQ"))[simulated.target]
    by_name = two_stages(pair=("N", "S"))
    by_name.fit(simulated.data, names, groups=simulated.groups)
    order = ["NSVFQ".index(name) for name in by_name.classes_]
    np.testing.assert_allclose(
        by_name.predict_proba(simulated.data),
        fitted(simulated).predict_proba(simulated.data)[:, order],
        atol=1e-6,
    )


def test_without_one_of_the_pair_the_first_stage_decides(simulated):
    rows = simulated.target != 1
    X = simulated.data[rows]
    model = two_stages().fit(X, simulated.target[rows])
    assert model.refiner_ is model.pair_ is None
    np.testing.assert_array_equal(
        model.predict_proba(X), model.estimator_.predict_proba(X)
    )


@pytest.mark.parametrize(
    "sampler", [None, EpisodeSampler(), RandomOverSampler(random_state=0)]
)
def test_what_the_refiner_learns_from(simulated, sampler):
    X, y, groups = simulated.data, simulated.target, simulated.groups
    seen, kinds, *_ = fitted(simulated, sampler=sampler, refiner=Spy()).refiner_.seen_
    n_pair = np.count_nonzero(y < 2)
    pd.testing.assert_frame_equal(seen[:n_pair], X[y < 2], check_index_type=False)
    np.testing.assert_array_equal(kinds[:n_pair], y[y < 2])
    assert np.unique(kinds).tolist() == [0, 1]
    if isinstance(sampler, EpisodeSampler):  # excerpts hold beats of other classes too
        again, labels = sampler.fit_resample(X, np.where(y < 2, y, -1), groups=groups)
        pd.testing.assert_frame_equal(seen[n_pair:], again[500:][labels[500:] >= 0])
    assert (len(kinds) > n_pair) == (sampler is not None)


def test_irregular_rhythms_are_a_class_of_their_own(simulated):
    rhythms = simulated.rhythms.astype("U4")
    rhythms[simulated.groups == simulated.groups[0]] = "AFIB"
    model, X = two_stages(), simulated.data
    model.fit(X, simulated.target, groups=simulated.groups, rhythms=rhythms)
    assert model.refiner_.classes_.tolist() == [0, 1, 2]
    assert (model.refiner_.class_prior_ > 0).all()
    found, share = model.predict_proba(X), model.refiner_.predict_proba(X)
    pair = model.estimator_.predict_proba(X)[:, :2].sum(axis=1)
    np.testing.assert_allclose(found[:, 1], pair * share[:, 1], atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("rhythm", ["N", "AFIB"])
def test_where_all_are_alike_there_is_no_third_class(simulated, rhythm):
    model = two_stages(sampler=None)
    rhythms = np.full(len(simulated.target), rhythm)
    model.fit(simulated.data, simulated.target, rhythms=rhythms)
    assert model.refiner_.classes_.tolist() == [0, 1]


def test_validation_beats_reach_the_first_stage(simulated):
    X, y = simulated.data, simulated.target
    model = two_stages(estimator=Spy(), sampler=None)
    model.fit(X[100:], y[100:], X_val=X[:100], y_val=y[:100])
    pd.testing.assert_frame_equal(model.estimator_.seen_[2], X[:100])
    np.testing.assert_array_equal(model.estimator_.seen_[3], y[:100])


@pytest.mark.parametrize(
    ("params", "options", "message"),
    [
        ({}, {"groups": None}, "EpisodeSampler needs groups"),
        ({"pair": (0,)}, {}, "pair=\\(0,\\) is not two labels"),
        ({"pair": (1, 1)}, {}, "is not two labels"),
        ({"pair": ("N", "S")}, {}, "are no labels of y, which holds \\[0, 1"),
        ({"pair": ("0", "1")}, {}, "pair=\\('0', '1'\\) are no labels of y"),
        ({"refiner": None}, {}, "'refiner' parameter"),
        ({"sampler": "smote"}, {}, "'sampler' parameter"),
        ({"irregular": "AFIB"}, {}, "'irregular' parameter"),
        ({}, {"groups": [1, 2]}, "groups holds 2 values, and X 500 beats"),
        ({}, {"rhythms": ["N"]}, "rhythms holds 1 values, and X 500 beats"),
        ({}, {"X_val": np.zeros((3, 215))}, "Only X_val was given"),
        ({}, {"y_val": [0, 1, 2]}, "Only y_val was given"),
        ({}, {"y": np.zeros(500)}, r"y holds one class or none: \[0.0\]"),
    ],
)
def test_bad_input(simulated, params, options, message):
    model = two_stages().set_params(**params)
    given = {"y": simulated.target, "groups": simulated.groups} | options
    with pytest.raises(ValueError, match=message):
        model.fit(simulated.data, **given)
    with pytest.raises(NotFittedError):
        model.predict(simulated.data)


def test_text_labels_are_no_numbers(simulated):
    labels = simulated.target.astype(str)
    with pytest.raises(ValueError, match="pair=\\(0, 1\\) are no labels of y"):
        two_stages().fit(simulated.data, labels, groups=simulated.groups)


class Interrupted(DummyClassifier):
    """A classifier whose second fit is broken off."""

    def fit(self, X, y):
        if y.max() > 4:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_a_fit_that_is_broken_off_leaves_no_half_a_model(simulated):
    model = fitted(simulated, estimator=Interrupted(), sampler=None)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(pair=(10, 11)).fit(simulated.data, simulated.target + 10)
    with pytest.raises(NotFittedError):
        model.predict(simulated.data)


def test_parameters_of_fit_set_later_wait_for_the_next_fit(simulated):
    model = fitted(simulated)
    before = model.predict_proba(simulated.data)
    model.set_params(pair=(1, 0), sampler=None)
    np.testing.assert_array_equal(model.predict_proba(simulated.data), before)


@pytest.mark.parametrize("trees", [None, LogisticRegression(tol=1)])
def test_both_kinds_of_file(simulated, trees, tmp_path):
    first = LogisticRegression(max_iter=10, tol=1)
    model = fitted(simulated, estimator=first, refiner=refiner(trees))
    told = {"groups": simulated.groups}
    expected = model.predict_proba(simulated.data, **told)
    joblib.dump(model, tmp_path / "model.joblib")
    ecg_sklearn.save(model, tmp_path / "model.ecgsk")
    for again in (
        joblib.load(tmp_path / "model.joblib"),
        ecg_sklearn.load(tmp_path / "model.ecgsk"),
    ):
        np.testing.assert_array_equal(
            again.predict_proba(simulated.data, **told), expected
        )
        assert str(again.get_params()) == str(model.get_params())
    # What was loaded can be fitted anew.
    again.fit(simulated.data, simulated.target, **told)
    np.testing.assert_allclose(again.predict_proba(simulated.data, **told), expected)
