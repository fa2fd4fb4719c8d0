"""Models of trees as ONNX graphs, against the models themselves."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from ecg_sklearn import load_model
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.ensemble import CalibratedRecordClassifier, ReweightedClassifier
from ecg_sklearn.exporting import _forest, export, load_graph
from ecg_sklearn.features import CAUSAL_GROUPS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

LETTERS = np.array(list("NSVFQ"))
TOLERANCE = 1e-6  # of a probability: sums in float32 and in float64


def trees(kind=ExtraTreesClassifier, **params):
    return kind(8, min_samples_leaf=2, random_state=0, **params)


def selected(names, last):
    columns = ColumnTransformer([("features", "passthrough", names)])
    return Pipeline([("columns", columns), ("trees", last)])


@pytest.fixture(scope="module")
def beats():
    return make_heartbeats(
        400, n_records=8, form="window", features=list(CAUSAL_GROUPS), random_state=0
    )


@pytest.fixture(scope="module")
def calibrated(beats):
    names = ["qrs_similarity", "rr_previous", "rr_next", "qrs_size", "rr_change"]
    model = selected(names, ReweightedClassifier(trees()))
    model = CalibratedRecordClassifier(model, cv=2, random_state=0)
    return model.fit(beats.frame, LETTERS[beats.target], groups=beats.groups)


def fitted(name, beats):
    """A model of each kind that can be exported."""
    X, y = beats.frame, beats.target
    features = X.columns[-38:].tolist()
    if name == "forest":
        return trees(RandomForestClassifier).fit(X, y)
    if name == "arrays":
        return trees(max_features=1.0).fit(X.to_numpy(), y)
    if name == "two classes":
        return ReweightedClassifier(trees()).fit(X, y > 0)
    if name == "sampled":
        steps = [("sampler", RandomOverSampler(random_state=0)), ("trees", trees())]
        return Pipeline(steps).fit(X, LETTERS[y])
    if name == "selected twice":
        inner = selected([5, 0, 3], trees())
        return selected(features, inner).fit(X, y)
    model = CalibratedRecordClassifier(trees(), cv=2, random_state=0)
    return model.fit(X, y, groups=beats.groups)


class TestAgreement:
    @pytest.mark.parametrize(
        "name",
        ["forest", "arrays", "two classes", "sampled", "selected twice", "calibrated"],
    )
    def test_probabilities_and_labels(self, name, beats, tmp_path):
        model = fitted(name, beats)
        X = beats.frame.to_numpy() if name == "arrays" else beats.frame
        report = export(model, tmp_path / "trees.onnx")
        assert report.n_beats == 256
        assert report.max_difference < TOLERANCE
        session = onnxruntime.InferenceSession(report.path)
        values = np.asarray(X, dtype=np.float32)
        probability, labels = session.run(None, {"beats": values})
        np.testing.assert_allclose(
            probability, model.predict_proba(X), rtol=0, atol=TOLERANCE
        )
        graph = load_graph(report.path)
        expected = model.predict(X)
        assert labels.tolist() == expected.tolist()
        assert graph.predict(X).tolist() == expected.tolist()

    def test_labels_follow_the_weights(self, calibrated, beats, tmp_path):
        graph = load_graph(export(calibrated, tmp_path / "trees.onnx").path)
        probability = graph.predict_proba(beats.frame)
        found = graph.predict(beats.frame)
        plain = graph.classes_[probability.argmax(axis=1)]
        assert (found != plain).any()
        assert found.tolist() == calibrated.predict(beats.frame).tolist()
        weights = graph.label_weights_.tolist()
        assert weights == calibrated.label_weights_.tolist()

    def test_what_is_in_the_file(self, calibrated, beats, tmp_path):
        path = export(calibrated, tmp_path / "trees.onnx").path
        facts = {p.key: json.loads(p.value) for p in onnx.load(path).metadata_props}
        names = beats.frame.columns.tolist()
        assert facts["classes"] == facts["class_names"] == list("FNQSV")
        assert facts["column_names"] == names
        assert facts["feature_columns"] == list(range(len(names) - 38, len(names)))
        assert facts["sampling_rate"] == beats.sampling_rate
        assert facts["cut"]["features"] == list(CAUSAL_GROUPS)

    @given(
        threshold=st.floats(-(2.0**99), 2.0**99),
        value=st.floats(-(2.0**99), 2.0**99, width=32),
    )
    def test_rounded_thresholds_part_the_same_values(self, threshold, value):
        value = np.float32(value)
        rounded = _forest.round_down(threshold)
        assert rounded.dtype == np.float32
        for number in (value, rounded, np.nextafter(rounded, np.float32(np.inf))):
            assert (number <= rounded) == (float(number) <= threshold)

    def test_probes_find_thresholds_that_were_rounded_otherwise(
        self, calibrated, tmp_path, monkeypatch
    ):
        right = _forest.round_down

        def nearest(threshold):
            return np.asarray(threshold, dtype=np.float32)

        probes = _forest.probe_columns
        monkeypatch.setattr(_forest, "round_down", nearest)

        def with_right_probes(*args):
            with monkeypatch.context() as patch:
                patch.setattr(_forest, "round_down", right)
                return probes(*args)

        monkeypatch.setattr(_forest, "probe_columns", with_right_probes)
        with pytest.raises(ValueError, match="differs from the pipeline by up to"):
            export(calibrated, tmp_path / "trees.onnx")
        assert not list(tmp_path.iterdir())


class TestErrors:
    @pytest.mark.parametrize(("format", "end"), [("litert", "tflite"), ("keras",) * 2])
    def test_formats_of_networks(self, format, end, calibrated, tmp_path):
        with pytest.raises(ValueError, match='Trees are exported as format="onnx"'):
            export(calibrated, tmp_path / f"trees.{end}", format=format)

    def test_models_of_the_whole_record(self, tmp_path):
        with pytest.raises(ValueError, match=r"sees all beats of a record at once"):
            export(load_model("offline"), tmp_path / "trees.onnx")

    def test_other_steps(self, beats, tmp_path):
        scaled = Pipeline([("scaler", StandardScaler()), ("trees", trees())])
        scaled.fit(beats.frame, beats.target)
        with pytest.raises(ValueError, match="'scaler' before the trees is a Standard"):
            export(scaled, tmp_path / "trees.onnx")
        more = ColumnTransformer([("more", StandardScaler(), ["rr_next"])])
        more = Pipeline([("columns", more), ("trees", trees())])
        more.fit(beats.frame, beats.target)
        with pytest.raises(ValueError, match="does more than to select .* part 'more'"):
            export(more, tmp_path / "trees.onnx")

    def test_other_models(self, beats, tmp_path):
        model = ReweightedClassifier(GaussianNB()).fit(beats.frame, beats.target)
        with pytest.raises(ValueError, match="holds a GaussianNB"):
            export(model, tmp_path / "trees.onnx")
        two = np.stack([beats.target, beats.target], axis=1)
        with pytest.raises(ValueError, match="several labels"):
            export(trees().fit(beats.frame, two), tmp_path / "trees.onnx")

    @pytest.mark.parametrize("model", [trees(), ReweightedClassifier(trees())])
    def test_models_that_are_not_fitted(self, model, tmp_path):
        with pytest.raises(NotFittedError):
            export(model, tmp_path / "trees.onnx")
