"""Exported graphs against the pipelines that they come from."""

import json
import sys
import warnings
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

import ecg_sklearn
from ecg_sklearn.exporting import _export, export
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline

SMALL = {"filters": (8, 16), "dense_units": 16, "epochs": 1, "random_state": 0}
LABELS = np.array(["N", "S", "V", "F", "Q"])
FEATURES = ["rr_previous", "rr_next", "nothing", "similarity"]
SUFFIX = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
FORMATS = [
    pytest.param("onnx", marks=pytest.mark.slow),
    pytest.param("litert", marks=pytest.mark.slow),
    "keras",
]


@pytest.fixture
def path(format, tmp_path):
    """Where a file of a format goes, if its packages are there."""
    if format == "onnx":
        for package in ("onnx", "onnxruntime", "tf2onnx"):
            pytest.importorskip(package)
    return tmp_path / f"model{SUFFIX[format]}"


def ready(pipe, X, target):
    """Fit the steps before the network; give that random weights of some effect.

    With these, small errors before and in the network show in the probabilities.
    """
    network = pipe[-1]
    for _, step in pipe.steps[:-1]:
        if step != "passthrough" and not hasattr(step, "fit_resample"):
            X = step.fit_transform(X)
    network.initialize(X, LABELS[target])
    rng = np.random.default_rng(0)
    for layer in network.model_.layers:
        for variable in layer.variables:
            if len(variable.shape) == 1 and "seed" not in variable.name:
                variable.assign(rng.uniform(0.5, 1.5, size=variable.shape))
    last = network.model_.get_layer("classes")
    last.bias.assign(np.zeros(5))
    logits = np.log(network.predict_proba(X))
    logits -= logits.mean(axis=1, keepdims=True)
    factor = 2 / logits.std(axis=0).max()
    last.kernel.assign(last.kernel.value * factor)
    last.bias.assign(-factor * logits.mean(axis=0))
    assert network.predict_proba(X).std(axis=0).max() > 0.1
    return pipe


def with_features(X):
    """Beats with four features of the beat, among them one that does not vary."""
    rng = np.random.default_rng(0)
    features = rng.normal([1, 0.8, 1, 0.1], [0.2, 0.1, 0.0, 30], size=(len(X), 4))
    names = [f"t{i:03}" for i in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    frame[FEATURES] = features.astype(np.float32)
    return frame


def run(path, format, X):
    """Run a file as a stranger would: without anything of this package."""
    if format == "keras":
        import keras

        return keras.saving.load_model(path, safe_mode=True).predict(X, verbose=0)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        return session.run(["probabilities"], {"beats": X})[0]
    import tensorflow as tf

    with warnings.catch_warnings(action="ignore"):
        interpreter = tf.lite.Interpreter(model_path=str(path))
    [answer] = interpreter.get_signature_runner()(beats=X).values()
    return answer


def metadata(path, format):
    if format == "onnx":
        import onnx

        properties = onnx.load(path).metadata_props
        return {entry.key: json.loads(entry.value) for entry in properties}
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("ecg_sklearn.json"))


@pytest.fixture(scope="module")
def X(beats):
    return with_features(beats.data)


@pytest.fixture(scope="module")
def pipe(X, beats):
    return make_ecg_pipeline(**SMALL).fit(X, LABELS[beats.target])


