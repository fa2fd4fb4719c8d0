"""Reads DICOM waveforms."""

import warnings
from datetime import datetime, timedelta

import numpy as np

from ecg_sklearn.io._source import BLOCK, Channel, Source, one_line


def is_dicom(head):
    """Whether a file begins as a DICOM file."""
    return head[128:132] == b"DICM"


def open_dicom(path):
    """Open a DICOM file with waveforms."""
    import pydicom
    from pydicom.waveforms import multiplex_array

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path)
            groups = list(dataset.get("WaveformSequence") or [])
            kind = dataset.get("SOPClassUID")
        except Exception as error:
            raise ValueError(
                f"{path} could not be read as DICOM ({type(error).__name__}: "
                f"{one_line(error)}). It is damaged: get it again."
            ) from error
        if not groups:
            raise ValueError(
                f"{path} is DICOM without a waveform "
                f"({getattr(kind, 'name', 'of unknown kind')}). Give an ECG."
            )
        # Original groups come first, then the longest: others are median beats.
        place = min(range(len(groups)), key=lambda at: _rank(groups[at]))
        group = groups[place]
        try:
            values = multiplex_array(dataset, place, as_raw=True)
            definitions = list(group.ChannelDefinitionSequence)
            rate = float(group.SamplingFrequency)
        except Exception as error:
            raise ValueError(
                f"{path}: its waveform could not be read ({type(error).__name__}: "
                f"{one_line(error)}). It is truncated or damaged: get it again."
            ) from error
        if len(definitions) != values.shape[1]:
            raise ValueError(
                f"{path}: it defines {len(definitions)} channels, and holds "
                f"{values.shape[1]}. It is damaged: get it again."
            )
        if group.WaveformSampleInterpretation in ("MB", "AB"):
            raise ValueError(f"{path} holds sound (µ-law or A-law), and no ECG.")
        start = _start_time(dataset, group)
        padding = group.get("WaveformPaddingValue")
        if isinstance(padding, bytes):
            padding = np.frombuffer(padding[: values.itemsize], values.dtype)[0]
        scales = [_scale_of(each) for each in definitions]
    channels = [
        Channel(_name_of(each) or f"channel {at}", unit, rate, len(values))
        for at, (each, (unit, _, _)) in enumerate(zip(definitions, scales, strict=True))
    ]
    gains = np.array([gain for _, gain, _ in scales])
    offsets = np.array([offset for _, _, offset in scales])

    def blocks(places):
        step = max(1, BLOCK // len(channels))
        for at in range(0, len(values), step):
            raw = values[at : at + step, places]
            block = raw * gains[places] + offsets[places]
            if padding is not None:
                block[raw == padding] = np.nan
            yield block

    return Source(str(path), path.stem, "dicom", channels, blocks, start)


def _rank(group):
    is_derived = group.get("WaveformOriginality") == "DERIVED"
    rate = float(group.get("SamplingFrequency") or 1)
    return is_derived, -int(group.get("NumberOfWaveformSamples") or 0) / rate


def _scale_of(definition):
    """Find the unit of a channel, and gain and offset to it."""
    sensitivity = definition.get("ChannelSensitivity")
    if sensitivity is None:
        return "adu", 1.0, 0.0
    units = definition.get("ChannelSensitivityUnitsSequence") or []
    unit = str(units[0].get("CodeValue") or "unknown") if units else "unknown"
    gain = float(sensitivity) * float(
        definition.get("ChannelSensitivityCorrectionFactor", 1) or 1
    )
    return unit, gain, float(definition.get("ChannelBaseline", 0) or 0)


def _name_of(definition):
    sources = definition.get("ChannelSourceSequence") or []
    meaning = str(sources[0].get("CodeMeaning") or "") if sources else ""
    return meaning or str(definition.get("ChannelLabel") or "")


def _start_time(dataset, group):
    """When the waveform begins, without time zone; None if it is unknown."""
    stamp = str(dataset.get("AcquisitionDateTime") or "")
    if not stamp:
        for kind in ("Acquisition", "Content", "Study"):
            day = str(dataset.get(f"{kind}Date") or "")
            time = str(dataset.get(f"{kind}Time") or "")
            if day and time:
                stamp = day.replace(".", "") + time.replace(":", "")
                break
    stamp = stamp.split("+")[0].split("-")[0].strip()
    for layout in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S", "%Y%m%d%H%M"):
        try:
            start = datetime.strptime(stamp, layout)
        except ValueError:
            continue
        offset = float(group.get("MultiplexGroupTimeOffset") or 0)
        return start + timedelta(milliseconds=offset)
    return None
