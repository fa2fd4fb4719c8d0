"""Events of a recording: singles, couplets, runs, bigeminy, trigeminy, pauses."""

import numpy as np
import pandas as pd

PAUSE = 2.5  # s
SHORTEST_RUN = 3  # beats
SHORTEST_CYCLE = 3  # ectopic beats of bigeminy and trigeminy
_ROUNDING = 1e-9  # s

_FORMS = ("", " couplet", " run", " bigeminy", " trigeminy")
EVENT_KINDS: tuple[str, ...] = (
    *(f"VEB{form}" for form in _FORMS),
    *(f"SVEB{form}" for form in _FORMS),
    "pause",
    "irregular rhythm",
)
_NAMES = {"V": "VEB", "S": "SVEB"}


def find_events(beats, irregular):
    """Find the events of a table of beats, and the event of each beat (-1: none).

    ``irregular`` are the episodes of irregular rhythm: rows of first and last beat.
    """
    letters, rr = beats["class"].to_numpy(), beats["rr"].to_numpy()
    linked = ~np.isnan(rr)  # to the beat before
    parts, of_beats = [], []
    for letter, name in _NAMES.items():
        mask = letters == letter
        first, last = _stretches(mask, linked)
        form = np.minimum(last - first, SHORTEST_RUN - 1)
        place = EVENT_KINDS.index(name)
        parts.append((place + form, first, last))
        of_beats.append(np.flatnonzero(mask))
        singles = first[form == 0]
        for n_normal, form_name in ((1, "bigeminy"), (2, "trigeminy")):
            cycle = _cycles(singles, letters == "N", linked, n_normal)
            parts.append(_of_kind(f"{name} {form_name}", *cycle))
    pauses = np.flatnonzero(rr >= PAUSE - _ROUNDING)  # NaN is not
    parts.append(_of_kind("pause", pauses - 1, pauses))
    parts.append(_of_kind("irregular rhythm", irregular[:, 0], irregular[:, 1]))
    kind, first, last = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((kind, last, first))
    kind, first, last = kind[order], first[order], last[order]
    event = np.full(len(beats), -1)
    for letter, rows in zip(_NAMES, of_beats, strict=True):
        place = EVENT_KINDS.index(_NAMES[letter])
        is_of = (kind >= place) & (kind < place + SHORTEST_RUN)
        numbers = np.flatnonzero(is_of)
        event[rows] = np.repeat(numbers, (last - first + 1)[numbers])
    return _table(beats, kind, first, last), event


def _table(beats, kind, first, last):
    """Make the table of events."""
    time, clock = beats["time"].to_numpy(), beats["clock"].to_numpy()
    start, end = time[first], time[last]
    rate = np.full(len(kind), np.nan)
    longer = end > start
    rate[longer] = 60 * (last - first)[longer] / (end - start)[longer]
    return pd.DataFrame(
        {
            "start": start,
            "end": end,
            "clock": clock[first],
            "kind": np.array(EVENT_KINDS, dtype=object)[kind],
            "n_beats": last - first + 1,
            "rate": rate,
            "first": first,
            "last": last,
        }
    )


def _of_kind(kind, first, last):
    return np.full(len(first), EVENT_KINDS.index(kind)), first, last


def _stretches(mask, linked):
    """First and last of the beats of a mask that follow each other."""
    goes_on = np.zeros(len(mask), dtype=bool)
    goes_on[1:] = mask[1:] & mask[:-1] & linked[1:]
    first = np.flatnonzero(mask & ~goes_on)
    last = np.flatnonzero(mask & ~np.append(goes_on[1:], False)[: len(mask)])
    return first, last


def _cycles(singles, is_normal, linked, n_normal):
    """First and last ectopic beat where ``n_normal`` normal ones lie between each."""
    odd = np.append(0, np.cumsum(~is_normal))
    breaks = np.append(0, np.cumsum(~linked))
    one, two = singles[:-1], singles[1:]
    follows = (two - one == n_normal + 1) & (odd[two] == odd[one + 1])
    follows &= breaks[two + 1] == breaks[one + 1]
    edges = np.diff(follows.astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    keep = last - first + 1 >= SHORTEST_CYCLE
    return singles[first[keep]], singles[last[keep]]
