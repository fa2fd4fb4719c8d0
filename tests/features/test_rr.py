"""Features of RR intervals: by hand, causal, the same from every loader."""

import numpy as np
import pytest

from ecg_sklearn.datasets import (
    fetch_mitbih,
    iter_beats,
    load_wfdb_beats,
    make_heartbeats,
)
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.features import FEATURE_GROUPS, rhythm_features, rr_features

RR, RHYTHM = FEATURE_GROUPS["rr"], FEATURE_GROUPS["rhythm"]


def features_of(time):
    """Both groups that intervals alone give, side by side."""
    return np.hstack([rr_features(time), rhythm_features(time)])


def named(features, beat):
    return dict(zip((*RR, *RHYTHM), features[beat], strict=True))


@pytest.fixture
def irregular():
    """Times of 700 beats, some of them close together."""
    return np.cumsum(np.random.default_rng(0).uniform(0.2, 1.6, size=700))


def test_a_premature_beat_by_hand():
    # Intervals of 1 s, then one of 0.5 s and a pause of 1.5 s.
    interval = [1.0] * 30 + [0.5, 1.5]
    time = np.cumsum([2.0, *interval])
    found = named(features_of(time), 31)
    for name in ("mean", "long_mean", "slow", "fast", "longest", "shortest"):
        assert found[f"rr_previous_to_{name}"] == pytest.approx(np.log(0.5)), name
    for name in ("long_mean", "slow"):
        assert found[f"rr_next_to_{name}"] == pytest.approx(np.log(1.5)), name
    # Of the past, which is the same all along, nothing else is told.
    for name in RHYTHM[-7:]:
        assert found[name] == pytest.approx(0, abs=1e-6), name
    assert found["rr_rank"] == 0
    assert named(features_of(time), 32)["rr_rank"] == pytest.approx(1.0)


def test_a_premature_beat_and_its_neighbours_by_hand():
    # Intervals of 1, 1, 0.5 and 1.5 s; the beat at 3.5 s is premature, with a pause.
    features = rr_features(np.array([1.0, 2.0, 3.0, 3.5, 5.0]))
    assert features.shape == (5, 12)
    premature = dict(zip(RR, features[3], strict=True))
    expected = {
        "rr_previous": np.log(0.5),
        "rr_next": np.log(1.5),
        "rr_previous_to_local": np.log(0.5),
        "rr_next_to_local": np.log(1.5),
        "rr_second_to_local": 0.0,
        "rr_third_to_local": 0.0,
        "rr_previous_to_second": np.log(0.5),
        "rr_previous_to_next": np.log(0.5 / 1.5),
        "rr_previous_to_median": np.log(0.5),
        "rr_next_to_median": np.log(1.5),
        "rr_change": np.log(0.01),
        "rr_prematurity": -10.0,  # log(0.5) / 0.02, cut off
    }
    assert premature == pytest.approx(expected, abs=1e-6)
    # Before there is a past, and after the last beat, all ratios are 1.
    ratios = ["_to_" in name for name in RR]
    np.testing.assert_allclose(features[0, ratios], 0, atol=1e-6)
    assert features[-1, RR.index("rr_next_to_local")] == 0


def test_the_local_rhythm_is_a_median_of_ten_intervals_without_the_one_in_question():
    interval = np.array([1.0] * 20 + [0.8] * 11)
    features = rr_features(np.cumsum(np.concatenate([[1.0], interval])))
    found = np.exp(features[:, RR.index("rr_previous_to_local")])
    np.testing.assert_allclose(found[20], 1.0, rtol=1e-5)
    np.testing.assert_allclose(found[21:26], 0.8, rtol=1e-5)
    # Five of ten are 0.8: the median of the logarithms lies half-way.
    np.testing.assert_allclose(found[26], np.sqrt(0.8), rtol=1e-5)
    np.testing.assert_allclose(found[27:], 1.0, rtol=1e-5)


def test_where_most_beats_are_premature_the_slow_ones_are_still_known():
    interval = np.tile([0.5, 0.5, 0.5, 1.0], 30)
    found = features_of(np.cumsum([1.0, *interval]))
    premature = named(found, 101)  # an interval of 0.5 s before it
    assert premature["rr_previous_to_local"] == pytest.approx(0, abs=1e-6)
    assert premature["rr_previous_to_slow"] == pytest.approx(np.log(0.5), abs=1e-6)
    assert premature["rr_slow_to_median"] == pytest.approx(np.log(2), abs=1e-6)
    assert premature["rr_share_long"] == pytest.approx(0.25, abs=0.02)


