"""The spectrogram against SciPy, its scale, its names and its errors."""

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline

from ecg_sklearn.preprocessing import SpectrogramTransformer

RATE = 120.0
WINDOWS = [
    "boxcar",
    "hann",
    "hamming",
    "blackmanharris",
    "bohman",
    "flattop",
    ("kaiser", 6.0),
    ("tukey", 0.3),
    ("gaussian", 4.0),
    ("general_hamming", 0.7),
    ("chebwin", 80),
    4.0,
]
BOUNDARIES = {
    None: lambda x, n: x,
    "zeros": lambda x, n: np.pad(x, ((0, 0), (n, n))),
    "constant": lambda x, n: np.pad(x, ((0, 0), (n, n)), mode="edge"),
    "even": lambda x, n: np.pad(x, ((0, 0), (n, n)), mode="reflect"),
    "odd": lambda x, n: np.pad(x, ((0, 0), (n, n)), mode="reflect", reflect_type="odd"),
}


def scipy_reference(
    X, *, window, nperseg, noverlap, nfft, detrend, boundary, scale, scaling
):
    """What SciPy gives in double precision."""
    extended = BOUNDARIES[boundary](X.astype(np.float64), nperseg // 2)
    frequencies, times, images = scipy.signal.spectrogram(
        extended,
        RATE,
        window=scipy.signal.get_window(window, nperseg),
        nperseg=nperseg,
        noverlap=noverlap,
        nfft=nfft,
        detrend=detrend,
        scaling=scaling,
        mode="magnitude" if scale == "magnitude" else "psd",
    )
    if boundary is not None:
        times = times - (nperseg // 2) / RATE
    return frequencies, times, images


@st.composite
def settings_of_a_spectrogram(draw):
    n_times = draw(st.integers(8, 400))
    nperseg = draw(st.integers(2, min(n_times, 300)))
    return {
        "n_times": n_times,
        "nperseg": nperseg,
        "noverlap": draw(st.integers(0, nperseg - 1)),
        "nfft": draw(st.integers(nperseg, 2 * nperseg + 3)),
        "window": draw(st.sampled_from(WINDOWS)),
        "detrend": draw(st.sampled_from([False, "constant", "linear"])),
        "boundary": draw(st.sampled_from(list(BOUNDARIES))),
        "scale": draw(st.sampled_from(["power", "magnitude"])),
        "scaling": draw(st.sampled_from(["spectrum", "density"])),
        "offset": draw(st.sampled_from([0.0, 0.5, -30.0])),
        "seed": draw(st.integers(0, 2**16)),
    }


@settings(max_examples=150, deadline=None)
@given(settings_of_a_spectrogram())
def test_equal_to_scipy(case):
    rng = np.random.default_rng(case.pop("seed"))
    X = rng.normal(case.pop("offset"), 1, size=(3, case.pop("n_times")))
    X = X.astype(np.float32)
    frequencies, times, expected = scipy_reference(X, **case)
    spectrogram = SpectrogramTransformer(
        sampling_rate=RATE, freq_range=None, normalize=None, **case
    )
    found = spectrogram.fit_transform(X)
    np.testing.assert_allclose(spectrogram.frequencies_, frequencies)
    np.testing.assert_allclose(spectrogram.times_, times, atol=1e-12)
    largest = expected.max(axis=(1, 2), keepdims=True)
    # What a detrended pair of samples leaves is rounding alone.
    noise = 1e-6 * np.square(X).max() / (RATE if case["scaling"] == "density" else 1)
    noise = np.sqrt(noise) if case["scale"] == "magnitude" else noise
    assert (np.abs(found - expected) <= 1e-5 * (largest + noise)).all()


def test_decibels_by_hand():
    X = np.zeros((2, 64), dtype=np.float32)
    X[1] = np.sqrt(2) * np.cos(2 * np.pi * 30 * np.arange(64) / RATE)  # power of 1
    images = SpectrogramTransformer(
        nperseg=16, noverlap=0, nfft=None, boundary=None, window="boxcar",
        scaling="spectrum", freq_range=None, normalize=None, amin=1e-3, detrend=False,
    ).fit_transform(X)  # fmt: skip
    np.testing.assert_allclose(images[0], -30, atol=1e-5)
    np.testing.assert_allclose(images[1, 4], 0, atol=1e-4)  # bin 4 is 30 Hz


def test_top_db(beats):
    free = SpectrogramTransformer(normalize=None).fit_transform(beats.data)
    cut = SpectrogramTransformer(normalize=None, top_db=20).fit_transform(beats.data)
    peak = free.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(cut, np.maximum(free, peak - 20), rtol=1e-6)


@pytest.mark.parametrize(
    ("normalize", "axis"), [("global", None), ("frequency", (0, 2)), ("sample", (1, 2))]
)
def test_normalisation(beats, normalize, axis):
    raw = SpectrogramTransformer(normalize=None).fit_transform(beats.data)
    low = raw.min(axis=axis, keepdims=True)
    high = raw.max(axis=axis, keepdims=True)
    found = SpectrogramTransformer(normalize=normalize).fit_transform(beats.data)
    np.testing.assert_allclose(found, (raw - low) / (high - low), atol=1e-6)


def test_limits_are_learned_in_fit_and_later_beats_clipped(beats):
    spectrogram = SpectrogramTransformer().fit(beats.data[:50])
    louder = spectrogram.transform(100 * beats.data[50:])
    assert louder.max() == 1.0
    assert louder.min() >= 0.0
    again = spectrogram.transform(beats.data[:50])
    np.testing.assert_array_equal(again, spectrogram.transform(beats.data[:50]))
    assert spectrogram.data_min_.shape == (1,)
    assert SpectrogramTransformer(normalize="frequency").fit(
        beats.data
    ).data_max_.shape == (12,)
    assert not hasattr(
        spectrogram.set_params(normalize=None).fit(beats.data), "data_min_"
    )


def test_chunks_do_not_show(beats, monkeypatch):
    whole = SpectrogramTransformer().fit_transform(beats.data)
    monkeypatch.setattr("ecg_sklearn.preprocessing._stft.CHUNK_BYTES", 50_000)
    pieces = SpectrogramTransformer().fit_transform(beats.data)
    np.testing.assert_allclose(whole, pieces, atol=1e-6)


def test_the_input_is_not_changed(beats):
    X = beats.data.copy()
    X.setflags(write=False)
    SpectrogramTransformer(detrend="linear", boundary=None).fit_transform(X)
    np.testing.assert_array_equal(X, beats.data)


def test_flat_output_has_names_and_feeds_any_classifier(beats):
    flat = SpectrogramTransformer(flatten=True, nperseg=32)
    table = clone(flat).set_output(transform="pandas").fit_transform(beats.data)
    fitted = clone(flat).fit(beats.data)
    assert list(table.columns) == list(fitted.get_feature_names_out())
    assert len(set(table.columns)) == table.shape[1]
    assert table.columns[0] == "0Hz_0s"
    assert table.columns[-1].startswith("41.25Hz_1.5")
    images = clone(flat).set_params(flatten=False).fit_transform(beats.data)
    np.testing.assert_array_equal(table.to_numpy(), images.reshape(len(images), -1))
    model = make_pipeline(flat, ExtraTreesClassifier(5, random_state=0))
    assert model.fit(beats.data, beats.target).score(beats.data, beats.target) > 0.8
    assert not hasattr(SpectrogramTransformer(), "get_feature_names_out")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        *(
            ({"nperseg": 256, "boundary": boundary}, "nperseg=256 .*nperseg <= 187")
            for boundary in (None, "zeros", "odd")
        ),
        ({"nperseg": 16, "noverlap": 16}, "noverlap=16 must be below nperseg=16"),
        ({"nperseg": 16, "nfft": 8}, "nfft=8 must be at least nperseg=16"),
        ({"freq_range": (100, 200)}, "run from 0 to 60 Hz in steps of 3.75 Hz"),
        ({"freq_range": (1,)}, "holds none of the frequencies"),
        ({"freq_range": (30, 20)}, "holds none of the frequencies"),
        ({"window": [1.0, 2.0]}, "needs one value for each of the nperseg=16"),
        ({"window": "hanning!"}, "hanning!"),
        ({"noverlap": 1.0}, "noverlap"),
        ({"scale": "log"}, "scale"),
        ({"normalize": "minmax"}, "normalize"),
    ],
)
def test_errors_say_what_to_do(beats, params, message):
    with pytest.raises(ValueError, match=message):
        SpectrogramTransformer(**params).fit(beats.data)


