"""A search over STFT parameters: two workers against one, and what a cache saves.

    python benchmarks/bench_search.py
    python benchmarks/bench_search.py --quick

Six pairs of segment length and overlap in three folds of simulated beats, in processes
of their own, one thread to a worker. Counts how often the scaler and SMOTE are fitted
by the same search with and without ``memory=``. ``--side-by-side`` runs two searches of
one worker at a time as well: how much faster two processes can be that share nothing
but this machine. Prints last how many times as fast two workers are as one.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor

from _common import make_parser, run_child, write_results

GRID = {
    "spectrogram__nperseg": [8, 16, 32],
    "spectrogram__noverlap": [0.5, 0.75],
}

# Runs in a process of its own. Arguments: beats, epochs, workers.
SEARCH = """
import json, sys
from _common import Stopwatch
from bench_search import search

if __name__ == "__main__":
    n_beats, epochs, n_jobs = (int(word) for word in sys.argv[1:])
    with Stopwatch() as watch:
        found = search(n_beats, epochs, n_jobs=n_jobs)
    print(json.dumps([watch.wall, found.best_params_]))
"""

# Runs in a process of its own. Arguments: beats, and a folder for the cache or "".
COUNT = """
import json, sys
import bench_search

n_beats, memory = int(sys.argv[1]), sys.argv[2] or None
bench_search.search(n_beats, 1, n_jobs=1, memory=memory, counted=True)
print(json.dumps(bench_search.FITS))
"""

FITS = {"scaler": 0, "smote": 0}


def search(n_beats, epochs, *, n_jobs, memory=None, counted=False):
    """Search the grid on simulated beats; the best is not fitted again.

    Parameters
    ----------
    n_beats, epochs, n_jobs : int
        Size of the search, and its workers.
    memory : str or None, default=None
        Folder of the cache.
    counted : bool, default=False
        Count the fits of the scaler and of SMOTE in ``FITS``.

    Returns
    -------
    GridSearchCV
        After the search.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    from ecg_sklearn import make_ecg_pipeline
    from ecg_sklearn.datasets import make_heartbeats

    X, y = make_heartbeats(n_beats, random_state=0, return_X_y=True)
    size = {"filters": (4, 8), "dense_units": 8} if counted else {}
    pipe = make_ecg_pipeline(epochs=epochs, random_state=0, memory=memory, **size)
    if counted:
        _count_fits()
    cv = StratifiedKFold(3)
    found = GridSearchCV(
        pipe, GRID, cv=cv, n_jobs=n_jobs, refit=False, error_score="raise"
    )
    return found.fit(X, y)


def _count_fits():
    """Count the fits of the scaler and of SMOTE in ``FITS``, from here on."""
    from imblearn.over_sampling import SMOTE

    from ecg_sklearn import BeatScaler

    def counting(function, name):
        def count(*args, **kwargs):
            FITS[name] += 1
            return function(*args, **kwargs)

        return count

    # On the classes themselves: a cache knows a step by its class and parameters.
    BeatScaler.fit = counting(BeatScaler.fit, "scaler")
    SMOTE.fit_resample = counting(SMOTE.fit_resample, "smote")


def seconds_side_by_side(n_beats, epochs):
    """Run two searches of one worker at the same time; give the seconds of each."""
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(run_child, SEARCH, n_beats, epochs, 1, threads=1)
            for _ in range(2)
        ]
    return [run.result()[0] for run in runs]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--beats", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument(
        "--side-by-side", action="store_true", help="what two processes gain"
    )
    parser.add_argument("--quick", action="store_true", help="600 beats, 1 epoch")
    args = parser.parse_args()
    n_beats, epochs = (600, 1) if args.quick else (args.beats, args.epochs)

    result = {"n_beats": n_beats, "epochs": epochs}
    with tempfile.TemporaryDirectory() as folder:
        for name, memory in (("without memory", ""), ("with memory", folder)):
            fits = run_child(COUNT, 600, memory, threads=1)
            result[f"fits_{name.replace(' ', '_')}"] = fits
            counts = f"{fits['scaler']} fits of the scaler, {fits['smote']} of SMOTE"
            print(f"{name}: {counts}", flush=True)
    best = []
    for n_jobs in (1, 2):
        seconds, found = run_child(SEARCH, n_beats, epochs, n_jobs, threads=1)
        result[f"seconds_{n_jobs}"] = seconds
        best.append(found)
        print(f"n_jobs={n_jobs}: {seconds:.1f} s, best {found}", flush=True)
    if args.side_by_side:
        pair = seconds_side_by_side(n_beats, epochs)
        result["seconds_side_by_side"] = pair
        result["limit"] = 2 * result["seconds_1"] / max(pair)
        print(f"two searches at a time: {max(pair):.1f} s, limit {result['limit']:.2f}")
    result["same_best"] = best[0] == best[1]
    result["ratio"] = result["seconds_1"] / result["seconds_2"]
    print(f"same best: {result['same_best']}; ratio {result['ratio']:.2f}", flush=True)
    write_results(args.output, result)


if __name__ == "__main__":
    main()
