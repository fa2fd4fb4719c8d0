"""Two stages: who decides what, excerpts, priors, bad input, files."""

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ecg_sklearn
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import ShapeRhythmClassifier
from ecg_sklearn.ensemble._priors import adapt_to_records
from ecg_sklearn.features import FEATURE_GROUPS, rhythm_features, rr_features

INTERVALS = [*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["rhythm"]]
SHAPE = [f"t{i:03d}" for i in range(187)] + INTERVALS[:12]
GROUPS = ["rr", "rhythm"]


class Spy(DummyClassifier):
    """A classifier of the rhythm that remembers what it was shown."""

    def fit(self, X, y, sample_weight=None):
        self.seen_ = X, y
        return super().fit(X, y)


@pytest.fixture(scope="module")
def simulated():
    return make_heartbeats(500, n_records=5, features=GROUPS, random_state=0)


def linear():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=50, tol=1e-2))


TREES = ExtraTreesClassifier(10, random_state=0)


def two_stages(first=None, **params):
    """An unfitted model whose trees are few."""
    params = {"rhythm_estimator": TREES, "random_state": 0} | params
    return ShapeRhythmClassifier(first or linear(), **params)


def fitted(beats, **params):
    model = two_stages(**params)
    return model.fit(beats.data, beats.target, groups=beats.groups)


def table(time):
    """Beats of one sample, and all that follows from their times."""
    X = np.hstack([np.zeros((len(time), 1)), rr_features(time), rhythm_features(time)])
    return pd.DataFrame(X, columns=["t000", *INTERVALS])


