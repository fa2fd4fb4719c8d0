"""What the tests of the commands share: small beats, quick trainings, a runner."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from ecg_sklearn import cli, save
from ecg_sklearn.cli import _sources
from ecg_sklearn.datasets import make_heartbeats

FAST = ["--quiet", "--epochs", "1"]
FAST += ["--param", "cnn__filters=(4,)", "--param", "cnn__dense_units=8"]


def run(*argv):
    """Run a command; it must succeed."""
    assert cli.main([str(arg) for arg in argv]) == 0


@pytest.fixture(scope="package", autouse=True)
def _few_beats():
    """Make the simulated beats of the commands a few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_sources._SIMULATED, "n_samples", 400)
        patch.setitem(_sources._SIMULATED, "n_records", 20)
        yield


@pytest.fixture
def fails(capsys):
    """Run a command that must end with code 2 and one line that says why."""

    def check(message, *argv):
        capsys.readouterr()
        assert cli.main([str(arg) for arg in argv]) == 2
        error = capsys.readouterr().err
        assert error.startswith("ecg-sklearn: error: ")
        assert error.count("\n") == 1
        assert message in error

    return check


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """Folder of a training on simulated beats, patients apart."""
    folder = tmp_path_factory.mktemp("run") / "out"
    command = ["train", "--data", "simulated", "--protocol", "inter-patient"]
    run(*command, "--network", *FAST, "--output", folder)
    return folder


@pytest.fixture(scope="package")
def kaggle_csv(tmp_path_factory):
    """Two CSV files of 200 beats: training and test."""
    folder = tmp_path_factory.mktemp("csv")
    paths = []
    for name, seed in (("train", 0), ("test", 1)):
        beats = make_heartbeats(200, n_records=3, random_state=seed)
        rows = np.column_stack([beats.data, beats.target])
        paths.append(folder / f"{name}.csv")
        np.savetxt(paths[-1], rows, delimiter=",", fmt="%.8g")
    return paths


@pytest.fixture(scope="package")
def model_with_labels(tmp_path_factory):
    """Make the file of a quick classifier that calls the classes by given labels."""
    beats = make_heartbeats(200, n_records=3, random_state=0)
    folder = tmp_path_factory.mktemp("labels")

    def make(labels):
        path = folder / "model.ecgsk"
        model = ExtraTreesClassifier(10, max_depth=8, random_state=0)
        model.fit(beats.data, np.array(labels)[beats.target])
        save(model, path, overwrite=True)
        return path

    return make
