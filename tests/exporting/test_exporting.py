"""Exported graphs against the pipelines that they come from."""

import json
import subprocess
import sys
import warnings
import zipfile
from typing import NamedTuple

import numpy as np
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

from ecg_sklearn.exporting import _export, export
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.pipeline import make_ecg_pipeline

SMALL = {"filters": (8, 16), "dense_units": 16, "epochs": 1, "random_state": 0}
LABELS = np.array(["N", "S", "V", "F", "Q"])
SUFFIX = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
FORMATS = [
    pytest.param("onnx", marks=pytest.mark.slow),
    pytest.param("litert", marks=pytest.mark.slow),
    "keras",
]


def needs(format):
    if format == "onnx":
        for package in ("onnx", "onnxruntime", "tf2onnx"):
            pytest.importorskip(package)


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


def with_context(X):
    """Beats with four features of the beat behind them."""
    rng = np.random.default_rng(0)
    context = rng.normal([1, 0.8, 1, 0.1], [0.2, 0.1, 0.0, 30], size=(len(X), 4))
    return np.hstack([X, context.astype(np.float32)])


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
def pipe(beats):
    return make_ecg_pipeline(**SMALL).fit(beats.data, LABELS[beats.target])


@pytest.mark.parametrize("format", list(SUFFIX))
def test_files_agree_with_the_pipeline(format, pipe, beats, tmp_path):
    needs(format)
    path = tmp_path / f"model{SUFFIX[format]}"
    report = export(pipe, path, format=format)
    size = path.stat().st_size
    assert report == (path, format, report.max_difference, 256, size)
    assert list(tmp_path.iterdir()) == [path]
    for n_beats in (1, 7):
        X = beats.data[:n_beats]
        np.testing.assert_allclose(run(path, format, X), pipe.predict_proba(X), 0, 2e-5)
    for name, value in {
        "classes": ["F", "N", "Q", "S", "V"],
        "n_columns": 187,
        "column_names": [],
        "feature_columns": [],
        "sampling_rate": 120.0,
    }.items():
        assert metadata(path, format)[name] == value


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "params",
    [
        {"phase": True},
        {"pooling": "max", "residual": (2,), "dropout": 0.1, "dense_dropout": 0.1},
    ],
    ids=["phase", "residual"],
)
def test_features_go_past_the_convolutions(format, params, beats, tmp_path):
    needs(format)
    X = with_context(beats.data)
    pipe = make_ecg_pipeline(n_context=4, **SMALL, **params)
    ready(pipe, X, beats.target)
    path = tmp_path / f"model{SUFFIX[format]}"
    assert export(pipe, path, format=format).max_difference < 1e-4
    np.testing.assert_allclose(run(path, format, X), pipe.predict_proba(X), 0, 2e-5)
    assert metadata(path, format)["feature_columns"] == [187, 188, 189, 190]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "spectrogram",
    [
        {"scale": "power", "boundary": "even"},
        {"scale": "magnitude", "normalize": "frequency", "boundary": "constant"},
        {"top_db": 40, "normalize": "sample", "detrend": "linear"},
        {"normalize": None, "boundary": "odd", "detrend": False},
        {"boundary": None, "scaling": "spectrum", "freq_range": (5, 30)},
        # longer than the longest segment that the package transforms by a matrix
        {"nperseg": 140, "noverlap": 0.5, "nfft": 1.0, "phase": True},
        {"flatten": True, "phase": True},
    ],
    ids=lambda params: "-".join(params),
)
def test_every_spectrogram(format, spectrogram, beats, tmp_path):
    needs(format)
    pipe = make_ecg_pipeline(sampler=None, **SMALL)
    pipe["spectrogram"].set_params(**spectrogram)
    ready(pipe, beats.data[:100], beats.target[:100])
    path = tmp_path / f"model{SUFFIX[format]}"
    # Without a scale, levels and phases of nothing at all count too: real beats alone.
    X = beats.data[:100] if spectrogram.get("normalize", "") is None else None
    export(pipe, path, format=format, X=X)


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
def test_scalers_straight_into_the_network(format, scalers, beats, tmp_path):
    needs(format)
    steps = [(f"step{i}", scaler) for i, scaler in enumerate(scalers)]
    pipe = Pipeline([*steps, ("cnn", SpectrogramCNNClassifier(**SMALL))])
    ready(pipe, beats.data[:100], beats.target[:100])
    # Half of the probes are beyond the limits of the training beats.
    export(pipe, tmp_path / f"model{SUFFIX[format]}", format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_settings_of_keras_change_nothing(format, pipe, beats, tmp_path):
    import keras

    needs(format)
    path = tmp_path / f"model{SUFFIX[format]}"
    expected = pipe.predict_proba(beats.data)
    try:
        keras.config.set_dtype_policy("mixed_float16")
        keras.config.set_floatx("float64")
        keras.config.set_image_data_format("channels_first")
        export(pipe, path, format=format)
        if format == "keras":  # whoever loads it may have other settings too
            np.testing.assert_allclose(run(path, format, beats.data), expected, 0, 2e-5)
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(run(path, format, beats.data), expected, 0, 2e-5)


@pytest.mark.parametrize("format", FORMATS)
def test_a_network_of_other_layers(format, beats, tmp_path):
    import keras

    needs(format)
    pipe = make_ecg_pipeline(sampler=None, **SMALL)
    ready(pipe, beats.data, beats.target)
    images = keras.Input(pipe["cnn"].model_.input_shape[1:])
    x = keras.layers.SeparableConv2D(4, 3, activation="silu")(images)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.LeakyReLU()(keras.layers.AveragePooling2D(2)(x))
    x = keras.layers.Dense(8, "tanh")(keras.layers.Flatten()(x))
    network = keras.Model(images, keras.layers.Dense(5, "softmax")(x))
    pipe["cnn"].model_ = network
    report = export(pipe, tmp_path / f"model{SUFFIX[format]}", format=format)
    assert report.max_difference < 1e-4
    assert pipe["cnn"].model_ is network


def test_a_graph_that_differs_is_not_written(pipe, tmp_path, monkeypatch):
    from ecg_sklearn.exporting import _graph

    written = _graph.keras_model

    def spoiled(*args):
        model = written(*args)
        bias = model.layers[-1].get_layer("classes").bias
        bias.assign(bias + np.arange(5.0))
        return model

    monkeypatch.setattr(_graph, "keras_model", spoiled)
    message = r"differs from the pipeline by up to 0\.\d+ .* class of \d+ of 256 beats"
    with pytest.raises(ValueError, match=message):
        export(pipe, tmp_path / "model.keras", format="keras")
    assert not list(tmp_path.iterdir())


def test_the_tolerance_and_the_beats_are_the_callers(pipe, beats, tmp_path):
    path = tmp_path / "model.keras"
    with pytest.raises(ValueError, match=r"tolerance=0\).* 0 of 100 beats"):
        export(pipe, path, format="keras", X=beats.data[:100], tolerance=0)
    assert not path.exists()
    report = export(pipe, path, format="keras", X=beats.data[:100].tolist())
    assert report.n_beats == 100


class Compared(NamedTuple):
    """A pipeline that answers the same to whatever it is given."""

    answer: np.ndarray

    def predict_proba(self, X):
        return self.answer


def test_what_counts_as_another_class():
    pipe = Compared(np.array([[0.5, 0.5], [0.2, 0.8]], dtype=np.float32))
    beats = np.zeros((2, 3))
    tie = np.array([[0.499999, 0.500001], [0.2, 0.8]])
    assert _export._compare(pipe, lambda X: tie[: len(X)], beats, 1e-3) < 1e-5
    other = np.array([[0.5, 0.5], [0.9, 0.1]])
    with pytest.raises(ValueError, match="class of 1 of 2 beats"):
        _export._compare(pipe, lambda X: other[: len(X)], beats, 1.0)
    nothing = np.full((2, 2), np.nan)
    with pytest.raises(ValueError, match="by up to nan"):
        _export._compare(pipe, lambda X: nothing[: len(X)], beats, 1.0)


def test_probes_have_the_size_of_the_training_beats(beats, small_cnn):
    X = 200 * with_context(beats.data) + 1000
    pipe = make_ecg_pipeline(n_context=4, sampler=None, **small_cnn)
    pipe[:-1].fit(X)
    probes = _export._probe_beats(pipe[0], [step for _, step in pipe.steps[:-1]])
    assert probes.shape == (256, 191)
    assert probes.dtype == np.float32
    np.testing.assert_allclose(
        probes[:, -4:].std(axis=0), X[:, -4:].std(axis=0), rtol=0.3, atol=1.5
    )


def test_an_existing_file_stays(pipe, tmp_path):
    path = tmp_path / "model.keras"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export(pipe, path, format="keras")
    assert path.read_text() == "precious"
    export(pipe, path, format="keras", overwrite=True)
    assert path.stat().st_size > 1000


def test_what_cannot_be_exported(pipe, beats, tmp_path):
    path = tmp_path / "model.onnx"
    with pytest.raises(ValueError, match="'format' parameter of export must be a str"):
        export(pipe, path, format="pmml")
    with pytest.raises(ValueError, match="does not end with '.tflite'"):
        export(pipe, path, format="litert")
    with pytest.raises(NotFittedError):
        export(make_ecg_pipeline(), path)
    with pytest.raises(TypeError, match="best_estimator_"):
        export(pipe["cnn"], path)
    with_pca = Pipeline([("squeeze", PCA()), *pipe.steps])
    with pytest.raises(ValueError, match="Step 'squeeze' is a PCA, which export"):
        export(with_pca, path)
    other = Pipeline([("scaler", StandardScaler()), ("lines", LogisticRegression())])
    with pytest.raises(ValueError, match="'lines', is a LogisticRegression"):
        export(other, path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["onnx", "onnxruntime", "tf2onnx"])
def test_a_missing_package_is_named(package, pipe, tmp_path, monkeypatch):
    needs("onnx")
    monkeypatch.setitem(sys.modules, package, None)
    message = rf'package {package}\. .*`pip install "ecg-sklearn\[onnx\]"`'
    with pytest.raises(ImportError, match=message):
        export(pipe, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_tensorflow_alone_converts(format, pipe, tmp_path, monkeypatch):
    import keras

    needs(format)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="Keras runs on jax here"):
        export(pipe, tmp_path / f"model{SUFFIX[format]}", format=format)


@pytest.mark.slow
def test_a_keras_file_needs_nothing_of_this_package(pipe, beats, tmp_path):
    path = tmp_path / "model.keras"
    export(pipe, path, format="keras")
    np.save(tmp_path / "beats.npy", beats.data)
    script = (
        "import sys, keras, numpy as np\n"
        f"X = np.load({str(tmp_path / 'beats.npy')!r})\n"
        f"found = keras.saving.load_model({str(path)!r}).predict(X, verbose=0)\n"
        "assert not any(name.startswith('ecg_sklearn') for name in sys.modules)\n"
        f"np.save({str(tmp_path / 'found.npy')!r}, found)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    found = np.load(tmp_path / "found.npy")
    np.testing.assert_allclose(found, pipe.predict_proba(beats.data), 0, 2e-5)
