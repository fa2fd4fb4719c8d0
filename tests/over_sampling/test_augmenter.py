"""Varied copies of beats against values by hand; numbers of beats by class."""

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from scipy.ndimage import map_coordinates
from sklearn.base import clone

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.over_sampling import BeatAugmenter, PresentClasses
from ecg_sklearn.over_sampling._augmenter import _at_columns


@pytest.fixture(scope="module")
def imbalanced():
    return make_heartbeats(
        120, weights=[90, 12, 10, 3, 5], random_state=0, return_X_y=True
    )


def test_a_class_that_a_fold_lacks_is_left_out(imbalanced):
    X, y = imbalanced
    strategy = PresentClasses({1: 20, 7: 30})
    assert clone(strategy, safe=False) == strategy
    assert repr(strategy) == "PresentClasses({1: 20, 7: 30})"
    smote = SMOTE(sampling_strategy=strategy, random_state=0)
    with pytest.warns(UserWarning, match=r"names the classes \[7\], and y holds"):
        _, resampled = smote.fit_resample(X, y)
    np.testing.assert_array_equal(np.bincount(resampled), [90, 20, 10, 3, 5])


STILL = {"stretch": 0, "shift": 0, "gain": 0, "wander": 0}


def varied(X, **params):
    """The copies alone, one of each beat."""
    augmenter = BeatAugmenter(random_state=0, **STILL | params)
    return augmenter.fit_resample(X, np.arange(len(X)) % 2)[0][len(X) :]


