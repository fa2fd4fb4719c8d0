"""The official Kaggle split: our networks beside their peers.

    python benchmarks/bench_official.py --data mitdb/ --held-out     # for choosing
    python benchmarks/bench_official.py --data mitdb/                # five seeds
    python benchmarks/bench_official.py --merge a.json b.json --output all.json

Prints accuracy, macro-F1, recall of each class and seconds of each model, mean and
standard deviation over the seeds; last, how far our votes are from their targets.
``--held-out`` scores a tenth of the training rows, the same for all, and leaves the
test file closed; ``--held-out 1`` and so on are other draws, of three tenths with
``--tenths 3``. Of a vote, it prints other weights as well. ``--limit 4000`` trains on
few beats, for a trial. What a choice is worth: ``--held-out --models ours --set
epochs=8 --set spectrogram__phase=false``.

A model "with context" sees the rhythm around the beat and its likeness to the patient's
usual one, which the rows do not hold. All 48 patients are on both sides: this measures
memory of patients as well as skill. MiniRocket needs aeon.

``--output`` is written after each seed and adds to what the file holds; runs of one
model, seed and settings take each other's place. Processes that run at one time need
files of their own: ``--merge`` adds them up. ``--missing`` runs what the file lacks.
"""

import json
import sys
from pathlib import Path

import numpy as np
from _common import add_settings, make_parser, mean_and_sd, print_table, write_results
from _official import MODELS, load, score

TARGETS = {
    "our vote": {"accuracy": 0.9895, "macro_f1": 0.9370},
    "our vote, with context": {"accuracy": 0.9930, "macro_f1": 0.9520},
}


def key_of(run):
    """Say what makes a run the same as another."""
    settings = json.dumps(run["settings"], sort_keys=True)
    limit = run.get("n_training")
    return run["model"], run["seed"], run["scored_on"], settings, limit


def read_runs(paths):
    """Read runs of several files; a later one takes the place of an earlier one."""
    runs = {}
    for path in paths:
        content = json.loads(path.read_text())
        for run in content["runs"]:
            runs[key_of(run)] = {"about": content["about"]} | run
    return runs


def same_but_for_the_seed(runs):
    """Group runs of one model with the same settings, in the order of ``MODELS``."""
    groups = {}
    order = {name: number for number, name in enumerate(MODELS)}  # files may hold more
    place = len(order)
    for run in sorted(runs, key=lambda r: (order.get(r["model"], place), r["seed"])):
        model, _, *rest = key_of(run)
        groups.setdefault((model, *rest), []).append(run)
    return groups.values()


def row_of(runs):
    """Sum up the runs of one model as a row of the table."""
    first = runs[0]
    changes = [f"{name}={value}" for name, value in first["settings"].items()]
    recall = np.mean([r["recall"] for r in runs], axis=0)
    return {
        "model": "; ".join([first["model"], *changes]),
        "scored on": first["scored_on"],
        "seeds": str(len(runs)),
        "accuracy": mean_and_sd([r["accuracy"] for r in runs]),
        "macro-F1": mean_and_sd([r["macro_f1"] for r in runs]),
        **dict(zip("NSVFQ", recall.tolist(), strict=True)),
        "CPU s": f"{np.median([r['cpu_seconds'] for r in runs]):.0f}",
    }


def print_scores(runs):
    """Print the table, and how far from the target ours is."""
    groups = list(same_but_for_the_seed(runs))
    if not groups:
        return
    print_table([row_of(group) for group in groups], dict.fromkeys("NSVFQ", ".3f"))
    for group in groups:
        name = group[0]["model"]
        if name in TARGETS and not group[0]["settings"]:
            means = {key: np.mean([r[key] for r in group]) for key in TARGETS[name]}
            parts = [
                f"{key} {means[key]:.4f} (target {wanted:.4f})"
                for key, wanted in TARGETS[name].items()
            ]
            where = f"{group[0]['scored_on']}, {len(group)} seeds"
            print(f"{name}, {where}: {', '.join(parts)}", flush=True)


def print_votes(run):
    """Print the scores of a vote with other weights."""
    if votes := run.get("votes"):
        rows = [
            {"voters": names, "accuracy": s["accuracy"], "macro-F1": s["macro_f1"]}
            for names, s in votes.items()
        ]
        print_table(rows, {"accuracy": ".4f", "macro-F1": ".4f"})


def scored_on(held_out, tenths=1):
    """Name the beats that are scored."""
    if held_out is None:
        return "test file"
    several = f", {tenths} tenths" if tenths > 1 else ""
    return f"held-out training rows{several}" + (
        f", draw {held_out}" if held_out else ""
    )


def run_all(args, runs):
    """Run models and seeds; write what is known after each."""
    where = scored_on(args.held_out, args.tenths)
    settings = dict(args.set)
    for name in args.models or MODELS:
        sides = load(
            args.data,
            context=MODELS[name][1],
            held_out=args.held_out,
            tenths=args.tenths,
            limit=args.limit,
        )
        for seed in args.seeds:
            about_run = {
                "model": name,
                "seed": seed,
                "scored_on": where,
                "settings": settings,
                "n_training": len(sides[0].target),
            }
            if args.missing and key_of(about_run) in runs:
                continue
            print(f"{name}, seed {seed}", flush=True)
            try:
                choosing = args.held_out is not None
                run = score(name, seed, sides, settings, weights=choosing)
            except ImportError as error:
                print(f"{name} is left out: {error}", file=sys.stderr, flush=True)
                break
            run = about_run | run
            runs[key_of(run)] = run
            write_results(args.output, {"runs": list(runs.values())})
            print_scores([run])
            print_votes(run)


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--held-out",
        type=int,
        nargs="?",
        const=0,
        metavar="DRAW",
        help="score a tenth of the training rows, and leave the test closed",
    )
    parser.add_argument(
        "--tenths", type=int, default=1, help="tenths of the rows to hold out (1)"
    )
    parser.add_argument("--limit", type=int, help="training beats to keep, for a trial")
    parser.add_argument("--missing", action="store_true", help="run what is missing")
    parser.add_argument("--merge", type=Path, nargs="+", help="add up files, run none")
    add_settings(parser)
    args = parser.parse_args()
    if args.set and not args.models:
        parser.error("--set needs --models: not all have these parameters.")

    known = list(args.merge or ())
    if args.output is not None and args.output.exists():
        known.insert(0, args.output)
    runs = read_runs(known)
    if args.merge:
        write_results(args.output, {"runs": list(runs.values())})
    else:
        run_all(args, runs)
    print_scores(runs.values())


if __name__ == "__main__":
    main()
