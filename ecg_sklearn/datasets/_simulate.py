"""Simulated beats of the five classes."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets._base import CUT_CONSTRAINTS, Columns, make_bunch
from ecg_sklearn.datasets._cut import KAGGLE_SIGNAL_RATE, cut_record, make_cut
from ecg_sklearn.datasets._records import Annotations
from ecg_sklearn.io._wfdb import Signal

_RATE = KAGGLE_SIGNAL_RATE
_LEAD = 1.0
_N_TRAILING = 3  # normal beats at the end, so that every beat has a next one

# Amplitude (mV), centre (s from the R peak) and width (s) of the waves P, Q, R, S, T,
# the Gaussians of McSharry et al., with values typical of each class: an ectopic P and
# a short PR and QT (S); no P, a wide QRS and a discordant T (V); a pacing spike instead
# of P and a notched wide QRS (Q). F is between N and V.
_VALUES = {
    "N": [(0.14, -0.12, 1.10, -0.26, 0.30), (-0.17, -0.03, 0.0, 0.03, 0.27),
          (0.022, 0.009, 0.011, 0.011, 0.050)],
    "S": [(-0.10, -0.12, 1.05, -0.38, 0.20), (-0.12, -0.03, 0.0, 0.03, 0.22),
          (0.018, 0.009, 0.010, 0.012, 0.040)],
    "V": [(0.00, 0.25, 1.30, -0.55, -0.40), (-0.17, -0.06, 0.0, 0.09, 0.30),
          (0.022, 0.020, 0.032, 0.035, 0.060)],
    "Q": [(0.90, 0.45, 0.80, 0.55, -0.35), (-0.06, -0.03, 0.01, 0.07, 0.32),
          (0.003, 0.020, 0.026, 0.028, 0.060)],
}  # fmt: skip
_WAVES = {name: np.transpose(values) for name, values in _VALUES.items()}
_SYMBOL = {"N": "N", "S": "A", "V": "V", "F": "F", "Q": "/"}
# RR interval before a beat of each class, and after it, as a fraction of the mean.
_PREMATURE = {"N": 1.0, "S": 0.72, "V": 0.75, "F": 0.93, "Q": 1.0}
_PAUSE = {"N": 1.0, "S": 1.05, "V": 1.28, "F": 1.05, "Q": 1.0}


@validate_params(
    {
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_records": [Interval(Integral, 1, None, closed="left")],
        "weights": ["array-like", None],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }
    | {name: CUT_CONSTRAINTS[name] for name in ("form", "features", "return_X_y")},
    prefer_skip_nested_validation=True,
)
def make_heartbeats(
    n_samples=1000,
    *,
    n_records=10,
    weights=None,
    noise=0.05,
    form="kaggle",
    features=None,
    random_state=None,
    return_X_y=False,
):
    """Simulate records with heartbeats of the five AAMI classes.

    Each beat is a sum of Gaussians for the waves P, Q, R, S and T [1]_ with values
    typical of its class. The rhythm has premature beats and pauses. Each record has
    its own heart rate, axis, wave shapes and polarity of the lead, so no linear
    function of the samples separates the classes.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of beats.
    n_records : int, default=10
        Number of records, at most ``n_samples``.
    weights : array-like of shape (5,), default=None
        Proportions of N, S, V, F and Q. None makes them equal.
    noise : float, default=0.05
        Standard deviation of the white noise, in mV, on beats of about 1 mV. The
        baseline wander is twice as large.
    form : {"kaggle", "window"}, default="kaggle"
        Kaggle "heartbeat" rows (187 samples at 120 Hz from the beat to past the next
        one, in [0, 1]) or windows from -0.4 to 0.6 s around each beat (360 samples at
        360 Hz, in mV).
    features : sequence of str, default=None
        Groups of features to append after the samples, as in :func:`fetch_mitbih`:
        "rr", "morphology", "rhythm".
    random_state : int, RandomState instance or None, default=None
        Seed of the simulation.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        The fields of :func:`fetch_mitbih`.

    Raises
    ------
    ValueError
        If ``weights`` are not five proportions, or there are fewer beats than records.

    References
    ----------
    .. [1] P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith, "A dynamical
       model for generating synthetic electrocardiogram signals", IEEE Transactions
       on Biomedical Engineering 50(3), 2003.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> beats = make_heartbeats(500, n_records=5, random_state=0)
    >>> beats.data.shape, beats.sampling_rate
    ((500, 187), 120.0)
    """
    if n_samples < n_records:
        raise ValueError(
            f"n_samples={n_samples} beats cannot fill n_records={n_records} records. "
            "Ask for more beats or fewer records."
        )
    cut = make_cut("simulated", form, features=features)
    rng = check_random_state(random_state)
    target = rng.permutation(
        np.repeat(np.arange(len(CLASS_NAMES)), _class_counts(n_samples, weights))
    )
    parts = [
        _simulate_record(f"{number:02d}", labels, noise, cut, rng)
        for number, labels in enumerate(np.array_split(target, n_records))
    ]
    beats = Columns.join(parts)
    # Each simulation has its own patients.
    groups = np.char.add(f"sim{rng.randint(10**6):06d}-", beats.groups)
    return make_bunch(
        beats._replace(groups=groups),
        cut.describe(cut.rate_of(Signal([], _RATE, "")), "mV"),
        f"{n_samples} simulated beats of {n_records} records, form {form!r}, after "
        "McSharry et al. (2003). They are made for tests and demos: nothing that is "
        "measured on them says how well real beats are classified.",
        return_X_y=return_X_y,
    )


def _class_counts(n_samples, weights):
    """Round the proportions to a number of beats of each class."""
    n_classes = len(CLASS_NAMES)
    weights = np.ones(n_classes) if weights is None else np.asarray(weights, float)
    if weights.shape != (n_classes,) or (weights < 0).any() or not weights.sum() > 0:
        raise ValueError(
            f"weights={weights.tolist()} are not {n_classes} proportions for "
            f"{', '.join(CLASS_NAMES)}: give {n_classes} numbers >= 0, not all zero."
        )
    share = n_samples * weights / weights.sum()
    counts = np.floor(share).astype(int)
    largest_rest = np.argsort(counts - share, kind="stable")
    counts[largest_rest[: n_samples - counts.sum()]] += 1
    return counts


def _simulate_record(name, labels, noise, cut, rng):
    """Simulate one record; return its beats."""
    names = [CLASS_NAMES[label] for label in labels] + ["N"] * _N_TRAILING
    times, rr_mean = _beat_times(names, rng)
    length = int((times[-1] + 1.0) * _RATE)
    signal = _baseline(length, 2 * noise, rng) + noise * rng.standard_normal(length)
    polarity = rng.choice([-1.0, 1.0])
    factors = _patient_factors(rng)
    for beat, time in zip(names, times, strict=True):
        waves = _beat_waves(beat, factors, rr_mean, rng)
        _add_beat(signal, time, polarity, waves)

    padded = np.concatenate([labels, np.zeros(_N_TRAILING, dtype=labels.dtype)])
    symbols = np.array([_SYMBOL[beat] for beat in names])
    sample = np.rint(times * _RATE).astype(np.intp)
    notes = Annotations(sample, symbols, padded, np.full(len(names), "N"))
    beats = cut_record(name, Signal(signal, _RATE, "simulated"), notes, cut)
    return beats.take(slice(len(labels)))


def _beat_times(names, rng):
    """Draw the times of the R peaks and the mean RR interval, in seconds."""
    rr_mean = 60.0 / rng.uniform(55, 105)
    variability = rng.uniform(0.02, 0.06)
    times, previous = [_LEAD], names[0]
    for beat in names[1:]:
        factor = _PREMATURE[beat] * _PAUSE[previous]
        jitter = 1 + variability * rng.standard_normal()
        times.append(times[-1] + max(rr_mean * factor * jitter, 0.3))
        previous = beat
    return np.array(times), rr_mean


def _patient_factors(rng):
    """Draw a patient's factors of amplitude, centre and width of the waves."""
    limits = ((0.7, 1.4), (0.9, 1.1), (0.85, 1.2))
    return np.transpose([rng.uniform(*limit, size=5) for limit in limits])


