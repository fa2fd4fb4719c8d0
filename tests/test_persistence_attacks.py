"""Model files from strangers: refused with one ValueError, before anything is made."""

import contextlib
import hashlib
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
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ecg_sklearn import ShapeRhythmClassifier, load, make_ecg_pipeline, save
from ecg_sklearn.persistence import _container


@pytest.fixture(scope="module")
def network(beats, tmp_path_factory):
    """A small fitted pipeline and its file."""
    pipe = make_ecg_pipeline(
        sampler=None, filters=(4,), dense_units=4, epochs=1, random_state=0
    )
    path = tmp_path_factory.mktemp("model") / "model.ecgsk"
    save(pipe.fit(beats.data, beats.target), path)
    return pipe, path


@pytest.fixture
def scaler(tmp_path):
    """The file of a scaler."""
    path = tmp_path / "scaler.ecgsk"
    save(StandardScaler().fit(np.arange(12.0).reshape(4, 3)), path)
    return path


class Bomb:
    """Leaves a trace if it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    """A zip of (name, content) pairs."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)


def forge(path, *, edit=None, arrays=None, text=None):
    """Change a file and set its checksums right again, as an attacker would."""
    members = members_of(path)
    members.update(arrays or {})
    header = json.loads(members["model.json"])
    content = [members[name] for name in members if name != "model.json"]
    header["arrays"] = [hashlib.sha256(c).hexdigest() for c in content]
    if edit is not None:
        edit(header)
    members["model.json"] = json.dumps(header).encode() if text is None else text
    write_zip(path, members.items())


def refused(path, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def npy(array, **kwargs):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **kwargs)
    return stream.getvalue()


def npy_header(text):
    padded = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


def find(tree, kind):
    """All nodes of a type or kind, from the outside in."""
    found = []
    if isinstance(tree, dict):
        if kind in (tree.get("type"), tree.get("~")):
            found.append(tree)
        tree = list(tree.values())
    if isinstance(tree, list):
        found += [node for item in tree for node in find(item, kind)]
    return found


class TestOtherFiles:
    def test_a_pickle_is_not_opened(self, tmp_path):
        trace = tmp_path / "trace"
        (tmp_path / "plain").write_bytes(pickle.dumps(Bomb(trace)))
        joblib.dump(Bomb(trace), tmp_path / "joblib")
        for name in ("plain", "joblib"):
            refused(tmp_path / name, "not a model file of ecg_sklearn")
        assert not trace.exists()

    @pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04", b"hello" * 99])
    def test_what_is_no_zip(self, content, tmp_path):
        (tmp_path / "model").write_bytes(content)
        refused(tmp_path / "model", "cannot be loaded")

    def test_a_folder(self, tmp_path):
        refused(tmp_path, "not a file")

    def test_a_keras_model_with_code_in_it(self, tmp_path):
        import keras

        code = keras.layers.Lambda(lambda x: x)
        keras.Sequential([keras.layers.Input((2,)), code]).save(tmp_path / "m.keras")
        refused(tmp_path / "m.keras", "where it should not")

    def test_an_archive_of_arrays(self, tmp_path):
        np.savez(tmp_path / "arrays.npz", a=np.arange(3))
        refused(tmp_path / "arrays.npz", "where it should not")

    def test_a_large_file(self, scaler, monkeypatch):
        monkeypatch.setattr(_container, "MAX_FILE_BYTES", 100)
        refused(scaler, "larger than a model file may be")

    def test_a_model_too_large_to_read_is_not_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_container, "MAX_FILE_BYTES", 100)
        with pytest.raises(ValueError, match="larger than a model file may be"):
            save(StandardScaler(), tmp_path / "model.ecgsk")
        assert list(tmp_path.iterdir()) == []