def test_the_shape_parts_the_classes_and_the_rhythm_the_pair(simulated):
    model = fitted(simulated)
    found = model.predict_proba(simulated.data)
    of_shape = model.estimator_.predict_proba(simulated.data[SHAPE])
    share = model.rhythm_estimator_.predict_proba(simulated.data[INTERVALS].to_numpy())
    np.testing.assert_array_equal(found[:, 2:], of_shape[:, 2:])
    pair = of_shape[:, :1] + of_shape[:, 1:2]
    np.testing.assert_allclose(found[:, :2], pair * share, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(
        model.predict(simulated.data), model.classes_[found.argmax(axis=1)]
    )


def test_a_classifier_of_the_context_votes():
    beats = make_heartbeats(
        300, n_records=3, features=list(FEATURE_GROUPS), random_state=0
    )
    X, y = beats.data, beats.target
    trees = clone(TREES)
    model = fitted(beats, context_estimator=trees)
    names = [*FEATURE_GROUPS["rr"], *FEATURE_GROUPS["morphology"]]
    assert [beats.feature_names[i] for i in model.context_columns_] == names
    context = X[names].to_numpy()
    of_shape = model.estimator_.predict_proba(
        X.drop(columns=list(FEATURE_GROUPS["rhythm"]))
    )
    both = trees.fit(context, y).predict_proba(context) + of_shape
    found = model.predict_proba(X)
    np.testing.assert_allclose(found[:, 2:], both[:, 2:] / 2, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    # The second stage splits what both give to the pair.
    share = model.rhythm_estimator_.predict_proba(X[INTERVALS].to_numpy())
    pair = both[:, :2].sum(axis=1, keepdims=True) / 2
    np.testing.assert_allclose(found[:, :2], pair * share, atol=1e-5)


def test_columns_by_position_name_and_mask(simulated):
    """As "auto", but for the columns that the first stage sees."""
    X, y = simulated.data, simulated.target
    by_name = two_stages(
        GaussianNB(), rhythm_columns=INTERVALS, context_estimator=DummyClassifier(),
        context_columns=["rr_next", "rr_previous"],
    ).fit(X, y)  # fmt: skip
    assert by_name.shape_columns_.tolist() == list(range(187))
    assert by_name.context_columns_.tolist() == [188, 187]
    for chosen in (slice(-28, None), range(187, 215), np.arange(215) >= 187):
        model = clone(by_name).set_params(
            rhythm_columns=chosen, context_columns=[188, 187]
        )
        model.fit(X.to_numpy(), y)
        np.testing.assert_allclose(
            model.predict_proba(X.to_numpy()), by_name.predict_proba(X), atol=1e-6
        )


def test_labels_may_be_strings(simulated):
    names = np.array(list("NSVFQ"))[simulated.target]
    by_name = two_stages(pair=("N", "S"))
    by_name.fit(simulated.data, names, groups=simulated.groups)
    by_code = fitted(simulated)
    assert by_name.classes_.tolist() == sorted("NSVFQ")
    order = ["NSVFQ".index(name) for name in by_name.classes_]
    np.testing.assert_allclose(
        by_name.predict_proba(simulated.data),
        by_code.predict_proba(simulated.data)[:, order],
        atol=1e-3,
    )


def test_without_one_of_the_pair_the_shape_decides(simulated):
    rows = simulated.target != 1
    model = ShapeRhythmClassifier(GaussianNB())
    model.fit(simulated.data[rows], simulated.target[rows])
    assert model.rhythm_estimator_ is None
    # Without the columns for excerpts.
    other = ShapeRhythmClassifier(linear(), rhythm_columns=INTERVALS[:9])
    other.fit(
        simulated.data[rows], simulated.target[rows], groups=simulated.groups[rows]
    )
    assert other.rhythm_estimator_ is None
    np.testing.assert_array_equal(
        model.predict_proba(simulated.data),
        model.estimator_.predict_proba(simulated.data[SHAPE]),
    )


class TestEpisodes:
    def test_by_hand(self):
        # One record: 40 beats, a premature one at every eighth.
        interval = np.full(40, 1.0)
        y = np.zeros(40, dtype=int)
        y[7::8], interval[7::8] = 1, 0.6
        y[6] = 2  # of another class: part of the rhythm, and not learned from
        X = table(np.cumsum(interval))
        model = ShapeRhythmClassifier(
            DummyClassifier(), rhythm_estimator=Spy(), n_around=[1]
        )
        model.fit(X, y, groups=np.full(40, "r"))
        seen, labels = model.rhythm_estimator_.seen_
        # Beats 6, 7, 8, 14, 15, 16, ..., 39 follow each other, at their intervals.
        again = np.flatnonzero([any(y[max(i - 1, 0) : i + 2] == 1) for i in range(40)])
        assert len(again) == 14
        expected = table(np.cumsum(interval[again]))[INTERVALS][1:]
        np.testing.assert_allclose(seen[39:], expected, atol=1e-5)
        np.testing.assert_array_equal(labels[39:], y[again][1:])
        np.testing.assert_allclose(seen[:39], X.loc[y != 2, INTERVALS])

    def test_no_groups_no_episodes(self, simulated):
        model = ShapeRhythmClassifier(DummyClassifier(), rhythm_estimator=Spy())
        model.fit(simulated.data, simulated.target)
        n_pair = np.count_nonzero(simulated.target < 2)
        assert len(model.rhythm_estimator_.seen_[0]) == n_pair
        for n_around, more in (((), False), ((2,), True)):
            model.set_params(n_around=n_around)
            model.fit(simulated.data, simulated.target, groups=simulated.groups)
            assert (len(model.rhythm_estimator_.seen_[0]) > n_pair) == more

    def test_records_with_few_premature_beats_give_none(self):
        y = np.zeros(50, dtype=int)
        y[[10, 20, 30, 40]] = 1
        X = table(np.arange(50.0))
        model = ShapeRhythmClassifier(DummyClassifier(), rhythm_estimator=Spy())
        model.fit(X, y, groups=np.zeros(50))
        assert len(model.rhythm_estimator_.seen_[0]) == 50

    def test_records_may_take_turns(self, simulated):
        order = np.argsort(simulated.time, kind="stable")
        apart = fitted(simulated, rhythm_estimator=Spy()).rhythm_estimator_.seen_
        mixed = ShapeRhythmClassifier(linear(), rhythm_estimator=Spy())
        mixed.fit(
            simulated.data.iloc[order],
            simulated.target[order],
            groups=simulated.groups[order],
        )
        n_pair = np.count_nonzero(simulated.target < 2)
        again = mixed.rhythm_estimator_.seen_
        np.testing.assert_allclose(again[0][n_pair:], apart[0][n_pair:], atol=1e-5)
        np.testing.assert_array_equal(again[1][n_pair:], apart[1][n_pair:])


class TestAdaptation:
    def test_by_hand(self):
        shares = np.array([0.75, 0.25])
        probability = np.array([[0.5, 0.5], [0.5, 0.5], [0.9, 0.1]])
        found = adapt_to_records(probability, shares, np.array(["a", "a", "b"]), 2.0)
        # The first beat of a record meets the shares of training: nothing changes.
        np.testing.assert_allclose(found[[0, 2]], probability[[0, 2]], atol=1e-3)
        # The second finds 2 * 0.25 + 0.5 premature beats of 2 + 1.
        odds = (0.5 / 0.25) / (0.5 / 0.75) * (1.0 / 2.0)
        np.testing.assert_allclose(found[1, 1], odds / (1 + odds), atol=1e-3)

    def test_no_class_is_lost_for_good(self):
        probability = np.vstack(
            [np.tile([1.0, 0.0], (2000, 1)), np.tile([0.02, 0.98], (60, 1))]
        )
        groups = np.zeros(len(probability))
        found = adapt_to_records(probability, np.array([0.9, 0.1]), groups, 10.0)
        assert (found[:2000, 1] < 0.01).all()
        assert found[-1, 1] > 0.9

    def test_beats_rest_on_their_past_alone(self, simulated):
        model = fitted(simulated)
        X, groups = simulated.data, simulated.groups
        found = model.predict_proba(X, groups=groups)
        order = np.argsort(simulated.time, kind="stable")
        mixed = model.predict_proba(X.iloc[order], groups=groups[order])
        np.testing.assert_allclose(mixed, found[order], atol=1e-6)
        half = simulated.time < 40
        assert 0 < half.sum() < len(half)
        np.testing.assert_allclose(
            model.predict_proba(X[half], groups=groups[half]), found[half], atol=1e-6
        )
        np.testing.assert_array_equal(
            model.predict(X, groups=groups), model.classes_[found.argmax(axis=1)]
        )
        # What the shape decides stays as it was.
        plain = model.predict_proba(X)
        np.testing.assert_array_equal(found[:, 2:], plain[:, 2:])
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        assert not np.allclose(found, plain)
        model.set_params(prior_strength=float("inf"))
        np.testing.assert_array_equal(model.predict_proba(X, groups=groups), plain)

    def test_a_search_over_the_strength(self, simulated):
        """Accuracy is told of the records; a scorer by name is not, as documented."""
        model = two_stages(DummyClassifier())
        spread = {}
        for scoring in (None, "accuracy"):
            with sklearn.config_context(enable_metadata_routing=True):
                search = GridSearchCV(
                    model,
                    {"prior_strength": [0.1, 1e6]},
                    scoring=scoring,
                    cv=GroupKFold(3),
                    error_score="raise",
                )
                search.fit(simulated.data, simulated.target, groups=simulated.groups)
            spread[scoring] = np.ptp(search.cv_results_["mean_test_score"])
        assert spread[None] > 0
        assert spread["accuracy"] == 0

    def test_a_patient_whose_beats_are_mostly_premature(self):
        """The prior of premature beats follows the record; a fixed one misses them."""
        rare, often = (
            make_heartbeats(
                1500, n_records=10, weights=weights, features=GROUPS, random_state=seed
            )
            for seed, weights in enumerate(([0.97, 0.03, 0, 0, 0], [0.3, 0.7, 0, 0, 0]))
        )
        model = two_stages(DummyClassifier())
        model.fit(rare.data, rare.target)
        fixed = f1_score(often.target, model.predict(often.data))
        follows = f1_score(often.target, model.predict(often.data, groups=often.groups))
        assert follows > fixed + 0.1

    def test_irregular_rhythms_are_a_class_of_their_own(self, simulated):
        rhythms = simulated.rhythms.astype("U4")
        rhythms[simulated.groups == simulated.groups[0]] = "AFIB"
        model = two_stages(DummyClassifier())
        model.fit(
            simulated.data, simulated.target, groups=simulated.groups, rhythms=rhythms
        )
        assert model.rhythm_estimator_.classes_.tolist() == [0, 1, 2]
        np.testing.assert_allclose(model.rhythm_shares_.sum(), 1)
        assert (model.rhythm_shares_ > 0).all()
        found = model.predict_proba(simulated.data)
        share = model.rhythm_estimator_.predict_proba(
            simulated.data[INTERVALS].to_numpy()
        )
        pair = model.estimator_.predict_proba(simulated.data[SHAPE])[:, :2].sum(axis=1)
        np.testing.assert_allclose(found[:, 1], pair * share[:, 1], atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)

    @pytest.mark.parametrize("rhythm", ["N", "AFIB"])
    def test_where_all_are_alike_there_is_no_third_class(self, simulated, rhythm):
        model = two_stages(DummyClassifier())
        rhythms = np.full(len(simulated.target), rhythm)
        model.fit(simulated.data, simulated.target, rhythms=rhythms)
        assert model.rhythm_estimator_.classes_.tolist() == [0, 1]

    def test_score_with_records(self, simulated):
        model = fitted(simulated)
        X, y, groups = simulated.data, simulated.target, simulated.groups
        weights = np.where(y == 0, 2.0, 1.0)
        for given in (None, groups):
            predicted = model.predict(X, groups=given)
            expected = accuracy_score(y, predicted, sample_weight=weights)
            assert model.score(X, y, weights, groups=given) == expected
        with pytest.raises(ValueError, match="groups holds 3 values, and X 500 beats"):
            model.predict(X, groups=[1, 2, 3])


@pytest.mark.parametrize(
    ("params", "options", "message"),
    [
        ({"rhythm_columns": slice(0, 215)}, {}, "leaves no column for estimator"),
        (
            {"rhythm_columns": INTERVALS[:9]},
            {"groups": True},
            "n_around=.* needs the columns of the groups 'rr' and 'rhythm'.* 9 others",
        ),
        ({"rhythm_columns": INTERVALS[::-1]}, {"groups": True}, "chooses 28 others"),
        ({"rhythm_columns": ["rr"]}, {}, r"rhythm_columns=\['rr'\] cannot be found"),
        ({"rhythm_columns": "rr"}, {}, "'rhythm_columns' parameter"),
        (
            {"context_estimator": DummyClassifier()},
            {},
            "X lacks .*'qrs_similarity.*Load the beats with features=.*'morphology'",
        ),
        ({"pair": (0,)}, {}, "pair=\\(0,\\) is not two labels"),
        ({"pair": (1, 1)}, {}, "is not two labels"),
        ({"pair": ("N", "S")}, {}, "are no labels of y, which holds \\[0, 1"),
        ({"n_around": (0,)}, {"groups": True}, "whole numbers of 1 or more"),
        ({"n_around": (2.5,)}, {"groups": True}, "whole numbers of 1 or more"),
        ({"n_around": 5}, {}, "'n_around' parameter"),
        ({"estimator": "cnn"}, {}, "'estimator' parameter"),
        ({"irregular": "AFIB"}, {}, "'irregular' parameter"),
        ({"prior_strength": 0.0}, {}, "'prior_strength' parameter"),
        ({}, {"groups": [1, 2]}, "groups holds 2 values, and X 500 beats"),
        ({}, {"rhythms": ["N"]}, "rhythms holds 1 values, and X 500 beats"),
        ({}, {"X_val": np.zeros((3, 215))}, "Only X_val was given"),
        ({}, {"y_val": [0, 1, 2]}, "Only y_val was given"),
    ],
)
def test_bad_input(simulated, params, options, message):
    model = ShapeRhythmClassifier(linear()).set_params(**params)
    if options.get("groups") is True:
        options = {"groups": simulated.groups}
    with pytest.raises(ValueError, match=message):
        model.fit(simulated.data, simulated.target, **options)
    with pytest.raises(NotFittedError):
        model.predict(simulated.data)


class Interrupted(DummyClassifier):
    """A classifier whose second fit is broken off."""

    def fit(self, X, y, sample_weight=None):
        if y.max() > 4:
            raise KeyboardInterrupt
        return super().fit(X, y)


def test_a_fit_that_is_broken_off_leaves_no_half_a_model(simulated):
    model = ShapeRhythmClassifier(Interrupted(), n_around=())
    model.fit(simulated.data, simulated.target)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(pair=(10, 11)).fit(simulated.data, simulated.target + 10)
    with pytest.raises(NotFittedError):
        model.predict(simulated.data)


def test_parameters_of_fit_set_later_wait_for_the_next_fit(simulated):
    model = fitted(simulated)
    before = model.predict_proba(simulated.data)
    model.set_params(pair=(1, 0), n_around=(1,))
    np.testing.assert_array_equal(model.predict_proba(simulated.data), before)


class Validated(DummyClassifier):
    """A classifier that takes beats to validate on, as a pipeline with routing does."""

    def fit(self, X, y, X_val=None, y_val=None):
        self.seen_ = X_val, y_val
        return super().fit(X, y)


def test_beats_to_validate_on_reach_the_first_stage(simulated):
    X, y = simulated.data, simulated.target
    model = two_stages(Validated()).fit(X[100:], y[100:], X_val=X[:100], y_val=y[:100])
    X_val, y_val = model.estimator_.seen_
    pd.testing.assert_frame_equal(X_val, X.loc[:99, SHAPE])
    np.testing.assert_array_equal(y_val, y[:100])


def test_the_default_second_stage(simulated):
    beats = simulated.data.iloc[:200]
    model = ShapeRhythmClassifier(DummyClassifier(), n_around=(), random_state=0)
    model.fit(beats, simulated.target[:200])
    assert isinstance(model.rhythm_estimator_, ExtraTreesClassifier)
    assert len(model.rhythm_estimator_.estimators_) == 200


def test_one_class_is_refused(simulated):
    rows = simulated.target == 0
    with pytest.raises(ValueError, match="y holds one class, 0"):
        ShapeRhythmClassifier(linear()).fit(simulated.data[rows], np.zeros(rows.sum()))


def test_cross_validation_with_records(simulated):
    model = two_stages(GaussianNB())
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_val_score(
            model,
            simulated.data,
            simulated.target,
            cv=GroupKFold(3),
            params={"groups": simulated.groups},
            error_score="raise",
        )
    folds = GroupKFold(3).split(simulated.data, groups=simulated.groups)
    for score, (train, test) in zip(found, folds, strict=True):
        one = clone(model)
        X, y, groups = simulated.data, simulated.target, simulated.groups
        one.fit(X.iloc[train], y[train], groups=groups[train])
        assert score == one.score(X.iloc[test], y[test], groups=groups[test])


@pytest.mark.parametrize(
    "rhythm",
    [TREES, RandomForestClassifier(5, random_state=0), LogisticRegression(tol=1)],
)
def test_both_kinds_of_file(simulated, rhythm, tmp_path):
    model = fitted(simulated, rhythm_estimator=rhythm)
    expected = model.predict_proba(simulated.data)
    joblib.dump(model, tmp_path / "model.joblib")
    ecg_sklearn.save(model, tmp_path / "model.ecgsk")
    for again in (
        joblib.load(tmp_path / "model.joblib"),
        ecg_sklearn.load(tmp_path / "model.ecgsk"),
    ):
        np.testing.assert_array_equal(again.predict_proba(simulated.data), expected)
        assert str(again.get_params()) == str(model.get_params())
    # What was loaded can be fitted anew.
    again.fit(simulated.data, simulated.target, groups=simulated.groups)
    np.testing.assert_allclose(again.predict_proba(simulated.data), expected)
