"""``analyze``: what is found in recordings, the files written of it, many at once."""

import json
import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from ecg_sklearn import cli, save
from ecg_sklearn.analysis import RecordingAnalysis
from ecg_sklearn.cli import _analyzed
from ecg_sklearn.cli._jobs import find_inputs, unique_names
from ecg_sklearn.datasets import make_heartbeats, make_recording
from ecg_sklearn.pipeline import make_record_ensemble

from ..io import writers
from .conftest import run

RATE = 250.0
EVENTS = [(8.0, "V"), (20.0, "VVVV")]
WRONG = {
    "There is no file r9, and no WFDB record": "r9",
    "There is no file that matches x*.edf": "x*.edf",
    "sub is a folder. Name a record in it": "r1 sub",
    "--jobs 0 would do nothing": "r1 --jobs 0",
    "Leave one of them out": "r1 --beats atr --model model.ecgsk",
    "--escape S is for annotated beats": "r1 --escape S",
    "no annotation file r1.qrs": "r1 --beats qrs",
    "--beats needs a WFDB record": "a.edf --beats atr",
    "--annotator needs a WFDB record": "r1 a.edf --annotator cnn",
    "would replace the annotations": "r1 --annotator atr",
    "There is no model file no.ecgsk": "r1 --model no.ecgsk",
    "sub is a folder. Name the model": "r1 --model sub",
    "--output b.csv is neither a page": "r1 -o b.csv",
    "--csv b.csv is one file, and there are 2": "r1 a.edf --csv b.csv",
    "--output p.html is one file, and there": "r1 a.edf -o p.html",
    "gets this file of each recording": "r1 a.edf -o out --json j.json",
    "text.html exists already": "r1 -o text.html",
    "sub/a.html exists already": "r1 a.edf -o sub",
    "summary.csv exists already": "r1 -o full",
    "text.html is no folder": "r1 --csv text.html/b.csv",
    "same.x is named twice": "r1 --csv same.x --json ./same.x",
    "a.edf is an input": "a.edf --csv ./a.edf --overwrite",
    "r1.dat is an input": "r1 --json r1.dat --overwrite",
    "sub is a folder. Name a file": "r1 --events sub",
    "holds rows of single beats": "beats.csv",
}


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    """A quick model of the whole record."""
    beats = make_heartbeats(
        400,
        n_records=8,
        form="window",
        features=["rr", "record_rr", "record_morphology", "record_shape"],
        random_state=0,
    )
    model = make_record_ensemble(n_estimators=10, random_state=0)
    model.fit(beats.frame, beats.target, groups=beats.groups)
    path = tmp_path_factory.mktemp("forest") / "model.ecgsk"
    save(model, path)
    return path


@pytest.fixture(scope="module")
def beats():
    """A minute with a single V, a run, and a stretch that cannot be read."""
    return make_recording(
        60,
        sampling_rate=RATE,
        events=EVENTS,
        unreadable=[(40, 50, "flat")],
        random_state=0,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, beats):
    """Two recordings, one annotated, and files that are none."""
    import wfdb

    folder = tmp_path_factory.mktemp("recordings")
    writers.write_wfdb(folder / "r1", beats.signal, RATE, leads=["II"])
    wfdb.wrann(
        "r1",
        "atr",
        np.append([5], beats.sample),
        ["+", *beats.symbols],
        write_dir=str(folder),
        aux_note=["(N", *[""] * len(beats.sample)],
    )
    writers.write_edf(folder / "a.edf", beats.signal, RATE, leads=["ECG II"])
    (folder / "bad.edf").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    (folder / "beats.csv").write_text(",".join(["0"] * 187) + "\n")
    (folder / "text.html").write_text("mine")
    for name, file in (("sub", "a.html"), ("full", "summary.csv")):
        (folder / name).mkdir()
        (folder / name / file).write_text("mine")
    return folder


@pytest.fixture
def place(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("message", "command"), WRONG.items())
def test_one_line_says_what_is_wrong(place, forest, fails, message, command):
    before = sorted(place.rglob("*"))
    argv = ["analyze", *command.split()]
    if not {"--model", "--beats"} & set(argv):
        argv += ["--model", forest]
    fails(message, *argv)
    assert sorted(place.rglob("*")) == before


