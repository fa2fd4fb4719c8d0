"""Stretches that cannot be read."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from ecg_sklearn.datasets import make_recording
from ecg_sklearn.detection import detect_beats, signal_quality

RATE = 250


def share(stretches, seconds):
    return float((stretches["end"] - stretches["start"]).sum()) / seconds


def test_a_clean_recording_has_none():
    beats = make_recording(
        600, ectopy={"V": 0.05, "VVVVV": 0.02, "S": 0.05}, afib=[(200, 300)],
        random_state=0,
    )  # fmt: skip
    assert len(signal_quality(beats.signal[:, 0], RATE)) == 0


@pytest.mark.parametrize("rate", [128, 250, 500])
def test_each_reason(rate):
    reasons = ["gap", "flat", "lead off", "clipped", "noise"]
    given = [(60 * k + 20, 60 * k + 40, reason) for k, reason in enumerate(reasons)]
    beats = make_recording(320, sampling_rate=rate, unreadable=given, random_state=0)
    found = signal_quality(beats.signal[:, 0], rate)
    assert found["reason"].tolist() == reasons
    np.testing.assert_allclose(found["start"], [g[0] for g in given], atol=2.5)
    np.testing.assert_allclose(found["end"], [g[1] for g in given], atol=2.5)
    assert (found["start"].to_numpy()[1:] >= found["end"].to_numpy()[:-1]).all()


N = 300 * RATE
RNG = np.random.default_rng(0)
WHITE = RNG.normal(size=N)
PINK = np.fft.irfft(
    np.fft.rfft(WHITE) / np.sqrt(np.maximum(np.fft.rfftfreq(N, 1 / RATE), 0.3)), N
)
MUSCLE = sosfilt(butter(2, [20, 100], "bandpass", fs=RATE, output="sos"), WHITE)
HUM = np.sin(2 * np.pi * 50 * np.arange(N) / RATE) + 0.01 * WHITE


@pytest.mark.parametrize(
    "noise", [WHITE, PINK, MUSCLE, HUM], ids=["white", "pink", "muscle", "hum"]
)
def test_pure_noise_is_not_read(noise):
    assert share(signal_quality(noise, RATE), 300) > 0.98


def test_what_a_cardiologist_reads_is_no_noise():
    beats = make_recording(120, random_state=0)
    signal = beats.signal[:, 0].copy()
    t = np.arange(len(signal)) / RATE
    fibrillation = 0.4 * np.sin(2 * np.pi * 5 * t + np.sin(2 * np.pi * 0.7 * t))
    signal[40 * RATE : 70 * RATE] = fibrillation[40 * RATE : 70 * RATE]
    assert len(signal_quality(signal, RATE)) == 0
    pause = beats.signal[:, 0].copy()
    still = slice(40 * RATE, 46 * RATE)
    pause[still] = np.random.default_rng(0).normal(0, 0.01, 6 * RATE)
    assert len(signal_quality(pause, RATE)) == 0


def test_a_recording_and_bad_input():
    beats = make_recording(30, unreadable=[(10, 20, "gap")], random_state=0)

    class Record:
        signal, sampling_rate = beats.signal, RATE

    expected = signal_quality(beats.signal[:, 0], RATE)
    assert signal_quality(Record()).equals(expected)
    with pytest.raises(ValueError, match="sampling_rate is missing"):
        signal_quality(beats.signal[:, 0])
    with pytest.raises(ValueError, match="one lead"):
        signal_quality(np.zeros((100, 2)), RATE)
    for signal in (np.full(1000, np.nan), np.zeros(1000), np.zeros(3)):
        found = signal_quality(signal, RATE)
        assert share(found, len(signal) / RATE) in (0.0, pytest.approx(1.0))


@pytest.mark.slow
def test_hours_of_noise_have_no_beats():
    noise = np.random.default_rng(0).normal(size=8 * 3600 * RATE).astype(np.float32)
    stretches = signal_quality(noise, RATE)
    assert share(stretches, 8 * 3600) > 0.999
    time = detect_beats(noise, RATE) / RATE
    start, end = stretches["start"].to_numpy(), stretches["end"].to_numpy()
    inside = (time[:, None] >= start) & (time[:, None] < end)
    assert inside.any(axis=1).all()
