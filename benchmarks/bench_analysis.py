"""The counts of an analysis against the annotations of MIT-BIH.

    python benchmarks/bench_analysis.py --data mitdb/
    python benchmarks/bench_analysis.py --data mitdb/ --models model.ecgsk
    python benchmarks/bench_analysis.py --data mitdb/ --svdb svdb/

Irregular rhythm that may be atrial fibrillation, with annotated classes, is compared
with the rhythms AFIB and AFL of DS1, on which its threshold was chosen, and of DS2.
With ``--models``, the records of DS2 are analysed from the raw signal. The burden is
compared with that of the annotations, record by record: mean absolute error, bias (the
mean error), limits of agreement (bias and 1.96 standard deviations of the errors to
both sides, after Bland and Altman), and how often the interval holds the true burden.
A couplet is found if one is detected at its place within 150 ms, a run if one overlaps
with it. Irregular rhythm is that of the classes of the model. With
``--svdb``, the interval of the burden is made for each record of DS1 and of the
Supraventricular Arrhythmia Database from the errors of all others, with the classes of
a forest in five folds of whole records.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _common import Stopwatch, make_parser, print_table, write_results

from ecg_sklearn import load
from ecg_sklearn.aami import CLASS_NAMES, DS1, DS2
from ecg_sklearn.analysis import analyze, analyze_beats
from ecg_sklearn.analysis._burden import burden_interval
from ecg_sklearn.datasets import load_wfdb_beats
from ecg_sklearn.datasets._records import _read_annotations
from ecg_sklearn.features import RECORD_GROUPS
from ecg_sklearn.io import read_recording

_NEAR = 0.15  # s
_NO_STRETCHES = pd.DataFrame(columns=["start", "end", "reason"])
_ECTOPIC = {"V": "veb", "S": "sveb"}
_EDGES = ("start", "end")
_FORMATS = dict.fromkeys(("AF min", "false min", "of min"), ".1f")
_MANY = 10  # events of a kind that make a record worth a row of its own
_BANDS = (0, 0.003, 0.03, 0.1, 1)  # of the predicted share


def annotated(folder, name):
    """Count in the annotated beats of a record; give the rhythm of each beat too."""
    recording = read_recording(folder / name)
    notes, _ = _read_annotations(folder, name, "atr")
    is_beat = notes.label >= 0
    found = analyze_beats(
        recording,
        notes.sample[is_beat],
        notes.label[is_beat],
        unreadable=_NO_STRETCHES,
    )
    return found, notes.rhythm[is_beat]


def irregular(found, reference, rhythms):
    """Compare irregular rhythm with annotated fibrillation, interval by interval.

    Gives minutes and beats of both, of fibrillation alone, of the analysis alone, and
    of neither; then minutes of AFIB found and lost, of AFL found and lost. Each RR
    interval has the rhythm of the annotated beat that ends it.
    """
    time, rr = (reference.beats[name].to_numpy() for name in ("time", "rr"))
    is_true = np.isin(rhythms, ("AFIB", "AFL"))
    episodes = found.events[found.events["kind"] == "irregular rhythm"]
    is_found = np.zeros(len(time), dtype=bool)
    for start, end in zip(episodes["start"], episodes["end"], strict=True):
        is_found |= (time > start + _NEAR) & (time <= end + _NEAR)
    cells = [is_true & is_found, is_true & ~is_found, ~is_true & is_found]
    cells.append(~is_true & ~is_found)
    parts = [
        np.nansum(rr[(rhythms == name) & mask]) / 60
        for name in ("AFIB", "AFL")
        for mask in (is_found, ~is_found)
    ]
    return np.array([[np.nansum(rr[c]) / 60, c.sum()] for c in cells]), parts


def irregular_row(name, cells):
    """Sum up records; ``cells`` has the answer of :func:`irregular` for each."""
    parts = np.sum([part for _, part in cells], axis=0)
    cells = [cell for cell, _ in cells]
    total = np.sum(cells, axis=0)
    without = [cell for cell in cells if cell[:2, 1].sum() == 0]
    both, missed, false, neither = total
    row = {"records": name, "AF min": (both + missed)[0]}
    for rhythm, place in (("AFIB", 0), ("AFL", 2)):
        found, lost = parts[place : place + 2]
        row[f"Se {rhythm} %"] = 100 * found / (found + lost) if found + lost else np.nan
    for column, unit in enumerate(("time", "beats")):
        row[f"Se {unit} %"] = 100 * both[column] / (both + missed)[column]
        row[f"Sp {unit} %"] = 100 * neither[column] / (neither + false)[column]
    minutes = np.sum(without, axis=0)
    row["false min"] = false[0]
    row["false min, records without AF"] = minutes[2, 0]
    row["of min"] = minutes[2:, 0].sum()
    row["records with false ones"] = sum(cell[2, 0] > 0 for cell in without)
    return row


def matched(kind, true, found):
    """Count events of a kind: true ones, found ones, and the pairs from both sides."""
    sides = [side.events[side.events["kind"] == kind] for side in (true, found)]
    starts, ends = ([side[edge].to_numpy() for side in sides] for edge in _EDGES)
    apart = [np.abs(edge[0][:, None] - edge[1]) for edge in (starts, ends)]
    pairs = (apart[0] <= _NEAR) & (apart[1] <= _NEAR)
    if kind.endswith("run"):
        pairs = starts[0][:, None] <= ends[1] + _NEAR
        pairs &= starts[1] <= ends[0][:, None] + _NEAR
    return [
        len(sides[0]),
        len(sides[1]),
        pairs.any(axis=1).sum(),
        pairs.any(axis=0).sum(),
    ]


def count_with_model(model, folder, references, lead):
    """Analyse the records of DS2 from the raw signal; print and return the numbers."""
    rows, cells, events = [], [], {}
    for name, (reference, rhythms) in references.items():
        with Stopwatch() as watch:
            found = analyze(folder / name, model, lead=lead)
        row = {"record": name, "beats": len(reference.beats)}
        row |= {"beats found": len(found.beats), "seconds": watch.cpu}
        for key in _ECTOPIC.values():
            burden = found.summary.loc[f"{key}_burden"]
            true = reference.summary.at[f"{key}_burden", "value"]
            inside = burden["low"] - 1e-9 <= true <= burden["high"] + 1e-9
            row |= {f"{key} true %": true, f"{key} %": burden["value"]}
            row |= {f"{key} low": burden["low"], f"{key} high": burden["high"]}
            row[f"{key} inside"] = float(inside) if burden["low"] >= 0 else np.nan
        rows.append(row)
        cells.append(irregular(found, reference, rhythms))
        for kind in ("VEB couplet", "VEB run", "SVEB couplet", "SVEB run"):
            events.setdefault(kind, []).append(matched(kind, reference, found))
    print_table(rows, {"record": ""})
    table = pd.DataFrame(rows)
    results = {"records": rows, "irregular": irregular_row("model", cells)}
    results["burden"] = [agreement(table, key) for key in _ECTOPIC.values()]
    results["events"] = [found_row(kind, parts) for kind, parts in events.items()]
    results["events of records"] = [
        {"record": name} | found_row(kind, [part])
        for kind, parts in events.items()
        for name, part in zip(references, parts, strict=True)
        if max(part[:2]) >= _MANY
    ]
    print_table(results["burden"])
    print_table(results["events"])
    print_table(results["events of records"])
    print_table([results["irregular"]], _FORMATS)
    return results


def agreement(table, key):
    """Compare the burden of records with the true one: errors in points of percent."""
    error = table[f"{key} %"] - table[f"{key} true %"]
    spread = 1.96 * error.std()
    low, high = table[f"{key} low"], table[f"{key} high"]
    return {
        "class": key,
        "records": len(table),
        "mean absolute error": error.abs().mean(),
        "median absolute error": error.abs().median(),
        "bias": error.mean(),
        "agreement low": error.mean() - spread,
        "agreement high": error.mean() + spread,
        "inside %": 100 * table[f"{key} inside"].mean(),
        "median width": (high - low).median(),
    }


def found_row(kind, parts):
    """Sum up the events of a kind over records."""
    names = ("true", "detected", "true ones found", "detected ones true")
    row = {
        "kind": kind,
        **dict(zip(names, np.sum(parts, axis=0).tolist(), strict=True)),
    }
    for rate, part, whole in (
        ("Se %", names[2], names[0]),
        ("+P %", names[3], names[1]),
    ):
        row[rate] = 100 * row[part] / row[whole] if row[whole] else np.nan
    return row


def held_out_counts(folders):
    """Count true and predicted beats of each record in five folds."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    cut = {
        "channel": ["MLII", "V5", "ECG1"],
        "window": (-0.1, 0.1),  # the samples are not used
        "sampling_rate": 120.0,
        "features": list(RECORD_GROUPS),
        "align": "peak",
    }
    parts = [
        load_wfdb_beats(folder, records=records, **cut)
        for folder, records in folders.items()
    ]
    y, groups = (
        np.concatenate([part[name] for part in parts]) for name in ("target", "groups")
    )
    X = pd.concat([part.data for part in parts], ignore_index=True)
    X = X.loc[:, ~X.columns.str.fullmatch(r"t\d+")].to_numpy()
    known = y < CLASS_NAMES.index("Q")
    X, y, groups = X[known], y[known], groups[known]
    forest = ExtraTreesClassifier(
        60,
        min_samples_leaf=3,
        max_features=0.2,
        bootstrap=True,
        max_samples=0.25,
        random_state=0,
    )
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(forest, X, y, groups=groups, cv=folds)
    return np.array(
        [
            [[np.sum(side[groups == name] == label) for side in (y, found)]
             for label in range(4)]
            for name in np.unique(groups)
        ]
    )  # fmt: skip


