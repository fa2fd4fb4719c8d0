"""``evaluate``, ``report`` and ``predict``: what they read, print and write."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest

from ecg_sklearn import (
    cli,
    load,
    make_ecg_pipeline,
    persistence,
    save,
)
from ecg_sklearn.aami import DS1
from ecg_sklearn.cli import _evaluate, _sources
from ecg_sklearn.cli._model_files import read_model
from ecg_sklearn.cli._sources import KAGGLE_CUT
from ecg_sklearn.datasets import load_wfdb_beats, make_heartbeats
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.ensemble import RefinedClassifier
from ecg_sklearn.preprocessing import SpectrogramTransformer

from .conftest import FAST, run

LETTERS = list("NSVFQ")


@pytest.fixture
def no_network(monkeypatch):
    """Make PhysioNet unreachable, and any try to reach it a failure."""

    def download(directory):
        pytest.fail(f"downloads to {directory}")

    monkeypatch.setattr(MITDB, "download", download)
    monkeypatch.setattr(MITDB, "url", "http://127.0.0.1:9/")


@pytest.fixture
def of_mitbih(monkeypatch):
    """Let simulated beats stand for those of MIT-BIH; give the subsets asked for."""
    asked = []

    def load_beats(source, subset, *, seed, cut, records, annotator):
        asked.append(subset)
        return _sources.load_beats(_sources.Source("simulated"), seed=0)

    source = _sources.Source("mitbih")
    monkeypatch.setattr(_evaluate, "find_source", lambda data: source)
    monkeypatch.setattr(_evaluate, "load_beats", load_beats)
    return asked


class TestEvaluate:
    def test_scores(self, trained, kaggle_csv, tmp_path, capsys):
        out = tmp_path / "scores.json"
        model = trained / "model.ecgsk"
        run("evaluate", model, "--data", kaggle_csv[1], "-o", out, "--resamples", 20)
        printed = capsys.readouterr().out
        scores = json.loads(out.read_text())
        assert f"200 beats, accuracy {scores['accuracy']:.4f}" in printed
        assert scores["ec57"]["gross"]["n_beats"] == 200
        assert scores["intervals"]["accuracy"]["unit"] == "beats"
        assert "The records of these beats are not known" in printed

    @pytest.mark.parametrize(
        ("protocol", "expected"), [("kaggle", "test"), ("inter-patient", "ds2")]
    )
    def test_the_subset_follows_the_training(
        self, model_with_labels, of_mitbih, monkeypatch, capsys, protocol, expected
    ):
        model = read_model(model_with_labels(range(5)))[0]
        facts = {"protocol": protocol, "cut": KAGGLE_CUT}
        monkeypatch.setattr(_evaluate, "read_model", lambda path: (model, facts))
        argv = ["evaluate", model_with_labels(range(5)), "--resamples", 2]
        run(*argv)
        run(*argv, "--subset", "ds1")
        assert of_mitbih == [expected, "ds1"]
        assert f"subset {expected}" in capsys.readouterr().out

    def test_patients_of_the_training(self, trained, of_mitbih, capsys):
        run("evaluate", trained / "model.ecgsk", "--resamples", 2)
        assert of_mitbih == ["ds2"]
        assert "of the 20 patients here were trained on" in capsys.readouterr().out

    @pytest.mark.slow
    def test_report(self, trained, tmp_path, capsys):
        argv = ["report", trained / "model.ecgsk", "--data", "simulated"]
        run(*argv, "-o", tmp_path / "page.html", "--resamples", 10)
        assert "No record and no subject is in both" in capsys.readouterr().out
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        facts = read_model(trained / "model.ecgsk")[1]
        assert facts["sets"]["training"]["source"].partition(",")[0] in page

    def test_models_that_are_none(self, tmp_path, fails):
        (tmp_path / "zip").write_bytes(b"PK\3\4 and nothing more")
        argv = ["evaluate", tmp_path / "zip", "--data", "simulated"]
        fails("zip", *argv)
        save(SpectrogramTransformer(), tmp_path / "step.ecgsk")
        argv[1] = tmp_path / "step.ecgsk"
        fails("not a classifier", *argv)


def test_a_subset_names_records(tmp_path):
    source = _sources.Source("mitbih", (tmp_path,))
    assert _sources._names_of(source, "ds1", None) == DS1
    assert _sources._names_of(source, "all", None) is None
    assert _sources._names_of(source, "ds2", ["100"]) == ["100"]
    with pytest.raises(ValueError, match="--subset test is a part of the official"):
        _sources.records_of(source, "test", None, "atr")
    with pytest.raises(ValueError, match="--subset test is a part of the official"):
        _sources.load_beats(source, "test", annotator="qrs")


class TestFolders:
    """Nothing but ``data fetch`` downloads."""

    @pytest.mark.parametrize("command", ["evaluate", "report", "train"])
    def test_without_records(
        self, command, model_with_labels, tmp_path, monkeypatch, no_network, fails
    ):
        model = [] if command == "train" else [model_with_labels(range(5))]
        argv = [command, *model, "-o", tmp_path / "o"]
        monkeypatch.setenv("ECG_SKLEARN_DATA", str(tmp_path / "none"))
        fails("To download them: ecg-sklearn data fetch.", *argv)
        (tmp_path / "empty").mkdir()
        where = tmp_path / "empty"
        fails(f"ecg-sklearn data fetch --data {where}", *argv, "--data", where)
        (where / "100.atr").touch()
        fails("143 files of the MIT-BIH", *argv, "--data", where)
        assert not (tmp_path / "o").exists()

    def test_records_of_another_database(
        self, trained, wfdb_folder, no_network, capsys, fails, tmp_path
    ):
        argv = [trained / "model.ecgsk", "--data", wfdb_folder]
        run("evaluate", *argv, "--resamples", 5)
        beats = load_wfdb_beats(wfdb_folder, form="kaggle", channel=0)
        found = capsys.readouterr().out
        assert f"{len(beats.target)} beats, accuracy" in found
        assert "resamples of records" in found
        run("evaluate", *argv, "--lead", "V1", "--subset", "all", "--resamples", 5)
        run("evaluate", *argv, "--records", "r2", "--resamples", 5)
        n_beats = int((beats.groups == "r2").sum())
        assert f"{n_beats} beats, accuracy" in capsys.readouterr().out
        fails("is not MIT-BIH", "evaluate", *argv, "--subset", "ds2")
        fails("annotation file *.qrs", "evaluate", *argv, "--annotator", "qrs")
        fails("r9", "evaluate", *argv, "--records", "r9")
        fails("has no channel 'MLII'", "report", *argv, "--lead", "MLII")
        command = ["train", "--data", wfdb_folder, "-o", tmp_path / "out"]
        fails("Use --protocol inter-patient", *command, "--protocol", "kaggle")
        for option in (["--records", "a"], ["--annotator", "qrs"]):
            command = ["evaluate", argv[0], "--data", "simulated", *option]
            fails(f"{option[0]} is for WFDB records", *command)


class TestLabels:
    """0.0 to 4.0 and "N" to "Q" mean the five classes, others stay as they are."""

    def test_the_five_classes(self, model_with_labels, kaggle_csv, tmp_path):
        rows, found = kaggle_csv[1], []
        to = ["--overwrite", "--output", tmp_path / "out"]
        for labels in (range(5), [0.0, 1.0, 2.0, 3.0, 4.0], LETTERS):
            model = model_with_labels(list(labels))
            run("evaluate", model, "--data", rows, "--resamples", 5, *to)
            scores = json.loads((tmp_path / "out").read_text())
            run("predict", model, rows, *to)
            found.append((scores["classes"], pd.read_csv(tmp_path / "out")))
        run("report", model, "--data", rows, "--resamples", 5, *to)
        assert "EC57" in (tmp_path / "out").read_text(encoding="utf-8")
        (expected, table), *others = found
        assert expected["N"]["recall"] > 0.5
        for scores, other in others:
            assert scores == expected
            assert list(other["class"]) == list(table["class"])
            assert set(other.columns) == set(table.columns)

    def test_other_labels(
        self, model_with_labels, kaggle_csv, wfdb_folder, tmp_path, capsys, fails
    ):
        model = model_with_labels(["normal", "atrial", "pvc", "fusion", "paced"])
        run("predict", model, kaggle_csv[1])
        header, *rows = capsys.readouterr().out.splitlines()
        assert header.endswith("p_atrial,p_fusion,p_normal,p_paced,p_pvc")
        assert {row.split(",")[2] for row in rows} > {"normal", "paced"}
        to = ["-o", tmp_path / "o"]
        for command in ("evaluate", "report"):
            fails("not the AAMI classes", command, model, "--data", kaggle_csv[1], *to)
        argv = ["predict", model, wfdb_folder / "r1", "--annotator", "cnn"]
        fails("--annotator writes N, S, V, F and Q", *argv)
        model = model_with_labels([10, 11, 12, 13, 14])
        run("predict", model, kaggle_csv[1])
        assert "p_10,p_11" in capsys.readouterr().out


class TestPredict:
    def test_rows_with_and_without_labels(self, trained, kaggle_csv, tmp_path):
        rows = np.loadtxt(kaggle_csv[1], delimiter=",")
        np.savetxt(tmp_path / "BARE.CSV", rows[:, :187], delimiter=",", fmt="%.8g")
        tables = []
        for source in (kaggle_csv[1], tmp_path / "BARE.CSV"):
            out = tmp_path / source.stem
            run("predict", trained / "model.ecgsk", source, "-o", out)
            tables.append(pd.read_csv(out).drop(columns="record"))
        one, two = tables
        names = ["time", "class", "probability", *(f"p_{name}" for name in LETTERS)]
        assert list(one.columns) == names
        pd.testing.assert_frame_equal(one, two)
        predicted = load(trained / "model.ecgsk").predict(rows[:, :187])
        assert list(one["class"]) == [LETTERS[k] for k in predicted]

    def test_names_of_a_record(self, trained, wfdb_folder, capsys):
        printed = []
        for name in ("r1", "r1.hea", "r1.dat"):
            argv = [trained / "model.ecgsk", wfdb_folder / name]
            run("predict", *argv, "--beats", "atr")
            printed.append(capsys.readouterr().out)
        assert printed[0].startswith("record,time,class,probability,p_N")
        assert printed[0].splitlines()[1].startswith("r1,0.4,")
        assert printed == [printed[0]] * 3

    def test_classes_as_annotations(self, trained, wfdb_folder, tmp_path):
        import wfdb

        out = tmp_path / "r1.csv"
        argv = ["predict", trained / "model.ecgsk", wfdb_folder / "r1", "-o", out]
        run(*argv, "--lead", "II", "--beats", "atr", "--annotator", "cnn")
        given = wfdb.rdann(str(wfdb_folder / "r1"), "atr")
        written = wfdb.rdann(str(wfdb_folder / "r1"), "cnn")
        table = pd.read_csv(out)
        beats = [s for s, k in zip(given.sample, given.symbol, strict=True) if k != "+"]
        np.testing.assert_array_equal(written.sample, beats[: len(table)])
        assert written.symbol == list(table["class"])


class TestCut:
    """Beats are cut as those of the training were."""

    cut = {"form": "window", "window": [-0.3, 0.5], "sampling_rate": 120.0}
    cut |= {"channel": ["MLII", "V1"], "features": ["rr"]}

    def test_windows(self, wfdb_folder, tmp_path, fails):
        beats = load_wfdb_beats(wfdb_folder, **self.cut)
        pipe = make_ecg_pipeline(sampler=None, filters=(4,), epochs=1)
        pipe.fit(beats.data, beats.target)
        expected = pipe.predict_proba(beats.data[beats.groups == "r1"]).max(axis=1)
        rows = tmp_path / "rows.csv"
        rows.write_text(",".join(["0"] * 187) + "\n")
        for number, metadata in enumerate([{"cut": beats.cut}, None]):
            model, out = tmp_path / f"{number}.ecgsk", tmp_path / f"{number}.csv"
            save(pipe, model, metadata=metadata)  # the scaler knows the cut as well
            run("predict", model, wfdb_folder / "r1", "--beats", "atr", "-o", out)
            found = pd.read_csv(out)["probability"]
            np.testing.assert_allclose(found, expected, atol=1e-5)
            fails("the model knows windows of -0.3", "predict", model, rows)
            fails("the model knows windows", "evaluate", model, "--data", "simulated")

    def test_rows_without_times(self, kaggle_csv):
        with pytest.raises(ValueError, match="with the features rr, rhythm"):
            _sources.read_rows(
                kaggle_csv[0], KAGGLE_CUT | {"features": ["rr", "rhythm"]}
            )

    def test_a_model_that_says_nothing_knows_kaggle_rows(self, model_with_labels):
        assert read_model(model_with_labels(range(5)))[1] == {"cut": KAGGLE_CUT}

    @pytest.mark.parametrize(
        "facts",
        [
            {"cut": 5},
            {"cut": {"form": "window"}},
            {"cut": KAGGLE_CUT | {"features": ["x"]}},
            {"protocol": []},
            {"training_records": [1]},
            {"sets": {"training": {"source": "", "counts": "many"}}},
        ],
    )
    def test_facts_that_train_does_not_write(
        self, facts, model_with_labels, tmp_path, fails
    ):
        path = tmp_path / "model.ecgsk"
        save(load(model_with_labels(range(5))), path, metadata=facts)
        argv = ["evaluate", path, "--data", "simulated"]
        fails("what ecg-sklearn train does not write", *argv)


@pytest.mark.slow
def test_a_model_with_the_rhythm(tmp_path):
    model = tmp_path / "out" / "model.ecgsk"
    argv = ["train", "--data", "simulated", "--rhythm", *FAST, "-o", model.parent]
    run(*argv)
    argv = [model, "--data", "simulated", "--seed", 3, "--resamples", 5]
    run("evaluate", *argv, "-o", tmp_path / "scores.json")
    run("report", *argv, "-o", tmp_path / "page.html")
    model, facts = read_model(model)
    assert isinstance(model, RefinedClassifier)
    assert facts["cut"]["features"] == ["rr", "rhythm"]
    source = _sources.find_source("simulated")
    beats = _sources.load_beats(source, seed=3, cut=facts["cut"])
    told = {"groups": beats.groups}
    expected = model.score(beats.data, beats.target, **told)
    alone = model.predict_proba(beats.data)
    assert not np.allclose(model.predict_proba(beats.data, **told), alone)
    found = json.loads((tmp_path / "scores.json").read_text())["accuracy"]
    assert found == pytest.approx(expected, abs=0.005)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "RefinedClassifier" in page
    assert f"{found:.4f}" in page


class TestPickles:
    def test_a_warning_comes_first(self, trained, kaggle_csv, tmp_path, capsys):
        joblib.dump(load(trained / "model.ecgsk"), tmp_path / "packed", compress=3)
        run("predict", tmp_path / "packed", kaggle_csv[1], "-o", tmp_path / "1")
        error = capsys.readouterr().err
        assert error.startswith("ecg-sklearn: warning: ")
        assert error.count("\n") == 1
        assert "is a pickle, and opening one runs any code" in error
        run("predict", trained / "model.ecgsk", kaggle_csv[1], "-o", tmp_path / "2")
        assert capsys.readouterr().err == ""
        pd.testing.assert_frame_equal(*(pd.read_csv(tmp_path / n) for n in "12"))

    def test_other_versions(self, trained, kaggle_csv, capsys, monkeypatch):
        real = persistence.version
        monkeypatch.setattr(persistence, "version", lambda name: f"9{real(name)}")
        run("predict", trained / "model.ecgsk", kaggle_csv[1])
        error = capsys.readouterr().err
        assert error.startswith("ecg-sklearn: warning: ")
        assert error.count("\n") == 1
        assert "was saved with" in error

    def test_damaged_and_other_ones(self, tmp_path, capsys):
        joblib.dump({"a": 1}, tmp_path / "dict.joblib")
        content = (tmp_path / "dict.joblib").read_bytes()
        (tmp_path / "half.joblib").write_bytes(content[:-3])
        for name, message in (("dict", "not a classifier"), ("half", "not a model")):
            path = str(tmp_path / f"{name}.joblib")
            assert cli.main(["evaluate", path, "--data", "simulated"]) == 2
            warning, error = capsys.readouterr().err.splitlines()
            assert "is a pickle" in warning
            assert message in error


class TestData:
    def test_an_empty_folder(self, tmp_path, fails):
        fails("144 files are missing", "data", "verify", "--data", tmp_path)
        fails("ecg-sklearn data fetch", "data", "counts", "--data", tmp_path)

    def test_classes_of_another_file_are_not_scored(self, trained, tmp_path, fails):
        """A row of ptbdb is normal or abnormal, never supraventricular."""
        path, model = tmp_path / "ptbdb_abnormal.csv", trained / "model.ecgsk"
        rows = np.column_stack([make_heartbeats(20, random_state=0).data, np.ones(20)])
        np.savetxt(path, rows, delimiter=",", fmt="%.6g")
        for command in ("evaluate", "report"):
            to = ["-o", tmp_path / "out"]
            fails(
                "holds the classes normal, abnormal",
                command,
                model,
                "--data",
                path,
                *to,
            )
        train = ["train", "--data", path, "--test-data", path, "-o", tmp_path / "new"]
        fails("holds the classes normal, abnormal", *train)

    @pytest.mark.mitbih
    def test_the_real_records(self, mitbih_home, capsys):
        for action in ("fetch", "verify", "counts"):
            run("data", action, "--data", mitbih_home)
        out = capsys.readouterr().out
        assert "144 files" in out
        assert "90,589" in out


class TestHelp:
    @pytest.mark.parametrize(
        "command", ["train", "evaluate", "report", "predict", "data", "demo"]
    )
    def test_every_command_shows_examples(self, command, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        assert stop.value.code == 0
        out = capsys.readouterr().out
        assert f"ecg-sklearn {command}" in out.split("examples:")[1]
        assert max(map(len, out.splitlines())) <= 88
