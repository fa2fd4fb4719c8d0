"""Labels, records and probabilities of every kind at metrics, splits and plots."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn.metrics import (
    Evaluation,
    aami_jk_score,
    aami_report,
)
from ecg_sklearn.model_selection import (
    record_train_test_split,
)

from .oracle import Refused, attempt, fuzzed, fuzzed_with

FORMS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "int8": lambda y: np.array(y, dtype=np.int8),
    "uint64": lambda y: np.array(y, dtype=np.uint64),
    "float": lambda y: np.array(y, dtype=float),
    "float16": lambda y: np.array(y, dtype=np.float16),
    "object": lambda y: np.array(y, dtype=object),
    "series": lambda y: pd.Series(y, index=range(7, 7 + len(y))),
    "nullable": lambda y: pd.Series(y, dtype="Int64"),
    "categories": lambda y: pd.Series(y).astype("category"),
    "letters": lambda y: np.array(list("NSVFQ"))[y],
    "letters in a series": lambda y: pd.Series(np.array(list("NSVFQ"))[y]),
    "letters as objects": lambda y: np.array(list("NSVFQ"), dtype=object)[y],
    "column": lambda y: np.array(y)[:, None],
    "strided": lambda y: np.repeat(y, 2)[::2],
}
BROKEN = {
    "NaN": lambda y, i: [*map(float, y[:-1]), np.nan],
    "None": lambda y, i: [*y[:-1], None],
    "NA": lambda y, i: pd.Series([*y[:-1], None], dtype="Int64"),
    "inf": lambda y, i: [*map(float, y[:-1]), np.inf],
    "half": lambda y, i: [*map(float, y[:-1]), i + 0.5],
    "foreign": lambda y, i: [*y[:-1], i + 5],
    "negative": lambda y, i: [*y[:-1], -i - 1],
    "mixed": lambda y, i: [y[0], *y[1:-1], "V"],
    "mixed objects": lambda y, i: np.array([y[0], *y[1:-1], "V"], dtype=object),
    "lower case": lambda y, i: np.array(list("nsvfq"))[y],
    "bytes": lambda y, i: np.array(list("NSVFQ")).astype("S1")[y],
    "boolean": lambda y, i: np.array(y) > 1,
    "complex": lambda y, i: np.array(y) + 0j,
    "dates": lambda y, i: np.array(y, dtype="datetime64[s]"),
    "one-hot": lambda y, i: np.eye(5)[y],
    "ragged": lambda y, i: [[label] * (label + 1) for label in y],
    "number": lambda y, i: i,
    "text": lambda y, i: "NSVFQ",
    "set": lambda y, i: set(y),
    "generator": lambda y, i: (label for label in y),
    "nothing": lambda y, i: None,
    "empty": lambda y, i: [],
    "short": lambda y, i: y[:-1],
    "masked": lambda y, i: np.ma.masked_equal(y, y[0]),
    "records": lambda y, i: np.array([(v, v) for v in y], dtype="i4,i4"),
}
_LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=15)


@st.composite
def pairs(draw):
    """True and predicted classes, one of them perhaps not what it should be."""
    y_true = draw(_LABELS)
    size = len(y_true)
    y_pred = draw(st.lists(st.integers(0, 4), min_size=size, max_size=size))
    given_labels = []
    form = draw(st.sampled_from(list(FORMS)))
    broken = draw(st.sampled_from([None, None, 0, 1]))
    for side, labels in enumerate((y_true, y_pred)):
        if side == broken:
            kind = draw(st.sampled_from(list(BROKEN)))
            given_labels.append(BROKEN[kind](labels, draw(st.integers(0, 3))))
        else:
            given_labels.append(FORMS[form](labels))
    return np.array(y_true), np.array(y_pred), *given_labels, broken, form


def finite_json(report):
    """Hold that a report prints, and is plain JSON without NaN."""
    assert str(report)
    return json.loads(json.dumps(report.to_dict(), allow_nan=False))


def groups_of(kind, size):
    """Records of beats that may be none."""
    return {
        None: None,
        "records": [f"r{i % 3}" for i in range(size)],
        "one": [7] * size,
        "few": ["r0"] * (size - 1),
        "NaN": [float(i % 3) for i in range(size - 1)] + [np.nan],
        "mixed": np.array(["r0", 5] * size, dtype=object)[:size],
        "None": np.array(["r0"] * (size - 1) + [None], dtype=object),
        "columns": np.zeros((size, 2)),
    }[kind]


@fuzzed
@given(pairs(), st.sampled_from([None, "records", "few", "NaN", "mixed", "None"]))
def test_labels_at_evaluation_and_aami_report(case, kind):
    y_true, y_pred, *found_labels, broken, form = case
    size = len(y_true)
    groups = groups_of(kind, size)
    try:
        found = attempt(
            Evaluation.from_predictions, *found_labels, groups, n_resamples=9
        )
    except Refused:
        found = None
    else:
        finite_json(found)
        assert found.confusion_matrix.sum() == size
        if broken is None:
            assert found.accuracy == pytest.approx(np.mean(y_true == y_pred))
    try:
        report = attempt(aami_report, *found_labels, groups)
    except Refused:
        assert broken is not None or kind not in (None, "records") or form == "column"
        return
    finite_json(report)
    assert broken is None, "labels that are none were counted"
    assert kind in (None, "records", "mixed"), "beats of no record were counted"
    assert found.ec57.gross == pytest.approx(report.gross, nan_ok=True)
    assert report.gross["veb_tp"] == np.sum((y_true == 2) & (y_pred == 2))
    assert report.gross["sveb_fn"] == np.sum((y_true == 1) & (y_pred != 1))
    by_record = [figures["n_beats"] for figures in report.records.values()]
    assert sum(by_record) == (size if kind else 0)
    # Half of it is kappa: -1 where two classes are always taken for each other.
    assert -0.5 <= attempt(aami_jk_score, *found_labels) <= 1


GROUPS = {
    "names": lambda g, i: [f"r{n}" for n in g],
    "numbers": lambda g, i: np.array(g),
    "series": lambda g, i: pd.Series(g, dtype="string"),
    "floats": lambda g, i: np.array(g, dtype=float),
    "NaN": lambda g, i: np.r_[np.array(g[:-1], dtype=float), np.nan],
    "None": lambda g, i: [*(f"r{n}" for n in g[:-1]), None],
    "mixed": lambda g, i: np.array([*g[:-1], "r"], dtype=object),
    "columns": lambda g, i: np.zeros((len(g), 2)),
    "one column": lambda g, i: np.array(g)[:, None],
    "empty": lambda g, i: [],
    "nothing": lambda g, i: None,
    "number": lambda g, i: i,
    "text": lambda g, i: "r1",
    "short": lambda g, i: g[:-1],
    "set": lambda g, i: {*g},
    "dict": lambda g, i: dict.fromkeys(g),
    "empty names": lambda g, i: ["" for _ in g],
}


@st.composite
def records(draw):
    """Records of beats, in a form that may be no such thing."""
    numbers = draw(st.lists(st.integers(100, 109), min_size=1, max_size=25))
    kind = draw(st.sampled_from(list(GROUPS)))
    return numbers, kind, GROUPS[kind](numbers, draw(st.integers(-1, 200)))


_MISSING = ("NaN", "None", "columns", "empty", "nothing", "number", "text")


@fuzzed_with(0.5)
@given(
    records(),
    st.one_of(
        st.floats(0.01, 0.9), st.floats(), st.integers(-2, 30), st.none(), st.booleans()
    ),
    st.sampled_from([None, None, "labels", "NaN", "short", "mixed"]),
)
def test_records_at_the_split(case, test_size, stratify):
    numbers, kind, groups = case
    y = np.arange(len(numbers)) % 3
    labels = {
        None: None,
        "labels": y,
        "NaN": np.where(y > 0, y, np.nan),
        "short": y[:-1],
        "mixed": np.array([*y[:-1], "V"], dtype=object),
    }[stratify]
    try:
        train, test, *_ = attempt(
            record_train_test_split,
            np.arange(len(y)),
            groups=groups,
            test_size=test_size,
            stratify=labels,
            random_state=0,
        )
    except Refused:
        return
    assert kind not in _MISSING
    assert sorted([*train, *test]) == list(range(len(y)))
    assert len(train) > 0
    assert len(test) > 0
    numbers = np.array(numbers)
    if kind != "mixed":
        assert not set(numbers[train]) & set(numbers[test])
