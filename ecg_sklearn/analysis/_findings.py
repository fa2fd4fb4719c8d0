"""What was found in a recording, in plain sentences and as a table of text."""

import math
from datetime import timedelta

from ecg_sklearn.analysis._model import NOT_ASSESSED

_N_REASONS = 3


def duration_text(seconds):
    """Write a duration as h:mm:ss."""
    whole = math.floor(seconds + 0.5)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def time_text(recording, seconds):
    """Write a time: by the clock if the start is known, else since the start."""
    start = recording.start_time
    if start is None:
        return duration_text(seconds)
    time = start + timedelta(seconds=math.floor(seconds))
    day = f" on {time:%Y-%m-%d}" if time.date() != start.date() else ""
    return f"{time:%H:%M:%S}{day}"


def findings(analysis):
    """Make the sentences of an analysis."""
    say = _Sayer(analysis)
    found = [say.analysed()]
    if not len(analysis.beats):
        found.append("No beat was found that could be classified: nothing is counted.")
        return [*found, *analysis.notes, NOT_ASSESSED]
    found += [say.rates(), say.ectopic("V"), say.forms("V")]
    found += [say.ectopic("S"), say.forms("S"), say.others(), say.pauses()]
    found += [say.irregular(), say.variability(), *analysis.notes, NOT_ASSESSED]
    return [sentence for sentence in found if sentence]


class _Sayer:
    """Writes one sentence about each thing; "" if there is nothing to say."""

    def __init__(self, analysis):
        self._analysis = analysis
        self._rows = analysis.summary

    def _value(self, name):
        return float(self._rows.at[name, "value"])

    def _at(self, name):
        when = time_text(self._analysis.recording, self._rows.at[name, "time"])
        return f"at {when}"

    def analysed(self):
        recording = self._analysis.recording
        text = (
            f"{duration_text(self._value('duration'))} of lead {recording.leads[0]} "
            f"were recorded, and {self._value('analysed_share'):.1f} % of them analysed"
        )
        lost = self._analysis.unreadable
        if not len(lost):
            return f"{text}."
        seconds = (lost["end"] - lost["start"]).groupby(lost["reason"]).sum()
        parts = [
            f"{reason} {duration_text(value)}"
            for reason, value in seconds.sort_values(ascending=False).items()
        ]
        return f"{text}; the rest cannot be read ({', '.join(parts[:_N_REASONS])})."

    def rates(self):
        text = f"{self._value('n_beats'):,.0f} beats were found"
        if math.isnan(self._value("heart_rate_mean")):
            return f"{text}, and no RR interval: there is no heart rate."
        text += f"; the mean heart rate is {self._value('heart_rate_mean'):.0f}"
        if math.isnan(self._value("heart_rate_min")):
            return f"{text} beats/min."
        low, high = (
            f"{self._value(name):.0f} {self._at(name)}"
            for name in ("heart_rate_min", "heart_rate_max")
        )
        return f"{text} beats/min, the lowest {low}, the highest {high}."

    def ectopic(self, letter):
        name, long = _NAMES[letter]
        count = self._value(f"{name.lower()}_count")
        if math.isnan(count):
            return (
                f"{long.capitalize()} beats ({name}) were not assessed: the model has "
                f"no class {letter}."
            )
        text = (
            f"{count:,.0f} {long} {_beats(count)} ({name}) {_were(count)} counted: "
            f"{_percent(self._value(f'{name.lower()}_burden'))} % of all beats"
        )
        low, high = (
            float(self._rows.at[f"{name.lower()}_burden", edge])
            for edge in ("low", "high")
        )
        if self._analysis.model["mode"] == "annotated":
            return f"{text}."
        if math.isnan(low):
            return f"{text} (how far the model may be off is not known)."
        return f"{text} (95 % interval {_percent(low)} to {_percent(high)} %)."

    def forms(self, letter):
        name, _ = _NAMES[letter]
        key = name.lower()
        if not self._value(f"{key}_count") > 0:
            return ""
        counts = {word: self._value(f"{key}_{form}") for form, word in _FORMS.items()}
        parts = [
            f"{count:,.0f} {_number(word, count)}"
            for word, count in counts.items()
            if count
        ]
        text = f"{name}: {', '.join(parts)}"
        if self._value(f"{key}_runs"):
            longest, fastest = f"{key}_longest_run", f"{key}_fastest_run"
            text += (
                f". The longest run has {self._value(longest):.0f} beats "
                f"{self._at(longest)}, the fastest {self._value(fastest):.0f} "
                f"beats/min {self._at(fastest)}"
            )
        return f"{text}."

    def others(self):
        parts = [
            f"{self._value(name):,.0f} {word}"
            for name, word in (
                ("fusion_count", "fusion beats (F)"),
                ("unknown_count", "paced or unknown beats (Q)"),
                ("n_unsure", "beats of which no class is sure"),
            )
            if self._value(name) > 0
        ]
        return f"Beside them: {', '.join(parts)}." if parts else ""

    def pauses(self):
        count = self._value("pauses")
        if count:
            longest = f"{self._value('longest_pause'):.1f} s"
            return (
                f"{count:,.0f} {_number('pause', count)} of 2.5 s or more; the longest "
                f"lasts {longest} {self._at('longest_pause')}."
            )
        if math.isnan(self._value("rr_longest")):
            return ""
        return (
            "No pause of 2.5 s or more; the longest RR interval is "
            f"{self._value('rr_longest'):.2f} s {self._at('rr_longest')}."
        )

    def irregular(self):
        minutes = self._value("irregular_minutes")
        if not minutes:
            return (
                "No irregular rhythm of 30 s or more that may be atrial fibrillation."
            )
        events = self._analysis.events
        events = events[events["kind"] == "irregular rhythm"]
        first = time_text(self._analysis.recording, events["start"].iloc[0])
        text = (
            f"Irregular rhythm that may be atrial fibrillation: {len(events):,} "
            f"{_number('episode', len(events))}, {minutes:.1f} min, the first at "
            f"{first}"
        )
        inside = _rows_inside(events, self._analysis.beats["class"] == "S")
        if inside:
            text += (
                f"; {inside:,} SVEB are counted in it, which may be normal for this "
                "rhythm"
            )
        return f"{text}."

    def variability(self):
        sdnn, rmssd, pnn50 = (self._value(name) for name in ("sdnn", "rmssd", "pnn50"))
        if math.isnan(sdnn) or math.isnan(rmssd):
            return ""
        text = (
            f"Heart rate variability: SDNN {sdnn:.0f} ms, RMSSD {rmssd:.0f} ms, pNN50 "
            f"{pnn50:.0f} %"
        )
        if self._value("irregular_minutes"):
            text += " (irregular rhythm is in it, so it is not that of the sinus node)"
        return f"{text}."


