"""Patients that the model never met: train on DS1, test on DS2, classes N S V F.

    python benchmarks/bench_interpatient.py --data mitdb/ --folds    # for choosing
    python benchmarks/bench_interpatient.py --data mitdb/            # five seeds

``--training`` and ``--test`` are other records, with the Supraventricular Arrhythmia
Database in ``--svdb``: ``--data mitdb/ --svdb svdb/ --training ds1+svdb --models
offline``. ``--svdb-lead ECG2`` takes its second signal. ``--folds`` pools the
predictions of five folds of whole training records and leaves the test closed.

Prints accuracy, macro-F1, the F1, sensitivity and positive predictivity (+P) of each
class, and jk: mean and standard deviation over the seeds, and the scores of the seeds'
vote (the mean of their probabilities); then S without record 232, which holds most S
beats of DS2, the mean F1 of S over the records with ten S beats or more, and S with
escape beats (e, j) as S, as EC57 counts them. Last, what the votes of the other models
gain over that of the first: 95 % intervals (paired bootstrap) and a permutation test,
both over whole records. ``--output`` is written after each seed; ``--limit 4000``
trains on few beats, for a trial.

"Network" is what ``train --network`` makes. The others are of ``make_ecg_ensemble``:
"vote" is the mean of it and of gradient-boosted trees on features; with "and rhythm",
trees on RR intervals tell N from S, with priors that follow each record. With "fixed
shares" they are not told of records in predict. "Vote and rhythm" is what ``train
--rhythm`` makes. "Offline" is ``make_record_ensemble``, which sees the whole record.
"Shipped" are the models of the package, and of ``train --offline`` and ``--causal``:
small, and calibrated.

What a choice is worth: ``--folds --models network --seeds 0 --set epochs=4``, or
``--models "network and rhythm" --set refiner__prior_strength=30``.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from _common import (
    Stopwatch,
    add_settings,
    make_parser,
    mean_and_sd,
    print_table,
    set_steps,
    write_results,
)
from _shipped import GROUPS, shipped
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_recall_fscore_support,
)
from sklearn.model_selection import StratifiedGroupKFold

from ecg_sklearn.aami import CLASS_NAMES, DS2, PACED_RECORDS
from ecg_sklearn.datasets import fetch_mitbih, load_wfdb_beats
from ecg_sklearn.features import CAUSAL_GROUPS, FEATURE_GROUPS, RECORD_GROUPS
from ecg_sklearn.metrics import aami_jk_score, bootstrap_difference, mcnemar_test

NAMES = CLASS_NAMES[:4]
CUT = {
    "form": "window",
    "channel": ["MLII", "V5"],
    "window": (-0.4, 0.5),
    "sampling_rate": 120.0,
    "features": list(FEATURE_GROUPS),
}


def network(beats, seed, settings):
    """Make the pipeline of the network for this protocol."""
    from ecg_sklearn import make_ecg_pipeline

    pipe = make_ecg_pipeline(**arguments(beats, seed))
    return set_steps(pipe, settings)


def ensemble(beats, seed, settings, **parts):
    """Make the network with trees on features, a refiner of N and S, or both."""
    from ecg_sklearn import make_ecg_ensemble

    model = make_ecg_ensemble(**arguments(beats, seed), **parts)
    return model.set_params(**settings)


def arguments(beats, seed):
    """Arguments of the network."""
    found = {"preset": "inter-patient", "sampling_rate": beats.sampling_rate}
    return found | {"random_state": seed, "verbose": 2}


def offline(beats, seed, settings):
    """Make the trees that see the whole record."""
    from ecg_sklearn import make_record_ensemble

    model = make_record_ensemble(n_jobs=-1, random_state=seed)
    return model.set_params(**settings)


def packed(beats, seed, settings, mode):
    """Make a model as the package brings it: small, and calibrated."""
    return shipped(mode, seed).set_params(**settings)


def histogram_boosting(beats, seed, settings):
    """Make gradient-boosted trees on samples and features."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed).set_params(**settings)


class Model(NamedTuple):
    """How to make a model, its features, and the columns that it takes beside X."""

    make: Callable
    to_fit: tuple[str, ...] = ()
    to_predict: tuple[str, ...] = ()
    features: tuple[str, ...] = ("rr", "morphology")


_RECORDS = ("groups", "rhythms"), ("groups",), CAUSAL_GROUPS
MODELS = {
    "vote and rhythm": Model(ensemble, *_RECORDS),
    "network and rhythm": Model(partial(ensemble, trees=False), *_RECORDS),
    "network and rhythm, fixed shares": Model(
        partial(ensemble, trees=False), ("groups",), features=CAUSAL_GROUPS
    ),
    "network": Model(network),
    "vote": Model(partial(ensemble, rhythm=False)),
    "HistGradientBoosting": Model(histogram_boosting),
    "offline": Model(offline, ("groups",), ("groups",), RECORD_GROUPS),
    **{
        f"shipped {mode}": Model(
            partial(packed, mode=mode), ("groups",), ("groups",), groups
        )
        for mode, groups in GROUPS.items()
    },
}
_DEFAULT_MODELS = [n for n in MODELS if not n.startswith(("offline", "shipped"))]
TRAINING = "ds1", "ds1+svdb", "svdb", "mitdb", "mitdb+svdb"