class TestZip:
    @pytest.mark.parametrize(
        "name", ["../evil.npy", "/etc/evil.npy", "C:\\evil.npy", "0.npy/..", "9.npy"]
    )
    def test_names(self, name, scaler, tmp_path):
        members = list(members_of(scaler).items())
        write_zip(scaler, [*members[:-1], (name, members[-1][1])])
        refused(scaler, "where it should not")
        write_zip(scaler, [*members, (name, b"")])
        refused(scaler, "where it should not")
        assert [p.name for p in tmp_path.iterdir()] == ["scaler.ecgsk"]

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_member_twice(self, scaler):
        members = list(members_of(scaler).items())
        write_zip(scaler, [*members, members[-1]])
        refused(scaler, "where it should not")
        write_zip(scaler, [members[0], *members])
        refused(scaler, "where it should not")

    def test_another_order(self, scaler):
        write_zip(scaler, reversed(members_of(scaler).items()))
        refused(scaler, "where it should not")

    def test_compression(self, scaler):
        members = members_of(scaler) | {"0.npy": bytes(10**7)}
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
            write_zip(scaler, members.items(), method)
            refused(scaler, "compressed")

    def test_members_that_share_bytes(self, scaler):
        # One large member, named many times in the directory alone.
        members = [("model.json", b"{}"), ("0.npy", bytes(10**5))]
        write_zip(scaler, members)
        content = scaler.read_bytes()
        place = content.rindex(b"PK\x01\x02")
        end = content.rindex(b"PK\x05\x06")
        entry = content[place:end]
        more = [entry.replace(b"0.npy", b"%d.npy" % i) for i in range(1, 10)]
        start = struct.unpack("<I", content[end + 16 : end + 20])[0]
        directory = content[start:end] + b"".join(more)
        tail = struct.pack(
            "<4s4H2IH", b"PK\5\6", 0, 0, 11, 11, len(directory), start, 0
        )
        scaler.write_bytes(content[:start] + directory + tail)
        refused(scaler, "follow from its members|verlap")

    @pytest.mark.parametrize("where", ["front", "back", "comment", "extra"])
    def test_bytes_that_belong_to_nothing(self, where, scaler):
        content = scaler.read_bytes()
        if where == "front":
            scaler.write_bytes(b"#!/bin/sh\n" + content)
        elif where == "back":
            scaler.write_bytes(content + b"more")
        elif where == "comment":
            with zipfile.ZipFile(scaler, "a") as archive:
                archive.comment = b"more"
        else:
            members = members_of(scaler)
            with zipfile.ZipFile(scaler, "w") as archive:
                for name, data in members.items():
                    info = zipfile.ZipInfo(name)
                    info.extra = b"\xff\xff\x02\x00ab"
                    archive.writestr(info, data)
        refused(scaler, "cannot be loaded")

    def test_a_password(self, scaler):
        content = bytearray(scaler.read_bytes())
        for start in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
            content[start] |= 1
        scaler.write_bytes(bytes(content))
        refused(scaler, "damaged")

    def test_cut_off_anywhere(self, network, tmp_path):
        content = network[1].read_bytes()
        path = tmp_path / "model"
        for length in np.linspace(0, len(content) - 1, 200).astype(int):
            path.write_bytes(content[:length])
            refused(path, "cannot be loaded")

    def test_a_flipped_byte_anywhere(self, network, beats, tmp_path):
        pipe, good = network
        content = good.read_bytes()
        expected = pipe.predict_proba(beats.data[:5])
        rng = np.random.default_rng(0)
        n_refused = 0
        for place in rng.choice(len(content), 300, replace=False):
            damaged = bytearray(content)
            damaged[place] ^= rng.integers(1, 256)
            path = tmp_path / "model"
            path.write_bytes(damaged)
            found = None
            with contextlib.suppress(ValueError):
                found = load(path)
            if found is None:
                refused(path, "cannot be loaded")
                n_refused += 1
            else:  # a date of the zip, or the like
                probability = found.predict_proba(beats.data[:5])
                np.testing.assert_array_equal(probability, expected)
        assert n_refused > 200


