"""How good after how many seconds: trainings of 1 to 16 epochs beside trees.

    python benchmarks/bench_time_to_quality.py --data mitdb/
    python benchmarks/bench_time_to_quality.py --data mitdb/ --quick

Prints accuracy and macro-F1 of ours, on rows alone and with context, against the
processor's seconds of its training, and those of HistGradientBoosting on the same
beats. Scores a tenth of the training rows of the official split; ``--test`` opens its
test file. Each line is a training of its own, because the learning rate runs through
one cycle. The last lines say how many times as long as ours the trees take, where ours
is the shortest training that is as good as they are.
"""

from _common import add_settings, make_parser, print_table, write_results
from _official import load, score

PAIRS = {
    "ours": "HistGradientBoosting",
    "ours, with context": "HistGradientBoosting, with context",
}


def shortest_as_good(ours, peer):
    """Give the shortest of our trainings that reaches the peer's macro-F1, or None."""
    reached = [run for run in ours if run["macro_f1"] >= peer["macro_f1"]]
    return min(reached, key=lambda run: run["cpu_seconds"], default=None)


def verdict(name, ours, peer):
    """Say in one line what reaching the peer takes, with the ratio last."""
    found = shortest_as_good(ours, peer)
    whose = f"{name}: macro-F1 {peer['macro_f1']:.4f} of {peer['model']}"
    if found is None:
        return f"{whose} not reached"
    ratio = peer["cpu_seconds"] / found["cpu_seconds"]
    return (
        f"{whose} reached after {found['settings']['epochs']} epochs, "
        f"{found['cpu_seconds']:.0f} s; the trees took {peer['cpu_seconds']:.0f} s, "
        f"ratio {ratio:.2f}"
    )


def row_of(run):
    """Sum up a run as a row of the table."""
    epochs = run["settings"].get("epochs")
    return {
        "model": run["model"],
        "epochs": "" if epochs is None else str(epochs),
        "CPU s": run["cpu_seconds"],
        "accuracy": run["accuracy"],
        "macro-F1": run["macro_f1"],
    }


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--test", action="store_true", help="score the test file")
    parser.add_argument("--quick", action="store_true", help="2,000 beats, 1, 2 epochs")
    add_settings(parser)
    args = parser.parse_args()
    epochs, limit = ([1, 2], 2000) if args.quick else (args.epochs, None)

    runs, verdicts = [], []
    for name, peer_name in PAIRS.items():
        sides = load(
            args.data,
            context=name.endswith("context"),
            held_out=None if args.test else 0,
            limit=limit,
        )
        ours = []
        for n in epochs:
            print(f"{name}, {n} epochs", flush=True)
            ours.append(score(name, args.seed, sides, dict(args.set) | {"epochs": n}))
        peer = score(peer_name, args.seed, sides, {})
        runs += [*ours, peer]
        verdicts.append(verdict(name, ours, peer))
        scored_on = "test file" if args.test else "held-out training rows"
        content = {"scored_on": scored_on, "runs": runs, "verdicts": verdicts}
        write_results(args.output, content)
    formats = {"CPU s": ".0f", "accuracy": ".4f", "macro-F1": ".4f"}
    print_table([row_of(run) for run in runs], formats)
    print(*verdicts, sep="\n", flush=True)


if __name__ == "__main__":
    main()
