"""Model files of networks that a function of the user built."""

import functools
import io
import json
import random
import time

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier

from ecg_sklearn import load, make_ecg_pipeline, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import PriorShiftClassifier, SoftVotingClassifier
from ecg_sklearn.exporting import export
from ecg_sklearn.inspection import grad_cam
from ecg_sklearn.neural_network import NetworkFromConfig, SpectrogramCNNClassifier
from ecg_sklearn.report import make_report
from ecg_sklearn.utils._estimators import code_of
from tests.test_persistence_attacks import forge, node_of, nodes, put, refused

L = keras.layers
SIZES = {"image_shape": (12, 47, 1), "n_classes": 5, "n_feature_rows": 0}


def residual(image_shape, n_classes, n_feature_rows):
    """A residual block over the image, joined with the row of features."""
    inputs = keras.Input(image_shape)
    image, rows = inputs[:, :-n_feature_rows], inputs[:, -n_feature_rows:]
    features = keras.ops.where(keras.ops.isnan(rows), 0.0, rows)
    x = L.SeparableConv2D(4, 3, padding="same", activation="relu")(image)
    x = L.Add()([x, L.Conv2D(4, 3, padding="same", name="second")(x)])
    x = L.GlobalAveragePooling2D()(L.BatchNormalization()(x))
    x = L.Dropout(0.1)(L.Concatenate()([x, L.Flatten()(features)]))
    return keras.Model(inputs, L.Dense(n_classes, activation="softmax")(x))


