"""Figures of the docs that are drawn from ``benchmarks/results``."""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
# Blue and orange can be told apart by all readers; the markers by those of a print.
STYLES = {
    "offline": {"color": "#0b5cad", "marker": "o"},
    "causal": {"color": "#c75a00", "marker": "s", "markerfacecolor": "none"},
}
LETTERS = {"N": "normal", "S": "supraventricular", "V": "ventricular"}
PLACES = {"offline": (-6, -3), "causal": (-2, 6)}  # of a name beside a point
LINE = {"color": STYLES["offline"]["color"], "zorder": 0}
FAR = 7  # points of an error that make a record worth its number
FONT = {"font.size": 10, "axes.titlesize": 11, "svg.hashsalt": "ecg_sklearn"}


def draw_all(folder):
    """Draw all figures into a folder."""
    with plt.rc_context(FONT):
        for name, draw in {"burden": burden, "reliability": reliability}.items():
            figure = draw()
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


def burden():
    """Bland-Altman plot of the burden of the records of DS2."""
    models = read("counts_ds2")["models"]
    models = {name.split("_")[-1]: found for name, found in models.items()}
    figure, axes = plt.subplots(
        1, 2, figsize=(7.4, 3.9), layout="constrained", sharey=True
    )
    for place, (ax, key) in enumerate(zip(axes, ("veb", "sveb"), strict=True)):
        for mode, style in STYLES.items():
            records = models[mode]["records"]
            true, found = (
                np.array([record[column] for record in records])
                for column in (f"{key} true %", f"{key} %")
            )
            mean, error = (true + found) / 2, found - true
            ax.plot(mean, error, ls="", label=mode, ms=5, **style)
            for k in np.flatnonzero(np.abs(error) > FAR):
                ax.annotate(
                    records[k]["record"],
                    (mean[k], error[k]),
                    PLACES[mode],
                    textcoords="offset points",
                    color=style["color"],
                    ha="right",
                    fontsize=9,
                )
        agreement = models["offline"]["burden"][place]
        for end, line in {"low": ":", "high": ":"}.items():
            ax.axhline(agreement[f"agreement {end}"], ls=line, lw=1, **LINE)
        ax.axhline(agreement["bias"], lw=1, **LINE)
        ax.axhline(0, lw=0.8, color="0.6", zorder=0)
        ax.set_title(f"{key.upper()} burden")
        ax.set_xlabel("mean of true and counted, %")
        ax.set_xscale("symlog", linthresh=0.1, linscale=0.5)
        ax.set_yscale("symlog", linthresh=1)
        ax.set_xticks([0, 0.1, 1, 10], ["0", "0.1", "1", "10"])
        ax.set_xlim(-0.03, 70)
        ticks = [-30, -10, -3, -1, 0, 1, 3, 10, 30]
        ax.set_yticks(
            ticks, [f"{tick:+d}".replace("-", "−") if tick else "0" for tick in ticks]
        )
        ax.set_ylim(-150, 60)
        ax.minorticks_off()
        tidy(ax)
    axes[0].set_ylabel("counted minus true, points of %")
    axes[0].legend(frameon=False, loc="lower left")
    return figure


def reliability():
    """Reliability curves of both models on held-out records."""
    models = read("shipped_folds")["models"]
    figure, axes = plt.subplots(
        1, 3, figsize=(7.4, 2.9), layout="constrained", sharey=True
    )
    for ax, letter in zip(axes, LETTERS, strict=True):
        ax.plot([0, 1], [0, 1], lw=0.8, color="0.6", zorder=0)
        for mode, style in STYLES.items():
            if f"shipped {mode}" not in models:
                continue
            curve = models[f"shipped {mode}"]["runs"][0]["reliability"][letter]
            curve = [
                b for b in curve if b["beats"] >= 50
            ]  # a point of fewer says little
            x = np.array([b["mean probability"] for b in curve])
            y = np.array([b["share"] for b in curve])
            low, high = np.array([b["interval"] for b in curve]).T
            bars = np.maximum([y - low, high - y], 0)
            ax.errorbar(x, y, bars, label=mode, ms=4, lw=1, elinewidth=0.8, **style)
        ax.set_title(f"{letter}, {LETTERS[letter]}")
        ax.set_xlabel("probability")
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        ax.set_xlim(-0.03, 1.03)
        ax.set_ylim(-0.03, 1.03)
        ax.set_aspect("equal")
        tidy(ax)
    axes[0].set_ylabel("share of these beats")
    axes[0].legend(frameon=False, loc="upper left")
    return figure


def read(name):
    """Read the results of a benchmark."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def tidy(ax):
    """Keep two sides of the frame."""
    ax.spines[["top", "right"]].set_visible(False)