class TestArrays:
    def test_a_wrong_checksum(self, scaler):
        members = members_of(scaler)
        array = bytearray(members["0.npy"])
        array[-1] ^= 1
        write_zip(scaler, (members | {"0.npy": bytes(array)}).items())
        refused(scaler, "0.npy does not have the checksum")

    def test_objects(self, scaler, tmp_path):
        trace = tmp_path / "trace"
        array = np.array([Bomb(trace)], dtype=object)
        forge(scaler, arrays={"0.npy": npy(array, allow_pickle=True)})
        refused(scaler, "has dtype dtype..O")
        assert not trace.exists()

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros(3, dtype="M8[s]"),
            np.zeros(3, dtype=[("a", "f8")]),
            np.zeros(3, dtype=complex),
            np.zeros(3, dtype="S3"),
            np.zeros(3, dtype=">f8"),
            np.zeros(3, dtype="V3"),
        ],
        ids=lambda array: str(array.dtype),
    )
    def test_other_types(self, array, scaler):
        forge(scaler, arrays={"0.npy": npy(array)})
        refused(scaler, "which is not stored")

    @pytest.mark.parametrize(
        "header",
        [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 10**30), }",
            f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**70}, 0), }}",
            f"{{'descr': '<f8', 'fortran_order': False, 'shape': {(1,) * 35}, }}",
            "{'descr': '<U0', 'fortran_order': False, 'shape': (9999999999,), }",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (True,), }",
            "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
            "{'descr': __import__('os').getcwd(), 'fortran_order': 0, 'shape': ()}",
            "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
            "-" * 110 + "1",
            "",
        ],
    )
    def test_headers(self, header, scaler):
        forge(scaler, arrays={"0.npy": npy_header(header)})
        tracemalloc.start()
        try:
            refused(scaler, "cannot be loaded")
            assert tracemalloc.get_traced_memory()[1] < 10**7
        finally:
            tracemalloc.stop()

    def test_a_long_header(self, scaler):
        text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
        forge(scaler, arrays={"0.npy": npy_header(text + " " * 5000) + bytes(24)})
        refused(scaler, "0.npy|damaged|header")

    def test_values_that_there_are_not(self, scaler):
        for dtype, content in (("|b1", b"\2"), ("<U1", b"\0\0\x11\0")):
            text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (1,), }}"
            forge(scaler, arrays={"0.npy": npy_header(text) + content})
            refused(scaler, "neither true nor false|a character that there is not")

    def test_another_version_of_the_format(self, scaler):
        forge(scaler, arrays={"0.npy": npy(np.zeros(3), version=(3, 0))})
        refused(scaler, "0.npy has version")


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b"nonsense",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"format":' * 100_000,
            b'{"format": "ecg_sklearn model", "format": "ecg_sklearn model"}',
            b'{"format": NaN}',
            b'{"format": 1e999}',
            b'{"format": ' + b"9" * 5000 + b"}",
        ],
        ids=lambda text: text[:12],
    )
    def test_text(self, text, scaler):
        forge(scaler, text=text)
        refused(scaler, "cannot be loaded")

    def test_length(self, scaler, monkeypatch):
        monkeypatch.setattr(_container, "MAX_JSON_BYTES", 100)
        refused(scaler, "larger than it may be")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"format_version": 2}, "Upgrade: pip install"),
            ({"format_version": "1"}, "format version is '1'"),
            ({"format_version": 0}, "format version is 0"),
            ({"format": "pickle"}, "does not say"),
            ({"more": 1}, "has the fields"),
            ({"versions": {"numpy": 2}}, "versions are not text"),
            ({"versions": {"numpy": "\x1b[2J"}}, "versions are not text"),
            ({"arrays": []}, "not as many checksums"),
            ({"arrays": "none"}, "not as many checksums"),
            ({"object": 3}, "holds no estimator"),
            ({"object": {"~": "tuple", "items": []}}, "holds no estimator"),
        ],
    )
    def test_fields(self, change, message, scaler):
        def edit(header):
            header.update(change)
            if "object" in change:
                del header["arrays"][:]

        if "object" in change:
            write_zip(scaler, [("model.json", members_of(scaler)["model.json"])])
        forge(scaler, edit=edit)
        refused(scaler, message)


def hide(name, value):
    return lambda node: node["fitted"].update({name: value})


