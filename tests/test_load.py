"""Fitted estimators under load: threads, processes, thousands of calls, many fits.

$ECG_SKLEARN_LOAD sets the number of fits of the search, 24 by default; the full load is
100.
"""

import gc
import os
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline

needs_proc = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc"
)


def resident_mb():
    """Resident memory of this process, in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.fixture(scope="module")
def pipe(beats):
    return make_ecg_pipeline(
        filters=(8, 16), dense_units=16, epochs=1, random_state=0
    ).fit(beats.data, beats.target)


@pytest.mark.slow
def test_eight_threads_get_the_answers_of_one(pipe, beats):
    parts = [beats.data[i::16] for i in range(16)]
    alone = [pipe.predict_proba(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            together = list(pool.map(pipe.predict_proba, parts))
            for found, expected in zip(together, alone, strict=True):
                np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_four_processes_get_the_answers_of_one(pipe, beats):
    parts = np.array_split(beats.data, 8)
    together = joblib.Parallel(n_jobs=4)(
        joblib.delayed(pipe.predict_proba)(part) for part in parts
    )
    np.testing.assert_allclose(
        np.concatenate(together), pipe.predict_proba(beats.data), atol=1e-6
    )


@pytest.mark.slow
@needs_proc
def test_memory_does_not_grow_with_calls(pipe, beats):
    rows = [beats.data[i : i + 1] for i in range(100)]
    for row in rows * 5:
        pipe.predict_proba(row)
    gc.collect()
    before = resident_mb()
    for row in rows * 100:
        pipe.predict_proba(row)
    gc.collect()
    # If each of the 10,000 calls kept its spectrogram of 2256 bytes: 23 MB.
    assert resident_mb() - before < 10


def _resident(estimator, X, y):
    return resident_mb()


def _process(estimator, X, y):
    return os.getpid()


def _moment(estimator, X, y):
    return time.monotonic()


@pytest.mark.slow
@needs_proc
def test_memory_does_not_grow_with_fits():
    n_fits = int(os.environ.get("ECG_SKLEARN_LOAD", "24"))
    X, y = make_heartbeats(2000, random_state=0, return_X_y=True)
    pipe = make_ecg_pipeline(
        sampler=None, filters=(8,), dense_units=8, epochs=1, random_state=0
    )
    search = GridSearchCV(
        pipe,
        {"cnn__learning_rate": np.geomspace(1e-4, 1e-2, n_fits // 2)},
        cv=2,
        n_jobs=2,
        refit=False,
        scoring={"memory": _resident, "process": _process, "moment": _moment},
    )
    results = search.fit(X, y).cv_results_
    memory, process, moment = (
        np.concatenate([results[f"split{i}_test_{name}"] for i in range(2)])
        for name in ("memory", "process", "moment")
    )
    assert len(memory) == n_fits // 2 * 2
    for worker in np.unique(process):
        own = process == worker
        in_order = memory[own][np.argsort(moment[own])]
        settled = len(in_order) // 3
        growth = in_order[-1] - in_order[settled]
        # If each fit kept the spectrograms of its 1000 beats, 2.26 MB, beside them.
        kept = 2.26 * (len(in_order) - 1 - settled)
        assert growth < max(kept / 2, 4), in_order


class Stop(Exception):
    """What a callback raises to break a fit."""


def breaking_callback():
    import keras

    class Breaking(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise Stop

    return Breaking()


@pytest.mark.parametrize("how", ["fit", "held out", "validated", "partial", "broken"])
def test_training_beats_are_released(how, images, beats, small_cnn):
    X, y = images.copy(), beats.target.copy()
    X_val, y_val = images[:50].copy(), beats.target[:50].copy()
    watched = [weakref.ref(array) for array in (X, y, X_val, y_val)]
    cnn = SpectrogramCNNClassifier(**{**small_cnn, "epochs": 1}, random_state=0)
    if how == "fit":
        cnn.fit(X, y)
    elif how == "held out":
        cnn.set_params(early_stopping=True).fit(X, y)
    elif how == "validated":
        cnn.fit(X, y, X_val=X_val, y_val=y_val)
    elif how == "partial":
        cnn.partial_fit(X, y, classes=range(5)).partial_fit(X, y)
    else:
        with pytest.raises(Stop):
            cnn.set_params(callbacks=[breaking_callback()]).fit(X, y)
    del X, y, X_val, y_val
    gc.collect()
    assert [array() is None for array in watched] == [True] * 4
    assert how == "broken" or cnn.predict(images).shape == (400,)
