"""Streams of the models of the package: the same answers as for the file."""

import itertools
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline

from ecg_sklearn.analysis import StreamAnalyzer
from ecg_sklearn.datasets import cut_beats, make_heartbeats
from ecg_sklearn.detection import detect_beats
from ecg_sklearn.ensemble import (
    PatientClassifier,
    PriorShiftClassifier,
    RefinedClassifier,
)
from ecg_sklearn.models import load_model
from ecg_sklearn.preprocessing import BeatScaler

from .test_stream import GROUPS, assert_same, of_stream, simulate, train


@pytest.fixture(scope="module")
def model():
    return train()


@pytest.fixture(scope="module")
def lead():
    return simulate(60, ectopy={"S": 0.3, "V": 0.1}).signal[:, 0]


SERVICE = """
import sys
from ecg_sklearn.analysis import StreamAnalyzer
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.exporting import load_graph
if sys.argv[1] == "causal":
    from ecg_sklearn.models import load_model
    graph = load_model("causal", format="onnx")
else:
    graph = load_graph(sys.argv[1])
analyzer = StreamAnalyzer(graph, 250)
assert len(analyzer.push(make_recording(10, random_state=0).signal))
print(*sys.modules)
"""


def loaded_by(graph):
    """Modules of a process that analyses a stream with a graph."""
    command = [sys.executable, "-c", SERVICE, str(graph)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


class TestModels:
    """What models answer along a record goes on from block to block."""

    def test_the_shipped_graph(self, lead):
        pytest.importorskip("onnxruntime")
        graph = load_model("causal", format="onnx")
        found, _ = of_stream(graph, lead, 250, [250])
        expected, _ = of_stream(load_model("causal"), lead, 250, [250])
        pd.testing.assert_frame_equal(found, expected, rtol=0, atol=1e-6)
        slow = {"tensorflow", "keras", "imblearn", "skops", "sklearn.ensemble"}
        assert not loaded_by("causal") & slow

    def test_the_shipped_model(self):
        model, simulated = load_model("causal"), simulate()
        lead, rate = simulated.signal[:, 0], 250
        sample = detect_beats(lead, rate)
        X = cut_beats(lead, rate, sample, like=model)
        analyzer = StreamAnalyzer(model, rate)
        found = [
            analyzer.push(lead[start : start + 777])
            for start in range(0, len(lead), 777)
        ]
        found = pd.concat([*found, analyzer.finish()], ignore_index=True)
        assert found["sample"].tolist() == sample[X.index].tolist()
        names = np.array(list("NSVF"))
        assert found["class"].tolist() == names[model.predict(X)].tolist()
        probability = found[[f"p_{name}" for name in names]]
        np.testing.assert_allclose(probability, model.predict_proba(X), atol=1e-9)

    @pytest.mark.slow
    def test_priors_follow_the_stream(self, lead):
        forest = make_pipeline(BeatScaler(), ExtraTreesClassifier(9, random_state=0))
        shifted = PriorShiftClassifier(forest, prior_strength=5.0)
        beats = make_heartbeats(300, form="window", features=GROUPS, random_state=0)
        for model in (
            shifted,
            RefinedClassifier(forest, shifted),
            RefinedClassifier(shifted, shifted),
            PatientClassifier(shifted),
        ):
            model.fit(beats.frame, beats.target)
            before = pickle.dumps(model)
            for sizes in ([100], [2500, 1]):
                assert_same(model, lead, 250, sizes, groups=True)
            assert pickle.dumps(model) == before

    @pytest.mark.slow
    def test_a_model_serves_several_streams(self, lead):
        forest = make_pipeline(BeatScaler(), ExtraTreesClassifier(9, random_state=0))
        beats = make_heartbeats(300, form="window", features=GROUPS, random_state=0)
        model = PriorShiftClassifier(forest, prior_strength=5.0)
        model.fit(beats.frame, beats.target)
        first, second = (StreamAnalyzer(model, 250) for _ in range(2))
        tables = [], []
        for start in range(0, len(lead), 500):
            tables[0].append(first.push(lead[start : start + 500]))
            tables[1].append(second.push(-lead[start : start + 500]))
        for found, one, values in zip(
            tables, (first, second), (lead, -lead), strict=True
        ):
            found.append(one.finish())
            expected, _ = of_stream(model, values, 250, [777])
            pd.testing.assert_frame_equal(
                pd.concat(found, ignore_index=True), expected, check_exact=False
            )

    @pytest.mark.slow
    def test_the_models_of_the_package(self, lead, tmp_path):
        from ecg_sklearn.exporting import export, load_graph
        from ecg_sklearn.pipeline import make_ecg_ensemble, make_ecg_pipeline

        pytest.importorskip("onnxruntime")
        pytest.importorskip("tf2onnx")
        beats = make_heartbeats(300, form="window", features=GROUPS, random_state=0)
        how = {"sampling_rate": beats.sampling_rate, "epochs": 1, "random_state": 0}
        pipe = make_ecg_pipeline(filters=(8,), **how).fit(beats.frame, beats.target)
        assert_same(pipe, lead, 250, [250])
        export(pipe, tmp_path / "model.onnx", X=beats.frame)
        graph = load_graph(tmp_path / "model.onnx")
        assert_same(graph, lead, 250, [250])
        assert not loaded_by(tmp_path / "model.onnx") & {"tensorflow", "keras"}
        ensemble = make_ecg_ensemble(filters=(8,), **how)
        ensemble.fit(beats.frame, beats.target, groups=beats.groups)
        assert_same(ensemble, lead, 250, [2500], groups=True)

    def test_a_failing_model_loses_no_beat(self, model, lead):
        expected, _ = of_stream(model, lead, 250, [250])
        analyzer = StreamAnalyzer(model, 250)
        answer, calls = analyzer._model.predict_proba, itertools.count()

        def fail_often(X):
            if next(calls) % 2 == 0:
                raise OSError("the model is gone")
            return answer(X)

        analyzer._model.predict_proba = fail_often
        tables, n_failed = [], 0
        for start in range(0, len(lead), 250):
            try:
                tables.append(analyzer.push(lead[start : start + 250]))
            except OSError:
                n_failed += 1
        for _ in range(2):
            try:
                tables.append(analyzer.finish())
                break
            except OSError:
                n_failed += 1
        assert n_failed > 10
        found = pd.concat(tables, ignore_index=True)
        pd.testing.assert_frame_equal(found, expected)

    def test_priors_do_not_count_beats_twice(self, lead):
        from ecg_sklearn.ensemble._continued import ContinuedModel

        forest = make_pipeline(BeatScaler(), ExtraTreesClassifier(9, random_state=0))
        shifted = PriorShiftClassifier(forest, prior_strength=5.0)
        beats = make_heartbeats(300, form="window", features=["rr"], random_state=0)
        model = RefinedClassifier(shifted, shifted).fit(beats.frame, beats.target)
        continued = ContinuedModel(model)
        refiner, forest = continued._model.refiner_, None
        forest, refiner.estimator_ = refiner.estimator_, None
        with pytest.raises(AttributeError):  # behind the first part
            continued.predict_proba(beats.frame)
        refiner.estimator_ = forest
        np.testing.assert_allclose(
            continued.predict_proba(beats.frame),
            model.predict_proba(beats.frame, groups=np.zeros(300)),
        )
