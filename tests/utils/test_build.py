"""Objects of model files, made here and by skops: the same."""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree._tree import Tree

from ecg_sklearn.persistence import _NAMES, _TREE
from ecg_sklearn.utils._build import UnusualError, build
from ecg_sklearn.utils._estimators import bare
from ecg_sklearn.utils._untrusted import clean

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.array(["a", "b", "c"])[np.arange(60) % 3]


def checked(model):
    return clean(skops.io.dumps(bare(model)), _NAMES, shared=True)


def by_skops(found):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in found.members().items():
            archive.writestr(name, content)
    return skops.io.loads(stream.getvalue(), trusted=[*_NAMES, _TREE])


def assert_same(found, expected):
    """Hold that two objects are equal, in type, order and layout."""
    assert type(found) is type(expected)
    if isinstance(found, Tree):
        found, expected = found.__getstate__(), expected.__getstate__()
    if isinstance(found, BaseEstimator) or type(found).__name__ == "TreePredictor":
        found, expected = vars(found), vars(expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(found, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
        assert found.flags.f_contiguous == expected.flags.f_contiguous
        assert found.flags.writeable
    else:
        assert found == expected


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), ExtraTreesClassifier(2, random_state=0)),
        HistGradientBoostingClassifier(max_iter=2, random_state=0),
        make_column_transformer(("passthrough", [2, 0]), ("drop", [1])),
        StandardScaler(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_the_same_as_skops_makes(model):
    model.fit(X, LABELS).more = {"a": np.float32(3), "b": (1, None), "c": slice(2)}
    found = checked(model)
    assert_same(build(found.schema, found.arrays), by_skops(found))


def test_what_is_left_to_skops():
    for odd in (
        RandomForestClassifier(random_state=np.random.RandomState(0)),
        StandardScaler(copy=np.random.default_rng(0)),
        StandardScaler(copy={np.int64(3): 4}),
        StandardScaler(copy=float),
    ):
        found = checked(odd)
        with pytest.raises(UnusualError):
            build(found.schema, found.arrays)
    found = checked(StandardScaler())
    with pytest.raises(UnusualError):
        build(found.schema | {"protocol": 1}, found.arrays)


def test_loading_a_model_does_not_import_skops():
    script = "import sys, ecg_sklearn; ecg_sklearn.load_model(); print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"skops", "keras", "tensorflow"} & set(answer.stdout.split())
