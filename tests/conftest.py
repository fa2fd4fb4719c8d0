"""What the tests share: small beats, a small database and the real records."""

import os
from pathlib import Path

# Before anything loads TensorFlow.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest

from ecg_sklearn.datasets import make_heartbeats

SMALL_CNN = {"filters": (8, 16), "dense_units": 16, "epochs": 2, "batch_size": 64}


@pytest.fixture(scope="session")
def beats():
    """400 simulated beats of 8 records, equal classes."""
    return make_heartbeats(400, n_records=8, random_state=0)


@pytest.fixture(scope="session")
def images(beats):
    """The spectrograms of ``beats``."""
    from ecg_sklearn.preprocessing import SpectrogramTransformer

    return SpectrogramTransformer().fit_transform(beats.data)


@pytest.fixture
def small_cnn():
    """Parameters of a network that trains in a second."""
    return dict(SMALL_CNN)


@pytest.fixture(scope="session")
def mitbih_home():
    """Folder of the real records, from $ECG_SKLEARN_DATA."""
    home = os.environ.get("ECG_SKLEARN_DATA")
    if home is None:
        pytest.skip("needs the MIT-BIH records: set ECG_SKLEARN_DATA to their folder")
    return Path(home)


@pytest.fixture
def wfdb_folder(tmp_path):
    """A WFDB database of two short records at 250 Hz, with beats every 0.8 s."""
    import wfdb

    rng = np.random.default_rng(0)
    for name in ("r1", "r2"):
        signal = rng.normal(0, 0.05, size=(250 * 30, 2))
        sample = np.arange(100, 250 * 29, 200)
        signal[sample, 0] += 1.0
        symbol = (["N", "V", "A", "N", "+"] * len(sample))[: len(sample)]
        wfdb.wrsamp(
            name,
            fs=250,
            units=["mV", "mV"],
            sig_name=["II", "V1"],
            p_signal=signal,
            fmt=["16", "16"],
            write_dir=str(tmp_path),
        )
        wfdb.wrann(name, "atr", sample, symbol=symbol, write_dir=str(tmp_path))
    return tmp_path
