"""The cards of the shipped models, as text for the docs."""

from ecg_sklearn.models import list_models, model_card

PLACES = {
    "ds1_svdb_to_ds2": "DS1 and svdb → DS2",
    "mitdb_to_svdb": "mitdb → svdb",
    "folds": "both databases, in five folds",
}
SCORES = ["accuracy", "macro_f1", "S", "V", "F"]
HEADS = ["Training → test", "Beats", "Accuracy", "Macro-F1", "F1: S", "V", "F"]
MINUS, NO_BREAK = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
JOINER = "\N{WORD JOINER}"  # an interval is not broken
COUNTS = {"veb": "VEB", "sveb": "SVEB"}
COUNT_HEADS = [
    "Beats",
    "Mean error",
    "Bias",
    "Limits of agreement",
    "Interval holds",
    "Couplets: Se, +P",
    "Runs: Se, +P",
]


def cards():
    """Write the cards of all models, each under its name."""
    return "\n".join(line for name in list_models() for line in _card(name))


def _card(name):
    card = model_card(name)
    lines = [f".. rubric:: {name}", "", card["description"], ""]
    lines += [f"- {sentence}" for sentence in card["limits"]] + [""]
    rows = [_scores(place, card["scores"]) for place in _in_order(card["scores"])]
    lines += _table(
        "Scores of one seed, with intervals of 95 % over records", HEADS, rows
    )
    lines += _calibration(card["scores"])
    rows = [_counts(key, card["counts"][key]) for key in COUNTS]
    title = "Burden of the records of DS2 against the annotations, in points of percent"
    lines += _table(title, COUNT_HEADS, rows)
    lines += [f"SHA-256 of the weights: ``{card['weights_sha256']}``.", ""]
    lines += [card["licence"], ""]
    return [*lines, f"Records: {', '.join(card['training_records'])}.", ""]


def _in_order(scores):
    names = [name for place in PLACES for name in (place, f"{place}_detected")]
    return [name for name in names if name in scores]


def _scores(place, scores):
    found = scores[place]
    values = {key: found[key] for key in ("accuracy", "macro_f1")} | found["f1"]
    cells = [_with_interval(values[key], found["interval"][key]) for key in SCORES]
    return [PLACES[place.removesuffix("_detected")], found["beats"], *cells]


def _with_interval(value, interval):
    low, high = interval
    return f"| {value:.3f}\n| {low:.2f}{JOINER}–{JOINER}{high:.2f}"


def _calibration(scores):
    """Tell how far probabilities are right, and what is rejected as not sure."""
    lines = []
    for place in _in_order(scores):
        found = scores[place]
        if "calibration_error" not in found:
            continue
        line = (
            f"- {PLACES[place]}: probability and share of right labels differ by "
            f"{found['calibration_error']:.3f} on average."
        )
        if "not_sure" in found:
            unsure = found["not_sure"]
            line += (
                f" With ``reject={unsure['risk']:g}``, "
                f"{_percent(unsure['not_sure'], 1)} of the beats of a record are not "
                f"sure, and {_percent(unsure['sure_and_wrong'], 1)} sure and wrong "
                f"(mean of the records)."
            )
        lines.append(line)
    return [*lines, ""]


def _counts(key, found):
    low, high = found["limits_of_agreement"]
    return [
        COUNTS[key],
        f"{found['mean_absolute_error']:.2f}",
        f"{found['bias']:+.2f}".replace("-", MINUS),
        f"{low:+.1f} to {high:+.1f}".replace("-", MINUS),
        f"{_percent(found['interval_holds'])} of {found['records']}",
        *(_events(found[kind]) for kind in ("couplet", "run")),
    ]


def _events(found):
    rates = (found[name] for name in ("sensitivity", "positive_predictivity"))
    return f"{', '.join(map(_percent, rates))} ({found['true']})"


def _percent(share, digits=0):
    return f"{100 * share:.{digits}f}{NO_BREAK}%"


def _table(title, heads, rows):
    """Write a list-table."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in [heads, *rows]:
        for place, cell in enumerate(row):
            first, *others = cell.split("\n")
            lines.append(f"   {'*' if place == 0 else ' '} - {first}")
            lines += [f"       {line}" for line in others]
    return [*lines, ""]
