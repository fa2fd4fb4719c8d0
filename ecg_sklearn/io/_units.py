"""Units of voltage."""

import re
import unicodedata
from numbers import Real

_MILLIVOLTS = {
    "v": 1e3,
    "volt": 1e3,
    "volts": 1e3,
    "mv": 1.0,
    "millivolt": 1.0,
    "millivolts": 1.0,
    "uv": 1e-3,
    "mcv": 1e-3,
    "microvolt": 1e-3,
    "microvolts": 1e-3,
    "мкв": 1e-3,
    "nv": 1e-6,
    "nanovolt": 1e-6,
    "nanovolts": 1e-6,
}
_COUNTS = re.compile(r"(adu|adc|lsb|raw|bits?|counts?|steps?|a\.?u\.?)\b.*", re.I)


def millivolts(unit):
    """Millivolts in one unit; None if it is no unit of voltage."""
    # The micro sign and the Greek letter are one after normalisation.
    plain = unicodedata.normalize("NFKC", unit).strip().casefold()
    return _MILLIVOLTS.get(plain.replace("\N{GREEK SMALL LETTER MU}", "u"))


def may_be_voltage(unit):
    """Whether values in a unit may be an ECG: a voltage, converter steps or unknown."""
    is_known = unit.strip().casefold() not in ("", "unknown", "nu", "1")
    return not is_known or millivolts(unit) is not None or is_counts(unit)


def is_counts(unit):
    """Whether a unit says that values are steps of a converter."""
    return _COUNTS.fullmatch(unit.strip()) is not None


def factor_to_millivolts(where, channel, unit, assumed):
    """Find what one unit of a channel is in mV; ``unit`` is what the caller says."""
    if unit is not None:
        factor = unit if isinstance(unit, Real) else millivolts(unit)
        if factor is None:
            raise ValueError(
                f"unit={unit!r} is no unit of voltage. Give 'V', 'mV', 'uV' or 'nV', "
                "or a number: the mV that a value of 1 stands for."
            )
        return float(factor) * (channel.counts or 1)
    found = channel.unit if channel.unit != "unknown" else assumed
    factor = millivolts(found or "")
    if factor is not None:
        return factor
    help = 'Give unit=, such as unit="uV" or the number of mV in one step.'
    if found is None:
        reason = "has no unit"
    elif is_counts(found):
        reason = f"is in steps of a converter ({found!r})"
    else:
        reason = f"is in {found!r}, which is no voltage"
        help = "Choose another channel, or give unit= if the file is wrong."
    raise ValueError(
        f"{where}: channel {channel.name!r} {reason}, so its values cannot be "
        f"converted to mV. {help}"
    )
