"""What each protocol trains: parameters of the pipeline, and trees on features."""

import numpy as np

_KAGGLE = {"phase": True, "residual": (3,), "label_smoothing": 0.1, "epochs": 12}
PIPELINES = {
    "kaggle": _KAGGLE,
    # RR intervals make rare classes less risky to predict, so they may be favoured.
    "kaggle, with features": _KAGGLE | {"logit_adjustment": 0.3},
    "inter-patient": {
        "filters": (16, 32, 64),
        "dense_dropout": 0.5,
        "logit_adjustment": 0.5,
        "epochs": 6,
    },
}
"""What make_ecg_pipeline is given for each protocol; benchmarks/RESULTS.md says why."""
# Each epoch is as much longer as there are copies.
PIPELINES["inter-patient, varied"] = PIPELINES["inter-patient"] | {"epochs": 3}


def make_pipeline(beats, *, protocol, copies, sampler, epochs, seed, param, quiet):
    """Make the pipeline that is to be trained on some beats."""
    from ecg_sklearn.pipeline import make_ecg_pipeline

    name = protocol
    if name == "kaggle" and beats.cut["features"]:
        name = "kaggle, with features"
    elif name == "inter-patient" and copies:
        name = "inter-patient, varied"
    pipe = make_ecg_pipeline(
        **_with_blocks_that_exist(PIPELINES[name], param),
        sampling_rate=beats.sampling_rate,
        sampler=None if sampler == "none" else sampler,
        augmenter=beat_augmenter(beats, copies, seed),
        random_state=seed,
        verbose=0 if quiet else 1,
    )
    if epochs is not None:
        pipe.set_params(cnn__epochs=epochs)
    for key in param:
        if key.partition("__")[0] not in pipe.named_steps:
            raise ValueError(
                f"--param {key}: the pipeline has no such step. Its steps are "
                f"{', '.join(pipe.named_steps)}."
            )
    return pipe.set_params(**param)


def _with_blocks_that_exist(preset, param):
    """Drop residual blocks of a preset that the user's filters do not have."""
    filters, blocks = param.get("cnn__filters"), preset.get("residual", ())
    if "cnn__residual" in param or not isinstance(filters, (list, tuple)):
        return preset
    kept = tuple(block for block in blocks if block <= len(filters))
    if kept == blocks:
        return preset
    print(
        f"With {len(filters)} filters, the network has no residual block "
        f"{', '.join(str(block) for block in blocks if block not in kept)}: left out."
    )
    return preset | {"residual": kept}


def beat_augmenter(beats, n_copies, random_state):
    """Make the sampler that varies beats."""
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

    Classes weigh as the root of how rare they are. A tenth of the beats stops the
    training early, if every class has two.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    counts = np.unique(y, return_counts=True)[1]
    weights = (counts.max() / counts) ** 0.5
    return HistGradientBoostingClassifier(
        # scikit-learn looks them up by the places of the labels, and not by the labels.
        class_weight=dict(enumerate(weights.tolist())),
        early_stopping="auto" if counts.min() > 1 else False,
        random_state=random_state,
    )