def recurrent(image_shape, n_classes, n_feature_rows, units=3):
    """Convolutions in time, and a recurrent layer, as a Sequential."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            L.Permute((2, 1, 3)),
            L.Reshape((image_shape[1], -1)),
            L.Conv1D(4, 5, strides=4, kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.LeakyReLU(),
            L.Bidirectional(L.GRU(units)),
            L.Dense(n_classes, activation="softmax"),
        ],
        name="recurrent",
    )


def flat(image_shape, n_classes, n_feature_rows, middle=None):
    """Dense layers, with one in the middle."""
    inputs = keras.Input(image_shape)
    x = L.Flatten(name="flat")(inputs)
    x = x if middle is None else middle(x)
    outputs = L.Dense(n_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)


class Wide:
    """A callable with a parameter."""

    def __init__(self, units):
        self.units = units

    def __call__(self, *sizes):
        dense = L.Dense(self.units)
        return flat(*sizes, middle=lambda x: dense(keras.ops.nan_to_num(x)))


def again(model, tmp_path):
    save(model, tmp_path / "model.ecgsk", overwrite=True)
    return load(tmp_path / "model.ecgsk")


def pickled(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def same(one, two, data):
    np.testing.assert_array_equal(one.predict_proba(data), two.predict_proba(data))


def untrained(build_fn, images, beats):
    cnn = SpectrogramCNNClassifier(build_fn=build_fn, epochs=1, random_state=0)
    return cnn.initialize(images, beats.target)


@pytest.fixture(scope="module")
def rr():
    """Beats with features."""
    return make_heartbeats(200, features=["rr"], random_state=0)


@pytest.fixture(scope="module")
def fitted(rr):
    """A pipeline with the residual network. Tests do not change it."""
    pipe = make_ecg_pipeline(
        sampler=None, sample_columns=slice(187), build_fn=residual, epochs=1,
        random_state=0,
    )  # fmt: skip
    return pipe.fit(rr.data, rr.target)


@pytest.fixture(scope="module")
def file(beats, images, tmp_path_factory):
    """Folder with the file of a small network, to forge."""
    folder = tmp_path_factory.mktemp("models")
    build_fn = functools.partial(flat, middle=L.Dense(4, name="middle"))
    save(untrained(build_fn, images, beats), folder / "network")
    save(clone(load(folder / "network")), folder / "unfitted")
    return folder


@pytest.fixture(scope="module")
def loaded(fitted, tmp_path_factory):
    """The same after a round trip."""
    return again(fitted, tmp_path_factory.mktemp("models"))


class TestRoundTrip:
    def test_a_pipeline_with_features(self, loaded, fitted, rr, tmp_path):
        same(loaded, fitted, rr.data)
        assert isinstance(loaded["cnn"].build_fn, NetworkFromConfig)
        assert "<network of 14 layers>" in repr(loaded)
        assert fitted["cnn"].build_fn is residual
        for name, model in (("one", fitted), ("two", loaded)):
            save(model, tmp_path / name)
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

    def test_what_a_loaded_one_can_do(self, loaded, fitted, rr, tmp_path):
        found = pickled(loaded)
        same(found, fitted, rr.data)
        images = found[:-1].transform(rr.data)
        assert grad_cam(found["cnn"], images[:2]).heatmap.shape[0] == 2
        export(found, tmp_path / "model.keras", format="keras")
        cnns = found["cnn"], pickled(fitted)["cnn"]
        for cnn in cnns:
            cnn.partial_fit(images, rr.target)
        same(*cnns, images)

    @pytest.mark.slow
    def test_a_report(self, loaded, rr, tmp_path):
        make_report(loaded, rr, tmp_path / "report.html", n_resamples=10)
        assert (tmp_path / "report.html").stat().st_size > 10_000

    def test_it_is_fitted_again(self, loaded, rr, tmp_path):
        found = again(clone(loaded), tmp_path)
        one, two = clone(found).fit(rr.data, rr.target), found.fit(rr.data, rr.target)
        same(one, two, rr.data)
        message = r"\(13, .*_rows=1, .*\(12, .*Pass the function"
        with pytest.raises(ValueError, match=message):
            clone(found).fit(rr.data.iloc[:, :187], rr.target)

    def test_a_recurrent_network(self, images, beats, tmp_path):
        build_fn = functools.partial(recurrent, units=2)
        cnn, rng = untrained(build_fn, images, beats), np.random.default_rng(0)
        weights = [rng.uniform(0.5, 1, w.shape) for w in cnn.model_.get_weights()]
        cnn.model_.set_weights(weights)
        same(again(cnn, tmp_path), cnn, images)

    @pytest.mark.slow
    def test_ensembles(self, rr, tmp_path):
        options = {"sampler": None, "epochs": 1, "random_state": 0}
        options |= {"build_fn": Wide(3), "sample_columns": slice(187)}
        nets = [
            PriorShiftClassifier(make_ecg_pipeline(**options).set_params(**more))
            for more in ({}, {"spectrogram__nperseg": 32})
        ]
        trees = ExtraTreesClassifier(3, random_state=0)
        model = SoftVotingClassifier([*zip("ab", nets, strict=True), ("trees", trees)])
        model.fit(rr.data, rr.target)
        found = again(model, tmp_path)
        same(found, model, rr.data)
        for (_, one), two in zip(found.estimators[:2], found.estimators_, strict=False):
            assert one.estimator["cnn"].build_fn == two.estimator["cnn"].build_fn
            assert one.estimator["cnn"].build_fn == two.estimator_["cnn"].build_fn
        configs = [one.estimator["cnn"].build_fn for _, one in found.estimators[:2]]
        assert configs[0] != configs[1]


class TestRefusals:
    @pytest.mark.parametrize(
        ("middle", "message"),
        [
            (L.Lambda(lambda x: x + 1, name="mine"), r"Lambda.*'mine'"),
            (L.Dense(3, activation=lambda x: x, name="a"), "activation.*'a'"),
            (lambda x: x * np.ones(3 * 188, "float32"), "a __numpy__ as args in"),
        ],
    )
    def test_other_layers(self, middle, message, images, beats, tmp_path):
        cnn = untrained(functools.partial(flat, middle=middle), images, beats)
        with pytest.raises(ValueError, match=message + r".*joblib\.dump"):
            save(cnn, tmp_path / "model.ecgsk")
        assert not list(tmp_path.iterdir())

    def test_a_layer_of_the_user(self, images, beats, tmp_path):
        @keras.saving.register_keras_serializable("tests")
        class Mine(L.Dense):
            pass

        middle = Mine(3, name="own")
        cnn = untrained(functools.partial(flat, middle=middle), images, beats)
        with pytest.raises(ValueError, match=r"Mine in layer 'own'.*joblib\.dump"):
            save(cnn, tmp_path / "model.ecgsk")

    def test_code_that_built_nothing(self, tmp_path):
        model = SpectrogramCNNClassifier(build_fn=flat)
        with pytest.raises(ValueError, match=r"has built no network. Call fit"):
            save(model, tmp_path / "model.ecgsk")


class TestBuild:
    def test_by_hand(self, images, beats):
        build = NetworkFromConfig(flat(*SIZES.values()).to_json())
        assert build == NetworkFromConfig(build.config)
        assert build != NetworkFromConfig(build.config, 1)
        assert hash(build) == hash(clone(build, safe=False))
        random.seed(0)
        expected = random.random()
        random.seed(0)
        cnn = SpectrogramCNNClassifier(build_fn=build, epochs=1, random_state=0)
        one, two = (clone(cnn).initialize(images, beats.target) for _ in range(2))
        same(one, two, images[:9])
        assert random.random() == expected
        assert one.model_.layers[-1].weights[0] is not two.model_.layers[-1].weights[0]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("image_shape", (12, 46, 1)), ("n_classes", 4), ("n_feature_rows", 1)],
    )
    def test_other_sizes(self, name, value):
        build = NetworkFromConfig(flat(*SIZES.values()).to_json())
        message = rf"{name}={SIZES[name]}.*{name}={value}.*build_fn again".replace(
            "(", r"\("
        ).replace(")", r"\)")
        with pytest.raises(ValueError, match=message):
            build(**SIZES | {name: value})


def inside(shape, *middle):
    """A model as a layer."""
    return keras.Sequential([keras.Input(shape), *middle], name="inside")


@pytest.mark.parametrize(
    ("middle", "message"),
    [
        (lambda x: L.RepeatVector(2**15)(L.Flatten()(x)), "values in a layer"),
        (lambda x: L.MultiHeadAttention(4, 2)(x, x), "values in a layer"),
        (lambda x: L.MultiHeadAttention(4, 2**12)(x, x[:, :1]), "values in a layer"),
        (lambda x: L.SeparableConv1D(1, 1, depth_multiplier=2**15)(x), "values in a"),
        (
            lambda x: inside((2**13, 1), L.UpSampling1D(2**14), L.MaxPool1D(9))(x),
            "values in a layer",
        ),
        (
            lambda x: inside((1, 1), L.ReLU())(L.Reshape((1, 2**13))(x)),
            "'inside' takes",
        ),
    ],
)
def test_large_layers(middle, message):
    inputs = keras.Input((2**13,))
    x = L.Flatten()(middle(inputs[..., None]))
    build = NetworkFromConfig(keras.Model(inputs, x).to_json())
    with pytest.raises(ValueError, match=message):
        build((2**13,), 1, 0)


def test_the_code_of_callables():
    one, two, other = Wide(3), Wide(3), Wide(4)
    bound = functools.partial(flat, middle=None)
    codes = [code_of(f) for f in (one, two, other, one.__call__, bound, flat, Wide)]
    hashes = [joblib.hash(code) for code in codes]
    assert hashes[0] == hashes[1] == hashes[3]
    assert len({*hashes}) == 5
    assert not any(" at 0x" in repr(code) for code in codes)


def test_a_checkpoint_of_a_callable(images, beats, tmp_path):
    options = {"epochs": 1, "random_state": 0, "checkpoint": tmp_path / "state"}
    cnn = SpectrogramCNNClassifier(build_fn=Wide(3), **options)
    cnn.fit(images, beats.target)
    two = SpectrogramCNNClassifier(build_fn=Wide(3), **options)
    same(two.fit(images, beats.target), cnn, images)
    with pytest.raises(ValueError, match="with other parameters"):
        two.set_params(build_fn=Wide(4)).fit(images, beats.target)


def layers_of(edit):
    """Make an edit of the layers in the config of a file."""

    def change(schema):
        node = next(nodes(schema, "NetworkFromConfig"))["content"]["content"]["config"]
        config = json.loads(json.loads(node["content"]))
        edit({layer["name"]: layer for layer in config["config"]["layers"]})
        node["content"] = json.dumps(json.dumps(config))

    return change


def middle(class_name, **config):
    """Make an edit that replaces the layer in the middle."""

    def edit(layers):
        node = layers["middle"]
        config_ = {"name": "middle", "trainable": True, "dtype": "float32"} | config
        node.update(class_name=class_name, config=config_)

    return layers_of(edit)


def wide(layers):
    for name in ("flat", "middle"):
        config = layers["middle"]["config"] | {"name": name, "units": 2**15}
        layers[name].update(class_name="Dense", config=config)


ATTACKS = {
    "larger": (middle("Dense", units=5), "Its weights are not"),
    "more weights": (middle("BatchNormalization"), "Its weights are not"),
    "wide": (layers_of(wide), r"is too large: \d{10} weights"),
    "huge units": (middle("Dense", units=10**9), "units=1000000000 in layer 'middle'"),
    "lambda": (middle("Lambda", function={"class_name": "__lambda__"}), "Lambda in"),
    "activation": (middle("Dense", units=4, activation="eval"), "activation='eval'"),
    "no sizes": (middle("Dense", units="4"), "Keras cannot build"),
    "hidden": (put("NetworkFromConfig", "__call__", 1), "Its network has more"),
    "no text": (put("NetworkFromConfig", "config", 1), "or no text"),
    "a type": (put("SpectrogramCNNClassifier", "build_fn", node_of(str)), "by code"),
    "text": (put("SpectrogramCNNClassifier", "build_fn", "os.system"), "by code"),
    "a dict": (put("SpectrogramCNNClassifier", "build_fn", {"config": ""}), "fit"),
}


def test_a_forged_file_of_a_network_that_is_not_fitted(file, tmp_path):
    edit, message = ATTACKS["activation"]
    refused(forge(file, "unfitted", tmp_path, edit), message)


@pytest.mark.parametrize("name", ATTACKS)
def test_forged_files(name, file, tmp_path):
    edit, message = ATTACKS[name]
    start = time.process_time()
    refused(forge(file, "network", tmp_path, edit), message)
    assert time.process_time() - start < 1  # less than weights of gigabytes take
