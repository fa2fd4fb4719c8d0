"""How well beats are found: mitdb and svdb, beside other detectors.

    python benchmarks/bench_detection.py --data mitdb/ --svdb svdb/

A beat is found if a detection lies within 150 ms, one for one
(``metrics.match_beats``). Se is the share of beats that are found, +P that of the
detections that are beats; V and S are the shares of those beats that are found. "+P, VF
left out" is that of ``metrics.ec57_report``, which does not count detections in
ventricular flutter (record 207). The first signal of each record is used as it is.
Seconds are those of one core for half an hour. SleepECG and NeuroKit2 are measured if
they are installed.
"""

import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
from _common import make_parser, print_table, write_results

from ecg_sklearn.aami import DS1, DS2, SYMBOL_TO_CLASS, SYMBOLS
from ecg_sklearn.detection import align_beats, detect_beats, signal_quality
from ecg_sklearn.metrics import ec57_report, match_beats


def sleepecg(signal, rate):
    """Detect beats by SleepECG."""
    from sleepecg import detect_heartbeats

    return detect_heartbeats(signal, rate)


def neurokit(signal, rate):
    """Detect beats by the default method of NeuroKit2."""
    import neurokit2

    cleaned = neurokit2.ecg_clean(signal, sampling_rate=int(rate))
    return neurokit2.ecg_peaks(cleaned, sampling_rate=int(rate))[1]["ECG_R_Peaks"]


def read(path):
    """Read the first signal, its rate, and the annotations."""
    import wfdb

    record = wfdb.rdrecord(str(path), channels=[0])
    return record.p_signal[:, 0], float(record.fs), wfdb.rdann(str(path), "atr")


def measure(detector, records):
    """Count the beats of each record that are found; time the detector."""
    counts, seconds, reference, detected, rates = {}, 0.0, {}, {}, {}
    for name, (signal, rate, notes) in records.items():
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the peers, on noise
            position = np.asarray(detector(signal, rate), dtype=np.int64)
        seconds += time.process_time() - start
        symbol = np.array(notes.symbol)
        is_beat = np.isin(symbol, list(SYMBOL_TO_CLASS))
        sample, symbol = notes.sample[is_beat], symbol[is_beat]
        pairs = match_beats(sample, position, rate)
        hit = np.zeros(len(sample), dtype=bool)
        hit[pairs.true[(pairs.true >= 0) & (pairs.pred >= 0)]] = True
        kinds = {kind: np.isin(symbol, list(SYMBOLS[kind])) for kind in "SV"}
        counts[name] = {
            "beats": len(sample),
            "found": int(hit.sum()),
            "detections": len(position),
            **{kind: int(mask.sum()) for kind, mask in kinds.items()},
            **{f"{kind} found": int(hit[mask].sum()) for kind, mask in kinds.items()},
        }
        reference[name], detected[name], rates[name] = notes, position, rate
    gross = ec57_report(reference, detected, rates, skip_first=0).gross
    return counts, gross["qrs_positive_predictivity"], seconds / len(records)


def figures(counts, names):
    """Sum the counts of some records to percentages."""
    total = {key: sum(counts[n][key] for n in names) for key in counts[names[0]]}
    return {
        "Se": 100 * total["found"] / total["beats"],
        "+P": 100 * total["found"] / total["detections"],
        "V": 100 * total["V found"] / max(1, total["V"]),
        "S": 100 * total["S found"] / max(1, total["S"]),
    }


def shifts(records):
    """Share of marks that end at the same place when moved by up to 30 ms, in %."""
    found = {}
    for milliseconds in (-30, -16, 16, 30):
        same = []
        for signal, rate, notes in records.values():
            marks = notes.sample[np.isin(notes.symbol, list(SYMBOL_TO_CLASS))]
            shifted = marks + round(milliseconds * rate / 1000)
            inside = (shifted >= 0) & (shifted < len(signal))
            before = align_beats(signal, rate, marks[inside])
            same.append(align_beats(signal, rate, shifted[inside]) == before)
        found[f"{milliseconds:+d} ms"] = float(100 * np.concatenate(same).mean())
    return found


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of mitdb")
    parser.add_argument("--svdb", type=Path, help="folder of svdb")
    args = parser.parse_args()
    detectors = {"ecg_sklearn": detect_beats}
    for name, function in (("sleepecg", sleepecg), ("neurokit2", neurokit)):
        if importlib.util.find_spec(name):
            detectors[name] = function
    results = {"tables": {}, "records": {}}
    for database, folder in (("mitdb", args.data), ("svdb", args.svdb)):
        if folder is None:
            continue
        paths = sorted(path.with_suffix("") for path in folder.glob("*.hea"))
        records = {path.name: read(path) for path in paths}
        sets = {database: list(records)}
        if database == "mitdb":
            sets |= {"DS1": list(DS1), "DS2": list(DS2)}
        rows = []
        for name, detector in detectors.items():
            counts, without_vf, seconds = measure(detector, records)
            results["records"][f"{database}, {name}"] = counts
            for label, names in sets.items():
                row = {"records": label, "detector": name} | figures(counts, names)
                if label == database:
                    row |= {"+P, VF left out": 100 * without_vf, "seconds": seconds}
                else:
                    row |= {"+P, VF left out": "", "seconds": ""}
                rows.append(row)
            results["tables"][database] = rows
            write_results(args.output, results)
        rows.sort(key=lambda row: list(sets).index(row["records"]))
        digits = dict.fromkeys(("Se", "+P", "V", "S", "+P, VF left out"), ".2f")
        print_table(rows, digits | {"seconds": ".2f"})
        lost = {}
        for name, (signal, rate, _) in records.items():
            stretches = signal_quality(signal, rate)
            seconds = float((stretches["end"] - stretches["start"]).sum())
            lost[name] = 100 * seconds * rate / len(signal)
        results[f"unreadable, {database}"] = lost
        share = np.mean(list(lost.values()))
        print(f"{database}: {share:.2f} % of the records cannot be read")
        results[f"shifted marks, {database}"] = shifts(records)
        print(
            f"{database}, marks at the same place:",
            results[f"shifted marks, {database}"],
        )
        write_results(args.output, results)


if __name__ == "__main__":
    main()
