"""The table of EC57 from two sets of annotations: :func:`ec57_report`."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import StrOptions, validate_params

from ecg_sklearn.aami import CLASS_NAMES, SYMBOL_TO_CLASS, symbol_classes
from ecg_sklearn.metrics._aami import report_of
from ecg_sklearn.metrics._ec57 import N_CLASSES, TABLE_NAMES
from ecg_sklearn.metrics._match import (
    MATCH_CONSTRAINTS,
    NEVER,
    check_samples,
    pair_samples,
    to_samples,
)

_O, _X = TABLE_NAMES.index("O"), TABLE_NAMES.index("X")
_NO_BEATS = "[]!x()ptu`'^|~+sT*D=\"@"
_BOTH_NOISY = 0x30  # bits of the subtype of "~": neither signal can be read


@validate_params(
    MATCH_CONSTRAINTS
    | {
        "sampling_rate": [*MATCH_CONSTRAINTS["sampling_rate"], Mapping],
        "escape": [StrOptions({"N", "S"})],
    },
    prefer_skip_nested_validation=True,
)
def ec57_report(
    reference,
    detected,
    sampling_rate,
    *,
    window=0.15,
    skip_first=300.0,
    stop=None,
    escape="S",
):
    """Compare detected beats with annotations, as in ANSI/AAMI EC57.

    The table is that of the program ``bxb`` of the WFDB software [1]_, cell by cell,
    with its options: true classes N S V F Q in rows, detected ones in columns. Row O
    has extra beats, column O missed ones. Row X has extra beats where the reference
    could not be read ("shutdown"), column X missed beats where the detector said so.
    The figures are those of :func:`aami_report`; missed ectopic beats are false
    negatives, extra ones false positives.

    Parameters
    ----------
    reference : annotations, or dict of record to annotations
        True annotations of one record, or of several. Annotations are an object with
        ``sample`` and ``symbol``, and ``subtype`` if known, such as
        :class:`wfdb.Annotation`; or a tuple ``(sample, symbol)`` or ``(sample, symbol,
        subtype)`` of positions in samples and PhysioNet symbols. The letters N S V F Q
        are such symbols; integers 0 to 4 may stand for them.
    detected : annotations, or dict of record to annotations
        Detected beats in the same form, of the same records. An array alone is
        positions of beats without a class, which count as N.
    sampling_rate : float, or dict of record to float
        Samples per second.
    window : float, default=0.15
        Largest distance of a pair, in s.
    skip_first : float, default=300.0
        Learning period at the start of each record, in s, whose beats do not count.
    stop : float, default=None
        Time in s after which beats do not count; None goes on to the last beat. ``bxb``
        stops at the end of the record.
    escape : {"S", "N"}, default="S"
        Class of the supraventricular escape beats e, j and n: "S" as in EC57 and
        ``bxb``, "N" as in the labels of the loaders of this package.

    Returns
    -------
    AAMIReport
        The figures; ``confusion_matrix`` has the seven rows and columns.

    Raises
    ------
    ValueError
        If the records differ, symbols are unknown, or no beats are left.

    See Also
    --------
    match_beats : Pairs of beats without their classes.
    aami_report : Classes of beats that were all detected.

    Notes
    -----
    Annotations between "[" and "]" (ventricular flutter and fibrillation) do not count,
    neither do detected beats there that are no pair of a beat. Flutter waves ("!")
    elsewhere are paired as ``bxb`` does it, with class O. Where neither signal can be
    read, the reference has "~" with bits 4 and 5 of its subtype set; without subtypes
    there is no X.

    Three things differ from ``bxb``. A stretch without its second mark goes on to the
    end of the record; ``bxb`` ignores it if there was another one before. ``bxb`` keeps
    the last two stretches only. Without a learning period, it loses a beat at sample 0.

    References
    ----------
    .. [1] G. B. Moody, ``bxb.c`` of the WFDB software package, PhysioNet, revision of
       2020; its rule of pairing is that of 2002.

    Examples
    --------
    >>> from ecg_sklearn.metrics import ec57_report
    >>> reference = [200, 500, 700, 1100], ["N", "N", "V", "N"]
    >>> detected = [203, 505, 702, 900], ["N", "V", "V", "N"]
    >>> report = ec57_report(reference, detected, 360, skip_first=0)
    >>> report.gross["qrs_sensitivity"], report.gross["veb_positive_predictivity"]
    (0.75, 0.5)
    >>> report.confusion_matrix[0].tolist()  # N as n s v f q o x
    [1, 0, 1, 0, 0, 1, 0]
    """
    several = isinstance(reference, Mapping)
    if several != isinstance(detected, Mapping):
        raise ValueError("Give dicts of the same records for reference and detected.")
    records = {"": (reference, detected)}
    if several:
        if reference.keys() != detected.keys() or not reference:
            odd = sorted(map(str, reference.keys() ^ detected.keys()))
            raise ValueError(
                "reference and detected need the same records, one at least. In one of "
                f"them alone: {', '.join(odd) or 'none'}."
            )
        records = {name: (reference[name], detected[name]) for name in reference}
    counts = []
    for name, (truth, found) in records.items():
        rate = sampling_rate
        if isinstance(sampling_rate, Mapping):
            rate = sampling_rate[name]
        width, start = to_samples(window, rate), to_samples(skip_first, rate)
        last = NEVER - 1 if stop is None else to_samples(stop, rate)
        of = f" of record {name}" if several else ""
        true = _read(truth, f"reference{of}", width, escape)
        pred = _read(found, f"detected{of}", width, escape)
        counts.append(_count(true, pred, width, start, last))
    if not np.sum(counts):
        raise ValueError(
            f"skip_first={skip_first} and stop={stop} leave no beats in any record: "
            "use a smaller skip_first."
        )
    names = list(records) if several else []
    return report_of(np.array(counts), names, skip_first, escape)


class _Beats(NamedTuple):
    """Beats of one side, and the stretches (start, end) in samples without any."""

    sample: np.ndarray
    code: np.ndarray
    fibrillation: list
    shutdown: list


def _read(notes, name, width, escape):
    """Take the beats and the marks out of annotations."""
    sample, symbol, subtype = _columns(notes, name)
    code = symbol_classes(symbol, escape=escape)
    code[symbol == "!"] = _O
    keep = code >= 0
    closing = np.flatnonzero(symbol == "]")
    noisy = (symbol == "~") & (subtype & _BOTH_NOISY == _BOTH_NOISY)
    fibrillation, shutdown, next_one = [], [], 0
    for place in np.flatnonzero((symbol == "[") | noisy).tolist():
        if place < next_one:
            continue  # between the marks of a stretch
        if symbol[place] == "[":
            after = np.searchsorted(closing, place)
            end = closing[after] if after < len(closing) else len(sample)
            keep[place : end + 1] = False
            fibrillation.append((sample[place], _at(sample, end)))
            next_one = end + 1
        else:
            shutdown.append(
                _shutdown(place, sample, symbol, noisy, keep, fibrillation, width)
            )
            next_one = place + 1
    return _Beats(sample[keep], code[keep], fibrillation, shutdown)


def _shutdown(place, sample, symbol, noisy, keep, fibrillation, width):
    """Stretch that cannot be read, which the mark at ``place`` begins."""
    following = place + 1
    if following == len(sample) or (symbol[following] == "~" and not noisy[following]):
        return sample[place], _at(sample, following)
    # A single mark (AHA database) is in the middle of what lies between its neighbours.
    beats = np.flatnonzero(keep[:place])
    before = sample[beats[-1]] if len(beats) else 0
    end = sample[following] - width
    if fibrillation:
        before = max(before, fibrillation[-1][1])
    return min(before + width, end), end


def _at(sample, place):
    """Position of an annotation; that behind the last one is never."""
    return sample[place] if place < len(sample) else NEVER


def _columns(notes, name):
    """Positions, symbols and subtypes, sorted by position."""
    if hasattr(notes, "sample") and hasattr(notes, "symbol"):
        parts = [notes.sample, notes.symbol, getattr(notes, "subtype", None)]
    elif isinstance(notes, tuple) and len(notes) in (2, 3):
        parts = [*notes, None][:3]
    elif isinstance(notes, tuple):
        raise ValueError(
            f"{name} has {len(notes)} parts: give (sample, symbol), or "
            "(sample, symbol, subtype)."
        )
    else:
        parts = [notes, None, None]
    sample = check_samples(parts[0], f"sample of {name}")
    n_notes = len(sample)
    symbol = ["N"] * n_notes if parts[1] is None else parts[1]
    subtype = np.zeros(n_notes, int) if parts[2] is None else np.asarray(parts[2])
    if not n_notes == len(symbol) == len(subtype):
        raise ValueError(
            f"{name} has {n_notes} positions, {len(symbol)} symbols and {len(subtype)} "
            "subtypes: give one of each for each annotation."
        )
    symbol = _symbols(symbol, name)
    order = np.argsort(sample, kind="stable")
    return sample[order], symbol[order], subtype[order].astype(int)


def _symbols(values, name):
    """Symbols as an array of str; integers are classes."""
    symbol = np.asarray(values)
    if symbol.dtype.kind in "iu" and len(symbol):
        if symbol.min() < 0 or symbol.max() >= N_CLASSES:
            raise ValueError(
                f"{name} holds the class {symbol[np.argmax(np.abs(symbol))]}. Use 0 to "
                f"{N_CLASSES - 1} for {' '.join(CLASS_NAMES)}."
            )
        return np.array(CLASS_NAMES)[symbol]
    symbol = symbol.astype(str)
    known = np.isin(symbol, [*SYMBOL_TO_CLASS, *_NO_BEATS])
    if len(symbol) and not known.any():
        raise ValueError(
            f"{name} has no symbol of PhysioNet, but {symbol[0]!r}. Use symbols "
            "such as 'N', 'A', 'V', or integers 0 to 4."
        )
    return symbol


def _count(true, pred, width, start, stop):
    """Table of one record, shape (7, 7)."""
    i, j = pair_samples(true.sample, pred.sample, width, start, stop)
    row, column = np.append(true.code, _O)[i], np.append(pred.code, _O)[j]
    extra, missed = i < 0, j < 0
    time = np.where(extra, np.append(pred.sample, 0)[j], np.append(true.sample, 0)[i])
    row[extra & _inside(time, true.shutdown)] = _X
    column[missed & _inside(time, pred.shutdown)] = _X
    counted = ~(extra & _inside(time, true.fibrillation))
    counted &= (row < N_CLASSES) | (column < N_CLASSES)
    size = len(TABLE_NAMES)
    cells = (row * size + column)[counted]
    return np.bincount(cells, minlength=size**2).reshape(size, size)


def _inside(time, stretches):
    """Which times are in one of the stretches, ends included."""
    inside = np.zeros(len(time), dtype=bool)
    for start, end in stretches:
        inside |= (start <= time) & (time <= end)
    return inside
