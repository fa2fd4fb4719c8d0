"""Marks that are moved to the main deflection."""

import numpy as np
import pytest

from ecg_sklearn.datasets import make_recording
from ecg_sklearn.detection import align_beats, detect_beats

RATE = 250


@pytest.fixture(scope="module")
def beats():
    return make_recording(300, ectopy={"V": 0.1, "S": 0.05}, random_state=0)


def test_the_peak_is_found(beats):
    moved = align_beats(beats.signal[:, 0], RATE, beats.sample)
    assert np.mean(np.abs(moved - beats.sample) <= 2) > 0.97


@pytest.mark.parametrize("shift", [-0.03, -0.016, 0.012, 0.03])
def test_marks_that_are_early_or_late(beats, shift):
    signal = beats.signal[:, 0]
    expected = align_beats(signal, RATE, beats.sample)
    shifted = beats.sample + round(shift * RATE)
    moved = align_beats(signal, RATE, shifted)
    assert np.mean(moved == expected) > 0.98


@pytest.mark.parametrize("change", [lambda x: -x, lambda x: 5 * x, lambda x: x + 2])
def test_gain_offset_and_polarity(beats, change):
    signal = beats.signal[:, 0].astype(np.float64)
    expected = align_beats(signal, RATE, beats.sample)
    np.testing.assert_array_equal(
        align_beats(change(signal), RATE, beats.sample), expected
    )


def test_detected_beats_stay(beats):
    signal = beats.signal[:, 0]
    found = detect_beats(signal, RATE)
    assert np.mean(align_beats(signal, RATE, found) == found) > 0.99


def test_any_number_and_order_of_marks(beats):
    signal = beats.signal[:, 0]
    assert align_beats(signal, RATE, []).shape == (0,)
    every = align_beats(signal, RATE, beats.sample)
    one = [align_beats(signal, RATE, [mark])[0] for mark in beats.sample[:20]]
    assert one == every[:20].tolist()
    edges = align_beats(signal, RATE, [0, len(signal) - 1, len(signal)])
    assert ((edges >= 0) & (edges < len(signal))).all()
    with pytest.raises(ValueError, match="go from -1 to"):
        align_beats(signal, RATE, [-1, 100])


@pytest.mark.mitbih
def test_real_marks(mitbih_home):
    import wfdb

    from ecg_sklearn.aami import SYMBOL_TO_CLASS
    from ecg_sklearn.datasets._published import MITDB

    same = []
    for name in ("101", "106", "119", "208", "223"):  # of DS1
        path = str(MITDB.find(mitbih_home) / name)
        signal = wfdb.rdrecord(path, channels=[0]).p_signal[:, 0]
        notes = wfdb.rdann(path, "atr")
        marks = notes.sample[[s in SYMBOL_TO_CLASS for s in notes.symbol]]
        expected = align_beats(signal, 360, marks)
        for shift in (-11, 11):  # 30 ms
            shifted = np.clip(marks + shift, 0, len(signal) - 1)
            moved = align_beats(signal, 360, shifted)
            same.append(np.mean(np.abs(moved - expected) <= 1))
    assert np.mean(same) > 0.99
