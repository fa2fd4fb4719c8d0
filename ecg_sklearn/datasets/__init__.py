"""Beats in: Kaggle CSV files, MIT-BIH, any annotated WFDB database, simulation.

Every function returns the same :class:`~sklearn.utils.Bunch`, so that the code behind
it does not care where the beats came from.
"""

from ecg_sklearn.datasets._csv import load_heartbeat_csv
from ecg_sklearn.datasets._mitbih import fetch_mitbih
from ecg_sklearn.datasets._simulate import make_heartbeats
from ecg_sklearn.datasets._stream import iter_beats
from ecg_sklearn.datasets._wfdb import load_wfdb_beats
from ecg_sklearn.features import _morphology, _rr

__all__ = [
    "CONTEXT_NAMES",
    "RHYTHM_NAMES",
    "fetch_mitbih",
    "iter_beats",
    "load_heartbeat_csv",
    "load_wfdb_beats",
    "make_heartbeats",
]

CONTEXT_NAMES: tuple[str, ...] = _morphology.CONTEXT_NAMES
"""Names of the columns that ``context=True`` appends, in their order."""

RHYTHM_NAMES: tuple[str, ...] = _rr.RHYTHM_NAMES
"""Names of the columns that ``rhythm=True`` appends, in their order."""
