"""What one training leaves behind for the next: nothing."""

import multiprocessing
import os

import keras
import numpy as np
import pytest
from sklearn.base import clone

from ecg_sklearn.neural_network import SpectrogramCNNClassifier


class Mark(keras.callbacks.Callback):
    """Do something to the network that is being trained."""

    def __init__(self, leave):
        super().__init__()
        self.leave = leave

    def on_train_begin(self, logs=None):
        self.leave(self.model)


def set_attribute(name, value):
    return lambda model: setattr(model.optimizer, name, value)


def freeze(model):
    model.get_layer("block1_conv").trainable = False


def forget_norms(model):
    model.get_layer("block1_norm").momentum = 0.0


MARKS = {
    "clipnorm": set_attribute("clipnorm", 1e-6),
    "weight decay": set_attribute("weight_decay", 10.0),
    "frozen layer": freeze,
    "momentum of a norm": forget_norms,
}


@pytest.fixture
def cnn(small_cnn):
    return SpectrogramCNNClassifier(**small_cnn, random_state=0)


def same(one, other, X):
    return np.allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_marks_of_a_callback_are_not_handed_on(cnn, images, beats, mark):
    unmarked = clone(cnn).fit(images, beats.target)
    marked = clone(cnn).set_params(callbacks=[Mark(mark)])
    marked.fit(images, beats.target)
    assert not same(marked, unmarked, images)  # the mark was one
    after = clone(cnn).fit(images, beats.target)
    assert same(after, unmarked, images)


def test_a_network_compiled_anew_is_not_handed_on(cnn, images, beats):
    expected = clone(cnn).fit(images, beats.target)
    last = keras.callbacks.LambdaCallback()
    last.on_train_end = lambda logs: last.model.compile("sgd", "mean_squared_error")
    clone(cnn).set_params(callbacks=[last]).fit(images, beats.target)
    assert same(clone(cnn).fit(images, beats.target), expected, images)


def test_a_resumed_backup_of_keras_leaves_the_next_fit_whole(
    cnn, images, beats, tmp_path
):
    def stop(epoch, logs):
        if epoch == 3:
            raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    cnn.set_params(epochs=4)
    expected = clone(cnn).fit(images, beats.target)
    stopping = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
    with pytest.raises(KeyboardInterrupt):
        clone(cnn).set_params(callbacks=[backup(), stopping]).fit(images, beats.target)
    resumed = clone(cnn).set_params(callbacks=[backup()]).fit(images, beats.target)
    # Order of beats and learning rate are those of the fourth epoch.
    assert len(resumed.history_["loss"]) == 1
    assert resumed.history_["loss"][0] == pytest.approx(
        expected.history_["loss"][3], rel=1e-4
    )
    assert clone(cnn).fit(images, beats.target).n_epochs_ == 4


def _answer(queue, work, *args):
    """Run in a forked process: say what came of it."""
    try:
        work(*args)
        queue.put("answered")
    except RuntimeError as error:
        queue.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["predict", "fit", "unpickle"])
def test_a_forked_process_says_what_to_do(cnn, images, beats, method):
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch works in a forked process")
    import pickle

    cnn.set_params(epochs=1).fit(images, beats.target)
    work = {
        "predict": (cnn.predict, images[:3]),
        "fit": (clone(cnn).fit, images, beats.target),
        "unpickle": (pickle.loads, pickle.dumps(cnn)),
    }[method]
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=_answer, args=(queue, *work))
    process.start()
    process.join(30)
    hangs = process.is_alive()
    process.kill()
    assert not hangs
    answer = queue.get()
    for part in ("was forked from process", '"spawn"', '"loky"', "in each worker"):
        assert part in answer
