"""Model files from strangers: one ValueError, before anything is made or run."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import joblib
import numpy as np
import pytest
import skops.io
from imblearn.over_sampling import SMOTE
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ecg_sklearn import load, make_ecg_pipeline, save
from ecg_sklearn.persistence import read_metadata

X = np.random.default_rng(0).normal(size=(60, 3))
FACTS, SCHEMA = "facts.json", "schema.json"


@pytest.fixture(scope="module")
def files(beats, tmp_path_factory):
    """Files of small models, by name."""
    models = {
        "network": make_ecg_pipeline(
            sampler=None, filters=(4,), dense_units=4, epochs=1, random_state=0
        ).fit(beats.data, beats.target),
        "scaler": StandardScaler().fit(X),
        "line": LogisticRegression().fit(X, X[:, 0] > 0),
        "forest": ExtraTreesClassifier(2, random_state=0).fit(X, X[:, 0] > 0),
        "boosted": HistGradientBoostingClassifier(max_iter=2).fit(X, np.arange(60) % 3),
        "RandomState": RandomForestClassifier(random_state=np.random.RandomState(0)),
        "Generator": StandardScaler(copy=np.random.default_rng(0)),
        "sampler": SMOTE(k_neighbors=NearestNeighbors()),
        "columns": make_column_transformer(("passthrough", [0, 1])).fit(X),
    }
    folder = tmp_path_factory.mktemp("models")
    for name, model in models.items():
        save(model, folder / name, metadata={"a": 1})
    return folder


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def forge(files, name, path, edit=None, **members):
    """Copy a file with its schema edited, or with other members."""
    content = members_of(files / name)
    content.update({key.replace("_", "."): value for key, value in members.items()})
    if edit is not None:
        schema = json.loads(content[SCHEMA])
        edit(schema)
        content[SCHEMA] = json.dumps(schema).encode()
    return write_zip(path / "forged", content.items())


def refused(path, message="cannot be loaded"):
    """Hold that a file is refused, and takes no memory to speak of."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 10**8
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path} cannot be loaded. ")


def nodes(tree, kind):
    """All nodes of a class, from the outside in."""
    if isinstance(tree, dict):
        if tree.get("__class__") == kind:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from nodes(item, kind)


def node_of(value):
    """The node that skops makes of plain values."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(value))) as archive:
        return json.loads(archive.read(SCHEMA))


def node(path, loader="Function", **more):
    module, _, name = path.rpartition(".")
    return {
        "__module__": module,
        "__class__": name,
        "__loader__": f"{loader}Node",
    } | more


def put(kind, name, value):
    """Make an edit that sets or adds an attribute of the first object of a class."""

    def edit(schema):
        state = next(nodes(schema, kind))
        state = state if state["__loader__"] == "DictNode" else state["content"]
        if name not in state["content"]:
            state["key_types"]["content"].append(
                node_of({"a": 1})["key_types"]["content"][0]
            )
        is_node = isinstance(value, dict) and "__loader__" in value
        state["content"][name] = value if is_node else node_of(value)

    return edit


def npy(array, **kwargs):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **kwargs)
    return stream.getvalue()


def npy_header(text):
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


class Bomb:
    """Leaves a trace if it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


class TestOtherFiles:
    @pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
    def test_a_pickle_is_not_opened(self, dump, tmp_path):
        with (tmp_path / "model").open("wb") as file:
            dump(Bomb(tmp_path / "trace"), file)
        refused(tmp_path / "model", "It is a pickle")
        assert not (tmp_path / "trace").exists()

    @pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"hello" * 99])
    def test_what_is_no_zip(self, content, tmp_path):
        (tmp_path / "model").write_bytes(content)
        refused(tmp_path / "model", "not a model file")
        with pytest.raises(ValueError, match="not a model file"):
            read_metadata(tmp_path / "model")

    def test_archives_of_others(self, files, tmp_path):
        import keras

        code = keras.layers.Lambda(lambda x: x)
        keras.Sequential([keras.layers.Input((2,)), code]).save(tmp_path / "m.keras")
        np.savez(tmp_path / "arrays.npz", a=np.arange(3))
        skops.io.dump(StandardScaler(), tmp_path / "scaler.skops")
        for name in ("m.keras", "arrays.npz", "scaler.skops"):
            refused(tmp_path / name, "not a model file")
        old = write_zip(tmp_path / "old", [("model.json", b"{}")])
        refused(old, "old form")


