"""Size and speed of exported graphs against the pipeline that they come from.

    OMP_NUM_THREADS=1 python benchmarks/bench_export.py

Prints bytes, the latency of one beat from raw samples to probabilities, beats per
second in batches of 512, both also as a multiple of the pipeline's speed, and how far
the probabilities are apart. All take turns, so that other load of the machine meets
all alike. What the network has learned does not matter here, so it is trained for
one epoch on simulated beats. Formats whose packages are missing are left out.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np

from ecg_sklearn import export, make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats
from ecg_sklearn.exporting._export import _SUFFIXES
from ecg_sklearn.exporting._formats import FORMATS


def median_seconds(runs, X, rounds, calls):
    """Time some calls of each in turn, without the first, which meets cold caches."""
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            for call in range(calls + 1):
                start = time.perf_counter()
                run(X)
                if call:
                    times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    X, y = make_heartbeats(2000, random_state=0, return_X_y=True)
    pipe = make_ecg_pipeline(sampler=None, epochs=1, random_state=0).fit(X, y)
    runs, result = {"pipeline": pipe.predict_proba}, {}
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "model.joblib")
        joblib.dump(pipe, saved)
        result["pipeline"] = {"bytes": saved.stat().st_size, "max_difference": 0.0}
        for format, suffix in _SUFFIXES.items():
            try:
                report = export(pipe, Path(folder, f"model{suffix}"), format=format)
            except ImportError as error:
                print(f"{format}: {error}")
                continue
            runs[format] = FORMATS[format][1](report.path)
            result[format] = {
                "bytes": report.n_bytes,
                "max_difference": report.max_difference,
            }
            if format == "onnx":
                print(f"onnx: {_count_nodes(report.path)} nodes")
    one = median_seconds(runs, X[:1], args.rounds, 30)
    bulk = median_seconds(runs, X[:512], args.rounds, 3)
    for name, row in result.items():
        row["one_beat_ms"] = 1e3 * one[name]
        row["one_beat_ratio"] = one["pipeline"] / one[name]
        row["beats_per_second"] = 512 / bulk[name]
        row["bulk_ratio"] = bulk["pipeline"] / bulk[name]
    columns = list(result["pipeline"])
    print(" " * 9, *(f"{name:>16}" for name in columns))
    for name, row in result.items():
        print(f"{name:<9}", *(f"{row[column]:>16.4g}" for column in columns))
    if args.output is not None:
        args.output.write_text(json.dumps(result, indent=1, default=float) + "\n")


def _count_nodes(path):
    import onnx

    return len(onnx.load(path).graph.node)


if __name__ == "__main__":
    main()
