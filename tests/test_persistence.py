"""Model files: what is saved comes back, and what cannot be saved says so."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from imblearn.combine import SMOTETomek
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from ecg_sklearn import ShapeRhythmClassifier, load, make_ecg_pipeline, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.over_sampling import BeatAugmenter, BeatSMOTE
from ecg_sklearn.persistence import VersionWarning
from ecg_sklearn.preprocessing import SpectrogramTransformer


def again(model, tmp_path):
    """The model after a round trip; equal models give equal files."""
    save(model, tmp_path / "model.ecgsk")
    found = load(tmp_path / "model.ecgsk")
    save(found, tmp_path / "again.ecgsk")
    first, second = (
        (tmp_path / f"{name}.ecgsk").read_bytes() for name in ("model", "again")
    )
    assert first == second
    return found


@pytest.fixture(scope="module")
def fitted(beats):
    pipe = make_ecg_pipeline(
        filters=(8, 16), dense_units=16, dropout=0.1, epochs=2, random_state=0
    )
    pipe.fit(beats.data, beats.target)
    pipe.cut_ = {"form": "window", "window": (-0.4, 0.5), "channel": ("MLII", "V5")}
    return pipe


class TestRoundTrip:
    def test_a_pipeline(self, fitted, beats, tmp_path):
        found = again(fitted, tmp_path)
        assert type(found) is Pipeline
        assert repr(found) == repr(fitted)
        assert found.cut_ == fitted.cut_
        np.testing.assert_array_equal(
            found.predict_proba(beats.data), fitted.predict_proba(beats.data)
        )
        cnn, before = found["cnn"], fitted["cnn"]
        assert set(vars(cnn)) == set(vars(before))
        assert cnn.history_ == before.history_
        assert cnn._spec == before._spec
        assert found["smote"].sampling_strategy_ == fitted["smote"].sampling_strategy_

    def test_training_goes_on_from_the_same_state(self, fitted, beats, tmp_path):
        images = fitted[:-1].transform(beats.data)
        models = [again(fitted, tmp_path)["cnn"], load(tmp_path / "model.ecgsk")["cnn"]]
        models.append(clone(fitted["cnn"]).fit(images, beats.target))
        for cnn in models:
            cnn.partial_fit(images, beats.target)
        expected = models[-1].predict_proba(images)
        for cnn in models[:2]:
            np.testing.assert_array_equal(cnn.predict_proba(images), expected)

    @pytest.mark.parametrize(
        "options",
        [
            {"sampler": None, "phase": True, "residual": (1,)},
            {"sampler": RandomUnderSampler(random_state=0), "pooling": "max"},
            {"sampler": SMOTETomek(random_state=0), "optimizer": "sgd"},
            {"sampler": None, "n_context": 3, "dense_dropout": 0.2},
            {"sampler": None, "logit_adjustment": 0.5, "mixup": 0.2},
            {"sampler": None, "early_stopping": True, "lr_schedule": "plateau"},
        ],
    )
    def test_pipelines_of_many_kinds(self, options, beats, small_cnn, tmp_path):
        params = small_cnn | {"epochs": 1, "random_state": 0} | options
        with config_context(enable_metadata_routing=True):
            pipe = make_ecg_pipeline(**params).fit(beats.data, beats.target)
        found = again(pipe, tmp_path)
        assert found.transform_input == ["X_val"]
        np.testing.assert_array_equal(
            found.predict_proba(beats.data), pipe.predict_proba(beats.data)
        )

    @pytest.mark.parametrize("kind", ["str", "object"])
    def test_labels_and_columns_with_names(self, kind, beats, small_cnn, tmp_path):
        names = [f"t{i}" for i in range(beats.data.shape[1])]
        X = pd.DataFrame(beats.data, columns=names)
        y = np.array(["N", "S", "V", "F", "Ünbekannt"], dtype=kind)[beats.target]
        pipe = make_ecg_pipeline(**small_cnn, random_state=0).fit(X, y)
        found = again(pipe, tmp_path)
        assert found.classes_.dtype == pipe.classes_.dtype
        assert list(found["scaler"].feature_names_in_) == names
        np.testing.assert_array_equal(found.predict(X), pipe.predict(X))

    def test_the_best_of_a_search(self, beats, small_cnn, tmp_path):
        search = GridSearchCV(
            make_ecg_pipeline(sampler=None, **small_cnn, random_state=0),
            {"spectrogram__nperseg": [8]},
            cv=2,
        ).fit(beats.data, beats.target)
        found = again(search.best_estimator_, tmp_path)
        np.testing.assert_array_equal(
            found.predict(beats.data), search.predict(beats.data)
        )
        with pytest.raises(ValueError, match="Save its best_estimator_"):
            save(search, tmp_path / "search.ecgsk")

    def test_a_classifier_by_itself(self, beats, images, small_cnn, tmp_path):
        for random_state in (0, None, np.random.RandomState(3)):
            cnn = SpectrogramCNNClassifier(**small_cnn, random_state=random_state)
            cnn.set_params(epochs=1, class_weight={0: 2.0, 3: 1.0})
            folder = tmp_path / type(random_state).__name__
            found = again(cnn.fit(images, beats.target), folder)
            assert found.class_weight == cnn.class_weight
            np.testing.assert_array_equal(found.predict(images), cnn.predict(images))
        found.fit(images, beats.target), cnn.fit(images, beats.target)
        np.testing.assert_array_equal(found.predict(images), cnn.predict(images))

    @pytest.mark.parametrize(
        "transformer",
        [
            SpectrogramTransformer(normalize="frequency", window=("kaiser", 8.0)),
            SpectrogramTransformer(flatten=True, n_context=2, phase=True, top_db=60.0),
            SpectrogramTransformer(window=np.hanning(16), nfft=None, normalize=None),
            MinMaxScaler(),
            MaxAbsScaler(),
            RobustScaler(),
            Normalizer(),
            QuantileTransformer(n_quantiles=10, random_state=np.random.RandomState(0)),
            PowerTransformer(),
            StandardScaler().set_output(transform="pandas"),
        ],
        ids=lambda t: type(t).__name__,
    )
    def test_transformers(self, transformer, beats, tmp_path):
        X = beats.data.astype(np.float64)
        transformer = clone(transformer).fit(X)
        found = again(transformer, tmp_path)
        assert set(vars(found)) == set(vars(transformer))
        np.testing.assert_array_equal(found.transform(X), transformer.transform(X))

    def test_a_transformer_learns_on(self, beats, tmp_path):
        transformer = SpectrogramTransformer(n_context=2)
        transformer.partial_fit(beats.data[:200])
        found = again(transformer, tmp_path)
        for step in (found, transformer):
            step.partial_fit(beats.data[200:])
        np.testing.assert_array_equal(found.context_mean_, transformer.context_mean_)
        assert found.n_samples_seen_ == 400

    def test_another_classifier(self, beats, tmp_path):
        pipe = PlainPipeline(
            [
                ("nothing", "passthrough"),
                ("spectrogram", SpectrogramTransformer(flatten=True)),
                ("last", LogisticRegression(max_iter=5000)),
            ]
        ).fit(beats.data, beats.target)
        found = again(pipe, tmp_path)
        assert type(found) is PlainPipeline
        np.testing.assert_array_equal(
            found.predict_proba(beats.data), pipe.predict_proba(beats.data)
        )

    @pytest.mark.parametrize("labels", [[0, 1], ["N", "V"], [0, 1, 4]])
    @pytest.mark.parametrize("early_stopping", [False, True])
    def test_boosted_trees(self, labels, early_stopping, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(200, 4)), rng.choice(labels, 200)
        X[::7, 2] = np.nan
        trees = HistGradientBoostingClassifier(
            max_iter=5, early_stopping=early_stopping, random_state=0
        ).fit(X, y)
        found = again(trees, tmp_path)
        assert found.n_iter_ == trees.n_iter_
        for ask in ("predict", "predict_proba", "decision_function"):
            np.testing.assert_array_equal(
                getattr(found, ask)(X), getattr(trees, ask)(X)
            )
        # From the top, as scikit-learn does it.
        np.testing.assert_array_equal(found.fit(X, y).predict(X), trees.predict(X))

    @pytest.mark.parametrize("kind", ["weights", "scorer", "infinite", "one class"])
    def test_boosted_trees_of_other_kinds(self, kind, tmp_path):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
        y, weights = (X["a"] > 0).to_numpy(), None
        trees = HistGradientBoostingClassifier(max_iter=5, random_state=0)
        if kind == "weights":
            weights = rng.random(200)
        elif kind == "scorer":
            trees.set_params(early_stopping=True, scoring="accuracy")
        elif kind == "infinite":
            X.loc[:60, "a"], y = -np.inf, np.arange(200) <= 60
        else:
            y = np.zeros(200)
        trees.fit(X, y, sample_weight=weights)
        found = again(trees, tmp_path)
        np.testing.assert_array_equal(found.predict_proba(X), trees.predict_proba(X))
        assert found.feature_names_in_.tolist() == ["a", "b", "c"]

    @pytest.mark.parametrize("voting", ["soft", "hard"])
    @pytest.mark.parametrize("weights", [None, [1, 0.5, 2]])
    def test_votes(self, voting, weights, tmp_path):
        rng = np.random.default_rng(0)
        X = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
        y = np.array(["N", "S", "V"], dtype=object)[rng.integers(3, size=90)]
        parts = [
            ("trees", HistGradientBoostingClassifier(max_iter=2)),
            ("nothing", "drop"),
            ("line", PlainPipeline([("classifier", LogisticRegression())])),
        ]
        vote = VotingClassifier(parts, voting=voting, weights=weights).fit(X, y)
        found = again(vote, tmp_path)
        np.testing.assert_array_equal(found.predict(X), vote.predict(X))
        np.testing.assert_array_equal(found.transform(X), vote.transform(X))
        assert found.named_estimators_.line is found.estimators_[1]
        assert found.named_estimators_.nothing == "drop"
        assert found.feature_names_in_.tolist() == ["a", "b"]
        assert found.n_features_in_ == 2
        np.testing.assert_array_equal(found.fit(X, y).predict(X), vote.predict(X))

    def test_a_vote_of_networks_beside_the_rhythm(self, tmp_path):
        beats = make_heartbeats(
            200, weights=[0.5, 0.3, 0.2, 0, 0], rhythm=True, random_state=0
        )
        parts = [
            (
                f"seed {seed}",
                make_ecg_pipeline(
                    sampler=None, filters=(4,), epochs=1, random_state=seed
                ),
            )
            for seed in (0, 1)
        ]
        model = ShapeRhythmClassifier(
            VotingClassifier(parts, voting="soft"), random_state=0
        ).fit(beats.data, beats.target)
        found = again(model, tmp_path)
        np.testing.assert_array_equal(
            found.predict_proba(beats.data), model.predict_proba(beats.data)
        )

    @pytest.mark.parametrize(
        "edit",
        [
            lambda vote: vote.set_params(line="drop"),
            lambda vote: vote.set_params(weights=[1.0]),
            lambda vote: vote.set_params(weights=[0.0, 0.0]),
            lambda vote: vote.set_params(line=StandardScaler()),
        ],
    )
    def test_votes_that_were_changed_after_fit(self, edit, tmp_path):
        X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
        parts = [("line", LogisticRegression()), ("other", LogisticRegression())]
        vote = VotingClassifier(parts, voting="soft").fit(X, y)
        with pytest.raises(ValueError, match="do not go with those of fit"):
            save(edit(vote), tmp_path / "model.ecgsk")

    def test_a_vote_of_a_fit_that_failed(self, tmp_path):
        vote = VotingClassifier([("line", LogisticRegression())])
        with pytest.raises(ValueError, match="NaN"):
            vote.fit(np.full((4, 2), np.nan), [0, 1, 0, 1])
        with pytest.raises(ValueError, match="did not come to its end"):
            save(vote, tmp_path / "model.ecgsk")

    def test_trees_of_a_fit_that_failed(self, tmp_path):
        X, y = np.zeros((20, 2)), np.arange(20) % 2
        trees = HistGradientBoostingClassifier(interaction_cst=[[7]])
        with pytest.raises(ValueError, match="Interaction constraints"):
            trees.fit(X, y)
        with pytest.raises(ValueError, match="did not come to its end"):
            save(trees, tmp_path / "model.ecgsk")

    @pytest.mark.parametrize(
        "model",
        [
            make_ecg_pipeline(),
            HistGradientBoostingClassifier(),
            make_ecg_pipeline(sampler=SMOTE(k_neighbors=NearestNeighbors())),
            SpectrogramCNNClassifier(epochs=0),
            BeatSMOTE(sampling_strategy={0: 5, 1: 3}),
            make_ecg_pipeline(augmenter=BeatAugmenter({0: 1}, center=0.4)),
            PlainPipeline([("nested", make_ecg_pipeline(sampler=None))]),
        ],
        ids=lambda m: type(m).__name__,
    )
    def test_unfitted(self, model, tmp_path):
        found = again(model, tmp_path)
        assert type(found) is type(model)
        assert repr(found) == repr(model)

    def test_a_network_with_weights_and_no_training(
        self, beats, images, small_cnn, tmp_path
    ):
        cnn = SpectrogramCNNClassifier(**small_cnn).initialize(images, beats.target)
        found = again(cnn, tmp_path)
        assert not hasattr(found, "history_")
        np.testing.assert_array_equal(found.predict(images), cnn.predict(images))

    def test_beats_that_a_sampler_remembers_stay_behind(self, beats, tmp_path):
        sampler = RandomOverSampler(random_state=0)
        sampler.fit_resample(beats.data[:290], beats.target[:290])
        found = again(sampler, tmp_path)
        assert hasattr(sampler, "sample_indices_")
        assert not hasattr(found, "sample_indices_")
        assert found.sampling_strategy_ == sampler.sampling_strategy_


class TestWhatIsNotSaved:
    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (
                PlainPipeline([("odd", FunctionTransformer(np.log1p))]),
                "step 'odd' is a FunctionTransformer",
            ),
            (
                make_ecg_pipeline(sampler=SMOTE(sampling_strategy=dict)),
                "step 'sampler': sampling_strategy is a builtins.type",
            ),
            (
                SpectrogramCNNClassifier(class_weight={0: object()}),
                r"the model: class_weight\[0\] is a builtins.object",
            ),
            (
                QuantileTransformer(
                    random_state=np.random.default_rng(0).bit_generator
                ),
                "random_state is a numpy",
            ),
            (StandardScaler(copy=2**200), "copy is an int of 201 bits"),
            (StandardScaler(copy="\ud800"), "lone surrogate"),
            (StandardScaler(copy={1.5: 0}), "a dict with the key 1.5"),
            (StandardScaler(copy=np.array([1, None])), "objects other than str"),
            (StandardScaler(copy=np.zeros(1, "M8[s]")), "of dtype datetime64"),
            (StandardScaler(copy=np.complex64(1)), "of dtype complex64"),
        ],
    )
    def test_types_outside_the_list(self, model, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            save(model, tmp_path / "model.ecgsk")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"categorical_features": [0]}, "trees with columns of categories"),
            ({"warm_start": True}, "trees with warm_start=True"),
        ],
    )
    def test_boosted_trees_with_more_than_numbers(self, params, message, tmp_path):
        X, y = np.arange(40.0)[:, None] % 7, np.arange(40) % 2
        trees = HistGradientBoostingClassifier(max_iter=2, **params).fit(X, y)
        with pytest.raises(ValueError, match=message):
            save(trees, tmp_path / "model.ecgsk")

    def test_a_subclass_is_another_type(self, tmp_path):
        class StandardScaler(MinMaxScaler):
            pass

        with pytest.raises(ValueError, match="is a StandardScaler"):
            save(StandardScaler(), tmp_path / "model.ecgsk")

    def test_a_list_in_itself(self, tmp_path):
        endless: list = []
        endless.append(endless)
        with pytest.raises(ValueError, match="nested deeper than 32"):
            save(StandardScaler(copy=endless), tmp_path / "model.ecgsk")

    def test_attributes_of_ones_own(self, tmp_path):
        scaler = StandardScaler()
        scaler.note = "mine"
        with pytest.raises(ValueError, match="the attribute note"):
            save(scaler, tmp_path / "model.ecgsk")

    def test_requests_for_metadata(self, tmp_path):
        with config_context(enable_metadata_routing=True):
            scaler = StandardScaler().set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match="requests for metadata"):
            save(scaler, tmp_path / "model.ecgsk")

    def test_parameters_set_after_fit(self, beats, tmp_path):
        spectrogram = SpectrogramTransformer().fit(beats.data)
        spectrogram.set_params(window="boxcar")
        with pytest.raises(ValueError, match="set after fit"):
            save(spectrogram, tmp_path / "model.ecgsk")
        spectrogram.set_params(nperseg=2**16)
        with pytest.raises(ValueError, match="nperseg=65536"):
            save(spectrogram, tmp_path / "model.ecgsk")

    def test_a_network_beyond_the_limits(self, beats, images, tmp_path):
        cnn = SpectrogramCNNClassifier(filters=(1,) * 33)
        cnn.initialize(images, beats.target)
        with pytest.raises(ValueError, match="a network beyond the limits"):
            save(cnn, tmp_path / "model.ecgsk")

    def test_what_serves_training_alone(self, fitted, tmp_path):
        pipe = clone(fitted).set_params(
            memory=str(tmp_path), cnn__callbacks=[object()], cnn__checkpoint="x.npz"
        )
        with pytest.warns(UserWarning, match="of the pipeline is not saved"):
            save(pipe, tmp_path / "model.ecgsk")
        found = load(tmp_path / "model.ecgsk")
        assert found.memory is found["cnn"].callbacks is found["cnn"].checkpoint is None
        assert pipe["cnn"].checkpoint == "x.npz"

    def test_no_estimator(self, tmp_path):
        with pytest.raises(TypeError, match="'pipe' parameter of save must be"):
            save({"a": 1}, tmp_path / "model.ecgsk")


class TestFiles:
    def test_nothing_is_replaced_unless_asked(self, tmp_path):
        path = tmp_path / "deep" / "model.ecgsk"
        save(StandardScaler(), path)
        with pytest.raises(FileExistsError, match="pass overwrite=True"):
            save(MinMaxScaler(), path)
        assert type(load(str(path))) is StandardScaler
        save(MinMaxScaler(), path, overwrite=True)
        assert type(load(path)) is MinMaxScaler
        assert [p.name for p in path.parent.iterdir()] == ["model.ecgsk"]

    def test_a_full_disk_leaves_nothing(self, tmp_path, monkeypatch):
        from ecg_sklearn.persistence import _model

        def fail(path, *args):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_model, "write_model", fail)
        with pytest.raises(OSError, match="No space left"):
            save(StandardScaler(), tmp_path / "model.ecgsk")
        assert list(tmp_path.iterdir()) == []

    def test_a_link_to_a_file(self, tmp_path):
        save(StandardScaler(), tmp_path / "model.ecgsk")
        (tmp_path / "link").symlink_to("model.ecgsk")
        assert type(load(tmp_path / "link")) is StandardScaler

    def test_there_is_no_such_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="There is no model file"):
            load(tmp_path / "none")


class TestVersions:
    def test_other_ones_give_one_warning(self, tmp_path, monkeypatch):
        from ecg_sklearn.persistence import _model

        def older(package):
            return {"keras": "2.99.1", "numpy": "1.0.0"}.get(package, real(package))

        real = _model.version
        monkeypatch.setattr(_model, "version", older)
        save(StandardScaler(), tmp_path / "model.ecgsk")
        monkeypatch.setattr(_model, "version", real)
        with pytest.warns(VersionWarning) as caught:
            load(tmp_path / "model.ecgsk")
        (warning,) = caught
        assert warning.filename == __file__
        message = str(warning.message)
        assert "keras 2.99.1 (here" in message
        assert "numpy 1.0.0 (here" in message
        assert "scikit-learn" not in message

    def test_a_patch_release_gives_none(self, tmp_path, monkeypatch):
        from ecg_sklearn.persistence import _model

        real = _model.version
        monkeypatch.setattr(_model, "version", lambda p: f"{real(p)}.post1")
        save(StandardScaler(), tmp_path / "model.ecgsk")
        monkeypatch.setattr(_model, "version", real)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load(tmp_path / "model.ecgsk")


def test_a_model_without_a_network_loads_no_keras(tmp_path):
    save(make_ecg_pipeline()["spectrogram"], tmp_path / "model.ecgsk")
    script = (
        "import sys, ecg_sklearn\n"
        "ecg_sklearn.load(sys.argv[1])\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
    )
    path = str(tmp_path / "model.ecgsk")
    subprocess.run([sys.executable, "-c", script, path], check=True)


def test_another_process_predicts_the_same(fitted, beats, tmp_path):
    save(fitted, tmp_path / "model.ecgsk")
    np.save(tmp_path / "beats.npy", beats.data)
    script = (
        "import sys, numpy as np, ecg_sklearn\n"
        "pipe = ecg_sklearn.load(sys.argv[1] + '/model.ecgsk')\n"
        "X = np.load(sys.argv[1] + '/beats.npy')\n"
        "np.save(sys.argv[1] + '/found.npy', pipe.predict_proba(X))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "found.npy"), fitted.predict_proba(beats.data)
    )