class TestTree:
    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda node: node.update(type="os.system"), "which no model file may"),
            (lambda node: node.update(type="sklearn.os"), "which no model file may"),
            (lambda node: node.update(type=["os"]), "which no model file may"),
            (lambda node: node.update({"~": "reduce"}), "unknown kind 'reduce'"),
            (lambda node: node.update({"~": ["x"]}), "unknown kind"),
            (lambda node: node.pop("network"), "with the fields"),
            (lambda node: node.update(network={}), "has no network"),
            (lambda node: node.update(params=[]), "named values should"),
            (lambda node: node["params"].update(eval="1"), "no parameter 'eval'"),
            (hide("__class__", "x"), "no attribute '__class__'"),
            (hide("__dict__", "x"), "no attribute '__dict__'"),
            (hide("fit", "x"), "no attribute 'fit'"),
            (hide("_metadata_request", "x"), "no attribute '_metadata_request'"),
            (hide("a.b_", "x"), "no attribute 'a.b_'"),
            (hide("n_features_in_", -1), "n_features_in_=-1"),
            (hide("n_features_in_", "3"), "n_features_in_='3'"),
            (hide("feature_names_in_", "abc"), "one name for each feature"),
            (hide("_sklearn_output_config", {"~": "dict", "items": []}), "an output"),
            (hide("more_", {"~": "array", "place": 0}), "used twice"),
            (hide("more_", {"~": "array", "place": -1}), "There is no array -1"),
            (hide("more_", {"~": "array", "place": 99}), "There is no array 99"),
            (hide("var_", None), "Nothing uses the arrays"),
            (hide("mean_", None), "Its StandardScaler does not work"),
            (hide("more_", {"~": "network"}), "unknown kind 'network'"),
            (hide("more_", {"~": "dtype", "value": "|O"}), "can be stored"),
            (hide("more_", {"~": "dtype", "value": "a,b,(("}), "is not a dtype"),
            (hide("more_", {"~": "float", "value": "1e5"}), "is not a float"),
            (hide("more_", {"~": "slice", "items": ["a", 0, 0]}), "whole numbers"),
            (hide("more_", {"~": "strings", "items": [1]}), "holds something else"),
            (hide("more_", {"~": "tuple", "items": "ab"}), "where a list should"),
            (hide("more_", {"~": "dict", "items": [[1]]}), "is not a pair"),
            (hide("more_", {"~": "dict", "items": [[[], 1]]}), "has the key"),
            (hide("more_", {"~": "dict", "items": [[1, 1], [1, 2]]}), "has it twice"),
            (
                hide("more_", {"~": "scalar", "dtype": "|i1", "value": 300}),
                "does not fit together",
            ),
            (
                hide("more_", {"~": "scalar", "dtype": "<f8", "value": "x"}),
                "not a scalar",
            ),
            (hide("more_", 2**130), "int that is too large"),
        ],
    )
    def test_nodes(self, edit, message, scaler):
        forge(scaler, edit=lambda header: edit(header["object"]))
        refused(scaler, message)

    def test_depth(self, scaler):
        deep: list = []
        for _ in range(40):
            deep = [deep]
        forge(scaler, edit=lambda header: hide("more_", deep)(header["object"]))
        refused(scaler, "nested deeper than 32")

    @pytest.mark.parametrize("steps", [None, "abc", [1], [{"~": "tuple", "items": []}]])
    def test_steps(self, steps, network, tmp_path):
        path = tmp_path / "model"
        save(make_ecg_pipeline(), path)

        def edit(header):
            header["object"]["params"]["steps"] = steps

        forge(path, edit=edit)
        refused(path, "pairs of a name and an estimator")

    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("PCG64", {"has_uint32": 7}, "random generator"),
            ("PCG64", {"uinteger": 2**40}, "random generator"),
            ("PCG64", {"bit_generator": "SFC64"}, "random generator"),
            ("MT19937", {"pos": 10**6}, "random generator"),
            ("MT19937", {"pos": -1}, "random generator"),
            ("MT19937", {"has_gauss": 2}, "random generator"),
        ],
    )
    def test_random_states(self, name, change, message, tmp_path):
        # NumPy would read beyond the state, at a position that the file chooses.
        rng = np.random.default_rng(0) if name == "PCG64" else np.random.RandomState(0)
        path = tmp_path / "model"
        save(StandardScaler(copy=rng), path)

        def edit(header):
            for node in find(header["object"], "dict"):
                for pair in node["items"]:
                    pair[1] = change.get(pair[0], pair[1])

        forge(path, edit=edit)
        refused(path, message)


class TestScalers:
    def test_parts_that_it_needs(self, tmp_path):
        path = tmp_path / "model"
        save(StandardScaler(with_std=False).fit([[1.0], [2.0]]), path)
        forge(path, edit=lambda header: header["object"]["params"].pop("with_std"))
        refused(path, r"Its StandardScaler does not work \(.*\). Save the model again")