class TestZip:
    @pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "C:\\evil", "0.npy/.."])
    def test_names(self, name, files, tmp_path):
        path = tmp_path / "model"
        write_zip(path, [*members_of(files / "scaler").items(), (name, b"")])
        assert type(load(path)) is StandardScaler  # nothing looks at it
        assert [p.name for p in tmp_path.iterdir()] == ["model"]

        def edit(schema):
            next(nodes(schema, "ndarray")).update(file=name)

        refused(forge(files, "scaler", tmp_path, edit))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_member_twice(self, files, tmp_path):
        members = members_of(files / "scaler")
        bad = (SCHEMA, members[SCHEMA].replace(b"StandardScaler", b"os.systemScala"))
        refused(write_zip(tmp_path / "model", [*members.items(), bad]))

    def test_compression(self, files, tmp_path):
        members = members_of(files / "scaler")
        for name in (FACTS, "0.npy"):
            some = {FACTS: members[FACTS], SCHEMA: members[SCHEMA], name: bytes(10**8)}
            write_zip(tmp_path / "model", some.items(), zipfile.ZIP_DEFLATED)
            refused(tmp_path / "model")

    def test_members_that_share_bytes(self, files, tmp_path):
        # One large member, named many times in the directory alone.
        path = tmp_path / "model"
        facts = members_of(files / "scaler")[FACTS]
        write_zip(path, [(FACTS, facts), (SCHEMA, b"{}"), ("0.npy", bytes(10**6))])
        content = path.read_bytes()
        end = content.rindex(b"PK\x05\x06")
        entry = content[content.rindex(b"PK\x01\x02") : end]
        more = b"".join(entry.replace(b"0.npy", b"%d.npy" % i) for i in range(1, 10))
        start = struct.unpack("<I", content[end + 16 : end + 20])[0]
        directory = content[start:end] + more
        tail = struct.pack(
            "<4s4H2IH", b"PK\5\6", 0, 0, 12, 12, len(directory), start, 0
        )
        path.write_bytes(content[:start] + directory + tail)
        refused(path)

    def test_a_password(self, files, tmp_path):
        content = bytearray((files / "scaler").read_bytes())
        for start in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
            content[start] |= 1
        (tmp_path / "model").write_bytes(content)
        refused(tmp_path / "model", "password|encrypt")


