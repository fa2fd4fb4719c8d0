"""Long recordings are read in blocks: memory at most three times the signal."""

import subprocess
import sys

import numpy as np
import pytest

from . import writers
from .writers import make_ecg

RATE = 250.0
_SCRIPT = """
import sys, tracemalloc
import numpy, pandas, wfdb, edfio, pydicom, gzip
from ecg_sklearn.io import read_recording
path, channel = sys.argv[1:]
tracemalloc.start()
if path.endswith(".npy"):
    signal = numpy.load(path, mmap_mode="r")
    found = read_recording(signal, sampling_rate=250)
else:
    found = read_recording(path, channel=channel or None)
print(tracemalloc.get_traced_memory()[1] / found.signal.nbytes, found.duration / 3600)
"""


def peak(path, channel="", hours=24):
    """Peak of the memory of a new process, in sizes of the signal."""
    command = [sys.executable, "-W", "ignore", "-c", _SCRIPT, str(path), channel]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    share, duration = map(float, result.stdout.split())
    assert duration == pytest.approx(hours, rel=1e-3)
    return share


@pytest.fixture(scope="module")
def day():
    """24 h of one lead."""
    return np.tile(make_ecg(60, RATE).astype(np.float32), 24 * 60)


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", ["wfdb", "edf", "bdf", "ishne", "npy", "csv", "csv.gz"]
)
def test_one_lead(tmp_path, day, form):
    path = tmp_path / f"a.{form}"
    if form == "wfdb":
        path = writers.write_wfdb(tmp_path / "a", day, RATE)
    elif form == "npy":
        np.save(path, day.astype(np.float64))
    elif form.startswith("csv"):
        import gzip

        minute = [f"{value:.4f}" for value in day[: 60 * 250]]
        with gzip.open(path, "wt", 1) if form == "csv.gz" else path.open("w") as file:
            file.write("time,II\n")
            for start in range(6 * 60):
                first = start * 60 * 250
                file.writelines(
                    f"{(first + at) / RATE:.3f},{text}\n"
                    for at, text in enumerate(minute)
                )
    else:
        writers.__dict__[f"write_{form}"](path, day, RATE)
    assert peak(path, hours=6 if form.startswith("csv") else 24) < 3


@pytest.mark.slow
@pytest.mark.parametrize("form", ["wfdb", "edf", "bdf", "ishne"])
@pytest.mark.parametrize("channel", ["", "all"])
def test_2_hours_of_eight_leads(tmp_path, day, form, channel):
    leads = ("II", "V1", "V2", "V3", "V4", "V5", "V6", "I")
    signal = np.repeat(day[: 2 * 3600 * 250, None], 8, axis=1)
    path = tmp_path / ("a" if form == "wfdb" else f"a.{form}")
    writers.__dict__[f"write_{form}"](path, signal, RATE, leads)
    assert peak(path, channel, hours=2) < 3