class TestPhase:
    def test_channels_against_scipy(self, beats):
        spectrogram = SpectrogramTransformer(
            phase=True, boundary=None, noverlap=8, nfft=None, freq_range=None
        )
        images = spectrogram.fit_transform(beats.data)
        level = SpectrogramTransformer(
            boundary=None, noverlap=8, nfft=None, freq_range=None
        ).fit_transform(beats.data)
        np.testing.assert_array_equal(images[..., 0], level)
        *_, reference = scipy.signal.spectrogram(
            beats.data.astype(float),
            RATE,
            window="hann",
            nperseg=16,
            noverlap=8,
            mode="complex",
        )
        strong = level > 0.3
        unit = reference / np.maximum(np.abs(reference), 1e-30)
        np.testing.assert_allclose(
            images[..., 1][strong], (level * unit.real)[strong], atol=1e-3
        )
        np.testing.assert_allclose(
            images[..., 2][strong], (level * unit.imag)[strong], atol=1e-3
        )

    def test_by_fft_as_by_matrix(self, beats, monkeypatch):
        spectrogram = SpectrogramTransformer(phase=True, detrend="linear")
        by_matrix = spectrogram.fit_transform(beats.data)
        monkeypatch.setattr("ecg_sklearn.preprocessing._stft.LONGEST_MATRIX_SEGMENT", 0)
        by_fft = spectrogram.fit_transform(beats.data)
        strong = by_matrix[..., 0] > 0.3
        np.testing.assert_allclose(by_fft[strong], by_matrix[strong], atol=1e-3)

    def test_a_mirror_image_turns_the_phase_alone(self, beats):
        spectrogram = SpectrogramTransformer(phase=True).fit(beats.data)
        upright = spectrogram.transform(beats.data)
        upside_down = spectrogram.transform(-beats.data)
        np.testing.assert_allclose(upside_down[..., 0], upright[..., 0], atol=1e-6)
        np.testing.assert_allclose(upside_down[..., 1:], -upright[..., 1:], atol=1e-6)

    def test_a_beat_without_power_has_no_phase(self):
        images = SpectrogramTransformer(phase=True).fit_transform(np.zeros((4, 187)))
        np.testing.assert_array_equal(images, 0)


