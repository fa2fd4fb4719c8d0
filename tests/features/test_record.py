"""Features of the whole record: by hand, blind to labels, always finite, any rate."""

import numpy as np
import pytest

from ecg_sklearn.datasets import load_wfdb_beats, make_heartbeats, make_recording
from ecg_sklearn.datasets._cut import cut_record, make_cut
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.datasets._records import Annotations
from ecg_sklearn.features import (
    CAUSAL_GROUPS,
    FEATURE_GROUPS,
    RECORD_GROUPS,
    record_rr_features,
    record_waves_features,
)
from ecg_sklearn.features._groups import beat_features
from ecg_sklearn.io._wfdb import Signal

RR = FEATURE_GROUPS["record_rr"]
WAVES = [*FEATURE_GROUPS["record_morphology"], *FEATURE_GROUPS["record_shape"]]
RATE = 250.0


def waves(time, *, width=1.0, p=0.15):
    """Waves P, Q, R, S and T of a beat at time 0."""
    shape = [(p, -0.16, 0.022), (-0.1, -0.03, 0.01), (1.0, 0.0, 0.012)]
    shape += [(-0.2, 0.035, 0.012), (0.3, 0.27, 0.05)]
    return sum(
        height * np.exp(-0.5 * ((time - centre * width) / (sigma * width)) ** 2)
        for height, centre, sigma in shape
    )


def record(interval, **unusual):
    """A signal with a beat after each interval, and their positions.

    ``unusual`` holds the options of single beats, by number.
    """
    times = np.cumsum(interval)
    time = np.arange(round((times[-1] + 1) * RATE)) / RATE
    signal = np.zeros(len(time))
    for number, beat in enumerate(times):
        signal += waves(time - beat, **unusual.get(f"beat_{number}", {}))
    return signal, np.rint(times * RATE).astype(int)


def of_rr(interval):
    """Columns of the RR intervals by name."""
    columns = record_rr_features(np.cumsum(interval)).T
    return dict(zip(RR, columns, strict=True))


def of_waves(signal, sample, rate=RATE):
    """Columns of the waves by name."""
    columns = record_waves_features(signal, sample, rate).T
    return dict(zip(WAVES, columns, strict=True))


def test_intervals_by_hand():
    interval = np.full(200, 0.8)
    interval[[60, 61]] = 0.4, 1.2
    found = of_rr(interval)
    early, late = np.log(0.5), np.log(1.5)
    for name in ("quantile_50", "median_51", "median_17", "slow_25", "slow_121"):
        assert found[f"rr_previous_to_{name}"][60] == pytest.approx(early, abs=1e-6)
    assert found["rr_next_to_median_17"][60] == pytest.approx(late, abs=1e-6)
    assert found["rr_previous_to_longest_10"][60] == pytest.approx(early - late)
    assert found["rr_previous_to_shortest_10"][60] == pytest.approx(0)
    assert found["rr_rank_20"][60] == 0
    assert found["rr_record_rank"][60] == 0
    assert found["rr_record_rank"][61] == pytest.approx(198 / 199)
    assert found["rr_change_31"][60] == pytest.approx(0)
    # The future counts: a beat before the early one has it among its ten.
    assert found["rr_previous_to_shortest_10"][57] == pytest.approx(-early)


def test_where_most_beats_are_premature_the_slow_interval_is_still_known():
    interval = np.tile([0.7, 0.7, 0.7, 1.8], 100)
    found = of_rr(interval)
    early = np.log(0.7 / 1.8)
    assert found["rr_previous_to_quantile_50"][201] == pytest.approx(0, abs=1e-6)
    for name in ("slow_25", "slow_121", "quantile_90"):
        assert found[f"rr_previous_to_{name}"][201] == pytest.approx(early, abs=1e-5)