def test_files_of_a_record_are_one_input(place):
    found = find_inputs(["r1.hea", "r1.dat", "./r1", "a.edf", str(place / "a.edf")])
    assert [str(path) for path in found] == ["r1", "a.edf"]
    assert [path.name for path in find_inputs(["*.edf", "r[1].hea"])] == [
        "a.edf",
        "bad.edf",
        "r1",
    ]


def test_names_of_files_differ(tmp_path):
    paths = [
        tmp_path / name
        for name in ("a/100.edf", "b/100.edf", "a/100.csv", "A.edf", "a.bdf", "b.edf")
    ]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert unique_names(paths) == [
        "a_100.edf",
        "b_100.edf",
        "100.csv",
        "A.edf",
        "a.bdf",
        "b",
    ]
    assert unique_names([tmp_path / "x/c/1", tmp_path / "y/c/1"]) == ["c_1", "c_1-2"]


def test_findings_and_all_files_of_one_recording(place, forest, tmp_path, capsys):
    files = {n: tmp_path / n for n in ("p.html", "b.csv", "e.csv", "f.json")}
    argv = ["analyze", "r1.dat", "--model", forest, "-o", files["p.html"]]
    argv += ["--csv", files["b.csv"], "--events", files["e.csv"]]
    run(*argv, "--json", files["f.json"], "--annotator", "cnn")
    told = capsys.readouterr()
    assert told.err == ""
    assert "r1" in told.out
    assert [line for line in told.out.splitlines() if line.startswith("Saved")] == [
        f"Saved {files[name]}" for name in ("p.html", "f.json", "b.csv", "e.csv")
    ]
    assert "annotations saved in r1.cnn" in told.out
    table = pd.read_csv(files["b.csv"])
    assert list(table.columns[:4]) == ["sample", "time", "clock", "class"]
    assert table["clock"].str.fullmatch(r"2024-03-05T22:4\d:\d\d\.\d{3}").all()
    assert not table["time"].between(40.5, 49.5).any()
    events = pd.read_csv(files["e.csv"])
    assert {"start", "end", "kind", "n_beats"} <= set(events)
    facts = json.loads(files["f.json"].read_text(), parse_constant=pytest.fail)
    assert "veb_burden" in json.dumps(facts)
    assert "<html" in files["p.html"].read_text()

    import wfdb

    written = wfdb.rdann("r1", "cnn")
    (place / "r1.cnn").unlink()
    assert written.symbol == table["class"].tolist()
    np.testing.assert_array_equal(written.sample, table["sample"])


def test_nothing_is_written_unless_asked(place, forest, capsys):
    before = sorted(place.rglob("*"))
    run("analyze", "a.edf", "--model", forest, "--quiet")
    told = capsys.readouterr().out
    assert "veb_burden" in told
    assert "ventricular ectopic beats (VEB)" in told
    assert sorted(place.rglob("*")) == before


def test_lead_rate_and_unit_are_handed_on(forest, beats, tmp_path, capsys):
    both = np.column_stack([beats.signal[:, 0], -beats.signal[:, 0]]) * 1000
    path = tmp_path / "two.csv"
    np.savetxt(path, both, "%.1f", ",", header="V1,II", comments="")
    argv = ["analyze", path, "--model", forest, "--rate", 250, "--unit", "uV"]
    run(*argv)
    assert "two, lead II, 0:01:00" in capsys.readouterr().out
    run(*argv, "--lead", "V9,V1")
    told = capsys.readouterr()
    assert "two, lead V1, 0:01:00" in told.out
    assert told.err == ""


def test_a_model_that_was_fitted_to_arrays(place, trained, tmp_path):
    argv = ["analyze", "a.edf", "--model", trained / "model.ecgsk", "--quiet"]
    run(*argv, "--json", tmp_path / "f.json")
    facts = json.loads((tmp_path / "f.json").read_text())
    assert facts["model"]["name"] == "out/model.ecgsk"
    assert facts["summary"]["n_beats"]["value"] > 40


