"""The official Kaggle split: its beats, the models that are compared on it, scores.

A model is a function of the training beats, a seed and settings that returns something
with ``fit`` and ``predict``. What a model needs is imported when it is made.
"""

from functools import partial

import numpy as np
from _common import Stopwatch, about, set_steps
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch, _safe_indexing

from ecg_sklearn.datasets import fetch_mitbih
from ecg_sklearn.pipeline import PRESETS


def ours(beats, seed, settings, **changes):
    """Make the pipeline of the package for this protocol."""
    from ecg_sklearn import make_ecg_pipeline

    params = {"preset": "kaggle", "verbose": 2} | changes
    pipe = make_ecg_pipeline(random_state=seed, **params)
    return set_steps(pipe, settings)


def ours_for_recall(beats, seed, settings):
    """Make ours with logits shifted towards rare classes."""
    return ours(beats, seed, settings, preset="kaggle-features")


def our_vote(beats, seed, settings, **changes):
    """Make the vote of a network and trees of the package, for beats with features."""
    from ecg_sklearn import make_ecg_ensemble

    params = {"preset": "kaggle-features", "verbose": 2} | changes | settings
    return make_ecg_ensemble(random_state=seed, **params)


def our_quick_vote(beats, seed, settings):
    """Make the same with one epoch of training."""
    return our_vote(beats, seed, settings, epochs=1)


def our_vote_on_rows(beats, seed, settings, **changes):
    """Make the vote of two networks of the package, of spectrogram and of samples."""
    return our_vote(beats, seed, settings, preset="kaggle", **changes)


def our_quick_vote_on_rows(beats, seed, settings):
    """Make the same, trained for about the seconds of a plain 1-D CNN."""
    return our_vote_on_rows(beats, seed, settings, epochs=10)


def ours_with_smote(beats, seed, settings):
    """Make ours with all classes brought to the size of the largest by SMOTE."""
    return ours(beats, seed, settings, sampler="smote")


def ours_with_capped_smote(beats, seed, settings):
    """Make ours with rare classes brought to a share of the largest by SMOTE.

    The share is the setting ``smote_share``, 0.1 unless given.
    """
    from imblearn.over_sampling import SMOTE

    settings = dict(settings)
    strategy = partial(at_least_a_share, share=settings.pop("smote_share", 0.1))
    sampler = SMOTE(sampling_strategy=strategy, random_state=seed)
    return ours(beats, seed, settings, sampler=sampler)


def at_least_a_share(y, share):
    """Give the number of beats of each class that SMOTE is to end with."""
    counts = np.bincount(y)
    wanted = int(share * counts.max())
    return {label: max(n, wanted) for label, n in enumerate(counts.tolist())}


def histogram_boosting(beats, seed, settings):
    """Make gradient-boosted trees with the defaults of scikit-learn."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed).set_params(**settings)


def minirocket(beats, seed, settings):
    """Make MiniRocket's features and a ridge classifier."""
    from _minirocket import MiniRocketRidge

    return MiniRocketRidge(seed, **settings)


