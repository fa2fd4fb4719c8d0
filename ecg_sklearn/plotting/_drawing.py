"""Shared by the displays: colours, hatches, class names and axes style."""

from numbers import Integral, Real

# AAMI classes in words.
_WORDS = {
    "N": "N (normal)",
    "S": "S (supraventricular)",
    "V": "V (ventricular)",
    "F": "F (fusion)",
    "Q": "Q (other/paced)",
}

# Okabe and Ito's colour-blind safe palette; neighbours also differ in lightness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00", "#CC79A7")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++")


def bar_style(number):
    """Colour, hatch and edge of the bars of one series, by its number."""
    return {
        "color": COLORS[number % len(COLORS)],
        "hatch": HATCHES[number % len(HATCHES)],
        "edgecolor": "white",
        "linewidth": 0,  # an edge would cover very short bars
    }


def name_classes(labels, target_names):
    """Name class labels: ``target_names[label]``, or the labels themselves."""
    if target_names is None:
        return [str(label) for label in labels]
    try:
        if min(labels) < 0:
            raise IndexError
        return [str(target_names[label]) for label in labels]
    except (IndexError, TypeError):
        raise ValueError(
            f"target_names={target_names!r} does not name the classes "
            f"{list(labels)!r}. Give one name for each of the classes 0, 1, and so on, "
            "or None."
        ) from None


def in_words(names):
    """Names such as "V (ventricular)", if all are AAMI classes."""
    known = set(names) <= set(_WORDS)
    return [_WORDS[name] for name in names] if known else [str(name) for name in names]


def cut_of(steps):
    """Time of the first sample, in s, and unit of the training beats of a pipeline.

    0 s and None if the pipeline has not stored them.
    """
    cut = next((step.cut_ for step in steps if getattr(step, "cut_", None)), {})
    return (cut.get("window") or [0.0])[0], {"mV": "mV"}.get(cut.get("unit"))


def time_label(start):
    """Label of a time axis; a negative start means time relative to the R peak."""
    return "Time from the R peak (s)" if start < 0 else "Time (s)"


def check_count(value, name):
    """Check that a value is an int of 1 or more."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name}={value!r} must be an int of 1 or more.")


def check_rate(value, name):
    """Check that a value is a sampling rate."""
    if not (isinstance(value, Real) and 0 < value < float("inf")):
        raise ValueError(f"{name}={value!r} must be a number above 0, in Hz.")


def tidy(ax, grid):
    """Draw a grid behind the data, and remove the right and the top spine."""
    ax.grid(axis=grid, alpha=0.3)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def legend_above(ax, n_columns, **kwargs):
    """Put the legend above the axes."""
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=n_columns,
        frameon=False,
        **kwargs,
    )