class TestBeatAugmenter:
    def test_copies_that_are_not_varied(self, imbalanced):
        X, y = imbalanced
        augmenter = BeatAugmenter({0: 1, 3: 4}, **STILL)
        found, labels = augmenter.fit_resample(X, y)
        copies = np.concatenate([np.flatnonzero((y == 0) | (y == 3))] + 3 * [
            np.flatnonzero(y == 3)
        ])  # fmt: skip
        np.testing.assert_array_equal(found[:120], X)
        np.testing.assert_allclose(found[120:], X[copies], atol=1e-6)
        np.testing.assert_array_equal(labels, np.concatenate([y, y[copies]]))
        assert augmenter.sampling_strategy_ == {0: 90, 3: 12}
        assert found.dtype == np.float32

    def test_a_ramp_that_is_stretched_about_its_center(self):
        ramp = np.tile(np.arange(100.0), (3000, 1))
        found = varied(ramp, stretch=0.05, center=0.5, sampling_rate=80.0)
        np.testing.assert_allclose(found[:, 40], 40)
        factor = found[:, 60] - found[:, 40]
        np.testing.assert_allclose(found[:, 30], 40 - factor / 2, atol=1e-4)
        assert np.std(np.log(factor / 20)) == pytest.approx(0.05, rel=0.05)
        longer = factor > 20
        assert longer.any()
        wanted = 40 + 59 * factor[longer] / 20  # where it looks at the end
        mirrored = np.where(wanted > 99, 198 - wanted, wanted)
        # A spline rounds the tip of a mirrored ramp.
        np.testing.assert_allclose(found[longer, 99], mirrored, atol=0.5)
        assert found.min() > -0.5
        assert found.max() < 99.5

    def test_a_ramp_that_is_shifted(self):
        ramp = np.tile(np.arange(50.0), (3000, 1))
        found = varied(ramp, shift=0.05, sampling_rate=100.0)[:, 25] - 25
        assert -5 <= found.min() < -4.9
        assert 4.9 < found.max() <= 5
        assert np.std(found) == pytest.approx(10 / 12**0.5, rel=0.05)

    @pytest.mark.parametrize(("frequency", "kept"), [(10, 0.99), (30, 0.95)])
    def test_a_shift_leaves_fast_waves_their_power(self, frequency, kept):
        turns = frequency * np.arange(108) / 120
        phase = np.random.default_rng(0).uniform(size=(500, 1))
        waves = np.sin(2 * np.pi * (turns + phase))
        power = (varied(waves, shift=0.02)[:, 5:-5] ** 2).mean()
        assert power > kept * (waves[:, 5:-5] ** 2).mean()

    @pytest.mark.parametrize("n_times", [2, 3, 30])
    def test_places_between_samples_as_scipy_reads_them(self, n_times):
        rng = np.random.default_rng(0)
        beats = rng.normal(size=(6, n_times))
        place = rng.uniform(-2 * n_times, 3 * n_times, size=(6, 40))
        expected = [
            map_coordinates(beat, [at], order=3, mode="mirror")
            for beat, at in zip(beats, place, strict=True)
        ]
        np.testing.assert_allclose(_at_columns(beats, place), expected, atol=1e-12)

    def test_a_baseline_that_wanders(self):
        found = varied(np.zeros((2000, 1000)), wander=0.5, sampling_rate=100.0)
        height = np.abs(found).max(axis=1)  # ten seconds: at least one whole turn
        assert np.sqrt((height**2).mean()) == pytest.approx(0.5, rel=0.05)
        power = np.abs(np.fft.rfft(found * np.hanning(1000))) ** 2
        slow = power[:, :10].sum(axis=1)  # below 1 Hz
        assert (slow > 0.98 * power.sum(axis=1)).all()

    def test_features_stay(self, imbalanced):
        X, y = imbalanced
        X = np.hstack([X, np.arange(len(X) * 2.0).reshape(-1, 2)]).astype(np.float32)
        augmenter = BeatAugmenter(2, sample_columns=slice(187), random_state=0)
        found, _ = augmenter.fit_resample(X, y)
        np.testing.assert_array_equal(found[:, -2:], np.tile(X[:, -2:], (3, 1)))
        assert (found[120:240, :-2] != X[:, :-2]).any(axis=1).all()
        names = [*(f"t{i:03d}" for i in range(187)), "a", "b"]
        table = pd.DataFrame(X, columns=names)[["a", *names[:187], "b"]]
        table.attrs = {"cut": {"form": "kaggle"}}
        named, _ = BeatAugmenter(2, random_state=0).fit_resample(table, y)
        np.testing.assert_array_equal(named[names], found)
        assert named.attrs == table.attrs

    def test_a_seed_gives_the_same_copies(self, imbalanced):
        X, y = imbalanced
        augmenter = BeatAugmenter(2, random_state=0)
        one, _ = augmenter.fit_resample(X, y)
        two, _ = clone(augmenter).fit_resample(X, y)
        other, _ = augmenter.set_params(random_state=1).fit_resample(X, y)
        np.testing.assert_array_equal(one, two)
        assert (other[120:] != one[120:]).any(axis=1).all()
        assert (one[120:240] != one[240:]).any(axis=1).all()  # each by itself

    def test_tables_and_names(self, imbalanced):
        X, y = imbalanced
        table = pd.DataFrame(X).rename(columns="c{}".format)
        names = pd.Series(np.array(list("NSVFQ"))[y])
        augmenter = BeatAugmenter({"Q": 1}, random_state=0)
        found, labels = augmenter.fit_resample(table, names)
        assert list(found.columns) == list(table.columns)
        assert labels[120:].tolist() == ["Q"] * 5
        assert augmenter.feature_names_in_[0] == "c0"

    def test_fit_counts(self, imbalanced):
        augmenter = BeatAugmenter({0: 2}).fit(*imbalanced)
        assert augmenter.sampling_strategy_ == {0: 180}
        with pytest.raises(ValueError, match="chooses no column"):
            BeatAugmenter(sample_columns=[]).fit(*imbalanced)

    def test_copies_of_a_class_that_a_fold_lacks(self, imbalanced):
        with pytest.warns(UserWarning, match=r"n_copies names the classes \[7\]"):
            found, _ = BeatAugmenter({7: 1, 3: 1}).fit_resample(*imbalanced)
        assert len(found) == 123

    def test_no_copies(self, imbalanced):
        X, y = imbalanced
        for none in (0, {}):
            found, labels = BeatAugmenter(none).fit_resample(X, y)
            np.testing.assert_array_equal(found, X)
            np.testing.assert_array_equal(labels, y)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"n_copies": {0: -1}}, "of class 0 is -1, not a whole number"),
            ({"n_copies": {0: 0.5}}, "of class 0 is 0.5, not a whole number"),
            ({"n_copies": {0: 10**9}}, "not a whole number from 0 to 1000"),
            ({"n_copies": 10**20}, "'n_copies' parameter"),
            ({"n_copies": -1}, "'n_copies' parameter"),
            ({"sample_columns": [186]}, "chooses one sample of a beat"),
            ({"stretch": 1.5}, "'stretch' parameter"),
            ({"shift": np.inf}, "'shift' parameter"),
        ],
    )
    def test_parameters(self, params, message, imbalanced):
        with pytest.raises(ValueError, match=message):
            BeatAugmenter(**params).fit_resample(*imbalanced)
