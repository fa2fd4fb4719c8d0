"""Tables and annotation files of beats, as ``predict`` and ``analyze`` write them."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_sklearn.cli._checks import file_of
from ecg_sklearn.utils._files import new_file


def clock_text(clock):
    """Write times of day in ms; missing where they are unknown."""
    return pd.Series(clock).dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3]


def write_annotations(record, annotator, time, classes):
    """Write classes of beats as a WFDB annotation file beside the record.

    Returns a sentence on what was written.
    """
    import wfdb

    if len(time) == 0:
        raise ValueError(f"No beat was found in {record}: there is nothing to write.")
    rate = wfdb.rdheader(os.fspath(record)).fs
    with tempfile.TemporaryDirectory() as folder:
        wfdb.wrann(
            record.name,
            annotator,
            np.rint(np.asarray(time) * rate).astype(np.int64),
            symbol=np.asarray(classes).astype(str),
            write_dir=folder,
        )
        written = Path(folder, f"{record.name}.{annotator}").read_bytes()
    path = file_of(record, annotator)
    with new_file(path) as unfinished:
        unfinished.write_bytes(written)
    return f"{len(time)} annotations saved in {path}"
