"""Simulated recordings: a continuous signal with known beats, rhythm and faults."""

import re
from collections import deque
from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params

from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets._noise import (
    REASONS,
    add_f_waves,
    add_noise,
    samples_of,
    spoil,
)
from ecg_sklearn.datasets._simulate import _SYMBOL, _WAVES, _patient_factors

_LEADS = (
    "II", "V5", "V1", "I", "III", "aVR", "aVL", "aVF", "V2", "V3", "V4", "V6",
)  # fmt: skip
_NEGATIVE = {"V1", "aVR"}
_BEFORE, _AFTER = 0.5, 0.9  # s around the R peak in which a beat has its waves
_EDGE = 0.3  # s without an R peak at both ends
_SHORTEST_RR = 0.26
_PEAK = 0.03  # s around the R wave in which the signal has its peak
_BEATS = 1024  # beats made at a time
# RR interval before a beat as a share of the sinus interval: the first of an ectopic
# class, and the next ones of a run.
_COUPLING = {"S": (0.72, 0.60), "V": (0.70, 0.55), "F": (0.93, 0.93)}
# Rhythm -> what its beats look like, as MIT-BIH names them.
_RUNS = {"VT": "V{3,}", "SVTA": "S{3,}", "B": "(?:VN){2,}V"}