def test_quantiles_and_spreads_are_those_of_numpy(irregular):
    found = features_of(irregular)
    interval = np.log(np.diff(irregular))
    beat = 500
    previous, past = interval[beat - 1], interval[: beat - 1]
    expected = {
        "rr_previous_to_slow": previous - np.quantile(past[-60:], 0.85),
        "rr_previous_to_fast": previous - np.quantile(past[-60:], 0.15),
        "rr_previous_to_long_mean": previous
        - np.log(np.exp([interval[0], *past]).mean()),
        "rr_spread_10": past[-10:].std(),
        "rr_spread_50": past[-50:].std(),
        "rr_rmssd": np.sqrt(np.mean(np.diff(past[-11:]) ** 2)),
        "rr_irregularity": np.median(np.abs(np.diff(past[-51:]))),
        "rr_rank": np.mean(past[-60:] < previous + np.log(0.95)),
    }
    for name, value in expected.items():
        assert named(found, beat)[name] == pytest.approx(value, abs=1e-3), name


def test_nothing_depends_on_what_follows_the_next_beat(irregular):
    found = features_of(irregular)
    for n_beats in (1, 2, 3, 10, 61, 400):
        shorter = features_of(irregular[: n_beats + 1])
        np.testing.assert_array_equal(shorter[:n_beats], found[:n_beats])


def test_nothing_depends_on_where_the_record_begins(irregular):
    moved = features_of(irregular + 1000)
    np.testing.assert_allclose(moved, features_of(irregular), atol=1e-5)


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3, 12])
def test_few_beats_give_finite_values(n_beats):
    found = features_of(np.arange(n_beats) * 0.8)
    assert found.shape == (n_beats, 28)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("gap", [0.0, 1e-3, 1e4])
def test_impossible_intervals_give_finite_values(gap):
    interval = np.full(40, 0.8)
    interval[20] = gap
    assert np.isfinite(features_of(np.cumsum(interval))).all()


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_simulated_beats_have_them_by_name(form):
    plain = make_heartbeats(60, n_records=3, form=form, random_state=0)
    beats = make_heartbeats(
        60, n_records=3, form=form, features=["rhythm", "rr"], random_state=0
    )
    assert beats.feature_names == [*plain.feature_names, *RR, *RHYTHM]
    np.testing.assert_array_equal(beats.data[plain.feature_names], plain.data)
    first = beats.groups == beats.groups[0]
    # After the last beat the record goes on; before it, all is known.
    np.testing.assert_allclose(
        beats.data.loc[first, [*RR, *RHYTHM]].iloc[:-1],
        features_of(beats.time[first])[:-1],
        rtol=0,
        atol=1e-3,
    )


@pytest.mark.mitbih
def test_real_beats_have_them_from_every_loader():
    how = {"features": list(FEATURE_GROUPS)}
    rows = fetch_mitbih(subset="all", **how)
    windows = fetch_mitbih(form="window", **how)
    plain = fetch_mitbih(subset="all")
    n_features = sum(map(len, FEATURE_GROUPS.values()))
    assert rows.data.shape == (109446, 187 + n_features)
    np.testing.assert_array_equal(rows.data[plain.feature_names], plain.data)
    assert np.isfinite(rows.data.to_numpy()).all()
    names = [*RR, *RHYTHM]
    here = rows.groups == "232"
    there = np.isin(windows.time, rows.time[here]) & (windows.groups == "232")
    known = np.isin(rows.time[here], windows.time[there])
    np.testing.assert_array_equal(
        rows.data.loc[here, names][known], windows.data.loc[there, names]
    )
    folder = MITDB.find(None)
    loaded = load_wfdb_beats(folder, records=["232"], **how)
    np.testing.assert_array_equal(
        loaded.data[names], windows.data.loc[windows.groups == "232", names]
    )
    [batch] = iter_beats(folder, records=["232"], **how)
    np.testing.assert_array_equal(batch.data, loaded.data)
