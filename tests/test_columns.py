"""Columns by name: what cannot be meant raises, and names pass through everything."""

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
)

from ecg_sklearn import (
    BeatScaler,
    SpectrogramCNNClassifier,
    SpectrogramTransformer,
    fit_stream,
    make_ecg_ensemble,
    make_ecg_pipeline,
)
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.datasets._base import make_bunch
from ecg_sklearn.datasets._cut import cut_record, make_cut
from ecg_sklearn.datasets._records import Annotations
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.io._wfdb import Signal

SMALL = {"filters": (8,), "dense_units": 8, "epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def beats():
    """300 beats of 6 records, with all features."""
    return make_heartbeats(
        300, n_records=6, features=list(FEATURE_GROUPS), random_state=0
    )


def light(**params):
    """The pipeline before its network, and a linear model behind it."""
    steps = make_ecg_pipeline(**params).steps[:-1]
    pipe = Pipeline([*steps, ("model", LogisticRegression(tol=0.1))])
    return pipe.set_params(spectrogram__flatten=True)


def windows(start, stop):
    """60 windows with other limits of the same simulated signal."""
    rng = np.random.default_rng(0)
    sample = np.arange(100, 6100, 100)
    signal = Signal(rng.normal(size=6500), 100.0, "II")
    notes = Annotations(sample, np.full(60, "N"), np.arange(60) % 2, np.full(60, "N"))
    cut = make_cut("II", "window", (start, stop))
    return make_bunch(cut_record("r", signal, notes, cut), cut.describe(100, "mV"), "")


class TestWhatCannotBeMeant:
    def test_counts_from_the_right_cannot_be_written(self):
        with pytest.raises(TypeError, match="context_row"):
            SpectrogramCNNClassifier(context_row=True)
        with pytest.raises(TypeError, match="n_context"):
            SpectrogramTransformer(n_context=22)
        with pytest.raises(ValueError, match="Invalid parameter 'n_context'"):
            make_ecg_pipeline().set_params(spectrogram__n_context=22)

    def test_features_of_another_training(self, beats):
        pipe = light(sampler=None).fit(beats.frame, beats.target)
        fewer = beats.frame.drop(columns=list(FEATURE_GROUPS["morphology"]))
        with pytest.raises(ValueError, match="yet now missing:\n- beat_similarity"):
            pipe.predict(fewer)

    def test_the_ensemble_on_plain_beats(self, beats):
        model = make_ecg_ensemble()
        for plain in (beats.frame.filter(regex="^t"), beats.frame.to_numpy()):
            with pytest.raises(ValueError, match=r'features=\["rr", "rhythm"\]'):
                model.fit(plain, beats.target, groups=beats.groups)

    def test_features_are_no_samples(self, beats):
        """Columns of rhythm in a plain pipeline are not part of the curve."""
        assert isinstance(beats.data, pd.DataFrame)  # an array would have no names
        pipe = light(sampler=None).fit(beats.data, beats.target)
        assert pipe["spectrogram"].n_times_ == 187
        names = pipe["spectrogram"].get_feature_names_out()
        assert list(names[-108:]) == beats.feature_names[187:]
        network = make_ecg_pipeline(sampler=None, **SMALL).fit(beats.data, beats.target)
        assert network["spectrogram"].n_times_ == 187

    def test_samples_are_in_the_order_of_their_names(self, beats):
        shuffled = beats.frame.sample(frac=1, axis=1, random_state=0)
        transformer = SpectrogramTransformer().fit(shuffled)
        names = shuffled.columns[transformer.sample_columns_]
        assert list(names) == beats.feature_names[:187]
        images = [SpectrogramTransformer().fit_transform(beats.frame)]
        images.append(transformer.transform(shuffled))
        n_freqs = len(transformer.frequencies_)
        np.testing.assert_allclose(images[0][:, :n_freqs], images[1][:, :n_freqs])

    @pytest.mark.parametrize("names", ["NSVFQ", None])
    @pytest.mark.parametrize("as_frame", [True, False])
    def test_a_label_column_in_x(self, beats, names, as_frame):
        X = beats.frame.iloc[:, :187].assign(label=beats.target)
        y = np.array(list(names))[beats.target] if names else beats.target
        X, column = (X, "'label'") if as_frame else (X.to_numpy(), "187")
        with pytest.raises(ValueError, match=f"Column {column} of X is the label"):
            light().fit(X, y)

    def test_a_label_column_of_digits_as_text(self, beats):
        X = beats.frame.assign(label=beats.target.astype(str))
        with pytest.raises(ValueError, match="Column 'label' of X is the label"):
            light(sampler=None).fit(X, beats.target)

    def test_columns_that_look_like_labels_in_small_tables(self):
        X = np.zeros((12, 30))
        X[:2, 5], X[2:4, 6] = 1, 1
        y = np.repeat([1, 2, 0], [2, 2, 8])
        BeatScaler().fit(X, y == 1)
        BeatScaler().fit(X, y)
        BeatScaler().fit(np.eye(4), [0, 0, 1, 1])

    def test_beats_of_another_rate(self, beats):
        pipe = make_ecg_pipeline(sampling_rate=360.0, sampler=None, **SMALL)
        with pytest.raises(ValueError, match="120 samples per second.*360"):
            pipe.fit(beats.frame, beats.target)

    def test_windows_with_other_limits(self):
        one, other = windows(-0.4, 0.6), windows(-0.5, 0.5)
        assert one.data.shape[1] == other.data.shape[1] == 100
        pipe = light(sampling_rate=100.0).fit(one.frame, one.target)
        assert pipe["scaler"].cut_ == one.cut
        for fitted in (pipe, clone(pipe).fit(one.frame, one.target)):
            with pytest.raises(ValueError, match="window is .* was ") as caught:
                fitted.predict(other.frame)
            for limits in ("[-0.4, 0.6]", "[-0.5, 0.5]"):
                assert limits in str(caught.value)

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"form": "kaggle"}, True),
            ({"sampling_rate": 125.0}, True),
            ({"unit": "min-max"}, True),
            ({"window": (-0.4, 0.6)}, False),  # as a tuple
            ({"channel": "ECG1"}, False),  # another database
        ],
    )
    def test_what_must_agree(self, change, refused):
        one = windows(-0.4, 0.6)
        other = one.frame.copy()
        other.attrs = {"cut": one.cut | change}
        scaler = BeatScaler().fit(one.frame)
        for method in (scaler.transform, scaler.partial_fit):
            if refused:
                with pytest.raises(ValueError, match="cut in another way"):
                    method(other)
            else:
                method(other)
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            scaler.transform(one.data)  # an array does not say how it was cut

    def test_adc_counts(self):
        one = windows(-0.4, 0.6)
        scaler = BeatScaler().fit(one.data)
        scaler.transform(19 * one.data)
        with pytest.warns(UserWarning, match="197 times larger than the training"):
            scaler.transform(1024 + 200 * one.data)