def load(args, part, limit=None):
    """Load windows around the beats of N, S, V and F; of all, or of every k-th."""
    align = None if args.align == "none" else args.align
    lead = getattr(args, "svdb_lead", "ECG1")  # other benchmarks load with it too
    cut = CUT | {"align": align, "channel": [*CUT["channel"], lead]}
    wanted = {MODELS[name].features for name in args.models}
    cut["features"] = [g for g in FEATURE_GROUPS if any(g in names for names in wanted)]
    if part in ("ds1", "ds2"):
        beats = fetch_mitbih(data_home=args.data, subset=part, **cut)
    else:
        folders = {"mitdb": args.data, "svdb": args.svdb}
        folders = [folders[name] for name in part.replace("ds1", "mitdb").split("+")]
        beats = load_wfdb_beats(folders, **cut)
        name = np.array([group.split("/")[-1] for group in beats.groups])
        left_out = np.isin(name, DS2) if "ds1" in part else np.zeros(len(name), bool)
        left_out |= np.isin(name, PACED_RECORDS)
        beats.groups = name
        beats = take(beats, np.flatnonzero(~left_out))
    rows = np.flatnonzero(beats.target < len(NAMES))
    if limit is not None:
        rows = rows[:: -(-len(rows) // limit)]
    return take(beats, rows)


def take(beats, rows):
    """Keep some beats of a Bunch."""
    beats.data = beats.data.iloc[rows]
    for name in ("target", "groups", "rhythms", "symbols"):
        beats[name] = beats[name][rows]
    return beats


def load_sides(args):
    """Load training beats, beats to score, and the rows of each for each training."""
    training = load(args, args.training, args.limit)
    if not args.folds:
        test = load(args, args.test)
        everything = np.arange(len(training.target)), np.arange(len(test.target))
        return training, test, [everything]
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    y, groups = training.target, training.groups
    return training, training, list(splitter.split(y, y, groups))


def run(name, seed, sides, settings):
    """Train; give the true classes and probabilities of all scored beats, seconds."""
    make, to_fit, to_predict, features = MODELS[name]
    training, scored, splits = sides
    unseen = [c for g in FEATURE_GROUPS if g not in features for c in FEATURE_GROUPS[g]]
    to_learn, to_score = (
        side.data.drop(columns=unseen, errors="ignore") for side in sides[:2]
    )
    true, probability, seconds = [], [], 0.0
    for fit_rows, rows in splits:
        model = make(training, seed, settings)
        extra = {key: training[key][fit_rows] for key in to_fit}
        with Stopwatch() as watch:
            model.fit(to_learn.iloc[fit_rows], training.target[fit_rows], **extra)
        seconds += watch.cpu
        extra = {key: scored[key][rows] for key in to_predict}
        found = model.predict_proba(to_score.iloc[rows], **extra)
        probability.append(found * getattr(model, "label_weights_", 1.0))
        true.append(scored.target[rows])
    return np.concatenate(true), np.concatenate(probability), seconds


def scores_of(true, probability, records, symbols):
    """Scores of the most probable classes."""
    predicted = probability.argmax(axis=1)
    others = records != "232"
    with_s = [r for r in np.unique(records) if sum(true[records == r] == 1) >= 10]
    each = [f1_of_s(true[records == r], predicted[records == r]) for r in with_s]
    escape = np.where(np.isin(symbols, ["e", "j"]), 1, true)
    more = {
        "S F1 without 232": f1_of_s(true[others], predicted[others]),
        f"mean S F1 of {len(each)} records": float(np.mean(each)),
        "S F1 with escape beats": f1_of_s(escape, predicted),
    }
    precision, sensitivity, f1, _ = precision_recall_fscore_support(
        true, predicted, labels=range(len(NAMES)), zero_division=0
    )
    by_class = {"f1": f1, "sensitivity": sensitivity, "precision": precision}
    return {
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1.mean(),
        **{
            name: dict(zip(NAMES, values.tolist(), strict=True))
            for name, values in by_class.items()
        },
        "jk": aami_jk_score(true, predicted),
        "more": more,
    }


def f1_of_s(true, predicted):
    """F1 of class S."""
    return f1_score(true == 1, predicted == 1, zero_division=0)


def print_scores(label, runs):
    """Print two lines: scores of all classes, then of each."""
    columns = {
        name: mean_and_sd([r[key] for r in runs])
        for name, key in (("accuracy", "accuracy"), ("macro-F1", "macro_f1"))
    }
    columns["jk"] = mean_and_sd([r["jk"] for r in runs])
    print(f"{label}:", "  ".join(f"{k} {v}" for k, v in columns.items()))
    rows = [
        {
            "class": name,
            **{
                title: mean_and_sd([r[key][name] for r in runs])
                for title, key in (
                    ("F1", "f1"),
                    ("sensitivity", "sensitivity"),
                    ("+P", "precision"),
                )
            },
        }
        for name in NAMES
    ]
    print_table(rows)
    more = {key: mean_and_sd([r["more"][key] for r in runs]) for key in runs[0]["more"]}
    print(",  ".join(f"{key} {value}" for key, value in more.items()))


def run_model(name, sides, args, results):
    """Run the seeds of one model; write what is known after each."""
    runs, votes, settings = [], 0.0, dict(args.set)
    rows = np.concatenate([rows for _, rows in sides[2]])
    about = sides[1].groups[rows], sides[1].symbols[rows]
    for seed in args.seeds:
        print(f"{name}, seed {seed}", flush=True)
        true, probability, seconds = run(name, seed, sides, settings)
        votes = votes + probability
        runs.append(scores_of(true, probability, *about) | {"cpu_seconds": seconds})
        results["models"][name] = {
            "settings": settings,
            "seeds": args.seeds[: len(runs)],
            "runs": runs,
            "vote": scores_of(true, votes, *about),
        }
        write_results(args.output, results)
        print_scores(f"{name}, seed {seed}, {seconds:.0f} s of processor", runs[-1:])
    return true, votes.argmax(axis=1)


def macro_f1(true, predicted):
    """Mean F1 of all classes; as scikit-learn's, in a tenth of its time."""
    n = len(NAMES)
    table = np.bincount(true * n + predicted, minlength=n**2).reshape(n, n)
    n_found, n_true = table.sum(axis=0), table.sum(axis=1)
    return (2 * np.diag(table) / np.maximum(n_found + n_true, 1)).mean()


def print_gains(votes, records, results):
    """Print and keep what the votes of models gain over that of the first."""
    (first, (true, of_first)), *others = votes.items()
    for name, (_, predicted) in others:
        found = bootstrap_difference(
            macro_f1, true, of_first, predicted, groups=records, random_state=0
        )
        test = mcnemar_test(true, of_first, predicted, groups=records)
        gain = {"estimate": found.estimate, "low": found.low, "high": found.high}
        gain["p_value"] = test.p_value
        results["models"][name][f"gain over {first}"] = gain
        print(
            f"{name} over {first}, macro-F1 of the votes: {found.estimate:+.3f} "
            f"({found.low:+.3f} to {found.high:+.3f}); "
            f"accuracy over records: p = {test.p_value:.3g}"
        )


def print_all(results):
    """Print each model's seeds and vote; macro-F1 of all last, in one line."""
    print(f"\ntrained on {results['training']}, scored on {results['scored_on']}")
    for name, found in results["models"].items():
        print_scores(f"{name}, vote of {len(found['runs'])}", [found["vote"]])
        print_scores(f"{name}, {len(found['runs'])} seeds", found["runs"])
    parts = [
        f"{name} {mean_and_sd([r['macro_f1'] for r in found['runs']])}"
        for name, found in results["models"].items()
    ]
    print("macro-F1:", ", ".join(parts), flush=True)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--svdb", help="folder of the supraventricular database")
    parser.add_argument("--svdb-lead", choices=("ECG1", "ECG2"), default="ECG1")
    parser.add_argument("--training", choices=TRAINING, default="ds1")
    parser.add_argument("--test", choices=("ds2", "svdb"), default="ds2")
    parser.add_argument("--models", nargs="+", choices=MODELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--folds", action="store_true", help="leave DS2 closed")
    parser.add_argument(
        "--align", choices=("peak", "none"), default="peak", help="of the annotations"
    )
    parser.add_argument("--limit", type=int, help="training beats to keep, for a trial")
    add_settings(parser)
    args = parser.parse_args()
    if args.set and not args.models:
        parser.error("--set needs --models: not all have these parameters.")
    if "svdb" in (args.training + args.test) and not args.svdb:
        parser.error("SVDB is to be read: give --svdb its folder.")
    if "svdb" in args.training and args.test == "svdb":
        parser.error("SVDB is in --training and in --test.")
    if "mitdb" in args.training and args.test == "ds2" and not args.folds:
        parser.error("DS2 is in --training mitdb. Give --test svdb, or --folds.")
    args.models = args.models or _DEFAULT_MODELS
    sides = load_sides(args)
    scored = f"{args.training} folds" if args.folds else args.test
    results = {"scored_on": scored.upper(), "training": args.training, "models": {}}
    results |= {"align": args.align, "svdb_lead": args.svdb_lead}
    results["n_training"] = len(sides[0].target)
    votes = {name: run_model(name, sides, args, results) for name in args.models}
    print_all(results)
    records = np.concatenate([sides[1].groups[rows] for _, rows in sides[2]])
    print_gains(votes, records, results)
    write_results(args.output, results)


if __name__ == "__main__":
    main()
