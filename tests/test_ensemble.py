"""make_ecg_ensemble, make_calibrated_trees: parts, columns, searches and files."""

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate

from ecg_sklearn import (
    load,
    load_model,
    make_calibrated_trees,
    make_ecg_ensemble,
    make_ecg_pipeline,
    save,
)
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import RefinedClassifier, SoftVotingClassifier
from ecg_sklearn.features import FEATURE_GROUPS, MODE_GROUPS
from ecg_sklearn.features._groups import feature_names
from ecg_sklearn.utils._cut import learned_cut
from ecg_sklearn.utils._estimators import network_pipeline

SMALL = {"filters": (4,), "dense_units": 4, "epochs": 1, "random_state": 0}
TRAINING = slice(0, 200)


@pytest.fixture(scope="module")
def beats():
    return make_heartbeats(
        300, n_records=6, features=list(FEATURE_GROUPS), random_state=0
    )


def small(**params):
    model = make_ecg_ensemble(**SMALL | params)
    few = {
        "refiner__estimator__classifier__n_estimators": 5,
        "estimator__trees__classifier__estimator__max_iter": 2,
        "trees__classifier__estimator__max_iter": 2,
    }
    known = model.get_params()
    return model.set_params(**{k: v for k, v in few.items() if k in known})


def fit(model, beats, y=None, **validation):
    y = beats.target if y is None else y
    told = {"groups": beats.groups[TRAINING], "rhythms": beats.rhythms[TRAINING]}
    return model.fit(beats.data[TRAINING], y[TRAINING], **told, **validation)


@pytest.fixture(scope="module")
def fitted(beats):
    return fit(small(), beats)


def test_parts():
    assert isinstance(make_ecg_ensemble(), RefinedClassifier)
    assert isinstance(make_ecg_ensemble(rhythm=False), SoftVotingClassifier)
    alone = make_ecg_ensemble(rhythm=False, trees=False, random_state=3)
    pipe = make_ecg_pipeline(preset="inter-patient", random_state=3)
    assert repr(alone) == repr(pipe)
    network = make_ecg_ensemble(trees=False, rhythm=True, preset="kaggle").estimator
    assert list(network.named_steps) == ["columns", "scaler", "spectrogram", "cnn"]
    assert network["cnn"].epochs == 12
    with pytest.raises(ValueError, match="'trees' parameter"):
        make_ecg_ensemble(trees="boosting")
    seeds = {k: v for k, v in make_ecg_ensemble(random_state=0).get_params().items()
             if k.endswith("random_state")}  # fmt: skip
    assert seeds == {
        "estimator__network__cnn__random_state": 0,
        "estimator__trees__classifier__estimator__random_state": 0,
        # The seed that this part has had since the first release.
        "refiner__estimator__classifier__random_state": 209652396,
    }


def test_parts_of_the_presets_for_known_patients():
    pipe = make_ecg_pipeline(preset="kaggle", random_state=3)
    alone = make_ecg_ensemble(preset="kaggle", waveform=False, random_state=3)
    assert repr(alone) == repr(pipe)
    vote = make_ecg_ensemble(preset="kaggle-features")
    assert list(dict(vote.estimators)) == ["network", "trees"]
    assert vote.weights == (1.0, 0.4)
    assert vote.estimators[0][1]["cnn"].epochs == 6
    for params in ({"epochs": 2}, {"cnn__epochs": 2}):
        vote = make_ecg_ensemble(preset="kaggle-features", **params)
        assert vote.estimators[0][1]["cnn"].epochs == 2
    alone = make_ecg_ensemble(preset="kaggle-features", trees=False)
    assert alone["cnn"].epochs == 12


