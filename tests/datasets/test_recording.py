"""Simulated recordings: the beats are where they are said to be, and of their class."""

import numpy as np
import pytest

from ecg_sklearn.datasets import make_recording

CLEAN = {"noise": 0.0, "wander": 0.0, "random_state": 0}
REASONS = ("gap", "flat", "lead off", "clipped", "noise")


@pytest.mark.parametrize("rate", [50, 128, 250, 360.5, 1000, 2000])
@pytest.mark.parametrize("duration", [3, 17.3])
def test_shapes(rate, duration):
    ecg = make_recording(duration, sampling_rate=rate, n_leads=2, random_state=1)
    assert ecg.signal.shape == (int(duration * rate), 2)
    assert ecg.signal.dtype == np.float32
    assert np.isfinite(ecg.signal).all()
    assert ecg.leads == ("II", "V5")
    assert len(ecg.sample) >= 2
    for name in ("time", "symbols", "target", "rhythms"):
        assert len(ecg[name]) == len(ecg.sample)
    np.testing.assert_allclose(ecg.time, ecg.sample / rate)
    assert ecg.gaps.empty
    assert list(ecg.gaps) == ["start", "end", "reason"]


@pytest.mark.parametrize("rate", [50, 250, 1000])
def test_beats_are_at_the_peaks(rate):
    ecg = make_recording(
        120, sampling_rate=rate, ectopy={"V": 0.1, "S": 0.1, "F": 0.1}, **CLEAN
    )
    assert (np.diff(ecg.sample) > 0.2 * rate).all()
    reach = round(0.03 * rate)
    for place in ecg.sample:
        around = np.abs(ecg.signal[max(place - reach, 0) : place + reach + 1, 0])
        assert np.abs(ecg.signal[place, 0]) == around.max()


def test_nothing_but_the_beats_is_as_large():
    ecg = make_recording(60, **CLEAN)
    rate, signal = ecg.sampling_rate, np.abs(ecg.signal[:, 0])
    smallest = signal[ecg.sample].min()
    near = np.zeros(len(signal), dtype=bool)
    for place in ecg.sample:
        near[max(place - int(0.05 * rate), 0) : place + int(0.05 * rate)] = True
    assert signal[~near].max() < smallest


def test_patterns_come_when_they_are_asked_for():
    events = [
        (10, "V"),
        (20.0, "VVV"),
        (30, "VNVNV"),
        (40, "S"),
        (50, "SSS"),
        (55, "F"),
    ]
    ecg = make_recording(60, events=events[::-1], random_state=0)
    beats = "".join(ecg.symbols)
    rr = np.median(np.diff(ecg.time))
    for time, pattern in events:
        pattern = pattern.replace("S", "A")
        # A premature beat comes before the time at which it is due.
        first = np.searchsorted(ecg.time, time - 0.5 * rr)
        assert pattern in beats[first : first + len(pattern) + 1]
    assert beats.count("V") == 7
    assert list(dict.fromkeys(ecg.rhythms)) == ["N", "VT", "B", "SVTA"]
    assert "".join(ecg.symbols[ecg.rhythms == "B"]) == "VNVNV"
    np.testing.assert_array_equal(
        ecg.target, [["N", "A", "V", "F", "/"].index(beat) for beat in beats]
    )


def test_rhythm_around_premature_beats():
    ecg = make_recording(600, ectopy={"V": 0.05, "S": 0.05}, random_state=0)
    rr = np.diff(ecg.time)
    sinus = np.median(rr)
    for symbol, both in (("V", 2.0), ("A", 1.77)):
        places = np.flatnonzero(ecg.symbols == symbol)
        places = places[(places > 0) & (places < len(rr))]
        assert (rr[places - 1] < 0.85 * sinus).all()
        total = (rr[places - 1] + rr[places]).mean()
        assert total == pytest.approx(both * sinus, rel=0.04)


def test_pauses():
    rr = np.diff(make_recording(60, events=[(30, "--")], random_state=0).time)
    assert np.sort(rr)[-1] == pytest.approx(3 * np.median(rr), rel=0.15)
    assert np.sort(rr)[-2] < 1.3 * np.median(rr)


def test_shares_are_met():
    ectopy = {"V": 0.05, "VV": 0.02, "S": 0.1, "VNVNVN": 0.06}
    ecg = make_recording(7200, sampling_rate=50, ectopy=ectopy, random_state=0)
    assert np.mean(ecg.target == 1) == pytest.approx(0.1, abs=0.01)
    assert np.mean(ecg.target == 2) == pytest.approx(0.05 + 0.02 + 0.03, abs=0.01)
    beats = "".join(ecg.symbols)
    assert beats.count("VV") * 2 / len(beats) == pytest.approx(0.02, abs=0.005)
    assert "VVV" not in beats
    assert 60 / np.diff(ecg.time).mean() == pytest.approx(70, abs=3)