class TestNetwork:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"filters": [10**9]}, "has filters="),
            ({"filters": [4096] * 32}, "weights, and it has"),
            ({"filters": [4] * 33}, "has filters="),
            ({"filters": []}, "no blocks"),
            ({"filters": [4.0]}, "has filters="),
            ({"kernel_size": 255}, "weights, and it has"),
            ({"kernel_size": -1}, "has kernel_size=-1"),
            ({"dense_units": 2**16}, "weights, and it has"),
            ({"dense_units": 10**9}, "has dense_units="),
            ({"n_classes": 2**16}, "agree on classes_"),
            ({"n_classes": True}, "has n_classes=True"),
            ({"image_shape": [2**16, 2**16, 2**16]}, "agree on _input_shape"),
            ({"image_shape": [12, 47]}, "no image to see"),
            ({"image_shape": [12, 47, 2]}, "agree on _input_shape"),
            ({"pooling": "os.system"}, "has pooling='os.system'"),
            ({"optimizer": "__class__"}, "has optimizer="),
            ({"residual": [2]}, "more residual blocks"),
            ({"residual": [1]}, "weights, and it has"),
            ({"dropout": 1.0}, "has dropout=1.0"),
            ({"dropout": "0"}, "has dropout='0'"),
            ({"context_row": 1}, "has context_row=1"),
            ({"weight_decay": {"~": "float", "value": "nan"}}, "has weight_decay=nan"),
            ({"logit_offsets": [0.0]}, "offsets of other classes"),
            ({"more": 1}, "the fields of one"),
        ],
    )
    def test_specs(self, change, message, network, tmp_path):
        def edit(header):
            node = find(header["object"], "ecg_sklearn.SpectrogramCNNClassifier")[0]
            spec = node["network"]["spec"]["items"]
            for name, value in change.items():
                if isinstance(value, list):
                    value = {"~": "tuple", "items": value}
                spec[:] = [pair for pair in spec if pair[0] != name]
                spec.append([name, value])

        path = tmp_path / "model"
        path.write_bytes(network[1].read_bytes())
        forge(path, edit=edit)
        tracemalloc.start()
        try:
            refused(path, message)
            assert tracemalloc.get_traced_memory()[1] < 10**7
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda node: node.update(network="model.h5"), "the parts of one"),
            (lambda node: node["network"].update(variables={}), "a list should"),
            (lambda node: node["network"].update(variables=["a"]), "are not arrays"),
            (lambda node: node["network"]["variables"].reverse(), "the shapes that"),
            (lambda node: node["fitted"].pop("classes_"), "agree on classes_"),
            (hide("_shuffler", None), "agree on _shuffler"),
            (hide("_optimizer_state", [1]), "agree on _optimizer_state"),
            (hide("history_", {"~": "dict", "items": [["loss", 3]]}), "on history_"),
            (hide("n_epochs_", -1), "agree on n_epochs_"),
            (hide("model_", "x"), "no attribute 'model_'"),
            (hide("_spec", "x"), "no attribute '_spec'"),
        ],
    )
    def test_parts(self, edit, message, network, tmp_path):
        def change(header):
            edit(find(header["object"], "ecg_sklearn.SpectrogramCNNClassifier")[0])

        path = tmp_path / "model"
        path.write_bytes(network[1].read_bytes())
        forge(path, edit=change)
        refused(path, message)

    def test_the_fields_are_those_of_the_network(self):
        from ecg_sklearn.neural_network._network import NetworkSpec
        from ecg_sklearn.persistence._networks import _FIELDS

        assert tuple(_FIELDS) == NetworkSpec._fields

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"pooling": "max", "filters": (3, 5, 4, 2), "residual": (1, 4)},
            {"residual": (1, 2), "kernel_size": 5, "dense_units": 0},
            {"context_row": True, "image_shape": (2, 9, 3)},
            {"image_shape": (1, 31, 2), "filters": (2, 2, 2), "residual": (2, 3)},
        ],
    )
    def test_weights_are_counted_as_keras_makes_them(self, network, change):
        from ecg_sklearn.neural_network._network import build_network
        from ecg_sklearn.persistence._networks import _count_weights

        spec = network[0]["cnn"]._spec._replace(**change)
        kernels = [v for v in build_network(spec).variables if v.name == "kernel"]
        n_weights = sum(int(np.prod(v.shape)) for v in kernels)
        assert _count_weights(spec._asdict()) == n_weights


