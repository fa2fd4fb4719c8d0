"""A recording from file to classes: seconds and memory, from one hour to 48.

    python benchmarks/bench_recording.py
    python benchmarks/bench_recording.py --hours 1 24 --model runs/mine/model.ecgsk

Each duration is a simulated one-lead recording at 250 Hz in an EDF file. A process on
one core runs ``ecg-sklearn predict``: it starts TensorFlow, reads the file, finds the
beats and the stretches that cannot be read, and classifies the beats. The model is the
preset "inter-patient" with RR intervals and morphology, trained on simulated beats;
weights do not change the time. Beside it: the seconds that NeuroKit2's default detector
takes for the same signal, if it is installed, without reading the file.
"""

import contextlib
import importlib.util
import json
import tempfile
from pathlib import Path

import numpy as np
from _common import make_parser, print_table, run_child, write_results

RATE = 250.0

PREDICT = """
import json, os, sys, time
os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
start = time.perf_counter()
from ecg_sklearn import cli
code = cli.main(["predict", sys.argv[1], sys.argv[2], "-o", sys.argv[3], "--quiet"])
seconds = time.perf_counter() - start
from _common import peak_bytes
print(json.dumps({"seconds": seconds, "peak_MB": peak_bytes() / 1e6, "code": code}))
"""

NEUROKIT = """
import json, os, sys, time
os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
from ecg_sklearn.io import read_recording
signal = read_recording(sys.argv[1]).signal[:, 0]
import neurokit2
neurokit2.ecg_peaks(signal[:5000], sampling_rate=250)
start = time.perf_counter()
cleaned = neurokit2.ecg_clean(signal, sampling_rate=250)
_, found = neurokit2.ecg_peaks(cleaned, sampling_rate=250)
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "n_beats": len(found["ECG_R_Peaks"])}))
"""


def make_model(path):
    """Train the inter-patient network on simulated beats for one epoch."""
    from ecg_sklearn import make_ecg_pipeline, save
    from ecg_sklearn.datasets import make_heartbeats

    beats = make_heartbeats(
        1000, form="window", features=["rr", "morphology"], random_state=0
    )
    pipe = make_ecg_pipeline(
        preset="inter-patient", sampling_rate=beats.sampling_rate, epochs=1
    )
    save(pipe.fit(beats.frame, beats.target), path)


def write_edf(path, hours):
    """Simulate a recording and write it as EDF; return the number of its beats."""
    import edfio

    from ecg_sklearn.datasets import make_recording

    beats = make_recording(3600 * hours, sampling_rate=RATE, random_state=0)
    signal = np.clip(beats.signal[:, 0], -8, 8)
    lead = edfio.EdfSignal(
        signal,
        RATE,
        label="ECG II",
        physical_dimension="mV",
        physical_range=(-8, 8),
    )
    edfio.Edf([lead], data_record_duration=10).write(path)
    return len(beats.sample)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 6, 24, 48])
    parser.add_argument(
        "--model", type=Path, help="another model than the simulated one"
    )
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        model = args.model or folder / "model.ecgsk"
        if args.model is None:
            make_model(model)
        results = {"runs": []}
        for hours in args.hours:
            path = folder / "recording.edf"
            n_beats = write_edf(path, hours)
            table = folder / f"{hours}.csv"
            row = {"hours": hours, "beats": n_beats}
            row |= run_child(PREDICT, model, path, table, threads=1)
            if row.pop("code"):
                raise RuntimeError("ecg-sklearn predict failed: see its message above.")
            row["classified"] = len(table.read_text().splitlines()) - 1
            if importlib.util.find_spec("neurokit2"):
                peer = run_child(NEUROKIT, path, threads=1)
                row["neurokit2 beats alone, s"] = peer["seconds"]
            results["runs"].append(row)
            print(json.dumps(row), flush=True)
            write_results(args.output, results)
        print_table(results["runs"], {"hours": "g", "beats": "d", "classified": "d"})


if __name__ == "__main__":
    main()
