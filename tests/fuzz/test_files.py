"""Files of every kind at the loaders: CSV, compressed CSV, WFDB records."""

import gzip
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn.datasets import load_heartbeat_csv, load_wfdb_beats

from .oracle import Refused, attempt, fuzzed

_CELL = st.one_of(
    st.floats(0, 1).map(lambda x: f"{x:.4f}"),
    st.sampled_from(
        ["", "nan", "inf", "1e400", "x", "0", "-1", "5", '"1"', "1;2", "\0"]
    ),
)
_GOOD_ROW = ",".join(["0.5"] * 187 + ["2"])


@st.composite
def csv_text(draw):
    """Text near to what a CSV file of beats holds."""
    rows = [_GOOD_ROW] * draw(st.integers(0, 3))
    for _ in range(draw(st.integers(0, 2))):
        cells = _GOOD_ROW.split(",")
        cells[draw(st.integers(0, 187))] = draw(_CELL)
        n_cells = draw(st.sampled_from([188, 187, 189, 1, 188, 188]))
        rows.append(",".join((cells + ["0"])[:n_cells]))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    start = draw(st.sampled_from(["", "\ufeff", "\n", "# beats\n"]))
    return start + newline.join(draw(st.permutations(rows)))


def load_and_check(path):
    try:
        beats = attempt(load_heartbeat_csv, path)
    except Refused:
        return
    assert beats.data.shape == (len(beats.target), 187)
    assert np.isfinite(beats.data).all()
    assert set(beats.target.tolist()) <= set(range(5))


@fuzzed
@given(csv_text(), st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_csv_text(tmp_path_factory, text, encoding):
    path = tmp_path_factory.mktemp("csv") / "beats.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))
    load_and_check(path)


@fuzzed
@given(st.binary(max_size=200), st.sampled_from([".csv", ".csv.gz", ".zip"]))
def test_csv_bytes(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("csv") / f"beats{suffix}"
    path.write_bytes(content)
    load_and_check(path)


@fuzzed
@given(st.sampled_from([".csv.gz", ".zip"]), st.integers(0, 10**6), st.integers(0, 255))
def test_damaged_archives(tmp_path_factory, suffix, place, byte):
    folder = tmp_path_factory.mktemp("csv")
    path = folder / f"beats{suffix}"
    text = "\n".join([_GOOD_ROW] * 4)
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("beats.csv", text)
    else:
        path.write_bytes(gzip.compress(text.encode()))
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content[: len(content) - place % 3])
    load_and_check(path)


class Files(dict):
    """Contents by name, too large to print."""

    def __repr__(self):
        return f"Files of {', '.join(self)}"


@pytest.fixture
def record(wfdb_folder):
    return Files((p.name, p.read_bytes()) for p in sorted(wfdb_folder.glob("r1.*")))


@st.composite
def damage(draw):
    """Which file of a record to damage, and how."""
    return (
        draw(st.sampled_from(["r1.hea", "r1.dat", "r1.atr"])),
        draw(
            st.sampled_from(["byte", "truncate", "append", "empty", "remove", "word"])
        ),
        draw(st.integers(0, 10**6)),
        draw(st.integers(0, 255)),
        draw(
            st.sampled_from(
                ["", "0", "-1", "1e9", "nan", "x" * 300, "99999999999", "../../r2"]
            )
        ),
    )


def damaged(content, how, place, byte, word):
    if how == "empty":
        return b""
    if how == "truncate":
        return content[: place % max(1, len(content))]
    if how == "append":
        return content + bytes([byte]) * (place % 50)
    if how == "word":
        words = content.split(b" ")
        words[place % len(words)] = word.encode()
        return b" ".join(words)
    changed = bytearray(content)
    changed[place % len(changed)] = byte
    return bytes(changed)


@fuzzed
@given(damage())
def test_damaged_records(tmp_path_factory, record, case):
    name, how, *rest = case
    folder = tmp_path_factory.mktemp("wfdb")
    for file, content in record.items():
        if file != name:
            (folder / file).write_bytes(content)
        else:
            (folder / file).write_bytes(damaged(content, how, *rest))
    for params in (
        {"form": "kaggle"},
        {"features": ["rr", "morphology"], "sampling_rate": 120.0},
    ):
        try:
            beats = attempt(
                load_wfdb_beats, folder, records=["r1"], channel=0, **params
            )
        except Refused:
            continue
        assert len(beats.data) == len(beats.target) == len(beats.rr)
        assert set(beats.target.tolist()) <= set(range(5))