class TestEverythingKeepsNames:
    @pytest.mark.parametrize("as_frame", [True, False])
    @pytest.mark.parametrize("output", ["default", "pandas", "polars"])
    def test_the_container_through_scaler_and_smote(self, beats, output, as_frame):
        pipe = make_ecg_pipeline(**SMALL)
        pipe[:-1].set_output(transform=output)
        X = beats.frame if as_frame else beats.frame.to_numpy()
        with sklearn.config_context(transform_output=output):
            scaled = pipe["scaler"].fit_transform(X, beats.target)
            X_more, y_more = pipe["smote"].fit_resample(scaled, beats.target)
            fitted = pipe.fit(X, beats.target)
        assert type(scaled) is type(X_more) is type(X)
        if as_frame:
            assert list(X_more) == beats.feature_names
            assert set(X_more.dtypes) == {np.dtype("float32")}
            assert fitted["scaler"].cut_ == beats.cut
        else:
            assert X_more.dtype == np.float32
        assert fitted.predict(X).shape == (300,)

    def test_float32_values_are_those_of_the_array(self, beats):
        X = beats.frame.to_numpy()
        by_name = light(random_state=0).fit(beats.frame, beats.target)
        by_place = light(sample_columns=slice(187), random_state=0)
        by_place.fit(X, beats.target)
        np.testing.assert_allclose(
            by_name.predict_proba(beats.frame), by_place.predict_proba(X), atol=1e-5
        )

    def test_a_slice_of_all(self, beats):
        X = beats.frame.to_numpy()[:, :187]
        whole, auto = (
            light(sample_columns=spec).fit(X, beats.target)
            for spec in (slice(None), "auto")
        )
        assert whole["spectrogram"].n_times_ == auto["spectrogram"].n_times_ == 187

    def test_polars_in(self, beats):
        polars = pytest.importorskip("polars")
        table = polars.DataFrame(beats.frame.to_numpy(), schema=beats.feature_names)
        scaled = BeatScaler().fit_transform(table)
        assert isinstance(scaled, pd.DataFrame)
        pipe = light().fit(table, beats.target)
        expected = pipe.predict_proba(beats.frame)
        np.testing.assert_allclose(pipe.predict_proba(table), expected, atol=1e-6)

    def test_a_search_slices_and_joblib_keeps(self, beats, tmp_path):
        grid = {"spectrogram__nperseg": [8, 16], "smote__k_neighbors": [2, 3]}
        search = GridSearchCV(
            light(random_state=0), grid, cv=GroupKFold(2), error_score="raise"
        )
        search.fit(beats.frame, beats.target, groups=beats.groups)
        best = search.best_estimator_
        assert list(best.feature_names_in_) == beats.feature_names
        assert best["scaler"].cut_ == beats.cut
        joblib.dump(search, tmp_path / "search.joblib")
        again = joblib.load(tmp_path / "search.joblib")
        assert again.best_estimator_["scaler"].cut_ == beats.cut
        np.testing.assert_array_equal(
            again.predict(beats.frame), search.predict(beats.frame)
        )

    def test_batches_of_a_stream(self, beats):
        names = beats.feature_names
        parts = [
            (beats.frame.iloc[i : i + 100], beats.target[i : i + 100])
            for i in range(0, 300, 100)
        ]
        pipe = fit_stream(make_ecg_pipeline(sampler=None, **SMALL), parts)
        assert list(pipe["scaler"].feature_names_in_) == names
        assert pipe["scaler"].cut_ == beats.cut
        whole = BeatScaler().fit(beats.frame)
        assert pipe["scaler"].amplitude_ == pytest.approx(whole.amplitude_, rel=1e-5)
        labelled = [(X.assign(label=y), y) for X, y in parts]
        with pytest.raises(ValueError, match="'label' of X is the label"):
            fit_stream(make_ecg_pipeline(sampler=None, **SMALL), labelled)

    def test_more_features_of_ones_own(self, beats):
        X = beats.frame.iloc[:, :187].assign(age=np.arange(300.0))
        pipe = light(sampler=SMOTE(sampling_strategy="all", random_state=0))
        pipe.fit(X, beats.target)
        assert pipe["spectrogram"].get_feature_names_out()[-1] == "age"