def test_atrial_fibrillation_is_irregular_and_has_no_p_waves():
    ecg = make_recording(300, afib=[(100, 200)], **CLEAN)
    inside = (ecg.time > 105) & (ecg.time < 195)
    assert set(ecg.rhythms[inside]) == {"AFIB"}
    assert set(ecg.rhythms[(ecg.time < 95) | (ecg.time > 205)]) == {"N"}
    rr = np.diff(ecg.time)
    assert rr[inside[1:]].std() > 3 * rr[~inside[1:]].std()
    inside = inside[ecg.time > 1]
    p_waves = ecg.sample[ecg.time > 1][:, None] + np.arange(-45, -18)
    windows = ecg.signal[p_waves, 0]
    normal, fibrillating = windows[~inside].mean(axis=0), windows[inside].mean(axis=0)
    assert np.ptp(normal) > 3 * np.ptp(fibrillating)


@pytest.mark.parametrize("reason", REASONS)
def test_stretches_that_cannot_be_read(reason):
    clean = make_recording(60, random_state=0)
    ecg = make_recording(60, unreadable=[(20.0, 30.0, reason)], random_state=0)
    assert ecg.gaps.iloc[0].tolist() == [20.0, 30.0, reason]
    assert not ((ecg.time >= 20) & (ecg.time < 30)).any()
    outside = (clean.time < 20) | (clean.time >= 30)
    np.testing.assert_array_equal(ecg.sample, clean.sample[outside])
    np.testing.assert_array_equal(ecg.signal[:5000], clean.signal[:5000])
    np.testing.assert_array_equal(ecg.signal[7500:], clean.signal[7500:])
    stretch = ecg.signal[5000:7500]
    found = {
        "gap": np.isnan(stretch).all(),
        "flat": np.ptp(stretch) == 0,
        "lead off": (stretch == 5).all(),
        "clipped": np.mean(np.abs(stretch) == 5) > 0.2,
        "noise": stretch.std() > 0.9,
    }
    assert found[reason]


@pytest.mark.parametrize("heart_rate", [20, 200])
@pytest.mark.parametrize("seed", range(10))
def test_short_and_slow_or_fast(heart_rate, seed):
    ecg = make_recording(
        3, heart_rate=heart_rate, ectopy={"V": 0.2, "-": 0.1}, random_state=seed
    )
    assert len(ecg.sample) <= 3 / 0.26
    assert len(ecg.sample) == len(ecg.target) == len(ecg.rhythms)
    assert (np.diff(ecg.sample) > 0).all()
    assert np.isfinite(ecg.signal).all()


def test_noise_has_the_size_that_is_asked_for():
    silent = make_recording(120, **CLEAN).signal
    for name in ("noise", "wander", "muscle"):
        noisy = make_recording(120, **CLEAN | {name: 0.5}).signal
        assert (noisy - silent).std() == pytest.approx(0.5, rel=0.35), name


def test_same_seed_same_recording():
    one, two, other = (make_recording(30, random_state=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.signal, two.signal)
    np.testing.assert_array_equal(one.sample, two.sample)
    assert not np.array_equal(one.sample, other.sample)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [(1, "VX")]}, r"pattern='VX' must be letters of N S V F Q"),
        ({"events": [(60, "V")]}, r"event at 60 s is outside of 0 to 60 s"),
        ({"ectopy": {"": 0.1}}, r"pattern='' must be letters"),
        ({"ectopy": {"V": 0.6}}, r"leave a normal beat behind"),
        ({"ectopy": {"V": -0.1}}, r"none below 0"),
        ({"ectopy": {"VV": 1.0}}, r"leave a normal beat behind"),
        ({"afib": [(20, 10)]}, r"afib from 20 to 10 s must start before it ends"),
        ({"unreadable": [(50, 70, "gap")]}, r"inside 0 to 60 s"),
        ({"unreadable": [(5, 7, "rain")]}, r"reason='rain' is unknown. Use one of"),
        ({"duration": 2}, r"'duration' parameter"),
        ({"sampling_rate": 20}, r"'sampling_rate' parameter"),
    ],
)
def test_errors_say_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_recording(**arguments)


@pytest.mark.slow
def test_a_day():
    ecg = make_recording(86400, ectopy={"V": 0.05}, random_state=0)
    assert ecg.signal.shape == (21_600_000, 1)
    assert len(ecg.sample) > 95_000
