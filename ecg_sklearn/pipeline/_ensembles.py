"""Ensembles: a network with trees and a refiner, and trees on features alone."""

from numbers import Integral

import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ecg_sklearn.ensemble import (
    CalibratedRecordClassifier,
    PriorShiftClassifier,
    RefinedClassifier,
    ReweightedClassifier,
    SecondPassClassifier,
    SoftVotingClassifier,
)
from ecg_sklearn.features import (
    CAUSAL_GROUPS,
    FEATURE_GROUPS,
    MODE_GROUPS,
    RECORD_GROUPS,
)
from ecg_sklearn.over_sampling import EpisodeSampler
from ecg_sklearn.pipeline._pipeline import make_ecg_pipeline

# Of the presets whose ensembles differ from the default: parts, parameters of the
# network beside trees or the network of the waveform, and weights.
_PARTS = {
    "kaggle": {
        "trees": False,
        "rhythm": False,
        "waveform": True,
        "beside waveform": {"epochs": 24, "dropout": 0.1},
    },
    "kaggle-features": {
        "rhythm": False,
        "beside trees": {"epochs": 6},
        "weights": (1.0, 0.4),
    },
}
_DEFAULT = {
    "trees": True,
    "rhythm": True,
    "waveform": False,
    "beside trees": {},
    "beside waveform": {},
    "weights": None,
}
_CHOICE = [StrOptions({"auto"}), "boolean"]