@validate_params(
    {
        "duration": [Interval(Real, 3, None, closed="left")],
        "sampling_rate": [Interval(Real, 50, 2000, closed="both")],
        "n_leads": [Interval(Integral, 1, len(_LEADS), closed="both")],
        "heart_rate": [Interval(Real, 20, 200, closed="both")],
        "ectopy": [dict, None],
        "events": ["array-like", None],
        "afib": ["array-like", None],
        "unreadable": ["array-like", None],
        "noise": [Interval(Real, 0, None, closed="left")],
        "wander": [Interval(Real, 0, None, closed="left")],
        "muscle": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_recording(
    duration=60.0,
    *,
    sampling_rate=250.0,
    n_leads=1,
    heart_rate=70.0,
    ectopy=None,
    events=None,
    afib=None,
    unreadable=None,
    noise=0.02,
    wander=0.1,
    muscle=0.0,
    random_state=None,
):
    """Simulate a continuous recording whose beats, rhythm and faults are known.

    Each beat is a sum of Gaussians for its waves, as in :func:`make_heartbeats`. The
    sinus rhythm varies with breathing. A ventricular ectopic beat comes early and has a
    full compensatory pause; a supraventricular one resets the rhythm. One patient makes
    the whole recording.

    Ectopic beats are written as patterns of class letters: "V" is a single premature
    beat, "VV" a couplet, "VVVVV" a run, "VNVNVN" bigeminy. "-" is a beat that does not
    come, so that "--" is a pause of three RR intervals. Behind each pattern follows one
    normal beat at least.

    Parameters
    ----------
    duration : float, default=60.0
        Duration in s, 3 at least.
    sampling_rate : float, default=250.0
        Samples per second, 50 to 2000 Hz.
    n_leads : int, default=1
        Number of leads, 1 to 12: II, V5, V1, I, III, aVR, aVL, aVF, V2, V3, V4, V6.
    heart_rate : float, default=70.0
        Mean rate of the sinus rhythm and of atrial fibrillation, in beats per minute.
    ectopy : dict of str to float, default=None
        Pattern and the share of all beats that belong to such patterns, drawn at random
        times: ``{"V": 0.05, "VV": 0.01, "S": 0.03}``.
    events : sequence of (float, str), default=None
        Time in s and pattern: the pattern starts with the beat that is due next after
        this time, or behind the pattern that is under way.
    afib : sequence of (float, float), default=None
        Start and end in s of atrial fibrillation: irregular RR intervals, no P waves,
        fibrillatory waves.
    unreadable : sequence of (float, float, str), default=None
        Start and end in s, and reason, of stretches that cannot be read: "gap" (nan),
        "flat" (a constant), "lead off" (the end of the amplifier's range), "clipped"
        (far too large, and cut off) and "noise".
    noise, wander, muscle : float, default=0.02, 0.1, 0.0
        Standard deviation in mV, on beats of about 1 mV, of white noise, baseline
        wander below 0.5 Hz, and muscle noise from 20 to 150 Hz.
    random_state : int, RandomState instance or None, default=None
        Seed of the simulation.

    Returns
    -------
    Bunch
        ``signal``, float32 of shape (n_times, n_leads) in mV; ``sampling_rate``;
        ``leads``, their names; ``start_time``, None. For each beat that can be read:
        ``sample`` of shape (n_beats,), the position of its R peak in the first lead
        without noise; ``time`` in s; ``symbols``, the WFDB letter; ``target``, the
        class 0 to 4 of ``target_names``; ``rhythms``: "N", "AFIB", "VT", "SVTA" or "B"
        as MIT-BIH names them. ``gaps``, a DataFrame with "start", "end" and "reason" of
        each stretch that cannot be read, and ``DESCR``.

    Raises
    ------
    ValueError
        If a pattern, a time, a share or a reason cannot be meant.

    See Also
    --------
    make_heartbeats : Beats of many patients, with equal classes.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_recording
    >>> ecg = make_recording(30, events=[(10.0, "V"), (20.0, "VV")], random_state=0)
    >>> ecg.signal.shape, "".join(ecg.symbols).count("V")
    ((7500, 1), 3)
    """
    rng = check_random_state(random_state)
    shares = _check_ectopy(ectopy or {})
    planned = deque(sorted(_check_event(event, duration) for event in _rows(events)))
    afib = [_check_stretch("afib", *row, duration) for row in _rows(afib)]
    gaps = [_check_gap(row, duration) for row in _rows(unreadable)]
    leads = _LEADS[:n_leads]

    times, letters, fibrillating = _rhythm(
        duration, 60.0 / heart_rate, shares, planned, afib, rng
    )
    signal = np.zeros((int(duration * sampling_rate), n_leads), dtype=np.float32)
    sample = _add_beats(signal, sampling_rate, times, letters, fibrillating, leads, rng)
    for start, end in afib:
        add_f_waves(signal, sampling_rate, start, end, rng)
    add_noise(signal, sampling_rate, noise, wander, muscle, rng)
    readable = np.ones(len(sample), dtype=bool)
    for start, end, reason in gaps:
        spoil(signal[slice(*samples_of(start, end, sampling_rate))], reason, rng)
        readable &= (sample / sampling_rate < start) | (sample / sampling_rate >= end)
    return _make_bunch(
        signal, sampling_rate, leads, sample, letters, fibrillating, gaps, readable
    )


def _make_bunch(
    signal, sampling_rate, leads, sample, letters, fibrillating, gaps, readable
):
    """Put signal and beats together."""
    import pandas as pd

    sample, target = (
        sample[readable],
        np.array([CLASS_NAMES.index(letter) for letter in letters], dtype=np.intp)[
            readable
        ],
    )
    return Bunch(
        signal=signal,
        sampling_rate=float(sampling_rate),
        leads=leads,
        start_time=None,
        sample=sample,
        time=sample / sampling_rate,
        symbols=np.array([_SYMBOL[name] for name in CLASS_NAMES])[target],
        target=target,
        target_names=list(CLASS_NAMES),
        rhythms=_rhythm_names(letters, fibrillating)[readable],
        gaps=pd.DataFrame(gaps, columns=["start", "end", "reason"]),
        DESCR=f"{len(signal) / sampling_rate:g} s of simulated ECG after McSharry et "
        "al. (2003). It is made for tests and demos: nothing that is measured on it "
        "says how well real beats are found or classified.",
    )


# What is asked for


def _rows(values):
    """Rows of a list of tuples, or none."""
    return [] if values is None else list(values)


def _check_pattern(pattern):
    """Check that a pattern is made of class letters and pauses."""
    if not isinstance(pattern, str) or not re.fullmatch("[NSVFQ-]+", pattern):
        raise ValueError(
            f"pattern={pattern!r} must be letters of {' '.join(CLASS_NAMES)}, with '-' "
            "for a beat that does not come, such as 'V', 'VV' or 'N--N'."
        )
    return pattern


def _check_ectopy(ectopy):
    """Probability of each pattern, whenever a normal beat could come instead."""
    total = sum(ectopy.values())
    n_beats = {_check_pattern(name): len(name.replace("-", "")) for name in ectopy}
    chances = {
        name: share / max(n_beats[name], 1) / (1 - total)
        for name, share in ectopy.items()
        if total < 1
    }
    if not all(share >= 0 for share in ectopy.values()) or not (
        total < 1 and sum(chances.values()) <= 1
    ):
        raise ValueError(
            f"ectopy={ectopy} are not shares of beats that leave a normal beat behind "
            "each pattern: use smaller ones, none below 0."
        )
    return chances


def _check_event(event, duration):
    """Check one event."""
    time, pattern = event
    if not 0 <= time < duration:
        raise ValueError(f"The event at {time} s is outside of 0 to {duration:g} s.")
    return float(time), _check_pattern(pattern)


def _check_stretch(name, start, end, duration):
    """Check one stretch of time."""
    if not 0 <= start < end <= duration:
        raise ValueError(
            f"{name} from {start} to {end} s must start before it ends, and be inside "
            f"0 to {duration:g} s."
        )
    return float(start), float(end)


def _check_gap(row, duration):
    """Check one stretch that cannot be read."""
    start, end, reason = row
    if reason not in REASONS:
        raise ValueError(f"reason={reason!r} is unknown. Use one of {list(REASONS)}.")
    return *_check_stretch("unreadable", start, end, duration), reason


# Rhythm


def _rhythm(duration, rr_mean, shares, planned, afib, rng):
    """Draw the beats: times of the R waves (s), classes, and who fibrillates."""
    patterns, chances = list(shares), np.cumsum(list(shares.values()))
    breathing, slow = rng.uniform(0.2, 0.3), rng.uniform(0.05, 0.1)
    times, letters, fibrillating = [], [], []
    queue = deque()
    time, previous, factor, missing = rng.uniform(0.3, 0.3 + rr_mean), "N", 1.0, 0.0
    draws = iter(())
    while True:
        draw = next(draws, None)
        if draw is None:  # numbers in blocks: one by one they take most of the time
            draws = zip(rng.rand(4096), rng.standard_normal(4096), strict=True)
            continue
        chance, jitter = draw
        in_afib = any(start <= time < end for start, end in afib)
        rr = rr_mean * (
            np.exp(0.24 * jitter - 0.03)
            if in_afib
            else 1
            + 0.04 * np.sin(2 * np.pi * breathing * time)
            + 0.03 * np.sin(2 * np.pi * slow * time)
            + 0.01 * jitter
        )
        if not queue:
            if planned and planned[0][0] < time + rr:
                queue.extend(planned.popleft()[1] + "N")
            elif len(chances) and chance < chances[-1]:
                queue.extend(patterns[np.searchsorted(chances, chance, "right")] + "N")
            else:
                queue.append("N")
        letter = queue.popleft()
        if letter == "-":
            missing += rr
            continue
        # A ventricular beat does not reset the sinus node: the next one is on time.
        rest = 2 - factor if previous == "V" and factor < 1 else 1.05
        after = rest if previous in "SV" else 1.0
        factor = _COUPLING.get(letter, (after, 1.0))[letter == previous]
        if times:
            time += max(rr * factor, _SHORTEST_RR) + missing
        if time > duration - _EDGE:
            break
        missing = 0.0
        times.append(time)
        letters.append(letter)
        fibrillating.append(in_afib)
        previous = letter
    return np.array(times), "".join(letters), np.array(fibrillating, dtype=bool)


def _rhythm_names(letters, fibrillating):
    """Rhythm of each beat."""
    names = np.where(fibrillating, "AFIB", "N").astype("U4")
    for name, pattern in _RUNS.items():
        for run in re.finditer(pattern, letters):
            names[slice(*run.span())] = name
    return names


# Signal


def _add_beats(signal, rate, times, letters, fibrillating, leads, rng):
    """Add the beats to a signal, in place; return the positions of their peaks."""
    n_times, (factors, weights) = len(signal), _patient(leads, rng)
    before, after = round(_BEFORE * rate), round(_AFTER * rate)
    grid = np.arange(-before, after, dtype=np.float32) / np.float32(rate)
    nearest = np.rint(times * rate).astype(np.intp)
    rr = np.diff(times, prepend=times[:1] - 1.0)
    for first in range(0, len(times), _BEATS):
        rows = slice(first, first + _BEATS)
        waves = _waves(letters[rows], factors, rr[rows], rng)
        waves[fibrillating[rows], 0, 0] = 0.0  # no P wave
        waves = waves.astype(np.float32)
        offset = (nearest[rows] / rate - times[rows]).astype(np.float32)
        t = grid + offset[:, None]
        beats = np.zeros((len(t), len(grid), len(leads)), dtype=np.float32)
        for number, (amplitude, centre, width) in enumerate(np.moveaxis(waves, 0, -1)):
            z = (t - centre[:, None]) / width[:, None]
            wave = amplitude[:, None] * np.exp(np.float32(-0.5) * z * z)
            beats += wave[..., None] * weights[number]
        for beat, place in zip(beats, nearest[rows].tolist(), strict=True):
            start, stop = max(place - before, 0), min(place + after, n_times)
            signal[start:stop] += beat[start - place + before : stop - place + before]
    reach = max(round(_PEAK * rate), 1)
    around = nearest[:, None] + np.arange(-reach, reach + 1)
    peaks = np.argmax(np.abs(signal[around.clip(0, n_times - 1), 0]), axis=1)
    return nearest + peaks - reach


def _patient(leads, rng):
    """Draw a patient's factors of the waves, and the weight of each wave in a lead."""
    weights = rng.uniform(0.4, 1.2, size=(5, len(leads)))
    weights *= [-1.0 if lead in _NEGATIVE else 1.0 for lead in leads]
    weights[:, 0] = 1.0
    return _patient_factors(rng), weights.astype(np.float32)


def _waves(letters, factors, rr, rng):
    """Waves (amplitude, centre, width) of beats, shape (n_beats, 5, 3)."""
    mix = rng.uniform(0.35, 0.65, size=len(letters))[:, None, None]
    fusion = mix * _WAVES["N"] + (1 - mix) * _WAVES["V"]
    letters = np.array(list(letters))
    waves = np.where((letters == "F")[:, None, None], fusion, 0.0)
    for name, values in _WAVES.items():
        waves[letters == name] = values
    waves = waves * factors * rng.normal(1.0, 0.06, size=waves.shape)
    # The QT interval follows the heart rate.
    waves[:, -1, 1:] *= np.sqrt(rr.clip(0.4, 1.5))[:, None]
    return waves