class TestArrays:
    def test_objects(self, files, tmp_path):
        array = np.array([Bomb(tmp_path / "trace")], dtype=object)
        content = npy(array, allow_pickle=True)
        refused(forge(files, "scaler", tmp_path, **{"0_npy": content}), "object")
        assert not (tmp_path / "trace").exists()

    @pytest.mark.parametrize(
        "dtype", ["M8[s]", "c16", "S3", ">f8", "V3", [("a", "c16")], [("a", "f8", 3)]]
    )
    def test_other_types(self, dtype, files, tmp_path):
        content = npy(np.zeros(3, dtype=dtype))
        refused(forge(files, "scaler", tmp_path, **{"0_npy": content}), "array of")

    @pytest.mark.parametrize(
        "header",
        [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10**30), }",
            f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**70}, 0), }}",
            f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 35}, }}",
            "{'descr': '<U0', 'fortran_order': False, 'shape': (9999999999,), }",
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
            "{'descr': __import__('os').getcwd(), 'fortran_order': 0, 'shape': ()}",
            "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
            "-" * 110 + "1",
            "",
        ],
    )
    def test_headers(self, header, files, tmp_path):
        refused(forge(files, "scaler", tmp_path, **{"0_npy": npy_header(header)}))

    def test_one_array_in_many_places(self, files, tmp_path):
        def edit(schema):
            array = next(nodes(schema, "ndarray"))
            many = node_of([]) | {"content": [array] * 1000}
            put("StandardScaler", "more_", many)(schema)

        refused(forge(files, "scaler", tmp_path, edit), "more than once")

    def test_sums_larger_than_their_parts(self, files, tmp_path):
        def edit(schema):
            schema["content"]["content"]["intercept_"]["file"] = "x.npy"

        content = npy(np.zeros((50_000, 1)))
        refused(
            forge(files, "line", tmp_path, edit, x_npy=content), "no row of numbers"
        )


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b"nonsense",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"__class__":' * 100_000,
            b'{"__class__": ' + b"9" * 5000 + b"}",
        ],
        ids=lambda text: text[:12],
    )
    def test_text(self, text, files, tmp_path):
        refused(forge(files, "scaler", tmp_path, schema_json=text))
        refused(forge(files, "scaler", tmp_path, facts_json=text))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"format": "ecg_sklearn model 3"}, "pip install --upgrade"),
            ({"versions": {"numpy": "\x1b[2J"}}, "versions"),
            ({"versions": {"numpy": 2}}, "It does not fit"),
            ({"metadata": []}, "metadata"),
            ({"metadata": {"long": "a" * 2**21}}, "1 MB"),
        ],
    )
    def test_facts(self, change, message, files, tmp_path):
        facts = json.loads(members_of(files / "scaler")[FACTS]) | change
        path = forge(files, "scaler", tmp_path, facts_json=json.dumps(facts).encode())
        refused(path, message)
        with pytest.raises(ValueError, match=message):
            read_metadata(path)

    def test_depth(self, files, tmp_path):
        deep: list = []
        for _ in range(150):
            deep = [deep]
        refused(
            forge(files, "scaler", tmp_path, put("StandardScaler", "a", deep)), "deep"
        )

    def test_sharing_that_multiplies(self, files, tmp_path):
        def edit(schema):
            bomb = node_of([1.0] * 10)
            for number in range(12):
                stub = {"__id__": 10**6 + number}
                bomb = node_of([]) | {"content": [bomb | stub] + [stub] * 9}
            put("StandardScaler", "mean_", bomb)(schema)

        refused(forge(files, "scaler", tmp_path, edit))


SCALER = node_of(StandardScaler())
SCALER.pop("protocol")
FIT, EMPTY = {"func": "fit", "obj": SCALER}, node_of({})


