"""Seconds of one training step, with oneDNN and without.

    python benchmarks/bench_step.py
    python benchmarks/bench_step.py --quick

A step is one batch of 128 spectrograms, forwards and backwards: of the default network,
and of the one on spectrograms with phase, a row of features and a residual block.
TensorFlow chooses its kernels when it starts: each side runs in a process of its own.
Prints seconds of the processor, of all threads together, and the ratio of both sides.
"""

from _common import about, make_parser, print_table, run_child, write_results

CHILD = """
import json, os, sys
os.environ["TF_ENABLE_ONEDNN_OPTS"] = sys.argv[1]
import numpy as np
from _common import Stopwatch
from ecg_sklearn import SpectrogramCNNClassifier
from ecg_sklearn.neural_network import _training

n_steps = int(sys.argv[2])
rng = np.random.default_rng(0)
plain = rng.random((128, 12, 47, 1), dtype=np.float32)
with_phase = rng.random((128, 13, 47, 3), dtype=np.float32)
with_phase[:, -1, 22:] = np.nan
seconds = {}
for name, images, params in (
    ("default", plain, {}),
    ("phase, features, residual block", with_phase, {"residual": (3,)}),
):
    cnn = SpectrogramCNNClassifier(**params, random_state=0)
    codes = np.arange(128) % 5
    cnn.initialize(images, codes)
    with (
        _training.deterministic_operations(),
        _training.borrow_trainer(cnn.model_, []) as trainer,
    ):
        for _ in range(3):  # traces the step
            trainer.train_on_batch(images, codes)
        with Stopwatch() as watch:
            for _ in range(n_steps):
                trainer.train_on_batch(images, codes)
    seconds[name] = watch.cpu / n_steps
print(json.dumps(seconds))
"""


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--steps", type=int, default=50, help="steps to time")
    parser.add_argument("--quick", action="store_true", help="5 steps")
    args = parser.parse_args()

    n_steps = 5 if args.quick else args.steps
    without, with_it = (run_child(CHILD, opts, n_steps) for opts in (0, 1))
    rows = [
        {
            "network": name,
            "TF_ENABLE_ONEDNN_OPTS=0": without[name],
            "TF_ENABLE_ONEDNN_OPTS=1": with_it[name],
            "ratio": without[name] / with_it[name],
        }
        for name in without
    ]
    print(f"{about()['processor']}, processor seconds of one step:")
    print_table(rows, {"ratio": ".2f"})
    write_results(args.output, {"n_steps": n_steps, "rows": rows})


if __name__ == "__main__":
    main()
