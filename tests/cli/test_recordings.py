"""Recordings as they come off a device: ``predict FILE`` and ``evaluate --detect``."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from ecg_sklearn import cli, save
from ecg_sklearn.datasets import make_heartbeats, make_recording
from ecg_sklearn.pipeline import make_ecg_pipeline

from ..io import writers
from .conftest import run

RATE = 250.0


@pytest.fixture(scope="package")
def window_model(tmp_path_factory):
    """A quick model of windows with features."""
    beats = make_heartbeats(
        200, n_records=4, form="window", features=["rr", "morphology"], random_state=0
    )
    pipe = make_ecg_pipeline(
        sampling_rate=beats.sampling_rate, filters=(4,), epochs=1, random_state=0
    )
    path = tmp_path_factory.mktemp("window") / "model.ecgsk"
    save(pipe.fit(beats.frame, beats.target), path, metadata={"cut": beats.cut})
    return path


@pytest.fixture(scope="module")
def beats():
    """Half a minute with a stretch that cannot be read."""
    return make_recording(
        40, sampling_rate=RATE, unreadable=[(15, 25, "flat")], random_state=0
    )


def write_plain(path, signal, rate):
    path.write_text("\n".join(f"{value:.5f}" for value in signal))
    return path


FORMATS = {
    "wfdb": (lambda p, x: writers.write_wfdb(p / "r1", x, RATE, leads=["II"]), []),
    "edf": (lambda p, x: writers.write_edf(p / "a.edf", x, RATE, leads=["ECG II"]), []),
    "bdf": (lambda p, x: writers.write_bdf(p / "a.bdf", x, RATE, leads=["ECG II"]), []),
    "dicom": (lambda p, x: writers.write_dicom(p / "a.dcm", x, RATE, leads=["II"]), []),
    "ishne": (lambda p, x: writers.write_ishne(p / "a.ecg", x, RATE, leads=["II"]), []),
    "apple": (lambda p, x: writers.write_apple(p / "a.csv", x, RATE), []),
    "csv": (lambda p, x: write_plain(p / "a.csv", x, RATE), ["--rate", "250"]),
}


@pytest.mark.parametrize("format", list(FORMATS))
def test_every_format(format, window_model, beats, tmp_path, capsys):
    write, options = FORMATS[format]
    path = write(tmp_path, beats.signal[:, 0])
    run("predict", window_model, path, *options, "-o", tmp_path / "out.csv")
    told = capsys.readouterr()
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns[:2]) == ["record", "time"]
    expected = beats.time
    near = np.abs(np.subtract.outer(expected, table["time"].to_numpy())) < 0.05
    assert near.any(axis=1).mean() > 0.95
    assert near.any(axis=0).mean() > 0.95
    assert not table["time"].between(15.5, 24.5).any()
    assert "75.0% of 40 s analysed; not read: 15.0-25.0 s (flat)" in told.err
    assert f"{len(table)} beats classified" in told.out


def test_clock_time_and_lead(window_model, beats, tmp_path, capsys):
    both = np.column_stack([beats.signal[:, 0], -beats.signal[:, 0]])
    path = writers.write_edf(tmp_path / "a.edf", both, RATE, leads=["ECG V1", "ECG II"])
    run("predict", window_model, path)
    told = capsys.readouterr()
    assert "lead ECG II" in told.err
    first = pd.read_csv(pd.io.common.StringIO(told.out)).iloc[0]
    start = pd.Timestamp(writers.START)
    clock = pd.Timestamp(first["clock"])
    assert abs((clock - start).total_seconds() - first["time"]) < 0.002
    run("predict", window_model, path, "--lead", "V1", "--quiet")
    assert capsys.readouterr().err == ""


def test_rows_of_the_kaggle_form_and_records(trained, beats, tmp_path, capsys):
    path = writers.write_wfdb(tmp_path / "r1", beats.signal, RATE, leads=["II"])
    run("predict", trained / "model.ecgsk", path)
    table = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    # The last beat has no next one, which ends its row.
    assert abs(len(table) - (len(beats.sample) - 1)) <= 2


def test_classes_of_detected_beats_as_annotations(window_model, beats, tmp_path):
    import wfdb

    path = writers.write_wfdb(tmp_path / "r1", beats.signal, RATE, leads=["II"])
    argv = ["predict", window_model, path, "-o", tmp_path / "a.csv", "--quiet"]
    run(*argv, "--annotator", "cnn")
    table = pd.read_csv(tmp_path / "a.csv")
    written = wfdb.rdann(str(tmp_path / "r1"), "cnn")
    assert written.symbol == table["class"].tolist()
    np.testing.assert_allclose(written.sample / RATE, table["time"], atol=0.003)


def test_nothing_to_find(window_model, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(0, 0.3, size=int(60 * RATE))
    path = writers.write_edf(tmp_path / "noise.edf", noise, RATE, leads=["ECG II"])
    run("predict", window_model, path, "-o", tmp_path / "out.csv")
    told = capsys.readouterr()
    assert "0.0% of 60 s analysed" in told.err
    assert "0 beats classified: none" in told.out
    assert len(pd.read_csv(tmp_path / "out.csv")) == 0


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"0.1\n0.2\n" * 500, [], "sampling"),
        (b"hello world\n" * 9, ["--rate", "250"], "."),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), [], "PNG"),
        (b"", [], "empty"),
        (gzip.compress(b"0.1\n" * 9, mtime=0), ["--rate", "250"], "s"),
        (b"0.1\n0.2\n" * 5000, ["--rate", "5"], "5"),
        (b"0.1\n0.2\n" * 5000, ["--rate", "250", "--unit", "furlong"], "furlong"),
        (b"0.1\n0.2\n" * 5000, ["--rate", "250", "--lead", "V9"], "V9"),
    ],
)
def test_files_that_cannot_be_read(
    content, options, message, window_model, tmp_path, fails
):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    fails(message, "predict", window_model, path, *options, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


class TestDetect:
    @pytest.fixture
    def folder(self, tmp_path, beats):
        """Two annotated records."""
        import wfdb

        for name in ("r1", "r2"):
            writers.write_wfdb(tmp_path / name, beats.signal, RATE, leads=["II"])
            symbol = beats.symbols.tolist()
            symbol[0] = "j"
            wfdb.wrann(name, "atr", beats.sample, symbol, write_dir=str(tmp_path))
        return tmp_path

    def test_missed_and_extra_beats_count(self, window_model, folder, capsys):
        argv = ["evaluate", window_model, "--data", folder, "--detect", "--quiet"]
        run(*argv, "-o", folder / "found.json")
        told = capsys.readouterr().out
        assert "% of 0.02 h analysed" in told
        found = json.loads((folder / "found.json").read_text())
        assert set(found["records"]) == {"r1", "r2"}
        assert found["gross"]["qrs_sensitivity"] > 0.95
        assert found["gross"]["qrs_positive_predictivity"] > 0.95
        assert np.shape(found["confusion_matrix"]) == (7, 7)
        assert found["analysed"] == pytest.approx(0.75, abs=0.01)
        assert found["escape"] == "N"
        run(*argv, "--escape", "S", "--records", "r1", "--skip-first", 10)
        told = capsys.readouterr().out
        assert "r2" not in told

    def test_escape_beats_of_annotated_ones(self, window_model, folder, capsys):
        argv = ["evaluate", window_model, "--data", folder, "--resamples", 2]
        counts = []
        for escape in "NS":
            run(*argv, "--escape", escape, "-o", folder / f"{escape}.json")
            matrix = json.loads((folder / f"{escape}.json").read_text())
            counts.append(np.sum(matrix["ec57"]["confusion_matrix"], axis=1)[1])
        assert counts[1] == counts[0] + 2

    def test_single_beats_have_none(self, window_model, kaggle_csv, fails):
        argv = ["evaluate", window_model, "--detect", "--data"]
        fails("--detect needs annotated WFDB records", *argv, kaggle_csv[1])
        fails("--detect needs annotated WFDB records", *argv, "simulated")


@pytest.mark.mitbih
def test_a_real_record(window_model, mitbih_home, capsys):
    from ecg_sklearn.datasets._published import MITDB

    assert (
        cli.main(["predict", str(window_model), str(MITDB.find(mitbih_home) / "100")])
        == 0
    )
    told = capsys.readouterr()
    assert "lead MLII, 360 Hz" in told.err
    assert abs(len(told.out.splitlines()) - 1 - 2273) < 5
