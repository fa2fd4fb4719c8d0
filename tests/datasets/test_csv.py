"""The Kaggle CSV form: what is read, and which fault is named."""

import gzip
import zipfile

import numpy as np
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


def test_compressed_files_give_the_same(tmp_path, rows):
    plain = write(tmp_path / "beats.csv", rows)
    with gzip.open(tmp_path / "beats.csv.gz", "wb") as file:
        file.write(plain.read_bytes())
    with zipfile.ZipFile(tmp_path / "beats.zip", "w") as archive:
        archive.write(plain, "beats.csv")
    expected = load_heartbeat_csv(plain).data
    for name in ("beats.csv.gz", "beats.zip"):
        np.testing.assert_array_equal(
            load_heartbeat_csv(tmp_path / name).data, expected
        )


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


def test_files_that_are_no_csv(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_heartbeat_csv(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(ValueError, match=r"binary\.csv"):
        load_heartbeat_csv(tmp_path / "binary.csv")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"0," * 5000)[:40])
    with pytest.raises(ValueError, match="could not be decompressed"):
        load_heartbeat_csv(tmp_path / "cut.csv.gz")
    damaged = bytearray(gzip.compress(bytes(range(256)) * 500))
    damaged[100:160] = bytes(60)
    (tmp_path / "damaged.csv.gz").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"damaged\.csv\.gz"):
        load_heartbeat_csv(tmp_path / "damaged.csv.gz")
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="could not be decompressed"):
        load_heartbeat_csv(tmp_path / "no.zip")
