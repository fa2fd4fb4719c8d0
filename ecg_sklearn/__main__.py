"""``python -m ecg_sklearn`` is the command ``ecg-sklearn``."""

from ecg_sklearn.cli import _entry_point

if __name__ == "__main__":
    _entry_point()
