"""Model files that are damaged, or that somebody forged."""

import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression

from ecg_sklearn import load, make_ecg_ensemble, make_ecg_pipeline, save
from ecg_sklearn.datasets import make_heartbeats

from .oracle import Refused, attempt, fuzzed

_GROUPS = ["rr", "morphology", "rhythm"]
_BEATS = make_heartbeats(60, n_records=6, features=_GROUPS, random_state=0)


class Content(bytes):
    """Bytes that are too many to print."""

    def __repr__(self):
        return f"{len(self)} bytes"


def pipeline():
    return make_ecg_pipeline(
        filters=(4,), dense_units=4, epochs=1, random_state=0, sampler=None
    )


def trees():
    """A classifier of each kind whose numbers scikit-learn follows blindly."""
    line = LogisticRegression(max_iter=20, tol=0.1)
    voters = [("one", line), ("two", line)]
    model = make_ecg_ensemble(random_state=0).set_params(
        estimator__network=VotingClassifier(voters, voting="soft", weights=[1, 2]),
        estimator__trees__classifier__estimator__max_iter=2,
        refiner__estimator__classifier__n_estimators=2,
    )
    return model.set_params(sampler=None)


@pytest.fixture(scope="module", params=[pipeline, trees])
def model(request, tmp_path_factory):
    """The content of a model file, and what the model says of three beats."""
    pipe = request.param()
    pipe.fit(_BEATS.data, _BEATS.target)
    path = tmp_path_factory.mktemp("model") / "model.ecgsk"
    save(pipe, path)
    return Content(path.read_bytes()), pipe.predict_proba(_BEATS.data[:3])


@st.composite
def damage(draw):
    """Places, as fractions of the content, and what happens there."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flip", "cut", "insert", "drop", "swap"]),
                st.floats(0, 1, exclude_max=True),
                st.integers(1, 255),
            ),
            min_size=1,
            max_size=3,
        )
    )


def damaged(content, steps):
    """Apply :func:`damage`."""
    changed = bytearray(content)
    for what, where, byte in steps:
        place = int(where * len(changed))
        if not changed:
            break
        if what == "flip":
            changed[place] ^= byte
        elif what == "cut":
            del changed[place:]
        elif what == "insert":
            changed[place:place] = bytes([byte]) * (byte % 20 + 1)
        elif what == "drop":
            del changed[place : place + byte]
        else:
            changed[:] = changed[place:] + changed[:place]
    return bytes(changed)


def check_named(path, refusal):
    """Hold that an error says which file it is about."""
    assert str(path) in str(refusal)


@fuzzed
@given(damage())
def test_damaged_models(tmp_path_factory, model, steps):
    content, expected = model
    path = tmp_path_factory.mktemp("damaged") / "model.ecgsk"
    path.write_bytes(damaged(content, steps))
    try:
        pipe = attempt(load, path)
    except Refused as refusal:
        check_named(path, refusal)
        return
    # What no checksum covers, such as a date of the zip, changes nothing.
    np.testing.assert_array_equal(pipe.predict_proba(_BEATS.data[:3]), expected)


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-2, 300),
    st.floats(),
    st.sampled_from(
        ["", "os", "numpy", "adamw", "ObjectNode", "FunctionNode", "0.npy", "a" * 99]
    ),
    st.lists(st.integers(-1, 9), max_size=3),
    st.dictionaries(st.sampled_from(["__class__", "content", "a"]), st.integers(0, 9)),
    # What stands in a JsonNode.
    st.sampled_from(["null", "true", "-1", "3", "1e9", "NaN", '"a"', "[1]", "9" * 20]),
)


def nodes_of(tree, path=()):
    """Paths to all nodes of a JSON tree."""
    yield path
    if isinstance(tree, (dict, list)):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield from nodes_of(tree[key], (*path, key))


def forged(content, path, where, value, how):
    """Write a model whose description differs in one node."""
    source = path.with_suffix(".zip")
    source.write_bytes(content)
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["schema.json"])
    paths = [node for node in nodes_of(header) if node]
    *parents, last = paths[int(where * len(paths))]
    parent = header
    for key in parents:
        parent = parent[key]
    if how == "replace":
        parent[last] = value
    elif how == "remove":
        del parent[last]
    elif isinstance(parent, dict):
        parent[f"{last}_"] = value
    else:
        parent.insert(last, value)
    members["schema.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)


@fuzzed
@given(
    st.floats(0, 1, exclude_max=True),
    _VALUES,
    st.sampled_from(["replace", "replace", "remove", "add"]),
)
def test_forged_models(tmp_path_factory, model, where, value, how):
    path = tmp_path_factory.mktemp("forged") / "model.ecgsk"
    forged(model[0], path, where, value, how)
    try:
        pipe = attempt(load, path)
    except Refused as refusal:
        check_named(path, refusal)
        return
    try:
        found = attempt(pipe.predict_proba, _BEATS.data[:3])
    except Refused:
        return
    assert found.shape[0] == 3