class TestTypes:
    @pytest.mark.parametrize(
        "found",
        [
            node("os.system"),
            node("numpy.add"),
            node("scipy.special._ufuncs.expit"),
            node("sklearn.preprocessing._data.StandardScaler", "Method", content=FIT),
            node("functools.partial", "Partial", content={}),
            node("operator.attrgetter", "OperatorFunc", attrs=node_of(("a",))),
            node("builtins.bytes", "Bytes", file="0.npy"),
            node("scipy.sparse.csr_matrix", "SparseMatrix", type="scipy", file="0.npy"),
            node("zoneinfo.ZoneInfo", "ConstructorFromReduce", content=node_of(("Z",))),
            node("collections.defaultdict", "DefaultDict", content={}),
            node("os.system", "Object", content=node_of({})),
            node("sklearn.preprocessing.evil.os", "Object", content=node_of({})),
            node("sklearn.preprocessing.FunctionTransformer", "Object", content=EMPTY),
            node("os.system", "Type"),
            node("os.system", "List", content=[]),
            node("sklearn.pipeline.Pipeline", "List", content=[]),
            node("builtins.str", "Json", content="1") | {"__loader__": ["JsonNode"]},
            {"__id__": 7},
            [],
            None,
        ],
    )
    @pytest.mark.parametrize("protocol", [0, 2])
    def test_anything_else(self, found, protocol, files, tmp_path):
        def edit(schema):
            put("StandardScaler", "copy", 1)(schema)
            schema["protocol"] = protocol
            schema["content"]["content"]["copy"] = found

        refused(forge(files, "scaler", tmp_path, edit))

    def test_estimators_with_code_in_c_that_trusts_them(self, tmp_path):
        content = skops.io.dumps(make_pipeline(SVC().fit(X, X[:, 0] > 0)))
        facts = {"format": "ecg_sklearn model 2", "versions": {}, "metadata": {}}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        members = {FACTS: json.dumps(facts).encode()} | members
        refused(
            write_zip(tmp_path / "model", members.items()), "sklearn.svm._classes.SVC"
        )

    @pytest.mark.parametrize(
        ("name", "edit"),
        [
            ("scaler", lambda schema: schema.pop("content")),
            ("scaler", lambda schema: schema["content"]["key_types"]["content"].pop()),
            ("scaler", put("StandardScaler", "fit", 1)),
            ("scaler", put("StandardScaler", "__class__", "x")),
            ("scaler", put("StandardScaler", "transform", node_of(str))),
            ("scaler", put("StandardScaler", "mean_", None)),
            ("scaler", put("StandardScaler", "n_features_in_", 10**12)),
            ("scaler", put("StandardScaler", "n_features_in_", -1)),
            ("scaler", put("StandardScaler", "feature_names_in_", ["a"])),
            ("sampler", put("SMOTE", "nn_k_", 1)),
            ("sampler", put("NearestNeighbors", "_fit_X", [[1.0]])),
            ("line", put("LogisticRegression", "classes_", 3)),
            ("columns", put("ColumnTransformer", "transformers", [("a", "drop", "b")])),
            ("columns", put("ColumnTransformer", "transformers_", [("a", 1, str)])),
            ("columns", put("ColumnTransformer", "_remainder", ("a", "drop", True))),
            ("columns", put("ColumnTransformer", "_remainder", None)),
            ("columns", put("FunctionTransformer", "func", node_of(str))),
            ("columns", put("FunctionTransformer", "inverse_func", node_of(str))),
            ("columns", put("FunctionTransformer", "feature_names_out", node_of(str))),
        ],
    )
    def test_attributes(self, name, edit, files, tmp_path):
        refused(forge(files, name, tmp_path, edit))

    @pytest.mark.parametrize("value", ["a", [1, 2], {"a": 1}])
    def test_no_estimator(self, value, files, tmp_path):
        schema = json.dumps(node_of(value)).encode()
        refused(forge(files, "scaler", tmp_path, schema_json=schema), "no estimator")

    @pytest.mark.parametrize(
        ("name", "key", "value"),
        [
            *(("RandomState", "pos", n) for n in (10**6, -1, True)),
            *[
                ("RandomState", "key", [1, 2]),
                ("RandomState", "bit_generator", "PCG64"),
            ],
            *(("Generator", "bit_generator", kind) for kind in ("MT19937", "seed")),
            *[("Generator", "pool_size", 10**9), ("Generator", "inc", -1)],
            ("Generator", "has_uint32", 2**40),
        ],
    )
    def test_random_states(self, name, key, value, files, tmp_path):
        # NumPy would read beyond the state, at a position that the file chooses.
        def edit(schema):
            for node in nodes(next(nodes(schema, name)), "dict"):
                if key in node["content"]:
                    node["content"][key] = node_of(value)

        refused(forge(files, name, tmp_path, edit))


class TestNetwork:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("filters", (n,)) for n in (10**9, 4.0)),
            *(("filters", value) for value in ((4096,) * 32, (4,) * 40, (), 4)),
            *(("kernel_size", n) for n in (2**16, -1)),
            *(("dense_units", n) for n in (2**16, 10**9, (10**9,), (4,) * 40, "4")),
            *(("n_classes", n) for n in (2**16, True)),
            *(("image_shape", n) for n in ((2**16,) * 3, (12, 47), (12, 47, 2))),
            *(("dropout", value) for value in (1.5, "0")),
            ("weight_decay", float("nan")),
            ("more", 1),
        ],
    )
    def test_specs(self, name, value, files, tmp_path):
        def edit(schema):
            cnn = next(nodes(schema, "SpectrogramCNNClassifier"))["content"]["content"]
            spec = cnn["model_"]["content"]["spec"]
            put("dict", name, value)(spec)

        refused(forge(files, "network", tmp_path, edit))

    @pytest.mark.parametrize(
        "edit",
        [
            put("SpectrogramCNNClassifier", "model_", "model.h5"),
            put("SpectrogramCNNClassifier", "model_", {"spec": {}, "variables": []}),
            put("SpectrogramCNNClassifier", "classes_", 3),
            put("SpectrogramCNNClassifier", "build_fn", node("os.system", "Type")),
            put("SpectrogramCNNClassifier", "build_fn", "os.system"),
            *(put("SpectrogramTransformer", "nfft", n) for n in (10**12, 1e300)),
            *(put("SpectrogramTransformer", "nperseg", n) for n in (10**9, "16", 8)),
            put("SpectrogramTransformer", "sampling_rate", 1e-300),
            put("SpectrogramTransformer", "n_features_in_", 10**12),
            put("SpectrogramTransformer", "n_times_", 3),
            put("SpectrogramTransformer", "data_min_", "low"),
        ],
    )
    def test_parts(self, edit, files, tmp_path):
        refused(forge(files, "network", tmp_path, edit))

    def test_weights_of_other_shapes(self, files, tmp_path):
        def edit(schema):
            cnn = next(nodes(schema, "SpectrogramCNNClassifier"))["content"]["content"]
            cnn["model_"]["content"]["variables"]["content"].reverse()

        refused(forge(files, "network", tmp_path, edit))


