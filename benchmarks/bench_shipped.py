r"""Score the shipped models for their cards: marked and detected beats, reliability.

    python benchmarks/make_models.py --data mitdb/ --svdb svdb/ \
        --training ds1+svdb --folder FOLDER
    python benchmarks/bench_shipped.py --data mitdb/ --svdb svdb/ --test ds2 \
        --files FOLDER/ds1_svdb_causal.ecgsk FOLDER/ds1_svdb_offline.ecgsk
    python benchmarks/bench_shipped.py --data mitdb/ --svdb svdb/ --folds

Model files are scored on the beats of ``--test`` as they are marked, and on those that
are found in the raw signal: a beat that is missed counts against its class, and one
that is none against the class that it was given. With ``--folds``, trees are fitted to
four fifths of the records of both databases (the paced ones left out) and asked for the
marked beats of the other fifth, in turn. Each fold is calibrated on the answers for the
other four. ``--keep FOLDER`` keeps the answers.

Intervals of 95 % are of 2,000 draws of whole records. The reliability curve has, for
beats with probabilities in a bin, the share that is of the class; the calibration error
is that of the most probable class. Last, how many labels of a record are sure and wrong
where 2 % may be so; nothing is sure for a model of mitdb, which has too few records.
"""

import warnings
from pathlib import Path

import numpy as np
from _common import Stopwatch, make_parser, print_table, write_results
from _shipped import GROUPS, shipped
from bench_interpatient import NAMES, load_sides, scores_of
from bench_interpatient import load as load_marked
from sklearn.base import BaseEstimator, ClassifierMixin

from ecg_sklearn import load
from ecg_sklearn.aami import DS2
from ecg_sklearn.analysis._beats import RISK, classify, least_probability
from ecg_sklearn.cli._detected import _with_stretches
from ecg_sklearn.datasets._records import read_raw_annotations
from ecg_sklearn.ensemble import CalibratedRecordClassifier
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.metrics import ec57_report, expected_calibration_error
from ecg_sklearn.metrics._bootstrap import percentiles, resampled_counts
from ecg_sklearn.metrics._ec57 import TABLE_NAMES

_N_DRAWS = 2000
_EDGES = np.array([0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1])
_N = len(NAMES)
_Q, _X = TABLE_NAMES.index("Q"), TABLE_NAMES.index("X")


# Scores


def figures_of(tables):
    """Accuracy, macro-F1 and F1 of tables of true classes by predicted ones.

    The classes are the first rows and columns. Rows beyond them are beats that are
    none, columns beyond them beats that were missed.
    """
    right = np.diagonal(tables, axis1=-2, axis2=-1)[..., :_N]
    sides = tables.sum(axis=-1)[..., :_N] + tables.sum(axis=-2)[..., :_N]
    f1 = 2 * right / np.maximum(sides, 1)
    accuracy = right.sum(axis=-1) / tables.sum(axis=(-1, -2))
    return {
        "accuracy": accuracy,
        "macro_f1": f1.mean(axis=-1),
        **{f"F1 of {name}": f1[..., k] for k, name in enumerate(NAMES)},
    }


def draws_of(tables):
    """Figures of tables of whole records that were drawn again and again."""
    flat = tables.reshape(len(tables), -1)
    drawn = resampled_counts(None, flat.shape[1], flat, _N_DRAWS, 0)
    return figures_of(drawn.reshape(-1, *tables.shape[1:]))


def intervals_of(draws):
    """Intervals of figures, from those of the draws."""
    return {name: percentiles(values, 0.95).tolist() for name, values in draws.items()}


def tables_of(true, predicted, records):
    """Table of each record, in the order of their names."""
    place = np.unique(records, return_inverse=True)[1]
    tables = np.zeros((place.max() + 1, _N, _N), dtype=int)
    np.add.at(tables, (place, true, predicted), 1)
    return tables


def marked_scores(true, predicted, records, symbols):
    """Scores of marked beats, with intervals; the tables of the records."""
    tables = tables_of(true, predicted, records)
    scores = scores_of(true, np.eye(_N)[predicted], records, symbols)
    return scores | {"interval": intervals_of(draws_of(tables))}, tables


