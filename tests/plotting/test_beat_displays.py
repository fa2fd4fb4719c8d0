"""Displays of beats, classes and records: what is drawn, with which units."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ecg_sklearn.plotting._reliability import ReliabilityDisplay
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from matplotlib.colors import to_rgb
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.plotting._beats import BeatsDisplay, SpectrogramsDisplay
from ecg_sklearn.plotting._classes import (
    ClassDistributionDisplay,
    PerClassDisplay,
    RecordsDisplay,
)
from ecg_sklearn.plotting._drawing import COLORS, HATCHES
from ecg_sklearn.preprocessing import SpectrogramTransformer

NAMES = ["N", "S", "V", "F", "Q"]
SCORES = np.array([[0.99, 0.98, 0.985], [0.5, 0.6, 0.55], [0.9, np.nan, 0.8]])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def windows():
    return make_heartbeats(200, n_records=4, form="window", random_state=0)


def labels_of(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def assert_no_overlap(texts, renderer):
    boxes = [text.get_window_extent(renderer) for text in texts if text.get_text()]
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


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
    np.testing.assert_array_equal(display.counts["test"], np.bincount(windows.target))
    ax = display.ax_
    assert ax.get_xscale() == ("log" if log_scale else "linear")
    assert ax.get_xlabel() == "Number of beats"
    assert labels_of(ax.yaxis) == NAMES
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
    for text in texts:
        assert text.get_window_extent(renderer).x1 < right
    assert_no_overlap(texts, renderer)
    assert_no_overlap(display.ax_.get_xticklabels(), renderer)
    assert labels_of(display.ax_.yaxis) == ["0", "1", "2"]


def test_a_single_set_needs_no_legend():
    assert ClassDistributionDisplay({"x": [1, 2]}).plot().ax_.get_legend() is None


def test_sets_of_other_classes_are_refused(beats):
    other = Bunch(target=[0, 1], target_names=["N", "V"])
    with pytest.raises(
        ValueError, match="one list of target_names in common, and have 2"
    ):
        ClassDistributionDisplay.from_bunches({"a": beats, "b": other})
    with pytest.raises(ValueError, match="have 0"):
        ClassDistributionDisplay.from_bunches({})


# BeatsDisplay -----------------------------------------------------------------------


def test_beats_are_of_their_class_in_seconds_and_millivolts(windows):
    display = BeatsDisplay.from_beats(
        windows.data,
        windows.target,
        sampling_rate=360.0,
        n_beats=3,
        start=-0.4,
        unit="mV",
        target_names=windows.target_names,
        random_state=0,
    )
    assert display.axes_.shape == (5, 3)
    for label, row in enumerate(display.axes_):
        of_class = {tuple(beat) for beat in windows.data[windows.target == label]}
        drawn = {tuple(ax.lines[0].get_ydata()) for ax in row}
        assert len(drawn) == 3
        assert drawn <= of_class
        assert row[0].get_ylabel() == NAMES[label]
    seconds = display.axes_[0, 0].lines[0].get_xdata()
    np.testing.assert_allclose(seconds, np.arange(360) / 360 - 0.4)
    assert display.figure_.get_supxlabel() == "Time (s)"
    assert display.figure_.get_supylabel() == "Amplitude (mV)"


def test_the_choice_of_beats_follows_the_seed(beats):
    def chosen(seed):
        return BeatsDisplay.from_beats(
            beats.data, beats.target, sampling_rate=120.0, random_state=seed
        ).beats

    np.testing.assert_array_equal(chosen(0), chosen(0))
    assert not np.array_equal(chosen(0), chosen(1))


def test_a_class_with_few_beats_leaves_places_empty():
    X, y = np.zeros((4, 10)), np.array([0, 0, 0, 3])
    display = BeatsDisplay.from_beats(X, y, sampling_rate=10.0, target_names=NAMES)
    assert display.target_names == ["N", "F"]
    visible = [[ax.get_visible() for ax in row] for row in display.axes_]
    assert visible == [[True, True, True], [True, False, False]]


def test_beats_on_given_axes(beats):
    figure, axes = plt.subplots(5, 2)
    display = BeatsDisplay.from_beats(
        beats.data, beats.target, sampling_rate=120.0, n_beats=2, axes=axes
    )
    assert display.figure_ is figure
    assert plt.get_fignums() == [1]
    assert axes[0, 0].get_ylabel() == "0 (a.u.)"
    assert axes[-1, 1].get_xlabel() == "Time (s)"
    with pytest.raises(ValueError, match=r"shape \(5, 2\); 5 classes.*need \(5, 4\)"):
        BeatsDisplay.from_beats(
            beats.data, beats.target, sampling_rate=120.0, axes=axes
        )


@pytest.mark.parametrize("names", [["N", "S"], 5])
def test_classes_without_a_name_are_refused(beats, names):
    with pytest.raises(ValueError, match="does not name the classes"):
        BeatsDisplay.from_beats(
            beats.data, beats.target, sampling_rate=120.0, target_names=names
        )


def test_labels_that_are_no_numbers_stand_for_themselves():
    display = BeatsDisplay.from_beats(
        np.zeros((3, 9)), ["V", "N", "V"], sampling_rate=9.0
    )
    assert display.target_names == ["N", "V"]
    with pytest.raises(ValueError, match="does not name the classes"):
        BeatsDisplay.from_beats(
            np.zeros((2, 9)), ["V", "N"], sampling_rate=9.0, target_names=NAMES
        )


# SpectrogramsDisplay ----------------------------------------------------------------


def test_mean_spectrograms_are_in_decibels_whatever_the_normalisation(windows):
    raw = SpectrogramTransformer(sampling_rate=360.0, normalize=None)
    images = raw.fit_transform(windows.data)
    for params in (
        {},
        {"normalize": "frequency"},
        {"normalize": "sample"},
        {"flatten": True},
    ):
        fitted = SpectrogramTransformer(sampling_rate=360.0, **params)
        display = SpectrogramsDisplay.from_estimator(
            fitted.fit(windows.data),
            windows.data,
            windows.target,
            unit="mV",
            target_names=windows.target_names,
        )
        for label in range(5):
            expected = images[windows.target == label].mean(axis=0)
            np.testing.assert_allclose(display.images[label], expected, atol=1e-3)
    assert [ax.get_title() for ax in display.axes_] == NAMES
    assert display.axes_[0].get_ylabel() == "Frequency (Hz)"
    assert {ax.get_xlabel() for ax in display.axes_} == {"Time (s)"}
    assert display.colorbar_.ax.get_ylabel() == "Power (dB re 1 mV²/Hz)"
    limits = {mesh.get_clim() for ax in display.axes_ for mesh in ax.collections}
    assert limits == {(display.images.min(), display.images.max())}


def test_the_cells_lie_around_their_frequency_and_time(windows):
    fitted = SpectrogramTransformer(sampling_rate=360.0).fit(windows.data)
    display = SpectrogramsDisplay.from_estimator(fitted, windows.data, windows.target)
    corners = display.axes_[0].collections[0].get_coordinates()
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    np.testing.assert_allclose(centres[0, :, 0], fitted.times_, atol=1e-12)
    np.testing.assert_allclose(centres[:, 0, 1], fitted.frequencies_, atol=1e-12)


def test_an_example_is_the_spectrogram_of_one_beat(beats):
    raw = SpectrogramTransformer(normalize=None).fit(beats.data)
    display = SpectrogramsDisplay.from_estimator(
        raw, beats.data, beats.target, kind="example", random_state=0
    )
    images = raw.transform(beats.data)
    for label, image in enumerate(display.images):
        of_class = images[beats.target == label]
        assert np.isclose(of_class, image, atol=1e-4).all(axis=(1, 2)).any()


def test_from_a_pipeline_with_a_sampler(beats):
    scaler = StandardScaler(with_std=False)
    pipe = make_pipeline(
        scaler, RandomOverSampler(random_state=0), SpectrogramTransformer()
    ).fit(beats.data, beats.target)
    display = SpectrogramsDisplay.from_estimator(pipe, beats.data, beats.target)
    centred = scaler.transform(beats.data)
    alone = SpectrogramsDisplay.from_estimator(pipe[-1], centred, beats.target)
    np.testing.assert_allclose(display.images, alone.images, atol=1e-4)


@pytest.mark.parametrize(
    ("params", "label"),
    [
        ({"scaling": "spectrum"}, "Power (dB re 1 mV²)"),
        ({"scale": "power"}, "Power (mV²/Hz)"),
        ({"scale": "power", "scaling": "spectrum"}, "Power (mV²)"),
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


def test_a_single_spectrogram_on_given_axes():
    figure, ax = plt.subplots()
    display = SpectrogramsDisplay(
        np.ones((1, 1, 1)), frequencies=[0.0], times=[0.1]
    ).plot([ax])
    assert display.figure_ is figure
    display.figure_.canvas.draw()


def test_spectrograms_that_cannot_be_drawn(beats):
    for unfitted in (SpectrogramTransformer(), make_pipeline(SpectrogramTransformer())):
        with pytest.raises(ValueError, match="not fitted"):
            SpectrogramsDisplay.from_estimator(unfitted, beats.data, beats.target)
    with pytest.raises(ValueError, match="StandardScaler holds no fitted"):
        SpectrogramsDisplay.from_estimator(
            StandardScaler().fit(beats.data), beats.data, beats.target
        )
    fitted = SpectrogramTransformer().fit(beats.data)
    with pytest.raises(ValueError, match="kind='median' is unknown. Use \"mean\""):
        SpectrogramsDisplay.from_estimator(
            fitted, beats.data, beats.target, kind="median"
        )


# PerClassDisplay --------------------------------------------------------------------


def test_bars_of_each_class_with_intervals():
    low, high = SCORES - 0.05, np.minimum(SCORES + 0.02, 1)
    display = PerClassDisplay(
        SCORES, low=low, high=high, target_names=["N", "S", "V"]
    ).plot()
    ax = display.ax_
    heights = np.reshape([bar.get_height() for bar in ax.patches], (3, 3)).T
    np.testing.assert_array_equal(heights, SCORES)
    ends = np.array([line.get_ydata() for line in ax.lines]).reshape(3, 3, 2)
    np.testing.assert_array_equal(ends[..., 0].T, low)
    np.testing.assert_array_equal(ends[..., 1].T, high)
    assert [text.get_text() for text in ax.texts] == ["not defined"]
    assert labels_of(ax.xaxis) == ["N", "S", "V"]
    found = [text.get_text() for text in ax.get_legend().get_texts()]
    assert found == ["Se", "+P", "F1"]
    assert ax.get_ylabel() == "Score (fraction)"


def test_an_interval_need_not_hold_its_value():
    display = PerClassDisplay([[0.5]], low=[[0.6]], high=[[0.7]], metric_names=["Se"])
    assert display.plot().ax_.lines[0].get_ydata().tolist() == [0.6, 0.7]


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([0.5, 0.6], {}, r"shape \(2,\); they need one row for each class"),
        ([[0.5, 0.6]], {}, r"shape \(1, 2\).*\['Se', '\+P', 'F1'\]"),
        (SCORES, {"low": SCORES}, "one of low and high is None"),
        (SCORES, {"low": SCORES, "high": SCORES[:2]}, r"high has shape \(2, 3\)"),
        (SCORES, {"target_names": ["N"]}, "does not name the classes"),
    ],
)
def test_scores_that_do_not_fit(values, options, message):
    with pytest.raises(ValueError, match=message):
        PerClassDisplay(values, **options).plot()


# RecordsDisplay ---------------------------------------------------------------------


def test_records_are_sorted_and_sized():
    display = RecordsDisplay(
        [0.9, np.nan, 0.1, 0.5], [1000, 70, 500, 2000], records=["a", "b", "c", "d"]
    ).plot()
    ax = display.ax_
    places = ax.collections[0].get_offsets()
    np.testing.assert_allclose(places[:, 0], [0.1, 0.5, 0.9])
    assert labels_of(ax.yaxis) == ["c", "d", "a"]  # "b" has no value
    areas = ax.collections[0].get_sizes()
    np.testing.assert_allclose(areas / areas.max(), [0.25, 1, 0.5])
    found = [text.get_text() for text in ax.get_legend().get_texts()]
    assert found == ["200", "800", "2,000"]
    assert ax.get_xlabel() == "Sensitivity (fraction)"


def test_48_records_have_room_for_their_names():
    names = [str(number) for number in range(100, 148)]
    rng = np.random.default_rng(0)
    display = RecordsDisplay(
        rng.random(48), rng.integers(0, 3000, 48), records=names, metric_name="F1"
    ).plot()
    display.figure_.canvas.draw()
    renderer = display.figure_.canvas.get_renderer()
    assert_no_overlap(display.ax_.get_yticklabels(), renderer)


def test_records_of_one_beat_or_none_are_drawn():
    display = RecordsDisplay([0.0, 1.0], [0, 1], records=["a", "b"]).plot()
    found = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert found == ["1"]


@pytest.mark.parametrize(
    ("values", "n_beats", "message"),
    [
        ([0.5], [1, 2], "1 values, 2 numbers of beats and 2 records"),
        ([np.nan, np.nan], [1, 2], "All values are NaN"),
    ],
)
def test_records_that_cannot_be_drawn(values, n_beats, message):
    with pytest.raises(ValueError, match=message):
        RecordsDisplay(values, n_beats, records=["a", "b"]).plot()


# All --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "display",
    [
        ClassDistributionDisplay({"x": [3, 1]}),
        PerClassDisplay(SCORES),
        RecordsDisplay([0.4], [10], records=["a"]),
    ],
)
def test_plot_draws_where_it_is_told(display):
    figure, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [1]


# Reliability ------------------------------------------------------------------------


def test_the_error_is_averaged_over_the_beats():
    # Three beats at 0.95, all right; one at 0.55, wrong: (3 * 0.05 + 0.55) / 4.
    probability = [[0.95, 0.05], [0.95, 0.05], [0.05, 0.95], [0.55, 0.45]]
    display = ReliabilityDisplay.from_predictions(
        [0, 0, 1, 1], probability, classes=[0, 1]
    )
    np.testing.assert_allclose(display.prob_pred, [0.55, 0.95])
    np.testing.assert_allclose(display.prob_true, [0, 1])
    assert display.calibration_error == pytest.approx(0.175)
    assert display.class_curves == {}  # of so few beats
    curves, histogram = display.axes_
    texts = [text.get_text() for text in curves.get_legend().get_texts()]
    assert "predicted class (error 0.175)" in texts
    heights = [bar.get_height() for bar in histogram.patches]
    np.testing.assert_allclose(heights, [0, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.75])
    assert histogram.get_xlabel() == "Predicted probability"


def test_curves_of_the_classes():
    # Class 1 has 0.25 on 10 beats, 1 of them its own, and 0.75 on 10, all its own;
    # class 2 has too few beats.
    one = np.repeat([0.25, 0.75], 10)
    probability = np.column_stack([1 - one, one, np.zeros(20)])
    y = np.array([1] + [0] * 8 + [2] + [1] * 10)
    display = ReliabilityDisplay.from_predictions(
        y, probability, classes=[0, 1, 2], target_names=NAMES, n_bins=10
    )
    assert list(display.class_curves) == ["S"]
    np.testing.assert_allclose(display.class_curves["S"], [[0.25, 0.75], [0.1, 1]])
    texts = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert "class S" in texts
    assert "class N" not in texts


def test_reliability_of_a_calibrated_and_of_a_sure_classifier():
    rng = np.random.default_rng(0)
    probability = rng.dirichlet([0.3] * 5, 20_000)
    y = (rng.random((20_000, 1)) > probability.cumsum(axis=1)).sum(axis=1)
    y = np.minimum(y, 4)
    modest = ReliabilityDisplay.from_predictions(y, probability, classes=range(5))
    assert modest.calibration_error < 0.02
    sure = np.eye(5)[probability.argmax(axis=1)]
    sure = ReliabilityDisplay.from_predictions(y, sure, classes=range(5))
    accuracy = (probability.argmax(axis=1) == y).mean()
    assert sure.calibration_error == pytest.approx(1 - accuracy)


def test_reliability_is_drawn_where_it_is_told():
    figure, axes = plt.subplots(2)
    display = ReliabilityDisplay([0.8], [0.7], [0.8, 0.8], calibration_error=0.1)
    assert display.plot(axes) is display
    assert display.axes_[0] is axes[0]
    assert display.figure_ is figure
    assert plt.get_fignums() == [1]


@pytest.mark.parametrize(
    ("y", "probability", "message"),
    [
        ([0, 1], [[0.5, 0.5]], r"shape \(1, 2\); 2 beats and 2 classes need \(2, 2\)"),
        ([0], [[0.2, 0.3, 0.5]], r"need \(1, 2\)"),
        ([], np.zeros((0, 2)), "at least one beat"),
        ([0], [[-2.0, 3.0]], "goes from -2 to 3"),
        ([0], [[np.nan, 0.5]], "from nan"),
        ([7], [[0.5, 0.5]], r"holds \[7\], not among the classes \[0, 1\]"),
    ],
)
def test_probabilities_that_cannot_be_drawn(y, probability, message):
    with pytest.raises(ValueError, match=message):
        ReliabilityDisplay.from_predictions(y, probability, classes=[0, 1])
