"""A search whose fits run on Ray, where it is installed: it is no dependency."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from ecg_sklearn.pipeline import make_ecg_pipeline

ray = pytest.importorskip("ray")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_a_search_finds_the_same_on_ray(beats, small_cnn):
    from ray.util.joblib import register_ray

    X, y = beats.data[:200], beats.target[:200]
    pipe = make_ecg_pipeline(random_state=0, **{**small_cnn, "epochs": 1})
    grid = {"spectrogram__nperseg": [8, 16], "cnn__learning_rate": [1e-5, 1e-2]}
    search = GridSearchCV(pipe, grid, cv=2)
    alone = search.fit(X, y)
    best, scores = alone.best_params_, alone.cv_results_["mean_test_score"]
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        register_ray()
        with joblib.parallel_config("ray"):
            spread = search.fit(X, y)
    finally:
        ray.shutdown()
    assert spread.best_params_ == best
    np.testing.assert_allclose(spread.cv_results_["mean_test_score"], scores, atol=0.02)
