"""``train`` and ``demo``: output, files, resuming, mistakes."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_sklearn import cli, load
from ecg_sklearn.cli import _beats, _recipes, _sources, _train
from ecg_sklearn.cli._parser import make_parser, read_arguments
from ecg_sklearn.features import MODE_GROUPS
from ecg_sklearn.persistence import read_metadata

from .conftest import FAST, run

SIMULATED = ["train", "--data", "simulated"]
RECIPE = {"protocol": "kaggle", "preset": None, "sampler": "auto"}
RECIPE |= {"epochs": None, "kind": "network"}
RECIPE |= {"seed": 0, "param": {}, "quiet": True}


def numbers(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_files(trained):
    assert sorted(path.name for path in trained.iterdir()) == [
        "confusion_matrix.png",
        "history.png",
        "metrics.json",
        "model.ecgsk",
    ]
    found = numbers(trained)
    assert set(found["scores"]) == {"training", "validation", "test"}
    test = found["scores"]["test"]
    assert set(test["classes"]) == {"N", "S", "V", "F", "Q"}
    assert np.sum(test["confusion_matrix"]) == test["n_beats"]
    assert test["n_beats"] == sum(found["sets"]["test"]["counts"].values())
    assert len(found["history"]["val_loss"]) == found["n_epochs"] == 1
    assert found["param"] == {"cnn__filters": [4], "cnn__dense_units": 8}
    assert load(trained / "model.ecgsk")["cnn"].filters == (4,)
    assert (trained / "history.png").read_bytes().startswith(b"\x89PNG")


def test_the_model_file_keeps_the_facts(trained):
    facts = read_metadata(trained / "model.ecgsk")
    assert set(facts) == {"cut", "protocol", "training_records", "sets", "versions"}
    assert facts["protocol"] == "inter-patient"
    assert facts["cut"]["form"] == "kaggle"
    sets = facts["sets"]
    parts = [set(sets[name]["records"]) for name in ("training", "validation", "test")]
    assert set(facts["training_records"]) == parts[0] | parts[1]
    assert not parts[2] & (parts[0] | parts[1])
    assert {name: numbers(trained)[name] for name in facts} == facts


def test_csv_files_smote_and_overwriting(tmp_path, capsys, kaggle_csv, fails):
    train, test = kaggle_csv
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis").write_text("mine")
    loud = [arg for arg in FAST if arg != "--quiet"]
    command = ["train", "--data", train, "--test-data", test, *loud, "-o", out]
    fails("exists already", *command)
    run(*command, "--overwrite", "--sampler", "smote", "--validation", "0")
    printed = capsys.readouterr().out
    for part in (
        "Beats by class",
        "epoch 1/1  ",
        "training   accuracy 0.",
        "test       accuracy 0.",
        "memory of patients",
    ):
        assert part in printed
    assert "smote" in load(out / "model.ecgsk").named_steps
    assert set(numbers(out)["scores"]) == {"training", "test"}
    assert (out / "thesis").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [out]  # nothing left beside it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--param cnn__epoch=1", "Invalid parameter"),
        ("--epochs 0", "'epochs' parameter"),
        ("--seed -5", "'random_state' parameter"),
        ("--form window", "needs WFDB records"),
        ("--features likeness", "The groups are rr, morphology, rhythm"),
        ("--param foo__x=1", "Its steps are scaler, spectrogram, cnn"),
        ("--param memory__x=1", "no such step"),
        ("--param cnn__filters=3", "'filters' parameter"),
        ("--param cnn__filters=(8,) --param cnn__residual=(2,)", "residual=(2,)"),
        ("--param cnn__random_state=None", "needs an int as random_state"),
        ("--test-data {csv}", "goes with a CSV file in --data"),
        ("--data {csv}", "needs another one in --test-data"),
        (
            "--data {csv} --protocol inter-patient --network",
            "patients cannot be kept apart",
        ),
        ("--data {csv} --rhythm", "--rhythm needs WFDB records"),
        ("--data {csv} --offline", "--offline needs WFDB records"),
        ("--data {csv} --preset inter-patient", "--offline needs WFDB records"),
        ("--offline --epochs 3", "--epochs is for networks"),
        ("--causal --sampler smote", "makes trees (--causal). Choose --network"),
        ("--preset inter-patient --resume", "--resume is for networks"),
        ("--offline --features none", "leave --features out"),
        ("--offline --form kaggle", "--form kaggle cuts rows without times"),
        ("--offline --preset kaggle", "--preset kaggle is a network, and --offline"),
        ("--offline --protocol kaggle", "Use --protocol inter-patient, or --network"),
        ("--offline --param cnn__dropout=0", "Invalid parameter 'cnn'"),
        ("--data {csv} --features rr", "--features needs WFDB records"),
        ("--data {broken} --test-data {csv}", "row 1"),
    ],
)
def test_mistakes(tmp_path, fails, kaggle_csv, options, message):
    broken, out = tmp_path / "broken.csv", tmp_path / "out"
    broken.write_text("1,2,3\n")
    options = options.format(csv=kaggle_csv[0], broken=broken).split()
    command = ["train"] if "--data" in options else SIMULATED
    fails(message, *command, *options, "--quiet", "-o", out)
    assert list(tmp_path.iterdir()) == [broken]


def test_whole_records_are_held_out():
    beats = _sources.load_beats(_sources.find_source("simulated"), seed=0)
    training, held_out = _beats.hold_out(beats, 0.4, protocol="inter-patient", seed=0)
    assert not set(training.groups) & set(held_out.groups)
    found = len(held_out.target) / len(beats.target)
    assert found == pytest.approx(0.4, abs=0.06)


class TestCut:
    def choose(self, source="mitbih", **options):
        given = {"protocol": "kaggle", "form": None, "window": (-0.4, 0.5)}
        given |= {"features": None, "kind": "network"}
        given |= {"lead": None, "align": "peak"}
        given |= options
        return _beats.choose_cut(_sources.Source(source, (Path("mitdb"),)), **given)

    def test_form(self):
        assert self.choose()["form"] == "kaggle"
        cut = self.choose(protocol="inter-patient")
        assert (cut["form"], cut["window"]) == ("window", [-0.4, 0.5])
        window = make_parser().parse_args(["train"]).window
        assert list(window) == _beats.WINDOW_CUT["window"]

    def test_features(self):
        assert self.choose()["features"] == ["rr", "morphology"]
        assert self.choose("simulated")["features"] == []
        assert self.choose(features=["morphology", "rr"]) == self.choose()
        assert self.choose(features=[], kind="rhythm")["features"] == ["rr", "rhythm"]
        for kind, groups in MODE_GROUPS.items():
            assert self.choose(kind=kind)["features"] == list(groups)
        for text, names in (("none", []), ("rr,rhythm", ["rr", "rhythm"])):
            assert read_arguments(["train", "--features", text])[2]["features"] == names


class TestDatabases:
    """Training on any annotated WFDB records, patients apart."""

    how = ["--network", *FAST]

    @pytest.fixture
    def folders(self, tmp_path):
        """Two databases, with six and two records of 60 beats each."""
        import wfdb

        rng = np.random.default_rng(0)
        names = {"first": range(6), "second": range(2)}
        for folder, numbers in names.items():
            (tmp_path / folder).mkdir()
            for number in numbers:
                sample = np.arange(200, 200 * 61, 200)
                signal = rng.normal(0, 0.05, size=(200 * 62, 1))
                symbol = np.resize(["N", "V", "A", "N", "F"], 60)
                signal[sample, 0] += np.where(symbol == "V", 2.0, 1.0)
                where = {"write_dir": str(tmp_path / folder)}
                wfdb.wrsamp(
                    f"r{number}", 250, ["mV"], ["ECG1"], signal, fmt=["16"], **where
                )
                wfdb.wrann(f"r{number}", "ref", sample, symbol, **where)
        return [tmp_path / name for name in names]

    def train(self, folders, *options):
        argv = [part for folder in folders for part in ("--data", folder)]
        out = folders[0].parent / "out"
        run("train", *argv, *self.how, "--annotator", "ref", *options, "-o", out)
        return numbers(out)

    @pytest.mark.slow
    def test_a_quarter_of_the_records_is_the_test(self, folders):
        found = self.train(folders[:1])
        assert found["protocol"] == "inter-patient"
        assert found["cut"]["form"] == "window"
        assert found["cut"]["align"] == "peak"
        sides = [set(found["sets"][name]["records"]) for name in found["sets"]]
        assert len(set.union(*sides)) == sum(map(len, sides)) == 6
        assert len(found["sets"]["test"]["records"]) in (1, 2)

    def test_another_folder_is_the_test(self, folders):
        options = ["--test-data", folders[1], "--lead", "II,ECG1", "--align", "none"]
        found = self.train(folders[:1], *options)
        assert found["sets"]["test"]["records"] == ["second/r0", "second/r1"]
        assert found["cut"]["channel"] == ["II", "ECG1"]
        assert found["cut"]["align"] is None

    @pytest.mark.slow
    def test_several_folders(self, folders, fails, capsys):
        found = self.train(folders, "--validation", "0")
        records = [r for side in found["sets"].values() for r in side["records"]]
        assert sorted(records) == [
            *(f"first/r{n}" for n in range(6)),
            "second/r0",
            "second/r1",
        ]
        assert set(found["training_records"]) < set(records)
        model = folders[0].parent / "out" / "model.ecgsk"
        argv = [model, "--data", folders[1], "--annotator", "ref", "--resamples", 2]
        run("evaluate", *argv)  # records without their database
        assert "2 of the 2 patients here were trained on" in capsys.readouterr().out
        fails("different names", "evaluate", model, *["--data", folders[0]] * 2)

    @pytest.mark.slow
    def test_some_records(self, folders, fails):
        options = ["--records", "r0,r1,r2,r3", "--validation", "0"]
        found = self.train(folders[:1], *options)
        records = found["training_records"] + found["sets"]["test"]["records"]
        assert sorted(records) == ["r0", "r1", "r2", "r3"]
        argv = ["train", "--data", folders[0], "--data", "simulated"]
        fails("is no folder of WFDB records", *argv, "-o", folders[0] / "no")
        argv = ["train", "--data", folders[0], "--test-data", folders[0]]
        argv += ["--annotator", "ref", "-o", folders[0] / "no"]
        fails("is in --data and in --test-data", *argv)


class TestRecipe:
    def beats(self, form="kaggle", features=()):
        cut = {"form": form, "window": (-0.4, 0.5), "features": list(features)}
        return SimpleNamespace(sampling_rate=120.0, cut=cut)

    @pytest.mark.parametrize(
        ("param", "residual"),
        [
            ({}, (3,)),
            ({"cnn__filters": [8, 16]}, ()),
            ({"cnn__filters": (8, 16, 32)}, (3,)),
            ({"cnn__filters": (8, 16), "cnn__residual": (2,)}, (2,)),
        ],
    )
    def test_blocks_that_the_filters_do_not_have(self, param, residual):
        pipe = _recipes.make_model(self.beats(), **RECIPE | {"param": param})
        assert pipe["cnn"].residual == residual

    @pytest.mark.parametrize("preset", [None, "notebook", "kaggle", "inter-patient"])
    def test_presets(self, preset):
        pipe = _recipes.make_model(self.beats(), **RECIPE | {"preset": preset})
        assert ("smote" in pipe.named_steps) is (preset == "notebook")
        epochs = {"notebook": 10, "inter-patient": 6}
        assert pipe["cnn"].epochs == epochs.get(preset, 12)

    def test_trees_vote_where_their_features_are(self):
        for features in (["rr", "morphology"], ["rr"]):
            beats = self.beats(features=features)
            model = _recipes.make_model(beats, **RECIPE)
            assert hasattr(model, "estimators") is (len(features) == 2)
            model = _recipes.make_model(beats, **RECIPE | {"preset": "kaggle"})
            assert model["cnn"].epochs == 12


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt, 130, "interrupted; nothing was written"),
        (MemoryError, 2, "error: MemoryError"),
    ],
)
def test_nothing_is_left_of_a_failure(
    tmp_path, monkeypatch, capsys, error, code, message
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(_train, "load_protocol", fail)
    assert cli.main([*SIMULATED, "-o", str(tmp_path / "out")]) == code
    assert capsys.readouterr().err == f"ecg-sklearn: {message}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
class TestResuming:
    @pytest.fixture
    def argv(self, request, tmp_path):
        argv = [*SIMULATED, *FAST, "--epochs", "3", *getattr(request, "param", [])]
        return [*argv, "--output", str(tmp_path / "out")]

    @pytest.fixture
    def broken(self, argv, tmp_path, monkeypatch, capsys):
        """A training that was interrupted after its second epoch."""
        import keras

        class Stop(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 2:
                    raise KeyboardInterrupt

        def make_model(beats, **recipe):
            model = _recipes.make_model(beats, **recipe)
            [name] = [n for n in model.get_params() if n.endswith("cnn__callbacks")]
            return model.set_params(**{name: [Stop()]})

        with monkeypatch.context() as patch:
            patch.setattr(_train, "make_model", make_model)
            assert cli.main(argv) == 130
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "out.training: the same command with --resume goes on" in error
        assert [p.name for p in tmp_path.iterdir()] == ["out.training"]
        return argv

    @pytest.mark.parametrize("argv", [[], ["--rhythm"]], indirect=True)
    def test_it_goes_on(self, broken, tmp_path, capsys, fails):
        fails("Add --resume to go on from there, or --overwrite", *broken)
        fails("holds the state of", *broken, "--resume", "--seed", "1")  # other beats
        run(*broken, "--resume")
        assert "Going on from" in capsys.readouterr().out
        assert [p.name for p in tmp_path.iterdir()] == ["out"]
        run(*broken, "--output", tmp_path / "whole", "--resume")  # from nothing: begins
        one, two = (numbers(tmp_path / name) for name in ("out", "whole"))
        assert one["n_epochs"] == 3
        for name, values in two["history"].items():
            np.testing.assert_allclose(one["history"][name], values, rtol=1e-4)

    def test_it_begins_anew(self, broken, tmp_path):
        run(*broken, "--overwrite", "--seed", "1", "--epochs", "1")
        assert [p.name for p in tmp_path.iterdir()] == ["out"]

    def test_a_full_disk_at_the_end(self, argv, tmp_path, monkeypatch, fails):
        def fail(*args):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(_train, "write_json", fail)
            fails("No space left on device; the training so far is in", *argv)
        assert [p.name for p in tmp_path.iterdir()] == ["out.training"]
        run(*argv, "--resume")
        assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_the_demo(tmp_path, capsys):
    run("demo", "--output", tmp_path / "out", *FAST)
    out = capsys.readouterr().out
    assert "nothing about real patients" in out
    assert "No record and no subject is in both" in out
    assert (tmp_path / "out" / "model.ecgsk").is_file()
    for name in ("VEB", "SVEB"):
        true, found = map(
            int, re.search(rf"{name}: (\d+) were .*, (\d+)", out).groups()
        )
        assert true > 10
        assert abs(found - true) <= 3
    assert "1 pause of 2.5 s or more" in out
    assert "at 08:3" in out  # clock times of the file
    page = (tmp_path / "out" / "recording.html").read_text()
    assert "not a medical device" in page.lower()


@pytest.mark.mitbih
@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("kaggle", ()),
        ("inter-patient", ("--network",)),
        ("inter-patient", ("--rhythm",)),
    ],
)
def test_train_on_real_records(mitbih_home, protocol, options, tmp_path):
    out = tmp_path / "out"
    command = ["train", "--data", mitbih_home, "--protocol", protocol, *options]
    command += ["--epochs", 1, "--quiet", "--param", "cnn__filters=(16, 32, 64)"]
    run(*command, "--output", out)
    scores = numbers(out)["scores"]
    n_test, classes = {
        "kaggle": (21_892, list("NSVFQ")),
        "inter-patient": (49_683, list("NSVF")),
    }[protocol]
    assert scores["test"]["n_beats"] == n_test
    assert list(scores["test"]["classes"]) == classes
    assert scores["training"]["accuracy"] > 0.93  # it did learn
    assert scores["test"]["accuracy"] > 0.8
