"""Compute spectrograms against SciPy: beat by beat, and all beats in one call.

    python benchmarks/bench_spectrogram.py

Prints microseconds per beat for signals of 187, 1,800 and 18,000 samples at the same
segments and frequencies on both sides (power of all frequencies, no normalisation).
Set OMP_NUM_THREADS=1 to compare single threads.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import scipy.signal

from ecg_sklearn import SpectrogramTransformer


def best(function, repeats=5):
    """Shortest of some runs, in seconds; the first is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nperseg", type=int, nargs="+", default=[16, 32, 64, 256])
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    rows = []
    for n_times, n_beats in ((187, 8000), (1800, 800), (18000, 80)):
        X = rng.standard_normal((n_beats, n_times), dtype=np.float32)
        for nperseg in args.nperseg:
            if nperseg > n_times:
                continue
            kwargs = {"nperseg": nperseg, "noverlap": nperseg * 3 // 4}
            kwargs |= {"nfft": 2 * nperseg, "detrend": "constant", "window": "hann"}
            ours = SpectrogramTransformer(
                **kwargs, boundary=None, freq_range=None, scale="power", normalize=None
            ).fit(X[:2])
            some = X[: max(1, n_beats // 20)]

            def scipy_all(beats, options=kwargs):
                return scipy.signal.spectrogram(beats, 120.0, **options)

            row = {
                "n_times": n_times,
                "nperseg": nperseg,
                "ours_us": 1e6 * best(lambda: ours.transform(X)) / n_beats,  # noqa: B023
                "scipy_us": 1e6 * best(lambda: scipy_all(X)) / n_beats,  # noqa: B023
                "scipy_loop_us": 1e6
                * best(lambda: [scipy_all(x) for x in some])  # noqa: B023
                / len(some),
            }
            row["ratio"] = row["scipy_us"] / row["ours_us"]
            row["ratio_loop"] = row["scipy_loop_us"] / row["ours_us"]
            rows.append(row)
            print("  ".join(f"{key} {value:8.1f}" for key, value in row.items()))
    if args.output is not None:
        args.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
