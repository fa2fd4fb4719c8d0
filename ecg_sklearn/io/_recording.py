"""The class Recording, and the function that reads one from anything."""

import warnings
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.io._leads import choose_channels
from ecg_sklearn.io._open import open_source
from ecg_sklearn.io._source import errors_of_libraries
from ecg_sklearn.io._units import factor_to_millivolts

_RATES = (50.0, 2000.0)
_SHORTEST, _LONGEST = 2.0, 31 * 86400.0  # s
_WIDEST, _NARROWEST = 20.0, 0.01  # mV within a beat
_WINDOW = 1.5  # s, holds a beat


@dataclass(frozen=True, eq=False)
class Recording:
    """An ECG recording.

    Parameters
    ----------
    signal : ndarray of shape (n_times, n_leads), float32
        Samples in mV; NaN where nothing was recorded.
    sampling_rate : float
        Samples per second.
    leads : tuple of str
        Name of each column of ``signal``, as in the file.
    start_time : datetime or None
        When the recording begins, without a time zone; None if it is unknown.
    name : str
        Name of the file or record without suffix.
    units : tuple of str
        Unit of each lead as found in the file, such as "uV"; "unknown" if the file does
        not say it.
    format : str
        "array", "csv", "apple", "kardia", "wfdb", "edf", "bdf", "dicom", "ishne", or
        one of the extra ``formats``: "aecg", "muse", "scp", "sierra", "mortara".
    """

    signal: np.ndarray
    sampling_rate: float
    leads: tuple[str, ...]
    start_time: datetime | None
    name: str
    units: tuple[str, ...]
    format: str

    @property
    def n_times(self):
        """Number of samples of each lead."""
        return self.signal.shape[0]

    @property
    def n_leads(self):
        """Number of leads."""
        return self.signal.shape[1]

    @property
    def duration(self):
        """Duration in seconds, gaps included."""
        return self.n_times / self.sampling_rate


@validate_params(
    {
        "source": "no_validation",
        "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
        "channel": [str, Interval(Integral, 0, None, closed="left"), list, tuple, None],
        "unit": [str, Interval(Real, 0, None, closed="neither"), None],
    },
    prefer_skip_nested_validation=True,
)
def read_recording(source, *, sampling_rate=None, channel=None, unit=None):
    """Read an ECG recording.

    Files are recognised by their content. Read are WFDB records, EDF, EDF+ and BDF,
    DICOM waveforms, ISHNE Holter files, ECGs that Apple Health and Kardia export, and
    text with one row for each time: CSV, TSV and TXT, also with gzip. The extra
    ``formats`` adds HL7 aECG, MUSE, SCP-ECG, Sierra and Mortara files and Kardia JSON.

    Parameters
    ----------
    source : str, Path, array-like or DataFrame
        A file; a WFDB record with or without suffix; or samples of shape (n_times,) or
        (n_times, n_leads). A DataFrame may have a column or index of times.
    sampling_rate : float, default=None
        Samples per second, for arrays and text without times. None takes the rate of
        the file; another rate than that of the file is an error.
    channel : str, int or sequence of str, default=None
        Name of a lead; its position among all channels of the file; or several names,
        of which the first that the file has is read. "all" reads all ECG leads. None
        takes one lead, the first of II, MLII, V5, V2, V1, V3, V4, V6, ML5, CM5, I, MLI,
        III, MLIII, aVF, aVL, aVR, V, ECG, ECG1, ECG2, ECG3, else the first ECG lead.
        Names are compared without case and words such as "ECG" and "lead". Channels
        such as breathing, pressure or EEG are read only by name or position.
    unit : {"V", "mV", "uV", "nV"} or float, default=None
        Unit of the values, or the mV that a value of 1 stands for. It is needed for
        files in steps of a converter, and replaces the unit that the file names. None
        takes the unit of the file, and mV for arrays and text that name none.

    Returns
    -------
    Recording
        The signal in mV, with its rate and leads.

    Raises
    ------
    OSError
        If the file is missing or cannot be opened.
    ValueError
        If the file is of no known format, damaged or truncated; if rate or unit are
        unknown; if there is no such lead or no ECG lead; if the leads differ in rate;
        if the rate is not within 50 to 2,000 Hz; or if the recording is shorter than
        2 s, longer than 31 days, or empty.
    ImportError
        If the format needs the extra ``formats``.

    Warns
    -----
    UserWarning
        If the amplitude is not that of an ECG in mV, or the file is not calibrated.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.io import read_recording
    >>> time = np.arange(5000) / 250
    >>> microvolts = 500 * (np.sin(2 * np.pi * time) > 0.99)
    >>> recording = read_recording(microvolts, sampling_rate=250, unit="uV")
    >>> recording.signal.shape, float(recording.signal.max()), recording.duration
    ((5000, 1), 0.5, 20.0)
    """
    opened = open_source(source, sampling_rate)
    where = opened.where
    places = choose_channels(where, opened.channels, channel)
    chosen = [opened.channels[place] for place in places]
    rate = chosen[0].rate
    factors = np.array(
        [
            factor_to_millivolts(where, each, unit, opened.assumed_unit)
            for each in chosen
        ]
    )
    _check_rate(where, rate, sampling_rate)
    if unit is None and chosen[0].counts:
        _warn(
            f"{where} is not calibrated: it has gain 0, or none. "
            f"{chosen[0].counts:g} steps for 1 {chosen[0].unit} are assumed. Give "
            "unit= to say what one step is."
        )
    _check_duration(where, chosen[0].n_times, rate)
    with errors_of_libraries(where):
        signal = _collect(opened, places, factors, chosen[0].n_times, rate)
    _check_duration(where, len(signal), rate)
    if np.isnan(np.fmax.reduce(signal, axis=None)):
        raise ValueError(f"{where} holds no valid sample in the channel that is read.")
    for each, samples in zip(chosen, signal.T, strict=True):
        _check_amplitude(where, each, samples, rate)
    return Recording(
        signal=signal,
        sampling_rate=float(rate),
        leads=tuple(each.name for each in chosen),
        start_time=opened.start_time,
        name=opened.name,
        units=tuple(each.unit for each in chosen),
        format=opened.format,
    )


