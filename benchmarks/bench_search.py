"""A search over six spectrograms, three folds each: two workers beside one.

    python benchmarks/bench_search.py            # 6,000 beats, three epochs
    python benchmarks/bench_search.py --quick    # 1,500 beats, one epoch

Each search runs in a process of its own and counts the start of its workers. Then
counts how often scaler and SMOTE run with ``memory=`` in a search over the network.
"""

import argparse
from pathlib import Path

import numpy as np
from _common import run_child, write_results

_CODE = """
import json, sys, time
from sklearn.model_selection import GridSearchCV
from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

if __name__ == "__main__":
    n, epochs, n_jobs = map(int, sys.argv[1:])
    X, y = make_heartbeats(n, n_records=24, random_state=0, return_X_y=True)
    grid = {"spectrogram__nperseg": [8, 16, 32], "spectrogram__noverlap": [0.5, 0.75]}
    search = GridSearchCV(
        make_ecg_pipeline(sampler=None, epochs=epochs, random_state=0),
        grid, cv=3, n_jobs=n_jobs, refit=False,
    )
    start = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, search.cv_results_["mean_test_score"].tolist()]))
"""
_COUNT = """
import json, tempfile
import numpy as np
from sklearn.model_selection import GridSearchCV
from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.over_sampling import BeatSMOTE
from ecg_sklearn.datasets import make_heartbeats
resampled = []

class Counted(BeatSMOTE):
    def _fit_resample(self, X, y):
        resampled.append(len(X))
        return super()._fit_resample(X, y)

X, y = make_heartbeats(600, n_records=6, random_state=0, return_X_y=True)
with tempfile.TemporaryDirectory() as folder:
    pipe = make_ecg_pipeline(
        sampler=Counted(random_state=0), filters=(8,), epochs=1, random_state=0,
        memory=folder,
    )
    grid = {"cnn__learning_rate": [1e-3, 2e-3, 4e-3]}
    GridSearchCV(pipe, grid, cv=3, refit=False).fit(X, y)
print(json.dumps(len(resampled)))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,500 beats, one epoch")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    size = (1500, 1) if args.quick else (6000, 3)
    ratios = []
    for number in range(args.repeats):
        one, scores_of_one = run_child(_CODE, *size, 1)
        two, scores_of_two = run_child(_CODE, *size, 2)
        ratios.append(one / two)
        same = scores_of_one == scores_of_two
        print(
            f"run {number}: one worker {one:.1f} s, two {two:.1f} s, "
            f"{'same' if same else 'OTHER'} scores"
        )
    n_resampled = run_child(_COUNT)
    print(f"SMOTE ran {n_resampled} times for 9 fits in 3 folds with memory=")
    write_results(
        args.output,
        {"n_beats": size[0], "epochs": size[1], "ratios": ratios, "smote": n_resampled},
    )
    print(f"one worker / two workers: {np.median(ratios):.2f}")


if __name__ == "__main__":
    main()
