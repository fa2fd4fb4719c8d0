"""Noise stress test: beats found, and classes of ectopic beats, against the noise.

    python benchmarks/bench_noise.py --data mitdb/
    python benchmarks/bench_noise.py --data mitdb/ --model runs/mine/model.ecgsk

Simulated noise is added to clean records of DS2 as in the MIT-BIH Noise Stress Test
[1]_: five minutes without noise, then two minutes with and two without, in turns. The
ratio is that of WFDB's ``nst`` [2]_: the signal is the mean square height of the QRS
complexes over 8, the noise its mean power in windows of 1 s; of both, the largest and
the smallest 5 % are left out. Only beats in the noisy minutes count. With ``--model``,
F1 of V is that of the classes of the detected beats.

The noise is simulated:

- wander: power below 0.5 Hz that falls with the square of the frequency;
- muscle: the spectrum of a model of the surface EMG [3]_ with corners at 60 and 120 Hz,
  with contractions of 1 to 5 s;
- motion: jumps of random size that decay within 0.1 to 1 s, as an electrode gives them.

References
----------
.. [1] G. B. Moody, W. K. Muldrow, R. G. Mark, "A noise stress test for arrhythmia
   detectors", Computers in Cardiology 11, 1984.
.. [2] nst(1), WFDB Applications Guide.
.. [3] E. Shwedyk, R. Balasubramanian, R. N. Scott, "A nonstationary model for the
   electromyogram", IEEE Transactions on Biomedical Engineering 24(5), 1977.
"""

from pathlib import Path

import numpy as np
from _common import make_parser, print_table, write_results
from scipy.stats import trim_mean

from ecg_sklearn.aami import SYMBOL_TO_CLASS
from ecg_sklearn.datasets import cut_beats
from ecg_sklearn.detection import detect_beats, signal_quality
from ecg_sklearn.metrics import ec57_report

RECORDS = ("100", "103", "200", "219", "221", "233")
DECIBELS = (24, 18, 12, 6, 0)
LEARNING, TURN = 300, 120  # s
TRIMMED = 0.05


def coloured(n_times, rate, power, rng):
    """Gaussian noise with a power spectrum, a function of the frequency in Hz."""
    spectrum = np.fft.rfft(rng.normal(size=n_times))
    frequency = np.fft.rfftfreq(n_times, 1 / rate)
    return np.fft.irfft(spectrum * np.sqrt(power(frequency)), n_times)


def wander(n_times, rate, rng):
    def power(f):
        return np.where((f > 0.05) & (f < 0.5), 1 / np.maximum(f, 0.05) ** 2, 0)

    return coloured(n_times, rate, power, rng)


def muscle(n_times, rate, rng):
    low, high = 60.0, 120.0

    def power(f):
        return high**4 * f**2 / ((f**2 + low**2) * (f**2 + high**2) ** 2)

    edges = np.cumsum(rng.uniform(1, 5, size=int(n_times / rate) + 2)) * rate
    level = np.interp(np.arange(n_times), edges, rng.uniform(0.3, 1, size=len(edges)))
    return level * coloured(n_times, rate, power, rng)


def motion(n_times, rate, rng):
    noise = np.zeros(n_times)
    time = 0.0
    while (start := int(time * rate)) < n_times:
        decay = rng.uniform(0.1, 1.0)
        t = np.arange(min(int(5 * decay * rate), n_times - start)) / rate
        rise = rng.uniform(0.02, 0.2)
        shape = (1 - np.exp(-t / rise)) * np.exp(-t / decay)
        noise[start : start + len(t)] += rng.normal() * shape
        time += rng.exponential(0.6)
    return noise


NOISES = {"wander": wander, "muscle": muscle, "motion": motion}


