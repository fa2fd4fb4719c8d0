"""Reads annotated WFDB records."""

import re
import warnings
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from ecg_sklearn.aami import SYMBOL_TO_CLASS
from ecg_sklearn.io._wfdb import call_wfdb, checked_rate, read_signal

# A first note, at sample 0, that makes wfdb 4.3 loop for ever.
_ENDLESS = re.compile(
    rb"\0\x58.\xfc## (?!time resolution: \d|annotation type definitions)", re.DOTALL
)


class Annotations(NamedTuple):
    """All annotations of a record, with AAMI label (-1: no beat) and rhythm of each.

    ``sample`` is the position in the signal; float if the annotation file has its own
    time unit.
    """

    sample: np.ndarray
    symbol: np.ndarray
    label: np.ndarray
    rhythm: np.ndarray


def record_names(directory, records, annotator):
    """Find the names of the records to read."""
    if directory.is_file():
        raise NotADirectoryError(
            f"{directory} is a file. Give its folder {directory.parent}, and "
            f"records=[{directory.stem!r}]."
        )
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {directory}.")
    if records is not None:
        names = [_plain_name(directory, str(name), annotator) for name in records]
    elif (directory / "RECORDS").is_file():
        names = _listed_names(directory, annotator)
    else:
        names = sorted(
            header.stem
            for header in directory.glob("*.hea")
            if _file(directory, header.stem, annotator).is_file()
        )
    if names:
        return names
    message = (
        f"{directory} holds no WFDB record with an annotation file *.{annotator}. "
        "Check the folder and the annotator."
    )
    if deeper := next(directory.glob(f"*/*.{annotator}"), None):
        name = deeper.relative_to(directory).with_suffix("").as_posix()
        message += (
            f" Its subfolders hold some: give the folder {deeper.parent}, or names "
            f"such as records=[{name!r}], or list these names in a file RECORDS."
        )
    raise FileNotFoundError(message)


def _plain_name(directory, name, annotator):
    """Name of a record without the suffix of a file."""
    name = PurePosixPath(name).as_posix()
    if not _file(directory, name, "hea").is_file():
        for suffix in (".hea", ".dat", f".{annotator}"):
            stem = name.removesuffix(suffix)
            if stem != name and _file(directory, stem, "hea").is_file():
                return stem
    return name


def _listed_names(directory, annotator):
    """Read RECORDS; leave out records without annotations, unless all have none."""
    listed = []
    for name in _words(directory / "RECORDS"):
        deeper = directory / name / "RECORDS"
        if name.endswith("/") and deeper.is_file():
            listed += [f"{name}{each}" for each in _words(deeper)]
        else:
            listed.append(name)
    listed = dict.fromkeys(_plain_name(directory, name, annotator) for name in listed)
    names = [name for name in listed if _file(directory, name, annotator).is_file()]
    if not names:
        return list(listed)
    if without := [name for name in listed if name not in names]:
        _warn(
            f"{len(without)} of {len(listed)} records that {directory / 'RECORDS'} "
            f"lists have no annotation file *.{annotator} and are left out: "
            f"{', '.join(without[:5])}{', ...' if len(without) > 5 else ''}."
        )
    return names


def _words(file):
    """Names in a file; some editors put a byte order mark in front."""
    return file.read_text(encoding="utf-8-sig").split()


def read_record(directory, name, annotator, channel, *, digital=False):
    """Read one channel of a record and its annotations."""
    notes, rate = _read_annotations(directory, name, annotator)
    signal = read_signal(directory, name, channel, digital=digital)
    rate = checked_rate(rate, directory, name)
    return signal, _placed(notes, rate, name, signal.sampling_rate, len(signal.samples))


def read_annotations(directory, name, annotator, sampling_rate, n_times):
    """Read the annotations of a record, with their places in a signal of it."""
    notes, rate = _read_annotations(directory, name, annotator)
    rate = checked_rate(rate, directory, name)
    return _placed(notes, rate, name, sampling_rate, n_times)


