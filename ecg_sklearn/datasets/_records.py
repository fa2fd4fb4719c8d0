"""Reading annotated WFDB records, with errors that name the file and say what to do."""

import os
from numbers import Integral
from typing import NamedTuple

import numpy as np

from ecg_sklearn.aami import SYMBOL_TO_CLASS


class Signal(NamedTuple):
    """One channel of a record: ``samples`` (n_samples,) at ``sampling_rate`` Hz."""

    samples: np.ndarray
    sampling_rate: float
    channel: str


class Annotations(NamedTuple):
    """All annotations of a record, the AAMI label of each (-1: no beat), its rhythm."""

    sample: np.ndarray
    symbol: np.ndarray
    label: np.ndarray
    rhythm: np.ndarray


def record_names(directory, records, annotator):
    """Names of the records to read, checked for existence of the folder."""
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {directory}.")
    if records is not None:
        names = [str(name) for name in records]
    elif (directory / "RECORDS").is_file():
        names = (directory / "RECORDS").read_text().split()
    else:
        names = sorted(
            header.stem
            for header in directory.glob("*.hea")
            if header.with_suffix(f".{annotator}").is_file()
        )
    if not names:
        raise FileNotFoundError(
            f"{directory} holds no WFDB record with an annotation file "
            f"*.{annotator}. Check the folder and the annotator."
        )
    return names


def read_signal(directory, name, channel, *, digital=False):
    """Read one channel of a record, in physical or digital units.

    Parameters
    ----------
    directory : Path
        Folder of the record.
    name : str
        The record.
    channel : str, int or sequence of str
        As in :func:`load_wfdb_beats`.
    digital : bool, default=False
        Give the integers of the file instead of physical units.

    Returns
    -------
    Signal
        The samples with their rate and the name of the channel.
    """
    import wfdb

    header = _read(wfdb.rdheader, directory, name, "hea")
    position = _channel_position(header, name, channel)
    dat = header.file_name[position]
    if not (directory / dat).is_file():
        raise FileNotFoundError(
            f"Record {name} has no signal file {dat} in {directory}."
        )
    record = _read(
        wfdb.rdrecord, directory, name, dat, channels=[position], physical=not digital
    )
    samples = (record.d_signal if digital else record.p_signal)[:, 0]
    if header.sig_len is not None and len(samples) != header.sig_len:
        raise ValueError(
            f"{directory / dat} holds {len(samples)} samples a signal; its header "
            f"says {header.sig_len}. The file is truncated: get it again."
        )
    if not digital:
        samples = samples.astype(np.float32)
    rate = float(header.fs or 0)
    if not 0 < rate < np.inf:
        raise ValueError(
            f"{directory / name}.hea says that the record has {header.fs} samples per "
            "second. The header is damaged: get it again."
        )
    return Signal(samples, rate, header.sig_name[position])


def read_annotations(directory, name, annotator):
    """Read all annotations of a record.

    Parameters
    ----------
    directory : Path
        Folder of the record.
    name : str
        The record.
    annotator : str
        Suffix of the annotation file.

    Returns
    -------
    Annotations
        Position, symbol, AAMI label (-1: not a beat) of each annotation, and the
        rhythm that was last said to begin: "N", "AFIB", ...; "" before the first.
    """
    import wfdb

    if not (directory / f"{name}.{annotator}").is_file():
        others = sorted(
            path.suffix[1:]
            for path in directory.glob(f"{name}.*")
            if path.suffix not in (".hea", ".dat", ".mat", ".xws")
        )
        raise FileNotFoundError(
            f"Record {name} has no annotation file {name}.{annotator} in {directory}. "
            f"Its other annotators: {', '.join(others) or 'none'}."
        )
    notes = _read(wfdb.rdann, directory, name, annotator, extension=annotator)
    symbol = np.asarray(notes.symbol, dtype="U1")
    label = np.asarray([SYMBOL_TO_CLASS.get(s, -1) for s in symbol], dtype=np.intp)
    sample = np.asarray(notes.sample, dtype=np.intp)
    return Annotations(sample, symbol, label, _rhythms(symbol, notes.aux_note))


def _rhythms(symbol, aux_notes):
    """Carry each note of a rhythm's begin, such as "(AFIB", to the next."""
    rhythm, found = "", []
    for mark, note in zip(symbol, aux_notes, strict=True):
        # Notes of other marks begin so, too: "(ST0+" of an ST episode.
        if mark == "+" and note and note.startswith("("):
            rhythm = note[1:].strip("\0 ")
        found.append(rhythm)
    return np.array(found, dtype=str)


def _read(reader, directory, name, suffix, **kwargs):
    """Call a wfdb reader; turn whatever it raises into an error that names the file."""
    file = suffix if suffix.startswith(f"{name}.") else f"{name}.{suffix}"
    if suffix == "hea" and not (directory / file).is_file():
        raise FileNotFoundError(f"Record {name} has no header {file} in {directory}.")
    try:
        return reader(os.fspath(directory / name), **kwargs)
    except FileNotFoundError as error:  # it was there when it was listed
        raise FileNotFoundError(
            f"{directory / file} vanished while record {name} was being read. Make "
            "sure that nothing moves or removes files there, and try again."
        ) from error
    # wfdb raises whatever its parsing met: IndexError, ValueError, KeyError and more.
    except Exception as error:
        raise ValueError(
            f"{directory / file} could not be read as a WFDB file "
            f"({type(error).__name__}: {error}). It may be truncated: get it again."
        ) from error


def _channel_position(header, name, channel):
    """Find a channel in a header by name, names in order of preference, or position."""
    signals = list(header.sig_name or [])
    if isinstance(channel, Integral):
        if not 0 <= channel < len(signals):
            raise ValueError(
                f"Record {name} has no channel {channel}: it has {len(signals)} "
                f"({', '.join(signals)}), counted from 0."
            )
        return int(channel)
    wanted = [channel] if isinstance(channel, str) else list(channel)
    for candidate in wanted:
        if candidate in signals:
            return signals.index(candidate)
    raise ValueError(
        f"Record {name} has no channel {' or '.join(map(repr, wanted))}. "
        f"It has {', '.join(map(repr, signals)) or 'no signals'}."
    )
