"""The rhythm of beats: by hand, blind to the future, the same from every loader."""

import numpy as np
import pytest

from ecg_sklearn.datasets import (
    CONTEXT_NAMES,
    RHYTHM_NAMES,
    fetch_mitbih,
    iter_beats,
    load_wfdb_beats,
    make_heartbeats,
)
from ecg_sklearn.datasets._mitbih_files import find_mitbih
from ecg_sklearn.features._rr import close_rhythm, rhythm_features


def named(features, beat):
    return dict(zip(RHYTHM_NAMES, features[beat], strict=True))


@pytest.fixture
def irregular():
    """Times of 700 beats, some of them close together."""
    return np.cumsum(np.random.default_rng(0).uniform(0.2, 1.6, size=700))


def test_names():
    assert len(set(RHYTHM_NAMES)) == len(RHYTHM_NAMES) == 28
    n_close = sum(name.startswith("rr_") for name in CONTEXT_NAMES)
    assert RHYTHM_NAMES[:n_close] == CONTEXT_NAMES[:n_close]


def test_a_premature_beat_by_hand():
    # Intervals of 1 s, then one of 0.5 s with a pause of 1.5 s behind it.
    interval = [1.0] * 30 + [0.5, 1.5]
    time = np.cumsum([2.0, *interval])
    found = named(rhythm_features(time), 31)
    for name in ("mean", "long_mean", "slow", "fast", "longest", "shortest"):
        assert found[f"rr_previous_to_{name}"] == pytest.approx(np.log(0.5)), name
    for name in ("long_mean", "slow"):
        assert found[f"rr_next_to_{name}"] == pytest.approx(np.log(1.5)), name
    # Of the past, which is the same all along, nothing else is told.
    for name in RHYTHM_NAMES[-7:]:
        assert found[name] == pytest.approx(0, abs=1e-6), name
    assert found["rr_rank"] == 0
    assert named(rhythm_features(time), 32)["rr_rank"] == pytest.approx(1.0)


def test_where_most_beats_are_premature_the_slow_ones_are_still_known():
    interval = np.tile([0.5, 0.5, 0.5, 1.0], 30)
    found = rhythm_features(np.cumsum([1.0, *interval]))
    premature = named(found, 101)  # an interval of 0.5 s before it
    assert premature["rr_previous_to_local"] == pytest.approx(0, abs=1e-6)
    assert premature["rr_previous_to_slow"] == pytest.approx(np.log(0.5), abs=1e-6)
    assert premature["rr_slow_to_usual"] == pytest.approx(np.log(2), abs=1e-6)
    assert premature["rr_share_long"] == pytest.approx(0.25, abs=0.02)


def test_quantiles_and_spreads_are_those_of_numpy(irregular):
    found = rhythm_features(irregular)
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
        "rr_roughness": np.sqrt(np.mean(np.diff(past[-11:]) ** 2)),
        "rr_irregularity": np.median(np.abs(np.diff(past[-51:]))),
        "rr_rank": np.mean(past[-60:] < previous + np.log(0.95)),
    }
    for name, value in expected.items():
        assert named(found, beat)[name] == pytest.approx(value, abs=1e-3), name


def test_nothing_rests_on_what_comes_behind_the_next_beat(irregular):
    found = rhythm_features(irregular)
    for n_beats in (1, 2, 3, 10, 61, 400):
        shorter = rhythm_features(irregular[: n_beats + 1])
        np.testing.assert_array_equal(shorter[:n_beats], found[:n_beats])


def test_nothing_rests_on_where_the_record_begins(irregular):
    moved = rhythm_features(irregular + 1000)
    np.testing.assert_allclose(moved, rhythm_features(irregular), atol=1e-5)


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3, 12])
def test_few_beats_give_finite_values(n_beats):
    found = rhythm_features(np.arange(n_beats) * 0.8)
    assert found.shape == (n_beats, 28)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize("gap", [0.0, 1e-3, 1e4])
def test_impossible_intervals_give_finite_values(gap):
    interval = np.full(40, 0.8)
    interval[20] = gap
    assert np.isfinite(rhythm_features(np.cumsum(interval))).all()


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_simulated_beats_have_it_behind_their_samples(form):
    plain = make_heartbeats(60, n_records=3, form=form, random_state=0)
    beats = make_heartbeats(60, n_records=3, form=form, rhythm=True, random_state=0)
    assert (plain.n_rhythm, beats.n_rhythm, beats.n_context) == (0, 28, 0)
    np.testing.assert_array_equal(beats.data[:, :-28], plain.data)
    assert "RHYTHM_NAMES" in beats.DESCR
    assert "RHYTHM_NAMES" not in plain.DESCR
    first = beats.groups == beats.groups[0]
    close = close_rhythm(beats.time[first])
    # Behind the last beat the record goes on; before it, all is known.
    np.testing.assert_allclose(
        beats.data[first, -28:-16][:-1], close[:-1], rtol=0, atol=1e-4
    )


@pytest.mark.mitbih
def test_real_beats_have_it_from_every_loader():
    how = {"context": True, "rhythm": True}
    rows = fetch_mitbih(subset="all", **how)
    windows = fetch_mitbih(form="window", **how)
    plain = fetch_mitbih(subset="all")
    assert rows.data.shape == (109446, 187 + 22 + 28)
    assert (rows.n_context, rows.n_rhythm) == (22, 28)
    np.testing.assert_array_equal(rows.data[:, :187], plain.data)
    assert np.isfinite(rows.data).all()
    here = rows.groups == "232"
    there = np.isin(windows.time, rows.time[here]) & (windows.groups == "232")
    known = np.isin(rows.time[here], windows.time[there])
    np.testing.assert_array_equal(
        rows.data[here, -28:][known], windows.data[there, -28:]
    )
    folder = find_mitbih(None)
    loaded = load_wfdb_beats(folder, records=["232"], **how)
    np.testing.assert_array_equal(
        loaded.data[:, -28:], windows.data[windows.groups == "232", -28:]
    )
    [batch] = iter_beats(folder, records=["232"], **how)
    np.testing.assert_array_equal(batch.data, loaded.data)
    assert batch.n_rhythm == 28
