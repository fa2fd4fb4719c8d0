"""A stream analysed block by block: milliseconds of a push, and start to first answer.

    python benchmarks/bench_stream_analyzer.py
    python benchmarks/bench_stream_analyzer.py --minutes 60 --output results/mine.json
    python benchmarks/bench_stream_analyzer.py --models onnx sklearn network

The models are the shipped "causal" as ONNX graph and in scikit-learn, and the preset
"inter-patient" with all causal features, trained for one epoch on simulated beats and
exported to ONNX; weights do not change the time. A process on one core loads a model,
and pushes a simulated lead at 250 Hz in blocks of one second. ``first_answer_s`` is
from the start of Python until the classes of the first ten seconds are there.
Processor milliseconds leave out what else the machine does. Starts and streams take
turns between the models; the fastest start counts, and the stream of the least median.
"""

import tempfile
from pathlib import Path

import numpy as np
from _common import make_parser, print_table, run_child, write_results

RATE = 250
STARTS, STREAMS = 8, 3
MODELS = ("onnx", "sklearn", "network")

READ = """
def read(model):
    if model in ("onnx", "sklearn"):
        from ecg_sklearn.models import load_model
        return load_model("causal", format=model)
    from ecg_sklearn.exporting import load_graph
    return load_graph(model)
"""

FIRST = """
import json, sys, time
start = time.perf_counter()
import numpy as np
from ecg_sklearn.analysis import StreamAnalyzer
analyzer = StreamAnalyzer(read(sys.argv[1]), 250)
n_beats = len(analyzer.push(np.load(sys.argv[2])[:2500]))
seconds = time.perf_counter() - start
loaded = sorted({"tensorflow", "keras", "imblearn", "skops"} & set(sys.modules))
print(json.dumps({"first_answer_s": seconds, "cpu_s": time.process_time(),
                  "n_beats": n_beats, "loaded": loaded}))
"""

PUSH = """
import json, os, sys, time
os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
import numpy as np
from _common import peak_bytes
from ecg_sklearn.analysis import StreamAnalyzer
lead, n_pushes = np.load(sys.argv[2]), int(sys.argv[3])
analyzer = StreamAnalyzer(read(sys.argv[1]), 250)
blocks = lead.reshape(-1, 250)
wall, cpu, peaks, n_beats = [], [], [], 0
for k in range(n_pushes):
    start, used = time.perf_counter(), time.thread_time()
    n_beats += len(analyzer.push(blocks[k % len(blocks)]))
    wall.append(time.perf_counter() - start)
    cpu.append(time.thread_time() - used)
    if k in (n_pushes // 10, n_pushes - 1):
        peaks.append(peak_bytes() / 1e6)
n_beats += len(analyzer.finish())
found = {"n_pushes": n_pushes, "n_beats": n_beats}
for name, values in (("wall", wall), ("cpu", cpu)):
    for share in (50, 99, 100):
        key = f"{name}_p{share}_ms" if share < 100 else f"{name}_max_ms"
        found[key] = 1e3 * float(np.percentile(values, share))
found |= {"peak_MB_after_a_tenth": peaks[0], "peak_MB": peaks[-1]}
print(json.dumps(found))
"""


def export_network(path):
    """Train for one epoch, and export."""
    from ecg_sklearn import export, make_ecg_pipeline
    from ecg_sklearn.datasets import make_heartbeats
    from ecg_sklearn.features import CAUSAL_GROUPS

    beats = make_heartbeats(
        1000, form="window", features=list(CAUSAL_GROUPS), random_state=0
    )
    pipe = make_ecg_pipeline(
        preset="inter-patient", sampling_rate=beats.sampling_rate, epochs=1
    )
    export(pipe.fit(beats.frame, beats.target), path, X=beats.frame)


def main():
    """Measure, print and save."""
    from ecg_sklearn.datasets import make_recording

    parser = make_parser(__doc__)
    parser.add_argument("--minutes", type=int, default=15, help="of each stream")
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=["onnx", "sklearn"]
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        network, signal = Path(folder, "model.onnx"), Path(folder, "lead.npy")
        if "network" in args.models:
            export_network(network)
        files = {n: network if n == "network" else n for n in args.models}
        lead = make_recording(
            600, sampling_rate=RATE, ectopy={"V": 0.05, "S": 0.05}, random_state=0
        ).signal[:, 0]
        np.save(signal, lead)
        starts = {name: [] for name in files}
        for _ in range(STARTS):
            for name, file in files.items():
                starts[name].append(run_child(READ + FIRST, file, signal, threads=1))
        pushes = {name: [] for name in files}
        for _ in range(STREAMS):
            for name, file in files.items():
                found = run_child(
                    READ + PUSH, file, signal, 60 * args.minutes, threads=1
                )
                pushes[name].append(found)
    results = {
        name: {
            "start": min(starts[name], key=lambda start: start["first_answer_s"]),
            "starts": starts[name],
            "push_of_1_s": min(pushes[name], key=lambda found: found["cpu_p50_ms"]),
            "streams": pushes[name],
        }
        for name in files
    }
    rows = []
    for name, found in results.items():
        pushed = {k: v for k, v in found["push_of_1_s"].items() if k.endswith("_ms")}
        loaded = ", ".join(found["start"]["loaded"]) or "nothing heavy"
        row = {"model": name, "loads": loaded} | pushed
        rows.append(row | {k: found["start"][k] for k in ("first_answer_s", "cpu_s")})
    print_table(rows)
    write_results(args.output, {"models": results})


if __name__ == "__main__":
    main()
