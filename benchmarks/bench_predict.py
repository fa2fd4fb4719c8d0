"""Predict with a fitted network, in bulk and beat by beat, against Keras' own loop.

    python benchmarks/bench_predict.py
    python benchmarks/bench_predict.py --quick

Prints beats per second, the latency of one beat, and the ratios to
``keras.Model.predict`` with the same weights. The speed does not depend on what the
network has learned, so it is trained for one epoch on simulated beats.
"""

import numpy as np
from _common import make_parser, seconds_each, write_results

from ecg_sklearn import SpectrogramCNNClassifier, SpectrogramTransformer
from ecg_sklearn.datasets import make_heartbeats


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

    one, keras_one = (
        seconds_each(f, x[:1], repeats=repeats)
        for f, x in ((cnn.predict_proba, images), (keras_predict, tensors))
    )
    bulk, keras_bulk = (
        np.median(seconds_each(f, x, repeats=5))
        for f, x in ((cnn.predict_proba, images), (keras_predict, tensors))
    )
    result = {
        "beats_per_second": len(images) / bulk,
        "keras_beats_per_second": len(images) / keras_bulk,
        "one_beat_ms_p50": 1e3 * np.median(one),
        "one_beat_ms_p99": 1e3 * np.quantile(one, 0.99),
        "keras_one_beat_ms_p50": 1e3 * np.median(keras_one),
        "ratio_bulk": keras_bulk / bulk,
        "ratio_one_beat": np.median(keras_one) / np.median(one),
    }
    for name, value in result.items():
        print(f"{name:<24} {value:10.2f}")
    write_results(args.output, result)


if __name__ == "__main__":
    main()
