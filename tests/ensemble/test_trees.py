"""Models of trees taken apart: the same answers, to the last bit."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.naive_bayes import GaussianNB

from ecg_sklearn import load_model
from ecg_sklearn.datasets import cut_beats, make_recording
from ecg_sklearn.ensemble import ReweightedClassifier
from ecg_sklearn.ensemble._continued import ContinuedModel
from ecg_sklearn.ensemble._trees import take_apart


@pytest.fixture(scope="module")
def model():
    return load_model("causal")


@pytest.fixture(scope="module")
def X(model):
    found = make_recording(100, ectopy={"V": 0.1, "S": 0.1}, random_state=0)
    lead, rate = found.signal[:, 0], found.sampling_rate
    return cut_beats(lead, rate, found.sample, like=model)


@pytest.mark.parametrize("n_beats", [0, 1, 90])
def test_the_same_answers(n_beats, model, X):
    parts = take_apart(model)
    found = parts.predict_proba(X.to_numpy()[:n_beats])
    assert found.shape == (n_beats, 4)
    if n_beats:
        np.testing.assert_array_equal(found, model.predict_proba(X[:n_beats]))


def test_a_forest_that_lacks_a_class(X):
    y = np.arange(len(X)) % 3
    forest = ReweightedClassifier(ExtraTreesClassifier(3, random_state=0)).fit(X, y)
    found = take_apart(forest).predict_proba(X.to_numpy())
    np.testing.assert_array_equal(found, forest.predict_proba(X))


def test_streams_take_them_apart(model, X):
    continued = ContinuedModel(model)
    assert not continued.reads_names
    np.testing.assert_array_equal(continued.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match="NaN or infinite"):
        continued.predict_proba(np.full((1, 146), np.inf))
    other = ReweightedClassifier(GaussianNB()).fit(X, np.arange(len(X)) % 2)
    assert ContinuedModel(other).reads_names
