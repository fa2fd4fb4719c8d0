"""Models of each protocol."""

from functools import partial

# Fewer epochs with copies, because each epoch is longer.
_EPOCHS_WITH_COPIES = 3


def make_offline_model(*, seed, param):
    """Make the model that sees the whole record."""
    from ecg_sklearn.pipeline import make_record_ensemble

    model = make_record_ensemble(n_jobs=-1, random_state=seed)
    return model.set_params(**param)


def make_model(
    beats, *, protocol, rhythm, preset, copies, sampler, epochs, seed, param, quiet
):
    """Make the model to train, with a network."""
    from ecg_sklearn.pipeline import make_ecg_ensemble, make_ecg_pipeline

    features = beats.cut["features"]
    if preset is None:
        preset = "kaggle-features" if protocol == "kaggle" and features else protocol
    make = make_ecg_pipeline
    if rhythm:
        make = partial(make_ecg_ensemble, rhythm=True, trees="morphology" in features)
    elif preset == "kaggle-features" and {"rr", "morphology"} <= set(features):
        make = make_ecg_ensemble
    if epochs is None and copies and preset == "inter-patient":
        epochs = _EPOCHS_WITH_COPIES
    return make(
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
