"""Training on more beats than fit into memory: :func:`fit_stream`."""

import time
from collections.abc import Iterable, Iterator
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, validate_params

__all__ = ["fit_stream"]


@validate_params(
    {
        "pipe": [HasMethods(["set_params", "predict"])],
        "batches": [Iterable, callable],
        "classes": ["array-like", None],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def fit_stream(pipe, batches, *, classes=None, epochs=1, verbose=0):
    """Fit a pipeline to batches of beats, which are read several times.

    Each pass over the batches fits one transformer, on the output of the earlier ones;
    then the classifier learns for ``epochs`` passes. Fitting transformers in batches
    gives the same result as fitting them to all beats at once. At most two batches are
    in memory: the current one, and the next one while it is read.

    Parameters
    ----------
    pipe : Pipeline
        Pipeline whose steps have ``partial_fit``, such as
        ``make_ecg_pipeline(sampler=None)``; fitted in place. After success, its steps
        are replaced by newly fitted clones.
    batches : iterable or callable
        Batches: Bunches with ``data`` and ``target``, or tuples ``(X, y)``. A list or
        another object that can be iterated over repeatedly, or a function that returns
        a new iterator at each call. Beats are shuffled only within each batch, so
        batches should mix classes and records.
    classes : array-like of shape (n_classes,), default=None
        All labels. None collects them in the first pass.
    epochs : int, default=1
        Passes of the classifier.
    verbose : int, default=0
        1 prints a line for each pass.

    Returns
    -------
    Pipeline
        ``pipe``, fitted.

    Raises
    ------
    ValueError
        If a step cannot learn from batches, such as a sampler; if ``batches`` can be
        read only once, or is empty in a pass; or if a label is not in ``classes``.
    TypeError
        If ``pipe`` is not a pipeline, or a batch is neither a Bunch nor a pair.

    Notes
    -----
    Samplers are refused: SMOTE interpolates between neighbours, and those of a rare
    class are seldom in the same batch. Set ``class_weight`` of the classifier instead.

    The classifier learns by ``partial_fit``: with a constant ``learning_rate``, without
    validation, and with an entry in ``history_`` for each batch. Use batches of at
    least a thousand beats, because each batch has a fixed overhead.

    Examples
    --------
    >>> from ecg_sklearn import fit_stream, make_ecg_pipeline
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> def batches():
    ...     for seed in range(3):
    ...         yield make_heartbeats(200, random_state=seed)
    >>> pipe = make_ecg_pipeline(sampler=None, filters=(8, 16), random_state=0)
    >>> pipe = fit_stream(pipe, batches, epochs=2)
    >>> int(pipe["scaler"].n_samples_seen_), pipe["cnn"].n_epochs_
    (600, 6)
    """
    steps, name, classifier = _new_steps(pipe)
    labels = None if classes is not None else set()
    stream = _Stream(batches, max(len(steps), labels is not None) + epochs, verbose)
    fitted: list = []
    for step_name, step in steps:
        for X, y in stream.read(step_name):
            step.partial_fit(_transformed(X, fitted), y)
            if labels is not None and not fitted:
                labels.update(np.unique(y).tolist())
        fitted.append(step)
    if labels is not None and not steps:
        for _, y in stream.read("labels"):
            labels.update(np.unique(y).tolist())
    known = {"classes": sorted(labels) if labels is not None else classes}
    for epoch in range(1, epochs + 1):
        for X, y in stream.read(f"{name}, epoch {epoch}/{epochs}"):
            classifier.partial_fit(_transformed(X, fitted), y, **known)
            known = {}
    pipe.set_params(**dict(steps), **{name: classifier})
    return pipe


def _new_steps(pipe):
    """Clone the steps; check that they can learn from batches."""
    if not hasattr(pipe, "steps"):
        raise TypeError(
            f"pipe is a {type(pipe).__name__}, not a Pipeline. Give a pipeline such as "
            "make_ecg_pipeline(sampler=None) makes."
        )
    steps = [
        (name, clone(step))
        for name, step in pipe.steps
        if step is not None and step != "passthrough"
    ]
    for name, step in steps:
        if hasattr(step, "fit_resample"):
            raise ValueError(
                f"Step {name!r} resamples, and the neighbours of a beat are not in its "
                "batch. Leave it out (sampler=None of make_ecg_pipeline) and weigh "
                "the classes instead (class_weight)."
            )
        if not hasattr(step, "partial_fit"):
            raise ValueError(
                f"Step {name!r} is a {type(step).__name__}, which has no partial_fit: "
                "it cannot learn from batches. Replace it, or fit it to a sample."
            )
    name, classifier = steps.pop()
    return steps, name, classifier


def _transformed(X, fitted):
    """Transform beats by the fitted steps."""
    for step in fitted:
        X = step.transform(X)
    return X


class _Stream:
    """Batches that can be read in several passes."""

    def __init__(self, batches, n_passes, verbose):
        if isinstance(batches, Iterator) and n_passes > 1:
            raise ValueError(
                f"batches is a {type(batches).__name__}, which can be read only once, "
                f"and {n_passes} passes are needed. Give a function that returns a new "
                "iterator at each call."
            )
        self.batches = batches
        self.n_passes = n_passes
        self.verbose = verbose
        self.n_read = 0

    def read(self, name):
        """Read all batches once."""
        self.n_read += 1
        start, n_batches, n_beats = time.perf_counter(), 0, 0
        batches = self.batches() if callable(self.batches) else self.batches
        for batch in batches:
            X, y = _pair(batch)
            n_batches, n_beats = n_batches + 1, n_beats + len(y)
            yield X, y
        if not n_beats:
            raise ValueError(
                f"Pass {self.n_read} of {self.n_passes} ({name}) gave no beats. If "
                "batches is a function, it must return a new iterator at each call."
            )
        if self.verbose:
            print(
                f"pass {self.n_read}/{self.n_passes} ({name}): {n_batches:,} batches, "
                f"{n_beats:,} beats, {time.perf_counter() - start:.1f} s"
            )


def _pair(batch):
    """Get beats and labels of a batch."""
    if hasattr(batch, "data") and hasattr(batch, "target"):
        return batch.data, batch.target
    if isinstance(batch, tuple) and len(batch) == 2:
        return batch
    raise TypeError(
        f"A batch is a {type(batch).__name__}. Give Bunches with data and target, or "
        "tuples (X, y)."
    )
