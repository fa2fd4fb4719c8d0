"""Beat symbols, AAMI classes and record lists.

References
----------
.. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac
   rhythm and ST segment measurement algorithms.
.. [2] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of
   heartbeats using ECG morphology and heartbeat interval features", IEEE
   Transactions on Biomedical Engineering 51(7), 2004.
.. [3] The PhysioNet annotation codes. :data:`SYMBOLS` counts the supraventricular
   escape beats e, j and n as normal, as [2]_ and the Kaggle files do. EC57 and the
   program ``bxb`` of the WFDB software count them as S: :func:`symbol_classes` does
   either.
"""

import numpy as np

__all__ = [
    "CLASS_DESCRIPTIONS",
    "CLASS_NAMES",
    "DS1",
    "DS2",
    "ESCAPE_SYMBOLS",
    "MITBIH_RECORDS",
    "PACED_RECORDS",
    "SYMBOLS",
    "SYMBOL_TO_CLASS",
    "symbol_classes",
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

ESCAPE_SYMBOLS: str = "ejn"
"""Supraventricular escape beats: N after de Chazal and Kaggle, S after EC57."""

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


def symbol_classes(symbols, *, escape="N"):
    """Convert annotation symbols to AAMI classes.

    Parameters
    ----------
    symbols : sequence of str of length n_annotations
        PhysioNet annotation symbols.
    escape : {"N", "S"}, default="N"
        Class of the supraventricular escape beats e, j and n: "N" as de Chazal et al.,
        the Kaggle files and the loaders of this package have it, "S" as EC57 and
        ``bxb`` have it. A ventricular escape beat (E) is V in both.

    Returns
    -------
    ndarray of int of shape (n_annotations,)
        Position of the class in :data:`CLASS_NAMES`; -1 where there is no beat.

    Raises
    ------
    ValueError
        If ``escape`` is neither.

    Examples
    --------
    >>> from ecg_sklearn.aami import symbol_classes
    >>> symbol_classes(["N", "j", "+", "V"]).tolist()
    [0, 0, -1, 2]
    >>> symbol_classes(["N", "j", "+", "V"], escape="S").tolist()
    [0, 1, -1, 2]
    """
    if escape not in ("N", "S"):
        raise ValueError(f"escape={escape!r} must be 'N' or 'S'.")
    classes = SYMBOL_TO_CLASS | dict.fromkeys(ESCAPE_SYMBOLS, CLASS_NAMES.index(escape))
    return np.array([classes.get(symbol, -1) for symbol in symbols], dtype=np.intp)
