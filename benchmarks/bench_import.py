"""Seconds to import ecg_sklearn, beside those to import scikit-learn.

    python benchmarks/bench_import.py

Each import runs in a process of its own; medians. Says whether TensorFlow was loaded,
and what the first class costs.
"""

import argparse
from pathlib import Path

import numpy as np
from _common import run_child, write_results

_CODE = """
import json, sys, time
start = time.perf_counter()
exec(sys.argv[1])
seconds = time.perf_counter() - start
print(json.dumps([seconds, "tensorflow" in sys.modules]))
"""
_STATEMENTS = {
    "import sklearn": "import sklearn",
    "import ecg_sklearn": "import ecg_sklearn",
    "first class": "from ecg_sklearn import SpectrogramTransformer",
    "scikit-learn's first class": "from sklearn.preprocessing import StandardScaler",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    results = {}
    for name, statement in _STATEMENTS.items():
        runs = [run_child(_CODE, statement) for _ in range(args.repeats + 1)][1:]
        results[name] = np.median([seconds for seconds, _ in runs])
        loaded = " (TensorFlow loaded)" if any(tf for _, tf in runs) else ""
        print(f"{name:<28} {1e3 * results[name]:8.2f} ms{loaded}")
    results["ratio"] = results["import ecg_sklearn"] / results["import sklearn"]
    results["ratio_first_class"] = (
        results["first class"] / results["scikit-learn's first class"]
    )
    write_results(args.output, results)
    print(f"first class against scikit-learn's: {results['ratio_first_class']:.2f}")
    print(f"import against scikit-learn's: {results['ratio']:.3f}")


if __name__ == "__main__":
    main()
