"""Train and predict on the device of Keras' backend: a graphics card, or the processor.

    KERAS_BACKEND=jax python benchmarks/bench_gpu.py --data mitdb/
    KERAS_BACKEND=jax python benchmarks/bench_gpu.py --limit 4000 --epochs 2

Trains the public pipeline on the official rows; without ``--data``, on as many
simulated beats. Prints seconds of the first epoch, which compiles, and of the last one;
milliseconds of a training step alone, again and again on one batch that is on the
device, and which share of the last epoch such steps take (on a processor, of its own
seconds); beats per second predicted in bulk, training and test rows together, by the
pipeline and by its parts; the score on the test rows.

On JAX, a graphics card runs an epoch as one call; ``--as-on-gpu`` does so on a
processor, which is slower there.
"""

import keras
import numpy as np
from _common import Stopwatch, about, make_parser, seconds_each, write_results
from sklearn.metrics import accuracy_score, f1_score

from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats
from ecg_sklearn.neural_network import _device, _training
from ecg_sklearn.pipeline import PRESETS

N_TRAINING, N_TEST = 87_554, 21_892  # of the official split


class Epochs(keras.callbacks.Callback):
    """Seconds of each epoch: on the wall, and of the processor."""

    def __init__(self):
        super().__init__()
        self.watches = []

    def on_epoch_begin(self, epoch, logs=None):
        """Start a watch."""
        self.watches.append(Stopwatch().__enter__())

    def on_epoch_end(self, epoch, logs=None):
        """Stop it."""
        self.watches[-1].__exit__()


def load(home, limit):
    """Load training and test beats: official, or simulated of the same number."""
    if home is None:
        both = make_heartbeats(N_TRAINING + N_TEST, n_records=48, random_state=0)
        X, y = both.data, both.target
        sides = X[:N_TRAINING], y[:N_TRAINING], X[N_TRAINING:], y[N_TRAINING:]
    else:
        parts = [fetch_mitbih(subset, data_home=home) for subset in ("train", "test")]
        sides = tuple(side for part in parts for side in (part.data, part.target))
    return [side[:limit] for side in sides]


def name_of_device():
    """Name what the backend computes on."""
    backend = keras.backend.backend()
    if not _device.has_accelerator():
        return about()["processor"]
    if backend == "jax":
        import jax

        return jax.devices()[0].device_kind
    if backend == "torch":
        import torch

        return torch.cuda.get_device_name()
    import tensorflow as tf

    gpu = tf.config.list_physical_devices("GPU")[0]
    return tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)


def watch_steps(cnn, images, codes, n_steps):
    """Time compiled steps, one after the other, on a batch that is on the device."""
    batch = tuple(map(keras.ops.convert_to_tensor, (images, codes)))
    with (
        _training.deterministic_operations(),
        _training.borrow_trainer(cnn.model_, []) as trainer,
    ):
        steps, wait = STEPS[keras.backend.backend()](trainer, batch)

        def run():
            for _ in range(n_steps):
                last = steps()
            wait(last)

        run()
        with Stopwatch() as watch:
            run()
        return watch


def _jax_steps(trainer, batch):
    import jax

    step = jax.jit(trainer.train_step)
    kept = [
        [variable.value for variable in group]
        for group in (
            trainer.trainable_variables,
            trainer.non_trainable_variables,
            trainer.optimizer.variables,
            trainer.metrics_variables,
        )
    ]
    return lambda: step(kept, batch), jax.block_until_ready


def _tensorflow_steps(trainer, batch):
    import tensorflow as tf

    step = tf.function(trainer.train_step, jit_compile=trainer.jit_compile)
    return lambda: step(batch), lambda logs: [value.numpy() for value in logs.values()]


def _torch_steps(trainer, batch):
    return (
        lambda: trainer.train_step(batch),
        lambda logs: [float(value) for value in logs.values()],
    )


STEPS = {"jax": _jax_steps, "tensorflow": _tensorflow_steps, "torch": _torch_steps}


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--limit", type=int, help="beats of each side to keep")
    parser.add_argument("--epochs", type=int, help="those of the preset unless given")
    parser.add_argument("--preset", choices=PRESETS, default="kaggle")
    parser.add_argument("--as-on-gpu", action="store_true", help="JAX: whole epochs")
    args = parser.parse_args()
    device = name_of_device()
    gpu = _device.has_accelerator()
    if args.as_on_gpu:
        _device.has_accelerator = lambda: True

    X, y, X_test, y_test = load(args.data, args.limit)
    epochs = Epochs()
    extra = {} if args.epochs is None else {"epochs": args.epochs}
    pipe = make_ecg_pipeline(
        preset=args.preset,
        callbacks=[epochs],
        random_state=0,
        **extra,
    )
    with Stopwatch() as training:
        pipe.fit(X, y)
    cnn, before = pipe["cnn"], pipe[:-1]
    every = np.concatenate([X, X_test])
    images = before.transform(every)
    as_images = images if images.ndim == 4 else images[..., None]
    rows = slice(None, cnn.batch_size)
    n_steps = -(-len(X) // cnn.batch_size)
    codes = np.searchsorted(cnn.classes_, y[rows])
    steps = watch_steps(cnn, as_images[rows], codes, n_steps)
    later = epochs.watches[-1]
    # A busy machine changes the processor's own seconds less.
    clock = "wall" if gpu else "cpu"
    predicted = pipe.predict(X_test)
    result = {
        "backend": keras.backend.backend(),
        "device": device,
        "rows": "official" if args.data else "simulated",
        "whole_epochs": keras.backend.backend() == "jax" and _device.has_accelerator(),
        "n_training": len(X),
        "n_test": len(X_test),
        "seconds_first_epoch": epochs.watches[0].wall,
        "seconds_last_epoch": later.wall,
        "cpu_seconds_last_epoch": later.cpu,
        "seconds_training": training.wall,
        "cpu_seconds_training": training.cpu,
        "step_ms": 1e3 * steps.wall / n_steps,
        "share_computing": getattr(steps, clock) / getattr(later, clock),
        **{
            f"{name}_beats_per_second": len(every)
            / np.median(seconds_each(*call, repeats=3))
            for name, call in {
                "pipeline": (pipe.predict_proba, every),
                "spectrogram": (before.transform, every),
                "network": (cnn.predict_proba, images),
            }.items()
        },
        "accuracy": accuracy_score(y_test, predicted),
        "macro_f1": f1_score(y_test, predicted, average="macro", zero_division=0),
        "losses": cnn.history_["loss"],
    }
    for name, value in result.items():
        if name != "losses":
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            print(f"{name:<26} {f'{value:.4g}' if number else value}")
    write_results(args.output, result)


if __name__ == "__main__":
    main()
