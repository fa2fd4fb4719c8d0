"""Search STFT parameters on real beats, with patients kept apart in every fold.

Runs ``GridSearchCV`` over the segment length and overlap of the spectrogram on the
training patients of de Chazal's protocol (DS1; the test patients are not touched),
with record-wise folds, and prints the table of the search.

    python benchmarks/bench_stft_grid.py --data PATH_TO_MITBIH
"""

import numpy as np
import pandas as pd
from _common import Stopwatch, make_parser, write_results
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.pipeline import make_ecg_pipeline

GRID = {
    "spectrogram__nperseg": [8, 16, 32],
    "spectrogram__noverlap": [0.5, 0.75],
}


def search(beats, known, args):
    """Search the grid in record-wise folds; give the search and its seconds."""
    found = GridSearchCV(
        make_ecg_pipeline(sampler=None, epochs=args.epochs, random_state=0),
        GRID,
        scoring=["f1_macro", "accuracy"],
        refit=False,
        cv=StratifiedGroupKFold(args.folds),
        n_jobs=args.n_jobs,
        error_score="raise",
        verbose=2,
    )
    with Stopwatch() as watch:
        found.fit(beats.data[known], beats.target[known], groups=beats.groups[known])
    return found, watch.wall


def table_of(found):
    """Sum up a search as a table."""
    results = pd.DataFrame(found.cv_results_)
    return pd.DataFrame(
        {
            "nperseg": results["param_spectrogram__nperseg"],
            "noverlap": results["param_spectrogram__noverlap"],
            "macro-F1": results["mean_test_f1_macro"].round(3),
            "sd": results["std_test_f1_macro"].round(3),
            "accuracy": results["mean_test_accuracy"].round(3),
            "fit seconds": results["mean_fit_time"].round(0),
        }
    )


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args()

    beats = fetch_mitbih(data_home=args.data, subset="ds1")
    known = np.flatnonzero(beats.target != 4)  # 8 unclassifiable beats are too few
    found, seconds = search(beats, known, args)
    table = table_of(found)
    print(table.to_string(index=False))
    print(
        f"{len(known)} beats of {len(set(beats.groups))} records, {args.folds} "
        f"record-wise folds, {args.epochs} epochs, one seed, {seconds:.0f} s with "
        f"{args.n_jobs} jobs"
    )
    content = {"seconds": seconds, "table": table.to_dict("records")}
    write_results(args.output, content)


if __name__ == "__main__":
    main()