NAMES = [f"t{i:03d}" for i in range(187)]


class TestFeatures:
    @pytest.fixture
    def features(self, beats):
        rng = np.random.default_rng(0)
        return rng.normal(3, [1, 20, 0], (len(beats.data), 3)).astype(np.float32)

    @pytest.fixture
    def frame(self, beats, features):
        X = np.hstack([features[:, :1], beats.data, features[:, 1:]])
        return pd.DataFrame(X, columns=["a", *NAMES, "b", "c"])

    @pytest.mark.parametrize("phase", [False, True])
    def test_one_more_row_holds_them_standardised(self, beats, frame, features, phase):
        spectrogram = SpectrogramTransformer(phase=phase)
        images = spectrogram.fit_transform(frame)
        alone = SpectrogramTransformer(phase=phase).fit_transform(beats.data)
        np.testing.assert_array_equal(images[:, :-1], alone)
        row = images[:, -1].reshape(len(frame), -1)
        assert np.isnan(row[:, 3:]).all()
        expected = (features - features.mean(axis=0)) / [*features.std(axis=0)[:2], 1]
        np.testing.assert_allclose(row[:, :3], expected, atol=1e-4)
        np.testing.assert_array_equal(spectrogram.transform(frame), images)
        assert list(spectrogram.feature_columns_) == [0, 188, 189]

    @pytest.mark.parametrize("n_features", [1, 45, 46, 47, 92, 93])
    def test_each_row_of_features_ends_with_nan(self, beats, n_features):
        X = np.hstack([beats.data, beats.data[:, :n_features]])
        images = SpectrogramTransformer(sample_columns=slice(187)).fit_transform(X)
        rows = images[:, 12:]
        assert rows.shape[1:] == (-(-n_features // 46), 47)
        assert np.isnan(rows[..., -1]).all()
        assert np.isfinite(images[:, :12]).all()
        assert (np.isfinite(rows).sum(axis=(1, 2)) == n_features).all()

    def test_flat_they_come_last_and_keep_their_names(self, frame):
        spectrogram = SpectrogramTransformer(flatten=True, phase=True)
        flat = spectrogram.fit_transform(frame)
        names = spectrogram.get_feature_names_out()
        assert flat.shape == (len(frame), len(names))
        assert list(names[-3:]) == ["a", "b", "c"]
        assert list(names[:2]) == ["0Hz_0s_level", "0Hz_0s_cos"]
        np.testing.assert_allclose(flat[:, -3:-1].std(axis=0), 1, atol=1e-3)
        array = spectrogram.set_params(sample_columns=slice(1, 188))
        array.fit(frame.to_numpy())
        assert list(array.get_feature_names_out()[-3:]) == ["x0", "x188", "x189"]

    def test_output_is_set_for_tables_and_accepted_for_images(self, frame):
        images = SpectrogramTransformer().set_output(transform="pandas")
        assert isinstance(images.fit_transform(frame), np.ndarray)
        flat = images.set_params(flatten=True).fit_transform(frame)
        assert list(flat.columns) == list(images.get_feature_names_out())
        with sklearn.config_context(transform_output="polars"):
            assert SpectrogramTransformer().fit_transform(frame).ndim == 3

    @pytest.mark.parametrize(
        "spec",
        [
            slice(1, 188),
            slice(1, -2),
            slice("t000", "t186"),
            range(1, 188),
            np.arange(-189, -2),
            [name.startswith("t") for name in ["a", *NAMES, "b", "c"]],
            NAMES,
            make_column_selector("^t"),
            lambda X: [name for name in X.columns if name[0] == "t"],
        ],
    )
    def test_columns_are_chosen_in_many_ways(self, frame, spec):
        images = SpectrogramTransformer().fit_transform(frame)
        chosen = SpectrogramTransformer(sample_columns=spec).fit_transform(frame)
        np.testing.assert_array_equal(chosen, images)

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            (["t000", "t999"], "sample_columns=.*t999.* cannot be found in X of shape"),
            ([], "chooses no column, of the 190 columns"),
            (slice(500, 600), "chooses no column"),
            ([0, 1, -190], "chooses a column twice"),
            (["t001", "t001"], "chooses a column twice"),
            ([0, 190], "cannot be found in X of shape"),
            ([True] * 5, "cannot be found in X of shape"),
            ([0.5], "Give a slice, positions, a boolean mask, names"),
            (lambda X: None, "Give a slice, positions, a boolean mask, names"),
            ("rr", "'sample_columns' parameter"),
            (3, "'sample_columns' parameter"),
        ],
    )
    def test_a_choice_that_cannot_be_meant(self, frame, spec, message):
        with pytest.raises(ValueError, match=message):
            SpectrogramTransformer(sample_columns=spec).fit(frame)

    def test_names_need_a_table_and_features_a_row(self, frame):
        with pytest.raises(ValueError, match="names of columns of a DataFrame"):
            SpectrogramTransformer(sample_columns=NAMES).fit(frame.to_numpy())
        with pytest.raises(ValueError, match="a single frame, and its rows no room"):
            SpectrogramTransformer(nperseg=187, boundary=None).fit(frame)


