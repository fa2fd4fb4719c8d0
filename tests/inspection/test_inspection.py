"""Class activation maps and occlusion: shapes, places, sanity, errors, drawing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.inspection import BeatExplanationDisplay, grad_cam, occlusion
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.plotting import SpectrogramsDisplay
from ecg_sklearn.preprocessing import SpectrogramTransformer

NAMES = np.array(["N", "S", "V", "F", "Q"])
RATE = 360.0
R_PEAK = 0.4
CNN = {"filters": (16, 32, 64), "dense_units": 32, "epochs": 6, "batch_size": 32}


@pytest.fixture(scope="module")
def windows():
    """Beats as windows, the R peak at 0.4 s; the first 1200 are trained on."""
    return make_heartbeats(1500, n_records=12, form="window", random_state=0)


@pytest.fixture(scope="module")
def pipe(windows):
    """A pipeline that knows the classes by name."""
    pipe = make_ecg_pipeline(sampling_rate=RATE, random_state=0, **CNN)
    pipe.fit(windows.data[:1200], NAMES[windows.target[:1200]])
    assert pipe.score(windows.data[1200:], NAMES[windows.target[1200:]]) > 0.85
    return pipe


@pytest.fixture(scope="module")
def ventricular(windows):
    """The V beats that were not trained on."""
    return windows.data[1200:][windows.target[1200:] == 2]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def share_near_the_peak(found):
    """Mean over the beats of the share of evidence within 0.15 s of the R peak."""
    evidence = np.maximum(found.time_profile, 0)
    near = np.abs(found.times - R_PEAK) <= 0.15
    return (evidence[:, near].sum(axis=1) / evidence.sum(axis=1)).mean(), near.mean()


def images_of(pipe, X):
    return pipe["spectrogram"].transform(pipe["scaler"].transform(X))


def test_grad_cam_gives_maps_and_axes(pipe, windows):
    X = windows.data[1200:1230]
    found = grad_cam(pipe, X)
    spectrogram = pipe["spectrogram"]
    assert found.heatmap.shape == (30, *images_of(pipe, X).shape[1:])
    assert found.heatmap.dtype == found.time_profile.dtype == np.float32
    assert found.heatmap.min() >= 0
    np.testing.assert_allclose(found.heatmap.max(axis=(1, 2)), 1, rtol=1e-6)
    assert found.time_profile.shape == X.shape
    np.testing.assert_array_equal(found.frequencies, spectrogram.frequencies_)
    np.testing.assert_array_equal(found.frame_times, spectrogram.times_)
    np.testing.assert_allclose(found.times, np.arange(360) / RATE)
    np.testing.assert_array_equal(found.classes, pipe.predict(X))
    np.testing.assert_allclose(
        found.probability, pipe.predict_proba(X).max(axis=1), rtol=1e-5
    )
    expected = [
        np.interp(found.times, found.frame_times, heatmap.mean(axis=0))
        for heatmap in found.heatmap
    ]
    np.testing.assert_allclose(found.time_profile, expected, atol=1e-5)


def linear_head(images, filters=(8, 16), **params):
    """An untrained network whose scores are linear in the last block's mean."""
    cnn = SpectrogramCNNClassifier(
        filters=filters, dense_units=0, random_state=0, **params
    )
    return cnn.initialize(images, np.arange(len(images)) % 3)


def test_equals_class_activation_mapping_by_hand(images):
    """Of the last block, Grad-CAM is CAM (Zhou et al., CVPR 2016)."""
    import keras

    cnn = linear_head(images)
    block = keras.Model(cnn.model_.input, cnn.model_.get_layer("block2_relu").output)
    kernel = cnn.model_.layers[-1].get_weights()[0]
    coarse = np.maximum(block(images[:20, ..., None]).numpy() @ kernel[:, 1], 0)
    # Halved by a kernel of three: 12 -> 6 -> 3 rows, 47 -> 24 -> 12 columns. Over an
    # even size the padding is behind, so the first place is centred on pixel 1.
    rows, columns = 4 * np.arange(3) + 3, 4 * np.arange(12) + 2
    expected = np.apply_along_axis(
        lambda v: np.interp(np.arange(47), columns, v), 2, coarse
    )
    expected = np.apply_along_axis(
        lambda v: np.interp(np.arange(12), rows, v), 1, expected
    )
    expected /= expected.max(axis=(1, 2), keepdims=True)
    found = grad_cam(cnn, images[:20], 1)
    assert found.layer == "block2_relu"
    np.testing.assert_allclose(found.heatmap, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["stride", "max"])
