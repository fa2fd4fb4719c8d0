"""Reads EDF, EDF+ and BDF files."""

import io
import re
import warnings
from datetime import datetime

import numpy as np

from ecg_sklearn.io._source import BLOCK, Channel, Source, missing_blocks, one_line

_BDF = b"\xffBIOSEMI"
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)\x14")
_UNKNOWN_START = datetime(1985, 1, 1)  # what writers put where it is unknown


def is_edf(head):
    """Whether a file begins as an EDF or BDF file."""
    is_digits = re.fullmatch(rb"\d+ *", head[184:192]) is not None
    return head.startswith(_BDF) or (head.startswith(b"0       ") and is_digits)


def open_edf(path):
    """Open an EDF or BDF file."""
    with path.open("rb") as file:
        is_bdf = file.read(8) == _BDF
    header, counts, n_records, record_bytes, width = _layout(path, is_bdf)
    edf = _parse(path, header, b"", 0, is_bdf)
    labels = [_text(header, 256 + 16 * place, 16) for place in range(len(counts))]
    is_signal = [label not in _ANNOTATIONS for label in labels]
    duration = edf.data_record_duration
    if not duration > 0:
        raise ValueError(
            f"{path}: its data records last {duration:g} s, so it holds no signal."
        )
    starts = np.arange(n_records)  # in data records
    if header[192:197] in (b"EDF+D", b"BDF+D"):
        offset = (
            width * sum(counts[: is_signal.index(False)]) if False in is_signal else 0
        )
        starts = _record_starts(path, header, n_records, record_bytes, offset, duration)
    total = int(starts[-1]) + 1 if n_records else 0
    kept = [count for count, signal in zip(counts, is_signal, strict=True) if signal]
    channels = [
        Channel(
            signal.label or f"channel {place}",
            _unit_of(signal),
            count / duration,
            total * count,
        )
        for place, (signal, count) in enumerate(zip(edf.signals, kept, strict=True))
    ]

    def blocks(places):
        step = max(1, BLOCK // max(1, record_bytes // width))
        n_read = end = 0
        with path.open("rb") as file:
            file.seek(len(header))
            while n_read < n_records:
                # Records of one block follow one another without a gap.
                n = min(step, n_records - n_read)
                jumps = np.flatnonzero(np.diff(starts[n_read : n_read + n]) != 1)
                n = int(jumps[0]) + 1 if len(jumps) else n
                gap = int(starts[n_read]) - end
                yield from missing_blocks(gap * kept[places[0]], len(places))
                content = file.read(n * record_bytes)
                part = _parse(path, header, content, n, is_bdf)
                yield np.stack([part.signals[place].data for place in places], axis=1)
                end = int(starts[n_read]) + n
                n_read += n

    name = "bdf" if is_bdf else "edf"
    start = _start_time(path, header, record_bytes, is_bdf)
    return Source(str(path), path.stem, name, channels, blocks, start)


def _layout(path, is_bdf):
    """Read the header, and compare what it says with the size of the file."""
    size = path.stat().st_size
    width = 3 if is_bdf else 2
    with path.open("rb") as file:
        header = file.read(256)
        try:
            n_signals = int(header[252:256])
            header += file.read(256 * n_signals)
            n_records = int(header[236:244])
            first = 256 + 216 * n_signals
            counts = [
                int(header[first + 8 * place : first + 8 * place + 8])
                for place in range(n_signals)
            ]
            is_sound = len(header) == 256 * (n_signals + 1) == int(header[184:192])
            is_sound = is_sound and n_signals > 0 and min(counts) >= 0
        except ValueError:
            is_sound = False
    record_bytes = width * sum(counts) if is_sound else 0
    if not record_bytes:
        raise ValueError(
            f"{path} begins as an EDF file, and its header is truncated or damaged. "
            "Get it again."
        )
    found = (size - len(header)) // record_bytes
    if n_records < 0:
        n_records = found  # the recorder did not write it
    if found < n_records:
        raise ValueError(
            f"{path} is truncated: its header gives {n_records} data records, and it "
            f"holds {found}. Get it again."
        )
    return header, counts, n_records, record_bytes, width


def _parse(path, header, content, n_records, is_bdf):
    """Let edfio parse some data records behind the header."""
    import edfio

    field = str(n_records).encode().ljust(8)
    reader = edfio.read_bdf if is_bdf else edfio.read_edf
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader(
                io.BytesIO(header[:236] + field + header[244:] + content),
                header_encoding="latin-1",
            )
    except Exception as error:
        raise ValueError(
            f"{path} could not be read as EDF ({type(error).__name__}: "
            f"{one_line(error)}). It is damaged: get it again."
        ) from error


def _text(header, start, length):
    return header[start : start + length].decode("latin-1").strip()


def _unit_of(signal):
    """Find the unit of a signal; "adu" if it is not calibrated."""
    low, high = signal.physical_range
    if low == high or signal.digital_min == signal.digital_max:
        return "adu"
    unit = signal.physical_dimension.strip()
    if not unit:
        return "adu" if (low, high) == tuple(signal.digital_range) else "unknown"
    return unit


def _record_starts(path, header, n_records, record_bytes, offset, duration):
    """Start of each data record of a discontinuous file, in data records."""
    starts = np.empty(n_records)
    with path.open("rb") as file:
        for place in range(n_records):
            file.seek(len(header) + place * record_bytes + offset)
            found = _ONSET.match(file.read(32))
            if found is None:
                raise ValueError(
                    f"{path}: data record {place + 1} of this discontinuous EDF+ file "
                    "does not say when it begins. Get the file again."
                )
            starts[place] = float(found[1])
    starts = np.rint((starts - starts[:1]) / duration).astype(np.int64)
    late = np.flatnonzero(np.diff(starts) < 1)
    if len(late):
        raise ValueError(
            f"{path}: data record {late[0] + 2} begins before the last one ends. "
            "The file is damaged: get it again."
        )
    return starts


def _start_time(path, header, record_bytes, is_bdf):
    """When the recording begins; None if it is unknown."""
    with path.open("rb") as file:
        file.seek(len(header))
        content = file.read(record_bytes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            edf = _parse(path, header, content, 1, is_bdf)
            start = datetime.combine(edf.startdate, edf.starttime)
    except ValueError:  # anonymised, or not readable
        return None
    return None if start == _UNKNOWN_START else start
