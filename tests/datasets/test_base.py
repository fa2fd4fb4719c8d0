"""RR intervals and the Kaggle cut, against values computed by hand."""

import numpy as np
import pytest

from ecg_sklearn.datasets._cut import cut_kaggle_beats, rr_intervals


def test_rr_intervals_by_hand():
    rr = rr_intervals(np.array([0, 360, 720, 1260]), 360.0, n_local=2)
    mean = (1 + 1 + 1.5) / 3
    expected = [
        [mean, 1.0, mean, mean],
        [1.0, 1.0, (mean + 1) / 2, mean],
        [1.0, 1.5, 1.0, mean],
        [1.5, mean, 1.25, mean],
    ]
    np.testing.assert_allclose(rr, expected, rtol=1e-6)


@pytest.mark.parametrize("n_beats", [0, 1])
def test_rr_intervals_need_two_beats(n_beats):
    rr = rr_intervals(np.arange(n_beats), 360.0)
    assert rr.shape == (n_beats, 4)
    assert np.isnan(rr).all()


def test_kaggle_cut_by_hand():
    signal = np.arange(1000)
    sample = np.array([10, 100, 200, 500])
    beats = cut_kaggle_beats(signal, sample, np.array([0, 2]))
    assert beats.shape == (2, 187)
    assert beats.dtype == np.float32
    # From 10 to 100 + int(0.2 * 100) = 120, every third sample: 37 of them.
    np.testing.assert_allclose(beats[0, :37], np.arange(37) / 36, rtol=1e-6)
    assert not beats[0, 37:].any()
    # From 200 to 500 + 0.2 * (1000 - 500) = 600: the record's end stands in.
    assert np.count_nonzero(beats[1]) == 133
    assert beats[1, 133] == 1.0


def test_kaggle_cut_of_a_flat_or_long_segment():
    sample = np.array([0, 3000, 6000])
    assert not cut_kaggle_beats(np.full(7000, 5), sample, np.array([0])).any()
    long = cut_kaggle_beats(np.arange(7000), sample, np.array([0]))
    assert long.max() < 1  # scaled by the whole segment, then cut
