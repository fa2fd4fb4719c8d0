"""How long ``import ecg_sklearn`` takes, against ``import sklearn``.

    python benchmarks/bench_import.py
    python benchmarks/bench_import.py --quick

Each import is timed in a process of its own; ours and scikit-learn's take turns. Prints
medians in milliseconds, which heavy packages each loads, and what the first class costs
on either side; last, the ratio of the two imports.
"""

import numpy as np
from _common import alternate, make_parser, run_child, write_results

CHILD = """
import json, sys, time
start = time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - start
heavy = ["keras", "matplotlib", "pandas", "scipy", "sklearn", "tensorflow"]
print(json.dumps([seconds, [name for name in heavy if name in sys.modules]]))
"""
PAIRS = {
    "ratio_first_class": (
        "from ecg_sklearn import SpectrogramTransformer",
        "from sklearn.preprocessing import StandardScaler",
    ),
    "ratio": ("import ecg_sklearn", "import sklearn"),
}


def compare(ours, theirs, repeats):
    """Time two statements; give the milliseconds of each, and their ratio."""
    for statement in (ours, theirs):
        run_child(CHILD, statement)  # reads its files from the disk
    found = alternate(
        lambda: run_child(CHILD, ours), lambda: run_child(CHILD, theirs), repeats
    )
    medians = {}
    for statement, runs in zip((ours, theirs), found, strict=True):
        medians[statement] = 1e3 * float(np.median([seconds for seconds, _ in runs]))
        loads = ", ".join(runs[0][1]) or "nothing heavy"
        print(
            f"{statement:<50} {medians[statement]:8.1f} ms, loads {loads}", flush=True
        )
    return medians, medians[ours] / medians[theirs]


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--quick", action="store_true", help="3 repeats")
    args = parser.parse_args()

    result = {"milliseconds": {}}
    for name, pair in PAIRS.items():
        medians, result[name] = compare(*pair, 3 if args.quick else args.repeats)
        result["milliseconds"] |= medians
        print(f"{name} {result[name]:.3f}", flush=True)
    write_results(args.output, result)


if __name__ == "__main__":
    main()
