"""Saved models on noise, other leads, rates and gains: marked beats, classes N S V F.

    python benchmarks/bench_robustness.py --data mitdb/ --model a.ecgsk b.ecgsk
    python benchmarks/bench_robustness.py --data svdb/ --test svdb --model a.ecgsk

The records of ``--test`` (DS2, or all of the Supraventricular Arrhythmia Database) are
scored as they are; then from their second signal; brought to 100 and to 500 Hz; with
their gain halved; with their sign turned; and with simulated noise on all of the record
(that of ``bench_noise.py``, at a ratio as WFDB's ``nst`` defines it). Only the signal
changes: the marks are those of the annotations, moved to the R peak of the changed
signal. Records that a model file names as its training are refused. All models must
have been trained on beats that were cut alike, with features of any groups.

Prints accuracy, macro-F1 and the F1 of each class, and the seconds of the processor a
record: to cut the beats, with the features of all models together, and to classify
them. One run opens the test records once for each model.
"""

import warnings
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _common import Stopwatch, make_parser, print_table, write_results
from bench_noise import NOISES, scaled_noise
from scipy.signal import resample_poly
from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils import Bunch

from ecg_sklearn import load
from ecg_sklearn.aami import CLASS_NAMES, DS2, SYMBOL_TO_CLASS
from ecg_sklearn.datasets import cut_beats
from ecg_sklearn.features import FEATURE_GROUPS
from ecg_sklearn.io import read_recording
from ecg_sklearn.persistence import read_metadata
from ecg_sklearn.report._scoring import predict_beats
from ecg_sklearn.utils._cut import learned_cut

NAMES = CLASS_NAMES[:4]
LEADS = ("MLII", "V5", "ECG1")  # in order of preference, as in bench_interpatient.py
DECIBELS = (12, 6)


class Record(NamedTuple):
    """One lead, the other one, the rate, and the beats of a record."""

    signal: np.ndarray
    other: np.ndarray
    rate: float
    sample: np.ndarray
    target: np.ndarray


def read(path):
    """Read both leads of a record, and its beats."""
    import wfdb

    with warnings.catch_warnings():  # of records without gain
        warnings.filterwarnings("ignore", message=".*not calibrated")
        signals = [read_recording(path, channel=place) for place in (0, 1)]
    known = [lead for lead in LEADS if lead in {s.leads[0] for s in signals}]
    signals.sort(key=lambda s: s.leads[0] != known[0])
    notes = wfdb.rdann(str(path), "atr")
    is_beat = np.isin(notes.symbol, list(SYMBOL_TO_CLASS))
    is_beat &= notes.sample < signals[0].n_times
    symbol = np.array(notes.symbol)[is_beat]
    return Record(
        *(s.signal[:, 0] for s in signals),
        signals[0].sampling_rate,
        notes.sample[is_beat],
        np.array([SYMBOL_TO_CLASS[s] for s in symbol]),
    )


def as_it_is(record, rng):
    return record


def second_lead(record, rng):
    return record._replace(signal=record.other)


def at_rate(record, rng, rate):
    ratio = Fraction(rate / record.rate).limit_denominator(1000)
    signal = resample_poly(record.signal, ratio.numerator, ratio.denominator)
    place = np.minimum(record.sample * float(ratio), len(signal) - 1)
    return record._replace(signal=signal, rate=rate, sample=place)


def times(record, rng, factor):
    return record._replace(signal=factor * record.signal)


def noisy(record, rng, simulate, decibels):
    noise = simulate(len(record.signal), record.rate, rng)
    noise = scaled_noise(record.signal, record.rate, record.sample, noise, decibels)
    return record._replace(signal=record.signal + noise)


CONDITIONS = {
    "as it is": as_it_is,
    "second lead": second_lead,
    "100 Hz": partial(at_rate, rate=100.0),
    "500 Hz": partial(at_rate, rate=500.0),
    "gain halved": partial(times, factor=0.5),
    "sign turned": partial(times, factor=-1.0),
} | {
    f"{name}, {decibels} dB": partial(noisy, simulate=simulate, decibels=decibels)
    for name, simulate in NOISES.items()
    for decibels in DECIBELS
}


