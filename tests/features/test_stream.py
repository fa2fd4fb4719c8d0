"""Features of a stream are those of the record, to the last bit."""

import numpy as np
import pytest

from ecg_sklearn.features import (
    CAUSAL_GROUPS,
    morphology_features,
    rhythm_features,
    rr_features,
)
from ecg_sklearn.features._morphology import NO_BEAT, cut_waves
from ecg_sklearn.features._stream import CausalFeatures

RATE = 100.0


@pytest.fixture(params=["irregular", "regular"])
def record(request):
    """A signal and 1500 beats: more than any feature looks back."""
    rng = np.random.default_rng(0)
    interval = rng.integers(15, 600, size=1500)
    if request.param == "regular":
        interval[:] = 80
    sample = 50 + np.cumsum(interval)
    signal = rng.normal(size=sample[-1] + 100).cumsum().astype(np.float32)
    return signal, sample


def of_record(signal, sample):
    time = sample / RATE
    columns = [rr_features(time), morphology_features(signal, sample, RATE)]
    return np.hstack([*columns, rhythm_features(time)])


@pytest.mark.parametrize(
    ("n_beats", "step"),
    [
        (1, 1),
        (2, 1),
        (2, 7),
        (1500, 601),
        (1500, 5000),
        pytest.param(1500, 1, marks=pytest.mark.slow),
        pytest.param(1500, 7, marks=pytest.mark.slow),
    ],
)
def test_in_blocks_of_beats(record, n_beats, step):
    signal, sample = record[0], record[1][:n_beats]
    following = np.append(sample[1:], NO_BEAT)
    waves = cut_waves(signal, sample, following, RATE)
    time = sample / RATE
    next_time = np.append(time[1:], np.nan)
    features = CausalFeatures(list(CAUSAL_GROUPS))
    found = [
        features.extend(time[rows], next_time[rows], waves[rows])
        for rows in (slice(k, k + step) for k in range(0, n_beats, step))
    ]
    np.testing.assert_array_equal(np.concatenate(found), of_record(signal, sample))


def test_no_new_beat_changes_nothing(record):
    signal, sample = record
    following = np.append(sample[1:], NO_BEAT)
    waves = cut_waves(signal, sample, following, RATE)
    time = sample / RATE
    next_time = np.append(time[1:], np.nan)
    features = CausalFeatures(list(CAUSAL_GROUPS))
    for rows in (slice(0, 0), slice(0, 700), slice(0, 0), slice(700, None)):
        last = features.extend(time[rows], next_time[rows], waves[rows])
        empty = features.extend(time[:0], time[:0], waves[:0])
        assert empty.shape == (0, 38)
    np.testing.assert_array_equal(last, of_record(signal, sample)[700:])


def test_the_waves_of_a_part_of_the_signal(record):
    signal, sample = record
    some, following = sample[700:710], sample[701:711]
    whole = cut_waves(signal, some, following, RATE)
    first = some[0] - 40
    part = cut_waves(signal[first : some[-1] + 60], some, following, RATE, first)
    np.testing.assert_array_equal(part, whole)
