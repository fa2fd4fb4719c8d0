"""Reads text with one row for each time: CSV, TSV, and exports of watches."""

import codecs
import io
import re
import zlib

import numpy as np
import pandas as pd

from ecg_sklearn.io._source import Channel, Source, one_line
from ecg_sklearn.io._table import find_table, kind_of, split
from ecg_sklearn.io._times import Clock, seconds_of, spread

_HEAD = 2**18
_CHUNK = 2**21  # bytes that are parsed at a time
# A packed file that grows more than this is a bomb: text of an ECG grows tenfold.
_MOST_GROWTH, _FREE = 50, 2**26
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


def open_text(path, file, sampling_rate, *, is_packed=False):
    """Open a table of text; ``file`` is open at its start, packed or not."""
    head = _read(path, file, _HEAD)
    is_whole = len(head) < _HEAD
    encoding = _encoding(path, head, is_packed)
    text = head.decode(encoding, errors="replace").replace("\r\n", "\n")
    lines = text.replace("\r", "\n").split("\n")
    if not is_whole or not lines[-1].strip():
        lines = lines[:-1]  # a part of a line
    if not any(line.strip() for line in lines):
        what = "no line end in its first 256 kB" if not is_whole else "no text"
        raise ValueError(f"{path} has {what}, so it is no table of samples.")
    table = find_table(path, lines)
    reader = _Reader(path, table, encoding, is_packed)
    clock = start = None
    rate = table.rate if table.rate is not None else sampling_rate
    if table.time is not None:
        first = next(reader.frames(text.encode()), None)
        times, start = reader.times(first[1])
        clock = Clock(path, times, table.names[table.time] or "time", sampling_rate)
        rate = clock.rate
    if rate is None:
        raise ValueError(
            f"{path} has no times and names no rate. Give sampling_rate= in Hz."
        )
    channels = [
        Channel(table.names[place], table.units[place], float(rate))
        for place in table.signals
    ]

    def blocks(places):
        columns = [table.signals[place] for place in places]
        with reader.open() as stream:
            for line, frame in reader.frames(stream, columns):
                block = frame[columns].to_numpy(dtype=np.float64)
                if clock is not None:
                    found, _ = reader.times(frame)
                    missing = clock.missing(found, lambda at, n=line: f"line {n + at}")
                    block = spread(block, missing)
                yield block

    name = path.name.removesuffix(".gz")
    name = name.rpartition(".")[0] or name
    return Source(
        str(path), name, table.format, channels, blocks, start or table.start, "mV"
    )


def _read(path, file, n):
    """Read some bytes; name what a damaged archive is."""
    try:
        return file.read(n)
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(
            f"{path} could not be decompressed ({one_line(error)}). It is truncated or "
            "damaged: get it again."
        ) from error


def is_binary(head):
    """Whether bytes are no text in UTF-8 or an encoding of single bytes."""
    return _BINARY.search(head) is not None


