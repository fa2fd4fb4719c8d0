"""Simulated beats: reproducible, record-wise, and not solved by a linear model."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

from ecg_sklearn.datasets import make_heartbeats


@pytest.mark.parametrize(
    ("form", "n_times", "rate"), [("kaggle", 187, 120.0), ("window", 360, 360.0)]
)
def test_shapes(form, n_times, rate):
    beats = make_heartbeats(103, n_records=4, form=form, random_state=0)
    assert beats.data.shape == (103, n_times)
    assert beats.data.dtype == np.float32
    assert np.isfinite(beats.data).all()
    assert beats.sampling_rate == rate
    assert len(np.unique(beats.groups)) == 4
    assert beats.rr.shape == (103, 4)
    for column in ("target", "groups", "symbols", "time", "rhythms"):
        assert len(beats[column]) == 103


def test_same_seed_same_beats():
    one = make_heartbeats(50, n_records=2, random_state=7)
    two = make_heartbeats(50, n_records=2, random_state=7)
    other = make_heartbeats(50, n_records=2, random_state=8)
    np.testing.assert_array_equal(one.data, two.data)
    np.testing.assert_array_equal(one.target, two.target)
    assert not np.array_equal(one.data, other.data)
    assert set(one.groups) == set(two.groups)
    assert not set(one.groups) & set(other.groups)  # other patients


def test_weights_are_met():
    y = make_heartbeats(200, weights=[0.7, 0.1, 0.1, 0.05, 0.05], return_X_y=True)[1]
    np.testing.assert_array_equal(np.bincount(y), [140, 20, 20, 10, 10])
    y = make_heartbeats(7, n_records=1, weights=[1, 1, 1, 0, 0], return_X_y=True)[1]
    counts = np.bincount(y, minlength=5)
    assert counts.sum() == 7
    assert sorted(counts[:3]) == [2, 2, 3]


def test_rhythm_is_typical_of_the_class():
    beats = make_heartbeats(
        1000, n_records=10, weights=[0.8, 0.1, 0.1, 0, 0], random_state=0
    )
    before = beats.rr[:, 0] / beats.rr[:, 3]
    after = beats.rr[:, 1] / beats.rr[:, 3]
    normal, atrial, ventricular = (beats.target == label for label in range(3))
    assert before[atrial].mean() < 0.85 < before[normal].mean()
    assert before[ventricular].mean() < 0.85
    assert after[ventricular].mean() > after[normal].mean() + 0.1


def test_records_keep_their_polarity():
    beats = make_heartbeats(400, n_records=8, form="window", noise=0.0, random_state=1)
    normal = beats.target == 0
    signs = {}
    for record, beat in zip(beats.groups[normal], beats.data[normal], strict=True):
        signs.setdefault(record, set()).add(np.sign(beat[144]))
    assert all(len(found) == 1 for found in signs.values())
    assert {next(iter(found)) for found in signs.values()} == {-1.0, 1.0}


def test_a_linear_model_does_not_solve_it():
    beats = make_heartbeats(900, n_records=30, random_state=0)
    scores = cross_val_score(
        LogisticRegression(tol=1e-2),
        beats.data,
        beats.target,
        groups=beats.groups,
        cv=StratifiedGroupKFold(3),
    )
    assert scores.mean() < 0.6


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_samples": 3, "n_records": 4}, "cannot fill n_records=4"),
        ({"weights": [1, 1]}, "are not 5 proportions"),
        ({"weights": [0, 0, 0, 0, 0]}, "are not 5 proportions"),
        ({"weights": [1, 1, 1, 1, -1]}, "are not 5 proportions"),
        ({"noise": -1}, "noise"),
        ({"form": "csv"}, "form"),
    ],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_heartbeats(**params)
