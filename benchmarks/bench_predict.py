"""Predict with a fitted network, in bulk and beat by beat, against Keras' own loop.

    python benchmarks/bench_predict.py
    python benchmarks/bench_predict.py --quick

Prints beats per second on one core, the latency of one beat, and the ratios to
``keras.Model.predict`` with the same weights. In bulk, both are called in turns, and
the ratio is the median of those of each turn: on the wall, and of the processor's
seconds, which a busy machine changes less. The speed does not depend on what the
network has learned, so it is trained for one epoch on simulated beats.

"Unfolded" is the same without folding normalisations into convolutions.

    ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/bench_predict.py
    TF_ENABLE_ONEDNN_OPTS=0 python benchmarks/bench_predict.py

stand for processors without AVX-512, and for TensorFlow without oneDNN.
"""

import os

# Before TensorFlow starts. On one core, threads of its own only wait for each other.
os.environ |= {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import numpy as np  # noqa: E402
from _common import (  # noqa: E402
    Stopwatch,
    make_parser,
    seconds_each,
    write_results,
)

from ecg_sklearn import SpectrogramCNNClassifier, SpectrogramTransformer  # noqa: E402
from ecg_sklearn.datasets import make_heartbeats  # noqa: E402
from ecg_sklearn.neural_network import _prediction  # noqa: E402

BULK = _prediction.BULK

_VARIABLES = "TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA"


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="20 repeats")
    args = parser.parse_args()
    repeats = 20 if args.quick else args.repeats

    X, y = make_heartbeats(4096, n_records=16, random_state=0, return_X_y=True)
    images = SpectrogramTransformer().fit_transform(X)
    cnn = SpectrogramCNNClassifier(epochs=1, random_state=0).fit(images, y)
    tensors = images[..., None]

    def keras_predict(batch):
        return cnn.model_.predict(batch, verbose=0)

    by_keras = (keras_predict, tensors)

    one, keras_one = (
        seconds_each(f, x[:1], repeats=repeats)
        for f, x in ((cnn.predict_proba, images), (keras_predict, tensors))
    )

    def watched(function, batch):
        with Stopwatch() as watch:
            function(batch)
        return watch.wall, watch.cpu

    np.testing.assert_allclose(
        cnn.predict_proba(images), keras_predict(tensors), atol=1e-6
    )
    # Who comes first changes with each turn.
    sides = {"folded": BULK, "unfolded": len(images) + 1, "keras": None}
    turns: dict = {name: [] for name in sides}
    for turn in range(3 if args.quick else 10):
        for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
            _prediction.BULK = sides[name]
            ours = (cnn.predict_proba, images)
            turns[name].append(watched(*(ours if sides[name] else by_keras)))
    _prediction.BULK = BULK
    # Turns by seconds on the wall and of the processor.
    folded, unfolded, keras = (np.array(turns[name]) for name in sides)
    bulk, keras_bulk = np.median(folded[:, 0]), np.median(keras[:, 0])
    ratio, ratio_cpu = np.median(keras / folded, axis=0)
    result = {
        "variables": {name: os.environ.get(name) for name in _VARIABLES},
        "beats_per_second": len(images) / bulk,
        "keras_beats_per_second": len(images) / keras_bulk,
        "one_beat_ms_p50": 1e3 * np.median(one),
        "one_beat_ms_p99": 1e3 * np.quantile(one, 0.99),
        "keras_one_beat_ms_p50": 1e3 * np.median(keras_one),
        "ratio_bulk": ratio,
        "ratio_bulk_cpu": ratio_cpu,
        "ratio_bulk_cpu_unfolded": np.median(keras / unfolded, axis=0)[1],
        "cpu_us_per_beat": 1e6 * np.median(folded[:, 1]) / len(images),
        "keras_cpu_us_per_beat": 1e6 * np.median(keras[:, 1]) / len(images),
        "ratio_one_beat": np.median(keras_one) / np.median(one),
    }
    for name, value in result.items():
        if name != "variables":
            print(f"{name:<24} {value:10.2f}")
    write_results(args.output, result)


if __name__ == "__main__":
    main()
