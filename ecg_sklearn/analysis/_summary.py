"""The numbers of an analysis: the table ``summary``."""

import numpy as np
import pandas as pd

from ecg_sklearn.analysis._variability import heart_rate_variability

N_RATE = 8  # RR intervals of the lowest and the highest heart rate
_NAMES = {"V": "VEB", "S": "SVEB"}
_COLUMNS = ("value", "unit", "low", "high", "time", "description")


def summarize(beats, events, unreadable, duration, names, intervals):
    """Make the table of numbers.

    ``names`` are the letters of the classes that the model can give; counts of others
    are NaN. ``intervals`` has (low, high) of the burden in % for "V" and "S".
    """
    lost = float((unreadable["end"] - unreadable["start"]).sum())
    analysed = max(duration - lost, 0.0)
    rows = {
        "duration": _row(duration, "s", "Duration of the recording"),
        "analysed": _row(analysed, "s", "Duration without unreadable stretches"),
        "analysed_share": _row(
            100 * analysed / duration, "%", "Share of the recording that was analysed"
        ),
        "n_beats": _row(len(beats), "beats", "Beats that were found and classified"),
        "n_unsure": _row(
            np.count_nonzero(~beats["sure"]), "beats", "Beats of which no class is sure"
        ),
    }
    rows |= _rates(beats)
    for letter, name in _NAMES.items():
        known = letter in names
        rows |= _ectopic(
            name, beats["class"] == letter, events, analysed, intervals[letter], known
        )
    for letter, name, text in (
        ("F", "fusion", "Fusion beats (F); they are in no other count"),
        ("Q", "unknown", "Beats that are paced or of no known class (Q)"),
    ):
        count = np.count_nonzero(beats["class"] == letter)
        value = count if letter in names else np.nan
        rows[f"{name}_count"] = _row(value, "beats", text)
    rows |= _pauses(events)
    irregular = events[events["kind"] == "irregular rhythm"]
    minutes = float((irregular["end"] - irregular["start"]).sum()) / 60
    rows["irregular_minutes"] = _row(
        minutes, "min", "Irregular rhythm that may be atrial fibrillation"
    )
    sdnn, rmssd, pnn50 = heart_rate_variability(
        beats["class"].to_numpy(), beats["rr"].to_numpy()
    )
    rows["sdnn"] = _row(sdnn, "ms", "Standard deviation of normal RR intervals")
    rows["rmssd"] = _row(rmssd, "ms", "Root mean square of their successive changes")
    rows["pnn50"] = _row(pnn50, "%", "Share of changes above 50 ms")
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).astype(
        dict.fromkeys(("value", "low", "high", "time"), float)
    )


def _row(value, unit, description, *, time=np.nan, low=np.nan, high=np.nan):
    return value, unit, low, high, time, description


def _rates(beats):
    """Heart rates and the longest RR interval."""
    time, rr = beats["time"].to_numpy(), beats["rr"].to_numpy()
    known = ~np.isnan(rr)
    mean = 60 / rr[known].mean() if known.any() else np.nan
    total = np.cumsum(known)
    end = np.arange(N_RATE, len(rr))
    end = end[total[end] - total[end - N_RATE] == N_RATE]
    rate = 60 * N_RATE / (time[end] - time[end - N_RATE])
    lowest = highest = (np.nan, np.nan)
    if len(rate):
        lowest, highest = (
            (rate[k], time[end[k] - N_RATE]) for k in (rate.argmin(), rate.argmax())
        )
    longest = (np.nan, np.nan)
    if known.any():
        row = int(np.nanargmax(rr))
        longest = rr[row], time[row - 1]
    over = f"heart rate over {N_RATE} RR intervals"
    return {
        "heart_rate_mean": _row(mean, "beats/min", "Mean heart rate"),
        "heart_rate_min": _row(
            lowest[0], "beats/min", f"Lowest {over}", time=lowest[1]
        ),
        "heart_rate_max": _row(
            highest[0], "beats/min", f"Highest {over}", time=highest[1]
        ),
        "rr_longest": _row(longest[0], "s", "Longest RR interval", time=longest[1]),
    }


def _ectopic(name, mask, events, analysed, interval, known):
    """Count ventricular or supraventricular ectopic beats."""
    n_beats, count = len(mask), int(np.count_nonzero(mask))
    nothing = np.nan
    of = {
        form: events[events["kind"] == f"{name} {form}".strip()]
        for form in ("", "couplet", "run", "bigeminy", "trigeminy")
    }
    numbers = {form: len(found) for form, found in of.items()}
    longest = _largest(of["run"], "n_beats", 0 if known else nothing)
    fastest = _largest(of["run"], "rate", nothing)
    burden = 100 * count / n_beats if n_beats else nothing
    hourly = count / (analysed / 3600) if analysed > 0 else nothing
    low, high = interval
    if not known:
        count = burden = hourly = low = high = nothing
        numbers = dict.fromkeys(numbers, nothing)
    in_beats = {
        "low": np.floor(low * n_beats / 100 + 1e-9),
        "high": np.ceil(high * n_beats / 100 - 1e-9),
    }
    long = {"VEB": "Ventricular", "SVEB": "Supraventricular"}[name]
    rows = {
        "count": _row(count, "beats", f"{long} ectopic beats ({name})", **in_beats),
        "burden": _row(burden, "%", f"{name}: share of all beats", low=low, high=high),
        "per_hour": _row(hourly, "1/h", f"{name} in an hour that was analysed"),
        "singles": _row(numbers[""], "beats", f"Single {name}"),
        "couplets": _row(numbers["couplet"], "couplets", f"Two {name} in a row"),
        "runs": _row(numbers["run"], "runs", f"Three or more {name} in a row"),
        "longest_run": _row(
            longest[0], "beats", f"Longest run of {name}", time=longest[1]
        ),
        "fastest_run": _row(
            fastest[0], "beats/min", f"Fastest run of {name}", time=fastest[1]
        ),
        "bigeminy": _row(
            numbers["bigeminy"], "episodes", f"{name} as every second beat"
        ),
        "trigeminy": _row(
            numbers["trigeminy"], "episodes", f"{name} as every third beat"
        ),
    }
    return {f"{name.lower()}_{key}": row for key, row in rows.items()}


def _largest(found, column, otherwise):
    """Largest value of a column of events, and where it starts."""
    values = found[column].to_numpy(dtype=float)
    if len(values) == 0 or np.isnan(values).all():
        return otherwise, np.nan
    row = int(np.nanargmax(values))
    return values[row], found["start"].to_numpy()[row]


def _pauses(events):
    found = events[events["kind"] == "pause"]
    seconds = (found["end"] - found["start"]).to_numpy()
    longest = (np.nan, np.nan)
    if len(found):
        row = int(seconds.argmax())
        longest = seconds[row], found["start"].to_numpy()[row]
    return {
        "pauses": _row(len(found), "pauses", "RR intervals of 2.5 s or more"),
        "longest_pause": _row(longest[0], "s", "Longest pause", time=longest[1]),
    }
