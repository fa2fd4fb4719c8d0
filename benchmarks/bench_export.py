"""Size and speed of exported graphs against the pipeline that they come from.

    python benchmarks/bench_export.py

Prints bytes, the latency of one beat from raw samples to probabilities, beats per
second in batches of 512, and how far the probabilities are apart; the last line is how
much sooner than the pipeline ONNX Runtime answers one beat. What the network has
learned does not matter here, so it is trained for one epoch on simulated beats.
Formats whose packages are missing are left out.
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
from ecg_sklearn.exporting import _export


def seconds_each(function, argument, repeats):
    """Time each of some calls; the first, which may compile, is not counted."""
    function(argument)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return np.array(times)


def measure(run, X, repeats):
    one = seconds_each(run, X[:1], repeats)
    bulk = seconds_each(run, X[:512], max(3, repeats // 20))
    return {
        "one_beat_ms_p50": 1e3 * np.median(one),
        "one_beat_ms_p99": 1e3 * np.quantile(one, 0.99),
        "beats_per_second": 512 / np.median(bulk),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    X, y = make_heartbeats(2000, random_state=0, return_X_y=True)
    pipe = make_ecg_pipeline(sampler=None, epochs=1, random_state=0).fit(X, y)
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "model.joblib")
        joblib.dump(pipe, saved)
        result["pipeline"] = {
            "bytes": saved.stat().st_size,
            "max_difference": 0.0,
            **measure(pipe.predict_proba, X, args.repeats),
        }
        for format, suffix in _export._SUFFIXES.items():
            try:
                report = export(pipe, Path(folder, f"model{suffix}"), format=format)
            except ImportError as error:
                print(f"{format}: {error}")
                continue
            run = _export._FORMATS[format][1](report.path)
            result[format] = {
                "bytes": report.n_bytes,
                "max_difference": report.max_difference,
                **measure(run, X, args.repeats),
            }
    columns = list(result["pipeline"])
    print(" " * 9, *(f"{name:>16}" for name in columns))
    for name, row in result.items():
        print(f"{name:<9}", *(f"{row[column]:>16.4g}" for column in columns))
    if "onnx" in result:
        one = "one_beat_ms_p50"
        result["ratio_one_beat"] = result["pipeline"][one] / result["onnx"][one]
        print(f"ratio_one_beat {result['ratio_one_beat']:.1f}")
    if args.output is not None:
        args.output.write_text(json.dumps(result, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
