"""Other backends of Keras: training on them, and models that change between them."""

import importlib.util
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest

from ecg_sklearn.pipeline import make_ecg_pipeline

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
import joblib, keras, numpy as np
from ecg_sklearn.pipeline import make_ecg_pipeline

backend, folder = sys.argv[1:]
assert keras.backend.backend() == backend
X, y = joblib.load(f"{folder}/beats.joblib")
brought = joblib.load(f"{folder}/tensorflow.joblib")
pipe = make_ecg_pipeline(
    phase=True, filters=(8, 16), dense_units=16, dropout=0.1, epochs=2, random_state=0
)
pipe.fit(X, y)
assert np.isfinite(pipe["cnn"].history_["loss"]).all()
assert pipe["cnn"].history_["loss"][1] < pipe["cnn"].history_["loss"][0]
joblib.dump(pipe, f"{folder}/{backend}.joblib")
joblib.dump(
    (brought.predict_proba(X), pipe.predict_proba(X), pipe.predict_proba(X[:1])),
    f"{folder}/found.joblib",
)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_carry_over_between_backends(backend, beats, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("compares with TensorFlow")
    X, y = beats.data, np.array(list("NSVFQ"))[beats.target]
    ours = make_ecg_pipeline(
        filters=(8, 16), dense_units=16, residual=(2,), epochs=2, random_state=0
    ).fit(X, y)
    joblib.dump((X, y), tmp_path / "beats.joblib")
    joblib.dump(ours, tmp_path / "tensorflow.joblib")
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, backend, str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    brought, theirs, one = joblib.load(tmp_path / "found.joblib")
    np.testing.assert_allclose(brought, ours.predict_proba(X), atol=1e-5)
    loaded = joblib.load(tmp_path / f"{backend}.joblib")
    np.testing.assert_allclose(loaded.predict_proba(X), theirs, atol=1e-5)
    np.testing.assert_allclose(one, theirs[:1], atol=1e-5)
