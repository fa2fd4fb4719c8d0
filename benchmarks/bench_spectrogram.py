"""Compute spectrograms against SciPy: beat by beat, and all beats in one call.

    python benchmarks/bench_spectrogram.py
    python benchmarks/bench_spectrogram.py --quick

Prints microseconds per beat for signals of 187, 1,800 and 18,000 samples at the same
segments and frequencies on both sides (power of all frequencies, no normalisation).
Set OMP_NUM_THREADS=1 to compare single threads.
"""

import numpy as np
import scipy.signal
from _common import make_parser, print_table, seconds_each, write_results

from ecg_sklearn import SpectrogramTransformer

SIZES = (187, 8000), (1800, 800), (18000, 80)  # samples, beats


def measure(X, nperseg, repeats):
    """Compare one segment length; microseconds per beat, the shortest of some runs."""
    kwargs = {"nperseg": nperseg, "noverlap": nperseg * 3 // 4}
    kwargs |= {"nfft": 2 * nperseg, "detrend": "constant", "window": "hann"}
    ours = SpectrogramTransformer(
        **kwargs, boundary=None, freq_range=None, scale="power", normalize=None
    ).fit(X[:2])

    def scipy_all(beats):
        return scipy.signal.spectrogram(beats, 120.0, **kwargs)

    def scipy_loop(beats):
        return [scipy_all(beat) for beat in beats]

    some = X[: max(1, len(X) // 20)]
    sides = (ours.transform, X), (scipy_all, X), (scipy_loop, some)
    times = [
        1e6 * seconds_each(function, beats, repeats=repeats).min() / len(beats)
        for function, beats in sides
    ]
    row = {"n_times": X.shape[1], "nperseg": nperseg}
    row |= zip(("ours_us", "scipy_us", "scipy_loop_us"), times, strict=True)
    row["ratio"] = row["scipy_us"] / row["ours_us"]
    row["ratio_loop"] = row["scipy_loop_us"] / row["ours_us"]
    return row


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--nperseg", type=int, nargs="+", default=[16, 32, 64, 256])
    parser.add_argument("--quick", action="store_true", help="187 samples, 2 repeats")
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    rows = []
    for n_times, n_beats in SIZES[:1] if args.quick else SIZES:
        X = rng.standard_normal((n_beats, n_times), dtype=np.float32)
        for nperseg in args.nperseg:
            if nperseg <= n_times:
                rows.append(measure(X, nperseg, 2 if args.quick else 5))
    print_table(rows)
    ratios = [row["ratio"] for row in rows]
    print(f"ratio to SciPy in one call: {min(ratios):.1f} to {max(ratios):.1f}")
    write_results(args.output, {"rows": rows})


if __name__ == "__main__":
    main()
