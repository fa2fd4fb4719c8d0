"""Occlusion, for any classifier: :func:`occlusion`."""

from numbers import Real

import numpy as np
from sklearn.utils import Bunch, check_array
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.inspection._class_activation import (
    class_codes,
    sample_places,
    sample_times,
    spectrogram_step,
    split_pipeline,
)

__all__ = ["occlusion"]

# Occluded beats per chunk, to bound the memory.
_CHUNK_BRIDGED = 4096


@validate_params(
    {
        "patch_seconds": [Interval(Real, 0, None, closed="neither")],
        "stride_seconds": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Real, 0, None, closed="neither"), None],
    },
    prefer_skip_nested_validation=True,
)
def occlusion(
    pipe,
    X,
    class_=None,
    *,
    patch_seconds=0.05,
    stride_seconds=0.025,
    sampling_rate=None,
):
    """Measure how much a prediction depends on each segment of a beat.

    A short segment is replaced by a straight line between its neighbouring samples,
    and the probability of the class is predicted again [1]_. The decrease, averaged
    over the segments that contain a sample, is the value of the sample.

    Parameters
    ----------
    pipe : estimator
        Any fitted classifier or pipeline with ``predict_proba``.
    X : array-like or DataFrame of shape (n_beats, n_columns)
        Beats. Features are not changed: the feature columns of the pipeline's
        spectrogram, or columns of a DataFrame not named ``t000``, ``t001`` and so on.
    class_ : label, default=None
        The class to explain. None explains the predicted class of each beat.
    patch_seconds : float, default=0.05
        Length of the segment, in seconds.
    stride_seconds : float, default=0.025
        Distance between segments, in seconds; at most ``patch_seconds``.
    sampling_rate : float, default=None
        Samples per second of the beats, in Hz. None takes that of the spectrogram in
        the pipeline.

    Returns
    -------
    Bunch
        ``time_profile`` of shape (n_beats, n_times) float32, in [-1, 1]: the decrease
        of the probability, negative for evidence against the class.
        ``times`` (n_times,) in seconds from the first sample. ``classes``
        (n_beats,), the labels explained, and ``probability`` (n_beats,), their
        predicted probabilities.

    Raises
    ------
    ValueError
        If the class is unknown, there is no sampling rate or no ``predict_proba``, or
        the segment does not fit the beats.
    sklearn.exceptions.NotFittedError
        If the classifier is not fitted.

    See Also
    --------
    grad_cam : Faster, with frequencies, for convolutional networks.

    Notes
    -----
    The filled-in beat is not physiological: interpret small values with care. The
    default covers only part of a wide QRS complex; ``patch_seconds=0.1`` covers all of
    it. Each segment needs one prediction, 39 for a beat of one second.

    References
    ----------
    .. [1] M. D. Zeiler, R. Fergus, "Visualizing and understanding convolutional
       networks", ECCV, 2014.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.inspection import occlusion
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> forest = RandomForestClassifier(20, random_state=0).fit(X, y)
    >>> occlusion(forest, X[:5], sampling_rate=120.0).time_profile.shape
    (5, 187)
    """
    steps, classifier = split_pipeline(pipe)
    if not hasattr(classifier, "predict_proba"):
        raise ValueError(
            f"{type(classifier).__name__} has no predict_proba, which occlusion needs. "
            "Calibrate it with sklearn.calibration.CalibratedClassifierCV."
        )
    table = X
    X = check_array(X, dtype=[np.float64, np.float32])
    samples = sample_places(steps, table if hasattr(table, "columns") else X)
    if sampling_rate is None:
        spectrogram = spectrogram_step(steps)
        if spectrogram is None:
            raise ValueError(
                "The pipeline has no spectrogram that knows the sampling rate. Give "
                "sampling_rate, in Hz."
            )
        sampling_rate = spectrogram.sampling_rate
    n_times = len(samples)
    starts, width = _stretches(n_times, sampling_rate, patch_seconds, stride_seconds)
    shares = np.zeros((len(starts), n_times), dtype=np.float32)
    for row, start in zip(shares, starts, strict=True):
        row[start : start + width] = 1
    shares /= shares.sum(axis=0)
    profiles, codes, probabilities = [], [], []
    chunk = max(1, _CHUNK_BRIDGED // len(starts))
    for first in range(0, len(X), chunk):
        part = X[first : first + chunk]
        probability = _predict_proba(pipe, part, table)
        code = class_codes(class_, classifier.classes_, probability)
        whole = np.take_along_axis(probability, code[:, None], 1)
        bridged = np.repeat(part[:, None], len(starts), axis=1)
        for number, start in enumerate(starts):
            _bridge(bridged[:, number], samples, start, start + width)
        left = _predict_proba(pipe, bridged.reshape(-1, X.shape[1]), table)
        left = left.reshape(*bridged.shape[:2], -1)
        left = np.take_along_axis(left, code[:, None, None], 2)[:, :, 0]
        profiles.append(np.clip((whole - left) @ shares, -1, 1).astype(np.float32))
        codes.append(code)
        probabilities.append(whole[:, 0])
    return Bunch(
        time_profile=np.concatenate(profiles),
        times=sample_times(n_times, sampling_rate),
        classes=classifier.classes_[np.concatenate(codes)],
        probability=np.concatenate(probabilities),
    )


def _predict_proba(pipe, X, table):
    """Predict with the column names of the caller's beats."""
    if hasattr(table, "columns"):
        import pandas as pd

        X = pd.DataFrame(X, columns=table.columns)
        X.attrs = dict(getattr(table, "attrs", {}))
    return pipe.predict_proba(X)


def _stretches(n_times, sampling_rate, patch_seconds, stride_seconds):
    """First samples of the segments, which cover the beat, and their width."""
    width = max(1, round(patch_seconds * sampling_rate))
    stride = max(1, round(stride_seconds * sampling_rate))
    if width >= n_times:
        raise ValueError(
            f"patch_seconds={patch_seconds} leaves nothing of beats of "
            f"{n_times / sampling_rate:g} s. Use a shorter stretch."
        )
    if stride > width:
        raise ValueError(
            f"stride_seconds={stride_seconds} leaves gaps between stretches of "
            f"patch_seconds={patch_seconds}. Use a stride of at most the stretch."
        )
    last = n_times - width
    return [*range(0, last, stride), last], width


def _bridge(X, samples, start, stop):
    """Replace samples start to stop by a straight line, in place."""
    # At an end of the beat, which has one neighbour only, the line is constant.
    left = X[:, [samples[start - 1 if start > 0 else stop]]]
    right = X[:, [samples[stop if stop < len(samples) else start - 1]]]
    share = np.arange(1, stop - start + 1) / (stop - start + 1)
    X[:, samples[start:stop]] = left + share * (right - left)
