"""Seconds of ``pipe.fit``, beside the same graph trained by a bare Keras script.

    python benchmarks/bench_fit.py            # 87,554 rows, two epochs
    python benchmarks/bench_fit.py --quick    # 12,000 rows

The script has the spectrograms ready and calls ``keras.Model.fit`` on arrays, with the
same network, optimizer, loss, batches and epochs; the pipeline scales, transforms and
validates its input as well. Runs take turns; the first of each, which compiles, is
counted, as a user waits for it too. One thread.
"""

import argparse
from pathlib import Path

import numpy as np
from _common import run_child, write_results

_SHARED = """
import json, sys, time
import numpy as np
from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats
n, epochs = int(sys.argv[1]), int(sys.argv[2])
X, y = make_heartbeats(n, n_records=48, random_state=0, return_X_y=True)
import keras, tensorflow
"""
_OURS = (
    _SHARED
    + """
pipe = make_ecg_pipeline(sampler=None, epochs=epochs, random_state=0)
start = time.perf_counter()
pipe.fit(X, y)
print(json.dumps(time.perf_counter() - start))
"""
)
_BARE = (
    _SHARED
    + """
from sklearn.base import clone
pipe = make_ecg_pipeline(sampler=None, epochs=epochs, random_state=0)
images = pipe[:-1].fit_transform(X, y)[..., None]
steps = epochs * -(-n // 128)
layers = keras.layers
start = time.perf_counter()
stack = [layers.Input(images.shape[1:])]
for width in (32, 64, 128, 256):
    stack += [
        layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]
stack += [
    layers.GlobalAveragePooling2D(),
    layers.Dense(128, activation="relu"),
    layers.Dense(5, activation="softmax"),
]
model = keras.Sequential(stack)
rate = keras.optimizers.schedules.CosineDecay(
    8e-5, 3 * steps // 4, warmup_target=2e-3, warmup_steps=steps // 4
)
optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y, 128, epochs, verbose=0)
print(json.dumps(time.perf_counter() - start))
"""
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="12,000 rows")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="JSON file to write")
    args = parser.parse_args()

    n_beats = 12_000 if args.quick else 87_554
    ours, bare = [], []
    for number in range(args.repeats):
        ours.append(run_child(_OURS, n_beats, args.epochs))
        bare.append(run_child(_BARE, n_beats, args.epochs))
        print(f"run {number}: pipeline {ours[-1]:.1f} s, bare Keras {bare[-1]:.1f} s")
    ratio = float(np.median(np.array(ours) / np.array(bare)))
    results = {"n_beats": n_beats, "epochs": args.epochs, "ours": ours, "bare": bare}
    write_results(args.output, results | {"ratio": ratio})
    print(f"pipeline / bare Keras, median of {args.repeats}: {ratio:.3f}")


if __name__ == "__main__":
    main()
