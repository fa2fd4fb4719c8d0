"""Accuracy and macro-F1 against the seconds of training.

    python benchmarks/bench_time_to_quality.py --data mitdb/          # held-out rows
    python benchmarks/bench_time_to_quality.py --data mitdb/ --test   # the test file

Trains ours for 1, 2, 4, 8 and 16 epochs, each with its own learning-rate cycle, and
HistGradientBoosting on the same rows. Seconds are those of the processor. One seed.
"""

import argparse
from pathlib import Path

from _common import setting, write_results
from bench_official import print_table, score


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--test", action="store_true", help="score the test file")
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--models", nargs="+", default=["ours", "ours, with context"])
    parser.add_argument(
        "--set", action="append", default=[], type=setting, metavar="NAME=JSON"
    )
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    jobs = [("HistGradientBoosting", {})]
    jobs += [
        (m, dict(args.set) | {"epochs": n}) for m in args.models for n in args.epochs
    ]
    runs = []
    for name, settings in jobs:
        runs.append(
            score(name, 0, args.data, held_out=not args.test, settings=settings)
        )
        write_results(args.output, {"runs": runs})
    print_table(runs)
    trees, *others = runs
    in_time = [r for r in others if r["cpu_seconds"] <= trees["cpu_seconds"]]
    best = max(in_time, key=lambda r: r["macro_f1"], default=None)
    if best is None:
        print("No training of ours is as short as that of HistGradientBoosting.")
    else:
        print(
            f"In the time of HistGradientBoosting ({trees['cpu_seconds']:.0f} s, "
            f"{trees['accuracy']:.4f} / {trees['macro_f1']:.4f}), {best['model']} "
            f"reaches {best['accuracy']:.4f} / {best['macro_f1']:.4f}"
        )


if __name__ == "__main__":
    main()
