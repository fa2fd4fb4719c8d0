"""Model files: what is saved comes back, and what cannot be saved says so."""

import subprocess
import sys
import zipfile

import imblearn
import joblib
import numpy as np
import pandas as pd
import pytest
from imblearn.base import SamplerMixin
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
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
from sklearn.svm import SVC

from ecg_sklearn import (
    load,
    make_ecg_pipeline,
    persistence,
    save,
)
from ecg_sklearn.ensemble import RefinedClassifier
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.persistence import VersionWarning, read_metadata
from ecg_sklearn.preprocessing import SpectrogramTransformer
from ecg_sklearn.utils._estimators import LEFT_OUT

SMALL = {"filters": (4,), "dense_units": 4, "epochs": 1, "random_state": 0}
RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(90, 3)), np.arange(90) % 3


def again(model, tmp_path):
    """The model after a round trip, with all attributes that it had."""
    save(model, tmp_path / "model.ecgsk", overwrite=True)
    found = load(tmp_path / "model.ecgsk")
    left_out = {*LEFT_OUT, "sampling_strategy_"}
    if not isinstance(model, SamplerMixin):
        assert {*vars(found)} >= {*vars(model)} - left_out
    return found


def same(found, model, data):
    for ask in ("predict", "predict_proba", "transform"):
        if hasattr(model, ask):
            want = getattr(model, ask)(data)
            np.testing.assert_array_equal(getattr(found, ask)(data), want)


@pytest.fixture(scope="module")
def fitted(beats):
    return make_ecg_pipeline(**SMALL).fit(beats.data, beats.target)


