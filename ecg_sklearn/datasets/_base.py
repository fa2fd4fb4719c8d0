"""The Bunch that all loaders return."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.features._groups import feature_names

CUT_CONSTRAINTS = {
    "form": [StrOptions({"kaggle", "window"})],
    "window": [tuple, list, None],
    "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
    "features": [tuple, list, None],
    "align": [StrOptions({"peak"}), None],
    "return_X_y": ["boolean"],
}


class Columns(NamedTuple):
    """The fields of a Bunch that have one row for each beat."""

    data: Any
    target: Any
    groups: Any = None
    symbols: Any = None
    rr: Any = None
    time: Any = None
    rhythms: Any = None

    @classmethod
    def join(cls, parts):
        """Concatenate the beats of several records."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def take(self, rows):
        """Select beats."""
        return Columns(*(column[rows] for column in self))


def make_bunch(columns, cut, descr, *, target_names=CLASS_NAMES, return_X_y=False):
    """Make the Bunch of a loader, with its field ``cut``."""
    import pandas as pd

    features = cut["features"]
    names = feature_names(features)
    n_times = columns.data.shape[1] - len(names)
    names = [*(f"t{i:03d}" for i in range(n_times)), *names]
    frame = pd.DataFrame(columns.data, columns=names, copy=False)
    frame.attrs["cut"] = cut
    if features:  # an array has no column names
        columns = columns._replace(data=frame)
        descr += (
            "\nBehind the samples, data holds the features of each beat, named by "
            f"ecg_sklearn.features.FEATURE_GROUPS: {', '.join(features)}."
        )
    if return_X_y:
        return columns.data, columns.target
    return Bunch(
        **columns._asdict(),
        frame=frame,
        feature_names=names,
        target_names=list(target_names),
        sampling_rate=cut["sampling_rate"],
        cut=cut,
        DESCR=descr,
    )


def describe_cut(
    form, sampling_rate, *, window=None, channel=None, unit, features=(), align=None
):
    """Make the field ``cut`` of a Bunch: how the beats were cut."""
    return {
        "form": form,
        "window": None if window is None else [float(edge) for edge in window],
        "sampling_rate": float(sampling_rate),
        "channel": list(channel) if isinstance(channel, tuple) else channel,
        "unit": "min-max" if form == "kaggle" else unit,
        "features": list(features),
        "align": align,
    }