_NAMES = {
    "V": ("VEB", "ventricular ectopic"),
    "S": ("SVEB", "supraventricular ectopic"),
}
_FORMS = {
    "singles": "single",
    "couplets": "couplet",
    "runs": "run",
    "bigeminy": "episode of bigeminy",
    "trigeminy": "episode of trigeminy",
}


def _rows_inside(events, mask):
    """Count the beats of a mask from first to last of events that do not overlap."""
    total = [0, *mask.cumsum().tolist()]
    pairs = zip(events["first"], events["last"], strict=True)
    return sum(total[last + 1] - total[first] for first, last in pairs)


def _number(word, count):
    if count == 1:
        return word
    return word.replace("episode", "episodes") if " " in word else f"{word}s"


def _beats(count):
    return "beat" if count == 1 else "beats"


def _were(count):
    return "was" if count == 1 else "were"


def _percent(value):
    """Write a share with two digits at least where it is small."""
    if 0 < value < 0.01:
        return "<0.01"
    if value in (0, 100):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def summary_text(analysis):
    """Make a table for a terminal."""
    recording, model = analysis.recording, analysis.model
    lines = [
        f"{recording.name}, lead {recording.leads[0]}, "
        f"{duration_text(recording.duration)}; {model['name']}, {model['mode']}",
        "",
        f"{'':<18}{'value':>12}  {'unit':<10}{'95 % interval':<18}time",
    ]
    for name, row in analysis.summary.iterrows():
        interval = ""
        if row["low"] < row["high"]:
            interval = f"{_digits(row['low'])} to {_digits(row['high'])}"
        when = "" if math.isnan(row["time"]) else time_text(recording, row["time"])
        value = "-" if math.isnan(row["value"]) else _digits(row["value"])
        lines.append(f"{name:<18}{value:>12}  {row['unit']:<10}{interval:<18}{when}")
    return "\n".join(line.rstrip() for line in lines)


def _digits(value):
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
