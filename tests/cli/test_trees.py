"""What ``train`` trains by default, and the trees of ``--offline`` and ``--causal``."""

import json
from pathlib import Path

import pandas as pd
import pytest

from ecg_sklearn import cli, load, make_calibrated_trees, read_recording
from ecg_sklearn.analysis import StreamAnalyzer
from ecg_sklearn.cli._parser import read_arguments
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.features import MODE_GROUPS
from ecg_sklearn.persistence import read_metadata

from .conftest import run

SIMULATED = ["train", "--data", "simulated"]
PATIENTS = "inter-patient"
FEW = {
    "causal": ["--param", "estimator__classifier__estimator__n_estimators=5"],
    "offline": [
        *["--param", "estimator__first__classifier__estimator__n_estimators=3"],
        *["--param", "estimator__second__estimator__n_estimators=3"],
        *["--param", "estimator__cv=2"],
    ],
}


def numbers(folder):
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize(
    ("argv", "protocol", "kind", "output"),
    [
        ("--data simulated", "kaggle", "network", "kaggle"),
        ("--data simulated --preset kaggle", "kaggle", "network", "kaggle"),
        ("--data simulated --rhythm", "kaggle", "rhythm", "kaggle"),
        ("--preset inter-patient", PATIENTS, "offline", "offline"),
        ("--protocol inter-patient", PATIENTS, "offline", "offline"),
        ("--protocol inter-patient --causal", PATIENTS, "causal", "causal"),
        ("--causal", PATIENTS, "causal", "causal"),
        ("--preset inter-patient --network", PATIENTS, "network", PATIENTS),
        ("--protocol inter-patient --rhythm", PATIENTS, "rhythm", PATIENTS),
        ("--protocol inter-patient --preset kaggle", PATIENTS, "network", PATIENTS),
        ("--data a --data b", PATIENTS, "offline", "offline"),
    ],
)
def test_what_is_trained(argv, protocol, kind, output):
    found = read_arguments(["train", *argv.split()])[2]
    assert (found["protocol"], found["kind"]) == (protocol, kind)
    assert found["output"] == Path("runs") / output


def test_one_kind_of_model_at_a_time(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([*SIMULATED, "--offline", "--rhythm"])
    assert stop.value.code == 2
    assert "--rhythm: not allowed with argument --offline" in capsys.readouterr().err


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """Two small databases of simulated recordings."""
    import wfdb

    folder = tmp_path_factory.mktemp("data")
    for number, name in enumerate("aaabb"):
        (folder / name).mkdir(exist_ok=True)
        ecg = make_recording(90, ectopy={"V": 0.15, "S": 0.15}, random_state=number)
        where = {"write_dir": str(folder / name)}
        signal = ecg.signal[:, :1].astype(float)
        wfdb.wrsamp(
            f"r{number}", int(ecg.sampling_rate), ["mV"], ["II"], signal,
            fmt=["16"], **where
        )  # fmt: skip
        wfdb.wrann(f"r{number}", "atr", ecg.sample, ecg.symbols, **where)
    return folder


@pytest.mark.parametrize("kind", FEW)
class TestTrees:
    """The models of the package, trained by the command."""

    def test_files_progress_and_scores(self, kind, tmp_path, capsys):
        out = tmp_path / "out"
        run(*SIMULATED, f"--{kind}", *FEW[kind], "-o", out)
        printed = capsys.readouterr().out
        for line in ("without the records of fold 5/5", "fitting to all 15 records"):
            assert line in printed
        assert "No record and no subject is in both" in printed
        assert f"Saved model.ecgsk, metrics.json and a figure in {out}" in printed
        assert sorted(path.name for path in out.iterdir()) == [
            "confusion_matrix.png",
            "metrics.json",
            "model.ecgsk",
        ]
        found = numbers(out)
        assert found["kind"] == kind
        assert found["cut"]["features"] == list(MODE_GROUPS[kind])
        assert set(found["scores"]) == {"training", "test"}  # nothing to validate
        model = load(out / "model.ecgsk")
        expected = make_calibrated_trees(mode=kind, random_state=0)
        expected.set_params(**found["param"])
        assert repr(model) == repr(expected)
        argv = ["evaluate", out / "model.ecgsk", "--data", "simulated", "--seed", 0]
        run(*argv, "--resamples", 5, "-o", tmp_path / "scores.json")
        assert "ANSI/AAMI EC57" in capsys.readouterr().out
        assert json.loads((tmp_path / "scores.json").read_text())["accuracy"] > 0.7

    def test_a_model_for_every_command(self, kind, databases, tmp_path, capsys):
        model = tmp_path / "out" / "model.ecgsk"
        argv = ["train", "--preset", "inter-patient"]
        argv += ["--data", databases / "a", "--test-data", databases / "b"]
        run(*argv, f"--{kind}", *FEW[kind], "-o", model.parent)
        assert read_metadata(model)["training_records"] == ["a/r0", "a/r1", "a/r2"]
        record = databases / "b" / "r3"
        capsys.readouterr()
        run("analyze", record, "--model", model, "--json", tmp_path / "found.json")
        found = json.loads((tmp_path / "found.json").read_text())
        assert found["model"]["mode"] == kind
        run("predict", model, record, "-o", tmp_path / "beats.csv")
        table = pd.read_csv(tmp_path / "beats.csv")
        assert set(table["class"]) <= set("NSV")
        run("evaluate", model, "--data", databases / "b", "--resamples", 5)
        run("evaluate", model, "--data", databases / "b", "--detect", "--quiet")
        assert "SVEB" in capsys.readouterr().out
        if kind == "causal":
            ecg = read_recording(record)
            stream = StreamAnalyzer(load(model), ecg.sampling_rate)
            beats = pd.concat([stream.push(ecg.signal[:, 0]), stream.finish()])
            assert len(beats) > 50


@pytest.mark.mitbih
@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_train_trees_on_real_records(mitbih_home, kind, tmp_path):
    out = tmp_path / "out"
    argv = ["train", "--preset", "inter-patient", f"--{kind}"]
    run(*argv, "--data", mitbih_home, *FEW[kind], "--quiet", "--output", out)
    test = numbers(out)["scores"]["test"]
    assert test["n_beats"] > 49_600
    assert test["accuracy"] > 0.8
    record = mitbih_home / "mitdb" / "100"
    run("predict", out / "model.ecgsk", record, "-o", tmp_path / "beats.csv")
    assert len((tmp_path / "beats.csv").read_text().splitlines()) > 2200
