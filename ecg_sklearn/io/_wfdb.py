"""Reads the signals of WFDB records."""

import os
import re
import warnings
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ecg_sklearn.io._leads import channel_position, choose_channels
from ecg_sklearn.io._source import BLOCK, Channel, Source, missing_blocks
from ecg_sklearn.io._units import is_counts, millivolts

_MICROVOLT = re.compile(rb"[\x80-\xff]V")
_RECORD_LINE = re.compile(
    rb"\s*[\w./-]+\s+\d+(\s+[\d.e+-]+(/[\d.e+-]+)?(\([-\d.]+\))?(\s+\d+.*)?)?\s*"
)
_NO_GAIN = 200.0  # steps for a unit if the header gives none
_DIFFERENCES = "8"  # a format that can only be read from its start


class Signal(NamedTuple):
    """One channel of a record: ``samples`` (n_samples,) at ``sampling_rate`` Hz.

    ``invalid`` is the mask of samples that the record marks as missing, or None. They
    are interpolated in ``samples``.
    """

    samples: np.ndarray
    sampling_rate: float
    channel: str
    invalid: np.ndarray | None = None
    unit: str = "mV"


class _Record(NamedTuple):
    """Header of a record; ``segments`` are triples of name, header and length.

    The header is None in a gap.
    """

    directory: Path
    name: str
    file: Path
    header: object
    names: list
    segments: list
    is_joined: bool

    def rate(self, position):
        """Return the samples per second of a channel."""
        frames = checked_rate(self.header.fs, self.directory, self.name)
        return frames * self.samples_per_frame(position)

    def samples_per_frame(self, position):
        """Return the samples of a channel in a frame."""
        for _, header, _ in self.segments:
            place = self.place_in(header, position)
            if place is not None:
                return header.samps_per_frame[place]
        return 1

    def path_of(self, name):
        """Return the header file of a segment."""
        return self.file.with_name(f"{name}.hea") if self.is_joined else self.file

    def place_in(self, header, position):
        """Position of a channel in a segment; None if it is not recorded there."""
        if header is None:
            return None
        names = header.sig_name or []
        if self.is_joined and self.header.layout == "variable":
            name = self.names[position]
            return names.index(name) if name in names else None
        return position if position < len(names) else None


def is_header(head):
    """Whether a file begins as a WFDB header."""
    lines = [line for line in head.splitlines() if line.strip() and line[:1] != b"#"]
    if len(lines) < 2 or not _RECORD_LINE.fullmatch(lines[0]):
        return False
    words = lines[1].split()
    if b"/" in lines[0].split()[0]:
        return len(words) == 2 and words[1].isdigit()
    if len(words) < 2 or not re.search(rb"[A-Za-z~]|^-$", words[0]):
        return False  # a table of numbers
    return re.fullmatch(rb"\d+(x\d+)?(:\d+)?(\+\d+)?", words[1]) is not None


def names(header, name):
    """Whether the header beside a file names it as that of its signals."""
    lines = header.read_bytes()[:100_000].splitlines()[1:]
    return any(line.split()[:1] == [os.fsencode(name)] for line in lines)


def open_wfdb(header):
    """Open the record of a header file."""
    directory, name = header.parent, header.stem
    record = _read_header(directory, name)
    channels = _channels(record)
    start = None
    if record.header.base_date and record.header.base_time:
        start = datetime.combine(record.header.base_date, record.header.base_time)

    def blocks(places):
        return _blocks(record, places)

    return Source(str(header), name, "wfdb", channels, blocks, start)


def _channels(record):
    """Describe the channels of a record."""
    length = record.header.sig_len
    channels = []
    for position, channel in enumerate(record.names):
        unit, _ = _unit_of(record, position, keep=True)
        per_frame = record.samples_per_frame(position)
        counts = _counts_of(record, position)
        channels.append(
            Channel(
                channel or f"channel {position}",
                unit,
                record.rate(position),
                None if length is None else length * per_frame,
                counts,
            )
        )
    return channels


