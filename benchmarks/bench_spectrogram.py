"""Compute spectrograms against SciPy: beat by beat, and all beats in one call.

    python benchmarks/bench_spectrogram.py
    python benchmarks/bench_spectrogram.py --quick

Prints microseconds per beat for signals of 187, 1,800 and 18,000 samples at the same
segments and frequencies on both sides (power of all frequencies, no normalisation).
Set OMP_NUM_THREADS=1 to compare single threads. ``--torch`` adds PyTorch, if it is
installed: the segments of all beats in one ``torch.fft.rfft`` (``torch.stft`` cannot
detrend a segment).
"""

import numpy as np
import scipy.signal
from _common import make_parser, print_table, seconds_each, write_results

from ecg_sklearn import SpectrogramTransformer

SIZES = (187, 8000), (1800, 800), (18000, 80)  # samples, beats


def measure(X, nperseg, repeats, with_torch=False):
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
    sides = {"ours": (ours.transform, X), "scipy": (scipy_all, X)}
    sides["scipy_loop"] = scipy_loop, some
    if with_torch:
        sides["torch"] = torch_transform(**kwargs), X
        expected = scipy_all(some)[2]
        np.testing.assert_allclose(sides["torch"][0](some), expected, atol=1e-5)
    row = {"n_times": X.shape[1], "nperseg": nperseg}
    for name, (function, beats) in sides.items():
        seconds = seconds_each(function, beats, repeats=repeats).min()
        row[f"{name}_us"] = 1e6 * seconds / len(beats)
    row["ratio"] = row["scipy_us"] / row["ours_us"]
    row["ratio_loop"] = row["scipy_loop_us"] / row["ours_us"]
    if with_torch:
        row["ratio_torch"] = row["torch_us"] / row["ours_us"]
    return row


def torch_transform(*, nperseg, noverlap, nfft, window, detrend):
    """Make a function that computes in PyTorch what SciPy does with these arguments."""
    import torch

    assert detrend == "constant"
    values = scipy.signal.get_window(window, nperseg)
    gain = np.full(nfft // 2 + 1, 2 / (120.0 * (values**2).sum()))
    gain[[0, -1]] /= 2
    gain = torch.from_numpy(gain.astype(np.float32))
    values = torch.from_numpy(values.astype(np.float32))

    def transform(beats):
        segments = torch.from_numpy(beats).unfold(1, nperseg, nperseg - noverlap)
        segments = segments - segments.mean(dim=2, keepdim=True)
        spectrum = torch.view_as_real(torch.fft.rfft(segments * values, n=nfft))
        power = (spectrum**2).sum(dim=3) * gain
        return power.transpose(1, 2).contiguous().numpy()

    return transform


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--nperseg", type=int, nargs="+", default=[16, 32, 64, 256])
    parser.add_argument("--quick", action="store_true", help="187 samples, 2 repeats")
    parser.add_argument("--torch", action="store_true", help="compare PyTorch as well")
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    rows = []
    for n_times, n_beats in SIZES[:1] if args.quick else SIZES:
        X = rng.standard_normal((n_beats, n_times), dtype=np.float32)
        for nperseg in args.nperseg:
            if nperseg <= n_times:
                repeats = 2 if args.quick else 5
                rows.append(measure(X, nperseg, repeats, args.torch))
    print_table(rows)
    ratios = [row["ratio"] for row in rows]
    print(f"ratio to SciPy in one call: {min(ratios):.1f} to {max(ratios):.1f}")
    write_results(args.output, {"rows": rows})


if __name__ == "__main__":
    main()
