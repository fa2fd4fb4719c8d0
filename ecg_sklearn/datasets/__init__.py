"""Loaders of beats: Kaggle CSV files, MIT-BIH, WFDB databases, simulation."""

from ecg_sklearn.datasets._csv import load_heartbeat_csv
from ecg_sklearn.datasets._cut_beats import cut_beats
from ecg_sklearn.datasets._mitbih import fetch_mitbih
from ecg_sklearn.datasets._recording import make_recording
from ecg_sklearn.datasets._simulate import make_heartbeats
from ecg_sklearn.datasets._svdb import fetch_svdb
from ecg_sklearn.datasets._wfdb import iter_beats, load_wfdb_beats

__all__ = [
    "cut_beats",
    "fetch_mitbih",
    "fetch_svdb",
    "iter_beats",
    "load_heartbeat_csv",
    "load_wfdb_beats",
    "make_heartbeats",
    "make_recording",
]
