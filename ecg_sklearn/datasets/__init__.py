"""Beats in: Kaggle CSV files, MIT-BIH, any annotated WFDB database, simulation.

Every function returns the same :class:`~sklearn.utils.Bunch`, so that the code
behind it does not care where the beats came from. May import from
:mod:`ecg_sklearn.aami` and :mod:`ecg_sklearn._files` alone.
"""

from ecg_sklearn.datasets import _context, _rhythm
from ecg_sklearn.datasets._csv import load_heartbeat_csv
from ecg_sklearn.datasets._mitbih import fetch_mitbih
from ecg_sklearn.datasets._simulate import make_heartbeats
from ecg_sklearn.datasets._stream import iter_beats
from ecg_sklearn.datasets._wfdb import load_wfdb_beats

__all__ = [
    "CONTEXT_NAMES",
    "RHYTHM_NAMES",
    "fetch_mitbih",
    "iter_beats",
    "load_heartbeat_csv",
    "load_wfdb_beats",
    "make_heartbeats",
]

CONTEXT_NAMES: tuple[str, ...] = _context.CONTEXT_NAMES
"""Names of the columns that ``context=True`` appends, in their order."""

RHYTHM_NAMES: tuple[str, ...] = _rhythm.RHYTHM_NAMES
"""Names of the columns that ``rhythm=True`` appends, in their order."""
