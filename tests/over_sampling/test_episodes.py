"""Excerpts around premature beats against values by hand; bad input."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from ecg_sklearn import load, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.features import (
    FEATURE_GROUPS,
    record_rr_features,
    rhythm_features,
    rr_features,
)
from ecg_sklearn.over_sampling import EpisodeSampler

INTERVALS = [*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["rhythm"]]


@pytest.fixture(scope="module")
def simulated():
    return make_heartbeats(500, n_records=5, features=["rr", "rhythm"], random_state=0)


def table(time):
    """Beats of one sample, and all that follows from their times."""
    features = np.hstack([rr_features(time), rhythm_features(time)])
    frame = pd.DataFrame(features, columns=INTERVALS)
    frame.insert(0, "t000", np.arange(len(time), dtype=np.float32))
    frame.attrs["cut"] = {"unit": "mV"}
    return frame


@pytest.mark.parametrize("label", [1, "S"])
def test_by_hand(label):
    # One record: 40 beats, a premature one at every eighth.
    interval, y = np.full(40, 1.0), np.full(40, label)
    y[:] = 0 if label == 1 else "N"
    y[7::8], interval[7::8] = label, 0.6
    X = table(np.cumsum(interval))
    sampler = EpisodeSampler(label, n_around=[1])
    found, labels = sampler.fit_resample(X, y, groups=np.full(40, "r"))
    # Beats 6, 7, 8, 14, 15, 16, ..., 39 follow each other, at their intervals.
    rows = np.flatnonzero(
        [(y[max(i - 1, 0) : i + 2] == label).any() for i in range(40)]
    )
    assert len(rows) == 14
    np.testing.assert_array_equal(sampler.sample_indices_, np.r_[np.arange(40), rows])
    np.testing.assert_array_equal(labels, y[sampler.sample_indices_])
    expected = table(np.cumsum(interval[rows])).assign(t000=rows.astype(np.float32))
    np.testing.assert_allclose(found[40:], expected, atol=1e-5)
    pd.testing.assert_frame_equal(found[:40], X)
    assert found.attrs == X.attrs


def test_records_with_few_premature_beats_give_none():
    y = np.zeros(50, dtype=int)
    y[[10, 20, 30, 40]] = 1
    X, groups = table(np.arange(50.0)), np.zeros(50)
    assert len(EpisodeSampler().fit_resample(X, y, groups=groups)[1]) == 50
    y[45] = 1
    assert len(EpisodeSampler().fit_resample(X, y, groups=groups)[1]) > 50


def test_records_may_take_turns(simulated):
    order = np.argsort(simulated.time, kind="stable")
    X, y, groups = simulated.data, simulated.target, simulated.groups
    apart = EpisodeSampler().fit_resample(X, y, groups=groups)
    mixed = EpisodeSampler().fit_resample(X.iloc[order], y[order], groups=groups[order])
    np.testing.assert_allclose(mixed[0][500:], apart[0][500:], atol=1e-5)
    np.testing.assert_array_equal(mixed[1][500:], apart[1][500:])


def test_in_a_pipeline(simulated, tmp_path):
    """Groups are requested; a file holds the parameters, but no beats."""
    X, y, groups = simulated.data, simulated.target, simulated.groups
    pipe = make_pipeline(EpisodeSampler(n_around=(2,)), DummyClassifier())
    with sklearn.config_context(enable_metadata_routing=True):
        pipe.fit(X, y, groups=groups)
    assert pipe[-1].class_prior_[1] > np.mean(y == 1)
    save(pipe[0], tmp_path / "sampler.ecgsk")
    again = load(tmp_path / "sampler.ecgsk")
    assert repr(again) == repr(clone(pipe[0])) == repr(pipe[0])
    assert not hasattr(again, "sample_indices_")


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        ({}, {"groups": None}, "EpisodeSampler needs groups"),
        ({}, {"groups": [1, 2]}, "groups holds 2 values, and X 500 beats"),
        ({}, {"X": np.zeros((500, 30))}, 'by name, and X has no names.*"rhythm"'),
        ({"premature": "1"}, {}, r"premature='1' is no label of y, .*\[0, 1, 2"),
        ({"n_around": (0,)}, {}, "whole numbers of 1 or more"),
        ({"n_around": (2.5,)}, {}, "whole numbers of 1 or more"),
        ({"n_around": 5}, {}, "'n_around' parameter"),
    ],
)
def test_bad_input(simulated, params, change, message):
    given = {"X": simulated.data, "y": simulated.target, "groups": simulated.groups}
    with pytest.raises(ValueError, match=message):
        EpisodeSampler(**params).fit_resample(**given | change)


def test_beats_without_premature_ones(simulated):
    given = {"X": simulated.data, "groups": simulated.groups}
    with pytest.warns(UserWarning, match="premature=1 is no label of y, .*no excerpts"):
        X, y = EpisodeSampler().fit_resample(y=np.arange(500) % 2 * 2, **given)
    np.testing.assert_array_equal(X, simulated.data)
    np.testing.assert_array_equal(y, np.arange(500) % 2 * 2)


def test_a_column_that_is_missing(simulated):
    X = simulated.data.drop(columns="rr_next")
    with pytest.raises(ValueError, match=r"X lacks \['rr_next'\]. Load the beats"):
        EpisodeSampler().fit_resample(X, simulated.target, groups=simulated.groups)


def test_intervals_of_the_whole_record_are_recomputed_too():
    groups = ["rr", "record_rr", "record_morphology"]
    beats = make_heartbeats(300, n_records=3, features=groups, random_state=0)
    sampler = EpisodeSampler(n_around=[1])
    X, y = sampler.fit_resample(beats.data, beats.target, groups=beats.groups)
    rows = sampler.sample_indices_[300:]
    first = beats.groups[rows] == beats.groups[rows[0]]
    time = np.cumsum(np.exp(X["rr_previous"].to_numpy(np.float64)[300:][first]))
    names = list(FEATURE_GROUPS["record_rr"])
    # A rank may differ by a place where float32 makes intervals equal.
    found = X[names].to_numpy()[300:][first]
    np.testing.assert_allclose(found, record_rr_features(time), atol=0.05)
    kept = list(FEATURE_GROUPS["record_morphology"])
    np.testing.assert_array_equal(X[kept][300:], beats.data[kept].iloc[rows])
    with pytest.raises(ValueError, match=r"X lacks \['rr_rank_20'\]"):
        sampler.fit_resample(
            beats.data.drop(columns="rr_rank_20"), beats.target, groups=beats.groups
        )
