"""Files that are no recording, or a broken one: one line says what and where."""

import gzip
import time
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg_sklearn.io import read_recording

from . import writers, writers_extra
from .writers import make_ecg

RATE = 250.0
ECG = make_ecg(6, RATE, 2)


def message(path, kind=ValueError, **how):
    with pytest.raises(kind) as caught:
        read_recording(path, **how)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "is a PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(90), "is a JPEG picture"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"ID3\x04" + bytes(90), "is MP3 sound"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(90), "is a 7z archive"),
        (b"BZh91AY&SY", "is compressed by bzip2, and no recording. Unpack it"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        (b"Salted__" + bytes(90), "is encrypted"),
        (b"\x93NUMPY\x01\0" + bytes(90), r"np.load(...)"),
        (bytes(3000), "binary data"),
        (bytes(range(256)) * 20, "binary data"),
        (b"", "is empty"),
        (b"\n\n\n", "no text"),
        (b"hello\nworld\n", "no table of numbers"),
        (b"<html><body></body></html>", "is XML, and none of the kinds"),
        (b'{"a": [1, 2]}', "no table of numbers"),
        (b"name,age\nx,5\n", "columns"),
        (b"1,2,3", ""),
        (b"0" * 300_000, "no line end in its first 256 kB"),
        (gzip.compress(b"1,2\n" * 1000, mtime=0)[:20], "could not be decompressed"),
        (b"\x1f\x8b" + bytes(30), "could not be decompressed"),
        (gzip.compress(bytes(100), mtime=0), "packs binary data"),
    ],
)
def test_what_is_no_recording(tmp_path, start, what):
    (tmp_path / "a.dat").write_bytes(start)
    assert what in message(tmp_path / "a.dat", sampling_rate=RATE)


def test_places_that_hold_no_file(tmp_path):
    assert "There is no file" in message(tmp_path / "a", FileNotFoundError)
    writers.write_wfdb(tmp_path / "r1", ECG, RATE)
    assert "is a folder. Give one file, or a WFDB record such as " in message(
        tmp_path, IsADirectoryError
    )
    assert "no name of a file" in message("")
    assert "no name of a file" in message("a\0b")
    (tmp_path / "r1.dat").unlink()
    assert "Record r1 has no signal file r1.dat in" in message(
        tmp_path / "r1", FileNotFoundError
    )


def test_beside_a_record(tmp_path):
    writers.write_wfdb(tmp_path / "r1", ECG, RATE)
    (tmp_path / "r1.atr").write_bytes(bytes(30))
    assert f"such as its annotations. Give {tmp_path / 'r1.hea'}" in message(
        tmp_path / "r1.atr"
    )
    (tmp_path / "r1").mkdir()
    assert read_recording(tmp_path / "r1").name == "r1"
    path = writers.write_csv(tmp_path / "r1.csv", ECG, RATE)
    assert read_recording(path).format == "csv"


def test_a_zip_is_to_be_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "1,2\n" * 1000)
    assert "is a zip archive, and no recording. Unpack it" in message(
        tmp_path / "a.zip"
    )


def test_a_bomb_ends_soon(tmp_path, monkeypatch):
    monkeypatch.setattr("ecg_sklearn.io._text._FREE", 2**20)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"0.1\n0.2\n" * 1000)
        for _ in range(30):
            file.write(b"0\n" * 2**20)
    start = time.perf_counter()
    assert "unpacks to more than 50 times its size" in message(
        path, sampling_rate=250.0
    )
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize(
    ("line", "text", "what"),
    [
        (700, "0.5,oops,0.1", "line 700: column 2 holds 'oops', which is no number"),
        (700, "2.8,0.1", "line 700: it has 2 columns, and the lines before have 3"),
        (700, "2.8,0.1,0.2,0.3", "line 700: it has 4 columns"),
        (2, "0.0,oops,0.2", "line 2: it is no row of 3 numbers: '0.0,oops,0.2'"),
        (2, "0.0,0.1", "line 2: it is no row of 3 numbers"),
        (1501, "end of file", "line 1501: it has 1 columns"),
        (900, "oops,0.1,0.2", "line 900: column 1 holds 'oops'"),
        (900, "1.0,0.1,0.2", "line 900: it has a time before the last one"),
        (900, ",0.1,0.2", "line 900: it has no time"),
        (900, "999999,0.1,0.2", "line 900: a gap of 278 h lies before it"),
        (900, "3.592,0,1,0,2", "line 900: it has 5 columns"),
    ],
)
@pytest.mark.parametrize("chunk", [2**21, 5000])
def test_the_line_is_named(tmp_path, monkeypatch, line, text, what, chunk):
    monkeypatch.setattr("ecg_sklearn.io._text._CHUNK", chunk)
    path = writers.write_csv(tmp_path / "a.csv", ECG, RATE)
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) + "\n")
    assert what in message(path)


