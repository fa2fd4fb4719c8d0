"""Finds delimiter, header, columns and preamble of a table of text."""

import csv
import re
from datetime import datetime
from typing import NamedTuple

from ecg_sklearn.io._leads import plain_lead
from ecg_sklearn.io._source import one_line
from ecg_sklearn.io._units import is_counts, millivolts

_NUMBER = {
    ".": re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"),
    ",": re.compile(r"[-+]?(\d+,?\d*|,\d+)([eE][-+]?\d+)?"),
}
MISSING = frozenset(["", "nan", "na", "n/a", "null", "none", "-", "inf", "-inf"])
_TIME = re.compile(
    r"['\"\[]*(\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4})?[ T]?"
    r"(\d+:\d\d(:\d\d)?([.,]\d*)?)\s*(Z|[+-]\d\d:?\d\d)?['\"\]]*"
)
_TIME_NAME = re.compile(
    r"(elapsed ?)?(time|timestamps?|date ?time|t|seconds?|sec|s|msec|ms|zeit|tiempo|"
    r"temps|tempo|sample ?(#|n\w*|index|id)?|index|idx|n|#|unnamed: 0)?"
    r"\s*[\[(_ ]*(s|sec|seconds|ms|msec|us|µs|ns|iso8601)?[\])]*",
    re.I,
)
_UNIT_IN_NAME = re.compile(
    r"(.*?)[\s_]*(?:[\[(]\s*([^\])]+?)\s*[\])]|[\s_/]([mun\u00b5\u03bc]V))"
)
_RATE = re.compile(
    r"(\d+(?:[.,]\d+)?)[\s\u00a0\"]*(?:hertz|hz|hercios|гц|герц|赫兹|赫茲|ヘルツ|헤르츠|sps"
    r"|samples?\s*(?:per|/)\s*s)",
    re.I,
)
_RATE_BY_KEY = re.compile(
    r"(?:sampl\w*[ _-]*(?:rate|freq\w*)|frequency|\bfs\b)[^\d\n]{0,20}?"
    r"(\d+(?:[.,]\d+)?)",
    re.I,
)
# The rate of a watch, with the name of the unit in any language.
_RATE_OF_WATCH = re.compile(
    r"[^,;]+[,;]\s*\"?(5[01]\d(?:[.,]\d+)?)[\s\u00a0]*[^\W\d_]+\.?\"?\s*"
)
_START = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)")
_KEY_AND_UNIT = re.compile(r".*[,;:\t= ]\s*\"?([^\s,;:=\"]+)\"?\s*", re.I)
_KEY_AND_LEAD = re.compile(r"(?P<key>[^,;:\t=]*)[,;:\t=]\s*\"?(?P<lead>[^,;\"]+)\"?\s*")
_MOST_COLUMNS = 64
# Patterns take long on long texts, so those are not tried.
_LONGEST_CELL, _LONGEST_KEY = 60, 500


class Table(NamedTuple):
    """Layout of a table: ``first`` is the number of lines before the samples."""

    delimiter: str
    decimal: str
    first: int
    names: list[str]
    units: list[str]
    signals: list[int]
    time: int | None
    time_is_text: bool
    format: str = "csv"
    rate: float | None = None
    start: datetime | None = None

    @property
    def width(self):
        """Number of columns."""
        return len(self.names)


def is_time_name(name):
    """Whether a column has the name of times or sample numbers."""
    return len(name) <= _LONGEST_CELL and _TIME_NAME.fullmatch(name.strip()) is not None


def split_unit(name):
    """Split a name such as "II (mV)" into lead and unit."""
    name = name[:_LONGEST_CELL].strip()
    found = _UNIT_IN_NAME.fullmatch(name)
    unit = (found[2] or found[3]) if found else None
    if unit and (millivolts(unit) is not None or is_counts(unit)):
        return found[1] or name, unit
    return name, "unknown"