@pytest.mark.parametrize("format", list(SUFFIX))
def test_files_agree_with_the_pipeline(format, path, pipe, X):
    report = export(pipe, path, format=format)
    size = path.stat().st_size
    assert report == (path, format, report.max_difference, 256, size)
    assert list(path.parent.iterdir()) == [path]
    for n_beats in (1, 7):
        found = run(path, format, X.to_numpy()[:n_beats])
        np.testing.assert_allclose(found, pipe.predict_proba(X[:n_beats]), 0, 2e-5)
    if format == "keras":  # nothing in it is of this package
        assert b"ecg_sklearn" not in zipfile.ZipFile(path).read("config.json")
    assert metadata(path, format) == {
        "classes": ["F", "N", "Q", "S", "V"],
        "class_names": ["F", "N", "Q", "S", "V"],
        "n_columns": 191,
        "column_names": [*(f"t{i:03}" for i in range(187)), *FEATURES],
        "feature_columns": [187, 188, 189, 190],
        "sampling_rate": 120.0,
        "cut": None,
        "package": f"ecg-sklearn {ecg_sklearn.__version__}",
    }


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("spectrogram", "network"),
    [
        ({"phase": True}, {"pooling": "max", "residual": (2,), "dropout": 0.1}),
        ({"scale": "power", "boundary": "even"}, {"dense_dropout": 0.1}),
        ({"scale": "magnitude", "normalize": "frequency", "boundary": "constant"}, {}),
        ({"top_db": 40, "normalize": "sample", "detrend": "linear"}, {}),
        ({"normalize": None, "boundary": "odd", "detrend": False}, {}),
        ({"boundary": None, "scaling": "spectrum", "freq_range": (5, 30)}, {}),
        # longer than the longest segment that the package transforms by a matrix
        ({"nperseg": 140, "noverlap": 0.5, "nfft": 1.0, "phase": True}, {}),
        # three frames, so that four features take two rows
        ({"nperseg": 80, "noverlap": 0.0}, {}),
        ({"flatten": True, "phase": True}, {}),
        ({"sample_columns": [*range(9, 187), 3], "phase": True}, {}),
    ],
    ids=lambda params: "-".join(params) or "plain",
)
def test_every_spectrogram(format, spectrogram, network, X, beats, path):
    pipe = make_ecg_pipeline(sampler=None, **SMALL, **network)
    pipe["spectrogram"].set_params(**spectrogram)
    ready(pipe, X, beats.target)
    # Without a scale, levels and phases of nothing at all count too: real beats alone.
    probes = X if spectrogram.get("normalize", "") is None else None
    export(pipe, path, format=format, X=probes)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "scalers",
    [
        [StandardScaler(), RobustScaler(), MaxAbsScaler()],
        [StandardScaler(with_mean=False), MinMaxScaler((-1, 1)), "passthrough"],
        [RobustScaler(with_centering=False), MinMaxScaler(clip=True)],
    ],
    ids=["standard-robust-maxabs", "standard-minmax-nothing", "robust-clip"],
)
def test_scalers_straight_into_the_network(format, scalers, beats, path):
    steps = [(f"step{i}", scaler) for i, scaler in enumerate(scalers)]
    pipe = Pipeline([*steps, ("cnn", SpectrogramCNNClassifier(**SMALL))])
    ready(pipe, beats.data[:100], beats.target[:100])
    # Half of the probes are beyond the limits of the training beats.
    export(pipe, path, format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_settings_of_keras_change_nothing(format, pipe, X, path):
    import keras

    expected = pipe.predict_proba(X)
    try:
        keras.config.set_dtype_policy("mixed_float16")
        keras.config.set_floatx("float64")
        keras.config.set_image_data_format("channels_first")
        export(pipe, path, format=format)
        if format == "keras":  # whoever loads it may have other settings too
            found = run(path, format, X.to_numpy())
            np.testing.assert_allclose(found, expected, 0, 2e-5)
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(run(path, format, X.to_numpy()), expected, 0, 2e-5)


@pytest.mark.parametrize("format", FORMATS)
def test_a_network_of_other_layers(format, beats, path):
    import keras

    pipe = make_ecg_pipeline(sampler=None, **SMALL)
    ready(pipe, beats.data, beats.target)
    images = keras.Input(pipe["cnn"].model_.input_shape[1:])
    x = keras.layers.SeparableConv2D(4, 3, activation="silu")(images)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.LeakyReLU()(keras.layers.AveragePooling2D(2)(x))
    x = keras.layers.Dense(8, "tanh")(keras.layers.Flatten()(x))
    network = keras.Model(images, keras.layers.Dense(5, "softmax")(x))
    pipe["cnn"].model_ = network
    export(pipe, path, format=format)
    assert pipe["cnn"].model_ is network


def test_a_graph_that_differs_is_not_written(pipe, X, tmp_path, monkeypatch):
    from ecg_sklearn.neural_network import _graph

    path = tmp_path / "model.keras"
    with pytest.raises(ValueError, match=r"tolerance=0\).* 0 of 100 beats"):
        export(pipe, path, format="keras", X=X[:100], tolerance=0)
    written = _graph.keras_model

    def spoiled(*args):
        model = written(*args)
        bias = model.layers[-1].get_layer("classes").bias
        bias.assign(bias + np.arange(5.0))
        return model

    monkeypatch.setattr(_graph, "keras_model", spoiled)
    message = r"differs from the pipeline by up to 0\.\d+ .* class of \d+ of 256 beats"
    with pytest.raises(ValueError, match=message):
        export(pipe, path, format="keras")
    assert not list(tmp_path.iterdir())


def test_what_counts_as_another_class():
    answer = np.array([[0.5, 0.5], [0.2, 0.8]])
    pipe = SimpleNamespace(predict_proba=lambda X: answer)
    for found, message in (
        ([[0.499999, 0.500001], [0.2, 0.8]], None),  # a tie
        ([[0.5, 0.5], [0.9, 0.1]], "class of 1 of 2 beats"),
        ([[np.nan, 0.5], [0.2, 0.8]], "by up to nan"),
    ):
        compared = pipe, lambda X, found=found: np.array(found)[: len(X)], answer, 1.0
        if message is None:
            assert _export._compare(*compared) < 1e-5
        else:
            with pytest.raises(ValueError, match=message):
                _export._compare(*compared)


def test_an_existing_file_stays(pipe, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export(pipe, path, format="keras")
    assert path.read_text() == "precious"
    export(pipe, path, format="keras", overwrite=True)
    assert path.stat().st_size > 1000


def test_what_cannot_be_exported(pipe, tmp_path):
    scaler = ("scaler", StandardScaler())
    for other, params, error, message in (
        (pipe, {"format": "pmml"}, ValueError, "'format' parameter of export must be"),
        (pipe, {"format": "litert"}, ValueError, "does not end with '.tflite'"),
        (make_ecg_pipeline(), {}, NotFittedError, "not fitted"),
        (pipe["cnn"], {}, TypeError, "best_estimator_"),
        (Pipeline([("squeeze", PCA()), *pipe.steps]), {}, ValueError, "'squeeze' is a"),
        (Pipeline([scaler, ("last", LogisticRegression())]), {}, ValueError, "'last'"),
    ):
        with pytest.raises(error, match=message):
            export(other, tmp_path / "model.onnx", **params)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["onnx"])
@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "tf2onnx"])
def test_a_missing_package_is_named(package, pipe, path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    message = rf'package {package}\. .*`pip install "ecg-sklearn\[onnx\]"`'
    with pytest.raises(ImportError, match=message):
        export(pipe, path)
    assert not path.exists()


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_tensorflow_alone_converts(format, pipe, path, monkeypatch):
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="Keras runs on jax here"):
        export(pipe, path, format=format)
