"""Fit the two networks of ``detect_beats`` to both leads of the 22 records of DS1.

    python benchmarks/fit_detector.py --data mitdb/ --folds   # folds of whole records
    python benchmarks/fit_detector.py --data mitdb/           # writes the weights

Each lead is used as it is, and in altered copies: with a random filter, which changes
the waves as another lead would, with noise, and at another speed. A candidate is a beat
if it is the nearest one within 150 ms of an annotation. ``--folds`` prints sensitivity
and positive predictivity on the records that were held out, for several thresholds.
"""

import warnings
from pathlib import Path

import numpy as np
from _common import make_parser, write_results
from scipy.fft import irfft, rfft, rfftfreq
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from ecg_sklearn.aami import DS1, SYMBOL_TO_CLASS
from ecg_sklearn.detection import _decision as decision
from ecg_sklearn.detection._signal import RATE, CandidateFinder, Candidates, Resampler

WEIGHTS = Path(decision.__file__).parent / "data" / "detector.npz"
HIDDEN = 16
N_FOLDS = 5


def read(folder, name):
    """Read both leads, and the positions and symbols of the beats."""
    import wfdb

    record = wfdb.rdrecord(str(folder / name))
    notes = wfdb.rdann(str(folder / name), "atr")
    is_beat = np.array([symbol in SYMBOL_TO_CLASS for symbol in notes.symbol])
    symbols = np.array(notes.symbol)[is_beat]
    return record.p_signal.T, float(record.fs), notes.sample[is_beat], symbols


def candidates_of(signal, rate):
    """Find the candidates of a whole signal."""
    resampler, finder = Resampler(rate), CandidateFinder()
    found = [finder.push(resampler.push(signal))]
    found.append(finder.push(resampler.push(np.full(int(1.5 * rate), signal[-1]))))
    return Candidates.join(found)


def altered(signal, rate, rng):
    """Filter a signal at random: gains from 0.3 to 100 Hz, and a turn of the phase."""
    spectrum = rfft(signal - np.median(signal))
    frequency = rfftfreq(len(signal), 1 / rate)
    edges = np.log([0.3, 1, 3, 8, 15, 25, 45, 100])
    gains = rng.normal(0, 0.6, len(edges))
    gain = np.exp(np.interp(np.log(frequency + 1e-3), edges, gains))
    turn = np.exp(1j * rng.normal(0, 0.25) * (frequency > 0))
    return irfft(spectrum * gain * turn, len(signal))


def copies(signal, rate, rng):
    """Yield a signal and three altered copies, with their rates."""
    yield signal, rate
    yield altered(signal, rate, rng), rate
    for _ in range(2):
        copy = altered(signal, rate, rng)
        size = np.ptp(np.percentile(copy, [1, 99]))
        noise = rng.uniform(0, 0.05) * size * rng.normal(size=len(copy))
        yield copy + noise, rate * rng.uniform(0.8, 1.25)


