"""Irregular rhythm: what is found, what is not."""

import numpy as np
import pytest

from ecg_sklearn.aami import DS1
from ecg_sklearn.analysis import analyze_beats
from ecg_sklearn.analysis._irregular import N_INTERVALS, cosen, irregular_episodes
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.datasets._records import _read_annotations
from tests.analysis.conftest import analysed, value


def minutes(letters, rr):
    return value(analysed(letters, rr=np.round(rr * 250) / 250), "irregular_minutes")


def fibrillation(n_beats, seed=0):
    return np.random.default_rng(seed).uniform(0.4, 1.1, n_beats)


def sinus(n_beats):
    time = np.arange(n_beats)
    return 0.8 + 0.05 * np.sin(time / 4) + 0.01 * np.cos(time * 7.3)


def test_cosen_by_its_definition():
    rr = fibrillation(N_INTERVALS)
    first = np.abs(rr[:-1, None] - rr[None, :-1])
    second = np.abs(rr[1:, None] - rr[None, 1:])
    i, j = np.triu_indices(len(rr) - 1, 1)
    one, two = first[i, j], np.maximum(first, second)[i, j]
    tolerance = max(0.03, np.sort(two)[4])
    share = np.sum(two <= tolerance) / np.sum(one <= tolerance)
    expected = -np.log(share) + np.log(2 * tolerance) - np.log(rr.mean())
    assert cosen(rr[None])[0] == pytest.approx(expected, abs=1e-3)


def test_fibrillation_is_found_from_start_to_end():
    found = make_recording(600, afib=[(200, 400)], random_state=0)
    analysis = analyze_beats(
        found.signal, found.sample, found.target, sampling_rate=found.sampling_rate
    )
    (event,) = analysis.events.itertuples()
    assert event.kind == "irregular rhythm"
    assert abs(event.start - 200) < 20
    assert abs(event.end - 400) < 20
    assert value(analysis, "irregular_minutes") == pytest.approx(
        (event.end - event.start) / 60
    )


def test_all_of_a_recording_may_be_irregular():
    rr = fibrillation(200)
    assert minutes("N" * 200, rr) == pytest.approx(rr[1:].sum() / 60, abs=0.01)


@pytest.mark.parametrize(
    ("letters", "rr"),
    [
        ("N" * 200, sinus(200)),
        ("NV" * 100, np.tile([1.15, 0.45], 100)),  # bigeminy
        ("NNV" * 70, np.tile([1.1, 0.8, 0.5], 70)),
        ("NS" * 100, np.tile([1.1, 0.5], 100)),
        ("N" * 40, fibrillation(40)),  # too few intervals
        ("N" * 200, np.linspace(0.5, 1.5, 200)),
    ],
)
def test_what_is_regular(letters, rr):
    assert minutes(letters, rr) == 0


def test_ventricular_beats_do_not_hide_or_make_irregular_rhythm():
    rng = np.random.default_rng(1)
    letters = rng.choice(["N", "V"], 300, p=[0.8, 0.2])
    assert minutes("".join(letters), fibrillation(300)) > 2
    rr = sinus(300)
    early = letters == "V"
    rr[early] = rng.uniform(0.4, 0.6, early.sum())
    assert minutes("".join(letters), rr) == 0


def test_no_window_goes_across_an_unreadable_stretch():
    rr = np.append(fibrillation(40), fibrillation(40, seed=1))
    time = np.cumsum(rr)
    rr[40] = rr[0] = np.nan
    assert len(irregular_episodes(np.full(80, "N"), time, rr)) == 0


@pytest.mark.mitbih
def test_records_of_ds1(mitbih_home):
    true = missed = false = 0.0
    folder = MITDB.find(mitbih_home)
    for name in DS1:
        notes, rate = _read_annotations(folder, name, "atr")
        is_beat = notes.label >= 0
        time, label = notes.sample[is_beat] / rate, notes.label[is_beat]
        is_af = np.isin(notes.rhythm[is_beat], ["AFIB", "AFL"])
        rr = np.diff(time, prepend=np.nan)
        flags = np.zeros(len(rr), dtype=bool)
        for first, last in irregular_episodes(np.array(list("NSVFQ"))[label], time, rr):
            flags[first + 1 : last + 1] = True
        true += np.nansum(rr[is_af & flags])
        missed += np.nansum(rr[is_af & ~flags])
        false += np.nansum(rr[~is_af & flags])
    assert true / (true + missed) > 0.99
    assert false < 300  # s of eleven hours