class TestSpectrogram:
    @pytest.mark.parametrize(
        ("group", "change", "message"),
        [
            ("params", {"nfft": 10**12}, "nfft=1000000000000"),
            ("params", {"nfft": 1e300}, "nfft=1e"),
            ("params", {"nperseg": 10**9}, "nperseg=1000000000"),
            ("params", {"nperseg": "16"}, "'nperseg' parameter"),
            ("params", {"nperseg": 8}, "Its spectrogram has"),
            ("params", {"sampling_rate": 360.0}, "Its spectrogram has"),
            ("params", {"sampling_rate": 1e-300}, "A beat that is 1 throughout"),
            ("params", {"n_context": 187}, "leaves no sample"),
            ("params", {"normalize": "frequency"}, "has data_min_="),
            ("fitted", {"n_features_in_": 10**12}, "Its beats have 1000000000000"),
            ("fitted", {"n_features_in_": None}, "not know n_features_in_"),
            ("fitted", {"n_times_": 3}, "agree on n_times_"),
            ("fitted", {"data_min_": "low"}, "has data_min_='low'"),
            ("fitted", {"times_": None}, "has times_=None"),
        ],
    )
    def test_plans(self, group, change, message, network, tmp_path):
        def edit(header):
            node = find(header["object"], "ecg_sklearn.SpectrogramTransformer")[0]
            node[group].update(change)
            node[group] = {k: v for k, v in node[group].items() if v is not None}

        path = tmp_path / "model"
        path.write_bytes(network[1].read_bytes())
        forge(path, edit=edit)
        tracemalloc.start()
        try:
            refused(path, message)
            assert tracemalloc.get_traced_memory()[1] < 10**8
        finally:
            tracemalloc.stop()


class TestShapeAndRhythm:
    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (hide("rhythm_shares_", None), "agree on rhythm_shares_"),
            (hide("pair_", None), "agree on pair_"),
            (hide("pair_", 1), "agree on pair_"),
            (hide("rhythm_shares_", [0.5, 0.5]), "agree on rhythm_shares_"),
            (hide("n_features_in_", 9), "agree on estimator_"),
            (lambda node: node["params"].update(n_rhythm=2), "agree on estimator_"),
            (lambda node: node["params"].update(prior_strength=0.0), "prior_strength"),
            (hide("rhythm_estimator_", 3), "agree on rhythm_estimator_"),
            (hide("classes_", 3), "agree on classes_"),
            (hide("context_estimator_", 3), "agree on context_estimator_"),
            (
                lambda node: node["fitted"].pop("context_estimator_"),
                "agree on context_estimator_",
            ),
            (
                lambda node: node["params"].update(n_context=1),
                "agree on context_estimator_",
            ),
        ],
    )
    def test_parts(self, edit, message, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(60, 4)), rng.integers(2, size=60)
        linear = LogisticRegression()
        model = ShapeRhythmClassifier(
            linear,
            context_estimator=HistGradientBoostingClassifier(max_iter=2),
            rhythm_estimator=linear,
            n_rhythm=1,
            n_context=2,
        )
        path = tmp_path / "model"
        save(model.fit(X, y), path)
        load(path)
        forge(path, edit=lambda header: edit(header["object"]))
        refused(path, message)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("rhythm_shares_", [0.5, 0.6]),
            ("rhythm_shares_", [1.0, 0.0]),
            ("rhythm_shares_", [np.nan, 0.5]),
            ("rhythm_shares_", [1.0]),
            ("rhythm_shares_", [0.2, 0.3, 0.5]),
            ("pair_", [0.0, 1.0]),
            ("pair_", [False, True]),
            ("pair_", [0, 0]),
            ("pair_", [0, 9]),
            ("pair_", [0, -1]),
        ],
    )
    def test_arrays(self, name, value, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(60, 4)), rng.integers(2, size=60)
        linear = LogisticRegression()
        model = ShapeRhythmClassifier(linear, rhythm_estimator=linear, n_rhythm=1)
        setattr(model.fit(X, y), name, np.array(value))
        path = tmp_path / "model"
        save(model, path)
        refused(path, f"agree on {name}")