def test_a_name_is_that_of_a_shipped_model(place, capsys):
    run("analyze", "a.edf")
    assert "a, lead ECG II, 0:01:00; ecg_sklearn offline, offline" in (
        capsys.readouterr().out
    )
    run("analyze", "a.edf", "r1", "--model", "causal", "-o", "out")
    for name in ("a", "r1"):
        facts = json.loads(Path("out", f"{name}.json").read_text())
        assert facts["model"]["name"] == "ecg_sklearn causal"


def test_annotated_beats_are_counted_without_a_model(place, beats, tmp_path):
    run("analyze", "r1", "--beats", "atr", "--json", tmp_path / "f.json")
    run("analyze", "r1", "--beats", "atr", "--csv", tmp_path / "b.csv")
    table = pd.read_csv(tmp_path / "b.csv")
    assert table["class"].tolist() == [beats.target_names[n] for n in beats.target]
    np.testing.assert_array_equal(table["sample"], beats.sample)
    assert table["probability"].isna().all()


def test_escape_beats_of_annotated_ones(tmp_path, beats):
    import wfdb

    writers.write_wfdb(tmp_path / "r1", beats.signal, RATE, leads=["II"])
    symbols = ["j" if symbol == "N" else symbol for symbol in beats.symbols]
    wfdb.wrann("r1", "ed", beats.sample, symbols, write_dir=str(tmp_path))
    for escape in "NS":
        argv = ["analyze", tmp_path / "r1", "--beats", "ed", "--escape", escape]
        run(*argv, "--csv", tmp_path / f"{escape}.csv")
        counts = pd.read_csv(tmp_path / f"{escape}.csv")["class"].value_counts()
        assert counts[escape] == symbols.count("j")
        assert counts["V"] == 5


