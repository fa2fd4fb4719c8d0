"""Rate and gaps of samples that have times."""

import re

import numpy as np
import pandas as pd

_SCALES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_RATES = (50.0, 2000.0)
_LONGEST_GAP = 86400.0  # s
_DATE = re.compile(r"\d{4}-\d|\d{1,2}[./]\d{1,2}[./]\d")


class Clock:
    """Finds the rate of samples from their times, and the gaps between them.

    ``times`` are the first times of the recording. ``named`` is the name of their
    column. A column that counts the samples needs ``sampling_rate``.
    """

    def __init__(self, where, times, named, sampling_rate):
        self.where = where
        self.last = None
        steps = np.diff(times)
        steps = steps[steps > 0]
        if not len(steps):
            raise ValueError(f"{where}: the times in column {named!r} do not ascend.")
        step = float(np.median(steps))
        scale = _scale_of(named, step)
        is_index = scale is None
        if is_index and sampling_rate is None:
            raise ValueError(
                f"{where}: column {named!r} counts by {step:g} and does not say in "
                "which unit. Give sampling_rate= in Hz."
            )
        if is_index:
            scale = 1 / (sampling_rate * step)
        regular = steps[steps < 1.5 * step + _resolution(times)]
        self.rate = _round(1 / (scale * float(regular.mean())), len(regular))
        if sampling_rate is not None and abs(sampling_rate / self.rate - 1) > 0.01:
            raise ValueError(
                f"{where}: the times in column {named!r} give {self.rate:g} Hz, and "
                f"sampling_rate={sampling_rate:g} was given. Leave sampling_rate out, "
                "or leave out the column of times."
            )
        self.scale = scale
        self.slack = _resolution(times) * scale * self.rate

    def missing(self, times, describe):
        """Count the samples that are missing before each time.

        ``describe`` makes the place of a sample, such as "line 7", for messages.
        """
        before = times[0] if self.last is None else self.last
        steps = np.diff(times, prepend=before) * self.scale * self.rate
        if self.last is None:
            steps[0] = 1
        self.last = times[-1]
        # Times of day begin again at midnight.
        day = 86400 * self.rate
        steps = np.where((steps < -0.9 * day) & (steps > -day), steps + day, steps)
        wrong = ~(steps > (0 if self.slack < 1 else -1e-9))
        wrong |= steps > _LONGEST_GAP * self.rate
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise self._fault(steps[place], describe(place))
        is_gap = steps > 1.5 + self.slack
        if len(steps) > 20 and is_gap.mean() > 0.2:
            low, high = np.percentile(steps / self.rate * 1000, [5, 95])
            raise ValueError(
                f"{self.where}, {describe(0)}: the times are irregular, {low:.3g} to "
                f"{high:.3g} ms apart. Resample the signal to a fixed rate."
            )
        return np.where(is_gap, np.rint(steps) - 1, 0).astype(np.intp)

    def _fault(self, step, place):
        """Describe a time that cannot be."""
        if step > 0:
            return ValueError(
                f"{self.where}, {place}: a gap of {step / self.rate / 3600:.0f} h lies "
                "before it. Read the parts as recordings of their own."
            )
        what = "no time" if np.isnan(step) else "a time before the last one"
        return ValueError(
            f"{self.where}, {place}: it has {what}. Sort the rows by time, and leave "
            "out rows that repeat."
        )


def spread(block, missing):
    """Put rows of NaN where samples are missing."""
    if not missing.any():
        return block
    place = np.arange(len(block)) + np.cumsum(missing)
    wide = np.full((int(place[-1]) + 1, block.shape[1]), np.nan)
    wide[place] = block
    return wide


def _scale_of(named, step):
    """Seconds in a unit of time; None if the column may count samples."""
    words = re.findall(r"[a-zµμ]+", named.casefold())
    for unit, pattern in (
        ("ns", r"ns|nanos.*"),
        ("us", r"us|µs|μs|micros.*"),
        ("ms", r"ms|msec|millis.*"),
        ("s", r"s|sec|secs|seconds?|sekunden?|segundos?|secondes?"),
    ):
        if any(re.fullmatch(pattern, word) for word in words):
            return _SCALES[unit]
    low, high = _RATES
    if step == 1:
        return None
    for scale in (1.0, 1e-3, 1e-6, 1e-9):
        if low <= 1 / (scale * step) <= high:
            return scale
    return None if step == int(step) else 1.0


def _resolution(times):
    """Step in which times are written: 10 ** -n, or 1."""
    some = times[:2000] - times[0]
    for digits in range(7):
        scaled = some * 10**digits
        if np.allclose(scaled, np.rint(scaled), rtol=0, atol=1e-4):
            return 10.0**-digits
    return 0.0


def _round(rate, n_steps):
    """Round a rate to whole Hz if the times cannot tell the difference."""
    whole = round(rate)
    if whole and abs(whole / rate - 1) * n_steps < 0.5:
        return float(whole)
    return float(f"{rate:.6g}")


def seconds_of(texts):
    """Convert times of text to seconds, and the first to a datetime or None."""
    texts = texts.astype(str).str.strip(" '\"[]")
    if _DATE.match(texts.iloc[0]):
        # Without the time zone: clock time counts.
        texts = texts.str.replace(r"\s*(Z|[+-]\d\d:?\d\d)$", "", regex=True)
        is_iso = re.match(r"\d{4}-", texts.iloc[0]) is not None
        how = {"format": "ISO8601"} if is_iso else {"dayfirst": True}
        stamps = pd.to_datetime(texts.str.replace(",", "."), **how)
        start = stamps.iloc[0].to_pydatetime()
        # Whole microseconds from a fixed day, exact in float64.
        micros = (stamps - pd.Timestamp("2000-01-01")) // pd.Timedelta("1us")
        return micros.to_numpy(dtype=np.float64) / 1e6, start
    parts = texts.str.replace(",", ".").str.split(":", expand=True).astype(float)
    weights = 60.0 ** np.arange(parts.shape[1])[::-1]
    return (parts.to_numpy() * weights).sum(axis=1), None