@pytest.mark.parametrize("some", [" ", "1", "a", "_", "(", "-", ",", ";", ":", "1,"])
def test_long_lines_end_soon(tmp_path, some):
    start = time.perf_counter()
    for text in (f"time{some * 50_000}x,II", f"{some * 50_000}x", f"a,{some * 50_000}"):
        rows = [text, *(f"{i / RATE},{v}" for i, v in enumerate(ECG[:, 0]))]
        (tmp_path / "a").write_text("\n".join(rows))
        attempt(tmp_path / "a")
    assert time.perf_counter() - start < 5


def test_tables_that_are_no_recording(tmp_path):
    rows = np.random.default_rng(0).random((50, 188))
    np.savetxt(tmp_path / "beats.csv", rows, delimiter=",")
    assert "has 188 columns of numbers" in message(tmp_path / "beats.csv")
    path = writers.write_csv(tmp_path / "a.csv", ECG)
    assert "names no rate. Give sampling_rate= in Hz" in message(path)
    steps = np.cumsum(np.random.default_rng(0).exponential(0.004, 1500))
    rows = [f"{t:.6f},{v:.4f}" for t, v in zip(steps, ECG[:, 0], strict=True)]
    (tmp_path / "b.csv").write_text("\n".join(["time,II", *rows]))
    assert "the times are irregular" in message(tmp_path / "b.csv")
    rows = [f"{t},{v:.4f}" for t, v in zip([1] * 1500, ECG[:, 0], strict=True)]
    (tmp_path / "c.csv").write_text("\n".join(["time,II", *rows]))
    assert "the times in column 'time' do not ascend" in message(tmp_path / "c.csv")


FORMS = {
    "edf": writers.write_edf,
    "bdf": writers.write_bdf,
    "dicom": writers.write_dicom,
    "ishne": writers.write_ishne,
    "wfdb": writers.write_wfdb,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The bytes of a file of each format, and its path."""
    folder = tmp_path_factory.mktemp("written")
    files = {}
    for form, write in FORMS.items():
        path = write(folder / form, ECG, RATE)
        path = path.with_suffix(".dat") if form == "wfdb" else path
        files[form] = (path, path.read_bytes())
    for form, path in [
        ("header", folder / "wfdb.hea"),
        ("apple", writers.write_apple(folder / "apple", ECG[:, 0], RATE)),
        ("csv", writers.write_csv(folder / "csv", ECG, RATE)),
        ("gz", writers.write_csv(folder / "csv.gz", ECG, RATE)),
        ("aecg", writers_extra.write_aecg(folder / "aecg", ECG, RATE)),
    ]:
        files[form] = (path, path.read_bytes())
    return files


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(tmp_path, written, form, share):
    path, content = written[form]
    (tmp_path / path.name).write_bytes(content[: int(len(content) * share)])
    if form == "wfdb":
        header = written["header"][0]
        (tmp_path / header.name).write_bytes(header.read_bytes())
    message(tmp_path / path.name)


class Case(tuple):
    """A damage, without the bytes of the file in its repr."""


@st.composite
def damages(draw):
    return Case(
        (
            draw(
                st.sampled_from(["byte", "bytes", "truncate", "append", "word", "zero"])
            ),
            draw(st.one_of(st.integers(0, 1500), st.integers(0, 10**6))),
            draw(st.binary(min_size=1, max_size=8)),
        )
    )


def damaged(content, how, place, some):
    place %= len(content)
    if how == "truncate":
        return content[:place]
    if how == "append":
        return content + some
    if how == "zero":
        return content[:place] + bytes(100) + content[place + 100 :]
    if how == "word":
        words = content.split(b" ")
        words[place % len(words)] = some
        return b" ".join(words)
    n = 1 if how == "byte" else len(some)
    return content[:place] + some[:n] + content[place + n :]


def attempt(path):
    """Read a file; only errors of one line, and only quickly."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            found = read_recording(path, channel="all")
        except (ValueError, OSError, ImportError) as error:
            text = str(error)
            assert "\n" not in text  # noqa: PT017
        else:
            assert found.signal.dtype == np.float32
            assert len(found.leads) == found.n_leads
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "form", [*FORMS, "header", "apple", "csv", "gz", pytest.param("aecg", marks=())]
)
@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(case=damages())
def test_damage_gives_an_error_of_one_line(tmp_path, written, form, case):
    path, content = written[form]
    for beside in (written["wfdb"][0], written["header"][0]):
        (tmp_path / beside.name).write_bytes(beside.read_bytes())
    (tmp_path / path.name).write_bytes(damaged(content, *case))
    attempt(tmp_path / path.name)


@settings(
    max_examples=100, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    st.one_of(
        st.binary(max_size=600),
        st.text(alphabet="0123456789.,;-+eE \t\n\"'#abN:", max_size=600).map(
            str.encode
        ),
        st.builds(
            bytes.__add__,
            st.sampled_from(
                [
                    b"0       ", b"\xffBIOSEMI", b"ISHNE1.0", bytes(128) + b"DICM",
                    b"<?xml ?><AnnotatedECG", b"r1 1 250 1000\n", b"\x1f\x8b\x08",
                ]
            ),
            st.binary(max_size=800),
        ),
    )
)  # fmt: skip
def test_any_bytes_give_an_error_of_one_line(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    attempt(tmp_path / "a")
