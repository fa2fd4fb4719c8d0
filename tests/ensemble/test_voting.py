"""Means of probabilities, and validation beats for labels of any kind."""

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.naive_bayes import GaussianNB

from ecg_sklearn import load, save
from ecg_sklearn.ensemble import SoftVotingClassifier

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.arange(60) % 3


class Validated(DummyClassifier):
    """A classifier that takes validation beats, and remembers them."""

    __metadata_request__fit = {"X_val": True, "y_val": True}

    def fit(self, X, y, X_val=None, y_val=None):
        self.seen_ = X_val, y_val, y
        return super().fit(X, y)


VOTERS = [("one", Validated()), ("two", GaussianNB())]


def test_like_scikit_learn():
    model = SoftVotingClassifier(VOTERS, weights=[1, 2]).fit(X, Y)
    same = VotingClassifier(VOTERS, voting="soft", weights=[1, 2]).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), same.predict_proba(X))
    assert set(clone(model).get_params(deep=False)) == {
        "estimators", "weights", "n_jobs",
    }  # fmt: skip
    weights = np.ones(60)
    voters = [("one", GaussianNB()), ("two", GaussianNB())]
    SoftVotingClassifier(voters).fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 2, 4], [4, 2, 1], list("NSV")])
def test_validation_beats(labels, routing):
    y = np.array(labels)[Y]
    with sklearn.config_context(enable_metadata_routing=routing):
        model = SoftVotingClassifier(VOTERS).fit(X, y, X_val=X[:9], y_val=y[:9])
    X_val, y_val, codes = model.named_estimators_["one"].seen_
    assert X_val is not X
    np.testing.assert_array_equal(X_val, X[:9])
    np.testing.assert_array_equal(y_val, codes[:9])
    np.testing.assert_array_equal(model.classes_[y_val], y[:9])


@pytest.mark.parametrize("y_val", [[0, 3], ["0", "1"], [0.5, 1]])
def test_labels_that_y_lacks(y_val):
    with pytest.raises(ValueError, match=r"y_val holds labels .* y does not: \[0, 1"):
        SoftVotingClassifier(VOTERS).fit(X, Y, X_val=X[:2], y_val=y_val)


def test_both_kinds_of_file(tmp_path):
    from sklearn.linear_model import LogisticRegression

    voters = [(name, LogisticRegression()) for name in "ab"]
    model = SoftVotingClassifier(voters).fit(X, np.array(list("NSV"))[Y])
    joblib.dump(model, tmp_path / "model.joblib")
    save(model, tmp_path / "model.ecgsk")
    for again in (
        joblib.load(tmp_path / "model.joblib"), load(tmp_path / "model.ecgsk"),
    ):  # fmt: skip
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert again.named_estimators_["b"] is again.estimators_[1]
