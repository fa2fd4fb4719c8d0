"""Patients that the model never met: train on DS1, test on DS2, N S V F.

    python benchmarks/bench_interpatient.py --data mitdb/ --folds    # for choosing
    python benchmarks/bench_interpatient.py --data mitdb/            # five seeds

``--folds`` pools the predictions of five folds of whole DS1 records and leaves DS2
closed. Prints the F1 of each class, their mean, accuracy and jk for each seed, mean and
standard deviation, and the scores of the seeds' vote (mean of their probabilities).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from _common import Stopwatch, mean_and_sd, setting, write_results
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.model_selection import StratifiedGroupKFold

from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn._protocols import PIPELINES, WINDOW_CUT
from ecg_sklearn.aami import CLASS_NAMES
from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.metrics import aami_jk_score

LABELS = [0, 1, 2, 3]


def ours(beats, seed, settings):
    """Make the pipeline of the package for this protocol."""
    pipe = make_ecg_pipeline(
        sampling_rate=beats.sampling_rate,
        sampler=None,
        n_context=beats.n_context,
        random_state=seed,
        **PIPELINES["inter-patient"],
    )
    steps = {k if "__" in k else f"cnn__{k}": v for k, v in settings.items()}
    return pipe.set_params(**steps)


def histogram_boosting(beats, seed, settings):
    """Make gradient-boosted trees on samples and context."""
    return HistGradientBoostingClassifier(random_state=seed, **settings)


MODELS = {"ours": ours, "HistGradientBoosting": histogram_boosting}


def load(data, subset):
    """Windows around the beats of N, S, V and F."""
    beats = fetch_mitbih(data_home=data, subset=subset, **WINDOW_CUT)
    kept = beats.target < len(LABELS)
    for name in ("data", "target", "groups"):
        beats[name] = beats[name][kept]
    return beats


def sides(data, folds):
    """Pairs of training rows and test rows of two sets of beats, with the latter."""
    training = load(data, "ds1")
    if not folds:
        test = load(data, "ds2")
        yield (
            training,
            np.arange(len(training.target)),
            test,
            np.arange(len(test.target)),
        )
        return
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    y, groups = training.target, training.groups
    for fit_rows, rows in splitter.split(y, y, groups):
        yield training, fit_rows, training, rows


def run(name, seed, data, *, folds, settings):
    """Probabilities of all scored beats, their classes, and the seconds."""
    true, probability, seconds = [], [], 0.0
    for training, fit_rows, test, rows in sides(data, folds):
        model = MODELS[name](training, seed, settings)
        with Stopwatch() as watch:
            model.fit(training.data[fit_rows], training.target[fit_rows])
        seconds += watch.cpu
        probability.append(model.predict_proba(test.data[rows]))
        true.append(test.target[rows])
    return np.concatenate(true), np.concatenate(probability), seconds


def scores_of(true, probability):
    """Scores of the most probable classes."""
    predicted = probability.argmax(axis=1)
    each = {"labels": LABELS, "average": None, "zero_division": 0}
    f1 = f1_score(true, predicted, **each)
    return {
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1.mean(),
        "f1": dict(zip(CLASS_NAMES, f1.tolist(), strict=False)),
        "sensitivity": recall_score(true, predicted, **each).tolist(),
        "precision": precision_score(true, predicted, **each).tolist(),
        "jk": aami_jk_score(true, predicted),
    }


def print_scores(label, runs):
    """Print one line: mean and standard deviation over runs."""
    columns = [("accuracy", [r["accuracy"] for r in runs])]
    columns.append(("macro-F1", [r["macro_f1"] for r in runs]))
    columns += [(name, [r["f1"][name] for r in runs]) for name in "NSVF"]
    columns.append(("jk", [r["jk"] for r in runs]))
    text = "  ".join(f"{name} {mean_and_sd(values)}" for name, values in columns)
    print(f"{label}: {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["ours"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--folds", action="store_true", help="leave DS2 closed")
    parser.add_argument(
        "--set", action="append", default=[], type=setting, metavar="NAME=JSON"
    )
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    results = {"scored_on": "DS1 folds" if args.folds else "DS2", "models": {}}
    for name in args.models:
        runs, votes = [], 0.0
        for seed in args.seeds:
            true, probability, seconds = run(
                name, seed, args.data, folds=args.folds, settings=dict(args.set)
            )
            votes = votes + probability
            runs.append(scores_of(true, probability) | {"cpu_seconds": seconds})
            print(f"{name}, seed {seed}, {seconds:.0f} s: {json.dumps(runs[-1])}")
            results["models"][name] = {
                "settings": dict(args.set),
                "seeds": args.seeds[: len(runs)],
                "runs": runs,
                "vote": scores_of(true, votes),
            }
            write_results(args.output, results)
        print_scores(f"{name}, vote of {len(runs)}", [results["models"][name]["vote"]])
        print_scores(f"{name}, {len(runs)} seeds", runs)


if __name__ == "__main__":
    main()
