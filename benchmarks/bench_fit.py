"""What the way of scikit-learn costs: ``pipe.fit`` against a bare Keras training.

    python benchmarks/bench_fit.py            # 87,554 rows, two epochs
    python benchmarks/bench_fit.py --quick    # 4,000 rows

Both train the same graph on the same simulated beats for as many epochs. The bare side
is what a script would do: build, compile with the same optimizer and loss, and
``keras.Model.fit`` on the spectrograms as arrays, which it is given ready-made.
``pipe.fit`` scales the beats and makes the spectrograms itself. The two take turns, and
each training traces its step anew. Prints seconds, and last the median over the repeats
of ours divided by the other's: on the wall, and of the processor, which other programs
disturb less.
"""

import numpy as np
from _common import Stopwatch, alternate, make_parser, write_results

from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats


def fit_ours(pipe, X, y):
    """Fit the pipeline, nothing kept from before; give both kinds of seconds."""
    from ecg_sklearn.neural_network import _training

    _training._pool.idle.clear()
    with Stopwatch() as watch:
        pipe.fit(X, y)
    return watch.wall, watch.cpu


def fit_bare(spec, images, y, batch_size, epochs):
    """Train the same graph as a Keras script would; give both kinds of seconds."""
    import keras

    from ecg_sklearn.neural_network import _network, _training

    keras.utils.set_random_seed(0)
    with Stopwatch() as watch:
        network = _network.build_network(spec)
        optimizer = keras.optimizers.AdamW(2e-3, weight_decay=spec.weight_decay)
        network.compile(optimizer, _training._make_loss(spec), metrics=["accuracy"])
        network.fit(images, y, batch_size, epochs, verbose=0)
    return watch.wall, watch.cpu


def compare(n_beats, epochs, repeats):
    """Time both sides; give seconds of each repeat, and the median ratio."""
    X, y = make_heartbeats(n_beats, random_state=0, return_X_y=True)
    pipe = make_ecg_pipeline(preset="kaggle", epochs=epochs, random_state=0)
    fit_ours(pipe, X, y)  # loads TensorFlow
    images = pipe[:-1].transform(X)
    cnn = pipe[-1]
    ours, bare = alternate(
        lambda: fit_ours(pipe, X, y),
        lambda: fit_bare(cnn.model_.spec, images, y, cnn.batch_size, epochs),
        repeats,
    )
    ratio, ratio_cpu = np.median(np.divide(ours, bare), axis=0).tolist()
    return {
        "n_beats": n_beats,
        "epochs": epochs,
        "ours_seconds": [wall for wall, _ in ours],
        "keras_seconds": [wall for wall, _ in bare],
        "ours_cpu_seconds": [cpu for _, cpu in ours],
        "keras_cpu_seconds": [cpu for _, cpu in bare],
        "ratio": ratio,
        "ratio_cpu": ratio_cpu,
    }


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--beats", type=int, default=87_554)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4,000 beats")
    args = parser.parse_args()
    n_beats = 4000 if args.quick else args.beats

    result = compare(n_beats, args.epochs, args.repeats)
    for name, values in result.items():
        if name.endswith("_seconds"):
            print(f"{name:<18}", *(f"{t:8.2f}" for t in values))
    print(
        f"pipe.fit / keras.Model.fit: {result['ratio']:.3f} on the wall, "
        f"{result['ratio_cpu']:.3f} of the processor",
        flush=True,
    )
    write_results(args.output, result)


if __name__ == "__main__":
    main()
