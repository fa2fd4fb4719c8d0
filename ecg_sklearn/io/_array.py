"""Recordings that are arrays or DataFrames."""

import numpy as np
import pandas as pd

from ecg_sklearn.io._source import BLOCK, Channel, Source
from ecg_sklearn.io._table import is_time_name, split_unit
from ecg_sklearn.io._times import Clock, spread


def open_array(source, sampling_rate):
    """Open an array of shape (n_times,) or (n_times, n_leads), or a DataFrame."""
    if hasattr(source, "columns") and hasattr(source, "to_numpy"):
        return _open_frame(source, sampling_rate)
    if np.ma.isMaskedArray(source):
        source = np.ma.filled(source.astype(np.float64), np.nan)
    name = getattr(source, "name", None)
    try:
        values = np.asarray(source)
    except ValueError as error:
        raise ValueError(
            f"The array has rows of different lengths: {error}."
        ) from error
    if values.dtype.kind not in "iuf":
        raise ValueError(
            f"The array holds {values.dtype}. Give numbers of shape (n_times,) or "
            "(n_times, n_leads), or the name of a file."
        )
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise ValueError(
            f"The array has shape {values.shape}. Give (n_times,) or "
            "(n_times, n_leads)."
        )
    values = values.reshape(len(values), -1)
    if values.shape[1] > len(values):
        raise ValueError(
            f"The array has shape {values.shape}, more leads than times. Give its "
            "transpose."
        )
    if sampling_rate is None:
        raise ValueError("An array has no rate. Give sampling_rate= in Hz.")
    names = [str(name or "channel 0")]
    if values.shape[1] > 1:
        names = [f"channel {place}" for place in range(values.shape[1])]
    return _source(names, ["unknown"] * len(names), values, float(sampling_rate))


def _open_frame(frame, sampling_rate):
    names = [str(name) for name in frame.columns]
    values, times, start, named = [], None, None, "time"
    index = getattr(frame, "index", None)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        times, start = _clock_times(index.to_series())
    kept, units = [], []
    for name, key in zip(names, frame.columns, strict=True):
        column = frame[key]
        if getattr(column, "ndim", 1) != 1:
            raise ValueError(f"The DataFrame has several columns {name!r}.")
        array = np.asarray(column)
        if array.dtype.kind == "O" and pd.api.types.is_numeric_dtype(column):
            array = column.to_numpy(np.float64, na_value=np.nan)
        if times is None and (is_time_name(name) or array.dtype.kind in "mM"):
            named = name
            if array.dtype.kind in "mM":
                times, start = _clock_times(pd.Series(array))
            else:
                times = array
        elif array.dtype.kind in "iuf":
            lead, unit = split_unit(name)
            kept.append(lead)
            units.append(unit)
            values.append(array)
    if not values:
        raise ValueError(
            f"The DataFrame has no column of numbers: its columns are {names[:20]}."
        )
    clock = None
    if times is not None:
        some = np.asarray(times[:BLOCK], dtype=np.float64)
        clock = Clock("The DataFrame", some, named, sampling_rate)
        sampling_rate = clock.rate
    if sampling_rate is None:
        raise ValueError(
            "The DataFrame has no column of times. Give sampling_rate= in Hz."
        )
    return _source(kept, units, values, float(sampling_rate), start, times, clock)


class _Stamps:
    """Times of a column of dates, in seconds from the first, a slice at a time."""

    def __init__(self, stamps):
        self.stamps = stamps

    def __getitem__(self, cut):
        steps = (self.stamps.iloc[cut] - self.stamps.iloc[0]) // pd.Timedelta("1us")
        return steps.to_numpy(dtype=np.float64) / 1e6


def _clock_times(stamps):
    """Return the times of a series, and the first if it is a date."""
    if stamps.isna().any():
        raise ValueError("The DataFrame has rows without a time. Leave them out.")
    start = None
    if stamps.dtype.kind == "M":
        stamps = stamps.dt.tz_localize(None)
        start = stamps.iloc[0].to_pydatetime(warn=False)
    return _Stamps(stamps), start


def _source(names, units, values, rate, start=None, times=None, clock=None):
    """Make the source of columns, a matrix or a list."""
    columns = values if isinstance(values, list) else list(values.T)
    n_times = len(columns[0])
    channels = [
        Channel(name, unit, rate, n_times if clock is None else None)
        for name, unit in zip(names, units, strict=True)
    ]

    def blocks(places):
        for start in range(0, n_times, BLOCK):
            cut = slice(start, start + BLOCK)
            block = np.stack([columns[place][cut] for place in places], axis=1)
            if clock is not None:
                some = np.asarray(times[cut], dtype=np.float64)
                missing = clock.missing(some, lambda at, n=start: f"row {n + at}")
                block = spread(block, missing)
            yield block

    return Source("The array", "array", "array", channels, blocks, start, "mV")
