"""Search STFT parameters on real beats, with patients kept apart in every fold.

Runs ``GridSearchCV`` over the segment length and overlap of the spectrogram on the
training patients of de Chazal's protocol (DS1; the test patients are not touched),
with record-wise folds, and prints the table of the search.

    python benchmarks/bench_stft_grid.py --data PATH_TO_MITBIH
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.pipeline import make_ecg_pipeline


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with the MIT-BIH records")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    beats = fetch_mitbih(data_home=args.data, subset="ds1")
    known = np.flatnonzero(beats.target != 4)  # 8 unclassifiable beats are too few
    search = GridSearchCV(
        make_ecg_pipeline(sampler=None, epochs=args.epochs, random_state=0),
        {
            "spectrogram__nperseg": [8, 16, 32],
            "spectrogram__noverlap": [0.5, 0.75],
        },
        scoring=["f1_macro", "accuracy"],
        refit=False,
        cv=StratifiedGroupKFold(args.folds),
        n_jobs=args.n_jobs,
        error_score="raise",
        verbose=2,
    )
    start = time.perf_counter()
    search.fit(beats.data[known], beats.target[known], groups=beats.groups[known])
    seconds = time.perf_counter() - start

    results = pd.DataFrame(search.cv_results_)
    table = pd.DataFrame(
        {
            "nperseg": results["param_spectrogram__nperseg"],
            "noverlap": results["param_spectrogram__noverlap"],
            "macro-F1": results["mean_test_f1_macro"].round(3),
            "sd": results["std_test_f1_macro"].round(3),
            "accuracy": results["mean_test_accuracy"].round(3),
            "fit seconds": results["mean_fit_time"].round(0),
        }
    )
    print(table.to_string(index=False))
    print(
        f"{len(known)} beats of {len(set(beats.groups))} records, {args.folds} "
        f"record-wise folds, {args.epochs} epochs, one seed, {seconds:.0f} s with "
        f"{args.n_jobs} jobs"
    )
    if args.output is not None:
        content = {"seconds": seconds, "table": table.to_dict("records")}
        args.output.write_text(json.dumps(content, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