def detected_scores(model, places, marked):
    """Scores of detected beats, and what is lost against marked ones.

    ``places`` has the folder and the name of each record, and ``marked`` the tables of
    the marked beats, both in the order of the names.
    """
    sides, rates, tables = ({}, {}), {}, []
    for folder, name in places:
        notes = read_raw_annotations(folder, name, "atr")
        found, letters, _, _ = classify(folder / name, model)
        pair = notes, _with_stretches(found, letters)
        rates[name] = found.recording.sampling_rate
        for side, values in zip(sides, pair, strict=True):
            side[name] = values
        one = ec57_report(*pair, rates[name], skip_first=0, escape="N")
        # Neither beats of no known class nor those where nobody could read the signal.
        rows = np.delete(one.confusion_matrix, [_Q, _X], axis=0)
        tables.append(np.delete(rows, _Q, axis=1))
    tables = np.array(tables)
    report = ec57_report(*sides, rates, skip_first=0, escape="N").to_dict()
    draws, of_marked = draws_of(tables), draws_of(marked)
    figures, reference = figures_of(tables.sum(axis=0)), figures_of(marked.sum(axis=0))
    loss = {
        name: {
            "estimate": float(reference[name] - figures[name]),
            "interval": percentiles(of_marked[name] - draws[name], 0.95).tolist(),
        }
        for name in figures
    }
    without = [
        loss_of_macro_f1(np.delete(marked, k, axis=0), np.delete(tables, k, axis=0))
        for k in range(len(tables))
    ]
    worst = int(np.argmin(without))
    loss["macro_f1"]["without the worst record"] = {
        "record": places[worst][1],
        "estimate": without[worst],
    }
    return {
        **{name: figures[name].item() for name in ("accuracy", "macro_f1")},
        "f1": {name: figures[f"F1 of {name}"].item() for name in NAMES},
        "interval": intervals_of(draws),
        "loss": loss,
        "ec57": report["gross"],
    }


def loss_of_macro_f1(marked, detected):
    """Macro-F1 of tables of marked beats, less that of detected ones."""
    both = (figures_of(part.sum(axis=0))["macro_f1"] for part in (marked, detected))
    return float(np.subtract(*both))


# Probabilities


def reliability(true, probability, records):
    """Reliability curve of each class, with intervals over records."""
    place = np.unique(records, return_inverse=True)[1]
    bins = np.clip(np.searchsorted(_EDGES, probability, side="right") - 1, 0, None)
    bins = np.minimum(bins, len(_EDGES) - 2)
    n_records, n_bins = place.max() + 1, len(_EDGES) - 1
    curves = {}
    for k, name in enumerate(NAMES):
        tables = np.zeros((n_records, 2, n_bins), dtype=int)
        np.add.at(tables, (place, (true == k).astype(int), bins[:, k]), 1)
        n_beats = tables.sum(axis=(0, 1))
        sums = np.bincount(bins[:, k], weights=probability[:, k], minlength=n_bins)
        flat = tables.reshape(n_records, -1)
        drawn = resampled_counts(None, 2 * n_bins, flat, _N_DRAWS, 0)
        drawn = drawn.reshape(-1, 2, n_bins)
        with np.errstate(invalid="ignore"):  # a draw may lack the beats of a bin
            shares = drawn[:, 1] / drawn.sum(axis=1)
        low, high = percentiles(shares, 0.95)
        curves[name] = [
            {
                "from": _EDGES[b],
                "to": _EDGES[b + 1],
                "beats": int(n_beats[b]),
                "records": int((tables[:, :, b].sum(axis=1) > 0).sum()),
                "mean probability": sums[b] / n_beats[b],
                "share": tables[:, 1, b].sum() / n_beats[b],
                "interval": [low[b], high[b]],
            }
            for b in np.flatnonzero(n_beats)
        ]
    return curves


def errors_of(true, probability, records):
    """Calibration error of all beats, and the mean of that of each record."""
    labels = range(_N)
    names = np.unique(records)
    each = [
        expected_calibration_error(
            true[records == name], probability[records == name], labels=labels
        )
        for name in names
    ]
    return {
        "of all beats": expected_calibration_error(true, probability, labels=labels),
        "mean of records": float(np.mean(each)),
    }


def rejection(true, predicted, sure, records):
    """Means over records of the shares of wrong sure labels, and of unsure ones."""
    names = np.unique(records)
    wrong = (predicted != true) & sure
    shares = [
        np.mean([values[records == name].mean() for name in names])
        for values in (wrong, ~sure, predicted != true)
    ]
    keys = "sure and wrong", "not sure", "wrong without rejection"
    return {"risk": RISK, **dict(zip(keys, map(float, shares), strict=True))}


def ask(model, X, groups):
    """Labels, calibrated and raw probabilities, and whether each label is sure."""
    raw = model._ask(model.estimator_, X, groups)
    calibrated = model._calibrated(raw)
    predicted = model.choose_labels(calibrated)
    sureness = calibrated[np.arange(len(predicted)), predicted]
    return predicted, calibrated, raw, sureness >= least_probability(model)


def all_scores(true, found, records, symbols):
    """Scores of marked beats, with all that their probabilities tell; the tables."""
    predicted, calibrated, raw, sure = found
    scores, tables = marked_scores(true, predicted, records, symbols)
    scores["calibration error"] = {
        "calibrated": errors_of(true, calibrated, records),
        "before": errors_of(true, raw, records),
    }
    scores["reliability"] = reliability(true, calibrated, records)
    if sure.any():
        scores["rejection"] = rejection(true, predicted, sure, records)
    return scores, tables


# The two ways to score


