"""SMOTE: imbalanced-learn's own results, and an error in our terms."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.over_sampling import BeatSMOTE


@pytest.fixture(scope="module")
def imbalanced():
    return make_heartbeats(
        120, weights=[90, 12, 10, 3, 5], random_state=0, return_X_y=True
    )


def test_the_same_beats_as_imbalanced_learn(imbalanced):
    X, y = imbalanced
    ours = BeatSMOTE(k_neighbors=2, random_state=0).fit_resample(X, y)
    theirs = SMOTE(k_neighbors=2, random_state=0).fit_resample(X, y)
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, two)
    assert ours[0].dtype == np.float32


def test_a_small_class_is_named(imbalanced):
    X, y = imbalanced
    with pytest.raises(ValueError, match="Class 3 has 3 beats") as caught:
        BeatSMOTE().fit_resample(X, y)
    for part in ("k_neighbors=5 needs 6", "k_neighbors=2", "sampler=None"):
        assert part in str(caught.value)
    names = np.array(["N", "S", "V", "F", "Q"])[y]
    with pytest.raises(ValueError, match="Class 'F' has 3 beats"):
        BeatSMOTE().fit_resample(X, names)


def test_a_class_of_one_beat(imbalanced):
    X, y = imbalanced
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:1]])
    with pytest.raises(ValueError, match="Class 1 has 1 beat,.* Get more beats"):
        BeatSMOTE().fit_resample(X[rows], y[rows])


def test_a_small_class_that_is_left_alone_is_no_trouble(imbalanced):
    X, y = imbalanced
    strategy = {1: 50, 2: 50}
    _, resampled = BeatSMOTE(sampling_strategy=strategy).fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(resampled), [90, 50, 50, 3, 5])
