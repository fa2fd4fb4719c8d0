"""The closed list of types that a model file may name, each with what it keeps.

A class is imported only if its name is here.
"""

import importlib
from typing import NamedTuple

from ecg_sklearn.persistence._values import shown

__all__ = ["StoredType", "class_of", "name_of", "stored_type"]


class StoredType(NamedTuple):
    """What a file keeps of an estimator, beside its parameters.

    Fitted attributes whose names end in "_", without a "_" in front, are kept in any
    case.

    Parameters
    ----------
    module : str
        Where the class is.
    private : tuple of str
        Attributes that are kept as well.
    rebuilt : tuple of str
        Attributes that are made anew from the others.
    dropped : tuple of str
        Parameters that do not go into a file, and become None.
    only : tuple of str or None
        If not None, the only fitted attributes that are kept.
    """

    module: str
    private: tuple[str, ...] = ()
    rebuilt: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


# Samplers act in training alone. Some remember the beats that they were shown, which
# are no business of those who get the model.
_SAMPLER_KEEPS = ("feature_names_in_", "n_features_in_", "sampling_strategy_")


def _sampler(module):
    return StoredType(module, only=_SAMPLER_KEEPS)


_OVER, _UNDER = (f"imblearn.{side}_sampling" for side in ("over", "under"))

# What the constructor of a forest sets, the trees themselves, and what only they used.
_FOREST = StoredType(
    "sklearn.ensemble",
    rebuilt=(
        "_n_samples",
        "_n_samples_bootstrap",
        "_sample_weight",
        "estimator",
        "estimator_",
        "estimator_params",
        "estimators_",
    ),
)

# What the trees need to predict is made anew; what only training needed is left behind.
_BOOSTING = StoredType(
    "sklearn.ensemble",
    private=("_baseline_prediction", "_fitted_with_sw"),
    rebuilt=(
        "_bin_mapper",
        "_feature_subsample_rng",
        "_is_categorical_remapped",
        "_label_encoder",
        "_loss",
        "_n_features",
        "_predictors",
        "_preprocessor",
        "_random_seed",
        "_raw_predict",  # which a scorer leaves behind
        "_scorer",
        "_use_validation_data",
    ),
)

_TYPES = {
    "ecg_sklearn.BeatAugmenter": _sampler("ecg_sklearn.over_sampling"),
    "ecg_sklearn.BeatSMOTE": _sampler("ecg_sklearn.over_sampling"),
    "ecg_sklearn.ShapeRhythmClassifier": StoredType("ecg_sklearn.ensemble"),
    "ecg_sklearn.SpectrogramCNNClassifier": StoredType(
        "ecg_sklearn.neural_network",
        private=("_input_shape", "_optimizer_state", "_shuffler"),
        rebuilt=("_spec", "model_"),
        dropped=("callbacks", "checkpoint"),
    ),
    "ecg_sklearn.SpectrogramTransformer": StoredType(
        "ecg_sklearn.preprocessing", private=("_context",), rebuilt=("_stft",)
    ),
    "imblearn.ADASYN": _sampler(_OVER),
    "imblearn.BorderlineSMOTE": _sampler(_OVER),
    "imblearn.EditedNearestNeighbours": _sampler(_UNDER),
    "imblearn.NearMiss": _sampler(_UNDER),
    "imblearn.Pipeline": StoredType("imblearn.pipeline", dropped=("memory",)),
    "imblearn.RandomOverSampler": _sampler(_OVER),
    "imblearn.RandomUnderSampler": _sampler(_UNDER),
    "imblearn.SMOTE": _sampler(_OVER),
    "imblearn.SMOTEENN": _sampler("imblearn.combine"),
    "imblearn.SMOTETomek": _sampler("imblearn.combine"),
    "imblearn.SVMSMOTE": _sampler(_OVER),
    "imblearn.TomekLinks": _sampler(_UNDER),
    "sklearn.ExtraTreesClassifier": _FOREST,
    "sklearn.HistGradientBoostingClassifier": _BOOSTING,
    "sklearn.LogisticRegression": StoredType("sklearn.linear_model"),
    "sklearn.MaxAbsScaler": StoredType("sklearn.preprocessing"),
    "sklearn.MinMaxScaler": StoredType("sklearn.preprocessing"),
    "sklearn.NearestNeighbors": StoredType("sklearn.neighbors", only=()),
    "sklearn.Normalizer": StoredType("sklearn.preprocessing"),
    "sklearn.Pipeline": StoredType("sklearn.pipeline", dropped=("memory",)),
    "sklearn.PowerTransformer": StoredType(
        "sklearn.preprocessing", private=("_scaler",)
    ),
    "sklearn.QuantileTransformer": StoredType("sklearn.preprocessing"),
    "sklearn.RandomForestClassifier": _FOREST,
    "sklearn.RobustScaler": StoredType("sklearn.preprocessing"),
    "sklearn.StandardScaler": StoredType("sklearn.preprocessing"),
    "sklearn.VotingClassifier": StoredType(
        "sklearn.ensemble", rebuilt=("feature_names_in_", "le_", "named_estimators_")
    ),
}


def name_of(cls):
    """Find the name of a type in the list.

    Parameters
    ----------
    cls : type
        The type.

    Returns
    -------
    str or None
        Its name, or None if it is not there.
    """
    for name, stored in _TYPES.items():
        # A class of the same name may come from elsewhere.
        if name.rpartition(".")[2] == cls.__name__:
            module = importlib.import_module(stored.module)
            if getattr(module, cls.__name__) is cls:
                return name
    return None


def class_of(name):
    """Import a type by its name in the list.

    Parameters
    ----------
    name : object
        The name.

    Returns
    -------
    type
        The type.

    Raises
    ------
    ValueError
        If it is not in the list.
    """
    stored = stored_type(name)
    module = importlib.import_module(stored.module)
    return getattr(module, name.rpartition(".")[2])


def stored_type(name):
    """Look up what a file keeps of a type.

    Parameters
    ----------
    name : object
        Its name in the list.

    Returns
    -------
    StoredType
        What is kept.

    Raises
    ------
    ValueError
        If it is not in the list.
    """
    if not isinstance(name, str) or name not in _TYPES:
        raise ValueError(f"It names the type {shown(name)}, which no model file may.")
    return _TYPES[name]