def common_cut(models):
    """Make a cut with the features of all models, which must be cut alike."""
    cuts = [learned_cut(model) for model in models.values()]
    groups = {group for cut in cuts for group in cut["features"]}
    bare = [cut | {"features": [], "channel": None} for cut in cuts]
    if any(cut != bare[0] for cut in bare):
        raise SystemExit(f"These models cut beats in different ways: {bare}.")
    return bare[0] | {"features": [g for g in FEATURE_GROUPS if g in groups]}


def cut_all(records, change, cut):
    """Change the signal of all records, and cut the beats of N, S, V and F."""
    rng = np.random.default_rng(0)
    frames, target, groups = [], [], []
    for name, record in records.items():
        changed = change(record, rng)
        X = cut_beats(changed.signal, changed.rate, changed.sample, like=cut)
        y = record.target[X.index]
        X = X[y < len(NAMES)]
        frames.append(X)
        target.append(y[y < len(NAMES)])
        groups.append(np.full(len(X), name))
    data = pd.concat(frames, ignore_index=True)
    data.attrs["cut"] = cut
    return Bunch(
        data=data, target=np.concatenate(target), groups=np.concatenate(groups)
    )


def score(model, beats):
    """Score a model on the columns that it knows."""
    own = Bunch(data=beats.data[list(model.feature_names_in_)], groups=beats.groups)
    predicted = predict_beats(model, own)
    classes = range(len(NAMES))
    f1 = f1_score(
        beats.target, predicted, labels=classes, average=None, zero_division=0
    )
    return {
        "accuracy": accuracy_score(beats.target, predicted),
        "macro_f1": f1.mean(),
        "f1": dict(zip(NAMES, f1.tolist(), strict=True)),
    }


def records_of(folder, test, every):
    """List the paths of the records to score."""
    names = DS2 if test == "ds2" else (folder / "RECORDS").read_text().split()
    return {name: folder / name for name in names[::every]}


def read_model(path, names):
    """Load a model that was not trained on the records to score."""
    known = read_metadata(path).get("training_records") or []
    known = {name.split("/")[-1] for name in known}
    if both := known & set(names):
        raise SystemExit(f"{path} was trained on {', '.join(sorted(both))}.")
    return load(path)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the test")
    parser.add_argument("--test", choices=("ds2", "svdb"), default="ds2")
    parser.add_argument("--every", type=int, default=1, help="every so many records")
    parser.add_argument("--model", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--conditions", nargs="+", choices=CONDITIONS, default=list(CONDITIONS)
    )
    args = parser.parse_args()
    paths = records_of(args.data, args.test, args.every)
    models = {path.stem: read_model(path, paths) for path in args.model}
    if len(models) < len(args.model):
        parser.error("The model files must have different names.")
    cut = common_cut(models)
    records = {name: read(path) for name, path in paths.items()}
    results = {"test": args.test, "records": list(records), "models": {}}
    rows = []
    for condition in args.conditions:
        with Stopwatch() as cutting:
            beats = cut_all(records, CONDITIONS[condition], cut)
        for name, model in models.items():
            with Stopwatch() as classifying:
                found = score(model, beats)
            watches = {"cut": cutting, "classify": classifying}
            found["seconds"] = {k: w.cpu / len(records) for k, w in watches.items()}
            results["models"].setdefault(name, {})[condition] = found
            write_results(args.output, results)
            row = {"model": name, "signal": condition, "accuracy": found["accuracy"]}
            row["macro-F1"] = found["macro_f1"]
            row |= {f"F1 of {k}": v for k, v in found["f1"].items()}
            rows.append(row | {f"{k}, s": v for k, v in found["seconds"].items()})
            print_table(rows[-1:], dict.fromkeys(rows[0], ".3f"))
    rows.sort(key=lambda row: row["model"])
    print_table(rows, dict.fromkeys(rows[0], ".3f"))


if __name__ == "__main__":
    main()