class PlainNetwork:
    """A 1-D CNN on the raw row, trained as long and by the same rule as ours.

    Parameters
    ----------
    seed : int
        Seed of weights and shuffling.
    widths : sequence of int
        Channels of each block: two convolutions of five taps, the first of stride 2.
    epochs, learning_rate : int, float
        Passes over the beats, and the peak of the cycle.
    """

    def __init__(
        self, seed, *, widths=(32, 64, 128, 256), epochs=None, learning_rate=2e-3
    ):
        self.seed = seed
        self.widths = widths
        self.epochs = PRESETS["kaggle"]["epochs"] if epochs is None else epochs
        self.learning_rate = learning_rate

    def fit(self, X, y):
        """Train."""
        import keras

        keras.utils.set_random_seed(self.seed)
        self.network = keras.Sequential(self._layers(X.shape[1], len(np.unique(y))))
        rate = self._one_cycle(self.epochs * -(-len(X) // 128))
        optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        loss = "sparse_categorical_crossentropy"
        self.network.compile(optimizer, loss, metrics=["accuracy"])
        self.network.fit(X[..., None], y, 128, self.epochs, verbose=2)
        return self

    def predict(self, X):
        """Give the most probable classes."""
        return self.network.predict(X[..., None], 512, verbose=0).argmax(axis=1)

    def _layers(self, n_times, n_classes):
        """Layers from samples to probabilities."""
        from keras import layers

        found = [layers.Input((n_times, 1))]
        for width in self.widths:
            for strides in (2, 1):
                found += [
                    layers.Conv1D(
                        width,
                        5,
                        strides=strides,
                        padding="same",
                        use_bias=False,
                        kernel_initializer="he_normal",
                    ),
                    layers.BatchNormalization(momentum=0.9),
                    layers.ReLU(),
                ]
        return [
            *found,
            layers.GlobalAveragePooling1D(),
            layers.Dense(128, activation="relu"),
            layers.Dense(n_classes, activation="softmax"),
        ]

    def _one_cycle(self, n_steps):
        """Make the schedule of ours: a quarter up, the rest down to almost nothing."""
        from keras.optimizers import schedules

        rising = max(1, n_steps // 4)
        return schedules.CosineDecay(
            self.learning_rate / 25,
            max(1, n_steps - rising),
            warmup_target=self.learning_rate,
            warmup_steps=rising,
            alpha=25e-4,
        )


def plain_network(beats, seed, settings):
    """Make a plain 1-D CNN."""
    return PlainNetwork(seed, **settings)


# Name: how to make it, whether it is given FEATURES of each beat.
MODELS = {
    "our vote, with context": (our_vote, True),
    "our quick vote, with context": (our_quick_vote, True),
    "our vote": (our_vote_on_rows, False),
    "our quick vote": (our_quick_vote_on_rows, False),
    "ours": (ours, False),
    "ours, with context": (ours, True),
    "ours, for recall": (ours_for_recall, True),
    "ours, SMOTE": (ours_with_smote, False),
    "ours, SMOTE capped": (ours_with_capped_smote, False),
    "HistGradientBoosting": (histogram_boosting, False),
    "HistGradientBoosting, with context": (histogram_boosting, True),
    "MiniRocket + ridge": (minirocket, False),
    "plain 1-D CNN": (plain_network, False),
}


FEATURES = ["rr", "morphology"]
WEIGHTS = 0.2, 0.35, 0.4, 0.5, 0.75, 1.0


def load(data_home, *, context, held_out=None, tenths=1, limit=None):
    """Load training beats and beats to score.

    Parameters
    ----------
    data_home : str or None
        Folder with the MIT-BIH records.
    context : bool
        Append ``FEATURES`` of each beat.
    held_out : int or None, default=None
        Score that draw of training rows, and not the test file.
    tenths : int, default=1
        Tenths of the training rows in a draw.
    limit : int or None, default=None
        Keep that many of the training beats, for a trial.

    Returns
    -------
    tuple of two Bunch
        Training beats and beats to score: ``data``, ``target``.
    """
    how = {"data_home": data_home, "features": FEATURES if context else None}
    training = fetch_mitbih(subset="train", **how)
    if held_out is not None:
        scored, rows = training, _rows_apart(training.target, tenths / 10, held_out)
    else:
        scored = fetch_mitbih(subset="test", **how)
        rows = np.arange(len(training.target)), np.arange(len(scored.target))
    if limit is not None and limit < len(rows[0]):
        some = _rows_apart(training.target[rows[0]], limit / len(rows[0]))[1]
        rows = rows[0][some], rows[1]
    return tuple(
        Bunch(data=_safe_indexing(beats.data, chosen), target=beats.target[chosen])
        for beats, chosen in zip((training, scored), rows, strict=True)
    )


def _rows_apart(y, share, draw=0):
    """Rows to train on and rows to score, stratified; the same for the same draw."""
    return train_test_split(
        np.arange(len(y)), test_size=share, stratify=y, random_state=draw
    )


def score(name, seed, sides, settings, *, weights=False):
    """Train one model and score it.

    Parameters
    ----------
    name : str
        A key of ``MODELS``.
    seed : int
        Its seed.
    sides : tuple of two Bunch
        What :func:`load` gave.
    settings : dict
        Changed parameters.
    weights : bool, default=False
        Score a vote with other weights, ``WEIGHTS``, too.

    Returns
    -------
    dict
        Accuracy, macro-F1, recall by class, and the seconds of ``fit``.
    """
    training, scored = sides
    model = MODELS[name][0](training, seed, settings)
    with Stopwatch() as watch:
        model.fit(training.data, training.target)
    predicted = model.predict(scored.data)
    votes = {}
    if weights and hasattr(model, "estimators_"):
        votes["votes"] = scores_of_votes(model, scored)
    return {
        "model": name,
        "seed": seed,
        "settings": settings,
        "n_training": len(training.target),
        **scores_of(scored.target, predicted),
        **votes,
        "wall_seconds": watch.wall,
        "cpu_seconds": watch.cpu,
        "about": about(),
    }


def scores_of_votes(model, scored):
    """Scores of both voters, and of votes with other weights of the second."""
    (first, second), names = model.estimators_, dict(model.estimators)
    ours, peer = (voter.predict_proba(scored.data) for voter in (first, second))
    of_weights = {f"1 : {weight:g}": ours + weight * peer for weight in WEIGHTS}
    each = dict(zip(names, (ours, peer), strict=True)) | of_weights
    return {
        name: scores_of(scored.target, probability.argmax(axis=1))
        for name, probability in each.items()
    }


def scores_of(true, predicted):
    """Scores of some predictions, all five classes counted alike in macro-F1."""
    each = {"labels": range(5), "zero_division": 0}
    return {
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": f1_score(true, predicted, average="macro", **each),
        "recall": recall_score(true, predicted, average=None, **each).tolist(),
    }
