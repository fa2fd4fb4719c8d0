"""Which channels are ECG leads, and which of them is taken."""

import re
from numbers import Integral

from ecg_sklearn.io._units import may_be_voltage

PREFERENCE = tuple(
    "II MLII V5 V2 V1 V3 V4 V6 ML5 CM5 I MLI III MLIII AVF AVL AVR V ECG ECG1 ECG2 "
    "ECG3".split()
)
_LEAD = re.compile(
    r"ECG.*|M?L?I{1,3}|AV[RLF]|V|V[1-9]R?|V[XYZ]|M[LV][1-6]|MCL\d?|C[CMRS]\d|[XYZ]"
    r"|ES|AS|AI"
)
_FILLERS = set(
    "LEAD LEADS ABLEITUNG DERIVATION DERIVACION MDC CH CHANNEL SIGNAL MV UV".split()
)
_ROMAN = {"1": "I", "2": "II", "3": "III"}
_OTHER = re.compile(
    r"(RESP|PLETH|PPG|SPO2|SAO2|OX|ABP|ART|CVP|PAP|ICP|BP|NIBP|PRESS|TEMP|EEG|EMG|EOG"
    r"|ACC|GYR|MAG|POS|STAT|MARK|TRIG|EVENT|ANNOT|LABEL|CLASS|TARGET|QUALITY|HR|PR$"
    r"|PULSE|FLOW|AIR|NASAL|THOR|ABD|SNOR|SOUND|MIC|LIGHT|CO2|ETCO2|BATT|IMP|GSR|EDA"
    r"|LEG|CHIN|LOC|ROC|E[12]$|TIME|INDEX|SAMPLE|EDF|BDF|RR"
    r"|(FP|AF|FC|FT|CP|TP|PO|F|C|T|P|O|A|M)(Z|\d{1,2})([AM][12])?$)"
)


def plain_lead(name):
    """Reduce a name such as "ECG Lead II" or "lead ii" to "II"."""
    name = re.sub(r"(?<=.)[(\[].*", "", name).upper()  # "Lead I (Einthoven)"
    words = re.findall(r"[A-Z0-9]+", name.replace("EKG", "ECG"))
    plain = "".join(word for word in words if word not in _FILLERS)
    if "LEAD" in words:
        plain = _ROMAN.get(plain, plain)
    plain = re.sub(r"^D(I{1,3})$", r"\1", plain)
    rest = plain.removeprefix("ECG")
    return rest if rest and _LEAD.fullmatch(rest) else plain


def ecg_positions(channels):
    """Positions of the ECG leads among channels.

    If some have the name of a lead, they are all; else all that may be an ECG by name
    and unit.
    """
    may_be = [place for place, each in enumerate(channels) if may_be_voltage(each.unit)]
    named = [
        place for place in may_be if _LEAD.fullmatch(plain_lead(channels[place].name))
    ]
    return named or [
        place
        for place in may_be
        if not any(
            _OTHER.match(word)
            for word in re.findall(r"[A-Z0-9]+", channels[place].name.upper())
        )
    ]


def choose_channels(where, channels, channel):
    """Find the positions of the channels to read."""
    if channel is not None and not (isinstance(channel, str) and channel == "all"):
        names = [each.name for each in channels]
        return [channel_position(names, where, channel)]
    found = ecg_positions(channels)
    if not found:
        listed = ", ".join(f"{each.name!r} ({each.unit})" for each in channels[:20])
        raise ValueError(
            f"{where} has no channel that is an ECG by its name and unit: "
            f"{listed or 'it has none at all'}. Give channel= to take one."
        )
    if channel is None:
        return [min(found, key=lambda place: _rank(channels[place].name))]
    rates = sorted({channels[place].rate for place in found})
    if len(rates) > 1:
        raise ValueError(
            f"{where} has ECG leads of several rates "
            f"({', '.join(f'{rate:g}' for rate in rates)} Hz), which do not go into "
            "one array. Read them one by one, with channel=."
        )
    return found


def _rank(name):
    plain = plain_lead(name)
    return PREFERENCE.index(plain) if plain in PREFERENCE else len(PREFERENCE)


def channel_position(names, where, channel):
    """Find a channel by name, by names in order of preference, or by position."""
    listed = ", ".join(repr(name) if name else "unnamed" for name in names)
    if isinstance(channel, Integral):
        if not 0 <= channel < len(names):
            raise ValueError(
                f"{where} has no channel {channel}: it has {len(names)} "
                f"({listed}), counted from 0."
            )
        return int(channel)
    wanted = [channel] if isinstance(channel, str) else list(channel)
    plain = [plain_lead(name or "") for name in names]
    for candidate in wanted:
        if candidate in names:
            return names.index(candidate)
        if (lead := plain_lead(str(candidate))) and lead in plain:
            return plain.index(lead)
    raise ValueError(
        f"{where} has no channel {' or '.join(map(repr, wanted))}. "
        f"It has {listed or 'no signals'}. Give channel a name or a position from 0."
    )
