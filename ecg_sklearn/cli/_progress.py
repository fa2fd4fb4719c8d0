"""Lines that say how far a training without epochs is."""

import contextlib
import logging
import time

from rich.console import Console


@contextlib.contextmanager
def show_progress(*, quiet):
    """Print what the classifiers log of their progress, with the seconds so far."""
    logger = logging.getLogger("ecg_sklearn.ensemble")
    if quiet:
        yield
        return
    console = Console()
    with console.status("Fitting trees"):
        handler = _Lines(console)
        level = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


class _Lines(logging.Handler):
    """Prints each message with the seconds since the start."""

    def __init__(self, console):
        super().__init__()
        self.console, self.start = console, time.perf_counter()

    def emit(self, record):
        seconds = time.perf_counter() - self.start
        self.console.print(f"{seconds:5.0f} s  {record.getMessage()}", highlight=False)
