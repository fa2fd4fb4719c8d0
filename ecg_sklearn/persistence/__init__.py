"""Models as files that run no code when they are opened: :func:`save`, :func:`load`.

Plain values and arrays are in :mod:`._values`, the file itself in :mod:`._container`,
estimators in :mod:`._estimators`, the network in :mod:`._networks`, and the closed list
of types in :mod:`._types`.
"""

from ecg_sklearn.persistence._model import VersionWarning, load, save

__all__ = ["VersionWarning", "load", "save"]
