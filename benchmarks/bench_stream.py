"""Time and memory of learning from a stream, from ten thousand to a million beats.

    python benchmarks/bench_stream.py
    python benchmarks/bench_stream.py --sizes 10000 30000

Each size runs in a process of its own, with a small network: the stream is what is
measured. Beats are simulated in each pass, in batches of ``--batch`` beats. The last
lines are the ratios of the largest size to the smallest: processor seconds per beat (a
stream of one batch goes before, so that starting TensorFlow does not count), and peak
memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from ecg_sklearn import fit_stream, make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats


def learn(n_beats, batch):
    """Learn from a stream of beats; give seconds, by the clock and of processor."""

    def batches():
        for seed in range(n_beats // batch):
            yield make_heartbeats(batch, n_records=20, random_state=seed)

    pipe = make_ecg_pipeline(
        sampler=None, filters=(8, 16), dense_units=16, random_state=0
    )
    start = time.perf_counter(), time.process_time()
    fit_stream(pipe, batches, classes=range(5))
    return time.perf_counter() - start[0], time.process_time() - start[1]


def in_a_new_process(n_beats, batch):
    command = [sys.executable, __file__, "--one", str(n_beats), "--batch", str(batch)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000]
    )
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()
    if args.one is not None:
        learn(args.batch, args.batch)
        seconds, cpu = learn(args.one, args.batch)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "cpu_s": cpu, "peak_MiB": peak}))
        return

    rows = []
    print(f"{'beats':>9} {'seconds':>9} {'CPU s':>9} {'ms/beat':>9} {'peak MiB':>9}")
    for n_beats in sorted(args.sizes):
        row = {"n_beats": n_beats, **in_a_new_process(n_beats, args.batch)}
        row["ms_per_beat"] = 1e3 * row["cpu_s"] / n_beats
        rows.append(row)
        print(
            f"{n_beats:>9,} {row['seconds']:>9.1f} {row['cpu_s']:>9.1f} "
            f"{row['ms_per_beat']:>9.3f} {row['peak_MiB']:>9.0f}",
            flush=True,
        )
    result = {
        "batch": args.batch,
        "sizes": rows,
        "ratio_cpu_per_beat": rows[-1]["ms_per_beat"] / rows[0]["ms_per_beat"],
        "ratio_peak_memory": rows[-1]["peak_MiB"] / rows[0]["peak_MiB"],
    }
    print(f"ratio_cpu_per_beat {result['ratio_cpu_per_beat']:.2f}")
    print(f"ratio_peak_memory {result['ratio_peak_memory']:.2f}")
    if args.output is not None:
        args.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
