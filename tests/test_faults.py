"""Kills, Ctrl-C, full disks and read-only folders, met by whole processes.

$ECG_SKLEARN_KILLS sets how often a training is killed (default 3).
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from ecg_sklearn import cli, load, make_ecg_pipeline, save
from ecg_sklearn.datasets import make_heartbeats

resource = pytest.importorskip("resource", reason="needs POSIX")

N_KILLS = int(os.environ.get("ECG_SKLEARN_KILLS", "3"))
# The command, with Ctrl-C working even where the tests run in the background.
COMMAND = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from ecg_sklearn.cli import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV file of 300 beats."""
    beats = make_heartbeats(300, n_records=3, random_state=0)
    path = tmp_path_factory.mktemp("csv") / "beats.csv"
    rows = np.column_stack([beats.data, beats.target])
    np.savetxt(path, rows, delimiter=",", fmt="%.6g")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory, beats):
    """A small fitted pipeline and its file."""
    pipe = make_ecg_pipeline(
        sampler=None, filters=(4,), dense_units=4, epochs=1, random_state=0
    )
    path = tmp_path_factory.mktemp("model") / "model.ecgsk"
    save(pipe.fit(beats.data, beats.target), path)
    return pipe, path


@pytest.fixture
def training(table, tmp_path):
    """Arguments of a training of 60 short epochs."""
    small = ["filters=(8,)", "dense_units=8", "residual=()", "batch_size=16"]
    params = [part for value in small for part in ("--param", f"cnn__{value}")]
    argv = ["train", "--data", table, "--test-data", table, "--epochs", 60, "--quiet"]
    return [*map(str, argv), *params, "--output", str(tmp_path / "out")]


def start(argv):
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def age_of(state):
    file = state / "state.npz"
    return file.stat().st_mtime_ns if file.exists() else None


def wait_for_a_new_state(process, state):
    """Wait until the training has finished one more epoch, or has ended."""
    seen = age_of(state)
    while process.poll() is None and age_of(state) == seen:
        time.sleep(0.01)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def weights_of(path):
    return load(path)["cnn"].model_.get_weights()


def one_line(error, *parts):
    """Hold that a command has said in one line what was wrong."""
    lines = [line for line in error.splitlines() if line.startswith("ecg-sklearn: ")]
    assert len(lines) == 1, error
    assert "Traceback" not in error
    for part in parts:
        assert part in lines[0]


@pytest.mark.slow
def test_killed_trainings_end_as_an_unbroken_one(training, tmp_path):
    whole = tmp_path / "whole"
    assert cli.main([*training[:-1], str(whole)]) == 0
    rng = np.random.default_rng()
    out, state = tmp_path / "out", tmp_path / "out.training"
    n_killed = 0
    while n_killed < N_KILLS and not out.exists():
        process = start([*training, "--resume"])
        wait_for_a_new_state(process, state)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.communicate()
        if process.returncode != -signal.SIGKILL:
            break
        n_killed += 1
        assert set(files_in(tmp_path)) <= {"whole", "out", state.name}
    assert n_killed >= min(2, N_KILLS)
    if not out.exists():
        assert cli.main([*training, "--resume"]) == 0
    for one, other in zip(
        weights_of(whole / "model.ecgsk"), weights_of(out / "model.ecgsk"), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    one, other = (json.loads((f / "metrics.json").read_text()) for f in (whole, out))
    assert one["history"] == other["history"]
    assert one["scores"] == other["scores"]
    assert files_in(tmp_path) == ["out", "whole"]


@pytest.mark.slow
def test_ctrl_c_keeps_the_training_so_far(training, tmp_path):
    state = tmp_path / "out.training"
    process = start(training)
    wait_for_a_new_state(process, state)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    one_line(error, "interrupted", "--resume goes on")
    assert files_in(tmp_path) == [state.name]


@pytest.mark.slow
def test_a_file_is_never_half_written(model, tmp_path):
    pipe, path = model
    first, second = tmp_path / "first.ecgsk", tmp_path / "model.ecgsk"
    save(pipe, first)
    script = (
        "import sys\nfrom ecg_sklearn import load, save\npipe = load(sys.argv[1])\n"
        "while True:\n    save(pipe, sys.argv[2], overwrite=True)\n"
    )
    rng = np.random.default_rng()
    for _ in range(N_KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", script, first, second], stderr=subprocess.DEVNULL
        )
        seen = second.stat().st_mtime_ns if second.exists() else None
        while process.poll() is None and (
            not second.exists() or second.stat().st_mtime_ns == seen
        ):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        for one, other in zip(weights_of(path), weights_of(second), strict=True):
            np.testing.assert_array_equal(one, other)
    left = set(files_in(tmp_path)) - {first.name, second.name}
    assert len(left) <= N_KILLS
    assert all(name.startswith(".model.ecgsk.") for name in left)


@contextlib.contextmanager
def no_room(n_bytes):
    """Let no file grow beyond some bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("overwrite", [False, True])
def test_saving_without_room(model, tmp_path, overwrite):
    pipe, _ = model
    path = tmp_path / "model.ecgsk"
    if overwrite:
        path.write_bytes(b"the model before")
    with no_room(2000), pytest.raises(OSError, match="File too large"):
        save(pipe, path, overwrite=overwrite)
    assert files_in(tmp_path) == (["model.ecgsk"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"the model before"


def commands(model, table):
    """What writes one file, as arguments in front of its path."""
    known = ["--data", str(table), "--resamples", "20", "--output"]
    return {
        "evaluate": ["evaluate", str(model), *known],
        "report": ["report", str(model), *known],
        "predict": ["predict", str(model), str(table), "--output"],
    }


@pytest.mark.parametrize("command", ["evaluate", "report", "predict"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_output_without_room(model, table, tmp_path, capsys, command, overwrite):
    path = tmp_path / "output"
    argv = [*commands(model[1], table)[command], str(path)]
    if overwrite:
        path.write_text("what was there")
        argv.append("--overwrite")
    with no_room(1000):
        assert cli.main(argv) == 2
    one_line(capsys.readouterr().err, "File too large")
    assert files_in(tmp_path) == (["output"] if overwrite else [])
    assert not overwrite or path.read_text() == "what was there"


def test_a_training_without_room(training, tmp_path, capsys):
    with no_room(1000):
        assert cli.main(training) == 2
    one_line(capsys.readouterr().err, "after epoch 1 could not be written", "out.train")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("command", ["evaluate", "report", "predict"])
@pytest.mark.parametrize("place", ["below a file", "where nobody may write"])
def test_places_where_nothing_can_be(model, table, tmp_path, capsys, command, place):
    file = tmp_path / "file"
    file.write_text("mine")
    # Not even root may make files in /proc.
    path = file / "output" if place == "below a file" else "/proc/output"
    assert cli.main([*commands(model[1], table)[command], str(path)]) == 2
    one_line(capsys.readouterr().err, "output")
    assert file.read_text() == "mine"
    assert files_in(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="has no /proc")
def test_saving_where_nobody_may_write(model):
    with pytest.raises(OSError, match="/proc"):
        save(model[0], "/proc/model.ecgsk")
