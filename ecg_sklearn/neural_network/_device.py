"""Training on an accelerator: beats stay on it, and JAX runs an epoch as one call."""

import functools
import math

import keras
import numpy as np

from ecg_sklearn.neural_network._callbacks import EpochReport, OneCycle

_ROWS = 2**13  # beats and
_STEPS = 2**6  # steps are filled up to multiples, so that folds share compiled code


@functools.cache
def has_accelerator():
    """Whether the backend of Keras computes on something else than the processor."""
    if (backend := keras.backend.backend()) == "jax":
        import jax

        return jax.default_backend() != "cpu"
    if backend == "torch":
        return keras.ops.zeros(1).device.type != "cpu"
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def has_room_for(columns):
    """Whether an accelerator has room for two copies of these arrays."""
    if keras.backend.backend() == "jax":
        import jax

        stats = jax.local_devices()[0].memory_stats() or {}
        free = stats.get("bytes_limit", math.inf) - stats.get("bytes_in_use", 0)
    elif (device := keras.ops.zeros(1).device).type == "cuda":
        import torch

        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = math.inf
    return 2 * sum(column.nbytes for column in columns) < free


def as_epochs(trainer, batches, callbacks):
    """Let ``trainer.fit`` run each epoch as one step; return the data for it.

    None where it cannot: on another backend than JAX, or if a callback of the user
    follows the batches.
    """
    if keras.backend.backend() != "jax" or any(map(_follows_batches, callbacks)):
        return None
    if not hasattr(trainer, "steps_of_epoch"):
        trainer.steps_of_epoch = _compile_steps(trainer)
    rates = next((c.rates for c in callbacks if isinstance(c, OneCycle)), None)
    trainer.train_function = _Epoch(trainer, batches, rates)
    return _FirstBatch(batches)


def _follows_batches(callback):
    if isinstance(callback, (OneCycle, EpochReport)):
        return False
    return any(
        getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name)
        for edge in ("begin", "end")
        for name in (f"on_train_batch_{edge}", f"on_batch_{edge}")
    )


class _FirstBatch(keras.utils.PyDataset):
    """One batch, for the shapes: ``_Epoch`` takes all beats of the epoch itself."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batches[0]

    def release(self):
        self.batches = None


class _Epoch:
    """The steps of an epoch, in the place of Keras' compiled step."""

    def __init__(self, trainer, batches, rates):
        import jax.numpy as jnp

        self.trainer, self.batches = trainer, batches
        missing = -len(batches.order) % _ROWS
        batches.columns = [
            jnp.pad(column, [(0, missing)] + [(0, 0)] * (column.ndim - 1))
            for column in batches.columns
        ]
        self.rates = None if rates is None else jnp.asarray(rates, "float32")

    def __call__(self, state, iterator):
        next(iterator)  # Keras counts it
        size, order = self.batches.batch_size, self.batches.order.astype(np.int32)
        n_full = len(order) // size
        n_beats = n_full * size
        full, rest = order[:n_beats].reshape(n_full, size), order[n_beats:]
        full = np.pad(full, ((0, -n_full % _STEPS), (0, 0)))
        for rows, n_steps in (full, n_full), (rest[None], int(rest.size > 0)):
            if n_steps:
                state = self.trainer.steps_of_epoch(
                    state, self.batches.columns, rows, self.rates, n_steps
                )
        scope = zip(self.trainer.metrics_variables, state[-1], strict=True)
        with keras.StatelessScope(state_mapping=scope):
            return self.trainer.get_metrics_result(), state


def _compile_steps(trainer):
    """Compile a loop over Keras' own step, which takes the rows of each batch."""
    import jax

    variables = trainer.optimizer.variables
    rate, done = (
        next(i for i, variable in enumerate(variables) if variable is wanted)
        for wanted in (trainer.optimizer.learning_rate, trainer.optimizer.iterations)
    )

    def run(state, columns, rows, rates, n_steps):
        def step(number, state):
            if rates is not None:
                optimizer = list(state[2])
                optimizer[rate] = rates[optimizer[done]]
                state = (*state[:2], optimizer, state[3])
            batch = tuple(column[rows[number]] for column in columns)
            return trainer.train_step(state, batch)[1]

        return jax.lax.fori_loop(0, n_steps, step, state)

    return jax.jit(run, donate_argnums=0)
