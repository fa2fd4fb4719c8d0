"""Displays: what is drawn, with which units, and where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from matplotlib.colors import to_rgb
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.plotting import (
    BeatsDisplay,
    ClassDistributionDisplay,
    SpectrogramsDisplay,
    TrainingHistoryDisplay,
)
from ecg_sklearn.plotting._drawing import COLORS, HATCHES
from ecg_sklearn.preprocessing import SpectrogramTransformer

NAMES = ["N", "S", "V", "F", "Q"]
WORDS = [
    "N (normal)", "S (supraventricular)", "V (ventricular)", "F (fusion)",
    "Q (other/paced)",
]  # fmt: skip
HISTORY = {"loss": [2, 1], "accuracy": [0.5, 0.6], "learning_rate": [1e-3, 1e-3]}


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def windows():
    return make_heartbeats(200, n_records=4, form="window", random_state=0)


def labels_of(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_series_are_told_apart_in_grey():
    lightness = [np.dot(to_rgb(color), (0.299, 0.587, 0.114)) for color in COLORS]
    assert min(np.abs(np.diff(lightness))) > 0.1
    assert len(set(HATCHES)) == len(HATCHES) == len(COLORS)


# ClassDistributionDisplay -----------------------------------------------------------


@pytest.mark.parametrize("log_scale", [False, True])
def test_class_distribution(beats, windows, log_scale):
    display = ClassDistributionDisplay.from_bunches(
        {"training": beats, "test": windows}, log_scale=log_scale
    )
    ax = display.ax_
    assert ax.get_xscale() == ("log" if log_scale else "linear")
    assert ax.get_xlabel() == "Number of beats"
    assert labels_of(ax.yaxis) == WORDS
    ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
    counts = np.r_[np.bincount(beats.target), np.bincount(windows.target)]
    np.testing.assert_allclose(ends, counts)
    assert [text.get_text() for text in ax.texts] == [f"{n:,}" for n in counts]
    found = [text.get_text() for text in ax.get_legend().get_texts()]
    assert found == ["training", "test"]


@pytest.mark.parametrize("log_scale", [False, True])
def test_large_and_absent_classes_have_room_for_their_numbers(log_scale):
    counts = {"all": [90_589, 0, 1], "none": [0, 0, 0], "half": [45_294, 7, 3]}
    display = ClassDistributionDisplay(counts).plot(log_scale=log_scale)
    display.figure_.canvas.draw()
    renderer = display.figure_.canvas.get_renderer()
    texts = display.ax_.texts
    assert [text.get_text() for text in texts[:3]] == ["90,589", "0", "1"]
    right = display.ax_.get_window_extent(renderer).x1
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert all(box.x1 < right for box in boxes)
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


def test_sets_of_other_classes_are_refused(beats):
    other = Bunch(target=[0, 1], target_names=["N", "V"])
    with pytest.raises(ValueError, match="in common, and have 2"):
        ClassDistributionDisplay.from_bunches({"a": beats, "b": other})
    with pytest.raises(ValueError, match="have 0"):
        ClassDistributionDisplay.from_bunches({})


# BeatsDisplay -----------------------------------------------------------------------


def test_beats_are_of_their_class_in_seconds_and_millivolts(windows):
    params = {"sampling_rate": 360.0, "n_beats": 3, "start": -0.4, "unit": "mV"}
    display, again, other = (
        BeatsDisplay.from_beats(
            windows.data,
            windows.target,
            target_names=NAMES,
            random_state=seed,
            **params,
        )
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(display.beats, again.beats)
    assert not np.array_equal(display.beats, other.beats)
    assert display.axes_.shape == (5, 3)
    for label, row in enumerate(display.axes_):
        of_class = {tuple(beat) for beat in windows.data[windows.target == label]}
        drawn = {tuple(ax.lines[0].get_ydata()) for ax in row}
        assert len(drawn) == 3
        assert drawn <= of_class
        assert row[0].get_ylabel().replace("\n", " ") == WORDS[label]
    seconds = display.axes_[0, 0].lines[0].get_xdata()
    np.testing.assert_allclose(seconds, np.arange(360) / 360 - 0.4)
    assert display.figure_.get_supxlabel() == "Time from the R peak (s)"
    assert display.figure_.get_supylabel() == "Amplitude (mV)"


def test_a_class_with_few_beats_leaves_places_empty():
    X, y = np.zeros((4, 10)), np.array([0, 0, 0, 3])
    display = BeatsDisplay.from_beats(X, y, sampling_rate=10.0, target_names=NAMES)
    assert display.target_names == ["N", "F"]
    visible = [[ax.get_visible() for ax in row] for row in display.axes_]
    assert visible == [[True, True, True], [True, False, False]]


def test_features_of_a_table_are_not_drawn():
    table = pd.DataFrame(np.ones((3, 9))).add_prefix("t").assign(rr_previous=7.0)
    display = BeatsDisplay.from_beats(table, ["V", "N", "V"], sampling_rate=9.0)
    assert display.target_names == ["N", "V"]
    assert {beat.shape[1] for beat in display.beats} == {9}


def test_beats_on_given_axes(beats):
    figure, axes = plt.subplots(5, 2)
    params = {"sampling_rate": 120.0, "axes": axes}
    display = BeatsDisplay.from_beats(beats.data, beats.target, n_beats=2, **params)
    assert display.figure_ is figure
    assert axes[0, 0].get_ylabel() == "0 (a.u.)"
    assert axes[-1, 1].get_xlabel() == "Time (s)"
    with pytest.raises(ValueError, match=r"shape \(5, 2\); 5 classes.*need \(5, 4\)"):
        BeatsDisplay.from_beats(beats.data, beats.target, **params)


@pytest.mark.parametrize(
    ("y", "names"), [([0, 2], ["N", "S"]), ([0, 1], 5), (["V", "N"], NAMES)]
)
def test_classes_without_a_name_are_refused(y, names):
    with pytest.raises(ValueError, match="does not name the classes"):
        BeatsDisplay.from_beats(
            np.zeros((2, 9)), y, sampling_rate=9.0, target_names=names
        )


# SpectrogramsDisplay ----------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [{}, {"normalize": "frequency"}, {"normalize": "sample"}, {"flatten": True}],
)
def test_mean_spectrograms_are_in_decibels_whatever_the_normalisation(windows, params):
    raw = SpectrogramTransformer(sampling_rate=360.0, normalize=None)
    images = raw.fit_transform(windows.data)
    fitted = SpectrogramTransformer(sampling_rate=360.0, **params).fit(windows.data)
    display = SpectrogramsDisplay.from_estimator(
        fitted, windows.data, windows.target, unit="mV", target_names=NAMES
    )
    for label in range(5):
        expected = images[windows.target == label].mean(axis=0)
        np.testing.assert_allclose(display.images[label], expected, atol=1e-3)
    for ax, words, n_beats in zip(
        display.axes_, WORDS, np.bincount(windows.target), strict=True
    ):
        assert ax.get_title() == f"{words}\nmean of {n_beats} beats"
    assert display.axes_[0].get_ylabel() == "Frequency (Hz)"
    assert {ax.get_xlabel() for ax in display.axes_} == {"Time (s)"}
    assert display.colorbar_.ax.get_ylabel() == "Power (dB re 1 mV²/Hz)"
    limits = {mesh.get_clim() for ax in display.axes_ for mesh in ax.collections}
    assert limits == {(display.images.min(), display.images.max())}
    corners = display.axes_[0].collections[0].get_coordinates()
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    np.testing.assert_allclose(centres[0, :, 0], fitted.times_, atol=1e-12)
    np.testing.assert_allclose(centres[:, 0, 1], fitted.frequencies_, atol=1e-12)


def test_an_example_is_the_spectrogram_of_one_beat(beats):
    raw = SpectrogramTransformer(normalize=None).fit(beats.data)
    display = SpectrogramsDisplay.from_estimator(
        raw, beats.data, beats.target, kind="example", random_state=0
    )
    assert {ax.get_title()[1:] for ax in display.axes_} == {"\none beat"}
    images = raw.transform(beats.data)
    for label, image in enumerate(display.images):
        of_class = images[beats.target == label]
        assert np.isclose(of_class, image, atol=1e-4).all(axis=(1, 2)).any()


def test_from_a_pipeline_with_a_sampler_and_features(beats):
    table = pd.DataFrame(beats.data).add_prefix("t").assign(feature=1.0)
    scaler = StandardScaler(with_std=False).set_output(transform="pandas")
    pipe = make_pipeline(
        scaler, RandomOverSampler(random_state=0), SpectrogramTransformer()
    ).fit(table, beats.target)
    display = SpectrogramsDisplay.from_estimator(pipe, table, beats.target)
    centred = scaler.transform(table)
    alone = SpectrogramsDisplay.from_estimator(pipe[-1], centred, beats.target)
    np.testing.assert_allclose(display.images, alone.images, atol=1e-4)
    assert display.images.shape == (5, 12, 47)


@pytest.mark.parametrize(
    ("params", "label"),
    [
        ({"scaling": "spectrum"}, "Power (dB re 1 mV²)"),
        ({"scale": "power"}, "Power (mV²/Hz)"),
        ({"scale": "magnitude"}, "Magnitude (mV/√Hz)"),
        ({"scale": "magnitude", "scaling": "spectrum"}, "Magnitude (mV)"),
    ],
)
def test_units_of_the_colour_bar(beats, params, label):
    fitted = SpectrogramTransformer(**params).fit(beats.data)
    display = SpectrogramsDisplay.from_estimator(
        fitted, beats.data, beats.target, unit="mV"
    )
    assert display.label == display.colorbar_.ax.get_ylabel() == label


def test_spectrograms_that_cannot_be_drawn(beats):
    X, y = beats.data, beats.target
    for unfitted in (SpectrogramTransformer(), make_pipeline(SpectrogramTransformer())):
        with pytest.raises(ValueError, match="not fitted"):
            SpectrogramsDisplay.from_estimator(unfitted, X, y)
    with pytest.raises(ValueError, match="StandardScaler holds no fitted"):
        SpectrogramsDisplay.from_estimator(StandardScaler().fit(X), X, y)
    fitted = SpectrogramTransformer().fit(X)
    with pytest.raises(ValueError, match="kind='median' is unknown. Use \"mean\""):
        SpectrogramsDisplay.from_estimator(fitted, X, y, kind="median")


# TrainingHistoryDisplay -------------------------------------------------------------


def test_history_from_estimator_and_from_pipeline(images, beats):
    X, y = beats.data[:60], beats.target[:60]
    small = {"filters": (4,), "dense_units": 0, "epochs": 1}
    cnn = SpectrogramCNNClassifier(**small)
    cnn.fit(images[:60], y, X_val=images[60:90], y_val=beats.target[60:90])
    display = TrainingHistoryDisplay.from_estimator(cnn)
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["Loss (cross-entropy)", "Accuracy", "Learning rate"]
    assert display.best_epoch == cnn.best_epoch_
    lines = {line.get_label() for line in display.axes_[0].lines}
    assert {"training", "validation"} < lines
    pipe = make_ecg_pipeline(sampler=None, **small).fit(X, y)
    unvalidated = TrainingHistoryDisplay.from_estimator(pipe)
    assert unvalidated.best_epoch is None
    assert [line.get_label() for line in unvalidated.axes_[0].lines] == ["training"]
    with pytest.raises(ValueError, match="has no history_. Fit it first"):
        TrainingHistoryDisplay.from_estimator(SpectrogramCNNClassifier())


# All --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "n_axes"),
    [
        (ClassDistributionDisplay({"x": [3, 1]}), 0),
        (SpectrogramsDisplay(np.ones((1, 1, 1)), frequencies=[0.0], times=[0.1]), 1),
        (TrainingHistoryDisplay(HISTORY), 3),
    ],
)
def test_plot_draws_where_it_is_told(display, n_axes):
    figure, axes = plt.subplots(max(1, n_axes), squeeze=False)
    assert display.plot(axes[:, 0] if n_axes else axes[0, 0]) is display
    assert display.figure_ is figure
    assert plt.get_fignums() == [1]
    figure.canvas.draw()
