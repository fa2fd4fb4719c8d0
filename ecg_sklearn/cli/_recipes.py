"""Models of each protocol: the pipeline, and boosted trees on features."""

import numpy as np

# Fewer epochs with copies, because each epoch is longer.
_EPOCHS_WITH_COPIES = 3


def make_pipeline(
    beats, *, protocol, preset, copies, sampler, epochs, seed, param, quiet
):
    """Make the pipeline to train."""
    from ecg_sklearn.pipeline import make_ecg_pipeline

    if preset is None:
        has_features = protocol == "kaggle" and beats.cut["features"]
        preset = "kaggle-features" if has_features else protocol
    if epochs is None and copies and preset == "inter-patient":
        epochs = _EPOCHS_WITH_COPIES
    return make_ecg_pipeline(
        preset=preset,
        sampling_rate=beats.sampling_rate,
        sampler=None if sampler == "none" else sampler,
        augmenter=beat_augmenter(beats, copies, seed),
        random_state=seed,
        verbose=0 if quiet else 1,
        **({} if epochs is None else {"epochs": epochs}) | param,
    )


def beat_augmenter(beats, n_copies, random_state):
    """Make the BeatAugmenter for these beats."""
    if not n_copies:
        return None
    from ecg_sklearn.over_sampling import BeatAugmenter

    return BeatAugmenter(
        n_copies,
        sampling_rate=beats.sampling_rate,
        center=-beats.cut["window"][0] if beats.cut["form"] == "window" else 0.0,
        random_state=random_state,
    )


def feature_trees(y, random_state):
    """Make boosted trees for the features of beats.

    A class weighs as the square root of its inverse frequency. If every class has two
    beats, a tenth of the beats is held out for early stopping.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    counts = np.unique(y, return_counts=True)[1]
    weights = (counts.max() / counts) ** 0.5
    return HistGradientBoostingClassifier(
        # scikit-learn looks them up by encoded label, not by label.
        class_weight=dict(enumerate(weights.tolist())),
        early_stopping="auto" if counts.min() > 1 else False,
        random_state=random_state,
    )