class TestSeveral:
    def test_a_bad_file_does_not_stop_the_others(self, place, forest, tmp_path, capsys):
        argv = ["analyze", "a.edf", "bad.edf", "r1.hea", "r1.dat", "--model", forest]
        out = tmp_path / "out"
        assert cli.main([str(arg) for arg in [*argv, "-o", out]]) == 1
        told = capsys.readouterr()
        assert "error: bad: " in told.err
        assert "PNG picture" in told.err
        assert "1 of 3 recordings were not analysed" in told.err
        lines = told.out.splitlines()
        assert [line.split()[:2] for line in lines[1:4]] == [
            ["a", "0:01:00"],
            ["bad", "-"],
            ["r1", "0:01:00"],
        ]
        assert {path.name for path in out.iterdir()} == {"summary.csv"} | {
            f"{name}.{end}"
            for name in ("a", "r1")
            for end in ("html", "json", "beats.csv", "events.csv")
        }
        summary = pd.read_csv(out / "summary.csv", index_col="recording")
        assert summary.index.tolist() == ["a", "bad", "r1"]
        assert "PNG" in summary.at["bad", "error"]
        assert summary["error"].isna().tolist() == [True, False, True]
        for name in ("a", "r1"):
            table = pd.read_csv(out / f"{name}.beats.csv")
            assert summary.at[name, "n_beats"] == len(table)
            assert summary.at[name, "veb_count"] == (table["class"] == "V").sum()
        names = {"duration", "analysed_share", "sveb_burden_low", "lead", "start"}
        assert names <= set(summary)

    @pytest.mark.slow
    def test_processes_find_the_same(self, place, forest, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # where the processes stay
        joblib.Parallel(n_jobs=2)(joblib.delayed(os.getcwd)() for _ in range(4))
        monkeypatch.chdir(place)
        for jobs in (1, 2):
            argv = ["analyze", "a.edf", "r1", "--model", forest, "--quiet"]
            run(*argv, "--jobs", jobs, "-o", tmp_path / str(jobs))
        for path in (tmp_path / "1").glob("*.csv"):
            assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()

    def test_backend_of_joblib_is_used(self, place, forest, capsys):
        with joblib.parallel_config("threading", n_jobs=2):
            run("analyze", "a.edf", "r1", "--model", forest)
        assert capsys.readouterr().out.count("0:01:00") == 2

    def test_one_recording_in_a_folder(self, place, forest, tmp_path, capsys):
        argv = ["analyze", "a.edf", "--model", forest, "-o", tmp_path]
        run(*argv)
        written = {path.name: path for path in tmp_path.iterdir()}
        assert set(written) == {
            "summary.csv",
            *(f"a.{end}" for end in ("html", "json", "beats.csv", "events.csv")),
        }
        written["a.html"].write_text("old")
        run(*argv, "--overwrite")
        assert written["a.html"].read_text() != "old"

    @pytest.mark.parametrize(
        ("stop", "code", "message"),
        [
            (KeyboardInterrupt, 130, "interrupted; 1 of 2 recordings were analysed"),
            (BrokenExecutor, 2, "Use fewer --jobs. 1 of 2 recordings were analysed"),
        ],
    )
    def test_an_end_before_the_end_says_how_far_it_came(
        self, place, forest, capsys, monkeypatch, stop, code, message
    ):
        attempt = _analyzed.attempt_job

        def break_off(number, job, **options):
            if number == 1:
                raise stop
            return attempt(number, job, **options)

        monkeypatch.setattr(_analyzed, "attempt_job", break_off)
        assert cli.main(["analyze", "a.edf", "r1", "--model", str(forest)]) == code
        assert message in capsys.readouterr().err

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_a_dask_cluster_does_the_work(self, place, forest, tmp_path):
        distributed = pytest.importorskip("distributed")
        inputs = [place / "a.edf", place / "r1", place / "bad.edf"]
        argv = ["analyze", *inputs, "--model", forest, "-o", tmp_path / "out"]
        with (
            distributed.LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                dashboard_address=None,
                local_directory=tmp_path,
                silence_logs="CRITICAL",
            ) as cluster,
            distributed.Client(cluster),
            joblib.parallel_config("dask"),
        ):
            assert cli.main([str(arg) for arg in argv]) == 1
        summary = pd.read_csv(tmp_path / "out" / "summary.csv")
        assert summary["recording"].tolist() == ["a", "r1", "bad"]
        assert summary["error"].notna().tolist() == [False, False, True]


def test_an_error_of_a_page_leaves_no_file(place, forest, tmp_path, monkeypatch, fails):
    def fail(self, path):
        raise ValueError("no ink")

    monkeypatch.setattr(RecordingAnalysis, "to_html", fail)
    argv = ["analyze", "a.edf", "--model", forest, "-o", tmp_path / "p.html"]
    fails("no ink", *argv, "--csv", tmp_path / "b.csv")
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_find(forest, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 0.3, size=int(60 * RATE))
    path = writers.write_wfdb(tmp_path / "noise", noise, RATE, leads=["II"])
    argv = ["analyze", path, "--model", forest, "-o", tmp_path / "out"]
    run(*argv, "--annotator", "cnn")
    assert "No beat was found, so cnn was not written" in capsys.readouterr().err
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert summary["n_beats"].tolist() == [0]
    assert len(pd.read_csv(tmp_path / "out" / "noise.beats.csv")) == 0


@pytest.mark.slow
def test_trees_load_no_tensorflow(place, forest):
    script = (
        "import sys\nfrom ecg_sklearn.cli import main\n"
        f"assert main(['analyze', 'r1', '--model', {str(forest)!r}]) == 0\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.mitbih
def test_a_real_record(forest, mitbih_home, tmp_path, capsys):
    from ecg_sklearn.datasets._published import MITDB

    record = MITDB.find(mitbih_home) / "208"
    run("analyze", record, "--beats", "atr", "--csv", tmp_path / "b.csv")
    counts = pd.read_csv(tmp_path / "b.csv")["class"].value_counts()
    assert counts.to_dict() == {"N": 1586, "V": 992, "F": 373, "S": 2, "Q": 2}
    run("analyze", record, "--model", forest, "-o", tmp_path / "p.html")
    assert "MLII" in capsys.readouterr().out