def read_signal(directory, name, channel, *, digital=False):
    """Read one channel of a record, in physical or digital units."""
    record = _read_header(directory, name)
    if channel is None:
        [position] = choose_channels(f"Record {name}", _channels(record), None)
    else:
        position = channel_position(record.names, f"Record {name}", channel)
    physical = record.is_joined or not digital
    unit, factor = _unit_of(record, position)
    if physical:
        parts = [block[:, 0] * factor for block in _blocks(record, [position])]
        values = np.concatenate(parts or [np.empty(0)])
    else:
        found = _read_samples(record, name, record.header, [position], physical=False)
        [values] = found.dac(expanded=True)
        values = values * factor
    with np.errstate(over="ignore"):  # infinite values are marked below
        values = values.astype(np.float32)
    samples = values if physical else found.e_d_signal[0]
    invalid = ~np.isfinite(values)
    if invalid.any():
        samples = interpolate(samples, invalid)
    else:
        invalid = None
    rate, label = record.rate(position), record.names[position] or ""
    return Signal(samples, rate, label, invalid, unit)


def _read_header(directory, name):
    """Read the header of a record, and those of its segments."""
    import wfdb

    file = directory / f"{name}.hea"
    header = call_wfdb(wfdb.rdheader, directory, name, file, rd_segments=True)
    is_joined = isinstance(header, wfdb.MultiRecord)
    names = list(header.sig_name or [])
    if len(names) != header.n_sig:
        raise ValueError(
            f"{file} could not be read: it describes {len(names)} signals and says "
            f"that there are {header.n_sig}. It is truncated, or wrong: get it again."
        )
    segments = [(name, header, header.sig_len)]
    if is_joined:
        segments = list(
            zip(header.seg_name, header.segments, header.seg_len, strict=True)
        )
        if sum(header.seg_len) != header.sig_len:
            raise ValueError(
                f"{file} could not be read: its segments hold {sum(header.seg_len)} "
                f"samples, and it says {header.sig_len}. Get it again."
            )
    return _Record(directory, name, file, header, names, segments, is_joined)


def _blocks(record, positions):
    """Generate blocks of samples of channels, in the units of the header."""
    for name, header, length in record.segments:
        if length == 0:
            continue  # the layout
        places = [record.place_in(header, position) for position in positions]
        found = [place for place in places if place is not None]
        if not found:
            per_frame = record.samples_per_frame(positions[0])
            yield from missing_blocks(length * per_frame, len(positions))
            continue
        wanted = sorted(set(found))
        for part in _blocks_of_segment(record, name, header, length, wanted):
            block = np.full((len(part[0]), len(places)), np.nan)
            for column, place in enumerate(places):
                if place is not None:
                    block[:, column] = part[wanted.index(place)]
            yield block