@validate_params(
    {
        "trees": _CHOICE,
        "rhythm": _CHOICE,
        "waveform": _CHOICE,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=False,
)
def make_ecg_ensemble(
    *,
    preset="inter-patient",
    trees="auto",
    rhythm="auto",
    waveform="auto",
    random_state=None,
    **params,
):
    """Join networks, trees on features, and a refiner for premature beats.

    The beats need the features "rr", "morphology" (with ``trees``) and "rhythm" (with
    ``rhythm``), as a DataFrame of a loader; with ``waveform``, samples alone.

    Parameters
    ----------
    preset : str or None, default="inter-patient"
        Preset of the network, as in :func:`make_ecg_pipeline`, and of the other
        parts, see the notes.
    trees : "auto" or bool, default="auto"
        Average the probabilities of the network with those of boosted trees that see
        only the groups "rr" and "morphology" [1]_, with rare classes weighted by a
        :class:`~ecg_sklearn.ensemble.ReweightedClassifier`. Trees make other errors
        than a network.
    rhythm : "auto" or bool, default="auto"
        Split the probability of the classes 0 (N) and 1 (S) by extremely randomised
        trees that see only the groups "rr" and "rhythm" [2]_
        (:class:`~ecg_sklearn.ensemble.RefinedClassifier`), are also trained on
        excerpts around premature beats, and whose priors follow each record
        (:class:`~ecg_sklearn.ensemble.PriorShiftClassifier`). For other labels:
        ``set_params(pair=("N", "S"))``.
    waveform : "auto" or bool, default="auto"
        Average the probabilities with those of a second network, which sees the samples
        of the beat and not their spectrogram. It is trained for half as many epochs,
        and has convolutions of five samples and residual blocks from the second on,
        unless ``kernel_size`` and ``residual`` are given. It makes other errors too.
    random_state : int, RandomState instance or None, default=None
        Seed of all parts.
    **params : dict
        Other parameters of :func:`make_ecg_pipeline`, for the networks.

    Returns
    -------
    RefinedClassifier, SoftVotingClassifier or imblearn.pipeline.Pipeline
        The model: with ``rhythm``; with ``trees`` or ``waveform`` only; with none.

    Raises
    ------
    ValueError
        If ``waveform`` is asked for together with what needs features.

    Notes
    -----
    "auto" means ``trees`` and ``rhythm``, except for two presets, whose test beats come
    from known patients: ``trees`` only for "kaggle-features", and ``waveform`` only for
    "kaggle", whose rows have no features, unless one of the others or
    ``sample_columns`` is given.

    The network has the parameters of the preset, but for these: beside trees with
    "kaggle-features", 6 epochs, and its vote counts 2.5 times as much as theirs; beside
    the waveform with "kaggle", 24 epochs and ``dropout=0.1``. Arguments override them,
    so ``epochs=6`` makes a quicker model.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting machine",
       Annals of Statistics 29(5), 2001.
    .. [2] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63(1), 2006.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.pipeline import make_ecg_ensemble
    >>> groups = ["rr", "morphology", "rhythm"]
    >>> beats = make_heartbeats(300, features=groups, random_state=0)
    >>> model = make_ecg_ensemble(filters=(8, 16), epochs=1, random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> model.predict(beats.data, groups=beats.groups).shape
    (300,)
    """
    parts = _DEFAULT | _PARTS.get(preset, {})
    trees = parts["trees"] if trees == "auto" else trees
    rhythm = parts["rhythm"] if rhythm == "auto" else rhythm
    has_features = trees or rhythm or params.get("sample_columns", "auto") != "auto"
    if waveform == "auto":
        waveform = parts["waveform"] and not has_features
    elif waveform and has_features:
        raise ValueError(
            "waveform=True is for beats of samples alone, and trees, rhythm and "
            "sample_columns are for beats with features. Give trees=False, "
            "rhythm=False and no sample_columns, or leave waveform out."
        )
    given = {name.removeprefix("cnn__") for name in params}
    own = parts["beside trees" if trees else "beside waveform"]
    own = {k: v for k, v in own.items() if k not in given and (trees or waveform)}
    model = make_ecg_pipeline(preset=preset, random_state=random_state, **own | params)
    if rhythm:  # it is for the refiner alone
        unseen = ColumnTransformer(
            [("rhythm", "drop", list(FEATURE_GROUPS["rhythm"]))],
            remainder="passthrough",
            verbose_feature_names_out=False,
        ).set_output(transform="pandas")
        model.steps.insert(0, ("columns", unseen))
    if waveform:  # it goes first, since it refuses features
        voter = _waveform_network(model["cnn"].epochs, preset, random_state, params)
        model = SoftVotingClassifier([("waveform", voter), ("network", model)])
    if trees:
        boosting = HistGradientBoostingClassifier(random_state=random_state)
        voter = _on_features(("rr", "morphology"), ReweightedClassifier(boosting))
        voters = [("network", model), ("trees", voter)]
        model = SoftVotingClassifier(voters, weights=parts["weights"])
    if not rhythm:
        return model
    seed = random_state
    if seed is not None:
        seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
    forest = ExtraTreesClassifier(n_estimators=200, random_state=seed)
    refiner = PriorShiftClassifier(_on_features(("rr", "rhythm"), forest))
    return RefinedClassifier(model, refiner, sampler=EpisodeSampler())


@validate_params(
    {
        "mode": [StrOptions(set(MODE_GROUPS))],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_calibrated_trees(
    *, mode="offline", n_estimators=30, max_leaf_nodes=600, random_state=None
):
    """Make trees on features, with probabilities calibrated on held-out records.

    The shipped models (:func:`~ecg_sklearn.models.load_model`) are this one, fitted to
    the records of two databases. The beats need the features
    ``ecg_sklearn.features.MODE_GROUPS[mode]``, as a DataFrame of a loader. Samples are
    not used, and there is no network.

    Parameters
    ----------
    mode : {"offline", "causal"}, default="offline"
        What the trees see of a record: "offline" all of it, in the two passes of
        :func:`make_record_ensemble`, for a file; "causal" nothing beyond the next beat,
        for a stream too.
    n_estimators : int, default=30
        Trees of each pass.
    max_leaf_nodes : int or None, default=600
        Leaves of each tree at most.
    random_state : int, RandomState instance or None, default=None
        Seed of all parts.

    Returns
    -------
    CalibratedRecordClassifier
        The model. It needs ``groups``, the record of each beat, to fit; offline also to
        predict. ``estimator`` holds the trees: extremely randomised ones [1]_, with
        rare classes weighted.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63(1), 2006.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.features import MODE_GROUPS
    >>> from ecg_sklearn.pipeline import make_calibrated_trees
    >>> features = list(MODE_GROUPS["causal"])
    >>> beats = make_heartbeats(400, features=features, random_state=0)
    >>> model = make_calibrated_trees(mode="causal", n_estimators=5, random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> model.predict(beats.data).shape
    (400,)
    """
    size = {"n_estimators": n_estimators, "max_leaf_nodes": max_leaf_nodes}
    if mode == "offline":
        trees = make_record_ensemble(**size, random_state=random_state)
    else:
        trees = _on_features(CAUSAL_GROUPS, _trees(random_state, **size))
    return CalibratedRecordClassifier(trees, random_state=random_state)


@validate_params(
    {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_record_ensemble(
    *, n_estimators=150, max_leaf_nodes=None, n_jobs=None, random_state=None
):
    """Make trees that see the whole record, in two passes: for a file, not a stream.

    The beats need the features "rr", "record_rr", "record_morphology" and
    "record_shape", as a DataFrame of a loader. Samples are not used.

    Parameters
    ----------
    n_estimators : int, default=150
        Trees of each pass.
    max_leaf_nodes : int or None, default=None
        Leaves of each tree at most, for a small model.
    n_jobs : int or None, default=None
        Threads of the trees, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seed of all parts.

    Returns
    -------
    SecondPassClassifier
        Two passes of extremely randomised trees [1]_, with rare classes weighted by a
        :class:`~ecg_sklearn.ensemble.ReweightedClassifier`. Each tree sees a quarter of
        the beats. The first pass is also trained on excerpts around premature beats
        (:class:`~ecg_sklearn.over_sampling.EpisodeSampler`), of which 1 is the class;
        0 is that of normal beats. For other labels:
        ``set_params(normal="N", sampler__premature="S")``.

    References
    ----------
    .. [1] P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine
       Learning 63(1), 2006.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.pipeline import make_record_ensemble
    >>> groups = ["rr", "record_rr", "record_morphology", "record_shape"]
    >>> beats = make_heartbeats(400, features=groups, random_state=0)
    >>> model = make_record_ensemble(n_estimators=20, random_state=0)
    >>> model = model.fit(beats.data, beats.target, groups=beats.groups)
    >>> model.predict(beats.data, groups=beats.groups).shape
    (400,)
    """
    seeds = random_state, random_state, random_state
    if random_state is not None:
        draw = check_random_state(random_state).randint
        seeds = draw(np.iinfo(np.int32).max, size=3).tolist()
    size = {"n_estimators": n_estimators, "max_leaf_nodes": max_leaf_nodes}
    first, second = (_trees(seed, n_jobs=n_jobs, **size) for seed in seeds[:2])
    return SecondPassClassifier(
        _on_features(RECORD_GROUPS, first),
        second,
        sampler=EpisodeSampler(n_around=(1, 3)),
        random_state=seeds[2],
    )


def _waveform_network(epochs, preset, seed, params):
    """Make the network that sees the samples of a beat, which is one-dimensional."""
    params = {k: v for k, v in params.items() if not k.startswith("spectrogram__")}
    model = make_ecg_pipeline(preset=preset, random_state=seed, **params)
    model.steps = [step for step in model.steps if step[0] != "spectrogram"]
    model["cnn"]._validate_params()
    own = {
        "kernel_size": 5,
        "residual": tuple(range(2, len(model["cnn"].filters) + 1)),
    }
    given = {name.removeprefix("cnn__") for name in params}
    own = {f"cnn__{k}": v for k, v in own.items() if k not in given}
    return model.set_params(**own, cnn__epochs=max(1, epochs // 2))


def _trees(seed, **params):
    """Make extremely randomised trees with rare classes weighted."""
    trees = ExtraTreesClassifier(
        min_samples_leaf=3,
        max_features=0.2,
        bootstrap=True,
        max_samples=0.25,
        random_state=seed,
        **params,
    )
    return ReweightedClassifier(trees)


def _on_features(groups, classifier):
    """Show a classifier only the columns of groups of features."""
    names = [name for group in groups for name in FEATURE_GROUPS[group]]
    columns = ColumnTransformer([("features", "passthrough", names)])
    return Pipeline([("columns", columns), ("classifier", classifier)])
