"""What one training leaves behind for the next: nothing."""

import multiprocessing
import os
import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone

from ecg_sklearn import load, save


class Mark(keras.callbacks.Callback):
    """Set an attribute of the optimizer or a layer of the trained network."""

    def __init__(self, owner, name, value):
        super().__init__()
        self.owner, self.name, self.value = owner, name, value

    def on_train_begin(self, logs=None):
        owner = self.model.optimizer
        if self.owner != "optimizer":
            owner = self.model.get_layer(self.owner)
        setattr(owner, self.name, self.value)


MARKS = [
    ("optimizer", "clipnorm", 1e-6),
    pytest.param(("optimizer", "weight_decay", 10.0), marks=pytest.mark.slow),
    ("block1_conv", "trainable", False),
    pytest.param(("block1_norm", "momentum", 0.0), marks=pytest.mark.slow),
]


def same(one, other, X):
    return np.allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: mark[1])
def test_changes_by_a_callback_do_not_stay(cnn, fitted, images, beats, mark):
    marked = clone(cnn).set_params(callbacks=[Mark(*mark)]).fit(images, beats.target)
    assert not same(marked, fitted, images)  # it changes something
    assert same(cnn.fit(images, beats.target), fitted, images)


def test_a_recompiled_network_does_not_stay(cnn, fitted, images, beats):
    last = keras.callbacks.LambdaCallback()
    last.on_train_end = lambda logs: last.model.compile("sgd", "mean_squared_error")
    clone(cnn).set_params(callbacks=[last]).fit(images, beats.target)
    assert same(cnn.fit(images, beats.target), fitted, images)


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
@pytest.mark.parametrize("method", ["predict", "fit", "unpickle", "save", "load"])
def test_a_forked_process_says_what_to_do(fitted, images, beats, method, tmp_path):
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch works in a forked process")
    path = tmp_path / "cnn.ecgsk"
    if method == "load":
        save(fitted, path)
    work = {
        "save": (save, fitted, path),
        "load": (load, path),
        "predict": (fitted.predict, images[:3]),
        "fit": (clone(fitted).fit, images, beats.target),
        "unpickle": (pickle.loads, pickle.dumps(fitted)),
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
