"""The display of a training's history."""

import matplotlib.pyplot as plt
import pytest

from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline
from ecg_sklearn.plotting import TrainingHistoryDisplay


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_from_estimator_and_from_pipeline(images, beats, small_cnn):
    cnn = SpectrogramCNNClassifier(**small_cnn)
    cnn.fit(images, beats.target, X_val=images, y_val=beats.target)
    display = TrainingHistoryDisplay.from_estimator(cnn)
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["Loss (cross-entropy)", "Accuracy", "Learning rate"]
    assert display.best_epoch == cnn.best_epoch_
    lines = {line.get_label() for line in display.axes_[0].lines}
    assert {"training", "validation"} < lines
    pipe = make_ecg_pipeline(sampler=None, **small_cnn).fit(beats.data, beats.target)
    unvalidated = TrainingHistoryDisplay.from_estimator(pipe)
    assert unvalidated.best_epoch is None
    assert [line.get_label() for line in unvalidated.axes_[0].lines] == ["training"]


def test_plot_draws_where_it_is_told():
    history = {"loss": [2, 1], "accuracy": [0.5, 0.6], "learning_rate": [1e-3, 1e-3]}
    figure, axes = plt.subplots(3)
    display = TrainingHistoryDisplay(history).plot(axes)
    assert display.figure_ is figure
    assert len(plt.get_fignums()) == 1


def test_an_unfitted_estimator_is_refused():
    with pytest.raises(ValueError, match="has no history_. Fit it first"):
        TrainingHistoryDisplay.from_estimator(SpectrogramCNNClassifier())
