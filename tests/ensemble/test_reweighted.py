"""Weights by frequency, against class_weight of scikit-learn."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import ReweightedClassifier

TREES = HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, random_state=0)


@pytest.mark.parametrize("trees", [TREES, LogisticRegression(max_iter=20, tol=0.1)])
def test_like_class_weight(trees):
    X, y = make_heartbeats(200, random_state=0, return_X_y=True)
    X = X[:, ::20]
    labels = np.array(list("NSVFQ"))[y]
    model = ReweightedClassifier(trees).fit(X, labels)
    assert model.classes_.tolist() == sorted("NSVFQ")
    counts = np.bincount(y)
    weights = (counts.max() / counts) ** 0.5
    np.testing.assert_allclose(model.weights_, weights[[3, 0, 4, 1, 2]])
    trees = trees.set_params(class_weight=dict(enumerate(weights))).fit(X, y)
    order = ["NSVFQ".index(name) for name in model.classes_]
    np.testing.assert_allclose(
        model.predict_proba(X), trees.predict_proba(X)[:, order], atol=1e-2
    )
    assert (model.predict(X) == model.estimator_.predict(X)).all()


def test_powers():
    X, y = np.arange(12.0)[:, None], np.repeat([0, 1], [9, 3])
    for power, weight in ((0, 1), (0.5, 3**0.5), (1, 3)):
        model = ReweightedClassifier(LogisticRegression(), power=power).fit(X, y)
        np.testing.assert_allclose(model.weights_, [1, weight])
    with pytest.raises(ValueError, match="'power' parameter"):
        model.set_params(power=2).fit(X, y)


def test_a_class_of_one_beat_is_not_held_out():
    y = np.r_[np.zeros(400), [1, 3]].astype(int)
    trees = HistGradientBoostingClassifier(early_stopping=True, max_iter=2)
    model = ReweightedClassifier(trees).fit(y[:, None] + 0.5, y)
    assert model.weights_.tolist() == [1.0, 20.0, 20.0]
    assert model.estimator.early_stopping is True