def _encoding(path, head, is_packed):
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    if is_binary(head):
        raise ValueError(
            f"{path} {'packs' if is_packed else 'holds'} binary data of a format that "
            "is not known. It may be encrypted, packed or damaged. Give a recording: "
            "WFDB, EDF, BDF, DICOM, ISHNE or text."
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


class _Reader:
    """Parses the rows of a table in chunks."""

    def __init__(self, path, table, encoding, is_packed):
        self.path, self.table = path, table
        self.encoding, self.is_packed = encoding, is_packed

    def open(self):
        """Open the file as a stream of bytes in UTF-8."""
        import gzip

        file = gzip.open(self.path) if self.is_packed else self.path.open("rb")
        if self.encoding == "utf-16":
            return codecs.EncodedFile(file, "utf-8", "utf-16")
        return file

    def chunks(self, stream):
        """Generate the number of the first line, and whole lines."""
        if isinstance(stream, bytes):  # the head; its last line may be cut
            stream = io.BytesIO(stream.rpartition(b"\n")[0] or stream)
        line, rest, n_read, skip = 1, b"", 0, self.table.first
        packed = self.path.stat().st_size
        while True:
            part = _read(self.path, stream, _CHUNK)
            n_read += len(part)
            if self.is_packed and n_read > _MOST_GROWTH * packed + _FREE:
                raise ValueError(
                    f"{self.path} unpacks to more than {_MOST_GROWTH} times its size "
                    f"({n_read / 1e6:.0f} MB so far), which an ECG does not."
                )
            if b"\r" in part and b"\n" not in part:
                part = part.replace(b"\r", b"\n")
            content = rest + part
            cut = content.rfind(b"\n") + 1 if part else len(content)
            content, rest = content[:cut], content[cut:]
            if len(rest) > 4 * _CHUNK:
                raise ValueError(
                    f"{self.path}, line {line + content.count(10)}: it does not end "
                    f"within {len(rest) / 1e6:.0f} MB."
                )
            while skip and content:
                _, _, content = content.partition(b"\n")
                skip, line = skip - 1, line + 1
            if content:
                yield line, content
                line += content.count(b"\n")
            if not part:
                return

    def frames(self, stream, columns=()):
        """Generate the number of the first line, and the parsed rows."""
        table = self.table
        wanted = sorted({*columns, *([] if table.time is None else [table.time])})
        types = dict.fromkeys(columns, np.float64)
        if table.time is not None:
            types[table.time] = str if table.time_is_text else np.float64
        for line, content in self.chunks(stream):
            if not content.strip():
                continue
            try:
                frame = pd.read_csv(
                    io.BytesIO(content),
                    sep=r"\s+" if table.delimiter == " " else table.delimiter,
                    decimal=table.decimal,
                    header=None,
                    names=range(table.width),
                    index_col=False,
                    usecols=wanted,
                    dtype=types,
                    skipinitialspace=True,
                    na_values=["-", "none", "None", "NONE", "Null"],
                    on_bad_lines="error",
                )
            except (ValueError, pd.errors.ParserError) as error:
                raise self.fault(line, content, error) from error
            if not self.is_even(content, frame):
                raise self.fault(line, content)
            yield line, frame

    def is_even(self, content, frame):
        """Whether all rows have the same number of columns."""
        delimiter = self.table.delimiter.encode()
        if delimiter == b" ":
            return not frame.isna().to_numpy().any()
        if b'"' in content:
            return True
        return content.count(delimiter) == len(frame) * (self.table.width - 1)

    def times(self, frame):
        """Find the times of rows, in their unit, and the first as datetime."""
        column = frame[self.table.time]
        if not self.table.time_is_text:
            return column.to_numpy(dtype=np.float64), None
        try:
            return seconds_of(column)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(
                f"{self.path}: the times in column {self.table.time + 1} could not be "
                f"read ({one_line(error)})."
            ) from error

    def fault(self, first, content, error=None):
        """Describe the first line that cannot be read."""
        table = self.table
        text = content.decode("utf-8", errors="replace")
        for number, line in enumerate(text.split("\n"), start=first):
            if not line.strip():
                continue
            cells = split(line, table.delimiter)
            if len(cells) != table.width:
                return ValueError(
                    f"{self.path}, line {number}: it has {len(cells)} columns, and the "
                    f"lines before have {table.width}: {one_line(line, 60)!r}. Correct "
                    "it, or leave it out."
                )
            for place in [
                *table.signals,
                *([] if table.time is None else [table.time]),
            ]:
                kind = kind_of(cells[place], table.decimal)
                is_text = place == table.time and table.time_is_text
                if kind not in ("t" if is_text else "ne"):
                    return ValueError(
                        f"{self.path}, line {number}: column {place + 1} holds "
                        f"{one_line(cells[place], 40)!r}, which is no "
                        f"{'time' if is_text else 'number'}. Correct it, or leave it "
                        "empty."
                    )
        return ValueError(
            f"{self.path} could not be read as a table from line {first} on: "
            f"{one_line(error)}"
        )
