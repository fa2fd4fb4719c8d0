"""Annotated WFDB records: reading with errors that help, and windows around beats."""

import os
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.aami import SYMBOL_TO_CLASS
from ecg_sklearn.datasets._base import (
    KAGGLE_SAMPLING_RATE,
    KAGGLE_SIGNAL_RATE,
    cut_kaggle_beats,
    make_bunch,
    rr_intervals,
)


class Signal(NamedTuple):
    """One channel of a record: ``samples`` (n_samples,) at ``sampling_rate`` Hz."""

    samples: np.ndarray
    sampling_rate: float
    channel: str


class Annotations(NamedTuple):
    """All annotations of a record, and the AAMI label of each; -1: not a beat."""

    sample: np.ndarray
    symbol: np.ndarray
    label: np.ndarray


@validate_params(
    {
        "directory": [str, Path],
        "records": ["array-like", None],
        "annotator": [str],
        "channel": [str, Integral, tuple, list],
        "form": [StrOptions({"kaggle", "window"})],
        "window": [tuple, list],
        "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_wfdb_beats(
    directory,
    *,
    records=None,
    annotator="atr",
    channel="MLII",
    form="window",
    window=(-0.4, 0.6),
    sampling_rate=None,
    return_X_y=False,
):
    """Cut the annotated beats out of the records of a WFDB database.

    Parameters
    ----------
    directory : str or Path
        Folder that holds the records (``.hea``, ``.dat`` and annotation files).
    records : sequence of str, default=None
        Names of the records. None takes those of the folder's ``RECORDS`` file, or
        else all that have a header and an annotation file.
    annotator : str, default="atr"
        Suffix of the annotation files.
    channel : str, int or sequence of str, default="MLII"
        Name of the signal, or its position. Of several names, the first that a
        record has is used.
    form : {"window", "kaggle"}, default="window"
        "window" cuts a window around each beat, in the signal's physical unit.
        "kaggle" cuts rows as the Kaggle "heartbeat" files hold them: 187 samples at
        120 Hz from the beat to past the next one, min-max scaled, zero-padded.
    window : tuple of two floats, default=(-0.4, 0.6)
        For ``form="window"``: start and end in seconds around each annotation.
    sampling_rate : float, default=None
        For ``form="window"``: resample the signal to this rate, in Hz, before
        cutting. None keeps the rate of the records, which must then be the same for
        all of them.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data`` of shape (n_beats, n_times) float32; ``target`` of shape (n_beats,)
        int, AAMI classes 0 to 4; ``target_names``; ``groups``, the record of each
        beat; ``symbols``, its annotation; ``rr`` of shape (n_beats, 4), the previous
        and next RR interval, the mean of the last ten and the mean of the record, in
        seconds; ``time`` of the annotation in its record, in seconds;
        ``sampling_rate`` in Hz and ``DESCR``. Beats whose window does not fit into
        the record are left out, and so is the last annotation of each record in the
        Kaggle form.

    Raises
    ------
    FileNotFoundError
        If the folder, a header, a signal or an annotation file is missing.
    ValueError
        If a file is damaged, a record has no such channel, the rates of the
        records differ, the window is empty, or no beat is left.

    References
    ----------
    .. [1] The WFDB software package, https://physionet.org/content/wfdb/.
    """
    directory = Path(directory)
    start, stop = check_window(window)
    names = _record_names(directory, records, annotator)
    parts = []
    rates = {}
    for name in names:
        notes = read_annotations(directory, name, annotator)
        signal = read_signal(directory, name, channel, digital=form == "kaggle")
        if form == "kaggle":
            rates[name] = KAGGLE_SAMPLING_RATE
            parts.append(cut_rows(name, signal, notes))
            continue
        rates[name] = float(sampling_rate or signal.sampling_rate)
        if rates[name] != rates[names[0]]:
            raise ValueError(
                f"Record {name} is sampled at {rates[name]:g} Hz and record "
                f"{names[0]} at {rates[names[0]]:g} Hz. Set sampling_rate to bring "
                "them together."
            )
        parts.append(cut_windows(name, signal, notes, start, stop, rates[name]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    data, target, groups, symbols, rr, time = columns
    if len(data) == 0:
        raise ValueError(
            f"No beat in {directory} could be cut: the annotator {annotator!r} holds "
            "no beat annotations, or they lie too near to the ends of their records "
            f"for window={tuple(window)}."
        )
    cut = (
        "rows of the Kaggle form"
        if form == "kaggle"
        else (f"windows from {start:g} to {stop:g} s around each annotation")
    )
    return make_bunch(
        data,
        target,
        groups=groups,
        symbols=symbols,
        rr=rr,
        time=time,
        sampling_rate=rates[names[0]],
        descr=(
            f"{len(data)} beats of {len(names)} WFDB records, annotator "
            f"{annotator!r}, cut as {cut}."
        ),
        return_X_y=return_X_y,
    )


def cut_rows(name, signal, notes):
    """Cut the beats of one record as the Kaggle files hold them.

    Parameters
    ----------
    name : str
        The record.
    signal : Signal
        The channel to cut from; brought to 360 Hz if it has another rate.
    notes : Annotations
        Its annotations.

    Returns
    -------
    tuple of ndarray
        The columns ``data, target, groups, symbols, rr, time`` of a Bunch, of all
        beats but the one, if it is a beat, of the last annotation.
    """
    is_beat = notes.label >= 0
    time = notes.sample[is_beat] / signal.sampling_rate
    rr = rr_intervals(notes.sample[is_beat], signal.sampling_rate)
    sample = notes.sample
    if signal.sampling_rate != KAGGLE_SIGNAL_RATE:
        sample = np.rint(sample * KAGGLE_SIGNAL_RATE / signal.sampling_rate).astype(int)
    samples = _resample(signal, KAGGLE_SIGNAL_RATE)
    data = cut_kaggle_beats(samples, sample, is_beat)
    kept = slice(None, len(data))
    groups = np.full(len(data), name)
    labels, symbols = notes.label[is_beat][kept], notes.symbol[is_beat][kept]
    return data, labels, groups, symbols, rr[kept], time[kept]


def cut_windows(name, signal, notes, start, stop, rate):
    """Cut a window around each beat of one record.

    Parameters
    ----------
    name : str
        The record.
    signal : Signal
        The channel to cut from.
    notes : Annotations
        Its annotations.
    start, stop : float
        The window, in seconds around each beat.
    rate : float
        Samples per second of the windows.

    Returns
    -------
    tuple of ndarray
        The columns ``data, target, groups, symbols, rr, time`` of a Bunch, of the
        beats whose window fits into the record.
    """
    is_beat = notes.label >= 0
    sample, symbol, label = (column[is_beat] for column in notes)
    rr = rr_intervals(sample, signal.sampling_rate)
    time = sample / signal.sampling_rate
    samples = _resample(signal, rate)
    offsets = np.arange(round(start * rate), round(stop * rate))
    if len(offsets) == 0:
        raise ValueError(
            f"window=({start:g}, {stop:g}) holds no sample at {rate:g} Hz. Make it "
            "wider."
        )
    centre = np.rint(time * rate).astype(np.intp)
    fits = (centre + offsets[0] >= 0) & (centre + offsets[-1] < len(samples))
    data = samples[centre[fits, None] + offsets]
    groups = np.full(len(data), name)
    return data, label[fits], groups, symbol[fits], rr[fits], time[fits]


def _resample(signal, rate):
    """Bring a signal to another rate with a polyphase filter, as float32."""
    samples = signal.samples.astype(np.float32, copy=False)
    if rate == signal.sampling_rate:
        return samples
    ratio = Fraction(rate / signal.sampling_rate).limit_denominator(10_000)
    return scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator)


def read_signal(directory, name, channel, *, digital=False):
    """Read one channel of a record, in physical or digital units.

    Parameters
    ----------
    directory : Path
        Folder of the record.
    name : str
        The record.
    channel : str, int or sequence of str
        As in :func:`load_wfdb_beats`.
    digital : bool, default=False
        Give the integers of the file instead of physical units.

    Returns
    -------
    Signal
        The samples with their rate and the name of the channel.
    """
    import wfdb

    header = _read(wfdb.rdheader, directory, name, "hea")
    position = _channel_position(header, name, channel)
    dat = header.file_name[position]
    if not (directory / dat).is_file():
        raise FileNotFoundError(
            f"Record {name} has no signal file {dat} in {directory}."
        )
    record = _read(
        wfdb.rdrecord, directory, name, dat, channels=[position], physical=not digital
    )
    samples = (record.d_signal if digital else record.p_signal)[:, 0]
    if header.sig_len is not None and len(samples) != header.sig_len:
        raise ValueError(
            f"{directory / dat} holds {len(samples)} samples a signal; its header "
            f"says {header.sig_len}. The file is truncated: get it again."
        )
    if not digital:
        samples = samples.astype(np.float32)
    return Signal(samples, float(header.fs), header.sig_name[position])


def read_annotations(directory, name, annotator):
    """Read all annotations of a record.

    Parameters
    ----------
    directory : Path
        Folder of the record.
    name : str
        The record.
    annotator : str
        Suffix of the annotation file.

    Returns
    -------
    Annotations
        Position, symbol and AAMI label (-1: not a beat) of each annotation.
    """
    import wfdb

    if not (directory / f"{name}.{annotator}").is_file():
        others = sorted(
            path.suffix[1:]
            for path in directory.glob(f"{name}.*")
            if path.suffix not in (".hea", ".dat", ".mat", ".xws")
        )
        raise FileNotFoundError(
            f"Record {name} has no annotation file {name}.{annotator} in {directory}. "
            f"Its other annotators: {', '.join(others) or 'none'}."
        )
    notes = _read(wfdb.rdann, directory, name, annotator, extension=annotator)
    symbol = np.asarray(notes.symbol, dtype="U1")
    label = np.asarray([SYMBOL_TO_CLASS.get(s, -1) for s in symbol], dtype=np.intp)
    return Annotations(np.asarray(notes.sample, dtype=np.intp), symbol, label)


def _read(reader, directory, name, suffix, **kwargs):
    """Call a wfdb reader; turn whatever it raises into an error that names the file."""
    file = suffix if suffix.startswith(f"{name}.") else f"{name}.{suffix}"
    if suffix == "hea" and not (directory / file).is_file():
        raise FileNotFoundError(f"Record {name} has no header {file} in {directory}.")
    try:
        return reader(os.fspath(directory / name), **kwargs)
    # wfdb raises whatever its parsing met: IndexError, ValueError, KeyError and more.
    except Exception as error:
        raise ValueError(
            f"{directory / file} could not be read as a WFDB file "
            f"({type(error).__name__}: {error}). It may be truncated: get it again."
        ) from error


def _channel_position(header, name, channel):
    """Find a channel in a header by name, names in order of preference, or position."""
    signals = list(header.sig_name or [])
    if isinstance(channel, Integral):
        if not 0 <= channel < len(signals):
            raise ValueError(
                f"Record {name} has no channel {channel}: it has {len(signals)} "
                f"({', '.join(signals)}), counted from 0."
            )
        return int(channel)
    wanted = [channel] if isinstance(channel, str) else list(channel)
    for candidate in wanted:
        if candidate in signals:
            return signals.index(candidate)
    raise ValueError(
        f"Record {name} has no channel {' or '.join(map(repr, wanted))}. "
        f"It has {', '.join(map(repr, signals)) or 'no signals'}."
    )


def check_window(window):
    """Check that a window is two finite numbers of seconds in ascending order."""
    try:
        start, stop = map(float, window)
    except (TypeError, ValueError):
        start = stop = np.nan
    if not (np.isfinite([start, stop]).all() and start < stop):
        raise ValueError(
            f"window={window!r} is no interval. Give its start and end in seconds "
            "around the annotation, such as (-0.4, 0.6)."
        )
    return start, stop


def _record_names(directory, records, annotator):
    """Names of the records to read, checked for existence of the folder."""
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {directory}.")
    if records is not None:
        names = [str(name) for name in records]
    elif (directory / "RECORDS").is_file():
        names = (directory / "RECORDS").read_text().split()
    else:
        names = sorted(
            header.stem
            for header in directory.glob("*.hea")
            if header.with_suffix(f".{annotator}").is_file()
        )
    if not names:
        raise FileNotFoundError(
            f"{directory} holds no WFDB record with an annotation file "
            f"*.{annotator}. Check the folder and the annotator."
        )
    return names