def scaled_noise(signal, rate, sample, noise, decibels):
    """Scale noise to a ratio of signal and noise, given the positions of the beats."""
    reach = round(0.05 * rate)
    heights = [np.ptp(signal[max(s - reach, 0) : s + reach + 1]) for s in sample[:300]]
    size = trim_mean(np.square(heights), TRIMMED) / 8
    second = round(rate)
    windows = noise[: len(noise) // second * second].reshape(-1, second)[:300]
    power = trim_mean(windows.var(axis=1), TRIMMED)
    return np.sqrt(size / power / 10 ** (decibels / 10)) * noise


def add_noise(signal, rate, sample, noise, decibels):
    """Add noise at a ratio; return the signal and the mask of the noisy samples."""
    since = np.arange(len(noise)) / rate - LEARNING
    noisy = (since >= 0) & (since % (2 * TURN) < TURN)
    scaled = scaled_noise(signal, rate, sample, noise, decibels)
    return signal + noisy * scaled, noisy


def classes_of(model, signal, rate, position):
    """Classify detected beats; N without a model, and where a beat cannot be cut."""
    symbols = np.full(len(position), "N")
    if model is not None:
        X = cut_beats(signal, rate, position, like=model)
        groups = np.zeros(len(X), dtype=int)
        symbols[X.index] = np.array(list("NSVFQ"))[model.predict(X, groups=groups)]
    return symbols


def measure(records, noises, decibels, model):
    """Compare detected beats with the annotations of the noisy minutes."""
    reference, detected, rates, unread = {}, {}, {}, []
    for (name, record), noise in zip(records.items(), noises, strict=True):
        signal, rate, sample, symbol = record
        changed, noisy = add_noise(signal, rate, sample, noise, decibels)
        position = detect_beats(changed, rate)
        found = classes_of(model, changed, rate, position)
        reference[name] = sample[noisy[sample]], symbol[noisy[sample]]
        detected[name] = position[noisy[position]], found[noisy[position]]
        rates[name] = rate
        bad = np.zeros(len(signal), dtype=bool)
        for row in signal_quality(changed, rate).itertuples():
            bad[round(row.start * rate) : round(row.end * rate)] = True
        unread.append(bad[noisy].mean())
    gross = ec57_report(reference, detected, rates, skip_first=0).gross
    row = {
        "Se": 100 * gross["qrs_sensitivity"],
        "+P": 100 * gross["qrs_positive_predictivity"],
        "unreadable": 100 * np.mean(unread),
    }
    if model is not None:
        tp, fn, fp = (gross[f"veb_{kind}"] for kind in ("tp", "fn", "fp"))
        row["F1 of V"] = 2 * tp / (2 * tp + fn + fp)
    return row


def read(path):
    """Read the first signal, its rate, and positions and symbols of the beats."""
    import wfdb

    record = wfdb.rdrecord(str(path), channels=[0])
    notes = wfdb.rdann(str(path), "atr")
    is_beat = np.isin(notes.symbol, list(SYMBOL_TO_CLASS))
    symbol = np.array(notes.symbol)[is_beat]
    return record.p_signal[:, 0], float(record.fs), notes.sample[is_beat], symbol


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of mitdb")
    parser.add_argument("--model", type=Path, help="of train --rhythm")
    args = parser.parse_args()
    model = None
    if args.model is not None:
        from ecg_sklearn import load

        model = load(args.model)
    records = {name: read(args.data / name) for name in RECORDS}
    rows = []
    for name, simulate in NOISES.items():
        rng = np.random.default_rng(0)
        noises = [simulate(len(s), rate, rng) for s, rate, *_ in records.values()]
        for decibels in DECIBELS:
            row = measure(records, noises, decibels, model)
            rows.append({"noise": name, "dB": decibels} | row)
            write_results(args.output, {"records": list(RECORDS), "table": rows})
    digits = {"Se": ".2f", "+P": ".2f", "unreadable": ".1f", "F1 of V": ".3f"}
    print_table(rows, digits | {"dB": "d"})


if __name__ == "__main__":
    main()