def test_clusters_by_hand():
    interval = np.full(100, 0.8)
    wide = [20, 40, 60, 80]
    interval[wide], interval[np.add(wide, 1)] = 0.5, 1.1
    options = {f"beat_{n}": {"width": 3.0, "p": 0.0} for n in wide}
    found = of_waves(*record(interval, **options))
    is_wide = np.isin(np.arange(100), wide)
    np.testing.assert_array_equal(found["cluster"], is_wide)
    np.testing.assert_array_equal(found["in_reference_cluster"], ~is_wide)
    np.testing.assert_allclose(found["cluster_share"][is_wide], 0.04)
    early = np.log(0.5 / 0.8)
    np.testing.assert_allclose(found["cluster_prematurity"][is_wide], early, atol=1e-6)
    np.testing.assert_allclose(
        found["cluster_rr_next"][is_wide], np.log(1.1 / 0.8), atol=1e-6
    )
    assert (found["cluster_width"][is_wide] > 2 * found["cluster_width"][0]).all()
    assert (found["qrs_width_to_reference"][is_wide] > 0.5).all()
    assert (found["p_similarity_to_usual"][is_wide] < 0.9).all()
    assert (found["p_similarity_to_usual"][2:19] > 0.99).all()
    same = found["same_cluster_as_previous"]
    np.testing.assert_array_equal(
        np.flatnonzero(same[1:] == 0) + 1, [20, 21, 40, 41, 60, 61, 80, 81]
    )
    np.testing.assert_array_equal(found["same_cluster_as_next"][:-1], same[1:])
    usual = np.array([found[name] for name in FEATURE_GROUPS["record_shape"]])
    assert np.abs(usual[:, 2:19]).max() < 0.2
    assert np.abs(usual[:, 20]).max() > 1


def test_the_reference_is_not_the_largest_cluster_where_wide_early_beats_dominate():
    interval = np.tile([0.5, 0.5, 1.4], 60)
    wide = [n for n in range(180) if n % 3 < 2]
    options = {f"beat_{n}": {"width": 3.0} for n in wide}
    found = of_waves(*record(interval, **options))
    is_wide = np.isin(np.arange(180), wide)
    np.testing.assert_array_equal(found["cluster"] == 0, is_wide)
    np.testing.assert_array_equal(found["in_reference_cluster"], ~is_wide)


def test_the_usual_p_wave_is_that_of_beats_after_long_intervals():
    interval = np.tile([0.6, 0.6, 1.2], 60)
    options = {f"beat_{n}": {"p": -0.15} for n in range(180) if n % 3 < 2}
    found = of_waves(*record(interval, **options))
    late = np.arange(180) % 3 == 2
    assert (found["p_similarity_to_slow"][late] > 0.99).all()
    assert (found["p_similarity_to_slow"][~late] < 0.7).all()


def test_the_unit_the_rate_and_the_offset_make_no_difference():
    recording = make_recording(120, random_state=0)
    signal, rate = recording.signal[:, 0].astype(float), recording.sampling_rate
    found = record_waves_features(signal, recording.sample, rate)
    other = record_waves_features(1000 * signal - 7, recording.sample, rate)
    np.testing.assert_allclose(other, found, atol=2e-3)
    twice = np.repeat(signal, 2)  # held samples: nearly the same signal
    other = record_waves_features(twice, 2 * recording.sample + 0.5, 2 * rate)
    assert np.median(np.abs(other - found)) < 0.02


def test_long_signals_are_filtered_in_blocks(monkeypatch):
    recording = make_recording(180, random_state=0)
    told = recording.signal[:, 0], recording.sample, recording.sampling_rate
    found = record_waves_features(*told)
    monkeypatch.setattr("ecg_sklearn.features._record._BLOCK", 20.0)
    np.testing.assert_allclose(record_waves_features(*told), found, atol=0.02)