def _blocks_of_segment(record, name, header, length, places):
    """Generate the samples of channels of one segment, a list of arrays a block."""
    step = max(1, BLOCK // sum(header.samps_per_frame))
    if length is None or _DIFFERENCES in header.fmt:
        step = length or 1
    for start in range(0, length or 1, step):
        stop = None if length is None else min(start + step, length)
        found = _read_samples(record, name, header, places, sampfrom=start, sampto=stop)
        yield found.e_p_signal


def _read_samples(record, name, header, places, **how):
    """Read samples of one segment, all of each frame."""
    import wfdb

    # Segments lie beside the header, and name their files.
    folder = record.file.parent if record.is_joined else record.directory
    file = record.file
    if not record.is_joined:
        file = record.file.parent / header.file_name[places[0]]
    return call_wfdb(
        wfdb.rdrecord,
        folder,
        name,
        file,
        record.name,
        channels=places,
        smooth_frames=False,
        **how,
    )


def _unit_of(record, position, keep=False):
    """Name the unit of a channel and the factor to mV.

    The unit is "mV" for any voltage, or with ``keep`` the one of the header.
    """
    found = set()
    for name, header, length in record.segments:
        if header is None or (record.is_joined and length == 0):
            continue  # a gap or the layout segment
        place = record.place_in(header, position)
        if place is not None:
            unit = header.units[place] or "unknown"
            # wfdb drops non-ASCII characters, and reads µV as V.
            if unit == "V" and _MICROVOLT.search(record.path_of(name).read_bytes()):
                unit = "uV"
            found.add(unit)
    if len(found) > 1:
        raise ValueError(
            f"{record.file}: its segments are in different units, "
            f"{', '.join(sorted(found))}. Load the segments apart, as records."
        )
    unit = found.pop() if found else "unknown"
    factor = millivolts(unit)
    if factor is None:
        return unit, 1
    return (unit if keep else "mV"), factor


def _counts_of(record, position):
    """Find the steps in one unit, if the header is not calibrated; else None."""
    for name, header, length in record.segments:
        place = record.place_in(header, position)
        if place is None or length == 0:
            continue  # not recorded here, or the layout
        gain = header.adc_gain[place]
        unit = header.units[place] or ""
        if millivolts(unit) is None:
            return gain if is_counts(unit) else None
        lines = [
            line.split()
            for line in record.path_of(name).read_text(errors="replace").splitlines()
            if line.strip() and not line.startswith("#")
        ]
        words = lines[1 + place] if len(lines) > 1 + place else []
        number = re.match(r"-?[\d.e+-]+", words[2]) if len(words) > 2 else None
        return None if number and float(number[0]) else _NO_GAIN
    return None


def interpolate(samples, invalid):
    """Interpolate invalid samples, so that filters do not spread them."""
    place, filled = np.arange(len(samples)), samples.copy()
    if invalid.all():
        return np.zeros_like(samples)
    filled[invalid] = np.interp(place[invalid], place[~invalid], samples[~invalid])
    return filled


def call_wfdb(reader, directory, name, file, record=None, **kwargs):
    """Call a wfdb reader; convert its exceptions to errors with file and cause.

    ``file`` is the first file that it reads, ``record`` the name for messages.
    """
    try:
        with warnings.catch_warnings():
            # Overflow of damaged values; they are marked as invalid.
            warnings.simplefilter("ignore", RuntimeWarning)
            return reader(os.fspath(directory / name), **kwargs)
    except FileNotFoundError as error:
        missing = Path(error.filename)
        kind = {".hea": "header", f".{kwargs.get('extension')}": "annotation file"}
        raise FileNotFoundError(
            f"Record {record or name} has no {kind.get(missing.suffix, 'signal file')} "
            f"{missing.name} in {missing.parent}."
        ) from error
    except OSError as error:
        raise OSError(
            error.errno,
            f"Record {record or name} cannot be read: {error.strerror or error}",
            os.fspath(error.filename or file),
        ) from error
    # wfdb's parser raises IndexError, ValueError, KeyError and more.
    except Exception as error:
        raise ValueError(f"{file} could not be read: {_cause(error, file)}") from error


def _cause(error, file):
    """Explain an error of wfdb."""
    content = f"{type(error).__name__}: {error}"
    if file.suffix == ".hea":
        return f"it is no complete WFDB header, or its segments differ ({content})."
    if isinstance(error, KeyError):
        return f"its header names the signal format {error}, which wfdb does not know."
    if "not loaded correctly" in str(error):
        return (
            "it does not hold the number of samples that its header says. The file is "
            "truncated, or the header wrong: get both again."
        )
    return f"wfdb cannot ({content}). It is damaged, or does not fit its header."


def checked_rate(rate, directory, name):
    """Check a rate that a header or an annotation file gives."""
    if not 0 < (rate or 0) < np.inf:
        raise ValueError(
            f"Record {name} in {directory} has {rate} samples per second, says its "
            "header or annotation file. The file is damaged: get it again."
        )
    return float(rate)
