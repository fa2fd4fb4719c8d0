"""Pairs of true and detected beats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn.metrics import ec57_report, match_beats

positions = st.lists(st.integers(0, 2000), max_size=60, unique=True).map(sorted)
OPTIONS = {"sampling_rate": 100.0, "window": 0.3}


def pairs_of(true, pred, **options):
    """The pairs of positions; None for no beat."""
    found = match_beats(true, pred, **OPTIONS | options)
    return [
        (None if i < 0 else true[i], None if j < 0 else pred[j])
        for i, j in zip(found.true, found.pred, strict=True)
    ]


# match_beats


@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        ([100], [130], [(100, 130)]),  # the window is closed
        ([100], [131], [(100, None), (None, 131)]),
        ([130], [100], [(130, 100)]),
        ([], [50], [(None, 50)]),
        ([50], [], [(50, None)]),
        ([], [], []),
        # found twice: the nearer one is the pair
        ([100], [95, 110], [(100, 95), (None, 110)]),
        ([100], [90, 105], [(None, 90), (100, 105)]),
        # as near: the earlier one is left over, unless it is at the place itself
        ([100], [95, 105], [(None, 95), (100, 105)]),
        ([100], [100, 100], [(None, 100), (100, 100)][::-1]),
        # two true beats, one detection
        ([100, 120], [111], [(100, None), (120, 111)]),
        ([100, 120], [108], [(100, 108), (120, None)]),
        # the next true beat is nearer to the detection, but nearer still to another
        ([100, 120], [115, 121], [(100, 115), (120, 121)]),
        ([115, 121], [100, 120], [(115, 100), (121, 120)]),
        ([100, 120], [115, 126], [(100, None), (120, 115), (None, 126)]),
    ],
)
def test_pairs_by_hand(true, pred, expected):
    assert pairs_of(true, pred) == expected


def test_the_example_of_bxb():
    # Its comment on the rule of 2002 has these four positions and a window of 37.
    found = match_beats([96, 160], [128, 185], 1, window=37)
    assert found.true.tolist() == found.pred.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("rate", "samples"), [(360, 54), (250, 38), (128, 19), (1000, 150)]
)
def test_the_window_is_rounded_to_samples(rate, samples):
    assert match_beats([500], [500 + samples], rate).n_matched == 1
    assert match_beats([500], [501 + samples], rate).n_matched == 0


@given(positions, positions)
def test_pairs_are_one_to_one_within_the_window_and_complete(true, pred):
    found = match_beats(true, pred, **OPTIONS)
    assert sorted(found.true[found.true >= 0]) == list(range(len(true)))
    assert sorted(found.pred[found.pred >= 0]) == list(range(len(pred)))
    assert ((found.true >= 0) | (found.pred >= 0)).all()
    both = (found.true >= 0) & (found.pred >= 0)
    distance = np.array(true, int)[found.true[both]]
    distance -= np.array(pred, int)[found.pred[both]]
    assert (np.abs(distance) <= 30).all()
    assert found.n_matched == both.sum()
    assert found.n_matched + found.n_missed == len(true)
    assert found.n_matched + found.n_extra == len(pred)
    # Pairs do not cross.
    assert (np.diff(found.true[both]) > 0).all()
    assert (np.diff(found.pred[both]) > 0).all()


@given(positions, positions, st.integers(0, 500))
def test_pairs_do_not_depend_on_the_start_or_on_the_sides(true, pred, shift):
    found = match_beats(true, pred, **OPTIONS)
    moved = match_beats(
        np.array(true, int) + shift, np.array(pred, int) + shift, **OPTIONS
    )
    np.testing.assert_array_equal(found.true, moved.true)
    np.testing.assert_array_equal(found.pred, moved.pred)
    swapped = match_beats(pred, true, **OPTIONS)
    assert swapped.n_missed == found.n_extra
    assert swapped.n_extra == found.n_missed


@given(positions, st.randoms(use_true_random=False))
def test_each_beat_finds_itself_in_any_order(true, random):
    pred = list(true)
    random.shuffle(pred)
    found = match_beats(true, pred, **OPTIONS)
    assert found.n_missed == found.n_extra == 0
    assert [true[i] for i in found.true] == [pred[j] for j in found.pred] == true


@given(positions, st.integers(1, 30))
def test_beats_that_are_found_twice_are_extra_once(true, shift):
    true = [70 * place for place in true]  # farther apart than two windows
    pred = sorted([*true, *(place + shift for place in true)])
    found = match_beats(true, pred, **OPTIONS)
    assert found.n_missed == 0
    assert found.n_extra == len(true)


@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        # Beats before 10 s do not count.
        ([900, 1100], [905, 1101, 1300], [(1100, 1101), (None, 1300)]),
        # A detection before 10 s may be the pair of the first beat behind it ...
        ([1005, 1100], [990, 1100], [(1005, 990), (1100, 1100)]),
        # ... unless another one is nearer.
        ([1005, 1100], [990, 1006, 1100], [(1005, 1006), (1100, 1100)]),
        # A detection behind 10 s whose beat is before it is no extra beat,
        ([990, 1100], [1005, 1100], [(1100, 1100)]),
        # but one that is farther off is.
        ([990, 1100], [1035, 1100], [(None, 1035), (1100, 1100)]),
        ([990], [995], []),
    ],
)
def test_learning_period_by_hand(true, pred, expected):
    assert pairs_of(true, pred, skip_first=10.0) == expected


def test_stop():
    true, pred = [100, 500, 900], [100, 700, 905]
    assert pairs_of(true, pred, stop=6) == [(100, 100), (500, None)]
    # A pair may have its second beat behind the end.
    assert pairs_of(true, pred, stop=9.02)[-1] == (900, 905)


def test_rates():
    found = match_beats([100, 400, 700], [105, 390, 410, 712], 360)
    assert (found.sensitivity, found.positive_predictivity) == (1.0, 0.75)
    nothing = match_beats([], [], 360)
    assert np.isnan([nothing.sensitivity, nothing.positive_predictivity]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.5], [2], 100), "sample_true holds values that are no whole numbers"),
        (([1], [-2], 100), "sample_pred holds the position -2"),
        ((["a"], [2], 100), "no whole numbers"),
        (([[1]], [2], 100), r"sample_true has shape \(1, 1\)"),
        (([1], [2], 0), "'sampling_rate' parameter"),
    ],
)
def test_errors_of_match_beats(arguments, message):
    with pytest.raises(ValueError, match=message):
        match_beats(*arguments)


@pytest.mark.slow
def test_a_day_of_beats():
    rng = np.random.default_rng(0)
    sample = np.cumsum(rng.integers(150, 280, size=100_000))
    detected = np.sort(np.append(sample + 3, rng.integers(1, sample[-1], size=2000)))
    found = match_beats(sample, detected, 250)
    assert found.n_missed < 200
    assert ec57_report(sample, detected, 250).gross["qrs_sensitivity"] > 0.99
