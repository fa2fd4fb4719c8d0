"""What a reader of a format gives: channels, and their samples in blocks."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np

BLOCK = 2**18  # samples of all channels that are read at a time


class Channel(NamedTuple):
    """One channel of a file.

    ``unit`` is as found, "unknown" if the file does not say it. ``rate`` is in Hz.
    ``n_times`` is None if it is known only after reading. ``counts`` is the number of
    converter steps in one unit, if the file is not calibrated.
    """

    name: str
    unit: str
    rate: float
    n_times: int | None = None
    counts: float | None = None


class Source(NamedTuple):
    """A file or array that is open for reading.

    ``blocks`` takes positions of channels of one rate, and generates arrays of shape
    (n, n_positions) in the units of the channels, NaN where nothing was recorded.
    """

    where: str
    name: str
    format: str
    channels: list[Channel]
    blocks: Callable[[list[int]], Iterator[np.ndarray]]
    start_time: datetime | None = None
    assumed_unit: str | None = None


def missing_blocks(n_times, n_leads):
    """Generate blocks of a gap."""
    step = max(1, BLOCK // max(1, n_leads))
    for start in range(0, n_times, step):
        shape = (min(step, n_times - start), n_leads)
        yield np.full(shape, np.nan, dtype=np.float32)


def one_line(text, length=200):
    """Shorten a text to one line, such as the message of a library."""
    text = " ".join(str(text).split())
    return text if len(text) <= length else text[: length - 1] + "…"


@contextlib.contextmanager
def errors_of_libraries(where):
    """Turn what libraries raise on damaged files into a ValueError of one line."""
    try:
        yield
    except (OSError, ValueError, ImportError):
        raise
    except MemoryError as error:
        raise ValueError(
            f"{where} does not fit into memory: {one_line(error)}. Cut it, or correct "
            "the length in its header."
        ) from error
    except Exception as error:
        raise ValueError(
            f"{where} could not be read ({type(error).__name__}: {one_line(error)}). "
            "It is damaged: get it again."
        ) from error
