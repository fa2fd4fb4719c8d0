"""Cached beats: whole or not there, whatever other processes and disks do."""

import errno
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from ecg_sklearn.datasets import _cache, _mitbih, fetch_mitbih
from ecg_sklearn.datasets._base import Columns
from ecg_sklearn.datasets._cache import cached

# Puts two records in the place of the 48, in this process or another.
SMALL_DATABASE = """
import hashlib
from pathlib import Path
import numpy as np
from ecg_sklearn.datasets import _mitbih, _mitbih_files

def put_in_place(folder, replace):
    files = [f for f in Path(folder).iterdir() if f.suffix in (".atr", ".dat", ".hea")]
    sums = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    for module in (_mitbih, _mitbih_files):
        replace(module, "checksums", lambda: sums)
    replace(_mitbih, "find_mitbih", lambda home: Path(folder))
    replace(_mitbih, "MITBIH_RECORDS", ("r1", "r2"))
    replace(_mitbih, "_official_split", lambda n_rows: np.full(n_rows, -1))
"""

FETCH_MANY = """
import sys, warnings
from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.datasets._base import Columns
from ecg_sklearn.datasets._cache import cached

def large(number):  # takes longer to write than to make
    return Columns(*[np.full(100_000, number)] * 7)

warnings.simplefilter("error", RuntimeWarning)
put_in_place(sys.argv[1], setattr)
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    assert all((column == number).all() for column in cached(large, number).values())
for number in range(10):
    window = (-0.1, 0.1 + 0.01 * (number % 5))
    beats = fetch_mitbih(form="window", channel="II", window=window, context=True)
    columns = (beats.data, beats.target, beats.groups, beats.rr)
    print(hashlib.sha256(b"".join(c.tobytes() for c in columns)).hexdigest())
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ECG_SKLEARN_CACHE", str(folder))
    return folder


@pytest.fixture
def database(wfdb_folder, monkeypatch):
    """A MIT-BIH database of two records."""
    place = {}
    exec(SMALL_DATABASE, place)
    place["put_in_place"](wfdb_folder, monkeypatch.setattr)
    return wfdb_folder


def fetch(**options):
    return fetch_mitbih(form="window", channel="II", **options)


def lines_of(caught):
    """Files that warnings of this package point to; wfdb has some of its own."""
    return [each.filename for each in caught if each.category is RuntimeWarning]


def no_reading(*args, **kwargs):
    raise AssertionError("the records were read again")


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_beats_are_read_once(cache, database, monkeypatch, form):
    first = fetch_mitbih(form=form, channel="II", context=True)
    [file] = cache.iterdir()
    monkeypatch.setattr(_mitbih, "read_signal", no_reading)
    second = fetch_mitbih(form=form, channel="II", context=True)
    for name, found in first.items():
        np.testing.assert_array_equal(second[name], found)
    assert second.data.dtype == np.float32
    assert [*cache.iterdir()] == [file]


@pytest.mark.parametrize("form", ["kaggle", "window"])
def test_beats_with_and_without_context_are_kept_apart(cache, database, form):
    for _ in range(2):  # cut, then read
        plain = fetch_mitbih(form=form, channel="II")
        beats = fetch_mitbih(form=form, channel="II", context=True)
        n_times = plain.data.shape[1]
        assert (plain.n_context, beats.n_context) == (0, 22)
        assert beats.data.shape == (len(plain.data), n_times + 22)
        np.testing.assert_array_equal(beats.data[:, :n_times], plain.data)
        assert "22 columns of data hold the context" in beats.DESCR
    assert len([*cache.iterdir()]) == 2


def test_changed_files_and_another_cut_are_noticed(cache, database, monkeypatch):
    fetch()
    fetch(window=(-0.2, 0.2))
    (database / "r1.dat").touch()
    fetch()
    monkeypatch.setattr(_mitbih, "_CUT_VERSION", -1)
    fetch()
    assert len([*cache.iterdir()]) == 4


def half(content):
    return content[: len(content) // 2]


def with_a_changed_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        half,
        with_a_changed_bit,
        lambda content: content[:-1],
        lambda content: content[100:],
        lambda content: b"",
        lambda content: content + b"0",
        lambda content: b"something else" * 1000,
    ],
)
def test_a_damaged_file_is_replaced(cache, database, damage):
    expected = fetch(context=True)
    [file] = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    message = r"cannot be used \(its SHA-256 sum is another one\)\. .* cut again"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        found = fetch(context=True)
    assert lines_of(caught) == [__file__]
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(found.groups, expected.groups)
    again = fetch(context=True)  # without a warning
    np.testing.assert_array_equal(again.data, expected.data)
    assert [*cache.iterdir()] == [file]


def test_any_bit_counts(cache):
    numbers = np.arange(30, dtype=np.float32)
    expected = cached(make_columns, numbers)
    [file] = cache.iterdir()
    whole = file.read_bytes()
    content = bytearray(whole)
    for place in range(0, len(content), 37):
        content[place] ^= 0x10
        file.write_bytes(content)
        with pytest.warns(RuntimeWarning, match="SHA-256"):
            found = cached(make_columns, numbers)
        assert found.keys() == expected.keys(), place
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=str(place))
        assert file.read_bytes() == whole
        content[place] ^= 0x10


def make_columns(numbers):
    names = np.array(["a", "bc"])
    labels = numbers.astype(int)
    return Columns(numbers, labels, names, names, numbers, numbers, names)


def test_a_cache_that_cannot_be_made_is_done_without(tmp_path, database, monkeypatch):
    blocker = tmp_path / "file"
    blocker.touch()
    monkeypatch.setenv("ECG_SKLEARN_CACHE", str(blocker / "cache"))
    with pytest.warns(RuntimeWarning, match="Beats are not cached") as caught:
        beats = fetch()
    assert lines_of(caught) == [__file__]
    assert len(beats.data) > 0


def test_a_full_disk_costs_the_cache_alone(cache, database, monkeypatch):
    def save(file, array, **options):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_cache.np, "save", save)
    with pytest.warns(RuntimeWarning, match="not cached: .*No space left"):
        beats = fetch()
    assert len(beats.data) > 0
    assert [*cache.iterdir()] == []


def test_an_error_of_the_reader_is_not_taken_for_one_of_the_cache(cache):
    def read():
        raise PermissionError("100.dat")

    with pytest.raises(PermissionError, match=r"100\.dat"):
        cached(read)


def test_processes_that_cache_at_once(cache, database):
    script = SMALL_DATABASE + FETCH_MANY
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]
    for process, (_, errors) in zip(processes, results, strict=True):
        assert process.returncode == 0, errors
    digests = [output.split() for output, _ in results]
    assert len(digests[0]) == 10
    assert digests[0] == digests[1]
    assert digests[0] == digests[0][:5] * 2
    files = [*cache.iterdir()]
    assert len(files) == 20
    assert all(file.suffix == ".arrays" for file in files)
    beats = fetch(window=(-0.1, 0.1), context=True)
    columns = (beats.data, beats.target, beats.groups, beats.rr)
    here = hashlib.sha256(b"".join(c.tobytes() for c in columns)).hexdigest()
    assert here == digests[0][0]


class TestVanishingFiles:
    def test_before_they_are_read(self, cache, database, monkeypatch):
        (database / "r2.atr").unlink()
        monkeypatch.setattr(_mitbih, "missing_files", lambda directory: [])
        with pytest.raises(FileNotFoundError, match="vanished") as caught:
            fetch()
        assert "r2.atr" in str(caught.value)
        assert "try again" in str(caught.value)

    @pytest.mark.parametrize("suffix", ["hea", "dat", "atr"])
    def test_between_checking_and_reading(self, cache, database, monkeypatch, suffix):
        check = _mitbih._check_files

        def check_and_remove(directory):
            check(directory)
            (directory / f"r2.{suffix}").unlink()

        monkeypatch.setattr(_mitbih, "_check_files", check_and_remove)
        with pytest.raises(FileNotFoundError, match="vanished") as caught:
            fetch()
        assert f"r2.{suffix}" in str(caught.value)
        assert not cache.exists() or [*cache.iterdir()] == []

    def test_of_any_database(self, wfdb_folder, monkeypatch):
        import wfdb

        from ecg_sklearn.datasets import load_wfdb_beats

        read = wfdb.rdann

        def remove_and_read(path, *args, **kwargs):
            (wfdb_folder / "r2.atr").unlink(missing_ok=True)
            return read(path, *args, **kwargs)

        monkeypatch.setattr(wfdb, "rdann", remove_and_read)
        with pytest.raises(FileNotFoundError, match=r"r2\.atr vanished while|r2") as e:
            load_wfdb_beats(wfdb_folder, channel="II", records=["r2"])
        assert "try again" in str(e.value)