@pytest.mark.parametrize("n_frames", [47, 48])
def test_a_spot_is_found_where_it_is(pooling, n_frames):
    pixels = np.arange(15, 23)  # far from both ends
    spots = np.zeros((len(pixels), 12, n_frames), dtype=np.float32)
    spots[np.arange(len(pixels)), 6, pixels] = 1
    cnn = linear_head(spots, filters=(1, 1, 1), pooling=pooling)
    for layer in cnn.model_.layers:
        if layer.name.endswith("_conv") or layer.name == "classes":
            layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
    profile = grad_cam(cnn, spots, 0, layer=3).time_profile
    middle = (profile * np.arange(n_frames)).sum(axis=1) / profile.sum(axis=1)
    # Block 3 has a place for each 8 pixels; a map that is out of line would be off
    # by 3 at all of them.
    assert abs((middle - pixels).mean()) < 1e-3


def test_images_without_axes(images):
    found = grad_cam(linear_head(images), images[:3])
    assert found.frequencies is found.times is found.frame_times is None
    assert found.time_profile.shape == (3, 47)
    rows = images.reshape(len(images), -1)[:, :100]
    assert grad_cam(linear_head(rows), rows[:3]).heatmap.shape == (3, 1, 100)


def test_the_block_is_the_last_that_is_not_too_coarse(pipe, ventricular, images):
    assert grad_cam(pipe, ventricular[:2]).layer == "block2_relu"
    first = grad_cam(pipe, ventricular[:2], layer=1)
    assert first.layer == "block1_relu"
    named = grad_cam(pipe, ventricular[:2], layer="block1_relu")
    np.testing.assert_allclose(first.heatmap, named.heatmap, atol=1e-5)
    pooled = linear_head(images, filters=(4, 4, 4), pooling="max", dropout=0.1)
    assert grad_cam(pooled, images[:2]).layer == "block2_dropout"
    small = images[:, :4, :5]
    assert grad_cam(linear_head(small), small[:2]).layer == "block1_relu"


def test_chunks_and_tables_do_not_show(pipe, windows, monkeypatch):
    X = windows.data[1200:1220]
    whole, occluded = grad_cam(pipe, X), occlusion(pipe, X)
    monkeypatch.setattr("ecg_sklearn.inspection._class_activation._CHUNK_BEATS", 7)
    monkeypatch.setattr("ecg_sklearn.inspection._occlusion._CHUNK_BRIDGED", 200)
    for beats in (X, pd.DataFrame(X), X.tolist()):
        pieces = grad_cam(pipe, beats)
        np.testing.assert_allclose(pieces.heatmap, whole.heatmap, atol=1e-4)
        np.testing.assert_array_equal(pieces.classes, whole.classes)
        pieces = occlusion(pipe, beats)
        np.testing.assert_allclose(
            pieces.time_profile, occluded.time_profile, atol=1e-4
        )


@pytest.mark.parametrize(
    ("explain", "params"),
    [(grad_cam, {}), (occlusion, {}), (occlusion, {"patch_seconds": 0.1})],
)
def test_the_evidence_for_a_ventricular_beat_is_its_qrs(
    pipe, ventricular, explain, params
):
    share, uniform = share_near_the_peak(explain(pipe, ventricular, "V", **params))
    assert share > 1.4 * uniform


def test_random_weights_give_another_map(pipe, windows, ventricular):
    """The randomisation test of Adebayo et al., NeurIPS 2018."""
    images = images_of(pipe, windows.data[:20])
    labels = NAMES[np.arange(20) % 5]
    trained = grad_cam(pipe, ventricular, "V").heatmap
    again = grad_cam(pipe, ventricular, "V").heatmap
    np.testing.assert_allclose(trained, again, atol=1e-5)
    correlations = []
    for seed in range(6):
        cnn = clone(pipe[-1]).set_params(random_state=seed).initialize(images, labels)
        random = grad_cam(cnn, images_of(pipe, ventricular), "V").heatmap
        correlations += [
            spearmanr(a.ravel(), b.ravel()).statistic
            for a, b in zip(trained, random, strict=True)
        ]
    assert np.mean(correlations) < 0.5


def test_a_class_by_its_label(pipe, ventricular, windows):
    for explain in (grad_cam, occlusion):
        found = explain(pipe, ventricular[:4], "N")
        assert found.classes.tolist() == ["N"] * 4
        column = pipe.classes_.tolist().index("N")
        expected = pipe.predict_proba(ventricular[:4])[:, column]
        np.testing.assert_allclose(found.probability, expected, atol=1e-5)
        other = explain(pipe, ventricular[:4], "V")
        assert not np.allclose(found.time_profile, other.time_profile)
    bayes = GaussianNB()
    bayes.fit(windows.data[:100], windows.target[:100] * 10)
    found = occlusion(bayes, windows.data[:2], np.int64(20), sampling_rate=RATE)
    assert found.classes.tolist() == [20, 20]