class Answers(ClassifierMixin, BaseEstimator):
    """A classifier whose answers are its columns."""

    def fit(self, X, y):
        """Remember the classes."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        """Give the columns."""
        return np.asarray(X)


def in_folds(mode, sides, keep):
    """Fit the trees in folds of whole records, calibrate each fold on the others."""
    training, _, splits = sides
    X, y, groups = features_of(training.data, mode), training.target, training.groups
    raw, fold, seconds = np.zeros((len(y), _N)), np.zeros(len(y), dtype=int), 0.0
    for number, (fit_rows, test_rows) in enumerate(splits):
        path = keep / f"{mode}_{number}.npy" if keep else None
        fold[test_rows] = number
        if path is not None and path.exists():
            raw[test_rows] = np.load(path)
            continue
        holder = shipped(mode, 0)  # it knows which parts are to be told of groups
        holder.classes_ = np.arange(_N)
        with Stopwatch() as watch:
            trees = holder._fit_estimator(
                X.iloc[fit_rows], y[fit_rows], groups[fit_rows]
            )
        print(f"{mode}, fold {number}: {watch.cpu:.0f} s of processor", flush=True)
        seconds += watch.cpu
        raw[test_rows] = holder._ask(trees, X.iloc[test_rows], groups[test_rows])
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, raw[test_rows])
    parts, rows = [], []
    for number in range(len(splits)):
        others, rows_here = fold != number, np.flatnonzero(fold == number)
        model = CalibratedRecordClassifier(Answers(), random_state=0)
        model.fit(raw[others], y[others], groups=groups[others])
        parts.append(ask(model, raw[rows_here], groups[rows_here]))
        rows.append(rows_here)
    found = [np.concatenate(part) for part in zip(*parts, strict=True)]
    rows = np.concatenate(rows)
    scores, _ = all_scores(y[rows], found, groups[rows], training.symbols[rows])
    return scores | {"cpu_seconds": seconds}


def features_of(frame, mode):
    """Keep the features of a mode; samples are not used, and take time to copy."""
    names = {name for group in GROUPS[mode] for name in FEATURE_GROUPS[group]}
    return frame[[name for name in frame.columns if name in names]]


def of_file(path, test, places):
    """Score a model file on marked and on detected beats."""
    model = load(path)
    X = test.data[list(model.feature_names_in_)]
    X.attrs.clear()  # it was loaded with more features than the model knows
    found = ask(model, X, test.groups)
    scores, marked = all_scores(test.target, found, test.groups, test.symbols)
    return scores | {"detected": detected_scores(model, places, marked)}


def mode_of(path):
    """Mode of a model file of make_models.py."""
    return path.stem.split("_")[-1]


def places_of(args):
    """Folder and name of the records to score."""
    if args.test == "ds2":
        return [(args.data, name) for name in sorted(DS2)]
    return [(args.svdb, path.stem) for path in sorted(args.svdb.glob("*.hea"))]


def print_scores(name, scores):
    """Print the scores of one model."""
    rows = []
    for title, part in (("marked", scores), ("detected", scores.get("detected"))):
        if part is not None:
            row = {"beats": title}
            for key in part["interval"]:
                value = part["f1"][key[-1]] if key.startswith("F1") else part[key]
                low, high = part["interval"][key]
                row[key] = f"{value:.3f} ({low:.3f} to {high:.3f})"
            rows.append(row)
    print(f"\n{name}")
    print_table(rows)
    for title, error in scores["calibration error"].items():
        print(f"calibration error, {title}: {error}")
    print(scores.get("rejection", "no label is sure: too few training records"))
    if "detected" in scores:
        for key, loss in scores["detected"]["loss"].items():
            low, high = loss["interval"]
            print(f"lost {key}: {loss['estimate']:+.4f} ({low:+.4f} to {high:+.4f})")
        print(scores["detected"]["loss"]["macro_f1"]["without the worst record"])
        print(scores["detected"]["ec57"], flush=True)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MIT-BIH records")
    parser.add_argument("--svdb", type=Path, help="supraventricular database")
    parser.add_argument("--test", choices=("ds2", "svdb"), default="ds2")
    parser.add_argument("--files", type=Path, nargs="+", help="models to score")
    parser.add_argument("--folds", action="store_true", help="fit and score in folds")
    parser.add_argument("--modes", nargs="+", default=list(GROUPS), choices=GROUPS)
    parser.add_argument("--keep", type=Path, help="folder of probabilities of folds")
    args = parser.parse_args()
    if bool(args.files) == args.folds:
        parser.error("Give either --files or --folds.")
    if args.svdb is None and (args.folds or args.test == "svdb"):
        parser.error("Give --svdb the folder of that database.")
    warnings.filterwarnings("ignore", message=".*is not calibrated")
    args.training = "mitdb+svdb"
    modes = args.modes if args.folds else [mode_of(path) for path in args.files]
    args.models = [f"shipped {mode}" for mode in modes]
    args.align, args.limit = "peak", None
    beats = load_sides(args) if args.folds else load_marked(args, args.test)
    scored = f"{args.training} folds" if args.folds else args.test
    results = {"scored_on": scored.upper(), "models": {}}
    for place, mode in enumerate(modes):
        if args.folds:
            scores = in_folds(mode, beats, args.keep)
        else:
            scores = of_file(args.files[place], beats, places_of(args))
        name = args.models[place]
        results["models"][name] = {"seeds": [0], "runs": [scores]}
        print_scores(name, scores)
        write_results(args.output, results)


if __name__ == "__main__":
    main()
