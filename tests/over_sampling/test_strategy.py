"""Numbers of beats by class, of classes that a fold may not have."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import clone

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.over_sampling import PresentClasses


def test_a_class_that_a_fold_lacks_is_left_out():
    X, y = make_heartbeats(
        120, weights=[90, 12, 10, 3, 5], random_state=0, return_X_y=True
    )
    strategy = PresentClasses({1: 20, 7: 30})
    assert clone(strategy, safe=False) == strategy
    assert repr(strategy) == "PresentClasses({1: 20, 7: 30})"
    smote = SMOTE(sampling_strategy=strategy, random_state=0)
    with pytest.warns(UserWarning, match=r"names the classes \[7\], and y holds"):
        _, resampled = smote.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(resampled), [90, 20, 10, 3, 5])
