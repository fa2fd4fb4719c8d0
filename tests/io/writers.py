"""Writes simulated recordings in every format that is read.

``signal`` is in mV, of shape (n_times,) or (n_times, n_leads). Each function returns
the path that a reader is given.
"""

import binascii
import gzip
import struct
from datetime import datetime

import numpy as np

LEADS = ("II", "V1", "V5")
START = datetime(2024, 3, 5, 22, 41, 7)
_ISHNE_LEADS = dict(
    zip(
        "X Y Z I II III aVR aVL aVF V1 V2 V3 V4 V5 V6".split(),
        range(2, 17),
        strict=True,
    )
)


def make_ecg(duration=10.0, rate=250.0, n_leads=1, heart_rate=75.0):
    """Make beats of 1 mV, the other leads smaller, in float64."""
    time = np.arange(round(duration * rate)) / rate
    phase = (time * heart_rate / 60 + 0.5) % 1 - 0.5
    ecg = np.exp(-0.5 * (phase / 0.015) ** 2) + 0.2 * np.exp(
        -0.5 * ((phase - 0.3) / 0.05) ** 2
    )
    ecg += 0.05 * np.sin(2 * np.pi * time / 3)
    return ecg if n_leads == 1 else ecg[:, None] * np.linspace(1, 0.5, n_leads)


def columns(signal):
    """Give a signal the shape (n_times, n_leads)."""
    signal = np.asarray(signal, dtype=np.float64)
    return signal.reshape(len(signal), -1)


def write_wfdb(path, signal, rate, leads=LEADS, unit="mV", start=START, fmt="16"):
    """Write a record; ``path`` has no suffix."""
    import wfdb

    signal = columns(signal)
    n = signal.shape[1]
    wfdb.wrsamp(
        path.name,
        fs=rate,
        units=[unit] * n,
        sig_name=list(leads[:n]),
        p_signal=signal,
        fmt=[fmt] * n,
        base_date=start and start.date(),
        base_time=start and start.time(),
        write_dir=str(path.parent),
    )
    return path


def write_edf(
    path, signal, rate, leads=LEADS, unit="uV", start=START, others=(), record=1.0
):
    """Write EDF+; ``others`` are tuples of label, unit, rate and values."""
    return _write_edf("Edf", path, signal, rate, leads, unit, start, others, record)


def write_bdf(
    path, signal, rate, leads=LEADS, unit="uV", start=START, others=(), record=1.0
):
    """Write BDF."""
    return _write_edf("Bdf", path, signal, rate, leads, unit, start, others, record)


def _write_edf(kind, path, signal, rate, leads, unit, start, others, record):
    import edfio

    signal = columns(signal)
    scale = {"mV": 1, "uV": 1000, "V": 1e-3}[unit]
    signal_class = getattr(edfio, f"{kind}Signal")
    channels = [
        (name, unit, rate, each * scale)
        for name, each in zip(leads, signal.T, strict=False)
    ]
    made = [
        signal_class(values, fs, label=label, physical_dimension=dimension)
        for label, dimension, fs, values in [*channels, *others]
    ]
    about = {}
    if start is not None:
        about = {
            "recording": edfio.Recording(startdate=start.date()),
            "starttime": start.time(),
        }
    getattr(edfio, kind)(
        made, data_record_duration=record, annotations=[], **about
    ).write(path)
    return path


def write_discontinuous(path, signal, rate, onsets):
    """Write EDF+D with data records of 1 s that begin at ``onsets`` (s)."""
    write_edf(path, signal, rate)
    content = bytearray(path.read_bytes())
    n_signals = int(content[252:256])
    size = int(content[184:192])
    counts = [
        int(content[256 + 216 * n_signals + 8 * at :][:8]) for at in range(n_signals)
    ]
    content[192:197] = b"EDF+D"
    for place, onset in enumerate(onsets):
        at = size + 2 * (place * sum(counts) + sum(counts[:-1]))
        width = 2 * counts[-1]
        text = f"+{onset:g}\x14\x14\0".encode()
        content[at : at + width] = text[:width].ljust(width, b"\0")
    path.write_bytes(content)
    return path