class TestForgedVotes:
    """Every change to the parts of a vote that would break predict."""

    @pytest.fixture
    def vote(self, tmp_path):
        rng = np.random.default_rng(0)
        parts = [(name, LogisticRegression()) for name in ("one", "other")]
        vote = VotingClassifier(parts, voting="soft", weights=[1.0, 2.0])
        path = tmp_path / "vote.ecgsk"
        save(vote.fit(rng.normal(size=(40, 2)), np.arange(40) % 2 + 5), path)
        assert load(path).predict(np.zeros((1, 2))) in (5, 6)
        return path

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda n: n["fitted"]["estimators_"].pop(), "do not fit together"),
            (lambda n: n["fitted"].pop("estimators_"), "do not fit together"),
            (lambda n: n["fitted"].pop("classes_"), "do not fit together"),
            (lambda n: n["fitted"].update(classes_=[5, 6]), "do not fit together"),
            (lambda n: n["fitted"].update(estimators_=[1, 2]), "do not fit together"),
            (lambda n: n["fitted"].update(estimators_=None), "do not fit together"),
            (lambda n: n["fitted"].update(le_=None), "no attribute 'le_'"),
            (lambda n: n["params"]["estimators"].pop(), "do not fit together"),
            (lambda n: n["params"].update(estimators=None), "pairs of a name"),
            (lambda n: n["params"].update(estimators=[["a", 1]]), "pairs of a name"),
            (lambda n: n["params"].update(weights=[1.0]), "do not fit together"),
            (lambda n: n["params"].update(weights=["a", "b"]), "do not fit together"),
            (lambda n: n["params"].update(weights=[1, -1]), "do not fit together"),
            (lambda n: n["params"].update(weights="a"), "weights"),
            (lambda n: n["params"].update(voting="loud"), "voting"),
            (
                lambda n: n["fitted"]["estimators_"][0]["fitted"].update(
                    n_features_in_=3
                ),
                "does not work",
            ),
        ],
    )
    def test_parts(self, vote, edit, message):
        forge(vote, edit=lambda header: edit(header["object"]))
        refused(vote, message)

    @pytest.mark.parametrize(
        "classes", [[0, 1], [0, 1, 2, 3], [[0, 1, 2]], [2, 1, 0], [0, 0, 1]]
    )
    def test_classes(self, classes, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(40, 2)), np.arange(40) % 4 % 3
        vote = VotingClassifier([("one", LogisticRegression())]).fit(X, y)
        vote.classes_ = np.array(classes)
        save(vote, tmp_path / "vote.ecgsk")
        refused(tmp_path / "vote.ecgsk", "do not fit together")


def change_trees(path, column, edit):
    """Change one array of the trees in a file."""
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("model.json"))
        member = f"{header['object']['trees'][column]['place']}.npy"
        array = np.load(io.BytesIO(archive.read(member)))
    content = io.BytesIO()
    np.save(content, edit(array))
    forge(path, arrays={member: content.getvalue()})


def put(place, value):
    """Make an edit that sets one number."""

    def edit(array):
        array[place] = value
        return array

    return edit


class TestForests:
    """scikit-learn follows the numbers of a tree without looking at them."""

    @pytest.fixture
    def forest(self, tmp_path):
        X = np.random.default_rng(0).normal(size=(60, 3))
        path = tmp_path / "forest.ecgsk"
        save(ExtraTreesClassifier(2, random_state=0).fit(X, X[:, 0] > 0), path)
        return path

    @pytest.mark.parametrize(
        ("column", "place", "value", "message"),
        [
            ("left_child", 0, 10**6, "leads out of its tree"),
            ("left_child", 0, 0, "leads out of its tree"),
            ("left_child", 0, -7, "leads out of its tree"),
            ("left_child", 0, -1, "a node with one child"),
            ("right_child", 0, 1, "not reached once"),
            ("threshold", 0, -np.inf, "values that no tree has"),
            ("right_child", 0, -1, "leads out of its tree"),
            ("feature", 0, 3, "leads out of its tree"),
            ("feature", 0, -2, "leads out of its tree"),
            ("threshold", 0, np.nan, "values that no tree has"),
            ("value", 0, -1.0, "values that no tree has"),
            ("value", 0, np.inf, "values that no tree has"),
            ("n_nodes", 0, 0, "do not fit together"),
            ("n_nodes", 0, 2**62, "do not fit together"),
            ("n_nodes", 0, 1, "do not fit together"),
        ],
    )
    def test_numbers(self, forest, column, place, value, message):
        change_trees(forest, column, put(place, value))
        refused(forest, message)

    @pytest.mark.parametrize(
        ("column", "edit"),
        [
            ("feature", lambda array: array[:-1]),
            ("feature", lambda array: array.astype(float)),
            ("value", lambda array: array[:, :1]),
            ("n_nodes", lambda array: array[:1]),
            ("n_nodes", lambda array: array[::-1] + [1, -1]),
        ],
    )
    def test_shapes(self, forest, column, edit):
        change_trees(forest, column, edit)
        refused(forest, "do not fit together|leads out|not reached")

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda node: node["trees"].pop("value"), "the parts of one"),
            (lambda node: node.update(trees="model"), "the parts of one"),
            (lambda node: node.update(trees=None), "has its trees"),
            (lambda node: node["fitted"].update(n_features_in_=10**9), None),
            (lambda node: node["fitted"].update(n_outputs_=2), "n_outputs_=2"),
            (lambda node: node["fitted"].update(n_classes_=3), "n_classes_=3"),
            (lambda node: node["fitted"].pop("classes_"), "has no trees"),
            (lambda node: node["params"].update(n_estimators=3), "fit together"),
            (lambda node: node["params"].update(n_estimators="3"), "n_estimators"),
            (lambda node: node["params"].update(verbose=None), "'verbose' parameter"),
        ],
    )
    def test_facts(self, forest, edit, message):
        forge(forest, edit=lambda header: edit(header["object"]))
        if message is None:  # more columns than the trees ask for do no harm
            assert load(forest).n_features_in_ == 10**9
        else:
            refused(forest, message)

    def test_a_node_with_two_parents(self, tmp_path):
        path = tmp_path / "stump.ecgsk"
        X = np.arange(20.0)[:, None]
        stump = ExtraTreesClassifier(1, max_depth=1, random_state=0)
        save(stump.fit(X, X[:, 0] > 9), path)
        change_trees(path, "right_child", put(0, 1))  # node 2 is left alone
        refused(path, "not reached once")

    def test_trees_of_another_type(self, scaler):
        forge(scaler, edit=lambda header: header["object"].update(trees={}))
        refused(scaler, "has no trees")


