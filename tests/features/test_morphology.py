"""Features of morphology: by hand, causal, blind to labels, always finite."""

import numpy as np
import pytest

from ecg_sklearn.datasets import fetch_mitbih, load_wfdb_beats, make_heartbeats
from ecg_sklearn.datasets._cut import cut_record, make_cut
from ecg_sklearn.datasets._records import Annotations
from ecg_sklearn.features import FEATURE_GROUPS, morphology_features
from ecg_sklearn.io._wfdb import Signal

NAMES = FEATURE_GROUPS["morphology"]
_ALL = list(FEATURE_GROUPS)


def column(features, name):
    return features[:, NAMES.index(name)]


def waves(time, *, size=1.0, width=1.0):
    """Waves P, Q, R, S and T of a beat at time 0."""
    shape = [(0.15, -0.17, 0.022), (-0.1, -0.03, 0.01), (1.0, 0.0, 0.012)]
    shape += [(-0.2, 0.035, 0.012), (0.3, 0.27, 0.05)]
    return size * sum(
        height * np.exp(-0.5 * ((time - centre * width) / (sigma * width)) ** 2)
        for height, centre, sigma in shape
    )


def record(beat_times, rate=250.0, **unusual):
    """A signal with a beat at each time; ``unusual`` is for the last but one."""
    time = np.arange(round((beat_times[-1] + 1) * rate)) / rate
    signal = np.zeros(len(time))
    for number, beat_time in enumerate(beat_times):
        options = unusual if number == len(beat_times) - 2 else {}
        signal += waves(time - beat_time, **options)
    return signal, np.rint(np.asarray(beat_times) * rate).astype(int)


@pytest.fixture
def noisy():
    """A record of noise with irregular beats, some of them close together."""
    rng = np.random.default_rng(0)
    sample = np.cumsum(rng.integers(40, 400, size=70))
    return rng.normal(size=sample[-1] + 300), sample


def test_equal_beats_are_alike():
    features = morphology_features(*record(np.arange(1, 30)), 250.0)
    similarity = [i for i, name in enumerate(NAMES) if "similarity" in name]
    np.testing.assert_allclose(features[:, similarity], 1, atol=1e-3)
    for name in ("qrs_size", "p_size", "qrs_width"):
        np.testing.assert_allclose(column(features, name), 0, atol=1e-3)
    # No distance at all: what is taken for noise, 5 %, is below the least value.
    np.testing.assert_array_equal(column(features, "qrs_distance"), -3)


@pytest.mark.parametrize(
    ("unusual", "name", "expected"),
    [
        ({"size": -1.0}, "qrs_similarity", -1.0),
        ({"size": -1.0}, "qrs_similarity_to_previous", -1.0),
        ({"size": -1.0}, "beat_similarity", -1.0),
        ({"size": -1.0}, "qrs_distance", np.log(2.05 / 1.05)),
        ({"size": 2.0}, "qrs_size", np.log(2.05 / 1.05)),
        ({"size": 2.0}, "p_size", np.log(2.05 / 1.05)),
        ({"size": 2.0}, "qrs_similarity", 1.0),
        ({"size": 2.0}, "qrs_width", 0.0),
    ],
)
def test_an_unusual_beat_by_hand(unusual, name, expected):
    features = morphology_features(*record(np.arange(1, 30), **unusual), 250.0)
    assert column(features, name)[-2] == pytest.approx(expected, abs=0.01)
    # It has little weight: the next beat is similar to those before.
    assert column(features, "qrs_similarity")[-1] > 0.99


def test_a_wide_beat_is_wide():
    features = morphology_features(*record(np.arange(1, 30), width=2.0), 250.0)
    assert column(features, "qrs_width")[-2] > 0.3
    assert column(features, "qrs_similarity")[-2] < 0.9


@pytest.mark.parametrize("beat", [0, 1, 2, 11, 40, 68])
def test_nothing_beyond_the_next_beat_is_used(noisy, beat):
    signal, sample = noisy
    expected = morphology_features(signal, sample, 250.0)[: beat + 1]
    end = sample[beat + 1]
    changed = signal.copy()
    changed[end:] = 1e3 * np.random.default_rng(1).normal(size=len(signal) - end)
    moved = sample.copy()
    moved[beat + 2 :] += 17
    for other in (
        morphology_features(changed, moved, 250.0),
        morphology_features(signal, sample[: beat + 2], 250.0),
        morphology_features(signal[:end], sample[: beat + 2], 250.0),
    ):
        np.testing.assert_array_equal(other[: beat + 1], expected)


