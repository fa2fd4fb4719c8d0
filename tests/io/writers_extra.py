"""Writes simulated recordings in the formats of the extra ``formats``."""

import base64
import binascii
import json
import struct

import numpy as np

from .writers import LEADS, START, columns


def write_kardia_json(path, signal, rate=300.0, start=START):
    """Write the object that Kardia's interface gives for a recording, 500 nV a step."""
    samples = np.rint(np.ravel(signal) * 1e6 / 500).astype(int).tolist()
    raw = {
        "frequency": rate,
        "mainsFrequency": 50,
        "amplitudeResolution": 500,
        "numLeads": 1,
        "samples": {"leadI": samples},
    }
    record = {
        "id": "x",
        "recordedAt": f"{start:%Y-%m-%dT%H:%M:%S}Z",
        "algorithmDetermination": "normal",
        "data": {"raw": raw},
    }
    path.write_text(json.dumps(record))
    return path


def write_aecg(path, signal, rate, leads=LEADS, start=START):
    """Write HL7 aECG with the elements that a reader needs, 5 µV a step."""
    signal = columns(signal)
    stamp = f"{start:%Y%m%d%H%M%S}"
    sequences = [
        '<component><sequence><code code="TIME_ABSOLUTE" '
        'codeSystem="2.16.840.1.113883.5.4"/><value xsi:type="GLIST_TS">'
        f'<head value="{stamp}"/><increment value="{1 / rate:.9g}" unit="s"/>'
        "</value></sequence></component>"
    ]
    for name, values in zip(leads, signal.T, strict=False):
        digits = " ".join(map(str, np.rint(values * 200).astype(int)))
        sequences.append(
            f'<component><sequence><code code="MDC_ECG_LEAD_{name.upper()}" '
            'codeSystem="2.16.840.1.113883.6.24"/><value xsi:type="SLIST_PQ">'
            '<origin value="0" unit="uV"/><scale value="5" unit="uV"/>'
            f"<digits>{digits}</digits></value></sequence></component>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<AnnotatedECG xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<effectiveTime><low value="{stamp}"/></effectiveTime>'
        '<component><series><code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/>'
        f'<effectiveTime><low value="{stamp}"/></effectiveTime>'
        "<component><sequenceSet>" + "".join(sequences) + "</sequenceSet></component>"
        "</series></component></AnnotatedECG>"
    )
    return path


def write_muse(path, signal, rate, leads=LEADS, start=START):
    """Write MUSE XML with a rhythm waveform, 4 µV a step."""
    parts = []
    for name, values in zip(leads, columns(signal).T, strict=False):
        samples = np.rint(values * 250).astype("<i2").tobytes()
        parts.append(
            f"<LeadData><LeadID>{name}</LeadID>"
            "<LeadAmplitudeUnitsPerBit>4</LeadAmplitudeUnitsPerBit>"
            "<LeadAmplitudeUnits>MICROVOLTS</LeadAmplitudeUnits>"
            f"<WaveFormData>{base64.b64encode(samples).decode()}</WaveFormData>"
            "</LeadData>"
        )
    path.write_text(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<RestingECG><TestDemographics>'
        f"<AcquisitionDate>{start:%m-%d-%Y}</AcquisitionDate>"
        f"<AcquisitionTime>{start:%H:%M:%S}</AcquisitionTime></TestDemographics>"
        "<Waveform><WaveformType>Rhythm</WaveformType>"
        f"<SampleBase>{rate:g}</SampleBase><SampleExponent>0</SampleExponent>"
        f"{''.join(parts)}</Waveform></RestingECG>\n"
    )
    return path


def write_scp(path, signal, rate, leads=LEADS, start=START):
    """Write SCP-ECG with sections 0, 1, 3 and 6, not compressed, 2.5 µV a step."""
    signal = columns(signal)
    n_times, n_leads = signal.shape
    codes = dict(zip(["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"], range(1, 9)))  # noqa: B905
    about = struct.pack("<BHHBB", 25, 4, start.year, start.month, start.day)
    about += struct.pack("<BHBBB", 26, 3, start.hour, start.minute, start.second)
    about += struct.pack("<BH", 255, 0)
    definitions = struct.pack("<BB", n_leads, 4 | n_leads << 3)
    for lead in leads[:n_leads]:
        definitions += struct.pack("<IIB", 1, n_times, codes[lead])
    samples = np.rint(signal * 400).astype("<i2")
    rhythm = struct.pack("<HHBB", 2500, round(1e6 / rate), 0, 0)
    rhythm += struct.pack(f"<{n_leads}H", *[2 * n_times] * n_leads)
    rhythm += samples.T.tobytes()

    def section(number, body):
        body += b"\0" * (len(body) % 2)
        head = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20)
        checksum = binascii.crc_hqx(head + body, 0xFFFF)
        return struct.pack("<H", checksum) + head + body

    bodies = {1: about, 3: definitions, 6: rhythm}
    sections = {number: section(number, body) for number, body in bodies.items()}
    pointers, place = struct.pack("<HII", 0, 136, 7), 7 + 136
    for number in range(1, 12):
        length = len(sections.get(number, b""))
        pointers += struct.pack("<HII", number, length, place if length else 0)
        place += length
    content = section(0, pointers) + b"".join(sections.values())
    size = struct.pack("<I", 6 + len(content))
    checksum = struct.pack("<H", binascii.crc_hqx(size + content, 0xFFFF))
    path.write_bytes(checksum + size + content)
    return path