def _placed(notes, rate, name, sampling_rate, n_times):
    """Convert places at ``rate`` to those in a signal; leave out those outside."""
    sample = notes.sample
    if rate != sampling_rate:
        sample = sample * (sampling_rate / rate)
    # An annotation just after the last sample still marks the end of a beat.
    inside = (sample >= 0) & (np.rint(sample) <= n_times)
    if n_outside := np.count_nonzero(~inside & (notes.label >= 0)):
        first = sample[~inside & (notes.label >= 0)][0] / sampling_rate
        _warn(
            f"Record {name} has {n_outside} beats that are annotated outside of its "
            f"signal of {n_times / sampling_rate:g} s, the first at {first:.2f} s. "
            "They are left out. Check that the annotations belong to the record."
        )
    notes = notes._replace(sample=sample)
    return notes if inside.all() else Annotations(*(column[inside] for column in notes))


def valid_beats(name, signal, time, start, stop):
    """Mask of the beats without invalid samples; warns about the others."""
    if signal.invalid is None or len(time) == 0:
        return np.ones(len(time), dtype=bool)
    total = np.concatenate([[0], np.cumsum(signal.invalid)])
    # 1e-6 against rounding: times are whole samples divided by the rate.
    first = np.floor((time + start) * signal.sampling_rate + 1e-6)
    end = np.ceil((time + stop) * signal.sampling_rate - 1e-6)
    first, end = (
        np.clip(edge, 0, len(signal.samples)).astype(np.intp) for edge in (first, end)
    )
    is_valid = total[end] <= total[first]
    if not is_valid.all():
        _warn(
            f"Record {name}: {np.count_nonzero(~is_valid)} of {len(time)} beats hold "
            "samples that the record marks as invalid, the first at "
            f"{time[~is_valid][0]:.2f} s. They are left out."
        )
    return is_valid


def read_raw_annotations(directory, name, annotator):
    """Read the annotations of a record as a ``wfdb.Annotation``."""
    import wfdb

    file = _file(directory, name, annotator)
    if not file.is_file():
        others = sorted(
            path.suffix[1:]
            for path in file.parent.glob(f"{Path(name).name}.*")
            if path.suffix not in (".hea", ".dat", ".mat", ".xws")
        )
        raise FileNotFoundError(
            f"Record {name} has no annotation file {file.name} in {file.parent}. "
            f"Its other annotators: {', '.join(others) or 'none'}."
        )
    if _ENDLESS.match(file.read_bytes()):
        raise ValueError(
            f"{file} begins with a note '## ...' that wfdb cannot read. Remove it."
        )
    return call_wfdb(wfdb.rdann, directory, name, file, extension=annotator)


def _read_annotations(directory, name, annotator):
    """Read all annotations of a record, sorted by time, and their rate in Hz."""
    notes = read_raw_annotations(directory, name, annotator)
    # Symbols that are no single character are user-defined: no beat.
    symbol = [s if isinstance(s, str) and len(s) == 1 else "" for s in notes.symbol]
    label = np.array([SYMBOL_TO_CLASS.get(s, -1) for s in symbol], dtype=np.intp)
    sample = np.asarray(notes.sample, dtype=np.intp)
    order = np.argsort(sample, kind="stable")
    symbol = np.array(symbol, dtype="U1")[order]
    rhythm = _rhythms(symbol, [notes.aux_note[i] for i in order])
    # Without a rate in the file, wfdb returns that of the header.
    return Annotations(sample[order], symbol, label[order], rhythm), notes.fs


def _rhythms(symbol, aux_notes):
    """Rhythm at each annotation: the last note such as "(AFIB" before it."""
    rhythm, found = "", []
    for mark, note in zip(symbol, aux_notes, strict=True):
        # Other annotations have such notes too: "(ST0+" of an ST episode.
        if mark == "+" and note and note.startswith("("):
            rhythm = note[1:].strip("\0 ")
        found.append(rhythm)
    return np.array(found, dtype=str)


def _file(directory, name, suffix):
    return directory / f"{name}.{suffix}"


def _warn(message):
    warnings.warn(message, UserWarning, stacklevel=3)