def is_beat(place, beats):
    """Mask of the candidates that are the nearest within 150 ms of a beat."""
    found = np.zeros(len(place), dtype=bool)
    after = np.clip(np.searchsorted(place, beats), 0, len(place) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(place[after] - beats) < np.abs(place[before] - beats)
    best = np.where(nearer, after, before)
    found[best[np.abs(place[best] - beats) <= 0.15 * RATE]] = True
    return found


def load(folder):
    """Make the candidates and labels of all records, leads and copies."""
    rng = np.random.default_rng(0)
    rows = []
    for number, name in enumerate(DS1):
        leads, rate, sample, symbols = read(folder, name)
        for lead, signal in enumerate(leads):
            for copy, (changed, speed) in enumerate(copies(signal, rate, rng)):
                found = candidates_of(changed, speed)
                beats = sample * (RATE / speed)
                features = decision.first_features(found, 0, len(found.place))
                rows.append(
                    {
                        "record": number,
                        "original": copy == 0 and lead == 0,
                        "found": found,
                        "X": features,
                        "y": is_beat(found.place, beats),
                        "beats": beats,
                        "symbols": symbols,
                    }
                )
    return rows


def fit(X, y):
    """Fit one network; return weights that take features as they are."""
    scaler = StandardScaler().fit(X)
    network = MLPClassifier(
        (HIDDEN,),
        alpha=1e-2,
        batch_size=2000,
        learning_rate_init=3e-3,
        max_iter=15,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of 15 rounds, on purpose
        network.fit(np.float32(scaler.transform(X)), y)
    weights, last = network.coefs_
    bias, constant = network.intercepts_
    scale = np.where(scaler.scale_ > 0, scaler.scale_, 1.0)
    weights = weights / scale[:, None]
    bias = bias - scaler.mean_ @ weights
    arrays = weights, bias, last[:, 0], constant[0]
    return tuple(np.float32(array).astype(np.float64) for array in arrays)


def fit_both(rows, chances):
    """Fit the second network, and the first; ``chances`` are of held-out records."""
    y = np.concatenate([row["y"] for row in rows])
    first = fit(np.concatenate([row["X"] for row in rows]), y)
    X = np.concatenate(
        [
            decision.second_features(row["found"], chance, 0, len(chance))
            for row, chance in zip(rows, chances, strict=True)
        ]
    )
    return first, fit(X, y)


def held_out(rows):
    """Probabilities of the first network for records that it was not fitted to."""
    chances = [None] * len(rows)
    for fold in range(N_FOLDS):
        inside = [row for row in rows if row["record"] % N_FOLDS != fold]
        X, y = (np.concatenate([row[key] for row in inside]) for key in "Xy")
        network = fit(X, y)
        for k, row in enumerate(rows):
            if row["record"] % N_FOLDS == fold:
                chances[k] = decision.probability(network, row["X"])
    return chances


def print_folds(rows, chances):
    """Print the figures of held-out records, first lead, for several thresholds."""
    parts = []
    for fold in range(N_FOLDS):
        inside = [k for k, row in enumerate(rows) if row["record"] % N_FOLDS != fold]
        networks = fit_both([rows[k] for k in inside], [chances[k] for k in inside])
        for row in rows:
            if row["record"] % N_FOLDS == fold and row["original"]:
                first = decision.probability(networks[0], row["X"])
                X = decision.second_features(row["found"], first, 0, len(first))
                parts.append((row, first, decision.probability(networks[1], X)))
    results = {}
    for threshold in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7):
        counts = np.zeros(6)
        worst = {}
        for row, first, second in parts:
            place = row["found"].place
            decision.THRESHOLD = threshold
            place = place[decision.keep_best(place, first, second)]
            hit = is_beat(row["beats"], place)  # beats that have a detection
            n_hit = np.count_nonzero(is_beat(place, row["beats"]))
            ventricular = np.isin(row["symbols"], list("VEr"))
            counts += [
                len(hit), hit.sum(), len(place), n_hit,
                ventricular.sum(), hit[ventricular].sum(),
            ]  # fmt: skip
            missed, extra = np.count_nonzero(~hit), len(place) - n_hit
            worst[DS1[row["record"]]] = (missed, extra)
        n, found, n_places, n_hit, n_v, found_v = counts
        figures = {"Se": found / n, "+P": n_hit / n_places, "V": found_v / n_v}
        results[threshold] = {k: round(100 * v, 3) for k, v in figures.items()}
        order = sorted(worst.items(), key=lambda item: -sum(item[1]))[:6]
        print(threshold, results[threshold], "missed, extra:", order, flush=True)
    return results


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of MIT-BIH")
    parser.add_argument("--folds", action="store_true", help="write no weights")
    args = parser.parse_args()
    rows = load(args.data)
    chances = held_out(rows)
    if args.folds:
        write_results(args.output, {"folds": print_folds(rows, chances)})
        return
    networks = fit_both(rows, chances)
    arrays = {
        f"{name}{number}": np.float32(array)
        for number, network in enumerate(networks, start=1)
        for name, array in zip("wbvc", network, strict=True)
    }
    WEIGHTS.parent.mkdir(exist_ok=True)
    np.savez_compressed(WEIGHTS, **arrays)
    print(f"{WEIGHTS.name}: {WEIGHTS.stat().st_size} bytes, {len(rows)} signals")


if __name__ == "__main__":
    main()
