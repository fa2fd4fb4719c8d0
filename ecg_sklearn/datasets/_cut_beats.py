"""Beats of a signal without labels, cut as a model expects: :func:`cut_beats`."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.datasets._base import make_bunch
from ecg_sklearn.datasets._cut import cut_like, cut_record
from ecg_sklearn.datasets._records import Annotations
from ecg_sklearn.io._wfdb import Signal, interpolate


@validate_params(
    {
        "signal": ["array-like"],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "positions": ["array-like"],
        "like": "no_validation",  # checked below
    },
    prefer_skip_nested_validation=True,
)
def cut_beats(signal, sampling_rate, positions, *, like):
    """Cut the beats of one lead into the columns that a model expects.

    Parameters
    ----------
    signal : array-like of shape (n_times,)
        One lead of one recording, in mV. NaN marks what was not recorded.
    sampling_rate : float
        Samples per second of the signal, in Hz. It may differ from that of the model.
    positions : array-like of shape (n_beats,)
        Ascending positions of all beats in samples, such as those of
        :func:`ecg_sklearn.detection.detect_beats`. The features of a beat depend on
        its neighbours.
    like : estimator, exported graph or dict
        A fitted model that knows how its training beats were cut: a pipeline of
        :func:`~ecg_sklearn.pipeline.make_ecg_pipeline` that was fitted to
        ``beats.frame`` of a loader, alone or within an ensemble or a search; a graph of
        :func:`ecg_sklearn.exporting.load_graph`; or ``beats.cut`` itself.

    Returns
    -------
    DataFrame of shape (n_kept, n_columns)
        Samples, then features, as float32. The index holds the place of each beat in
        ``positions``: beats whose window does not fit into the signal are left out.
        ``attrs["cut"]`` is the cut of the model.

    Raises
    ------
    ValueError
        If ``like`` does not know its cut, ``signal`` is not one lead, or ``positions``
        are not ascending places in it.
    TypeError
        If ``like`` is none of the objects above.

    Warns
    -----
    UserWarning
        If beats touch samples that were not recorded. They are left out.

    Examples
    --------
    >>> from ecg_sklearn.datasets import cut_beats, make_heartbeats, make_recording
    >>> from ecg_sklearn.pipeline import make_ecg_pipeline
    >>> beats = make_heartbeats(300, form="window", features=["rr"], random_state=0)
    >>> pipe = make_ecg_pipeline(
    ...     sampling_rate=beats.sampling_rate, filters=(8,), epochs=1, random_state=0
    ... ).fit(beats.data, beats.target)
    >>> new = make_recording(30, random_state=0)
    >>> X = cut_beats(new.signal[:, 0], new.sampling_rate, new.sample, like=pipe)
    >>> len(pipe.predict(X)) == len(X)
    True
    """
    cut, facts = cut_like(like)
    samples = np.asarray(signal, dtype=np.float32)
    if samples.ndim == 2 and samples.shape[1] == 1:
        samples = samples[:, 0]
    if samples.ndim != 1:
        raise ValueError(
            f"signal has shape {samples.shape}. Give one lead, such as signal[:, 0]."
        )
    place = _check_positions(positions, len(samples))
    invalid = ~np.isfinite(samples)
    filled = interpolate(samples, invalid) if invalid.any() else samples
    lead = Signal(filled, float(sampling_rate), "", invalid if invalid.any() else None)
    n_beats = len(place)
    # The symbols carry the numbers of the beats that are kept.
    notes = Annotations(
        place, np.arange(n_beats), np.zeros(n_beats, int), np.full(n_beats, "")
    )
    found = cut_record("signal", lead, notes, cut)
    frame = make_bunch(found, facts, "").frame
    frame.index = found.symbols
    return frame


def _check_positions(positions, n_times):
    """Return ascending positions within a signal."""
    place = np.asarray(positions)
    if place.ndim != 1 or (place.size and place.dtype.kind not in "iuf"):
        raise ValueError(
            f"positions has shape {place.shape} and type {place.dtype}. Give the place "
            "of each beat in samples, as numbers in one dimension."
        )
    if place.size == 0:
        return place.astype(np.intp)
    if not np.isfinite(place).all() or place.min() < 0 or place.max() >= n_times:
        raise ValueError(
            f"positions go from {place.min()} to {place.max()}, and the signal has "
            f"n_times={n_times}. Give places in samples, from 0 to {n_times - 1}."
        )
    if (np.diff(place) < 0).any():
        raise ValueError("positions are not ascending. Sort them: np.sort(positions).")
    return place
