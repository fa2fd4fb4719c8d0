"""Reads ISHNE Holter files.

Badilini, "The ISHNE Holter Standard Output File Format", Annals of Noninvasive
Electrocardiology 3 (1998) 263-266.
"""

import binascii
import struct
import warnings
from datetime import datetime

import numpy as np

from ecg_sklearn.io._source import BLOCK, Channel, Source

_MAGIC = b"ISHNE1.0"
_FIXED = 522  # bytes of the fixed header
_LEADS = dict(
    enumerate("X Y Z I II III aVR aVL aVF V1 V2 V3 V4 V5 V6 ES AS AI".split(), start=2)
)
_FAULT = -32768  # sample of a lead that is off


def is_ishne(head):
    """Whether a file begins as an ISHNE file."""
    return head.startswith(_MAGIC)


def open_ishne(path):
    """Open an ISHNE file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_FIXED)
        if len(header) < _FIXED:
            raise ValueError(f"{path} is truncated: its header has 522 bytes.")
        (checksum,) = struct.unpack_from("<H", header, 8)
        n_text, n_samples, _, offset = struct.unpack_from("<4i", header, 10)
        day, month, year = struct.unpack_from("<3h", header, 138)
        clock = struct.unpack_from("<3h", header, 150)
        (n_leads,) = struct.unpack_from("<h", header, 156)
        codes = struct.unpack_from("<12h", header, 158)
        steps = struct.unpack_from("<12h", header, 206)  # nV
        (rate,) = struct.unpack_from("<h", header, 272)
        if not (
            1 <= n_leads <= 12 and rate > 0 and n_text >= 0 and _FIXED <= offset <= size
        ):
            raise ValueError(
                f"{path} is damaged: its header gives {n_leads} leads, {rate} Hz and "
                f"samples from byte {offset} of {size}."
            )
        file.seek(10)
        content = file.read(min(offset, _FIXED + n_text) - 10)
    computed = binascii.crc_hqx(content, 0xFFFF)
    # Some recorders store no checksum, or its bytes in the other order.
    if checksum not in (0, computed, (computed & 0xFF) << 8 | computed >> 8):
        warnings.warn(
            f"{path}: the checksum of its header is {checksum:#06x} and should be "
            f"{computed:#06x}. Check its rate and leads.",
            UserWarning,
            stacklevel=2,
        )
    n_times, rest = divmod(size - offset, 2 * n_leads)
    # Recorders differ in what they count: samples of a lead, or of all leads.
    if rest or n_samples not in (0, n_times, n_times * n_leads):
        if not 0 < n_samples < n_times:
            raise ValueError(
                f"{path} is truncated: its header gives {n_samples} samples, and it "
                f"holds {n_times} of each of {n_leads} leads. Get it again."
            )
        n_times = n_samples
    channels = [
        Channel(
            _LEADS.get(code, f"channel {place}"),
            "nV" if step > 0 else "adu",
            float(rate),
            n_times,
        )
        for place, (code, step) in enumerate(
            zip(codes[:n_leads], steps[:n_leads], strict=True)
        )
    ]
    gains = np.array([max(step, 1) for step in steps[:n_leads]], dtype=np.float64)

    def blocks(places):
        with path.open("rb") as file:
            file.seek(offset)
            left = n_times
            while left > 0:
                n = min(left, max(1, BLOCK // n_leads))
                values = np.fromfile(file, dtype="<i2", count=n * n_leads)
                values = values[: len(values) // n_leads * n_leads]
                block = values.reshape(-1, n_leads)[:, places].astype(np.float64)
                block[block == _FAULT] = np.nan
                yield block * gains[places]
                left -= n

    try:
        start = datetime(year, month, day, *clock)
    except ValueError:
        start = None
    return Source(str(path), path.stem, "ishne", channels, blocks, start)
