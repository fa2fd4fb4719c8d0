"""Beat symbols, AAMI classes and record lists.

References
----------
.. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac
   rhythm and ST segment measurement algorithms.
.. [2] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
   heartbeats using ECG morphology and heartbeat interval features", IEEE
   Transactions on Biomedical Engineering 51(7), 2004.
.. [3] The PhysioNet annotation codes and their grouping in the WFDB library's
   ``ecgmap.h`` (where supraventricular escape beats count as normal).
"""

__all__ = [
    "CLASS_DESCRIPTIONS",
    "CLASS_NAMES",
    "DS1",
    "DS2",
    "MITBIH_RECORDS",
    "PACED_RECORDS",
    "SYMBOLS",
    "SYMBOL_TO_CLASS",
]

CLASS_NAMES: tuple[str, ...] = ("N", "S", "V", "F", "Q")
"""AAMI classes. The integer label of a class is its position."""

CLASS_DESCRIPTIONS: dict[str, str] = {
    "N": "normal, bundle branch block and escape beats",
    "S": "supraventricular ectopic beats",
    "V": "ventricular ectopic beats",
    "F": "fusion of a ventricular and a normal beat",
    "Q": "paced, fusion of paced and normal, and unclassifiable beats",
}
"""Description of each AAMI class."""

SYMBOLS: dict[str, str] = {
    "N": "NLRBejn",
    "S": "AaJS",
    "V": "VEr",
    "F": "F",
    "Q": "/fQ?",
}
"""PhysioNet beat annotation symbols of each AAMI class."""

SYMBOL_TO_CLASS: dict[str, int] = {
    symbol: label for label, name in enumerate(CLASS_NAMES) for symbol in SYMBOLS[name]
}
"""Integer AAMI label of each beat symbol. Other symbols are not beats."""

PACED_RECORDS: tuple[str, ...] = ("102", "104", "107", "217")
"""MIT-BIH records of patients with a pacemaker, which EC57 leaves out."""

DS1: tuple[str, ...] = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
"""Training records of de Chazal's inter-patient protocol [2]_."""

DS2: tuple[str, ...] = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
"""Test records of de Chazal's inter-patient protocol [2]_."""

MITBIH_RECORDS: tuple[str, ...] = tuple(sorted(DS1 + DS2 + PACED_RECORDS))
"""The 48 records of the MIT-BIH Arrhythmia Database."""
