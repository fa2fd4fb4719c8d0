"""Trainings that go on where they were broken off."""

import os
import pickle
import re
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from sklearn.base import clone


class Break(keras.callbacks.Callback):
    """Break a training off in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.last = epoch
        self.now = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.last and batch == 2:
            raise KeyboardInterrupt


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "backup"


def weights_of(cnn):
    return [np.array(w) for w in cnn.model_.get_weights()]


def broken_and_resumed(cnn, path, epoch, *fit_args, **fit_params):
    broken = clone(cnn).set_params(checkpoint=path, callbacks=[Break(epoch)])
    with pytest.raises(KeyboardInterrupt):
        broken.fit(*fit_args, **fit_params)
    assert not hasattr(broken, "model_")
    return clone(cnn).set_params(checkpoint=path).fit(*fit_args, **fit_params)


CONFIGURATIONS = {
    "one cycle": {"dropout": 0.2},
    # The best epoch is before the break, and so is a reduced rate.
    "plateau, early stopping": {
        "lr_schedule": "plateau",
        "patience": 3,
        "learning_rate": 0.5,
        "epochs": 7,
        "early_stopping": True,
        "validation_fraction": 0.2,
    },
    "momentum, class weights": {
        "lr_schedule": None,
        "optimizer": "sgd",
        "label_smoothing": 0.1,
        "residual": (1,),
        "class_weight": "balanced",
    },
}


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(p, id=name, marks=[] if name == "one cycle" else pytest.mark.slow)
        for name, p in CONFIGURATIONS.items()
    ],
)
def test_a_broken_training_ends_as_an_unbroken_one(cnn, images, beats, path, params):
    cnn.set_params(**{"epochs": 5} | params)
    expected = clone(cnn).fit(images, beats.target)
    found = broken_and_resumed(cnn, path, cnn.epochs - 2, images, beats.target)
    for a, b in zip(weights_of(expected), weights_of(found), strict=True):
        np.testing.assert_array_equal(a, b)
    assert found.history_ == expected.history_
    assert found.n_epochs_ == expected.n_epochs_
    assert found.best_epoch_ == expected.best_epoch_
    for each in (expected, found):
        each.partial_fit(images[:200], beats.target[:200])
    np.testing.assert_array_equal(
        found.predict_proba(images), expected.predict_proba(images)
    )


@pytest.fixture(scope="module")
def finished(fitted, images, beats, tmp_path_factory):
    """A classifier with a finished training, and the folder of its backups."""
    path = tmp_path_factory.mktemp("finished") / "backup"
    return clone(fitted).set_params(checkpoint=path).fit(images, beats.target), path


def contents_of(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_finished_training_is_found_finished(finished, images, beats):
    cnn, path = finished
    before = contents_of(path)
    found = clone(cnn).fit(images, beats.target)
    assert contents_of(path) == before
    assert found.history_ == cnn.history_
    cnn = pickle.loads(pickle.dumps(cnn))
    assert cnn.checkpoint is None
    for _ in range(2):
        np.testing.assert_array_equal(
            found.predict_proba(images), cnn.predict_proba(images)
        )
        for each in (found, cnn):
            each.partial_fit(images, beats.target)


def test_one_that_stopped_early_is_over(cnn, images, beats, path):
    cnn.set_params(epochs=30, patience=1, learning_rate=0.3, early_stopping=True)
    cnn.set_params(lr_schedule=None, checkpoint=path)
    expected = clone(cnn).fit(images, beats.target)
    assert expected.n_epochs_ < 30
    found = clone(cnn).fit(images, beats.target)
    assert found.n_epochs_ == expected.n_epochs_
    np.testing.assert_array_equal(
        found.predict_proba(images), expected.predict_proba(images)
    )


@pytest.mark.parametrize("change", ["beats", "labels", "parameter"])
def test_the_state_of_another_training_is_refused(finished, images, beats, change):
    cnn, path = clone(finished[0]), finished[1]
    X, y = images.copy(), beats.target.copy()
    if change == "beats":
        X[0, 0, 0] += 0.5
    elif change == "labels":
        y[0] = (y[0] + 1) % 5
    else:
        cnn.set_params(learning_rate=1e-3)
    before = contents_of(path)
    with pytest.raises(ValueError, match="on other beats, with other parameters"):
        cnn.fit(X, y)
    assert not hasattr(cnn, "model_")
    assert contents_of(path) == before


def test_a_damaged_state_is_refused(finished, images, beats, tmp_path):
    whole = (finished[1] / "state.npz").read_bytes()
    cnn = clone(finished[0]).set_params(checkpoint=tmp_path)
    for content in (b"", b"no zip", whole[: len(whole) // 2], whole[:-30]):
        (tmp_path / "state.npz").write_bytes(content)
        with pytest.raises(ValueError, match="holds no state of a training"):
            cnn.fit(images, beats.target)


def test_a_file_is_no_folder(finished, images, beats, tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"state.npz' is no folder"):
        clone(finished[0]).set_params(checkpoint=path).fit(images, beats.target)
    assert path.read_bytes() == b"mine"


@pytest.mark.parametrize("seed", [None, np.random.RandomState(0)])
def test_a_seed_is_needed(cnn, images, beats, path, seed):
    cnn.set_params(random_state=seed, checkpoint=path)
    with pytest.raises(ValueError, match="needs an int as random_state"):
        cnn.fit(images, beats.target)


def test_a_failed_write_keeps_the_state_before(
    cnn, fitted, images, beats, path, monkeypatch
):
    cnn.set_params(checkpoint=path)
    savez = np.savez

    def fill_the_disk(file, **arrays):
        if (path / "state.npz").exists():
            file.write(b"half of it")
            raise OSError(28, "No space left on device")
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", fill_the_disk)
    message = re.escape(f"after epoch 2 could not be written to {path}")
    with pytest.raises(OSError, match=message):
        clone(cnn).fit(images, beats.target)
    monkeypatch.undo()
    assert [p.name for p in path.iterdir()] == ["state.npz"]
    found = cnn.fit(images, beats.target)
    np.testing.assert_array_equal(
        found.predict_proba(images), fitted.predict_proba(images)
    )


TRAINING = """
import sys
import numpy as np
from ecg_sklearn import SpectrogramCNNClassifier, SpectrogramTransformer
from ecg_sklearn.datasets import make_heartbeats
X, y = make_heartbeats(400, n_records=8, random_state=0, return_X_y=True)
cnn = SpectrogramCNNClassifier(
    filters=(8,), dense_units=8, dropout=0.1, epochs=40, random_state=0,
    early_stopping=True, patience=40, validation_fraction=0.2,
    checkpoint=sys.argv[1] if len(sys.argv) > 2 else None, batch_size=16,
)
cnn.fit(SpectrogramTransformer().fit_transform(X), y)
np.savez(sys.argv[-1], *cnn.model_.get_weights())
"""


def run_training(*args):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, *map(os.fspath, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def age_of(folder):
    file = folder / "state.npz"
    return file.stat().st_mtime_ns if file.exists() else None


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path):
    n_kills = int(os.environ.get("ECG_SKLEARN_KILLS", "3"))
    rng = np.random.default_rng()
    state = tmp_path / "backup"
    unbroken, resumed = tmp_path / "unbroken.npz", tmp_path / "resumed.npz"
    assert run_training(unbroken).wait(300) == 0
    killed = 0
    while killed < n_kills and not resumed.exists():
        seen = age_of(state)
        process = run_training(state, resumed)
        while process.poll() is None and age_of(state) == seen:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
    assert killed >= min(2, n_kills)
    if not resumed.exists():
        assert run_training(state, resumed).wait(300) == 0
    with np.load(unbroken) as a, np.load(resumed) as b:
        assert a.files == b.files
        for name in a.files:
            np.testing.assert_array_equal(a[name], b[name])