def find_table(where, lines):
    """Find the layout of a table from its first lines."""
    sample = [line for line in lines[-60:] if line.strip()]
    known = _preamble(lines[:40])
    if known["rate"] and known["unit"] != "unknown" and _is_one_column(sample):
        is_comma = any("," in line for line in sample)
        delimiter, decimal, kinds = ";", "," if is_comma else ".", ["n"]
    else:
        delimiter, decimal, kinds = _dialect(where, sample)
    first = next(
        (
            number
            for number, line in enumerate(lines)
            if line.strip() and _fits(split(line, delimiter), kinds, decimal)
        ),
        None,
    )
    if first is None:
        raise ValueError(f"{where} is text, and no line has a number in each column.")
    rows = [
        [cell.strip(" '\"") for cell in split(line, delimiter)] if line.strip() else []
        for line in lines[:first]
    ]
    _check_header(where, lines, rows, len(kinds), decimal)
    if kinds[-1] == "e":  # rows end with a delimiter, the header may not
        rows = [[*row, ""] if len(row) == len(kinds) - 1 else row for row in rows]
    same = [row for row in rows if len(row) == len(kinds)]
    rows = [row for row in rows if row]
    units = ["unknown"] * len(kinds)
    names = [""] * len(kinds)
    if same and len(kinds) > 1 or same and len(rows) == 1:
        if len(same) > 1 and all(
            not cell or millivolts(cell) is not None or _is_time_unit(cell)
            for cell in same[-1]
        ):
            units = [cell or "unknown" for cell in same.pop()]
        names = same[-1]
    time = _time_column(lines[first:], delimiter, decimal, kinds, names)
    signals = [
        place for place, kind in enumerate(kinds) if kind == "n" and place != time
    ]
    if len(signals) > _MOST_COLUMNS:
        raise ValueError(
            f"{where} has {len(signals)} columns of numbers. One row is to hold the "
            "leads at one time: if the rows are beats or leads, this is no recording."
        )
    if not signals:
        raise ValueError(f"{where} has no column of samples beside the times.")
    if kinds == ["n"] and known["rate"] and known["format"] == "csv":
        if known["unit"] != "unknown" and known["start"]:
            known["format"] = "apple"  # with keys in any language
    for place in signals:
        name, unit = split_unit(names[place])
        if units[place] == "unknown":
            units[place] = unit if unit != "unknown" else known["unit"]
        names[place] = name or (
            known["lead"] if len(signals) == 1 and known["lead"] else f"channel {place}"
        )
    return Table(
        delimiter=delimiter,
        decimal=decimal,
        first=first,
        names=names,
        units=units,
        signals=signals,
        time=time,
        time_is_text=time is not None and kinds[time] == "t",
        format=known["format"],
        rate=known["rate"],
        start=known["start"],
    )


def _check_header(where, lines, rows, width, decimal):
    """Refuse broken rows of numbers in front of the first whole one."""
    if width < 2:
        return
    is_below = False
    for number, row in enumerate(rows, start=1):
        has_numbers = any(kind_of(cell, decimal) == "n" for cell in row)
        is_comment = lines[number - 1].lstrip()[:1] in ("#", "%")
        if has_numbers and not is_comment and (is_below or len(row) == width):
            raise ValueError(
                f"{where}, line {number}: it is no row of {width} numbers: "
                f"{one_line(lines[number - 1], 60)!r}. Correct it, or leave it out."
            )
        is_below |= len(row) == width


def split(line, delimiter):
    """Cells of a line."""
    if delimiter == " ":
        return line.split()
    if '"' not in line:
        return line.rstrip("\r\n").split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def kind_of(cell, decimal):
    """Kind of a cell: "n" number, "e" empty, "t" time, "x" other text."""
    cell = cell.strip()
    if len(cell) > _LONGEST_CELL:
        return "x"
    if _NUMBER[decimal].fullmatch(cell):
        return "n"
    if cell.casefold() in MISSING:
        return "e"
    return "t" if _TIME.fullmatch(cell) else "x"


def _fits(cells, kinds, decimal):
    """Whether the cells of a row are of the kinds of the columns."""
    return (
        len(cells) == len(kinds)
        and all(
            kind in ("x", (found := kind_of(cell, decimal))) or found == "e"
            for cell, kind in zip(cells, kinds, strict=True)
        )
        and any(kind_of(cell, decimal) in "nt" for cell in cells)
    )


