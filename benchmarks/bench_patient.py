"""A patient's own labels: what five minutes, or ten beats, of them are worth.

    python benchmarks/bench_patient.py --data mitdb/ --svdb svdb/

The trees of make_record_ensemble are fitted to DS1, or with ``--svdb`` to DS1 and the
Supraventricular Arrhythmia Database. For each record of DS2, PatientClassifier then
learns the labels of its first five minutes (``--minutes``), which are not scored, or
of the ten beats (``--n-asked``) that it asks for. ``--folds`` scores five folds of
whole training records and leaves DS2 closed. ``--set strength=1`` is for
PatientClassifier. Prints accuracy, macro-F1 of N S V F, the F1 of each class, and the
mean F1 of S over the records with ten S beats or more.
"""

import numpy as np
import pandas as pd
from _common import (
    add_settings,
    make_parser,
    mean_and_sd,
    print_table,
    write_results,
)
from bench_interpatient import NAMES, f1_of_s
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold

from ecg_sklearn.aami import DS1, DS2
from ecg_sklearn.datasets import load_wfdb_beats
from ecg_sklearn.features import RECORD_GROUPS

CUT = {
    "channel": ["MLII", "V5", "ECG1"],
    "window": (-0.1, 0.1),  # the samples are not used
    "sampling_rate": 120.0,
    "features": list(RECORD_GROUPS),
    "align": "peak",
}


def load(args):
    """Load the beats of N, S, V and F, and where the training records are."""
    folders = [folder for folder in (args.data, args.svdb) if folder]
    parts = []
    for folder in folders:
        records = (*DS1, *DS2) if folder == args.data else None
        parts.append(load_wfdb_beats(folder, records=records, **CUT))
    names = ("target", "groups", "time")
    X = pd.concat([part.data for part in parts], ignore_index=True)
    target, groups, time = (np.concatenate([p[name] for p in parts]) for name in names)
    kept = np.flatnonzero(target < len(NAMES))
    groups = groups[kept]
    return X.iloc[kept], target[kept], groups, time[kept], ~np.isin(groups, DS2)


def score_records(model, beats, rows, args):
    """Score the records of some rows: without labels, with minutes, with beats."""
    X, y, groups, time, _ = beats
    found = {"no labels": [], "first minutes": [], "beats asked for": []}
    for name in np.unique(groups[rows]):
        own = rows[groups[rows] == name]
        frame, known = X.iloc[own], {}
        known["no labels"] = np.zeros(0, dtype=int)
        known["first minutes"] = np.flatnonzero(time[own] < 60 * args.minutes)
        model.forget()
        known["beats asked for"] = model.query(frame, args.n_asked)
        for way, labelled in known.items():
            model.forget()
            if len(labelled):
                model.adapt(frame, y[own[labelled]], rows=labelled)
            # The first minutes are scored nowhere, so that the numbers compare.
            scored = np.setdiff1d(np.arange(len(own)), known["first minutes"])
            if way == "beats asked for":
                scored = np.setdiff1d(scored, labelled)
            predicted = model.predict(frame)[scored]
            found[way].append((y[own[scored]], predicted))
    return found


def scores_of(pairs):
    """Scores of the records together, and the mean of S over records."""
    true, predicted = (np.concatenate(side) for side in zip(*pairs, strict=True))
    f1 = f1_score(true, predicted, labels=range(4), average=None, zero_division=0)
    with_s = [(t, p) for t, p in pairs if np.sum(t == 1) >= 10]
    each = [f1_of_s(t, p) for t, p in with_s]
    return {
        "accuracy": accuracy_score(true, predicted),
        "macro-F1": f1.mean(),
        **dict(zip(NAMES, f1, strict=True)),
        "S, mean of records": float(np.mean(each)),
    }


def run(seed, beats, args):
    """Fit and score; give the scores of each way."""
    from ecg_sklearn import make_record_ensemble
    from ecg_sklearn.ensemble import PatientClassifier

    X, y, groups, _, is_training = beats
    training = np.flatnonzero(is_training)
    splits = [(training, np.flatnonzero(~is_training))]
    if args.folds:
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        folds = splitter.split(training, y[training], groups[training])
        splits = [(training[fit], training[rows]) for fit, rows in folds]
    pairs = {}
    for fitted, rows in splits:
        model = PatientClassifier(make_record_ensemble(n_jobs=-1, random_state=seed))
        model.set_params(**dict(args.set))
        model.fit(X.iloc[fitted], y[fitted], groups=groups[fitted])
        for way, found in score_records(model, beats, rows, args).items():
            pairs.setdefault(way, []).extend(found)
    return {way: scores_of(found) for way, found in pairs.items()}


def print_means(runs):
    """Print mean and standard deviation over the seeds."""
    print_table(
        [
            {"labels": way}
            | {name: mean_and_sd([r[way][name] for r in runs]) for name in runs[0][way]}
            for way in runs[0]
        ]
    )


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", required=True, help="folder of the MIT-BIH records")
    parser.add_argument("--svdb", help="folder of the supraventricular database")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--n-asked", type=int, default=10)
    parser.add_argument("--folds", action="store_true", help="leave DS2 closed")
    add_settings(parser)
    args = parser.parse_args()
    beats = load(args)
    results = {"scored_on": "folds" if args.folds else "DS2", "svdb": bool(args.svdb)}
    results |= {"settings": dict(args.set), "seeds": [], "runs": []}
    for seed in args.seeds:
        results["runs"].append(run(seed, beats, args))
        results["seeds"].append(seed)
        print(f"scored on {results['scored_on']}, {len(results['runs'])} seeds")
        print_means(results["runs"])
        write_results(args.output, results)


if __name__ == "__main__":
    main()