def test_the_signal_before_the_next_beat_is_used(noisy):
    signal, sample = noisy
    changed = signal.copy()
    changed[sample[40] - 20 : sample[40] + 20] += 5
    before, after = (morphology_features(s, sample, 250.0) for s in (signal, changed))
    assert (before[40] != after[40]).any()
    assert (before[41] != after[41]).any()


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_labels_make_no_difference(noisy, form):
    signal, sample = noisy
    found = []
    for symbol, label, rhythm in (("N", 0, "N"), ("V", 2, "VT")):
        notes = Annotations(sample, *np.full((3, len(sample)), symbol))
        notes = notes._replace(
            label=np.full(len(sample), label), rhythm=np.full(len(sample), rhythm)
        )
        whole = Signal(signal, 250.0, "II")
        window = (-0.1, 0.1) if form == "window" else None
        cut = make_cut("II", form, window, features=_ALL)
        found.append(cut_record("r", whole, notes, cut).data)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(2000),
        np.full(2000, 1024),
        np.full(2000, np.nan),
        np.where(np.arange(2000) % 7, 0.5, np.nan),
        np.where(np.arange(2000) % 300, 0.5, np.inf),
        np.random.default_rng(0).normal(size=2000) * 1e6,
        np.random.default_rng(0).normal(size=2000) * 1e-9,
        np.zeros(5),
        np.arange(5),
    ],
)
@pytest.mark.parametrize("spacing", [0, 1, 3, 400])
def test_always_finite(signal, n_beats, spacing):
    sample = np.minimum(spacing * np.arange(n_beats), len(signal) - 1)
    features = morphology_features(signal, sample, 360.0)
    assert features.shape == (n_beats, 10)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert (np.abs(features) <= 10).all()


def test_a_gap_repeats_the_last_sample():
    signal, sample = record(np.arange(1, 10))
    held = signal.copy()
    gap = slice(sample[4] + 60, sample[4] + 90)
    held[gap] = held[gap.start - 1]
    signal[gap] = np.nan
    np.testing.assert_array_equal(
        morphology_features(signal, sample, 250.0),
        morphology_features(held, sample, 250.0),
    )


def test_the_unit_makes_no_difference():
    signal, sample = record(np.arange(1, 20) * 0.9, size=1.5, width=1.4)
    np.testing.assert_allclose(
        morphology_features(1024 + 200 * signal, sample, 250.0),
        morphology_features(signal, sample, 250.0),
        atol=2e-3,
    )


@pytest.mark.parametrize("rate", [128.0, 360.0, 1000.0])
def test_the_sampling_rate_makes_little_difference(rate):
    times = np.cumsum([1.0, 0.8, 0.9, 0.8, 0.9, 0.8, 0.9, 0.8, 0.5, 1.2])
    unusual = {"size": 1.5, "width": 1.5}
    one, other = (
        morphology_features(*record(times, own, **unusual), own)
        for own in (250.0, rate)
    )
    for name, tolerance in {
        **{name: 0.12 for name in NAMES if "similarity" in name},
        **dict.fromkeys(("qrs_size", "p_size", "qrs_width"), 0.12),
    }.items():
        np.testing.assert_allclose(
            column(one, name), column(other, name), atol=tolerance, err_msg=name
        )


@pytest.mark.parametrize(("form", "n_times"), [("kaggle", 187), ("window", 250)])
def test_loaders_append_columns_by_name(wfdb_folder, form, n_times):
    how = {"channel": "II", "form": form}
    plain = load_wfdb_beats(wfdb_folder, **how)
    beats = load_wfdb_beats(wfdb_folder, features=["morphology", "rr"], **how)
    assert type(plain.data) is np.ndarray
    assert beats.data is beats.frame
    samples = [f"t{i:03d}" for i in range(n_times)]
    assert plain.feature_names == list(plain.frame) == samples
    names = [*samples, *FEATURE_GROUPS["rr"], *NAMES]
    assert beats.feature_names == list(beats.frame) == names
    assert set(beats.frame.dtypes) == {np.dtype("float32")}
    np.testing.assert_array_equal(beats.frame[samples], plain.data)
    assert beats.cut == beats.frame.attrs["cut"]
    assert beats.cut == plain.cut | {"features": ["rr", "morphology"]}
    assert "FEATURE_GROUPS: rr, morphology" in beats.DESCR
    # Every fifth mark is no beat: an interval of 1.6 s after three of 0.8 s.
    interval = np.exp(beats.frame["rr_previous"])
    np.testing.assert_allclose(interval[:5], [0.8, 0.8, 0.8, 0.8, 1.6], rtol=1e-5)
    X, _ = load_wfdb_beats(wfdb_folder, features=("rr",), return_X_y=True, **how)
    assert list(X) == [*samples, *FEATURE_GROUPS["rr"]]


@pytest.mark.parametrize("features", ["rr", ["context"], ["rr", 1]])
@pytest.mark.parametrize("load", [make_heartbeats, fetch_mitbih])
def test_groups_that_do_not_exist(load, features):
    with pytest.raises(ValueError, match=r"features"):
        load(features=features)


def test_a_table_keeps_the_names_of_features():
    X, y = make_heartbeats(20, features=["rr"], return_X_y=True)
    assert list(X)[187:] == list(FEATURE_GROUPS["rr"])
    assert len(X) == len(y)


def test_the_rate_of_the_windows_does_not_change_the_features(wfdb_folder):
    own, faster = (
        load_wfdb_beats(wfdb_folder, channel="II", sampling_rate=rate, features=_ALL)
        for rate in (None, 500)
    )
    np.testing.assert_array_equal(own.data.iloc[:, -38:], faster.data.iloc[:, -38:])