class TestRoundTrip:
    def test_a_pipeline(self, fitted, beats, tmp_path):
        found = again(fitted, tmp_path)
        assert type(found) is type(fitted)
        assert repr(found) == repr(fitted)
        same(found, fitted, beats.data)
        assert set(vars(found["cnn"])) == set(vars(fitted["cnn"]))
        assert found["cnn"].history_ == fitted["cnn"].history_
        assert found["cnn"].model_.spec == fitted["cnn"].model_.spec
        first = (tmp_path / "model.ecgsk").read_bytes()
        save(found, tmp_path / "again.ecgsk")
        assert (tmp_path / "again.ecgsk").read_bytes() == first

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
            {"phase": True, "residual": (1,), "sample_columns": slice(184)},
            {"pooling": "max", "optimizer": "sgd", "early_stopping": True},
        ],
    )
    def test_pipelines_of_many_kinds(self, options, beats, tmp_path):
        pipe = make_ecg_pipeline(sampler=None, dense_dropout=0.2, **SMALL | options)
        pipe.fit(beats.data, beats.target)
        same(again(pipe, tmp_path), pipe, beats.data)

    @pytest.mark.parametrize("kind", ["str", "object"])
    def test_labels_and_columns_with_names(self, kind, beats, tmp_path):
        names = [f"t{i:03}" for i in range(beats.data.shape[1])]
        frame = pd.DataFrame(beats.data, columns=names)
        labels = np.array(["N", "S", "V", "F", "Ünbekannt"], dtype=kind)[beats.target]
        pipe = make_ecg_pipeline(**SMALL, class_weight={"N": 2.0}).fit(frame, labels)
        found = again(pipe, tmp_path)
        assert found.classes_.dtype == pipe.classes_.dtype
        assert list(found["scaler"].feature_names_in_) == names
        assert found["cnn"].class_weight == {"N": 2.0}
        same(found, pipe, frame)

    @pytest.mark.parametrize("random_state", [None, np.random.RandomState(3)])
    def test_a_classifier_by_itself(self, random_state, beats, images, tmp_path):
        cnn = SpectrogramCNNClassifier(**SMALL | {"random_state": random_state})
        cnn.set_params(class_weight={0: 2.0, 3: 1.0}).fit(images, beats.target)
        found = again(cnn, tmp_path)
        assert found.class_weight == cnn.class_weight
        same(found, cnn, images)
        if random_state is not None:
            same(found.fit(images, beats.target), cnn.fit(images, beats.target), images)

    @pytest.mark.parametrize(
        "transformer",
        [
            SpectrogramTransformer(normalize="frequency", window=("kaiser", 8.0)),
            SpectrogramTransformer(flatten=True, sample_columns=[*range(2, 187)]),
            SpectrogramTransformer(window=np.hanning(16), nfft=None, normalize=None),
            SpectrogramTransformer(freq_range=(2, 40), phase=True),
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
        data = X
        if isinstance(transformer, SpectrogramTransformer):
            data = beats.data[:50].astype(np.float64)
        transformer = clone(transformer).fit(data)
        found = again(transformer, tmp_path)
        assert set(vars(found)) == set(vars(transformer))
        same(found, transformer, data)

    @pytest.mark.parametrize(
        "model",
        [
            HistGradientBoostingClassifier(max_iter=2, early_stopping=False),
            HistGradientBoostingClassifier(
                max_iter=2, early_stopping=True, scoring="accuracy", warm_start=True
            ),
            ExtraTreesClassifier(3, random_state=0),
            RandomForestClassifier(3, max_leaf_nodes=9, random_state=0),
            make_pipeline("passthrough", StandardScaler(), LogisticRegression()),
        ],
    )
    @pytest.mark.parametrize("labels", [[0, 1, 2], ["N", "V", "V"], [1, 1, 1]])
    def test_classifiers(self, model, labels, tmp_path):
        if len(set(labels)) == 1 and hasattr(model, "steps"):
            labels = [True, False, False]
        data = pd.DataFrame(X.copy(), columns=["a", "b", "c"])  # nan is set in it
        target = np.array(labels)[y]
        if not hasattr(model, "steps"):
            data.iloc[::7, 1] = np.nan
        model = clone(model).fit(data, target)
        found = again(model, tmp_path)
        same(found, model, data)
        if hasattr(model, "feature_names_in_"):
            assert found.feature_names_in_.tolist() == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("voting", "weights"), [("soft", None), ("hard", [1, 0.5, 2])]
    )
    def test_votes(self, voting, weights, tmp_path):
        labels = np.array(["N", "S", "V"], dtype=object)[y]
        voters = [
            ("trees", RandomForestClassifier(2, random_state=0)),
            ("nothing", "drop"),
            ("line", make_pipeline(LogisticRegression())),
        ]
        vote = VotingClassifier(voters, voting=voting, weights=weights).fit(X, labels)
        found = again(vote, tmp_path)
        same(found, vote, X)
        assert found.named_estimators_.line is found.estimators_[1]
        assert found.named_estimators_.nothing == "drop"
        same(found.fit(X, labels), vote, X)

    @pytest.mark.parametrize(
        "model",
        [
            make_ecg_pipeline(),
            make_ecg_pipeline(sampler=SMOTE(k_neighbors=NearestNeighbors())),
            HistGradientBoostingClassifier(),
            VotingClassifier([("a", LogisticRegression())]),
            make_pipeline(make_ecg_pipeline(sampler=None)),
        ],
    )
    def test_unfitted(self, model, tmp_path):
        found = again(model, tmp_path)
        assert type(found) is type(model)
        assert repr(found) == repr(model)

    def test_arrays_in_a_file_of_joblib(self, fitted, beats, tmp_path):
        trees = RefinedClassifier(
            RandomForestClassifier(3), HistGradientBoostingClassifier(max_iter=2)
        ).fit(X, y % 2)
        for number, (model, data) in enumerate([(fitted, beats.data), (trees, X)]):
            path = tmp_path / f"{number}.joblib"
            joblib.dump(model, path)
            same(again(joblib.load(path, mmap_mode="r"), tmp_path), model, data)


class TestSamplers:
    names = [
        (room, name)
        for room in ("over_sampling", "under_sampling", "combine")
        for name in getattr(imblearn, room).__all__
    ]

    @pytest.mark.parametrize(("room", "name"), names)
    @pytest.mark.filterwarnings("ignore")
    def test_any_in_a_pipeline(self, room, name, tmp_path):
        params = {
            "SMOTENC": {"categorical_features": [2]},
            "KMeansSMOTE": {"cluster_balance_threshold": 0.0},
            "InstanceHardnessThreshold": {"estimator": LogisticRegression()},
        }
        sampler = getattr(getattr(imblearn, room), name)(**params.get(name, {}))
        target = np.repeat([0, 1], [60, 30])
        data = np.abs(X.round()) if name in ("SMOTENC", "SMOTEN") else X
        pipe = Pipeline([("sampler", sampler), ("line", LogisticRegression())])
        pipe.fit(data + 3 * target[:, None], target)
        found = again(pipe, tmp_path)
        same(found, pipe, data)
        assert type(found["sampler"]) is type(sampler)
        assert repr(found["sampler"]) == repr(sampler)

    def test_beats_stay_behind(self, fitted, beats, tmp_path):
        save(fitted, tmp_path / "model.ecgsk")
        sampler = RandomOverSampler(random_state=0)
        sampler.fit_resample(beats.data[:290], beats.target[:290])
        found = again(sampler, tmp_path / "sampler")
        assert hasattr(sampler, "sample_indices_")
        assert {*vars(found)} == {*sampler.get_params(), "n_features_in_"}
        with zipfile.ZipFile(tmp_path / "model.ecgsk") as archive:
            schema = archive.read("schema.json").decode()
        assert "nn_k_" not in schema
        assert "_fit_X" not in schema


class TestWhatIsNotSaved:
    @pytest.mark.parametrize(
        ("model", "message"),
        [
            (make_pipeline(FunctionTransformer(np.log1p)), r"numpy.*log1p"),
            (make_ecg_pipeline(sampler=SMOTE(sampling_strategy=len)), "builtins.len"),
            (SpectrogramCNNClassifier(class_weight={0: object()}), "builtins.object"),
            (make_pipeline(SVC()), r"sklearn.svm._classes.SVC \(ObjectNode\)"),
            (StandardScaler(copy=np.array([1, None])), "not all text"),
            (StandardScaler(copy=np.zeros(1, "M8[s]")), "array of datetime64"),
            (make_column_transformer(("drop", slice(2))), "no list of names"),
            (make_column_transformer(("drop", [True, False])), "no list of names"),
            (make_column_transformer(("drop", len)), "no list of names"),
            (StandardScaler(copy=b"bytes"), "builtins.bytes"),
            (StandardScaler(copy={True: 0}), "builtins.bool"),
        ],
    )
    def test_types_outside_the_list(self, model, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            save(model, tmp_path / "model.ecgsk")
        assert list(tmp_path.iterdir()) == []

    def test_a_subclass_is_another_type(self, tmp_path):
        class StandardScaler(MinMaxScaler):
            pass

        with pytest.raises(ValueError, match="test_persistence.StandardScaler"):
            save(StandardScaler(), tmp_path / "model.ecgsk")

    def test_a_list_in_itself(self, tmp_path):
        endless: list = []
        endless.append(endless)
        with pytest.raises(ValueError, match="RecursionError"):
            save(StandardScaler(copy=endless), tmp_path / "model.ecgsk")

    @pytest.mark.parametrize(
        "change", [{"window": "boxcar"}, {"nperseg": 8}, {"nperseg": 2**16}]
    )
    def test_parameters_set_after_fit(self, change, beats, tmp_path):
        spectrogram = SpectrogramTransformer().fit(beats.data).set_params(**change)
        with pytest.raises(ValueError, match="cannot be saved"):
            save(spectrogram, tmp_path / "model.ecgsk")

    def test_a_fit_that_failed(self, tmp_path):
        trees = HistGradientBoostingClassifier(interaction_cst=[[7]])
        with pytest.raises(ValueError, match="Interaction constraints"):
            trees.fit(X, y)
        with pytest.raises(ValueError, match="does not fit together"):
            save(trees, tmp_path / "model.ecgsk")

    def test_columns_of_categories(self, tmp_path):
        trees = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0])
        with pytest.raises(ValueError, match="OrdinalEncoder"):
            save(trees.fit(X.round() % 3, y), tmp_path / "model.ecgsk")

    def test_a_search(self, tmp_path):
        search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2).fit(X, y)
        with pytest.raises(ValueError, match="Save its best_estimator_"):
            save(search, tmp_path / "search.ecgsk")
        same(again(search.best_estimator_, tmp_path), search, X)

    def test_what_serves_training_alone(self, fitted, tmp_path):
        pipe = clone(fitted).set_params(
            memory=str(tmp_path), cnn__callbacks=[object()], cnn__checkpoint="x"
        )
        with pytest.warns(UserWarning, match="of the pipeline is not saved"):
            save(pipe, tmp_path / "model.ecgsk")
        found = load(tmp_path / "model.ecgsk")
        assert found.memory is found["cnn"].callbacks is found["cnn"].checkpoint is None
        assert pipe["cnn"].checkpoint == "x"

    def test_no_estimator(self, tmp_path):
        with pytest.raises(TypeError, match="'model' parameter of save must be"):
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

    def test_there_is_no_such_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="none"):
            load(tmp_path / "none")

    def test_metadata(self, tmp_path, monkeypatch):
        facts = {"cut": {"window": [-0.4, 0.5], "channel": "MLII"}, "sets": ["DS1"]}
        save(StandardScaler(), tmp_path / "a", metadata=facts)
        save(StandardScaler(), tmp_path / "b")
        monkeypatch.setattr(persistence, "_make", None)  # no model is made
        assert read_metadata(tmp_path / "a") == facts
        assert read_metadata(str(tmp_path / "b")) == {}

    @pytest.mark.parametrize(
        ("facts", "message"),
        [
            ({"good": 1, "bad": {1, 2}}, r"metadata\['bad'\] is not JSON"),
            ({"bad": np.float32(1)}, r"metadata\['bad'\] is not JSON"),
            ({"bad": float("nan")}, r"metadata\['bad'\] is not JSON"),
            ({1: 1}, r"metadata\[1\] is not JSON"),
            ({"long": "a" * 2**21}, "1 MB"),
        ],
    )
    def test_metadata_that_are_not_json(self, facts, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            save(StandardScaler(), tmp_path / "a", metadata=facts)
        assert list(tmp_path.iterdir()) == []

    def test_versions(self, tmp_path, monkeypatch):
        def older(package):
            other = {"keras": "2.99.1", "numpy": f"{real(package)}.post1"}
            return other.get(package, real(package))

        real = persistence.version
        monkeypatch.setattr(persistence, "version", older)
        save(StandardScaler(), tmp_path / "model.ecgsk")
        monkeypatch.setattr(persistence, "version", real)
        with pytest.warns(VersionWarning, match="keras 2.99.1 .here") as caught:
            load(tmp_path / "model.ecgsk")
        (warning,) = caught
        assert warning.filename == __file__
        assert "numpy" not in str(warning.message)


@pytest.mark.slow
def test_another_process(fitted, beats, tmp_path):
    """Predicts the same, and loads no Keras for a model without a network."""
    save(fitted, tmp_path / "model.ecgsk")
    save(fitted["spectrogram"], tmp_path / "part.ecgsk")
    np.save(tmp_path / "beats.npy", beats.data)
    script = (
        "import sys, numpy as np, ecg_sklearn\n"
        "ecg_sklearn.load(sys.argv[1] + '/part.ecgsk')\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)\n"
        "pipe = ecg_sklearn.load(sys.argv[1] + '/model.ecgsk')\n"
        "X = np.load(sys.argv[1] + '/beats.npy')\n"
        "np.save(sys.argv[1] + '/found.npy', pipe.predict_proba(X))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "found.npy"), fitted.predict_proba(beats.data)
    )