class TestBoostedTrees:
    """The same, for boosted trees of three classes and two columns."""

    @pytest.fixture
    def boosted(self, tmp_path):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(90, 2)), rng.integers(3, size=90)
        path = tmp_path / "boosted.ecgsk"
        save(HistGradientBoostingClassifier(max_iter=2).fit(X, y), path)
        return path

    @pytest.mark.parametrize(
        ("column", "place", "value", "message"),
        [
            ("left", 0, 10**6, "leads out of its tree"),
            ("left", 0, 0, "leads out of its tree"),
            ("right", 0, -1, "leads out of its tree"),
            ("right", 0, 1, "not reached once"),
            ("feature_idx", 0, 2, "leads out of its tree"),
            ("feature_idx", 0, -1, "leads out of its tree"),
            ("is_leaf", 0, 1, "not reached once"),
            ("is_leaf", 0, 2, "may be a leaf"),
            ("is_leaf", -1, 0, "leads out of its tree"),
            ("value", 0, np.nan, "values that no tree has"),
            ("num_threshold", 0, np.nan, "values that no tree has"),
            ("count", 0, -1, "values that no tree has"),
            ("depth", 0, 2**40, "values that no tree has"),
            ("n_nodes", 0, 0, "do not fit together"),
            ("n_nodes", 0, 2**62, "do not fit together"),
        ],
    )
    def test_numbers(self, boosted, column, place, value, message):
        change_trees(boosted, column, put(place, value))
        refused(boosted, message)

    @pytest.mark.parametrize(
        ("column", "edit"),
        [
            ("gain", lambda array: array[:-1]),
            ("left", lambda array: array.astype(float)),
            ("n_nodes", lambda array: array[:5]),
            ("n_nodes", lambda array: array[:0]),
            ("n_nodes", lambda array: array[:, None]),
        ],
    )
    def test_shapes(self, boosted, column, edit):
        change_trees(boosted, column, edit)
        refused(boosted, "boosted trees do not fit together")

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (lambda node: node["trees"].pop("value"), "the parts of such"),
            (lambda node: node.update(trees=[1]), "the parts of such"),
            (lambda node: node.update(trees=None), "has its trees"),
            (hide("n_features_in_", None), "n_features_in_=None"),
            (hide("n_features_in_", 1), "leads out of its tree"),
            (hide("n_features_in_", 10**9), "n_features_in_=1000000000"),
            (hide("_fitted_with_sw", 1), "_fitted_with_sw=1"),
            (hide("_raw_predict", 1), "no attribute '_raw_predict'"),
            (hide("n_trees_per_iteration_", 2), "n_trees_per_iteration_=2"),
            (hide("classes_", "abc"), "classes_='abc'"),
            (hide("is_categorical_", [True, True]), "is_categorical_="),
            (hide("_baseline_prediction", 0.0), "_baseline_prediction=0.0"),
            (lambda node: node["params"].update(warm_start=True), "warm_start=True"),
        ],
    )
    def test_facts(self, boosted, edit, message):
        forge(boosted, edit=lambda header: edit(header["object"]))
        refused(boosted, message)