class TestTrees:
    """scikit-learn follows the numbers of a tree without looking at them."""

    @pytest.mark.parametrize(
        ("name", "field", "place", "value"),
        [
            *(("forest", "left_child", 0, n) for n in (10**6, 0, -7, -1, 2)),
            *(("forest", "right_child", 0, n) for n in (10**6, 0, 1)),
            *(("forest", "feature", 0, n) for n in (3, -2, 10**9)),
            *(("boosted", "left", 0, n) for n in (10**6, 0, 2)),
            *(("boosted", "right", 0, n) for n in (2**32 - 1, 1)),
            *(("boosted", "feature_idx", 0, n) for n in (3, -1)),
            ("boosted", "is_leaf", 0, 1),
            ("boosted", "is_leaf", -1, 0),
            ("boosted", "is_categorical", 0, 1),
        ],
    )
    def test_nodes(self, name, field, place, value, files, tmp_path):
        members = members_of(files / name)
        for file, content in members.items():
            if b"'descr': [(" in content[:128]:
                array = np.load(io.BytesIO(content))
                array[field][place] = value
                members[file] = npy(array)
                break
        refused(write_zip(tmp_path / "model", members.items()))

    @pytest.mark.parametrize("name", ["forest", "boosted"])
    def test_names_of_fields_in_another_order(self, name, files, tmp_path):
        members = members_of(files / name)
        for file, content in members.items():
            if b"'descr': [(" in content[:128]:
                nodes = np.load(io.BytesIO(content))
                names = [*nodes.dtype.names]
                names[0], names[5] = names[5], names[0]
                nodes.dtype.names = names
                members[file] = npy(nodes)
        refused(write_zip(tmp_path / "model", members.items()), "layout")

    @pytest.mark.parametrize(
        ("kind", "name", "value"),
        [
            ("Tree", "node_count", 10**6),
            ("Tree", "max_depth", 1),
            ("Tree", "values", [1.0]),
            ("ExtraTreeClassifier", "tree_", 1),
            ("ExtraTreesClassifier", "n_jobs", 10**6),
            ("ExtraTreesClassifier", "n_features_in_", 2),
            ("ExtraTreesClassifier", "n_classes_", 10**9),
            ("ExtraTreesClassifier", "n_outputs_", 2),
            ("ExtraTreesClassifier", "_validate_X_predict", node_of(str)),
            ("HistGradientBoostingClassifier", "n_features_in_", 1),
            ("HistGradientBoostingClassifier", "classes_", "abc"),
            ("HistGradientBoostingClassifier", "_raw_predict", 1),
            ("HistGradientBoostingClassifier", "n_trees_per_iteration_", 10**9),
        ],
    )
    def test_facts(self, kind, name, value, files, tmp_path):
        file = "boosted" if kind.startswith("Hist") else "forest"
        refused(forge(files, file, tmp_path, put(kind, name, value)))

    @pytest.mark.parametrize("place", [0, 2])
    def test_sizes(self, place, files, tmp_path):
        def edit(schema):
            for tree in nodes(schema, "Tree"):
                tree["__reduce__"]["args"]["content"][place] = node_of(10**6)

        refused(forge(files, "forest", tmp_path, edit))
