"""Intervals: what they hold, what is drawn, and what is left out."""

import math

import numpy as np
import pytest
from sklearn.metrics import precision_score

from ecg_sklearn.metrics import BootstrapInterval, aami_jk_score, bootstrap_ci

from .test_aami import TABLE, beats_of


def right(y_true, y_pred):
    """Accuracy, in a microsecond."""
    return np.mean(y_true == y_pred)


def test_intervals_over_records_hold_the_true_value_and_those_over_beats_do_not():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), 50)
    y_true = np.zeros(len(groups))
    held = {"records": [], "beats": []}
    for seed in range(80):
        # Each patient has an accuracy of its own, 0.75 in the mean.
        skill = rng.beta(3, 1, size=30)[groups]
        y_pred = rng.random(len(groups)) > skill
        for given_groups in (groups, None):
            found = bootstrap_ci(
                right,
                y_true,
                y_pred,
                groups=given_groups,
                n_resamples=100,
                random_state=seed,
            )
            held[found.unit].append(found.low <= 0.75 <= found.high)
    assert 0.84 <= np.mean(held["records"]) <= 1.0
    assert np.mean(held["beats"]) < 0.65


def test_whole_records_are_drawn():
    groups = np.array(["b", "a", "c", "a", "b", "c", "a"])
    y_true = np.arange(7)
    seen = []

    def note(y_true, y_pred):
        np.testing.assert_array_equal(y_true + 10, y_pred)
        seen.append(sorted(y_true.tolist()))
        return 0.5

    bootstrap_ci(
        note, y_true, y_true + 10, groups=groups, n_resamples=50, random_state=0
    )
    assert seen[0] == list(range(7))
    members = {"a": [1, 3, 6], "b": [0, 4], "c": [2, 5]}
    for drawn in seen[1:]:
        times = {name: drawn.count(beats[0]) for name, beats in members.items()}
        assert sum(times.values()) == 3
        expected = [b for name, beats in members.items() for b in beats * times[name]]
        assert drawn == sorted(expected)
    assert len({tuple(drawn) for drawn in seen}) > 5


def test_intervals_are_reproducible():
    y_true, y_pred = beats_of(TABLE)
    groups = np.arange(len(y_true)) % 9
    first, again, other = (
        bootstrap_ci(
            aami_jk_score,
            y_true,
            y_pred,
            groups=groups,
            n_resamples=50,
            random_state=seed,
        )
        for seed in (0, np.random.RandomState(0), 1)
    )
    assert first == again
    assert first != other
    assert first.estimate == other.estimate == aami_jk_score(y_true, y_pred)
    assert first.low < first.estimate < first.high
    assert (first.unit, first.n_units, first.n_resamples) == ("records", 9, 50)


def test_a_higher_level_is_wider():
    y_true, y_pred = beats_of(TABLE)
    narrow, wide = (
        bootstrap_ci(
            right, y_true, y_pred, n_resamples=100, confidence_level=level,
            random_state=0,
        )
        for level in (0.5, 0.99)
    )  # fmt: skip
    assert wide.low < narrow.low < narrow.high < wide.high


def precision_with_a_warning(y_true, y_pred):
    return precision_score(y_true, y_pred)


def precision_with_nan(y_true, y_pred):
    return precision_score(y_true, y_pred, zero_division=np.nan)


@pytest.mark.parametrize("metric", [precision_with_a_warning, precision_with_nan])
def test_resamples_without_a_value_are_left_out_and_counted(metric):
    y_true = np.array([1, 0, 0, 0, 0])
    y_pred = np.array([1, 0, 0, 0, 0])
    found = bootstrap_ci(metric, y_true, y_pred, n_resamples=400, random_state=0)
    # The one beat that was predicted is missing from (4/5)**5 of the resamples.
    assert found.n_undefined / 400 == pytest.approx(0.8**5, abs=0.08)
    assert (found.estimate, found.low, found.high) == (1.0, 1.0, 1.0)
    assert f"{found.n_undefined} undefined" in str(found)


def test_no_resample_has_a_value():
    values = iter([0.5])
    found = bootstrap_ci(
        lambda y_true, y_pred: next(values, np.nan), [0, 1], [0, 1], n_resamples=5
    )
    assert found.n_undefined == 5
    assert math.isnan(found.low)


def test_interval_as_text():
    assert (
        str(BootstrapInterval(0.5, 0.25, 0.75, 0.9, "beats", 40, 100, 0))
        == "0.5000 (90% interval 0.2500 to 0.7500; 100 resamples of 40 beats)"
    )


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        (([0, 1], [0]), {}, "y_pred has 1 values, but y_true has 2"),
        (([0, 1], [0, 1]), {"groups": [1]}, "groups has 1 values"),
        (([0, 1], [0, 1]), {"groups": ["r", "r"]}, "one record only, r; an interval"),
        (([0, 1], [0, 1]), {"n_resamples": 0}, "n_resamples=0 must be an int"),
        (([0, 1], [0, 1]), {"n_resamples": 2.5}, "n_resamples=2.5 must be an int"),
        (([0, 1], [0, 1]), {"n_resamples": 10**11}, "an int from 1 to 1,000,000"),
        (([0, 1], [0, 1]), {"confidence_level": 95}, "confidence_level=95 must lie"),
    ],
)
def test_errors_of_intervals_say_what_to_do(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_ci(right, *args, **kwargs)


def test_a_metric_without_a_value_is_refused():
    with pytest.raises(ValueError, match="is not defined on these 2 beats"):
        bootstrap_ci(precision_with_nan, [0, 0], [0, 0])
