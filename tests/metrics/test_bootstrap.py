"""Intervals and tests: what they hold, what is drawn, and what is left out."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import permutation_test
from sklearn.metrics import precision_score

from ecg_sklearn.metrics import (
    aami_jk_score,
    bootstrap_ci,
    bootstrap_difference,
    mcnemar_test,
)

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
    with pytest.raises(ValueError, match="is not defined on these 2 beats"):
        bootstrap_ci(precision_with_nan, [0, 0], [0, 0])


# Two classifiers


def two_classifiers(n_records=12, seed=0):
    """Truth and two predictions that fail on the same records, and the records."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_records), 40)
    difficulty = rng.beta(1, 3, size=n_records)[groups]
    luck = rng.random(len(groups))
    first, second = ((luck < each).astype(int) for each in (difficulty, difficulty / 2))
    return np.zeros_like(first), first, second, groups


def test_a_difference_is_that_of_the_metric_on_the_same_resamples():
    y_true, first, second, groups = two_classifiers()
    drawn = []

    def note(y_true, y_pred):
        drawn.append((y_true.copy(), y_pred))
        return right(y_true, y_pred)

    setting = {"groups": groups, "n_resamples": 50, "random_state": 0}
    found = bootstrap_difference(note, y_true, first, second, **setting)
    assert found.estimate == right(y_true, second) - right(y_true, first)
    scores = np.array([right(*each) for each in drawn[2:]]).reshape(-1, 2)
    low, high = np.quantile(scores[:, 0] - scores[:, 1], [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.unit, found.n_units, found.n_resamples) == ("records", 12, 50)
    turned = bootstrap_difference(right, y_true, second, first, **setting)
    assert (turned.estimate, turned.low) == pytest.approx(
        (-found.estimate, -found.high)
    )
    # Both fail on the same records: paired, this widens nothing.
    alone = bootstrap_ci(right, y_true, first, **setting)
    assert found.high - found.low < alone.high - alone.low


def test_a_difference_of_equals_is_zero():
    y_true, y_pred = beats_of(TABLE)
    found = bootstrap_difference(right, y_true, y_pred, y_pred, n_resamples=9)
    assert (found.estimate, found.low, found.high) == (0, 0, 0)
    assert mcnemar_test(y_true, y_pred, y_pred).p_value == 1
    groups = np.arange(len(y_true)) % 5
    assert mcnemar_test(y_true, y_pred, y_pred, groups=groups).p_value == 1


@pytest.mark.parametrize("groups", [None, np.arange(20)])
@pytest.mark.parametrize(
    ("only_1", "only_2", "p_value"),
    [
        (1, 9, 2 * (1 + 10) / 2**10),  # tails of ten tosses, 0 or 1 heads
        (0, 6, 2 / 2**6),
        (4, 4, 1.0),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_by_hand(only_1, only_2, p_value, groups):
    first, second = np.ones((2, 20), dtype=int)  # all wrong, but
    first[:only_1] = 0
    second[10 : 10 + only_2] = 0
    found = mcnemar_test(np.zeros(20), first, second, groups=groups)
    assert (found.only_1, found.only_2) == (only_1, only_2)
    assert found.n_units == only_1 + only_2
    assert found.p_value == pytest.approx(p_value)


def test_mcnemar_over_records_is_the_permutation_test_of_their_differences():
    # Their sum is 4. Of the 16 signs, 4 give 4 or more: +3 and two or three of the
    # ones; and 4 give -4 or less.
    gains = [3, 1, 1, -1, 0]
    y_true, first, second = np.zeros((3, 25), dtype=int)
    groups = np.repeat(list("abcde"), 5)
    for place, gain in zip(range(0, 25, 5), gains, strict=True):
        (first if gain > 0 else second)[place : place + abs(gain)] = 1
    found = mcnemar_test(y_true, first, second, groups=groups)
    assert (found.only_1, found.only_2) == (1, 5)
    assert (found.unit, found.n_units) == ("records", 4)
    assert found.p_value == pytest.approx(8 / 16)
    y_true, first, second, groups = two_classifiers(n_records=9, seed=3)
    gains = np.bincount(groups, first - second)
    slow = permutation_test(
        (gains, np.zeros(9)),
        lambda a, b, axis: (a - b).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    found = mcnemar_test(y_true, first, second, groups=groups)
    assert found.p_value == pytest.approx(slow.pvalue)
    # Beats of a record fail together; beat by beat, the test is too sure.
    assert mcnemar_test(y_true, first, second).p_value < found.p_value


def test_numbers_and_letters_mean_the_same_classes():
    found = mcnemar_test(list("NNV"), [0, 0, 2], [0.0, 1.0, 1.0])
    assert (found.only_1, found.only_2) == (2, 0)


@pytest.mark.parametrize(
    "compare", [partial(bootstrap_difference, right), mcnemar_test]
)
def test_errors_of_comparisons(compare):
    with pytest.raises(ValueError, match="y_pred_2 has 1 values, but y_true has 2"):
        compare([0, 1], [0, 1], [0])
    with pytest.raises(ValueError, match="groups has 1 values, but y_true has 2"):
        compare([0, 1], [0, 1], [0, 1], groups=["a"])
    with pytest.raises(ValueError, match="y_true holds no beats"):
        compare([], [], [])
