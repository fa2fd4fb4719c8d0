"""Seconds of one training step, with oneDNN and without.

    python benchmarks/bench_step.py
    python benchmarks/bench_step.py --quick

A step is one batch of 128 beats, forwards and backwards: of the default network, of the
one on spectrograms with phase, a row of features and a residual block, of both networks
of ``make_ecg_ensemble(preset="kaggle")``, and of the plain 1-D CNN of
``bench_official.py``. They are timed in turns. TensorFlow chooses its kernels when it
starts: each side runs in a process of its own. Prints seconds of the processor, of all
threads together, and the ratio of both sides.
"""

from _common import about, make_parser, print_table, run_child, write_results

CHILD = """
import contextlib, json, os, sys
os.environ["TF_ENABLE_ONEDNN_OPTS"] = sys.argv[1]
import numpy as np
from _common import Stopwatch
from _official import PlainNetwork
from ecg_sklearn import SpectrogramCNNClassifier, make_ecg_ensemble
from ecg_sklearn.neural_network import _training

n_steps, n_turns = int(sys.argv[2]), 5
rng = np.random.default_rng(0)
codes = np.arange(128) % 5
plain = rng.random((128, 12, 47, 1), dtype=np.float32)
with_phase = rng.random((128, 13, 47, 3), dtype=np.float32)
with_phase[:, -1, 22:] = np.nan
rows = rng.random((128, 1, 187, 1), dtype=np.float32)
voters = make_ecg_ensemble(preset="kaggle").named_estimators
networks = {
    "default": (SpectrogramCNNClassifier(), plain),
    "phase, features, residual block": (
        SpectrogramCNNClassifier(residual=(3,)), with_phase
    ),
    "vote: spectrogram": (voters["network"]["cnn"], with_phase[:, :-1]),
    "vote: samples": (voters["waveform"]["cnn"], rows),
}
with _training.deterministic_operations(), contextlib.ExitStack() as stack:
    trainers = {}
    for name, (cnn, images) in networks.items():
        cnn.set_params(random_state=0).initialize(images, codes)
        borrowed = _training.borrow_trainer(cnn.model_, [])
        trainers[name] = stack.enter_context(borrowed), images
    cnn = PlainNetwork(0, epochs=1)
    cnn.fit(rows[..., 0, :, 0], codes)
    trainers["plain 1-D CNN"] = cnn.network, rows[:, 0]
    seconds = {name: [] for name in trainers}
    for turn in range(-1, n_turns):  # the first one traces the steps
        for name, (trainer, images) in trainers.items():
            with Stopwatch() as watch:
                for _ in range(max(1, n_steps // n_turns)):
                    trainer.train_on_batch(images, codes)
            if turn >= 0:
                seconds[name].append(watch.cpu / max(1, n_steps // n_turns))
print(json.dumps({name: float(np.median(found)) for name, found in seconds.items()}))
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
