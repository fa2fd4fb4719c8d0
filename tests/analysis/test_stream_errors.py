"""Streams and models that are refused: errors say what to do, and lose nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from ecg_sklearn.analysis import StreamAnalyzer
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import SecondPassClassifier
from ecg_sklearn.pipeline import make_record_ensemble
from ecg_sklearn.preprocessing import BeatScaler
from tests.analysis.test_stream import of_stream, simulate, train


@pytest.fixture(scope="module")
def model():
    return train()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((100, 2)), "2 leads"),
        (np.zeros((1, 100)), "100 leads"),
        (np.zeros((5, 5, 5)), "one dimension"),
        (np.zeros(()), "one dimension"),
        (["a", "b"], "Give numbers"),
        ([True, False], "Give numbers"),
        ([1.0, None], "Give numbers"),
        (np.zeros(9, dtype=complex), "Give numbers"),
    ],
)
def test_samples(model, samples, message):
    lead = simulate(10).signal[:, 0]
    expected, _ = of_stream(model, lead, 250, [250])
    analyzer = StreamAnalyzer(model, 250)
    tables = []
    for start in range(0, len(lead), 250):
        with pytest.raises(ValueError, match=message):
            analyzer.push(samples)
        tables.append(analyzer.push(lead[start : start + 250]))
    tables.append(analyzer.finish())
    pd.testing.assert_frame_equal(pd.concat(tables, ignore_index=True), expected)


def test_integers_and_a_column_are_taken(model):
    lead = (10 * simulate(10).signal).astype(np.int16)
    table, _ = of_stream(model, lead, 250, [250])
    again, _ = of_stream(model, lead[:, 0].astype(float), 250, [250])
    pd.testing.assert_frame_equal(table, again)
    assert len(StreamAnalyzer(model, 250).push([])) == 0


def test_a_finished_stream(model):
    analyzer = StreamAnalyzer(model, 250)
    analyzer.push(np.zeros(10))
    analyzer.finish()
    with pytest.raises(RuntimeError, match="stream of 10 samples was finished"):
        analyzer.push(np.zeros(10))
    with pytest.raises(RuntimeError, match="Make a new StreamAnalyzer"):
        analyzer.finish()
    assert analyzer.n_times == 10


@pytest.mark.parametrize("rate", ["250", None, True, [250]])
def test_a_rate_that_is_no_number(model, rate):
    with pytest.raises(TypeError, match="is not a number"):
        StreamAnalyzer(model, rate)


@pytest.mark.parametrize("rate", [0, 49, -250, np.nan, np.inf])
def test_a_rate_that_cannot_be(model, rate):
    with pytest.raises(ValueError, match="50 Hz or more"):
        StreamAnalyzer(model, rate)


def test_models_without_a_cut():
    beats = make_heartbeats(100, form="window", random_state=0)
    pipe = make_pipeline(BeatScaler(), GaussianNB())
    with pytest.raises(ValueError, match="does not know how its beats were cut"):
        StreamAnalyzer(pipe, 250)
    pipe.fit(beats.frame.to_numpy(), beats.target)
    with pytest.raises(ValueError, match="does not know how its beats were cut"):
        StreamAnalyzer(pipe, 250)
    for thing in ("model.onnx", None, 3):
        with pytest.raises(TypeError, match="is neither a fitted model"):
            StreamAnalyzer(thing, 250)
    with pytest.raises(TypeError, match="has no predict_proba"):
        StreamAnalyzer(beats.cut, 250)


def test_models_of_the_whole_record():
    groups = ["rr", "record_rr", "record_morphology", "record_shape"]
    beats = make_heartbeats(400, form="window", features=groups, random_state=0)
    model = make_record_ensemble(n_estimators=5, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    with pytest.raises(ValueError, match=r"'record_rr'.*make_ecg_ensemble"):
        StreamAnalyzer(model, 250)


def test_second_passes():
    groups = ["rr", "record_rr", "record_morphology", "record_shape"]
    beats = make_heartbeats(400, form="window", features=groups, random_state=0)
    forest = ExtraTreesClassifier(5, random_state=0)
    model = SecondPassClassifier(forest, forest, random_state=0)
    model.fit(beats.data, beats.target, groups=beats.groups)
    model.cut_ = model.cut_ | {"features": ["rr"]}
    with pytest.raises(ValueError, match="A SecondPassClassifier sees all beats"):
        StreamAnalyzer(model, 250)


def test_rows_of_the_kaggle_form():
    beats = make_heartbeats(100, random_state=0)
    model = make_pipeline(BeatScaler(), GaussianNB())
    model.fit(beats.frame, beats.target)
    with pytest.raises(ValueError, match='form="window"'):
        StreamAnalyzer(model, 250)


def test_other_columns_than_those_of_the_cut():
    beats = make_heartbeats(100, form="window", random_state=0)
    model = make_pipeline(BeatScaler(), GaussianNB())
    model.fit(beats.frame.iloc[:, 5:], beats.target)
    with pytest.raises(ValueError, match="Fit it to all columns"):
        StreamAnalyzer(model, 250)


def test_columns_in_another_order():
    beats = make_heartbeats(100, form="window", features=["rr"], random_state=0)
    model = make_pipeline(BeatScaler(), GaussianNB())
    model.fit(beats.frame.iloc[:, ::-1], beats.target)
    with pytest.raises(
        ValueError, match="takes the column 'rr_.*' where its cut gives"
    ):
        StreamAnalyzer(model, 250)


def test_rates_that_are_too_far_apart(model):
    with pytest.raises(ValueError, match="The stream is sampled at 1e"):
        StreamAnalyzer(model, 1e6)