def test_occlusion_by_hand():
    """A classifier that looks at one sample sees the line in its place."""
    X = np.zeros((2, 20))
    X[0, 8] = X[1, 0] = 4.0
    model = LogisticRegression().fit(np.eye(20), np.arange(20) % 2)
    model.coef_ = np.zeros((1, 20))
    model.coef_[0, [0, 8]] = 1.0
    model.intercept_ = np.zeros(1)
    found = occlusion(
        model, X, 1, patch_seconds=0.3, stride_seconds=0.3, sampling_rate=10.0
    )
    fall = 1 / (1 + np.exp(-4)) - 0.5
    expected = np.zeros((2, 20))
    expected[0, 6:9] = fall  # samples 6, 7, 8 are bridged from 0 to 0
    expected[1, 0:3] = fall
    np.testing.assert_allclose(found.time_profile, expected, atol=1e-6)
    np.testing.assert_allclose(found.times, np.arange(20) / 10)


def test_unfitted_estimators_are_refused(windows):
    for explain in (grad_cam, occlusion):
        for estimator in (make_ecg_pipeline(), SpectrogramCNNClassifier()):
            with pytest.raises(NotFittedError):
                explain(estimator, windows.data[:2])


@pytest.mark.parametrize(
    ("explain", "params", "message"),
    [
        (grad_cam, {"class_": "VEB"}, r"'VEB' is not a class .* \['F', 'N', 'Q'"),
        (occlusion, {"class_": 2}, r"class_=2 is not a class .* \['F', 'N', 'Q'"),
        (occlusion, {"class_": ["V"]}, "is not a class"),
        (grad_cam, {"layer": 4}, "the network has 3 convolution blocks"),
        (grad_cam, {"layer": "block9"}, "layer='block9' is none of block1_conv"),
        (grad_cam, {"layer": 0}, "layer"),
        (occlusion, {"patch_seconds": 2.0}, "leaves nothing of beats of 1 s"),
        (occlusion, {"stride_seconds": 0.2}, "leaves gaps between stretches"),
        (occlusion, {"patch_seconds": 0}, "patch_seconds"),
    ],
)
def test_errors_say_what_to_do(pipe, ventricular, explain, params, message):
    with pytest.raises(ValueError, match=message):
        explain(pipe, ventricular[:2], **params)


def test_what_cannot_be_explained(windows, monkeypatch):
    X, y = windows.data[:100], windows.target[:100]
    with pytest.raises(ValueError, match="RidgeClassifier has no predict_proba"):
        occlusion(RidgeClassifier().fit(X, y), X)
    with pytest.raises(ValueError, match="Give sampling_rate"):
        occlusion(GaussianNB().fit(X, y), X)
    with pytest.raises(ValueError, match="GaussianNB has none"):
        grad_cam(GaussianNB().fit(X, y), X)
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="Keras runs on 'jax'"):
        grad_cam(make_ecg_pipeline(), X)


def test_no_beats_are_refused(pipe):
    for explain in (grad_cam, occlusion):
        with pytest.raises(ValueError, match="0 sample"):
            explain(pipe, np.empty((0, 360)))


def test_the_display_draws_beat_and_spectrogram(pipe, ventricular):
    display = BeatExplanationDisplay.from_estimator(pipe, ventricular[0], "V")
    found = grad_cam(pipe, ventricular[:1], "V")
    np.testing.assert_allclose(display.time_profile, found.time_profile[0], atol=1e-6)
    np.testing.assert_allclose(display.heatmap, found.heatmap[0], atol=1e-6)
    limits = pipe["spectrogram"].data_min_[0], pipe["spectrogram"].data_max_[0]
    power = clone(pipe["spectrogram"]).set_params(normalize=None)
    expected = power.fit_transform(pipe["scaler"].transform(ventricular[:1]))[0]
    expected = expected.clip(*limits)
    np.testing.assert_allclose(display.spectrogram, expected, atol=1e-3)
    beat, spectrogram = display.axes_
    assert beat.figure is spectrogram.figure is display.figure_
    assert beat.get_title().startswith("One beat: V (ventricular), probability ")
    assert beat.get_xlim() == spectrogram.get_xlim() == (0, 359 / RATE)
    assert beat.get_ylabel() == "Amplitude (a.u.)"
    assert spectrogram.get_ylabel() == "Frequency (Hz)"
    assert beat.get_xlabel() == spectrogram.get_xlabel() == "Time (s)"
    labels = {ax.get_ylabel() for ax in display.figure_.axes}
    assert {"Evidence, mean over frequency", "Power (dB)"} < labels


