"""The command line as a user runs it: output, files, exit codes, one-line errors."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest

from ecg_sklearn import cli
from ecg_sklearn.datasets import make_heartbeats

FAST = [
    "--epochs",
    "1",
    "--param",
    "cnn__filters=(8,)",
    "--param",
    "cnn__dense_units=8",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of a quick training on simulated beats, patients apart."""
    folder = tmp_path_factory.mktemp("run") / "out"
    code = cli.main(
        ["train", "--data", "simulated", "--protocol", "inter-patient", "--quiet"]
        + [*FAST, "--output", str(folder)]
    )
    assert code == 0
    return folder


@pytest.fixture(scope="module")
def kaggle_csv(tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv")
    paths = []
    for name, seed in (("train", 0), ("test", 1)):
        beats = make_heartbeats(300, n_records=3, random_state=seed)
        rows = np.column_stack([beats.data, beats.target])
        paths.append(folder / f"{name}.csv")
        np.savetxt(paths[-1], rows, delimiter=",", fmt="%.8g")
    return paths


def fails(argv, message, capsys):
    """Exit code 2 and one line on standard error that says why."""
    assert cli.main([str(arg) for arg in argv]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ecg-sklearn: error: ")
    assert error.count("\n") == 1
    assert message in error


class TestTrain:
    def test_files(self, trained):
        assert sorted(p.name for p in trained.iterdir()) == [
            "confusion_matrix.png",
            "history.png",
            "metrics.json",
            "model.joblib",
        ]
        metrics = json.loads((trained / "metrics.json").read_text())
        assert set(metrics["scores"]) == {"training", "validation", "test"}
        test = metrics["scores"]["test"]
        assert set(test["classes"]) == {"N", "S", "V", "F", "Q"}
        assert np.sum(test["confusion_matrix"]) == test["n_beats"] == 1500
        assert len(metrics["history"]["val_loss"]) == metrics["n_epochs"] == 1
        assert metrics["param"] == {"cnn__filters": [8], "cnn__dense_units": 8}
        pipe = joblib.load(trained / "model.joblib")
        assert pipe["cnn"].filters == (8,)
        assert (trained / "history.png").read_bytes().startswith(b"\x89PNG")

    def test_what_is_printed(self, tmp_path, capsys, kaggle_csv):
        train, test = kaggle_csv
        argv = ["train", "--data", train, "--test-data", test, *FAST]
        assert cli.main([str(a) for a in [*argv, "--output", tmp_path / "out"]]) == 0
        out = capsys.readouterr().out
        for part in (
            "Beats by class",
            "epoch 1/1  ",
            "training   accuracy 0.",
            "validation accuracy 0.",
            "test       accuracy 0.",
            "precision    recall  f1-score   support",
            "memory of patients",
        ):
            assert part in out

    def test_existing_output_is_safe(self, trained, capsys):
        before = (trained / "metrics.json").read_bytes()
        argv = ["train", "--data", "simulated", *FAST, "--output", trained]
        fails(argv, "exists already", capsys)
        assert (trained / "metrics.json").read_bytes() == before

    def test_overwrite_and_sampler(self, tmp_path, capsys):
        out = tmp_path / "out"
        argv = ["train", "--data", "simulated", "--quiet", "--sampler", "none", *FAST]
        argv = [str(a) for a in [*argv, "--validation", "0", "--output", out]]
        assert cli.main(argv) == 0
        assert cli.main([*argv, "--overwrite"]) == 0
        assert "smote" not in joblib.load(out / "model.joblib").named_steps
        metrics = json.loads((out / "metrics.json").read_text())
        assert set(metrics["scores"]) == {"training", "test"}
        assert [p.name for p in tmp_path.iterdir()] == ["out"]  # nothing left beside it

    @pytest.mark.parametrize(
        ("extra", "message"),
        [
            (["--data", "nowhere"], "there is no such folder or file"),
            (["--data", "simulated", "--param", "cnn__epoch=1"], "Invalid parameter"),
            (["--data", "simulated", "--epochs", "0"], "'epochs' parameter"),
            (["--data", "simulated", "--validation", "1.5"], "is not in [0, 1)"),
        ],
    )
    def test_mistakes(self, tmp_path, capsys, extra, message):
        out = tmp_path / "out"
        fails(["train", *extra, "--output", out, "--quiet"], message, capsys)
        assert not out.exists()
        assert list(tmp_path.iterdir()) == []

    def test_mistakes_with_csv_files(self, tmp_path, capsys, kaggle_csv):
        train, test = kaggle_csv
        out = ["--output", tmp_path / "out"]
        fails(["train", "--data", train, *out], "--test-data", capsys)
        fails(
            ["train", "--data", train, "--test-data", test, *out]
            + ["--protocol", "inter-patient"],
            "patients cannot be kept apart",
            capsys,
        )
        broken = tmp_path / "broken.csv"
        broken.write_text("1,2,3\n")
        fails(
            ["train", "--data", broken, "--test-data", test, *out],
            "row 1: it has 3 columns",
            capsys,
        )

    def test_a_misspelt_option_is_argparse_business(self, capsys):
        with pytest.raises(SystemExit) as stop:
            cli.main(["train", "--param", "filters"])
        assert stop.value.code == 2
        assert "STEP__NAME=VALUE" in capsys.readouterr().err


def test_the_fraction_held_out_is_the_one_asked_for(tmp_path):
    for fraction in ("0.3", "0.6"):
        out = tmp_path / fraction
        argv = ["train", "--data", "simulated", "--protocol", "inter-patient", *FAST]
        argv += ["--validation", fraction, "--quiet", "--output", str(out)]
        assert cli.main(argv) == 0
        sets = json.loads((out / "metrics.json").read_text())["sets"]
        n = {name: sum(s["counts"].values()) for name, s in sets.items()}
        found = n["validation"] / (n["validation"] + n["training"])
        assert found == pytest.approx(float(fraction), abs=0.06)


class TestEvaluate:
    def test_scores(self, trained, kaggle_csv, tmp_path, capsys):
        out = tmp_path / "scores.json"
        argv = [
            "evaluate",
            trained / "model.joblib",
            "--data",
            kaggle_csv[1],
            "-o",
            out,
            "--resamples",
            50,
        ]
        assert cli.main([str(a) for a in argv]) == 0
        printed = capsys.readouterr().out
        scores = json.loads(out.read_text())
        assert "ANSI/AAMI EC57" in printed
        assert scores["ec57"]["gross"]["n_beats"] == 300
        assert scores["intervals"]["accuracy"]["unit"] == "beats"
        assert f"300 beats, accuracy {scores['accuracy']:.4f}" in printed
        fails(argv, "exists already", capsys)

    def test_models_that_are_none(self, tmp_path, capsys):
        fails(["evaluate", tmp_path / "no.joblib"], "There is no model file", capsys)
        (tmp_path / "text.joblib").write_text("hello")
        fails(["evaluate", tmp_path / "text.joblib"], "is not a model", capsys)
        joblib.dump({"a": 1}, tmp_path / "dict.joblib")
        fails(["evaluate", tmp_path / "dict.joblib"], "not a classifier", capsys)


class TestPredict:
    def test_csv_with_and_without_labels(self, trained, kaggle_csv, tmp_path, capsys):
        bare = tmp_path / "bare.csv"
        rows = np.loadtxt(kaggle_csv[1], delimiter=",")
        np.savetxt(bare, rows[:, :187], delimiter=",", fmt="%.8g")
        tables = []
        for source in (kaggle_csv[1], bare):
            out = tmp_path / f"{source.stem}_predictions.csv"
            argv = ["predict", trained / "model.joblib", source, "-o", out]
            assert cli.main([str(a) for a in argv]) == 0
            assert "300 beats classified" in capsys.readouterr().out
            tables.append(pd.read_csv(out))
        one, two = tables
        assert list(one.columns) == ["record", "time", "class", "probability"] + [
            f"p_{name}" for name in "NSVFQ"
        ]
        pd.testing.assert_series_equal(one["class"], two["class"])
        np.testing.assert_allclose(one.filter(like="p_").sum(axis=1), 1, atol=1e-4)
        pipe = joblib.load(trained / "model.joblib")
        predicted = pipe.predict(rows[:, :187].astype(np.float32))
        assert list(one["class"]) == [("N", "S", "V", "F", "Q")[k] for k in predicted]

    def test_a_wfdb_record(self, trained, wfdb_folder, capsys):
        argv = ["predict", trained / "model.joblib", wfdb_folder / "r1"]
        assert cli.main([*map(str, argv), "--channel", "II"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("record,time,class,probability,p_N")
        assert lines[1].startswith("r1,0.4,")

    def test_classes_as_annotations(self, trained, wfdb_folder, tmp_path, capsys):
        import wfdb

        out = tmp_path / "r1.csv"
        argv = ["predict", trained / "model.joblib", wfdb_folder / "r1", "-o", out]
        argv = [*map(str, argv), "--channel", "II", "--annotator", "cnn"]
        assert cli.main(argv) == 0
        given = wfdb.rdann(str(wfdb_folder / "r1"), "atr")
        written = wfdb.rdann(str(wfdb_folder / "r1"), "cnn")
        table = pd.read_csv(out)
        beats = [s for s, k in zip(given.sample, given.symbol, strict=True) if k != "+"]
        np.testing.assert_array_equal(written.sample, beats[: len(table)])
        assert written.symbol == list(table["class"])
        out.unlink()
        fails(argv, "r1.cnn exists already", capsys)
        argv[-1] = "atr"
        fails(argv, "would replace the annotations", capsys)

    def test_mistakes(self, trained, wfdb_folder, tmp_path, capsys):
        model = trained / "model.joblib"
        fails(["predict", model, tmp_path / "no.csv"], "There is no file", capsys)
        fails(["predict", model, wfdb_folder / "r9"], "no annotation file", capsys)
        argv = ["predict", model, wfdb_folder / "r1", "--channel", "MLII"]
        fails(argv, "has no channel 'MLII'", capsys)


class TestData:
    def test_verify_of_an_empty_folder(self, tmp_path, capsys):
        fails(["data", "verify", "--data", tmp_path], "144 files are missing", capsys)
        fails(["data", "counts", "--data", tmp_path], "are missing", capsys)

    @pytest.mark.mitbih
    def test_on_the_real_records(self, mitbih_home, capsys):
        for action in ("fetch", "verify", "counts"):
            assert cli.main(["data", action, "--data", str(mitbih_home)]) == 0
        out = capsys.readouterr().out
        assert "144 files" in out
        assert "90,589" in out

    @pytest.mark.mitbih
    def test_predict_a_real_record(self, trained, mitbih_home, tmp_path, capsys):
        from ecg_sklearn.datasets import fetch_mitbih
        from ecg_sklearn.datasets._mitbih import find_mitbih

        record = find_mitbih(mitbih_home) / "100"
        out = tmp_path / "100.csv"
        argv = ["predict", trained / "model.joblib", record, "-o", out]
        assert cli.main([str(a) for a in argv]) == 0
        beats = fetch_mitbih(data_home=mitbih_home)
        here = beats.groups == "100"
        table = pd.read_csv(out)
        np.testing.assert_allclose(table["time"], beats.time[here], atol=1e-3)
        pipe = joblib.load(trained / "model.joblib")
        expected = pipe.predict_proba(beats.data[here]).max(axis=1)
        np.testing.assert_allclose(table["probability"], expected, atol=1e-5)


class TestForm:
    def test_windows_need_records(self, tmp_path, capsys):
        argv = ["train", "--data", "simulated", "--form", "window", "--quiet"]
        fails([*argv, "-o", tmp_path / "o"], "needs the MIT-BIH records", capsys)

    def test_predict_cuts_as_training_did(self, trained, wfdb_folder, tmp_path, capsys):
        from ecg_sklearn import make_ecg_pipeline
        from ecg_sklearn.datasets import load_wfdb_beats

        cut = {"form": "window", "window": (-0.3, 0.5), "sampling_rate": 120.0}
        cut["channel"] = ("MLII", "V1")  # neither the first one nor by position
        beats = load_wfdb_beats(wfdb_folder, **cut)
        pipe = make_ecg_pipeline(sampler=None, filters=(8,), epochs=1)
        pipe.fit(beats.data, beats.target).cut_ = cut
        model = tmp_path / "model.joblib"
        joblib.dump(pipe, model)
        out = tmp_path / "r1.csv"
        argv = ["predict", model, wfdb_folder / "r1", "-o", out]
        assert cli.main([str(a) for a in argv]) == 0
        here = beats.groups == "r1"
        expected = pipe.predict_proba(beats.data[here]).max(axis=1)
        found = pd.read_csv(out)["probability"]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        capsys.readouterr()
        rows = tmp_path / "rows.csv"
        rows.write_text(",".join(["0"] * 187) + "\n")
        fails(["predict", model, rows], "the model knows windows of -0.3", capsys)
        fails(["evaluate", model, "--data", "simulated"], "knows windows", capsys)


@pytest.mark.mitbih
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["kaggle", "inter-patient"])
def test_train_on_real_records(mitbih_home, protocol, tmp_path, capsys):
    out = tmp_path / "out"
    argv = ["train", "--data", mitbih_home, "--protocol", protocol, "--output", out]
    argv += ["--sampler", "none", "--epochs", 1, "--quiet"]
    argv += ["--param", "cnn__filters=(16, 32, 64)"]
    assert cli.main([str(a) for a in argv]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    n_test, classes = {
        "kaggle": (21_892, list("NSVFQ")),
        "inter-patient": (49_657, list("NSVF")),
    }[protocol]
    assert metrics["scores"]["test"]["n_beats"] == n_test
    assert list(metrics["scores"]["test"]["classes"]) == classes
    assert metrics["scores"]["training"]["accuracy"] > 0.93  # it did learn
    assert metrics["scores"]["test"]["accuracy"] > 0.8


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

    def test_version(self, capsys):
        from ecg_sklearn import __version__

        with pytest.raises(SystemExit):
            cli.main(["--version"])
        assert capsys.readouterr().out.strip() == __version__


def test_an_interruption_writes_nothing(tmp_path, capsys, monkeypatch):
    from ecg_sklearn import _commands

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_commands, "scores_of", interrupt)
    argv = ["train", "--data", "simulated", "--quiet", *FAST]
    assert cli.main([*argv, "--output", str(tmp_path / "out")]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_demo(tmp_path, capsys):
    argv = ["demo", "--output", str(tmp_path / "out"), "--quiet", *FAST]
    assert cli.main(argv) == 0
    out = capsys.readouterr().out
    assert "nothing about real patients" in out
    assert "No record is in both" in out
    assert (tmp_path / "out" / "model.joblib").is_file()