def _check_rate(where, rate, given):
    """Check that the rate is one of an ECG, and that of the file."""
    low, high = _RATES
    if not low <= rate <= high:
        raise ValueError(
            f"{where} has {rate:g} samples per second. An ECG is read at {low:g} to "
            f"{high:,.0f} Hz: check its rate, or resample it."
        )
    if given is not None and abs(given / rate - 1) > 0.01:
        raise ValueError(
            f"{where} is sampled at {rate:g} Hz, and sampling_rate={given:g} was "
            "given. Leave sampling_rate out, or correct the file."
        )


def _check_duration(where, n_times, rate):
    if n_times is None:
        return
    if n_times < _SHORTEST * rate:
        raise ValueError(
            f"{where} holds {n_times} samples, {n_times / rate:.3g} s at {rate:g} Hz. "
            f"At least {_SHORTEST:g} s are needed."
        )
    _check_length(where, n_times, rate)


def _check_length(where, n_times, rate):
    if n_times > _LONGEST * rate:
        raise ValueError(
            f"{where} holds {n_times / rate / 86400:.0f} days, or its header is wrong. "
            f"At most {_LONGEST / 86400:g} days are read: cut it."
        )


def _collect(opened, places, factors, n_times, rate):
    """Read all blocks into one array of float32, in mV."""
    parts = []
    total = None if n_times is None else np.empty((n_times, len(places)), np.float32)
    stop = 0
    for block in opened.blocks(places):
        start, stop = stop, stop + len(block)
        if total is None:
            _check_length(opened.where, stop, rate)
            part = np.empty(block.shape, np.float32)
            parts.append(part)
        else:
            part = total[start:stop]
            block = block[: len(part)]
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(block, factors, out=part, casting="same_kind")
        part[~np.isfinite(part)] = np.nan
    if total is None:
        return np.concatenate(parts) if parts else np.empty((0, len(places)), "f4")
    if stop != n_times:
        raise ValueError(
            f"{opened.where} is truncated: it should hold {n_times} samples of each "
            f"channel, and holds {stop}. Get it again."
        )
    return total


def _check_amplitude(where, channel, samples, rate):
    """Warn if most beats are too large or too small for mV."""
    n = max(2, round(_WINDOW * rate))
    n = min(n, len(samples))
    beats = samples[: len(samples) // n * n].reshape(-1, n)
    ranges = np.fmax.reduce(beats, axis=1) - np.fmin.reduce(beats, axis=1)
    if not (ranges > 0).any():
        _warn(f"{where}: channel {channel.name!r} does not change. It is no ECG.")
        return
    usual = float(np.median(ranges[ranges > 0]))
    if not _NARROWEST <= usual <= _WIDEST:
        _warn(
            f"{where}: the values of channel {channel.name!r} range over {usual:.3g} "
            "mV within a beat (median), which an ECG does not. If they are in another "
            'unit, give it, such as unit="uV" or the mV of one step.'
        )


def _warn(message):
    warnings.warn(message, UserWarning, stacklevel=4)
