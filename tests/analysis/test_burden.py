"""The interval of a burden: how often it is right, and where it ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_sklearn.analysis._burden import burden_interval, burden_intervals


def draw_records(n_records, rng, error=0.3):
    """Shares of records, and what a model of known errors says of them."""
    true = rng.beta(0.4, 4, n_records) * (rng.uniform(size=n_records) > 0.2)
    predicted = true * np.exp(error * rng.standard_normal(n_records))
    predicted += 0.004 * rng.exponential(size=n_records)
    return true, np.clip(predicted, 0, 1)


def test_the_interval_holds_the_truth_in_95_of_100_records():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(25):
        true, predicted = draw_records(100, rng)
        new = draw_records(20, rng)
        for share, guess in zip(*new, strict=True):
            low, high = burden_interval(guess, 100_000, true, predicted)
            inside.append(low <= share <= high)
    assert 0.92 < np.mean(inside) < 0.99


def test_better_models_have_narrower_intervals():
    width = []
    for error in (0.05, 0.3):
        true, predicted = draw_records(100, np.random.default_rng(0), error)
        low, high = burden_interval(0.2, 100_000, true, predicted)
        width.append(high - low)
    assert width[0] < width[1] / 2


def test_short_recordings_have_wider_intervals():
    true, predicted = draw_records(100, np.random.default_rng(0), 0.05)
    long, short = (
        burden_interval(0.1, n_beats, true, predicted) for n_beats in (100_000, 50)
    )
    assert short[0] < long[0] < 0.1 < long[1] < short[1]


def test_no_beat_of_a_class_is_not_certain():
    true, predicted = draw_records(100, np.random.default_rng(0))
    assert burden_interval(0.0, 100, true, predicted)[1] > 0.035
    perfect = np.zeros(50)
    low, high = burden_interval(0.0, 1000, perfect, perfect)
    assert low == 0
    assert high >= 1 - 0.025 ** (1 / 1000)


@settings(deadline=None, max_examples=50)
@given(
    share=st.floats(0, 1),
    n_beats=st.integers(1, 10**6),
    records=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=10),
)
def test_limits(share, n_beats, records):
    true, predicted = np.array(records).T
    low, high = burden_interval(share, n_beats, true, predicted)
    assert 0 <= low <= share <= high <= 1
    assert high > 0


class Model:
    pass


def test_without_known_errors_there_is_no_interval():
    nothing = {"V": (np.nan, np.nan), "S": (np.nan, np.nan)}
    letters = np.array(list("NNV"))
    np.testing.assert_equal(burden_intervals(Model(), ["N", "V"], letters), nothing)
    few = Model()
    few.record_counts_ = np.ones((9, 2, 2), dtype=int)
    np.testing.assert_equal(burden_intervals(few, ["N", "V"], letters), nothing)


def test_classes_in_any_order():
    model = Model()
    counts = np.full((30, 2, 2), 1000)
    counts[:, 0] = 10
    model.record_counts_ = counts
    letters = np.array(list("N" * 99 + "V"))
    found = burden_intervals(model, ["V", "N"], letters)
    assert np.isnan(found["S"]).all()
    assert found["V"][0] < 1 < found["V"][1] < 6
    with pytest.raises(ValueError, match="record_counts_ of the model has shape"):
        burden_intervals(model, ["N", "S", "V"], letters)