def test_a_network_of_the_waveform():
    vote = make_ecg_ensemble(preset="kaggle", sampler="smote", random_state=3)
    waveform, network = (voter for _, voter in vote.estimators)
    assert list(network.named_steps) == ["scaler", "smote", "spectrogram", "cnn"]
    assert list(waveform.named_steps) == ["scaler", "smote", "cnn"]
    assert (network["cnn"].epochs, network["cnn"].dropout) == (24, 0.1)
    assert (waveform["cnn"].epochs, waveform["cnn"].dropout) == (12, 0)
    assert waveform["cnn"].residual == (2, 3, 4)
    assert vote.weights is None
    given = {"cnn__epochs": 1, "filters": (4, 8), "spectrogram__nperseg": 8}
    quick = make_ecg_ensemble(preset="kaggle", **given, random_state=3)
    waveform, network = (voter for _, voter in quick.estimators)
    assert network["spectrogram"].nperseg == 8
    assert waveform["cnn"].filters == (4, 8)
    assert waveform["cnn"].residual == (2,)
    own = make_ecg_ensemble(preset="kaggle", kernel_size=7, residual=(), dropout=0.2)
    for _, voter in own.estimators:
        params = voter["cnn"].get_params()
        assert (
            params.items() >= {"kernel_size": 7, "residual": (), "dropout": 0.2}.items()
        )
    assert waveform["cnn"].epochs == network["cnn"].epochs == 1
    X, y = make_heartbeats(200, random_state=0, return_X_y=True)
    quick.fit(X, y)
    each = [voter.predict_proba(X) for voter in quick.estimators_]
    np.testing.assert_allclose(quick.predict_proba(X), np.mean(each, axis=0))
    assert "spectrogram" in network_pipeline(quick).named_steps


def test_the_waveform_has_no_features(beats):
    model = small(preset="kaggle")
    message = "would take all for samples. Leave the features out"
    with pytest.raises(ValueError, match=message):
        model.fit(beats.data, beats.target)
    assert not hasattr(model.named_estimators["network"]["cnn"], "model_")  # before it
    names = [name for name in beats.data.columns if name.startswith("t")][::-1]
    with pytest.raises(ValueError, match="in the order of time. Sort them"):
        model.fit(beats.data[names], beats.target)
    for params in ({}, {"preset": "kaggle", "sample_columns": slice(187)}):
        with pytest.raises(ValueError, match="waveform=True is for beats of samples"):
            make_ecg_ensemble(**params, waveform=True)
    pipe = make_ecg_ensemble(preset="kaggle", sample_columns=slice(187))
    assert pipe["cnn"].epochs == 12


def test_weights_are_saved(beats, tmp_path):
    X = beats.data.drop(columns=list(FEATURE_GROUPS["rhythm"]))
    model = small(preset="kaggle-features").fit(X, beats.target)
    save(model, tmp_path / "model.ecgsk")
    network, trees = (voter.predict_proba(X) for voter in model.estimators_)
    expected = (network + 0.4 * trees) / 1.4
    for again in (model, load(tmp_path / "model.ecgsk")):
        np.testing.assert_allclose(again.predict_proba(X), expected, atol=1e-6)


def test_columns_and_cut_reach_the_parts(fitted, beats):
    network, trees = fitted.estimator_.estimators_
    names = beats.feature_names
    assert fitted.feature_names_in_.tolist() == names
    rhythm = FEATURE_GROUPS["rhythm"]
    seen = [name for name in names if name not in rhythm]
    assert network["scaler"].feature_names_in_.tolist() == seen
    assert network["scaler"].cut_ == learned_cut(fitted) == beats.cut
    of_trees = [*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["morphology"]]
    assert trees["classifier"].n_features_in_ == len(of_trees)
    assert list(trees["columns"].transformers_[0][2]) == of_trees
    other = beats.data.copy()
    other.attrs = {"cut": beats.cut | {"unit": "mV"}}
    with pytest.raises(ValueError, match="unit is 'mV', and was"):
        fitted.predict(other)
    with pytest.raises(ValueError, match="columns are missing: {'qrs_size'}"):
        fitted.predict(beats.data.drop(columns="qrs_size"))


