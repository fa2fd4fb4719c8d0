"""Show what the defaults are worth, on training beats alone.

    python benchmarks/bench_defaults.py --data PATH_TO_MITBIH

The first part varies one setting at a time on the training file of the official split,
one fifth of it held out, stratified. The second chooses the window of the inter-patient
protocol on its training patients (DS1), in record-wise folds. No test beat is read. One
seed each.
"""

import numpy as np
from _common import make_parser, write_results
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.pipeline import make_ecg_pipeline

SETTINGS = {
    "defaults": {},
    "scaler divides by the spread": {"scaler__with_std": True},
    "no detrending": {"spectrogram__detrend": False},
    "each beat scaled by itself": {"spectrogram__normalize": "sample"},
    "dropout 0.1": {"cnn__dropout": 0.1},
    "max pooling": {"cnn__pooling": "max"},
    "with phase": {"spectrogram__phase": True},
    "third block residual": {"cnn__residual": (3,)},
    "labels smoothed by 0.1": {"cnn__label_smoothing": 0.1},
}
FORMS = {
    "Kaggle rows": {},
    "window -0.4 to 0.6 s": {"form": "window", "window": (-0.4, 0.6)},
    "window -0.9 to 0.9 s": {"form": "window", "window": (-0.9, 0.9)},
}


def scores(pipe, X_train, y_train, X_test, y_test):
    predicted = pipe.fit(X_train, y_train).predict(X_test)
    return {
        "accuracy": accuracy_score(y_test, predicted),
        "macro_f1": f1_score(y_test, predicted, average="macro", zero_division=0),
    }


def vary_settings(data_home, epochs):
    beats = fetch_mitbih(data_home=data_home, subset="train")
    rows = train_test_split(
        np.arange(len(beats.target)),
        test_size=0.2,
        stratify=beats.target,
        random_state=0,
    )
    X_train, X_test = (beats.data[r] for r in rows)
    y_train, y_test = (beats.target[r] for r in rows)
    for name, params in SETTINGS.items():
        pipe = make_ecg_pipeline(sampler=None, epochs=epochs, random_state=0)
        pipe.set_params(**params)
        yield name, scores(pipe, X_train, y_train, X_test, y_test)


def vary_forms(data_home, epochs):
    for name, form in FORMS.items():
        extra = {"sampling_rate": 120.0} if form else {}
        beats = fetch_mitbih(data_home=data_home, subset="ds1", **form, **extra)
        known = np.flatnonzero(beats.target != 4)
        X, y, groups = (beats[key][known] for key in ("data", "target", "groups"))
        folds = []
        for train, test in StratifiedGroupKFold(3).split(X, y, groups):
            pipe = make_ecg_pipeline(sampler=None, epochs=epochs, random_state=0)
            folds.append(scores(pipe, X[train], y[train], X[test], y[test]))
        yield name, {key: np.mean([f[key] for f in folds]) for key in folds[0]}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    args = parser.parse_args()
    result = {}
    for title, rows in (
        ("official training file, 4 epochs", vary_settings(args.data, 4)),
        ("DS1, record-wise folds, 3 epochs", vary_forms(args.data, 3)),
    ):
        print(title)
        result[title] = {}
        for name, found in rows:
            result[title][name] = found
            line = "  ".join(f"{key} {value:.4f}" for key, value in found.items())
            print(f"  {name:<30} {line}", flush=True)
            write_results(args.output, result)


if __name__ == "__main__":
    main()
