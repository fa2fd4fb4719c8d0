"""Peak memory of ``pipe.fit`` with SMOTE, beside the arrays that must exist.

    python benchmarks/bench_memory.py                        # 87,554 to 362,355 beats
    python benchmarks/bench_memory.py --sizes 10000 400000   # flat per beat?
    python benchmarks/bench_memory.py --quick

The arrays are the beats, the resampled beats and their spectrograms, all float32. What
a process has before it sees a beat (Python, TensorFlow and a fit of 500 beats) is taken
off the peak. One epoch of a small network: the network's own size does not grow.
"""

import argparse
from pathlib import Path

from _common import run_child, write_results

_CODE = """
import json, resource, sys
import numpy as np
from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

n = int(sys.argv[1])
share = np.array([0.827, 0.026, 0.066, 0.007, 0.074])  # of the Kaggle training rows
pipe = make_ecg_pipeline(filters=(8,), dense_units=8, epochs=1, random_state=0)
pipe.fit(*make_heartbeats(500, random_state=0, return_X_y=True))
before = peak()
X, y = make_heartbeats(
    min(n, 20_000), weights=share / share.sum(), random_state=0, return_X_y=True
)
repeats = -(-n // len(X))
X, y = np.tile(X, (repeats, 1))[:n], np.tile(y, repeats)[:n]
X += np.random.default_rng(0).normal(0, 0.01, X.shape).astype(np.float32)
X = X.astype(sys.argv[2])
pipe.fit(X, y)
n_after = 5 * np.bincount(y).max()
image = pipe["spectrogram"].frequencies_.size * pipe["spectrogram"].times_.size
arrays = (n * 187 * X.itemsize + n_after * 187 * X.itemsize + n_after * image * 4)
print(json.dumps({
    "n_beats": n, "n_resampled": int(n_after), "peak_mb": peak() - before,
    "arrays_mb": arrays / 2**20,
}))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[87_554])
    parser.add_argument("--quick", action="store_true", help="10,000 and 20,000 beats")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    runs = []
    for n_beats in [10_000, 20_000] if args.quick else args.sizes:
        run = run_child(_CODE, n_beats, args.dtype)
        run["ratio"] = run["peak_mb"] / run["arrays_mb"]
        run["kb_per_beat"] = 1024 * run["peak_mb"] / n_beats
        runs.append(run)
        print("  ".join(f"{name} {value:,.2f}" for name, value in run.items()))
    write_results(args.output, {"dtype": args.dtype, "runs": runs})
    print(f"peak / arrays: {runs[-1]['ratio']:.2f}")


if __name__ == "__main__":
    main()