def _beat_waves(beat, factors, rr_mean, rng):
    """Waves (amplitude, centre, width) of one beat of one patient, shape (5, 3)."""
    if beat == "F":
        mix = rng.uniform(0.35, 0.65)
        waves = mix * _WAVES["N"] + (1 - mix) * _WAVES["V"]
    else:
        waves = _WAVES[beat]
    waves = waves * factors * rng.normal(1.0, 0.06, size=(5, 3))
    waves[-1, 1:] *= np.sqrt(rr_mean)  # the QT interval follows the heart rate
    return waves


def _add_beat(signal, time, polarity, waves):
    """Add the Gaussians of one beat to a signal, in place."""
    start = max(int((time - 0.5) * _RATE), 0)
    stop = min(int((time + 0.9) * _RATE), len(signal))
    t = np.arange(start, stop) / _RATE - time
    for amplitude, centre, width in waves:
        gaussian = np.exp(-0.5 * ((t - centre) / width) ** 2)
        signal[start:stop] += polarity * amplitude * gaussian


def _baseline(length, amplitude, rng):
    """Baseline wander: three sines below 0.5 Hz."""
    t = np.arange(length) / _RATE
    wander = np.zeros(length)
    for frequency in rng.uniform(0.05, 0.5, size=3):
        wander += np.sin(2 * np.pi * (frequency * t + rng.uniform()))
    return amplitude * wander / np.sqrt(1.5)