def test_gaps_are_interpolated_and_do_not_spread():
    recording = make_recording(120, random_state=0)
    signal, rate = recording.signal[:, 0].astype(float), recording.sampling_rate
    gap = signal.copy()
    start, stop = (round(second * rate) for second in (60, 62))
    gap[start:stop] = np.nan
    found = record_waves_features(gap, recording.sample, rate)
    assert np.isfinite(found).all()
    far = (recording.sample < start - 3 * rate) | (recording.sample > stop + 3 * rate)
    before = record_waves_features(signal, recording.sample, rate)
    shape = [WAVES.index(name) for name in FEATURE_GROUPS["record_shape"]]
    assert np.median(np.abs(found - before)[np.ix_(far, shape)]) < 0.05


@pytest.mark.parametrize("group", CAUSAL_GROUPS)
def test_causal_groups_do_not_know_the_future(group):
    recording = make_recording(120, random_state=0)
    signal, sample = recording.signal[:, 0], recording.sample
    rate = recording.sampling_rate
    found = beat_features([group], signal, sample, rate)
    for n in (5, 30, 80):
        end = sample[n + 1]
        early = beat_features([group], signal[:end], sample[: n + 2], rate)
        np.testing.assert_array_equal(early[: n + 1], found[: n + 1])


@pytest.mark.parametrize("group", sorted(set(FEATURE_GROUPS) - set(CAUSAL_GROUPS)))
def test_record_groups_know_the_future(group):
    recording = make_recording(120, random_state=0)
    signal, sample = recording.signal[:, 0], recording.sample
    rate = recording.sampling_rate
    found = beat_features([group], signal, sample, rate)
    early = beat_features([group], signal[: sample[41]], sample[:41], rate)
    assert (early[:30] != found[:30]).any()


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_labels_make_no_difference(form):
    recording = make_recording(60, random_state=0)
    signal, sample = recording.signal[:, 0], recording.sample
    found = []
    for symbol, label, rhythm in (("N", 0, "N"), ("V", 2, "VT")):
        notes = Annotations(sample, *np.full((3, len(sample)), symbol))
        notes = notes._replace(
            label=np.full(len(sample), label), rhythm=np.full(len(sample), rhythm)
        )
        window = (-0.1, 0.1) if form == "window" else None
        cut = make_cut("II", form, window, features=list(RECORD_GROUPS))
        whole = Signal(signal, recording.sampling_rate, "II")
        found.append(cut_record("r", whole, notes, cut).data)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(2000),
        np.full(2000, np.nan),
        np.where(np.arange(2000) % 300, 0.5, np.inf),
        np.random.default_rng(0).normal(size=2000) * 1e6,
        np.random.default_rng(0).normal(size=2000) * 1e-9,
        np.zeros(5),
        np.arange(5),
        np.zeros(1),
    ],
)
@pytest.mark.parametrize("spacing", [0, 1, 3, 400])
def test_always_finite(signal, n_beats, spacing):
    sample = np.minimum(spacing * np.arange(n_beats), len(signal) - 1)
    for found in (
        record_waves_features(signal, sample, 360.0),
        record_rr_features(sample / 360.0),
    ):
        assert found.shape[0] == n_beats
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        assert (np.abs(found) <= 10).all()


def test_loaders_give_them_by_name():
    beats = make_heartbeats(60, features=list(RECORD_GROUPS), random_state=0)
    names = [name for group in RECORD_GROUPS for name in FEATURE_GROUPS[group]]
    assert beats.feature_names[187:] == names
    assert np.isfinite(beats.data[names].to_numpy()).all()


@pytest.mark.mitbih
def test_where_atrial_beats_dominate_the_slow_interval_is_the_sinus_rhythm():
    beats = load_wfdb_beats(
        MITDB.find(None), records=["232"], features=["record_rr"], align="peak"
    )
    ratio = beats.data["rr_previous_to_slow_25"].to_numpy()
    is_premature = beats.target == 1
    assert np.median(ratio[is_premature]) < -0.4
    assert np.median(ratio[~is_premature]) > -0.15
