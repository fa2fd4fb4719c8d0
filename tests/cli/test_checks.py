"""Paths and numbers are checked before anything heavy is loaded."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from ecg_sklearn.cli._checks import is_beat_table, record_path, state_folder

# Commands in a folder with the record r1, the rows beats.CSV and a zip model.ecgsk.
WRONG = {
    "There is no model file no.ecgsk": "evaluate no.ecgsk",
    "is a folder. Name the model file": "report sub",
    "text is not a model": "predict text r1",
    "there is no such folder or file": "evaluate model.ecgsk --data nowhere",
    "data fetch --data nowhere": "train --data nowhere",
    "There is no file r9, and no WFDB record: r9.hea": "predict model.ecgsk r9",
    "no annotation file r1.qrs": "predict model.ecgsk r1 --beats qrs",
    "There is no file no.CSV,": "predict model.ecgsk no.CSV",
    "sub is a folder. Name a record in it": "predict model.ecgsk sub",
    ". is a folder. Name a record in it": "predict model.ecgsk .",
    "--annotator needs a WFDB record": "predict model.ecgsk beats.CSV --annotator cnn",
    "--beats needs a WFDB record": "predict model.ecgsk beats.CSV --beats atr",
    "letters only": "predict model.ecgsk r1 --annotator a/b",
    "would replace the annotations": "predict model.ecgsk r1 --annotator atr",
    "r1.cnn exists already": "predict model.ecgsk r1.hea --annotator cnn",
    "--output sub is a folder": "predict model.ecgsk r1 -o sub",
    "text exists already": "evaluate model.ecgsk -o text",
    "text is no folder": "report model.ecgsk -o text/page.html",
    "--resamples 0 must be": "evaluate model.ecgsk --resamples 0",
    "from 1 to 1,000,000": "report model.ecgsk --resamples 100000000000",
    "sub exists already": "train --data simulated -o sub",
    "text is a file": "train --data simulated -o text --overwrite",
    "--validation 1.5 is not in [0, 1)": "demo --validation 1.5",
    "--validation nan is not in": "train --validation nan",
    "--test-data no.csv: there is no": "train --data beats.CSV --test-data no.csv",
    "Add --resume to go on": "train --data simulated -o broken",
    "gone.training is a file": "train --data simulated -o gone",
}


@pytest.fixture
def place(wfdb_folder):
    (wfdb_folder / "sub").mkdir()
    (wfdb_folder / "broken.training").mkdir()
    (wfdb_folder / "gone.training").touch()
    (wfdb_folder / "text").write_text("hello")
    (wfdb_folder / "r1.cnn").write_text("mine")
    (wfdb_folder / "beats.CSV").write_text(",".join(["0"] * 187) + "\n")
    (wfdb_folder / "model.ecgsk").write_bytes(b"PK\3\4 and nothing more")
    return wfdb_folder


@pytest.mark.parametrize(("message", "command"), WRONG.items())
def test_one_line_says_what_is_wrong(place, monkeypatch, fails, message, command):
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    fails(message, *command.split())
    assert sorted(place.rglob("*")) == before


def test_nothing_heavy_is_loaded(place):
    script = (
        "import sys\nfrom ecg_sklearn.cli import main\n"
        f"for command in {list(WRONG.values())!r}:\n"
        "    assert main(command.split()) == 2, command\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'wfdb', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    argv = [sys.executable, "-c", script]
    found = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_places_that_nobody_may_write_to(place, monkeypatch, fails):
    monkeypatch.setattr("os.access", lambda *args: False)
    fails("is read-only", "train", "--data", "simulated", "-o", place / "out")


def test_inputs_of_predict(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("r0.hea", "r0.dat", "a.b.hea", "both.hea"):
        Path(name).touch()
    Path("both").mkdir()
    names = {"r0": "r0", "r0.hea": "r0", "r0.dat": "r0", "a.b": "a.b", "both": "both"}
    assert {name: str(record_path(Path(name))) for name in names} == names


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b",".join([b"0.5"] * 187) + b"\n", True),
        (gzip.compress(b",".join([b"1"] * 188), mtime=0), True),
        (b"time,ECG\n0,0.1\n", False),
        (b"0.1\n0.2\n", False),
        (b"0" + b" " * 300 + b"\0" * 300, False),
        (b"", False),
    ],
)
def test_tables_of_single_beats(tmp_path, content, expected):
    path = tmp_path / ("a.csv.gz" if content[:1] == b"\x1f" else "a.txt")
    path.write_bytes(content)
    assert is_beat_table(path) is expected


def test_the_state_lies_beside_the_output(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert state_folder(Path("runs/kaggle")) == Path("runs/kaggle.training")
    assert state_folder(Path(".")) == tmp_path.with_name(f"{tmp_path.name}.training")