def test_the_network_inside(fitted, beats):
    """Without the selection of columns, so that it can be explained and exported."""
    pipe = network_pipeline(fitted)
    assert list(pipe.named_steps) == ["scaler", "spectrogram", "cnn"]
    X = beats.data[pipe.feature_names_in_]
    network = fitted.estimator_.named_estimators_["network"]
    np.testing.assert_array_equal(
        pipe.predict_proba(X), network.predict_proba(beats.data)
    )
    assert network_pipeline(pipe) is pipe
    trees = fitted.estimator_.named_estimators_["trees"]
    assert network_pipeline(trees) is trees
    assert learned_cut(trees) is None


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("params", [{}, {"trees": False}])
def test_validation_beats(beats, routing, params):
    y, held_out = np.array(list("NSVFQ"))[beats.target], beats.data[200:]
    with sklearn.config_context(enable_metadata_routing=routing):
        model = small(**params).set_params(pair=("N", "S"))
        fit(model, beats, y, X_val=held_out, y_val=y[200:])
        found = model.predict_proba(held_out, groups=beats.groups[200:])
    history = network_pipeline(model)[-1].history_
    codes = model.classes_.searchsorted(y[200:])
    alone = network_pipeline(model).predict(
        held_out.drop(columns=list(FEATURE_GROUPS["rhythm"]))
    )
    right = alone == (y[200:] if params else codes)
    assert history["val_accuracy"][-1] == pytest.approx(right.mean())
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_outputs_of_pandas(fitted, beats):
    told = {"groups": beats.groups}
    expected = fitted.predict_proba(beats.data, **told)
    with sklearn.config_context(transform_output="pandas"):
        model = fit(small(), beats)
        np.testing.assert_array_equal(model.predict_proba(beats.data, **told), expected)


def test_files(fitted, beats, tmp_path):
    told = {"groups": beats.groups}
    expected = fitted.predict_proba(beats.data, **told)
    joblib.dump(fitted, tmp_path / "model.joblib")
    save(fitted, tmp_path / "model.ecgsk")
    for again in (
        joblib.load(tmp_path / "model.joblib"),
        load(tmp_path / "model.ecgsk"),
        fit(clone(fitted), beats),
    ):
        np.testing.assert_array_equal(again.predict_proba(beats.data, **told), expected)
        assert learned_cut(again) == beats.cut


@pytest.mark.slow
def test_search_and_cross_validation(beats):
    X, y, groups = beats.data, beats.target, beats.groups
    with sklearn.config_context(enable_metadata_routing=True):
        grid = {"refiner__prior_strength": [1.0, 100.0]}
        search = GridSearchCV(small(), grid, cv=GroupKFold(2), error_score="raise")
        search.fit(X, y, groups=groups, rhythms=beats.rhythms)
        scores = cross_validate(
            small(), X, y, cv=GroupKFold(2), error_score="raise",
            params={"groups": groups, "rhythms": beats.rhythms},
        )["test_score"]  # fmt: skip
    assert learned_cut(search) == beats.cut
    results = search.cv_results_
    at_default = [results[f"split{i}_test_score"][1] for i in range(2)]
    np.testing.assert_allclose(at_default, scores)


@pytest.mark.parametrize("mode", MODE_GROUPS)
def test_the_shipped_models_are_calibrated_trees(mode):
    expected = make_calibrated_trees(mode=mode, random_state=0)
    assert repr(load_model(mode)) == repr(expected)


def test_causal_trees_see_causal_columns_alone(beats):
    few = {"n_estimators": 3, "max_leaf_nodes": 20, "random_state": 0}
    model = make_calibrated_trees(mode="causal", **few).set_params(cv=2)
    own = beats.data[feature_names(MODE_GROUPS["causal"])]
    answers = [
        clone(model).fit(X, beats.target, groups=beats.groups).predict_proba(X)
        for X in (beats.data, own)
    ]
    np.testing.assert_array_equal(*answers)


def test_a_mode_that_is_none():
    with pytest.raises(ValueError, match="'mode' parameter"):
        make_calibrated_trees(mode="online")
