"""The command line as a user runs it: output, files, exit codes, one-line errors."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest

from ecg_sklearn import ShapeRhythmClassifier, cli, load, save
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.preprocessing import SpectrogramTransformer

FAST = [
    "--epochs",
    "1",
    "--param",
    "cnn__filters=(8,)",
    "--param",
    "cnn__dense_units=8",
    "--param",
    "cnn__residual=()",
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


@pytest.fixture
def few_beats(monkeypatch):
    """Makes the simulated beats of the commands a few."""
    from ecg_sklearn.cli import _protocols

    monkeypatch.setitem(_protocols._SIMULATED, "n_samples", 400)
    monkeypatch.setitem(_protocols._SIMULATED, "n_records", 20)


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
            "model.ecgsk",
        ]
        metrics = json.loads((trained / "metrics.json").read_text())
        assert set(metrics["scores"]) == {"training", "validation", "test"}
        test = metrics["scores"]["test"]
        assert set(test["classes"]) == {"N", "S", "V", "F", "Q"}
        assert np.sum(test["confusion_matrix"]) == test["n_beats"] == 1500
        assert len(metrics["history"]["val_loss"]) == metrics["n_epochs"] == 1
        assert metrics["param"] == {
            "cnn__filters": [8],
            "cnn__dense_units": 8,
            "cnn__residual": [],
        }
        pipe = load(trained / "model.ecgsk")
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

    def test_overwrite_and_sampler(self, tmp_path, capsys, few_beats):
        out = tmp_path / "out"
        argv = ["train", "--data", "simulated", "--quiet", *FAST]
        argv = [str(a) for a in [*argv, "--validation", "0", "--output", out]]
        assert cli.main(argv) == 0
        assert "smote" not in load(out / "model.ecgsk").named_steps
        assert cli.main([*argv, "--overwrite", "--sampler", "smote"]) == 0
        assert "smote" in load(out / "model.ecgsk").named_steps
        metrics = json.loads((out / "metrics.json").read_text())
        assert set(metrics["scores"]) == {"training", "test"}
        assert [p.name for p in tmp_path.iterdir()] == ["out"]  # nothing left beside it

    @pytest.mark.parametrize(
        ("extra", "message"),
        [
            (["--data", "nowhere"], "there is no such folder or file"),
            (["--param", "cnn__epoch=1"], "Invalid parameter"),
            (["--epochs", "0"], "'epochs' parameter"),
            (["--validation", "1.5"], "is not in [0, 1)"),
            (["--validation", "nan"], "--validation nan is not in [0, 1)"),
            (["--epochs", "-1"], "'epochs' parameter"),
            (["--seed", "-5"], "'random_state' parameter"),
            (["--seed", "99999999999"], "'random_state' parameter"),
            (["--form", "window"], "needs the MIT-BIH records"),
            (["--param", "cnn__nothing=1"], "Invalid parameter 'nothing'"),
            (["--param", "foo__x=1"], "Its steps are scaler, spectrogram, cnn"),
            (["--param", "memory__x=1"], "no such step"),
            (["--param", "cnn__filters=3"], "'filters' parameter"),
            (["--param", "cnn__batch_size=0"], "'batch_size' parameter"),
            (["--param", "cnn__random_state=None"], "needs an int as random_state"),
            (["--channel", "II"], "goes with --stream"),
            (["--stream"], "needs a folder of WFDB records"),
        ],
    )
    def test_mistakes(self, tmp_path, capsys, extra, message, few_beats):
        out = tmp_path / "out"
        argv = ["train", "--data", "simulated", *extra, "--output", out, "--quiet"]
        fails(argv, message, capsys)
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


def test_the_fraction_held_out_is_the_one_asked_for(tmp_path, few_beats):
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
            trained / "model.ecgsk",
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
        (tmp_path / "empty").touch()
        fails(["report", tmp_path / "empty"], "is not a model", capsys)
        (tmp_path / "zip").write_bytes(b"PK\3\4 and nothing more")
        fails(["evaluate", tmp_path / "zip"], "cannot be loaded", capsys)
        fails(["evaluate", tmp_path], "is a folder", capsys)
        save(SpectrogramTransformer(), tmp_path / "step.ecgsk")
        fails(["evaluate", tmp_path / "step.ecgsk"], "not a classifier", capsys)

    def test_options_are_checked_before_anything_else(self, trained, tmp_path, capsys):
        model = trained / "model.ecgsk"
        for command in ("evaluate", "report"):
            argv = [command, model, "--data", "simulated", "-o", tmp_path / "o"]
            fails([*argv, "--resamples", 0], "--resamples 0 must be", capsys)
            fails([*argv, "--resamples", 10**11], "from 1 to 1,000,000", capsys)
            fails([*argv, "-o", tmp_path], "is a folder. Name a file", capsys)
            fails([*argv, "-o", model / "x"], "model.ecgsk is no folder", capsys)


class TestPickles:
    def test_a_warning_comes_first(self, trained, kaggle_csv, tmp_path, capsys):
        tables = []
        for compress in (0, 3):
            model = tmp_path / f"model{compress}.joblib"
            joblib.dump(load(trained / "model.ecgsk"), model, compress=compress)
            out = tmp_path / f"{compress}.csv"
            argv = ["predict", model, kaggle_csv[1], "-o", out]
            assert cli.main([str(a) for a in argv]) == 0
            error = capsys.readouterr().err
            assert error.startswith("ecg-sklearn: warning: ")
            assert error.count("\n") == 1
            assert "is a pickle, and opening one runs any code" in error
            tables.append(out.read_bytes())
        argv = ["predict", trained / "model.ecgsk", kaggle_csv[1], "-o", tmp_path / "o"]
        assert cli.main([str(a) for a in argv]) == 0
        assert capsys.readouterr().err == ""
        assert tables == [(tmp_path / "o").read_bytes()] * 2

    def test_damaged_and_other_ones(self, tmp_path, capsys):
        joblib.dump({"a": 1}, tmp_path / "dict.joblib")
        content = (tmp_path / "dict.joblib").read_bytes()
        (tmp_path / "half.joblib").write_bytes(content[:-3])
        for name, message in (("dict", "not a classifier"), ("half", "not a model")):
            path = str(tmp_path / f"{name}.joblib")
            assert cli.main(["evaluate", path]) == 2
            warning, error = capsys.readouterr().err.splitlines()
            assert "is a pickle" in warning
            assert message in error

    def test_other_versions_are_one_line(
        self, trained, kaggle_csv, capsys, monkeypatch
    ):
        from ecg_sklearn import persistence as _model

        real = _model.version
        monkeypatch.setattr(_model, "version", lambda p: f"9{real(p)}")
        argv = ["evaluate", trained / "model.ecgsk", "--data", kaggle_csv[1]]
        assert cli.main([*map(str, argv), "--resamples", "2"]) == 0
        error = capsys.readouterr().err
        assert error.startswith("ecg-sklearn: warning: ")
        assert error.count("\n") == 1
        assert "was saved with" in error


class TestPredict:
    def test_csv_with_and_without_labels(self, trained, kaggle_csv, tmp_path, capsys):
        bare = tmp_path / "bare.csv"
        rows = np.loadtxt(kaggle_csv[1], delimiter=",")
        np.savetxt(bare, rows[:, :187], delimiter=",", fmt="%.8g")
        tables = []
        for source in (kaggle_csv[1], bare):
            out = tmp_path / f"{source.stem}_predictions.csv"
            argv = ["predict", trained / "model.ecgsk", source, "-o", out]
            assert cli.main([str(a) for a in argv]) == 0
            assert "300 beats classified" in capsys.readouterr().out
            tables.append(pd.read_csv(out))
        one, two = tables
        assert list(one.columns) == ["record", "time", "class", "probability"] + [
            f"p_{name}" for name in "NSVFQ"
        ]
        pd.testing.assert_series_equal(one["class"], two["class"])
        np.testing.assert_allclose(one.filter(like="p_").sum(axis=1), 1, atol=1e-4)
        pipe = load(trained / "model.ecgsk")
        predicted = pipe.predict(rows[:, :187].astype(np.float32))
        assert list(one["class"]) == [("N", "S", "V", "F", "Q")[k] for k in predicted]

    def test_a_wfdb_record(self, trained, wfdb_folder, capsys):
        argv = ["predict", trained / "model.ecgsk", wfdb_folder / "r1"]
        assert cli.main([*map(str, argv), "--channel", "II"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("record,time,class,probability,p_N")
        assert lines[1].startswith("r1,0.4,")

    def test_classes_as_annotations(self, trained, wfdb_folder, tmp_path, capsys):
        import wfdb

        out = tmp_path / "r1.csv"
        argv = ["predict", trained / "model.ecgsk", wfdb_folder / "r1", "-o", out]
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
        model = trained / "model.ecgsk"
        fails(["predict", model, tmp_path / "no.csv"], "There is no file", capsys)
        fails(["predict", model, tmp_path], "is a folder. Name a record", capsys)
        (tmp_path / "empty.csv").touch()
        fails(["predict", model, tmp_path / "empty.csv"], "is empty", capsys)
        (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
        fails(["predict", model, tmp_path / "binary.csv"], "not a text file", capsys)
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
        argv = ["predict", trained / "model.ecgsk", record, "-o", out]
        assert cli.main([str(a) for a in argv]) == 0
        beats = fetch_mitbih(data_home=mitbih_home)
        here = beats.groups == "100"
        table = pd.read_csv(out)
        np.testing.assert_allclose(table["time"], beats.time[here], atol=1e-3)
        pipe = load(trained / "model.ecgsk")
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
        model = tmp_path / "model.ecgsk"
        save(pipe, model)
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


@pytest.fixture(scope="module")
def with_rhythm(tmp_path_factory):
    """Model file of a quick training with the rhythm, patients apart."""
    out = tmp_path_factory.mktemp("rhythm") / "out"
    argv = ["train", "--data", "simulated", "--protocol", "inter-patient"]
    argv += ["--rhythm", "--quiet", *FAST, "--output", out]
    assert cli.main([str(a) for a in argv]) == 0
    return out / "model.ecgsk"


class TestRhythm:
    def test_what_is_written(self, with_rhythm):
        names = {path.name for path in with_rhythm.parent.iterdir()}
        assert names >= {"metrics.json", "history.png", "confusion_matrix.png"}
        facts = json.loads((with_rhythm.parent / "metrics.json").read_text())
        assert facts["rhythm"] is True
        assert facts["cut"]["rhythm"] is True
        found = load(with_rhythm)
        assert isinstance(found, ShapeRhythmClassifier)
        assert found.estimator_["cnn"].n_epochs_ == 1
        assert facts["scores"]["test"]["classes"]["S"]["f1-score"] > 0.5

    def test_evaluate_tells_it_of_the_records(self, with_rhythm, tmp_path, capsys):
        from ecg_sklearn.cli._protocols import load_beats

        out = tmp_path / "scores.json"
        argv = ["evaluate", with_rhythm, "--data", "simulated", "--seed", 3, "-o", out]
        assert cli.main([str(a) for a in [*argv, "--resamples", 20]]) == 0
        loaded = load(with_rhythm)
        beats = load_beats("simulated", None, seed=3, cut=loaded.cut_)
        X, y = beats.data, beats.target
        found = json.loads(out.read_text())["accuracy"]
        assert found == loaded.score(X, y, groups=beats.groups)
        assert found != loaded.score(X, y)

    def test_report(self, with_rhythm, tmp_path, capsys):
        from ecg_sklearn.cli._protocols import load_beats

        out = tmp_path / "report.html"
        argv = ["report", with_rhythm, "--data", "simulated", "--seed", 3, "-o", out]
        assert cli.main([str(a) for a in [*argv, "--resamples", 20]]) == 0
        page = out.read_text()
        assert "what the rhythm decided is not in them" in page
        loaded = load(with_rhythm)
        beats = load_beats("simulated", None, seed=3, cut=loaded.cut_)
        X, y = beats.data, beats.target
        told = f"{loaded.score(X, y, groups=beats.groups):.4f}"
        assert told in page
        assert told != f"{loaded.score(X, y):.4f}"
        assert "ShapeRhythmClassifier" in page
        assert "Loss, accuracy and learning rate" in page

    def test_predict_a_record(self, with_rhythm, wfdb_folder, tmp_path):
        from ecg_sklearn.datasets import load_wfdb_beats

        out = tmp_path / "r1.csv"
        argv = ["predict", with_rhythm, wfdb_folder / "r1", "-o", out]
        assert cli.main([str(a) for a in argv]) == 0
        loaded = load(with_rhythm)
        beats = load_wfdb_beats(wfdb_folder, records=["r1"], **loaded.cut_)
        expected = loaded.predict_proba(beats.data, groups=beats.groups)
        found = pd.read_csv(out)[[f"p_{name}" for name in "NSVFQ"]]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_rows_without_times(self, with_rhythm, kaggle_csv, tmp_path, capsys):
        fails(
            ["predict", with_rhythm, kaggle_csv[0]], "trained with the rhythm", capsys
        )
        argv = ["train", "--rhythm", "--data", kaggle_csv[0], "--test-data"]
        argv += [kaggle_csv[1], "-o", tmp_path / "out"]
        fails(argv, "--rhythm needs WFDB records", capsys)
        argv = ["train", "--rhythm", "--data", tmp_path / "no", "-o", tmp_path / "out"]
        fails(argv, "there is no such folder or file", capsys)

    def test_beats_in_any_order(self, with_rhythm):
        """The rows of the official test file are in the order of their classes."""
        from ecg_sklearn.cli._protocols import load_beats, take
        from ecg_sklearn.report._scoring import predict_beats

        model = load(with_rhythm)
        beats = load_beats("simulated", None, seed=3, cut=model.cut_)
        by_class = np.argsort(beats.target, kind="stable")
        expected = model.predict_proba(beats.data, groups=beats.groups)
        found = predict_beats(model, take(beats, by_class), "predict_proba")
        np.testing.assert_allclose(found, expected[by_class], atol=1e-5)


@pytest.mark.mitbih
@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "options"),
    [("kaggle", ()), ("inter-patient", ()), ("inter-patient", ("--rhythm",))],
)
def test_train_on_real_records(mitbih_home, protocol, options, tmp_path, capsys):
    out = tmp_path / "out"
    argv = ["train", "--data", mitbih_home, "--protocol", protocol, "--output", out]
    argv += options
    argv += ["--sampler", "none", "--epochs", 1, "--quiet"]
    argv += ["--param", "cnn__filters=(16, 32, 64)"]
    assert cli.main([str(a) for a in argv]) == 0
    metrics = json.loads((out / "metrics.json").read_text())
    n_test, classes = {
        "kaggle": (21_892, list("NSVFQ")),
        "inter-patient": (49_683, list("NSVF")),
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


def interrupt(*args, **kwargs):
    raise KeyboardInterrupt


class TestInterruption:
    @pytest.fixture
    def argv(self, request, tmp_path, few_beats):
        argv = ["train", "--data", "simulated", "--quiet", *FAST, "--epochs", "3"]
        argv += getattr(request, "param", [])
        return [*argv, "--output", str(tmp_path / "out")]

    @pytest.fixture
    def broken(self, argv, tmp_path, monkeypatch, capsys):
        """A training that was interrupted after its second epoch."""
        from ecg_sklearn.neural_network import _callbacks

        def write_and_stop(path, state, digest):
            write(path, state, digest)
            if state.epoch == 2:
                raise KeyboardInterrupt

        write = _callbacks.write_state
        with monkeypatch.context() as patch:
            patch.setattr(_callbacks, "write_state", write_and_stop)
            assert cli.main(argv) == 130
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "out.training.npz: the same command with --resume goes on" in error
        assert [p.name for p in tmp_path.iterdir()] == ["out.training.npz"]
        return argv

    def test_before_the_training(self, argv, tmp_path, capsys, monkeypatch):
        from ecg_sklearn.cli import _train as _train_command

        monkeypatch.setattr(_train_command, "load_protocol", interrupt)
        assert cli.main(argv) == 130
        error = capsys.readouterr().err
        assert error == "ecg-sklearn: interrupted; nothing was written\n"
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "argv", [[], ["--rhythm"], ["--copies", "2"]], indirect=True
    )
    def test_it_goes_on(self, broken, tmp_path, capsys):
        fails(broken, "Add --resume to go on from there, or --overwrite", capsys)
        assert cli.main([*broken, "--resume"]) == 0
        assert "Going on from" in capsys.readouterr().out
        assert [p.name for p in tmp_path.iterdir()] == ["out"]
        other = [*broken, "--output", str(tmp_path / "unbroken"), "--resume"]
        assert cli.main(other) == 0  # nothing to go on from: begins
        one, two = (
            json.loads((tmp_path / name / "metrics.json").read_text())
            for name in ("out", "unbroken")
        )
        assert one["history"] == two["history"]
        assert one["scores"] == two["scores"]
        assert one["n_epochs"] == 3

    def test_it_begins_anew(self, broken, tmp_path, capsys):
        fails([*broken, "--resume", "--seed", "1"], "on other beats", capsys)
        assert (tmp_path / "out.training.npz").exists()
        assert cli.main([*broken, "--overwrite", "--seed", "1"]) == 0
        assert [p.name for p in tmp_path.iterdir()] == ["out"]

    def test_a_full_disk_at_the_end(self, argv, tmp_path, capsys, monkeypatch):
        from ecg_sklearn.cli import _train as _train_command

        def fail(*args):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(_train_command, "write_json", fail)
            fails(argv, "No space left on device; the training so far is in", capsys)
        assert [p.name for p in tmp_path.iterdir()] == ["out.training.npz"]
        assert cli.main([*argv, "--resume"]) == 0
        assert [p.name for p in tmp_path.iterdir()] == ["out"]

    def test_too_little_memory(self, argv, tmp_path, capsys, monkeypatch):
        from ecg_sklearn.cli import _train as _train_command

        def fail(*args):
            raise MemoryError

        monkeypatch.setattr(_train_command, "load_protocol", fail)
        fails(argv, "error: MemoryError", capsys)
        assert list(tmp_path.iterdir()) == []

    def test_places_that_cannot_be_written(self, argv, tmp_path, capsys, monkeypatch):
        (tmp_path / "file").touch()
        for out, message in (
            (tmp_path / "file" / "x", "is no folder"),
            (tmp_path / "file", "is a file"),
        ):
            fails([*argv, "--output", out, "--overwrite"], message, capsys)
        monkeypatch.setattr("os.access", lambda *args: False)
        fails(argv, "is read-only", capsys)


class TestStream:
    def test_records_of_any_database(self, wfdb_folder, tmp_path, capsys):
        out = tmp_path / "model"
        argv = ["train", "--stream", "--data", wfdb_folder, "--channel", "II", *FAST]
        argv = [*map(str, argv), "--quiet", "--validation", "0.5", "-o", str(out)]
        assert cli.main(argv) == 0
        assert "test       accuracy" in capsys.readouterr().out
        metrics = json.loads((out / "metrics.json").read_text())
        records = [metrics["sets"][s]["records"] for s in ("training", "test")]
        assert sorted(records[0] + records[1]) == ["r1", "r2"]
        assert sum(metrics["sets"]["training"]["counts"].values()) > 20
        n_test = sum(metrics["sets"]["test"]["counts"].values())
        assert metrics["scores"]["test"]["n_beats"] == n_test
        found = tmp_path / "r1.csv"
        argv = ["predict", out / "model.ecgsk", wfdb_folder / "r1", "-o", found]
        assert cli.main([str(a) for a in argv]) == 0
        assert len(pd.read_csv(found)) > 20

    def test_mistakes(self, wfdb_folder, tmp_path, capsys):
        argv = ["train", "--stream", "--data", wfdb_folder, "--quiet", *FAST]
        argv += ["-o", tmp_path / "out"]
        for extra, message in (
            (["--protocol", "kaggle"], "--protocol does not go with --stream"),
            (["--resume"], "--resume does not go with --stream"),
            (["--rhythm"], "--rhythm does not go with --stream"),
            (["--copies", "1"], "--copies does not go with --stream"),
            (["--sampler", "smote"], "--sampler smote does not go with --stream"),
            (["--validation", "0.9"], "leaves none to train on"),
            (["--validation", "nan"], "is not in [0, 1)"),
            (["--seed", "-1"], "--seed -1 is negative"),
            (["--window", "1", "0"], "window"),
            ([], "MLII"),
        ):
            fails([*argv, *extra], message, capsys)
        assert not (tmp_path / "out").exists()


def test_trees_on_the_context_take_a_class_of_one_beat():
    from ecg_sklearn.cli._protocols import context_trees

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10_002, 1)), np.r_[np.zeros(10_000), [1, 3]].astype(int)
    trees = context_trees(y, 0).set_params(max_iter=2)
    assert trees.fit(X, y).classes_.tolist() == [0, 1, 3]
    assert trees.class_weight == {0: 1.0, 1: 100.0, 2: 100.0}
    assert context_trees(y[y < 1], 0).early_stopping == "auto"


class TestCopies:
    def test_of_each_beat(self, few_beats, tmp_path):
        argv = ["train", "--data", "simulated", "--quiet", *FAST, "--copies", "2"]
        assert cli.main([*argv, "-o", str(tmp_path / "out")]) == 0
        facts = json.loads((tmp_path / "out" / "metrics.json").read_text())
        assert facts["copies"] == 2
        pipe = load(tmp_path / "out" / "model.ecgsk")
        n_beats = facts["sets"]["training"]["counts"].values()
        assert pipe["scaler"].n_samples_seen_ == 3 * sum(n_beats)
        assert pipe["augmenter"].center == 0  # of rows of the Kaggle form

    def test_windows_are_stretched_around_the_beat(self, tmp_path):
        from sklearn.utils import Bunch

        from ecg_sklearn.cli._protocols import cut_of, pipeline_params

        argv = ["train", "--data", str(tmp_path), "--protocol", "inter-patient"]
        beats = Bunch(sampling_rate=120.0, n_context=22)
        found = []
        for options in ([], ["--copies", "3"], ["--copies", "3", "--form", "kaggle"]):
            args = cli._parser().parse_args([*argv, *options])
            found.append(pipeline_params(args, beats, cut_of(args)))
        assert [params["epochs"] for params in found] == [6, 3, 3]
        none, window, row = (params["augmenter"] for params in found)
        assert none is None
        assert window.n_copies == 3
        assert window.n_context == 22
        assert (window.center, row.center) == (0.4, 0)

    def test_fewer_than_none(self, tmp_path, capsys):
        argv = ["train", "--data", "simulated", "--copies", "-1"]
        fails([*argv, "-o", tmp_path / "out"], "--copies -1 is negative", capsys)


def test_the_window_is_that_of_the_protocols():
    from ecg_sklearn.cli._protocols import WINDOW_CUT

    assert cli._parser().parse_args(["train"]).window == WINDOW_CUT["window"]


def test_the_demo(tmp_path, capsys):
    argv = ["demo", "--output", str(tmp_path / "out"), "--quiet", *FAST]
    assert cli.main(argv) == 0
    out = capsys.readouterr().out
    assert "nothing about real patients" in out
    assert "No record is in both" in out
    assert (tmp_path / "out" / "model.ecgsk").is_file()
