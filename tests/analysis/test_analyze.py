"""From a recording to an analysis: models, leads, faults, what is said."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_sklearn import make_ecg_pipeline, make_record_ensemble
from ecg_sklearn.analysis import analyze, analyze_beats
from ecg_sklearn.analysis._analysis import EVENT_KINDS
from ecg_sklearn.datasets import make_heartbeats, make_recording
from ecg_sklearn.features import RECORD_GROUPS
from ecg_sklearn.io import Recording, read_recording
from tests.analysis.conftest import analysed, recording_of, stretches_of, value

ROWS = (
    "duration analysed analysed_share n_beats n_unsure heart_rate_mean heart_rate_min "
    "heart_rate_max rr_longest veb_count veb_burden veb_per_hour veb_singles "
    "veb_couplets veb_runs veb_longest_run veb_fastest_run veb_bigeminy veb_trigeminy "
    "sveb_count sveb_burden sveb_per_hour sveb_singles sveb_couplets sveb_runs "
    "sveb_longest_run sveb_fastest_run sveb_bigeminy sveb_trigeminy fusion_count "
    "unknown_count pauses longest_pause irregular_minutes sdnn rmssd pnn50"
).split()


def train(names="NSVFQ", letters=False, **params):
    """Fit a small model that sees the whole record to simulated beats."""
    beats = make_heartbeats(
        400, form="window", features=list(RECORD_GROUPS), random_state=0
    )
    y = np.array(beats.target_names)[beats.target]
    rows = np.flatnonzero(np.isin(y, list(names)))
    y = y[rows] if letters else beats.target[rows]
    if letters:
        params |= {"normal": "N", "sampler__premature": "S"}
    model = make_record_ensemble(n_estimators=15, random_state=0).set_params(**params)
    return model.fit(beats.frame.iloc[rows], y, groups=beats.groups[rows])


@pytest.fixture(scope="module")
def model():
    return train()


@pytest.fixture(scope="module")
def ecg():
    return make_recording(
        240,
        n_leads=2,
        events=[(30, "VV"), (50, "VVVVV"), (80, "VNVNVN"), (110, "N--N"), (180, "SSS")],
        unreadable=[(130, 150, "gap")],
        random_state=1,
    )


@pytest.fixture(scope="module")
def recording(ecg, night):
    found = read_recording(ecg.signal, sampling_rate=ecg.sampling_rate, channel="all")
    return replace(found, start_time=night, leads=("II", "V5"))


@pytest.fixture(scope="module")
def found(recording, model):
    return analyze(recording, model)


def check_tables(found):
    """What holds for every analysis."""
    assert found.summary.index.tolist() == ROWS
    columns = ["value", "unit", "low", "high", "time", "description"]
    assert found.summary.columns.tolist() == columns
    assert set(found.events["kind"]) <= set(EVENT_KINDS)
    assert found.events.columns.tolist() == (
        ["start", "end", "clock", "kind", "n_beats", "rate", "first", "last"]
    )
    assert json.loads(json.dumps(found.to_dict(beats=True), allow_nan=False))
    assert 2 <= len(found.findings) <= 13
    assert "Not assessed" in found.findings[-1]
    assert str(found).count("\n") == len(ROWS) + 2
    for row in found.summary.itertuples():
        assert not row.low > row.value
        assert not row.high < row.value


def test_an_analysis_of_a_model_is_that_of_the_truth(ecg, found):
    check_tables(found)
    sample = found.beats["sample"].to_numpy()
    nearest = np.abs(sample[:, None] - ecg.sample).argmin(axis=1)
    assert abs(sample - ecg.sample[nearest]).max() <= 5
    # Windows that reach into the gap cannot be cut.
    missing = np.delete(ecg.time, nearest)
    assert ((missing > 129.4) & (missing < 150.4)).all()
    letters = np.array(list("NSVFQ"))[ecg.target[nearest]]
    assert found.beats["class"].tolist() == letters.tolist()
    true = analyze_beats(
        ecg.signal[:, 0], ecg.sample, ecg.target, sampling_rate=ecg.sampling_rate
    )
    check_tables(true)
    counted = found.summary.index.str.match("(veb|sveb)_")
    np.testing.assert_allclose(
        found.summary["value"][counted], true.summary["value"][counted], rtol=0.02
    )
    # VV, VVVVV and VNVNVN
    assert value(found, "veb_count") == 10
    assert value(found, "veb_bigeminy") == 1
    assert value(found, "sveb_runs") == 1
    assert value(found, "pauses") == 1


def test_columns_of_the_beats(found):
    assert found.beats.columns.tolist() == [
        "sample", "time", "clock", "class", "probability",
        "p_N", "p_S", "p_V", "p_F", "p_Q", "sure", "rr", "quality", "event",
    ]  # fmt: skip
    assert found.beats["probability"].between(0.2, 1).all()
    assert found.beats["sure"].all()
    assert value(found, "n_unsure") == 0
    gap = found.beats["time"].searchsorted(140)
    assert np.isnan(found.beats["rr"].iloc[gap])
    assert found.beats["rr"].isna().sum() == 2
    assert found.beats["quality"].iloc[gap] < 0.9


def test_the_model_is_described(found, model):
    assert found.model["name"] == "SecondPassClassifier"
    assert found.model["mode"] == "offline"
    assert any("record_counts_" in limit for limit in found.model["limits"])
    assert np.isnan(value(found, "veb_burden", "low"))


@pytest.mark.slow
def test_a_causal_pipeline_without_rhythm(ecg):
    beats = make_heartbeats(100, form="window", features=["rr"], random_state=0)
    pipe = make_ecg_pipeline(
        sampling_rate=beats.sampling_rate,
        filters=(4,),
        dense_units=4,
        epochs=1,
        random_state=0,
    ).fit(beats.data, beats.target)
    found = analyze(ecg.signal[:, 0], pipe, sampling_rate=ecg.sampling_rate)
    check_tables(found)
    assert found.model["mode"] == "causal"
    rows = make_heartbeats(100, random_state=0)  # the form of Kaggle
    pipe.set_params(spectrogram__sampling_rate=rows.sampling_rate)
    pipe.fit(rows.frame, rows.target)
    found = analyze(ecg.signal[:, 0], pipe, sampling_rate=ecg.sampling_rate)
    check_tables(found)
    assert found.notes  # the last beat has no row


def test_letters_and_missing_classes(ecg):
    model = train("NSV", letters=True)
    found = analyze(ecg.signal[:, 0], model, sampling_rate=ecg.sampling_rate)
    check_tables(found)
    assert value(found, "veb_count") == 10
    assert "p_F" not in found.beats
    assert np.isnan(value(found, "fusion_count"))
    assert any("no class F, Q" in limit for limit in found.model["limits"])


def test_a_model_without_supraventricular_beats(ecg):
    model = train("NV", sampler=None)
    found = analyze(ecg.signal[:, 0], model, sampling_rate=ecg.sampling_rate)
    check_tables(found)
    assert found.summary["value"].filter(like="sveb_").isna().all()
    assert any("SVEB) were not assessed" in text for text in found.findings)


class Voter:
    """A classifier without probabilities."""

    classes_ = np.arange(3)

    def __init__(self, cut):
        self.cut_ = cut

    def get_params(self, deep=True):
        return {}

    def predict(self, X):
        return np.full(len(X), 2)


def test_a_model_without_probabilities(ecg):
    beats = make_heartbeats(30, form="window", random_state=0)
    found = analyze(ecg.signal[:, 0], Voter(beats.cut), sampling_rate=ecg.sampling_rate)
    check_tables(found)
    assert value(found, "veb_burden") == 100
    assert found.beats["probability"].isna().all()


def test_the_interval_of_a_model_that_knows_its_errors(recording, model):
    rng = np.random.default_rng(0)
    true = rng.integers(0, 200, size=(40, 5)) + [2000, 0, 0, 0, 0]
    counts = np.stack([true, true + rng.integers(0, 5, size=true.shape)], axis=2)
    model.record_counts_ = counts
    try:
        found = analyze(recording, model)
        check_tables(found)
        low, high = (value(found, "veb_burden", edge) for edge in ("low", "high"))
        assert 0 <= low < value(found, "veb_burden") < high < 20
        assert "95 % interval" in " ".join(found.findings)
        model.record_counts_ = counts[:, :3]
        with pytest.raises(ValueError, match=r"record_counts_ .* \(n_records, 5, 2\)"):
            analyze(recording, model)
    finally:
        del model.record_counts_


# Leads and recordings


def test_the_lead(recording, model):
    found = analyze(recording, model, lead="v5")
    assert found.recording.leads == ("V5",)
    np.testing.assert_array_equal(found.recording.signal[:, 0], recording.signal[:, 1])
    assert analyze(recording, model, lead=1).recording.leads == ("V5",)
    assert analyze(recording, model).recording is recording
    with pytest.raises(ValueError, match="lead='V9' is not in .* It has II, V5"):
        analyze(recording, model, lead="V9")
    with pytest.raises(ValueError, match="lead=2 is not in"):
        analyze(recording, model, lead=2)
    with pytest.raises(ValueError, match="sampling_rate=250 is for files"):
        analyze(recording, model, sampling_rate=250)


def test_a_model_must_be_one(recording, model):
    with pytest.raises(TypeError, match="neither a fitted classifier nor the name"):
        analyze(recording, {"a": 1})
    with pytest.raises(ValueError, match="is not fitted"):
        analyze(recording, make_record_ensemble())
    odd = Voter({})
    odd.classes_ = np.array(["N", "X"])
    with pytest.raises(ValueError, match="has the labels N, X"):
        analyze(recording, odd)


@pytest.mark.parametrize("reason", ["noise", "gap"])
def test_only_noise(model, reason):
    ecg = make_recording(60, unreadable=[(0, 60, reason)], random_state=0)
    if reason == "gap":
        ecg.signal[:5] = 0.0  # a recording of nothing is refused
    found = analyze(
        Recording(ecg.signal, 250.0, ("II",), None, "x", ("mV",), "array"), model
    )
    check_tables(found)
    assert value(found, "n_beats") == 0
    assert value(found, "veb_count") == 0
    assert value(found, "analysed_share") < 1
    assert np.isnan(value(found, "veb_burden"))
    assert "No beat was found" in found.findings[1]


@pytest.mark.parametrize("n_beats", [0, 1, 2])
def test_few_beats(n_beats):
    found = analysed("V" * n_beats)
    check_tables(found)
    assert value(found, "veb_count") == n_beats
    assert np.isnan(value(found, "heart_rate_mean")) == (n_beats < 2)
    assert any("no RR interval" in text for text in found.findings) == (n_beats == 1)


# Annotated beats


def test_stretches_between_annotated_beats_are_unreadable(ecg):
    noisy = make_recording(120, unreadable=[(40, 80, "noise")], random_state=1)
    sample = np.sort(np.append(noisy.sample, [50 * 250, 51 * 250]))
    target = np.zeros(len(sample), dtype=int)
    found = analyze_beats(noisy.signal, sample, target, sampling_rate=250.0)
    assert len(found.beats) == len(sample)
    assert found.unreadable["end"].iloc[0] == 50
    assert found.unreadable["start"].iloc[1] == pytest.approx(51, abs=0.01)
    assert value(found, "pauses") == 0
    assert found.beats["rr"].isna().sum() == 3


@pytest.mark.parametrize(
    ("sample", "classes", "message"),
    [
        ([1, 2], [0], r"shape \(2,\) and classes \(1,\)"),
        ([[1, 2]], [[0, 0]], "shape"),
        ([5, 3], [0, 0], "sample must ascend"),
        ([5, 5], [0, 0], "two beats in one place"),
        ([-1, 3], [0, 0], "goes from -1 to 3"),
        ([1, 9999], [0, 0], "n_times=2500"),
        ([1.0, np.nan], [0, 0], "not finite"),
        (["a", "b"], [0, 0], "type <U1"),
        ([1, 2], [0, 7], "classes holds"),
        ([1, 2], ["N", "A"], "classes holds A.*symbol_classes"),
    ],
)
def test_annotated_beats_are_checked(sample, classes, message):
    with pytest.raises(ValueError, match=message):
        analyze_beats(recording_of(10), sample, classes)


def test_stretches_are_checked():
    with pytest.raises(ValueError, match="needs start, end"):
        analyze_beats(
            recording_of(10), [1], [0], unreadable=stretches_of((1, 2, "x"))[["start"]]
        )
    with pytest.raises(ValueError, match="ascending order"):
        analyze_beats(
            recording_of(10),
            [1],
            [0],
            unreadable=stretches_of((3, 4, "gap"), (1, 2, "gap")),
        )


# What is said


def test_sentences_with_clock_times(night):
    rr = [0, 0.8, 3.2] + [0.8] * 60
    letters = "NNN" + "N" * 20 + "VVVN" + "V" + "N" * 35
    found = analysed(letters, rr=rr, first=2 * 3600.0, start_time=night)
    text = "\n".join(found.findings)
    assert "4 ventricular ectopic beats (VEB) were counted: 6.3 % of all beats." in text
    assert "VEB: 1 single, 1 run. The longest run has 3 beats at 00:00:20" in text
    assert "the longest lasts 3.2 s at 00:00:00 on 2024-03-02" in text
    assert "0 supraventricular ectopic beats (SVEB) were counted: 0 %" in text
    assert found.beats["clock"].iloc[0] == np.datetime64("2024-03-02T00:00:00")
    assert found.to_dict()["events"][0]["clock"] == "2024-03-02T00:00:00.800"


def test_sentences_without_a_clock():
    found = analysed("NNN", rr=[0, 0.8, 3.2], first=3700.0)
    assert "the longest lasts 3.2 s at 1:01:41." in "\n".join(found.findings)
    assert found.to_dict(beats=True)["beats"][0]["clock"] is None
    assert found.to_dict()["summary"]["veb_fastest_run"]["value"] is None
    assert "beats" not in found.to_dict()


def test_text_for_a_terminal(found):
    text = str(found)
    assert text.startswith("array, lead II, 0:04:00; SecondPassClassifier, offline")
    assert "veb_couplets" in text
    assert "22:01:50" in text  # of the pause
