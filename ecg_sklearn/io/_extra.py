"""Reads aECG, MUSE, SCP-ECG and other files through the package ecgdatakit."""

import struct
import warnings

import numpy as np

from ecg_sklearn.io._source import BLOCK, Channel, Source, one_line
from ecg_sklearn.utils._optional import import_optional

# Marks in the first bytes, in lower case, and the format.
_MARKS = {
    "<restingecgdata": "sierra",
    "annotatedecg": "aecg",
    "<restingecg": "muse",
    "museinfo": "muse",
    "mortara": "mortara",
    '"recordedat"': "kardia",
}
_LARGEST = 200e6  # bytes; these formats hold 10 s, and at most a Holter


def is_extra(head):
    """Whether a file begins as one of these formats, or as any XML."""
    return _kind_of(head) is not None


def _kind_of(head):
    """Name of the format; "xml" if it is another XML; None if it is none."""
    if _is_scp(head):
        return "scp"
    text = head.replace(b"\0", b"").decode("latin-1").casefold()
    start = text.lstrip("\ufeffÿþï»¿ \t\r\n")[:1]
    if start not in ("<", "{"):
        return None
    for mark, kind in _MARKS.items():
        if mark in text:
            return kind
    return "xml" if start == "<" else None


def _is_scp(head):
    """Whether a file has the section 0 of SCP-ECG, whose first pointer is its own."""
    if len(head) < 32:
        return False
    section, length = struct.unpack_from("<HI", head, 8)
    first, place = head[22:24], head[28:32]
    return (
        section == 0
        and length >= 26
        and (length - 16) % 10 == 0
        and (first, place) == (b"\0\0", b"\x07\0\0\0")
    )


def open_extra(path):
    """Open a file that ecgdatakit reads."""
    with path.open("rb") as file:
        kind = _kind_of(file.read(4096))
    if kind == "xml":
        raise ValueError(
            f"{path} is XML, and none of the kinds that are read: HL7 aECG, MUSE, "
            "Sierra, Mortara."
        )
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path} is too large for its format ({kind}).")
    parsing = import_optional("ecgdatakit.parsing", "formats", f"Reading {path}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record = parsing.FileParser().parse(path, units="mV")
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} could not be read as {kind} ({one_line(error)}). It is truncated "
            "or damaged: get it again."
        ) from error
    leads = record.leads
    if not leads:
        raise ValueError(f"{path} holds no lead.")
    channels = [
        Channel(
            lead.label or f"channel {place}",
            "adu" if lead.is_raw else lead.units or "unknown",
            float(lead.sampling_rate),
            len(lead.samples),
        )
        for place, lead in enumerate(leads)
    ]

    def blocks(places):
        lengths = {len(leads[place].samples) for place in places}
        if len(lengths) > 1:
            raise ValueError(
                f"{path}: its leads differ in length, {sorted(lengths)} samples. Read "
                "them one by one, with channel=."
            )
        for start in range(0, lengths.pop(), BLOCK):
            stop = start + BLOCK
            parts = [leads[place].samples[start:stop] for place in places]
            yield np.stack(parts, axis=1).astype(np.float64)

    start = record.recording.date
    start = None if start is None else start.replace(tzinfo=None)
    return Source(str(path), path.stem, kind, channels, blocks, start)