def _dialect(where, sample):
    """Find delimiter, decimal sign, and the kind of each column."""
    best = None
    for delimiter in (";", "\t", ",", "|", " "):
        if delimiter != "," and not any(delimiter in line for line in sample):
            continue
        rows = [split(line, delimiter) for line in sample]
        width = max(map(len, rows), key=[len(row) for row in rows].count, default=0)
        even = [row for row in rows if len(row) == width]
        for decimal in (".", ",") if delimiter != "," else (".",):
            columns = zip(*even, strict=True)
            kinds = [_kind_of_column(column, decimal) for column in columns]
            n_numbers = kinds.count("n")
            share = len(even) / max(1, len(rows))
            score = (n_numbers > 0, "x" not in kinds, round(share, 1), n_numbers)
            if n_numbers and (best is None or score > best[0]):
                best = score, delimiter, decimal, kinds
    # A decimal comma and no delimiter: some number then begins with "-0,".
    if best and best[1] == "," and len(best[3]) == 2 and _is_one_column(sample):
        if any(line.startswith("-0,") for line in sample):
            return ";", ",", ["n"]
    if best is None:
        start = sample[0].strip()[:60] if sample else ""
        raise ValueError(
            f"{where} is text, and no table of numbers: a line reads {start!r}. Give "
            "one row for each time, with columns parted by a comma, semicolon or tab."
        )
    return best[1:]


def _is_one_column(sample):
    """Whether each line can be one number, such as "-265.868" or "-265,868"."""
    return all(re.fullmatch(r"[-+]?\d*([.,]\d*)?", line.strip()) for line in sample)


def _kind_of_column(cells, decimal):
    kinds = [kind_of(cell, decimal) for cell in cells]
    for kind in "nt":
        # One cell in ten may be wrong: its line is named later.
        if kinds.count(kind) and kinds.count(kind) + kinds.count("e") >= 0.9 * len(
            kinds
        ):
            return kind
    return "e" if kinds.count("e") == len(kinds) else "x"


def _time_column(lines, delimiter, decimal, kinds, names):
    """Find the column of times or sample numbers; None if there is none."""
    if "t" in kinds:
        return kinds.index("t")
    if kinds.count("n") < 2:
        return None
    for place, kind in enumerate(kinds):
        if kind == "n" and names[place] and is_time_name(names[place]):
            return place
    place = kinds.index("n")
    if names[place]:
        return None
    rows = [split(line, delimiter) for line in lines[:500] if line.strip()]
    cells = [row[place].replace(",", ".") for row in rows if len(row) == len(kinds)]
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return None
    rises = all(b > a for a, b in zip(values, values[1:], strict=False))
    return place if rises and len(values) > 20 else None


def _is_time_unit(cell):
    return (
        re.fullmatch(r"(s|sec|seconds?|ms|us|µs|ns|[hms:.']+)", cell, re.I) is not None
    )


def _preamble(lines):
    """Find rate, unit, lead and start in the lines before a table."""
    known = {
        "format": "csv",
        "rate": None,
        "unit": "unknown",
        "lead": "",
        "start": None,
    }
    for line in lines:
        if len(line) > _LONGEST_KEY:
            continue
        if found := (
            _RATE.search(line)
            or _RATE_BY_KEY.search(line)
            or _RATE_OF_WATCH.fullmatch(line)
        ):
            known["rate"] = float(found[1].replace(",", "."))
        if re.search(r"kardia|alivecor", line, re.I):
            known["format"] = "kardia"
        if (found := _KEY_AND_UNIT.fullmatch(line)) and millivolts(
            found[1]
        ) is not None:
            known["unit"] = found[1]
        found = _KEY_AND_LEAD.fullmatch(line)
        if found and not re.search(r"name|nom", found["key"], re.I):
            lead = (
                plain_lead(found["lead"].split()[-1]) if found["lead"].split() else ""
            )
            if re.fullmatch(r"I{1,3}|AV[RLF]|V[1-6]", lead):
                known["lead"] = found["lead"].split()[-1]
        if known["start"] is None and (found := _START.search(line)):
            try:
                known["start"] = datetime.fromisoformat(f"{found[1]} {found[2]}")
            except ValueError:
                pass
    return known