@pytest.mark.parametrize("normalize", ["global", "frequency", "sample", None])
def test_parts_teach_what_the_whole_teaches(beats, normalize):
    X = np.hstack([beats.data, beats.rr]).astype(np.float64)
    whole = SpectrogramTransformer(normalize=normalize, sample_columns=slice(187))
    parts = clone(whole)
    whole.fit(X)
    for start in range(0, len(X), 130):
        parts.partial_fit(X[start : start + 130])
    assert parts.n_samples_seen_ == whole.n_samples_seen_ == len(X)
    np.testing.assert_allclose(parts.transform(X), whole.transform(X), atol=1e-5)
    np.testing.assert_allclose(parts.feature_scale_, whole.feature_scale_)


def test_doubles_are_taken_part_by_part_and_checked(beats):
    spectrogram = SpectrogramTransformer()
    single = spectrogram.fit_transform(beats.data)
    double = spectrogram.fit_transform(beats.data.astype(np.float64))
    np.testing.assert_array_equal(double, single)
    for dtype in (np.float32, np.float64):
        X = beats.data.astype(dtype)
        X[3, 7] = 1e30
        with pytest.raises(ValueError, match="does not fit into float32"):
            spectrogram.fit(X)


@pytest.mark.parametrize("nperseg", [1, 16, 64, 128, 150])
@pytest.mark.parametrize("detrend", [False, "constant", "linear"])
def test_a_beat_does_not_depend_on_its_neighbours(beats, nperseg, detrend):
    spectrogram = SpectrogramTransformer(
        nperseg=nperseg, noverlap=0.75, detrend=detrend, phase=True
    ).fit(beats.data)
    together = spectrogram.transform(beats.data)
    turned = spectrogram.transform(beats.data[::-1])[::-1]
    np.testing.assert_array_equal(turned, together)
    for row in (0, 17, 399):
        alone = spectrogram.transform(beats.data[row : row + 1])
        np.testing.assert_array_equal(alone, together[row : row + 1])
