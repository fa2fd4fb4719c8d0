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
    result = _run(SCRIPT, backend, tmp_path, backend=backend)
    assert result.returncode == 0, result.stderr[-3000:]
    brought, theirs, one = joblib.load(tmp_path / "found.joblib")
    np.testing.assert_allclose(brought, ours.predict_proba(X), atol=1e-5)
    loaded = joblib.load(tmp_path / f"{backend}.joblib")
    np.testing.assert_allclose(loaded.predict_proba(X), theirs, atol=1e-5)
    np.testing.assert_allclose(one, theirs[:1], atol=1e-5)


WITHOUT_TENSORFLOW = """
import importlib.util
import sys

class BrokenTensorFlow:
    imported = []

    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            file = f"{sys.argv[1]}/tensorflow/__init__.py"
            return importlib.util.spec_from_file_location(name, file, loader=self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self.imported.append(module)
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")

sys.meta_path.insert(0, BrokenTensorFlow())
import numpy as np
import ecg_sklearn
from ecg_sklearn.datasets import make_heartbeats

X, y = make_heartbeats(100, random_state=0, return_X_y=True)
pipe = ecg_sklearn.make_ecg_pipeline(filters=(8,), epochs=1, random_state=0).fit(X, y)
file = f"{sys.argv[1]}/model.skops"
ecg_sklearn.save(pipe, file)
loaded = ecg_sklearn.load(file)
np.testing.assert_array_equal(loaded.predict_proba(X), pipe.predict_proba(X))
assert set(loaded.predict(X)) <= set(y)
assert ecg_sklearn.load_model("causal") is not None
from scikeras.wrappers import BaseWrapper
assert isinstance(loaded["cnn"], BaseWrapper)
assert not BrokenTensorFlow.imported
assert "tensorflow" not in sys.modules
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_do_not_import_tensorflow(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"needs {backend}")
    result = _run(WITHOUT_TENSORFLOW, tmp_path, backend=backend)
    assert result.returncode == 0, result.stderr[-3000:]


MISSING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import ecg_sklearn.pipeline
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_missing_backend_is_named(backend):
    result = _run(MISSING, backend, backend=backend)
    assert result.returncode == 1
    assert f"ImportError: Keras cannot start: its backend {backend}" in result.stderr


def _run(code, *args, backend):
    """Run code in a process whose Keras has this backend."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