def test_the_display_draws_where_it_is_told(windows):
    model = make_pipeline(
        SpectrogramTransformer(sampling_rate=RATE, flatten=True, scale="magnitude"),
        GaussianNB(),
    ).fit(windows.data[:60], windows.target[:60])
    figure, axes = plt.subplots(2)
    display = BeatExplanationDisplay.from_estimator(
        model, windows.data[0], 2, method="occlusion", axes=axes, target_names=NAMES
    )
    assert display.figure_ is figure
    assert display.heatmap is None
    assert display.spectrogram_label == "Magnitude"
    assert display.axes_[0].get_title().startswith("One beat: V (ventricular), ")
    assert len(plt.get_fignums()) == 1


def test_time_and_unit_are_those_of_the_beats_that_were_trained_on():
    beats = make_heartbeats(60, n_records=3, form="window", features=["rr"])
    pipe = make_ecg_pipeline(
        sampling_rate=RATE, sampler=None, filters=(8,), dense_units=8, epochs=1
    ).fit(beats.data, beats.target)
    beat = beats.data.iloc[[0]]
    display = BeatExplanationDisplay.from_estimator(pipe, beat)
    assert display.times[0] == display.axes_[0].get_xlim()[0] == -0.4
    assert {ax.get_xlabel() for ax in display.axes_} == {"Time from the R peak (s)"}
    assert display.axes_[0].get_ylabel() == "Amplitude (mV)"
    told = BeatExplanationDisplay.from_estimator(pipe, beat, start=0, unit="V")
    assert told.axes_[0].get_xlabel() == "Time (s)"
    assert told.axes_[0].get_ylabel() == "Amplitude (V)"
    means = SpectrogramsDisplay.from_estimator(pipe, beats.data, beats.target)
    assert means.axes_[0].get_xlabel() == "Time from the R peak (s)"


def test_a_display_of_arrays():
    times = np.arange(50) / 50
    wave = np.sin(6 * times)
    display = BeatExplanationDisplay(wave, times, wave).plot()
    assert display.axes_.shape == (1,)
    hatched = display.axes_[0].get_legend().get_texts()
    assert [text.get_text() for text in hatched] == ["evidence against"]
    flat = BeatExplanationDisplay(
        wave, times, np.zeros(50), spectrogram=np.ones((1, 4)),
        heatmap=np.zeros((1, 4)), frequencies=[5.0], frame_times=[0, 0.3, 0.6, 0.9],
    ).plot()  # fmt: skip
    assert flat.axes_[1].get_legend() is None
    with pytest.raises(ValueError, match="1 axes were given; this display needs 2"):
        flat.plot(display.axes_)


def test_the_display_refuses_what_it_cannot_draw(pipe, windows):
    X, y = windows.data[:100], windows.target[:100]
    with pytest.raises(ValueError, match="the display shows one beat"):
        BeatExplanationDisplay.from_estimator(pipe, X)
    with pytest.raises(ValueError, match="method='lime' is neither"):
        BeatExplanationDisplay.from_estimator(pipe, X[0], method="lime")
    bayes = GaussianNB().fit(X, y)
    with pytest.raises(ValueError, match="no spectrogram to draw"):
        BeatExplanationDisplay.from_estimator(bayes, X[0])


@pytest.fixture(scope="module")
def rich():
    """A pipeline with phase, features of the beat and a residual block."""
    beats = make_heartbeats(100, features=["rr"], n_records=4, random_state=0)
    params = {"phase": True, "filters": (8, 16), "residual": (2,), "epochs": 1}
    pipe = make_ecg_pipeline(sampler=None, random_state=0, **params)
    return pipe.fit(beats.data, beats.target), beats.data


def test_features_of_the_beat_are_left_alone(rich):
    pipe, X = rich
    found = grad_cam(pipe, X[:6], layer=2)
    assert found.layer == "block2_add_relu"
    assert found.heatmap.shape == (6, 12, 47)
    assert found.time_profile.shape == (6, 187)
    assert found.heatmap.max() == 1
    occluded = occlusion(pipe, X[:6])
    assert occluded.time_profile.shape == (6, 187)
    expected = pipe.predict_proba(X[:6]).max(axis=1)
    np.testing.assert_allclose(occluded.probability, expected, atol=1e-6)
    display = BeatExplanationDisplay.from_estimator(pipe, X.iloc[[0]])
    np.testing.assert_array_equal(display.beat, X.iloc[0, :187])
    assert display.spectrogram.shape == (12, 47)


def test_columns_are_found_by_name_wherever_they_stand(rich):
    _, X = rich
    shuffled = X[[*X.columns[187:], *X.columns[:187]]]
    classes = np.arange(len(X)) % 2
    model, other = (
        GaussianNB(var_smoothing=1.0).fit(table, classes) for table in (X, shuffled)
    )
    found = occlusion(model, X[:5], 1, sampling_rate=120.0)
    again = occlusion(other, shuffled[:5], 1, sampling_rate=120.0)
    assert found.time_profile.shape == (5, 187)
    np.testing.assert_allclose(found.time_profile, again.time_profile, atol=1e-3)
