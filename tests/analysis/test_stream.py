"""A stream against the file: the same beats, classes and probabilities."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from ecg_sklearn.analysis import StreamAnalyzer
from ecg_sklearn.datasets import cut_beats, make_heartbeats, make_recording
from ecg_sklearn.detection import detect_beats
from ecg_sklearn.features import CAUSAL_GROUPS
from ecg_sklearn.preprocessing import BeatScaler

GROUPS = list(CAUSAL_GROUPS)


def train(model=None, features=GROUPS, **cut):
    """Fit a model that answers fast, and looks at all columns."""
    beats = make_heartbeats(300, form="window", features=features, random_state=0)
    frame = beats.frame
    frame.attrs["cut"] = frame.attrs["cut"] | cut
    if "window" in cut or "sampling_rate" in cut:  # other samples: cut a recording
        new = make_recording(300, ectopy={"V": 0.2, "S": 0.2}, random_state=0)
        lead, rate = new.signal[:, 0], new.sampling_rate
        frame = cut_beats(lead, rate, new.sample, like=frame.attrs["cut"])
        beats.target = new.target[frame.index]
    if model is None:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
    return make_pipeline(BeatScaler(), model).fit(frame, beats.target)


@pytest.fixture(scope="module")
def model():
    return train()


def simulate(duration=40, rate=250, seed=1, **how):
    how = {"ectopy": {"V": 0.1, "S": 0.1}} | how
    return make_recording(duration, sampling_rate=rate, random_state=seed, **how)


def of_file(model, lead, rate, *, groups=False):
    """Answers for the whole lead: positions, classes, probabilities."""
    found = detect_beats(lead, rate)
    with warnings.catch_warnings():  # beats that touch a gap are left out
        warnings.simplefilter("ignore", UserWarning)
        X = cut_beats(lead, rate, found, like=model)
    told = {"groups": np.zeros(len(X))} if groups else {}
    probability = np.empty((0, len(model.classes_)))
    if len(X):
        probability = model.predict_proba(X, **told)
    return found[X.index], np.array(list("NSVFQ"))[model.classes_], probability, found


def of_stream(model, lead, rate, sizes):
    analyzer = StreamAnalyzer(model, rate)
    parts, start = [], 0
    for size in itertools.cycle(sizes):
        if start >= len(lead):
            break
        parts.append(analyzer.push(lead[start : start + size]))
        start += size
    parts.append(analyzer.finish())
    for part in parts:
        assert list(part.columns) == analyzer.columns
        assert (part.dtypes == parts[-1].dtypes).all()
    return pd.concat(parts, ignore_index=True), analyzer


def assert_same(model, lead, rate, sizes, *, groups=False):
    """Compare a stream with the file; return the table of the stream."""
    sample, names, probability, found = of_file(model, lead, rate, groups=groups)
    table, analyzer = of_stream(model, lead, rate, sizes)
    assert table["sample"].tolist() == sample.tolist()
    assert table["class"].tolist() == names[probability.argmax(axis=1)].tolist()
    columns = [f"p_{name}" for name in names]
    np.testing.assert_allclose(table[columns], probability, rtol=0, atol=1e-5)
    np.testing.assert_allclose(table["probability"], table[columns].max(axis=1))
    np.testing.assert_allclose(table["time"], sample / rate)
    assert analyzer.n_times == len(lead)
    assert analyzer.n_beats == len(found)
    assert analyzer.n_left_out == len(found) - len(sample)
    return table


@pytest.mark.parametrize("seconds", [0.1, 1.0, 10.0, 100.0])
def test_blocks_of_any_size(model, seconds):
    lead = simulate().signal[:, 0]
    assert len(assert_same(model, lead, 250, [int(seconds * 250)])) > 40


@pytest.mark.parametrize("rate", [50, 120, 128, 257.3, 360, 1000])
def test_any_rate(model, rate):
    lead = simulate(20, rate=rate).signal[:, 0]
    assert len(assert_same(model, lead, rate, [int(rate)])) > 15


def test_blocks_of_one_sample(model):
    lead = simulate(8, rate=100).signal[:, 0]
    assert len(assert_same(model, lead, 100, [1])) > 5


@pytest.mark.parametrize(
    "cut",
    [
        {"align": "peak"},
        {"window": [-0.05, 0.1]},
        {"window": [-1.5, 3.0], "sampling_rate": 50.0},
        pytest.param({"window": [0.2, 0.5], "align": "peak"}, marks=pytest.mark.slow),
        {"window": [-0.9, -0.4], "sampling_rate": 250.0},
    ],
    ids=str,
)
def test_any_cut(cut):
    lead = simulate(unreadable=[(20, 24, "gap")], seed=2).signal[:, 0]
    lead[[3000, 3001, 7000]] = np.nan
    model = train(**cut)
    for sizes in [130], [1, 700, 0, 3], [10**6]:
        assert len(assert_same(model, lead, 250, sizes)) > 20


@pytest.mark.parametrize("features", [[], ["rr"], ["rhythm"], ["morphology"]])
def test_any_features(features):
    lead = simulate().signal[:, 0]
    assert_same(train(features=features), lead, 250, [130])


GAPS = {
    "at the start": [(0, 3, "gap")],
    "at the end": [(33, 40, "gap")],
    "short": [(10.3, 10.32, "gap"), (12.0, 12.1, "gap")],
    "longer than the buffer": [(10, 25, "gap")],
    "other faults": [(5, 12, "flat"), (18, 20, "noise"), (25, 30, "lead off")],
}


@pytest.fixture(scope="module")
def aligned():
    return train(align="peak")


@pytest.mark.parametrize("place", GAPS)
@pytest.mark.parametrize("kind", ["model", "aligned"])
def test_gaps(place, kind, request):
    lead = simulate(unreadable=GAPS[place], seed=3).signal[:, 0]
    model = request.getfixturevalue(kind)
    for sizes in ([200], [1, 2000, 13]):
        assert_same(model, lead, 250, sizes)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    sizes=st.lists(st.integers(100, 2500), min_size=1, max_size=8),
    seed=st.integers(0, 1000),
    gaps=st.lists(st.tuples(st.integers(0, 2999), st.integers(1, 700)), max_size=4),
)
def test_random_blocks_and_gaps(model, sizes, seed, gaps):
    lead = simulate(12, seed=seed).signal[:, 0]
    for start, length in gaps:
        lead[start : start + length] = np.nan
    assert_same(model, lead, 250, sizes)


@pytest.mark.parametrize(
    "lead",
    [
        np.empty(0),
        np.zeros(1000),
        np.full(1000, np.nan),
        np.r_[np.nan, np.zeros(100), np.inf, np.nan],
        simulate(3, ectopy=None).signal[:200, 0],
        np.full(1000, 1e300),
    ],
    ids=["empty", "zeros", "missing", "infinite", "short", "too large"],
)
def test_streams_without_beats(model, lead):
    table, analyzer = of_stream(model, lead, 250, [100])
    assert len(table) == 0
    assert analyzer.n_times == len(lead)
    assert table["class"].tolist() == []


def test_one_beat_alone(model):
    recording = simulate(10, ectopy=None)
    second = recording.sample[1]
    lead = recording.signal[:, 0].copy()
    lead[: second - 120] = lead[second + 120 :] = 0.0
    assert len(assert_same(model, lead, 250, [10])) <= 2


def test_a_beat_waits_for_the_next_one_and_its_window(model):
    lead = simulate(30).signal[:, 0]
    known = np.append(detect_beats(lead, 250), len(lead))
    analyzer = StreamAnalyzer(model, 250)
    for start in range(0, len(lead), 125):
        for sample in analyzer.push(lead[start : start + 125])["sample"]:
            following = known[np.searchsorted(known, sample) + 1]
            # The window ends 0.6 s behind the beat; the filter needs 0.1 s more.
            latest = max(following + 250, sample + 0.72 * 250)
            assert start <= latest


def size_of(analyzer):
    return len(pickle.dumps(analyzer))


def test_the_state_does_not_grow(model):
    lead = simulate(60).signal[:, 0]
    lead[9000:9100] = np.nan
    analyzer = StreamAnalyzer(model, 250)
    sizes = []
    for _ in range(20):
        analyzer.push(lead)
        sizes.append(size_of(analyzer))
    # The history of 600 intervals is full after ten minutes.
    assert max(sizes[12:]) < 1.1 * max(sizes[:12])


def test_a_gap_that_does_not_end_takes_no_memory(model):
    analyzer = StreamAnalyzer(model, 250)
    analyzer.push(simulate(60).signal[:, 0])
    analyzer.push(np.full(250 * 60, np.nan))
    before = size_of(analyzer)
    for _ in range(30):
        assert len(analyzer.push(np.full(250 * 60, np.nan))) == 0
    assert size_of(analyzer) < 1.05 * before
    # The beat before the gap was waiting for the next one.
    assert len(analyzer.push(simulate(60).signal[:, 0])) > 50


@pytest.mark.mitbih
@pytest.mark.parametrize("record", ["106", "119", "207"])
def test_a_real_record(mitbih_home, model, record):
    from ecg_sklearn.io import read_recording

    found = read_recording(next(mitbih_home.rglob(f"{record}.hea")))
    lead = found.signal[: 300 * 360, 0]
    assert len(assert_same(model, lead, 360.0, [360, 3000, 50])) > 200


@pytest.mark.slow
def test_memory_is_flat_over_a_day(model):
    import tracemalloc

    lead = simulate(60).signal[:, 0]
    analyzer = StreamAnalyzer(model, 250)
    sizes, n_beats = [], 0
    tracemalloc.start()
    try:
        for minute in range(24 * 60):
            n_beats += len(analyzer.push(lead))
            if minute % 60 == 59:
                sizes.append((tracemalloc.get_traced_memory()[0], size_of(analyzer)))
    finally:
        tracemalloc.stop()
    assert n_beats > 90_000
    held, state = np.transpose(sizes)
    assert state[1:].max() < 1.05 * state[0]
    assert held[-1] - held[1] < 2e5
