"""Sources of labelled beats: simulated, CSV files, MIT-BIH, other WFDB databases."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ecg_sklearn.aami import CLASS_NAMES, DS1, DS2
from ecg_sklearn.datasets import (
    fetch_mitbih,
    load_heartbeat_csv,
    load_wfdb_beats,
    make_heartbeats,
)
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.datasets._records import record_names
from ecg_sklearn.datasets._wfdb import find_records

_SIMULATED = {
    "n_samples": 6000,
    "n_records": 60,
    "weights": [0.6, 0.1, 0.15, 0.05, 0.1],
}
KAGGLE_CUT = {"form": "kaggle", "channel": 0, "features": []}


class Source(NamedTuple):
    """Kind of the beats ("simulated", "csv", "mitbih" or "wfdb"), and their paths.

    "mitbih" is the MIT-BIH folder alone; "wfdb" is one folder of other records, or
    several folders.
    """

    kind: str
    paths: tuple[Path, ...] = ()

    @property
    def has_records(self):
        """Whether the beats come from WFDB records."""
        return self.kind in ("mitbih", "wfdb")

    def __str__(self):
        return ", ".join(map(str, self.paths)) or self.kind


def find_source(data):
    """Find the kind of source that ``--data`` names: None, one place or several."""
    places = [data] if data is None or isinstance(data, (str, Path)) else [*data]
    if len(places) == 1:
        return _find_one(places[0])
    found = [_find_one(place) for place in places]
    for place, source in zip(places, found, strict=True):
        if not source.has_records:
            raise ValueError(
                f"--data {place} is no folder of WFDB records. Several --data are "
                "joined only if all are."
            )
    paths = tuple(path for source in found for path in source.paths)
    names = [path.resolve().name for path in paths]
    if len(set(names)) < len(names):
        raise ValueError(
            f"The folders {', '.join(map(str, paths))} must have different names, "
            "because their records are named with the folder."
        )
    return Source("wfdb", paths)


def _find_one(data):
    if data == "simulated":
        return Source("simulated")
    if data is not None and Path(data).is_file():
        return Source("csv", (Path(data),))
    if data is not None and not MITDB.is_at(data) and _holds_records(Path(data)):
        return Source("wfdb", (Path(data),))
    directory = MITDB.find(data)
    missing = MITDB.missing_files(directory)
    if not missing:
        return Source("mitbih", (directory,))
    fetch = "ecg-sklearn data fetch" + ("" if data is None else f" --data {data}")
    raise FileNotFoundError(
        f"{len(missing)} files of the MIT-BIH database are missing in {directory} "
        f"({', '.join(missing[:3])}, ...). To download them: {fetch}"
        + (". To use another folder: --data FOLDER" if data is None else "")
    )


def _holds_records(folder):
    """Whether a folder holds WFDB records or a file RECORDS."""
    return (folder / "RECORDS").is_file() or any(folder.glob("*.hea"))


def load_beats(
    source, subset=None, *, seed=None, cut=KAGGLE_CUT, records=None, annotator="atr"
):
    """Load the labelled beats of one source."""
    if not source.has_records and (records is not None or annotator != "atr"):
        option = "--records" if records is not None else "--annotator"
        raise ValueError(f"{option} is for WFDB records, and {source} holds none.")
    if source.kind == "simulated":
        _refuse_windows("simulated", cut)
        features = loader_arguments(cut)["features"]
        return make_heartbeats(**_SIMULATED, features=features, random_state=seed)
    if source.kind == "csv":
        check_rows_fit(source, cut)
        return _read_labelled(source.paths[0])
    arguments = loader_arguments(cut)
    if source.kind == "mitbih" and records is None and annotator == "atr":
        if cut["form"] == "kaggle" and arguments["channel"] == 0:
            del arguments["channel"]  # Kaggle rows are always channel 0
        return fetch_mitbih(
            data_home=source.paths[0],
            subset=subset,
            download_if_missing=False,
            **arguments,
        )
    records = _names_of(source, subset, records)
    return load_wfdb_beats(
        _places(source), records=records, annotator=annotator, **arguments
    )


def records_of(source, subset, records, annotator):
    """List folder, name and group of the records of a source."""
    records = _names_of(source, subset, records)
    return find_records(_places(source), records, annotator)


def _places(source):
    """Folder of a source, or all of its folders."""
    return source.paths if len(source.paths) > 1 else source.paths[0]


def _names_of(source, subset, records):
    """Names of the records that are given, or of a subset of MIT-BIH; None for all."""
    if records is not None or source.kind != "mitbih":
        return records
    parts = {"ds1": DS1, "ds2": DS2, "all": None, None: None}
    if subset not in parts:
        raise ValueError(
            f"--subset {subset} is a part of the official beats, and no set of "
            "records. With --detect or --annotator, use ds1, ds2 or all."
        )
    return parts[subset]


def split_of_databases(source, annotator):
    """Names of the training and the test records of several databases.

    MIT-BIH is split into DS1 and DS2; the others are for training alone. The second
    list is empty without MIT-BIH.
    """
    training, test = [], []
    for path in source.paths:
        tag = f"{path.resolve().name}/" if len(source.paths) > 1 else ""
        if MITDB.is_at(path):
            training += [f"{tag}{name}" for name in DS1]
            test += [f"{tag}{name}" for name in DS2]
        else:
            training += [f"{tag}{name}" for name in record_names(path, None, annotator)]
    return training, test


def loader_arguments(cut):
    """Arguments of :func:`~ecg_sklearn.datasets.load_wfdb_beats` for a cut."""
    channel = cut.get("channel")
    if channel == "simulated":  # the preferred lead of records
        channel = None
    if cut["form"] == "kaggle":
        found = {"form": "kaggle", "channel": 0 if channel is None else channel}
    else:
        found = {name: cut[name] for name in ("form", "window", "sampling_rate")}
        found |= {"channel": channel, "align": cut.get("align")}
    return found | {"features": cut.get("features") or None}


def read_rows(path, cut):
    """Read rows of 187 samples, with or without a label."""
    check_rows_fit(path, cut)
    return load_heartbeat_csv(path, labelled=n_columns_of(path) == 188)


def n_columns_of(path):
    """Count the columns of the first line of a CSV file; 0 if it cannot be read."""
    try:
        return pd.read_csv(path, header=None, nrows=1).shape[1]
    # The reader that follows raises the error with its reason.
    except (ValueError, OSError):
        return 0


def _read_labelled(path):
    """Read rows with labels, which must stand for the AAMI classes."""
    beats = load_heartbeat_csv(path)
    if beats.target_names != list(CLASS_NAMES):
        raise ValueError(
            f"{path} holds the classes {', '.join(beats.target_names)}, and this "
            f"command works with {', '.join(CLASS_NAMES)}. Read the file in Python "
            "with load_heartbeat_csv."
        )
    return beats


def _refuse_windows(where, cut):
    if cut["form"] != "kaggle":
        start, stop = cut["window"]
        raise ValueError(
            f"{where} holds rows of the Kaggle form, and the model knows windows of "
            f"{start:g} to {stop:g} s around each beat. Give WFDB records, or train "
            "with --form kaggle."
        )


def check_rows_fit(where, cut):
    """Refuse rows of the Kaggle form for a model that needs features or windows."""
    _refuse_windows(where, cut)
    if cut.get("features"):
        raise ValueError(
            f"{where} holds rows without times, and the model was trained with the "
            f"features {', '.join(cut['features'])}. Give WFDB records, or train with "
            "--features none and without --rhythm."
        )
