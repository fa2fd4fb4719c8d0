"""The Kaggle CSV form: what is read, and which fault is named."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from ecg_sklearn.datasets import load_heartbeat_csv


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.column_stack([rng.random((6, 187)), [0, 1, 2, 3, 4, 0]])


def write(path, rows):
    np.savetxt(path, rows, delimiter=",", fmt="%.18e")
    return path


def test_round_trip(tmp_path, rows):
    beats = load_heartbeat_csv(write(tmp_path / "beats.csv", rows))
    np.testing.assert_array_equal(beats.data, rows[:, :187].astype(np.float32))
    np.testing.assert_array_equal(beats.target, [0, 1, 2, 3, 4, 0])
    assert beats.data.dtype == np.float32
    assert beats.target_names == ["N", "S", "V", "F", "Q"]
    assert beats.sampling_rate == 120.0
    assert beats.cut["form"] == "kaggle"
    assert list(beats.frame) == beats.feature_names
    assert beats.groups is beats.symbols is beats.rr is beats.time is None
    assert beats.rhythms is None


def zipped(*names):
    """Pack text as files of a zip archive; other names are of no tables."""

    def pack(path, content):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                is_table = name.endswith(".csv") and not name.startswith("_")
                archive.writestr(name, content if is_table else b"\0\1")

    return pack


PACKED = {
    "beats.csv": lambda path, content: path.write_bytes(content),
    "BEATS.CSV": lambda path, content: path.write_bytes(content),
    "beats.csv.gz": lambda path, content: path.write_bytes(gzip.compress(content)),
    "BEATS.CSV.GZ": lambda path, content: path.write_bytes(gzip.compress(content)),
    "beats.csv.bz2": lambda path, content: path.write_bytes(bz2.compress(content)),
    "beats.csv.xz": lambda path, content: path.write_bytes(lzma.compress(content)),
    "beats.zip": zipped("beats.csv"),
    "folder.zip": zipped("beats/", "beats/beats.csv", "beats/.DS_Store", "README"),
    "mac.zip": zipped("beats.csv", "__MACOSX/", "__MACOSX/._beats.csv"),
}


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_compressed_files_give_the_same(tmp_path, rows, name, mark):
    lines = write(tmp_path / "plain", rows).read_bytes()
    PACKED[name](tmp_path / name, mark + lines)
    beats = load_heartbeat_csv(tmp_path / name)
    np.testing.assert_array_equal(beats.data, rows[:, :187].astype(np.float32))
    PACKED[name](tmp_path / name, mark + lines + b"0.5,what\n")
    with pytest.raises(ValueError, match="row 7: it has 2 columns"):
        load_heartbeat_csv(tmp_path / name)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["mitbih_train.csv", "mitbih_test.csv"], "2 files: mitbih_train.csv, mitbih_"),
        (["folder/"], "holds no file"),
        ([], "holds no file"),
    ],
)
def test_an_archive_holds_one_table(tmp_path, rows, names, message):
    zipped(*names)(tmp_path / "beats.zip", b"0.5")
    with pytest.raises(ValueError, match=message):
        load_heartbeat_csv(tmp_path / "beats.zip")


def test_return_X_y_and_unlabelled_rows(tmp_path, rows):
    X, y = load_heartbeat_csv(write(tmp_path / "a.csv", rows), return_X_y=True)
    assert X.shape == (6, 187)
    assert y.shape == (6,)
    path = write(tmp_path / "b.csv", rows[:, :187])
    beats = load_heartbeat_csv(path, labelled=False)
    np.testing.assert_array_equal(beats.data, X)
    assert beats.target is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda cells: cells[3].pop(), r"row 4: it has 187 columns, not 188"),
        (lambda cells: cells[3].append("1"), r"row 4: it has 189 columns, not 188"),
        (lambda cells: cells[2].__setitem__(9, "abc"), r"row 3: column 10 holds 'abc'"),
        (lambda cells: cells[1].__setitem__(0, ""), r"row 2: column 1 holds ''"),
        (lambda cells: cells[5].__setitem__(4, "nan"), r"row 6: column 5 holds 'nan'"),
        (lambda cells: cells[5].__setitem__(4, "inf"), r"row 6: column 5 holds 'inf'"),
        (lambda cells: cells[4].__setitem__(187, "5"), r"row 5: its label is '5'"),
        (lambda cells: cells[4].__setitem__(187, "-1"), r"row 5: its label is '-1'"),
        (lambda cells: cells[0].__setitem__(187, "0.5"), r"row 1: its label is '0.5'"),
        (lambda cells: cells.insert(0, ["x"] * 188), r"row 1: column 1 holds 'x'"),
        (lambda cells: cells.clear(), r"is empty"),
    ],
)
def test_the_first_fault_is_named(tmp_path, rows, spoil, message):
    cells = [[f"{value:g}" for value in row] for row in rows]
    spoil(cells)
    path = tmp_path / "faulty.csv"
    path.write_text("".join(",".join(row) + "\n" for row in cells))
    with pytest.raises(ValueError, match=message) as caught:
        load_heartbeat_csv(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("n_columns", [187, 188])
def test_a_header_is_no_beat(tmp_path, rows, labelled, index, n_columns):
    path = tmp_path / "beats.csv"
    pd.DataFrame(rows[:, :n_columns]).to_csv(path, index=index)
    message = rf"row 1: it holds the numbers of the columns, 0 to {n_columns - 1}, and"
    if index and (n_columns == 188) != labelled:
        message = r"row 1: (it has|it holds|column 1 holds '')"
    with pytest.raises(ValueError, match=message):
        load_heartbeat_csv(path, labelled=labelled)


def test_a_header_that_counts_from_one_is_no_beat(tmp_path, rows):
    path = tmp_path / "beats.csv"
    pd.DataFrame(rows[:, :187], columns=range(1, 188)).to_csv(path, index=False)
    with pytest.raises(ValueError, match="row 1: it holds .* 1 to 187, and"):
        load_heartbeat_csv(path, labelled=False)


def test_an_index_is_named(tmp_path, rows):
    path = tmp_path / "beats.csv"
    pd.DataFrame(rows).to_csv(path, header=False)
    with pytest.raises(ValueError, match="the first is '0', as of an index.*index=Fal"):
        load_heartbeat_csv(path)
    rows = np.insert(rows, 0, 0, axis=1)[:, :188]
    np.savetxt(path, rows, delimiter=",", fmt="%g")
    with pytest.raises(ValueError, match="it has 188 columns, not 187"):
        load_heartbeat_csv(path, labelled=False)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("ptbdb_abnormal.csv", None, ["normal", "abnormal"]),
        ("PTBDB.csv", None, ["normal", "abnormal"]),
        ("two.csv", ("healthy", "infarction"), ["healthy", "infarction"]),
        ("ptbdb_normal.csv", list("NSVFQ"), list("NSVFQ")),
        ("two.csv", None, list("NSVFQ")),
    ],
)
def test_names_of_the_classes(tmp_path, rows, name, given, expected):
    rows[:, -1] = [0, 1, 0, 1, 1, 1]
    path = write(tmp_path / name, rows)
    beats = load_heartbeat_csv(path, target_names=given)
    assert beats.target_names == expected
    np.testing.assert_array_equal(beats.target, rows[:, -1])
    rows[2, -1] = 2
    write(path, rows)
    if len(expected) == 2:
        message = rf"row 3: its label is .*0 to 1 for {expected[0]}, {expected[1]}\."
        with pytest.raises(ValueError, match=message):
            load_heartbeat_csv(path, target_names=given)


@pytest.mark.parametrize("names", ["NSVFQ", [], ["a", "a"]])
def test_names_that_are_none(tmp_path, rows, names):
    path = write(tmp_path / "beats.csv", rows)
    with pytest.raises(ValueError, match="target_names|must be an array-like"):
        load_heartbeat_csv(path, target_names=names)


def test_files_that_are_no_csv(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_heartbeat_csv(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(ValueError, match=r"binary\.csv"):
        load_heartbeat_csv(tmp_path / "binary.csv")
    for name, pack in ((".gz", gzip), (".bz2", bz2), (".xz", lzma)):
        path = tmp_path / f"cut.csv{name}"
        path.write_bytes(pack.compress(b"0," * 5000)[:40])
        with pytest.raises(ValueError, match="could not be decompressed"):
            load_heartbeat_csv(path)
        path.write_bytes(b"not packed at all")
        with pytest.raises(ValueError, match="could not be decompressed"):
            load_heartbeat_csv(path)
    damaged = bytearray(gzip.compress(bytes(range(256)) * 500))
    damaged[100:160] = bytes(60)
    (tmp_path / "damaged.csv.gz").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"damaged\.csv\.gz"):
        load_heartbeat_csv(tmp_path / "damaged.csv.gz")
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="could not be decompressed"):
        load_heartbeat_csv(tmp_path / "no.zip")
