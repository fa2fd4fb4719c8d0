"""The pipeline through the standard API: fit, search, groups, cache, dump, routing."""

import subprocess
import sys

import joblib
import keras
import numpy as np
import pytest
import scipy.sparse
import sklearn
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.preprocessing import FunctionTransformer

from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.neural_network import _prediction
from ecg_sklearn.pipeline import PRESETS, make_ecg_pipeline

PREDICTION = "ecg_sklearn.neural_network._prediction"
SMALL = {"filters": (8,), "dense_units": 8, "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def imbalanced():
    return make_heartbeats(
        360, n_records=9, weights=[0.5, 0.15, 0.15, 0.1, 0.1], random_state=0
    )


@pytest.fixture
def pipe():
    return make_ecg_pipeline(**SMALL)


def test_steps(pipe):
    assert isinstance(pipe, Pipeline)
    assert list(pipe.named_steps) == ["scaler", "smote", "spectrogram", "cnn"]
    assert list(make_ecg_pipeline(sampler=None).named_steps) == [
        "scaler",
        "spectrogram",
        "cnn",
    ]
    other = make_ecg_pipeline(sampler=RandomOverSampler())
    assert list(other.named_steps) == ["scaler", "sampler", "spectrogram", "cnn"]
    with pytest.raises(ValueError, match="sampler='adasyn' is not a sampler"):
        make_ecg_pipeline(sampler="adasyn")
    chosen = make_ecg_pipeline(sample_columns=slice(187))
    assert chosen["spectrogram"].sample_columns == slice(187)
    with pytest.raises(TypeError, match="epoch"):
        make_ecg_pipeline(epoch=3)


def test_segments_span_the_same_time_at_any_rate():
    for rate, nperseg in ((120, 16), (360, 48), (250, 33)):
        step = make_ecg_pipeline(sampling_rate=rate)["spectrogram"]
        assert step.nperseg == nperseg
        assert step.sampling_rate == rate


def test_fit_predict_score(pipe, imbalanced):
    pipe.fit(imbalanced.data, imbalanced.target)
    np.testing.assert_array_equal(pipe.classes_, np.arange(5))
    assert pipe.predict(imbalanced.data).shape == (360,)
    assert pipe.predict_proba(imbalanced.data).shape == (360, 5)
    assert 0 < pipe.score(imbalanced.data, imbalanced.target) <= 1
    assert pipe.n_features_in_ == 187
    assert sum(pipe["smote"].sampling_strategy_.values()) == 5 * 180 - 360


def test_strings_as_labels(pipe, imbalanced):
    names = np.array(["N", "S", "V", "F", "Q"])[imbalanced.target]
    pipe.fit(imbalanced.data, names)
    assert set(pipe.predict(imbalanced.data)) <= set("NSVFQ")


def test_numbers_of_a_class_that_a_fold_lacks(imbalanced):
    y = imbalanced.target.copy()
    y[y == 3] = 0
    y[[5, 300]] = 3  # beats of two records
    sampler = RandomOverSampler(sampling_strategy={2: 60, 3: 20}, random_state=0)
    pipe = make_ecg_pipeline(sampler=sampler, **SMALL)
    with pytest.warns(UserWarning, match=r"sampling_strategy names the classes \[3\]"):
        scores = cross_val_score(
            pipe, imbalanced.data, y, cv=[(np.arange(6, 300), np.arange(6))]
        )
    assert np.isfinite(scores).all()


def test_a_sampler_dict_of_a_search_names_a_class_that_a_fold_lacks(imbalanced):
    y = np.where(np.arange(360) < 6, 3, np.arange(360) % 2)
    search = GridSearchCV(
        make_ecg_pipeline(**SMALL),
        {"smote__sampling_strategy": [{0: 200, 3: 20}]},
        cv=[(np.arange(6, 360), np.arange(6))],
        refit=False,
    )
    with pytest.warns(UserWarning, match=r"sampling_strategy names the classes \[3\]"):
        search.fit(imbalanced.data, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "params",
    [
        {"phase": True},
        {"spectrogram__normalize": "sample", "spectrogram__flatten": True},
        {"features": ["rr"], "sampler": None},
    ],
)
def test_an_accelerator_computes_the_spectrograms(params, monkeypatch):
    # On a processor, the same code gives the same probabilities.
    params = dict(params)
    beats = make_heartbeats(150, features=params.pop("features", None), random_state=0)
    X, y = beats.data, beats.target
    pipe = make_ecg_pipeline(**SMALL | params).fit(X, y)
    expected = pipe.predict_proba(X), pipe.predict(X)

    def forbidden(*_):
        raise AssertionError("computed on the host")

    with monkeypatch.context() as patch:
        patch.setattr(f"{PREDICTION}.computes_spectrograms", lambda X: True)
        patch.setattr(f"{PREDICTION}._batch_size", lambda *_: 64)
        patch.setattr(type(pipe["spectrogram"]), "transform", forbidden)
        np.testing.assert_allclose(pipe.predict_proba(X), expected[0], atol=1e-6)
        np.testing.assert_array_equal(pipe.predict(X), expected[1])
        wrong = X.copy()
        getattr(wrong, "iloc", wrong)[100, 5] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            pipe.predict(wrong)
    # Later weights and limits are followed.
    pipe["spectrogram"].partial_fit(2 * pipe["scaler"].transform(X))
    pipe["cnn"].partial_fit(pipe[:-1].transform(X), y)
    expected = pipe.predict_proba(X)
    monkeypatch.setattr(f"{PREDICTION}.computes_spectrograms", lambda X: True)
    np.testing.assert_allclose(pipe.predict_proba(X), expected, atol=1e-6)
    # A step that may look at all beats gets all of them.
    seen = []
    watch = FunctionTransformer(lambda X: seen.append(len(X)) or X)
    pipe.steps.insert(1, ("watch", watch))
    np.testing.assert_allclose(pipe.predict_proba(X), expected, atol=1e-6)
    assert seen == [len(X)]


def test_few_beats_and_a_processor_alone_need_images(monkeypatch):
    assert not _prediction.computes_spectrograms(range(10**6))  # no accelerator here
    monkeypatch.setattr(f"{PREDICTION}.has_accelerator", lambda: True)
    assert not _prediction.computes_spectrograms(range(10))
    on_jax = keras.backend.backend() == "jax"
    assert _prediction.computes_spectrograms(range(10**6)) == on_jax


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_one_hot_labels_are_refused_before_smote(pipe, imbalanced, container):
    with pytest.raises(ValueError, match=r"y has shape \(360, 5\): it is one-hot"):
        pipe.fit(imbalanced.data, container(np.eye(5, dtype=int)[imbalanced.target]))


def test_cross_validation_with_records_kept_together(pipe, imbalanced):
    cv = StratifiedGroupKFold(2)
    scores = cross_val_score(
        pipe, imbalanced.data, imbalanced.target, groups=imbalanced.groups, cv=cv
    )
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    for train, test in cv.split(imbalanced.data, imbalanced.target, imbalanced.groups):
        assert not set(imbalanced.groups[train]) & set(imbalanced.groups[test])


@pytest.mark.slow
def test_grid_search_over_the_spectrogram_and_the_network(pipe, imbalanced, tmp_path):
    grid = {
        "spectrogram__nperseg": [16, 64],
        "spectrogram__noverlap": [0.5, 0.75],
        "cnn__learning_rate": [1e-3],
    }
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise")
    search.fit(imbalanced.data, imbalanced.target)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert set(search.best_params_) == set(grid)

    path = tmp_path / "search.joblib"
    joblib.dump(search, path)
    np.testing.assert_array_equal(
        predict_in_a_fresh_process(path, imbalanced, tmp_path),
        search.predict_proba(imbalanced.data),
    )


def predict_in_a_fresh_process(path, beats, folder):
    np.save(folder / "beats.npy", beats.data)
    script = (
        "import sys, joblib, numpy as np\n"
        "pipe = joblib.load(sys.argv[1])\n"
        "np.save(sys.argv[3], pipe.predict_proba(np.load(sys.argv[2])))\n"
    )
    files = [path, folder / "beats.npy", folder / "probability.npy"]
    subprocess.run([sys.executable, "-c", script, *map(str, files)], check=True)
    return np.load(files[2])


def test_memory_caches_the_fitted_steps(pipe, imbalanced, tmp_path):
    cached = clone(pipe).set_params(memory=str(tmp_path))
    cached.fit(imbalanced.data, imbalanced.target)
    made = sorted(tmp_path.rglob("output.pkl"))
    assert len(made) == 3  # scaler, smote, spectrogram
    changed = clone(cached).set_params(cnn__learning_rate=1e-3)
    changed.fit(imbalanced.data, imbalanced.target)
    assert sorted(tmp_path.rglob("output.pkl")) == made
    plain = clone(pipe).fit(imbalanced.data, imbalanced.target)
    np.testing.assert_allclose(
        cached.predict_proba(imbalanced.data),
        plain.predict_proba(imbalanced.data),
        atol=1e-6,
    )


class TestValidationBeats:
    @pytest.mark.parametrize("on_when_made", [False, True])
    @pytest.mark.parametrize("on_when_fitted", [False, True])
    def test_they_pass_the_steps_but_never_smote(
        self, imbalanced, on_when_made, on_when_fitted
    ):
        X, y = imbalanced.data, imbalanced.target
        with sklearn.config_context(enable_metadata_routing=on_when_made):
            pipe = make_ecg_pipeline(**SMALL)
        with sklearn.config_context(enable_metadata_routing=on_when_fitted):
            pipe.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
            assert sklearn.get_config()["enable_metadata_routing"] == on_when_fitted
        # The history can only hold this number if exactly these 60 beats, scaled and
        # transformed by the fitted steps, were validated on.
        expected = pipe.score(X[300:], y[300:])
        assert pipe[-1].history_["val_accuracy"][-1] == pytest.approx(
            expected, abs=1e-6
        )
        alone = clone(pipe).fit(X[:300], y[:300])
        np.testing.assert_allclose(
            alone.predict_proba(X), pipe.predict_proba(X), atol=1e-6
        )

    def test_in_a_search(self, imbalanced):
        X, y = imbalanced.data, imbalanced.target
        pipe = make_ecg_pipeline(**SMALL)
        search = GridSearchCV(pipe, {"cnn__dropout": [0.0]}, cv=2, error_score="raise")
        search.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
        assert "val_loss" in search.best_estimator_[-1].history_

    def test_parameters_of_a_step_need_routing(self, pipe, imbalanced):
        X, y = imbalanced.data, imbalanced.target
        with pytest.raises(ValueError, match=r"\['cnn__sample_weight'\].*set_config"):
            pipe.fit(X, y, X_val=X, y_val=y, cnn__sample_weight=np.ones(360))
        with pytest.raises(ValueError, match="Only X_val was given"):
            pipe.fit(X, y, X_val=X)
        assert pipe.transform_input is None


def test_untransformed_validation_beats_are_refused(pipe, imbalanced):
    X, y = imbalanced.data, imbalanced.target
    with pytest.raises(ValueError, match="without the name of a step"):
        pipe.fit(X, y, cnn__X_val=X, cnn__y_val=y)


class TestPresets:
    @pytest.mark.parametrize("preset", sorted(PRESETS))
    def test_they_fit(self, beats, preset):
        pipe = make_ecg_pipeline(
            preset=preset, filters=(4,), epochs=1, random_state=0, early_stopping=False
        )
        pipe.fit(beats.data, beats.target)
        assert pipe["cnn"].n_epochs_ == 1
        assert ("smote" in pipe.named_steps) is (preset == "notebook")

    def test_what_is_given_goes_first(self):
        pipe = make_ecg_pipeline(
            preset="kaggle", sampler="smote", phase=False, cnn__residual=(1,)
        )
        assert list(pipe.named_steps) == ["scaler", "smote", "spectrogram", "cnn"]
        assert not pipe["spectrogram"].phase
        assert pipe["cnn"].residual == (1,)
        assert pipe["cnn"].label_smoothing == 0.1

    def test_an_unknown_one_is_named(self):
        with pytest.raises(ValueError, match="'preset' parameter"):
            make_ecg_pipeline(preset="kagle")
        with pytest.raises(ValueError, match="no such step. Its steps are scaler"):
            make_ecg_pipeline(spectogram__nperseg=8)

    def test_the_command_line_offers_all(self):
        from ecg_sklearn.cli._parser import make_parser

        for preset in PRESETS:
            make_parser().parse_args(["train", "--preset", preset])
