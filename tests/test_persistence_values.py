"""Plain values through JSON and arrays, and back: a property, for any value."""

import json
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ecg_sklearn.persistence._container import _npy, _parse_npy
from ecg_sklearn.persistence._values import Decoder, Encoder

_DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(sizes=(16, 32, 64)),
)
_ARRAYS = _DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))
)
_TEXT = st.text(max_size=8)
_INTS = st.integers(-(2**128) + 1, 2**128 - 1)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    _INTS,
    st.floats(),
    _TEXT,
    st.slices(20),
    _DTYPES,
    _ARRAYS,
    _DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, ()).map(lambda array: array[()])),
    hnp.arrays(object, st.integers(0, 3), elements=_TEXT),
    hnp.arrays("<U4", hnp.array_shapes(min_side=0), elements=st.text(max_size=4)),
    st.integers(0, 2**32 - 1).map(np.random.default_rng),
    st.integers(0, 2**32 - 1).map(np.random.RandomState),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(_TEXT, _INTS), inner, max_size=3),
    ),
    max_leaves=8,
)


def assert_same(found, value):
    assert type(found) is type(value)
    if isinstance(value, (list, tuple)):
        assert len(found) == len(value)
        for one, other in zip(found, value, strict=True):
            assert_same(one, other)
    elif isinstance(value, dict):
        assert_same(list(found), list(value))
        assert_same(list(found.values()), list(value.values()))
    elif isinstance(value, (np.ndarray, np.generic)):
        assert found.dtype == value.dtype.newbyteorder("=")
        np.testing.assert_array_equal(found, value)
    elif isinstance(value, np.random.Generator):
        np.testing.assert_array_equal(found.random(3), value.random(3))
    elif isinstance(value, np.random.RandomState):
        np.testing.assert_array_equal(found.normal(size=3), value.normal(size=3))
    elif isinstance(value, np.dtype):
        assert found == value
    elif isinstance(value, float):
        assert math.isnan(found) if math.isnan(value) else found == value
        assert math.copysign(1, found) == math.copysign(1, value) or found != found
    else:
        assert found == value


@settings(max_examples=150, deadline=None)
@given(_VALUES)
def test_a_value_comes_back(value):
    encoder = Encoder()
    text = json.dumps(encoder.encode(value, "value"), allow_nan=False)
    arrays = [_parse_npy(_npy(array), "0.npy") for array in encoder.arrays]
    decoder = Decoder(arrays)
    found = decoder.decode(json.loads(text))
    decoder.finish()
    assert_same(found, value)