def coverage(counts):
    """Tell how often the interval of a record, made from all others, is right."""
    total = counts[:, :, 0].sum(axis=1)
    rows = []
    for letter, name in _ECTOPIC.items():
        true, found = counts[:, CLASS_NAMES.index(letter)].T / total
        edges = np.array(
            [
                burden_interval(
                    found[k], total[k], np.delete(true, k), np.delete(found, k)
                )
                for k in range(len(total))
            ]
        )
        inside = (edges[:, 0] - 1e-9 <= true) & (true <= edges[:, 1] + 1e-9)
        everywhere = np.ones(len(true), dtype=bool)
        bands = [("all", everywhere)] + [
            (f"{100 * low:g} to {100 * high:g} %", (found >= low) & (found < high))
            for low, high in zip(_BANDS[:-1], _BANDS[1:], strict=True)
        ]
        for band, mask in bands:
            low, high = 100 * np.median(edges[mask], axis=0)
            rows.append(
                {
                    "class": name,
                    "predicted": band,
                    "records": int(mask.sum()),
                    "inside %": 100 * inside[mask].mean(),
                    "median share %": 100 * np.median(found[mask]),
                    "median low %": low,
                    "median high %": high,
                }
            )
    return rows


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--svdb", type=Path, help="folder of svdb: intervals too")
    parser.add_argument(
        "--models", type=Path, nargs="+", default=[], help="files, to analyse DS2 with"
    )
    parser.add_argument("--lead", help="lead to analyse")
    parser.add_argument(
        "--no-ds2", action="store_true", help="leave DS2 closed: DS1 alone"
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*is not calibrated")
    results, sets = {"irregular, annotated classes": []}, {"DS1": DS1}
    if not args.no_ds2:
        sets["DS2"] = DS2
    found = {}
    for title, names in sets.items():
        found[title] = {name: annotated(args.data, name) for name in names}
        cells = [irregular(one, one, rhythms) for one, rhythms in found[title].values()]
        results["irregular, annotated classes"].append(irregular_row(title, cells))
    print_table(results["irregular, annotated classes"], _FORMATS)
    if args.svdb is not None:
        folders = {args.data: DS1, args.svdb: None}
        results["interval of the burden"] = coverage(held_out_counts(folders))
        print_table(results["interval of the burden"])
    results["models"] = {}
    for path in args.models:
        print(f"\n{path.stem}")
        results["models"][path.stem] = count_with_model(
            load(path), args.data, found[title], args.lead
        )
    write_results(args.output, results)


if __name__ == "__main__":
    main()
