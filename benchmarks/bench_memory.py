"""How much memory ``pipe.fit`` needs for a number of beats, resampled by SMOTE.

    python benchmarks/bench_memory.py                        # 10,000 and 87,554 beats
    python benchmarks/bench_memory.py --sizes 10000 400000   # flat per beat?
    python benchmarks/bench_memory.py --quick

For each size, a process of its own fits the pipeline for one epoch on beats in the
proportions of the Kaggle training rows, which SMOTE brings to equal classes (87,554 to
some 362,000). Prints by how much the peak of its memory grows over that of a fit of few
beats, and last its ratio to the arrays that must be there at one time: the caller's
beats, the resampled ones and their spectrograms. The network is small, because its own
size does not grow. ``--phase``, ``--no-smote`` and ``--dtype`` change what is fitted.
"""

from _common import make_parser, print_table, run_child, write_results

# Runs in a process of its own. Arguments: beats, phase, SMOTE, dtype of the beats.
CHILD = """
import json, sys
import numpy as np
from _common import peak_bytes
from bench_memory import make_beats
from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

n_beats, phase, smote = (int(word) for word in sys.argv[1:4])

def fit(X, y):
    pipe = make_ecg_pipeline(
        sampler="smote" if smote else None, phase=bool(phase), filters=(8,),
        dense_units=8, epochs=1, random_state=0,
    )
    return pipe.fit(X, y)

small = fit(*make_heartbeats(500, random_state=0, return_X_y=True))
before = peak_bytes()
X, y = make_beats(n_beats, sys.argv[4])
fit(X, y)
n_after = 5 * int(np.bincount(y).max()) if smote else n_beats
arrays = X.nbytes + n_after * 4 * int(np.prod(small[-1].model_.input_shape[1:]))
arrays += n_after * X.shape[1] * X.itemsize if smote else 0
print(json.dumps({
    "n_beats": n_beats, "n_resampled": n_after,
    "peak_mb": (peak_bytes() - before) / 1e6, "arrays_mb": arrays / 1e6,
}))
"""
WEIGHTS = (0.828, 0.025, 0.066, 0.007, 0.074)  # of the Kaggle training rows


def make_beats(n_beats, dtype):
    """Make noisy copies of simulated beats, with little memory but for the result.

    Parameters
    ----------
    n_beats : int
        Number of beats.
    dtype : str
        Type of the samples.

    Returns
    -------
    tuple of ndarray of shape (n_beats, 187) and ndarray of shape (n_beats,)
        Beats and classes.
    """
    import numpy as np

    from ecg_sklearn.datasets import make_heartbeats

    known, classes = make_heartbeats(
        2000, weights=WEIGHTS, random_state=0, return_X_y=True
    )
    rng = np.random.default_rng(0)
    rows = np.resize(np.arange(len(known)), n_beats)
    X = np.empty((n_beats, known.shape[1]), dtype=dtype)
    for start in range(0, n_beats, 10_000):
        part = known[rows[start : start + 10_000]]
        noise = rng.standard_normal(part.shape, dtype=np.float32)
        X[start : start + 10_000] = part + 0.01 * noise
    return X, classes[rows]


def measure(n_beats, args):
    """Measure one size in a process of its own; give a row of the table."""
    smote = int(not args.no_smote)
    row = run_child(CHILD, n_beats, int(args.phase), smote, args.dtype)
    row["kb_per_beat"] = 1e3 * row["peak_mb"] / n_beats
    row["ratio"] = row["peak_mb"] / row["arrays_mb"]
    return row


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 87_554])
    parser.add_argument("--phase", action="store_true")
    parser.add_argument("--no-smote", action="store_true")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--quick", action="store_true", help="10,000 and 20,000 beats")
    args = parser.parse_args()

    fitted = {"phase": args.phase, "smote": not args.no_smote, "dtype": args.dtype}
    rows = []
    for n_beats in [10_000, 20_000] if args.quick else args.sizes:
        rows.append(measure(n_beats, args))
        print(f"{n_beats} beats: {rows[-1]['kb_per_beat']:.1f} kB each", flush=True)
        write_results(args.output, fitted | {"rows": rows})
    formats = dict.fromkeys(("n_beats", "n_resampled"), "d")
    formats |= dict.fromkeys(("peak_mb", "arrays_mb", "kb_per_beat"), ".1f")
    print_table(rows, formats)
    print(f"peak / arrays: {rows[-1]['ratio']:.2f}", flush=True)


if __name__ == "__main__":
    main()