def write_dicom(path, signal, rate, leads=LEADS, unit="uV", start=START):
    """Write an ambulatory ECG; steps of 2.5 µV or as many mV, corrected by 0.5."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import (
        AmbulatoryECGWaveformStorage,
        ExplicitVRLittleEndian,
        generate_uid,
    )

    signal = columns(signal)
    step = {"uV": 1.25, "mV": 1.25e-3, "V": 1.25e-6}[unit]
    scale = {"uV": 1000, "mV": 1, "V": 1e-3}[unit]
    definitions = []
    for place in range(signal.shape[1]):
        source, units, channel = Dataset(), Dataset(), Dataset()
        source.CodeValue, source.CodingSchemeDesignator = "2:1", "MDC"
        source.CodeMeaning = f"Lead {leads[place]}"
        units.CodeValue, units.CodingSchemeDesignator = unit, "UCUM"
        units.CodeMeaning = unit
        channel.ChannelSourceSequence = [source]
        channel.ChannelSensitivity = f"{2 * step:g}"
        channel.ChannelSensitivityUnitsSequence = [units]
        channel.ChannelSensitivityCorrectionFactor = "0.5"
        channel.ChannelBaseline = "0"
        channel.WaveformBitsStored = 16
        definitions.append(channel)
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = signal.shape[1]
    group.NumberOfWaveformSamples = len(signal)
    group.SamplingFrequency = f"{rate:g}"
    group.ChannelDefinitionSequence = definitions
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.WaveformData = np.rint(signal * scale / step).astype("<i2").tobytes()
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = AmbulatoryECGWaveformStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.SOPClassUID = AmbulatoryECGWaveformStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality = "ECG"
    if start is not None:
        dataset.AcquisitionDateTime = start.strftime("%Y%m%d%H%M%S")
    dataset.WaveformSequence = [group]
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_ishne(path, signal, rate, leads=LEADS, start=START, step=2500, text=b"note"):
    """Write an ISHNE file; ``step`` is the resolution in nV."""
    signal = columns(signal)
    n_times, n_leads = signal.shape
    header = bytearray(522)
    header[:8] = b"ISHNE1.0"
    struct.pack_into("<4i", header, 10, len(text), n_times, 522, 522 + len(text))
    struct.pack_into("<h", header, 26, 1)
    if start is not None:
        struct.pack_into("<3h", header, 138, start.day, start.month, start.year)
        struct.pack_into("<3h", header, 150, start.hour, start.minute, start.second)
    codes = [_ISHNE_LEADS.get(lead, 0) for lead in leads[:n_leads]]
    padding = [-9] * (12 - n_leads)
    struct.pack_into(
        "<h12h12h12h",
        header,
        156,
        n_leads,
        *codes,
        *padding,
        *[1] * n_leads,
        *padding,
        *[step] * n_leads,
        *padding,
    )
    struct.pack_into("<h", header, 272, round(rate))
    content = bytes(header[10:]) + text
    struct.pack_into("<H", header, 8, binascii.crc_hqx(content, 0xFFFF))
    steps = np.rint(np.nan_to_num(signal) * 1e6 / step)
    samples = np.where(np.isnan(signal), -(2**15), steps).astype("<i2")
    path.write_bytes(bytes(header[:10]) + content + samples.tobytes())
    return path


def write_csv(
    path,
    signal,
    rate=None,
    leads=LEADS,
    *,
    delimiter=",",
    decimal=".",
    header=True,
    time="time (s)",
    digits=6,
    newline="\n",
    encoding="utf-8",
):
    """Write a table; with ``rate`` it has a column of times in s, or in ms by name."""
    signal = columns(signal)
    rows = [[f"{value:.{digits}f}" for value in row] for row in signal]
    names = list(leads[: signal.shape[1]])
    if rate is not None:
        factor = 1000 if "ms" in time else 1
        rows = [
            [f"{place / rate * factor:.6f}", *row] for place, row in enumerate(rows)
        ]
        names = [time, *names]
    lines = [delimiter.join(row).replace(".", decimal) for row in rows]
    if header:
        lines.insert(0, delimiter.join(names))
    content = (newline.join(lines) + newline).encode(encoding)
    path.write_bytes(
        gzip.compress(content, mtime=0) if path.suffix == ".gz" else content
    )
    return path


def write_apple(path, signal, rate=512.0, start=START, *, decimal=".", german=False):
    """Write an ECG as the app Health exports it: a preamble and one value a line."""
    words = [
        "Name",
        "Date of Birth",
        "Recorded Date",
        "Classification",
        "Device",
        "Sample Rate",
        "Lead",
        "Unit",
        "Lead I",
        "hertz",
    ]
    if german:
        words = [
            "Name",
            "Geburtsdatum",
            "Aufzeichnungsdatum",
            "Klassifizierung",
            "Gerät",
            "Abtastrate",
            "Ableitung",
            "Einheit",
            "Ableitung I",
            "\N{NO-BREAK SPACE}Hertz",
        ]
    frequency = f"{rate:g}".replace(".", decimal)
    lines = [
        f"{words[0]},Test Person",
        f'{words[1]},"1 Jan 1980"',
        f"{words[2]},{start:%Y-%m-%d %H:%M:%S} +0100",
        f"{words[3]},Sinus Rhythm",
        f'{words[4]},"Watch6,1"',
        f"{words[5]},{frequency} {words[9]}",
        "",
        "",
        f"{words[6]},{words[8]}",
        f"{words[7]},µV",
        "",
        *(f"{value:.3f}".replace(".", decimal) for value in np.ravel(signal) * 1000),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_kardia(path, signal, rate=300.0, start=START):
    """Write a table with the preamble of Kardia: key and value, then a header."""
    lines = [
        "Device: KardiaMobile",
        f"Date: {start:%Y-%m-%d %H:%M:%S}",
        f"Sampling Rate: {rate:g} Hz",
        "Lead: I",
        "Unit: mV",
        "",
        *(f"{value:.4f}" for value in np.ravel(signal)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
