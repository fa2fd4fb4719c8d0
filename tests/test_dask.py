"""A search whose fits run on Dask, one of whose workers is killed on the way."""

import os
import signal
import threading

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from ecg_sklearn.pipeline import make_ecg_pipeline

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.slow,
    # Connections that a killed worker leaves open are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def search(small_cnn):
    pipe = make_ecg_pipeline(random_state=0, **{**small_cnn, "epochs": 1})
    grid = {"spectrogram__nperseg": [8, 16, 32], "cnn__learning_rate": [1e-5, 1e-2]}
    return GridSearchCV(pipe, grid, cv=2)


@pytest.fixture
def cluster(tmp_path):
    """Two worker processes on this machine, each with one thread."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=tmp_path,
            silence_logs="CRITICAL",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_search_outlives_a_worker(cluster, beats, small_cnn):
    X, y = beats.data[:200], beats.target[:200]
    alone = search(small_cnn).fit(X, y)

    workers = cluster.run(os.getpid)
    assert len(workers) == 2
    victim, pid = next(iter(workers.items()))
    killed = threading.Event()
    done = threading.Event()

    def kill_in_mid_search():
        """Kill a worker as soon as the first fits have come back."""
        while not done.wait(0.1):
            states = cluster.run_on_scheduler(
                lambda dask_scheduler: {
                    name: len(worker.processing)
                    for name, worker in dask_scheduler.workers.items()
                }
            )
            if states.get(victim):
                os.kill(pid, signal.SIGKILL)
                killed.set()
                return

    killer = threading.Thread(target=kill_in_mid_search)
    killer.start()
    try:
        # Without scatter, joblib puts the beats on one worker; they die with it.
        with joblib.parallel_config("dask", scatter=[X, y]):
            spread = search(small_cnn).fit(X, y)
    finally:
        done.set()
        killer.join()
    assert killed.is_set()
    assert pid not in cluster.run(os.getpid).values()
    assert spread.best_params_ == alone.best_params_
    np.testing.assert_allclose(
        spread.cv_results_["mean_test_score"],
        alone.cv_results_["mean_test_score"],
        atol=0.02,
    )
    assert spread.predict(X).shape == (200,)
