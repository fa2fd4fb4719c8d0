"""Numbers and times of the page in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

NOTHING = "–"


@dataclass(frozen=True)
class Clock:
    """Times of a recording in words: of the day if the start is known, else elapsed.

    Parameters
    ----------
    start : datetime or None
        When the recording begins.
    duration : float
        Seconds. Days are counted in recordings of more than 24 h.
    """

    start: datetime | None
    duration: float

    @property
    def counts_days(self):
        """Whether a time of the day may occur twice."""
        return self.start is not None and self.duration > 86400

    def __call__(self, seconds, form="%H:%M:%S"):
        """Write a time as hours, minutes and seconds; later days are counted."""
        if not np.isfinite(seconds):
            return NOTHING
        if self.start is None:
            return elapsed(seconds, with_seconds="%S" in form)
        moment = self.start + timedelta(seconds=float(seconds))
        day = (moment.date() - self.start.date()).days + 1
        prefix = f"day {day} " if self.counts_days else ""
        return prefix + moment.strftime(form)

    def tick(self, seconds, form):
        """Write a time for an axis: midnight has the day, others the time alone."""
        text = self(seconds, form)
        if not self.counts_days:
            return text
        day, time = text.rsplit(" ", 1)
        return day if time.replace(":", "").strip("0") == "" else time

    @property
    def offset(self):
        """Seconds from midnight to the start, 0 if the start is unknown."""
        if self.start is None:
            return 0.0
        return (self.start - datetime.combine(self.start, datetime.min.time())) / (
            timedelta(seconds=1)
        )


def elapsed(seconds, with_seconds=True):
    """Write a duration as h:mm:ss."""
    hours, rest = divmod(int(seconds), 3600)
    text = f"{hours}:{rest // 60:02d}"
    return f"{text}:{rest % 60:02d}" if with_seconds else text


def duration(seconds):
    """Write a duration in words, in the two largest units."""
    if not np.isfinite(seconds):
        return NOTHING
    if seconds < 60:
        return f"{seconds:.3g} s"
    days = [(86400, "d")] if seconds > 2 * 86400 else []
    units = [*days, (3600, "h"), (60, "min"), (1, "s")]
    total, parts = round(seconds), []
    for size, unit in units:
        count, total = divmod(total, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def number(value, digits=0):
    """Write a number, or a dash for nan."""
    return f"{value:,.{digits}f}" if np.isfinite(value) else NOTHING


def share(value):
    """Write a percentage with digits that fit its size."""
    if not np.isfinite(value):
        return NOTHING
    if 0 < value < 0.01:
        return "< 0.01"
    digits = 2 if value < 1 else 1
    if 99.95 <= value < 100:
        return "> 99.9"
    return f"{value:.{digits}f}" if 0 < value < 100 else f"{value:.0f}"
