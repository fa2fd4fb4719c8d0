"""The pipeline from beats to classes, and its presets."""

from numbers import Real

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import _final_estimator_has
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ecg_sklearn.neural_network import SpectrogramCNNClassifier, _prediction
from ecg_sklearn.over_sampling import PresentClasses
from ecg_sklearn.preprocessing import BeatScaler, SpectrogramTransformer

_KAGGLE = {
    "sampler": None,
    "phase": True,
    "residual": (3,),
    "label_smoothing": 0.1,
    "epochs": 12,
}
PRESETS: dict[str, dict] = {
    "notebook": {
        "scaler__with_std": True,
        "spectrogram__nperseg": 64,
        "spectrogram__noverlap": 32,
        "spectrogram__nfft": None,
        "spectrogram__freq_range": None,
        "spectrogram__normalize": "sample",
        "pooling": "max",
        "dropout": 0.1,
        "dense_units": (512, 256),
        "dense_dropout": 0.1,
        "learning_rate": 1e-3,
        "weight_decay": 4e-3,
        "lr_schedule": "plateau",
        "early_stopping": True,
        "epochs": 10,
    },
    "kaggle": _KAGGLE,
    # With RR intervals, rare classes are predicted more reliably and may be favoured.
    "kaggle-features": _KAGGLE | {"logit_adjustment": 0.3},
    "inter-patient": {
        "sampler": None,
        "filters": (16, 32, 64),
        "dense_dropout": 0.5,
        "logit_adjustment": 0.5,
        "epochs": 6,
    },
}


# Segment length in seconds: 16 samples at 120 Hz.
_SEGMENT_SECONDS = 16 / 120


class ECGPipeline(Pipeline):
    """Pipeline whose ``fit`` transforms ``X_val``, also without metadata routing."""

    def fit(self, X, y=None, **params):
        """Fit all steps; ``X_val`` and ``y_val`` are for the last step."""
        self._check_rate(X)
        if not params.keys() & {"X_val", "y_val"}:
            return super().fit(X, y, **params)
        if by_step := sorted(name for name in params if "__" in name):
            raise ValueError(
                f"fit got X_val or y_val together with {by_step}. Beside these two, "
                "parameters of a step are passed by metadata routing: call "
                "sklearn.set_config(enable_metadata_routing=True) and request them, "
                "as in pipe['cnn'].set_fit_request(sample_weight=True)."
            )
        before = self.transform_input
        self.transform_input = [*(before or []), "X_val"]
        try:
            with config_context(enable_metadata_routing=True):
                return super().fit(X, y, **params)
        finally:
            self.transform_input = before

    @available_if(_final_estimator_has("predict"))
    def predict(self, X, **params):
        """Predict labels, as the pipelines of imbalanced-learn do."""
        if (probabilities := self._on_accelerator(X, params)) is None:
            return super().predict(X, **params)
        return self.classes_[probabilities.argmax(axis=1)]

    @available_if(_final_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict probabilities, as the pipelines of imbalanced-learn do."""
        if (probabilities := self._on_accelerator(X, params)) is None:
            return super().predict_proba(X, **params)
        return probabilities

    def _on_accelerator(self, X, params):
        """Compute probabilities there from beats, without images; None elsewhere."""
        steps = [step for _, _, step in self._iter()]
        if params or len(steps) < 3:
            return None
        *scalers, transformer, cnn = steps
        if (
            type(transformer) is not SpectrogramTransformer
            or type(cnn) is not SpectrogramCNNClassifier
            # Other steps may look at all beats, or keep digits that float32 loses.
            or {type(step) for step in scalers} != {BeatScaler}
            or not _prediction.computes_spectrograms(X)
        ):
            return None
        check_is_fitted(cnn)
        if transformer._stft.matrix is None:  # long segments need an FFT
            return None

        def prepared(beats):
            for step in scalers:
                beats = step.transform(beats)
            return transformer._validate(beats, reset=False)

        return _prediction.predict_beats(transformer, cnn.model_, X, prepared)

    def _check_rate(self, X):
        """Refuse beats of a loader that have another rate than the steps expect."""
        rate = (getattr(X, "attrs", {}).get("cut") or {}).get("sampling_rate")
        for name, step in self.steps if rate else ():
            expected = getattr(step, "sampling_rate", rate)
            if not np.isclose(expected, rate):
                raise ValueError(
                    f"These beats have {rate:g} samples per second, and step {name!r} "
                    f"expects sampling_rate={expected:g}. Give make_ecg_pipeline the "
                    "sampling_rate of the beats (beats.sampling_rate)."
                )

    def set_params(self, **params):
        """Set parameters of the steps; of a sampler's dict, absent classes may go."""
        super().set_params(**params)
        self.steps = [(name, _with_present_classes(step)) for name, step in self.steps]
        return self


@validate_params(
    {
        "preset": [StrOptions(set(PRESETS)), None],
        "sampling_rate": [Interval(Real, 0, None, closed="neither")],
        "phase": ["boolean", None],
        # Samplers are checked here, other parameters by the steps.
        "sample_columns": "no_validation",
        "sampler": "no_validation",
        "random_state": "no_validation",
        "memory": "no_validation",
    },
    prefer_skip_nested_validation=False,
)
def make_ecg_pipeline(
    *,
    preset=None,
    sampling_rate=120.0,
    sampler="auto",
    phase=None,
    sample_columns="auto",
    random_state=None,
    memory=None,
    **cnn_params,
):
    """Chain scaler, SMOTE, spectrogram and CNN into one imbalanced-learn pipeline.

    Parameters
    ----------
    preset : {"notebook", "kaggle", "kaggle-features", "inter-patient"}, default=None
        Default parameters, from :data:`PRESETS`. Other arguments override them.
        Residual blocks of a preset beyond the number of ``filters`` are left out.
        None means the defaults of the steps, with SMOTE.
    sampling_rate : float, default=120.0
        Samples per second of the beats, in Hz. The segments of the spectrogram last
        0.133 s at any rate.
    sampler : "auto", "smote", sampler object or None, default="auto"
        Balances the classes, in training only: SMOTE on the scaled beats, any sampler
        of imbalanced-learn, or None. "auto" takes the sampler of the preset, or SMOTE
        without a preset. A class in a dict ``sampling_strategy`` that a fold does not
        have is left out with a warning.
    phase : bool, default=None
        Add the phase of the transform as two more channels. This improves the scores
        on Kaggle rows and makes training slower. None takes the value of the preset,
        or False without a preset.
    sample_columns : "auto", slice, array-like or callable, default="auto"
        Which columns of ``X`` are samples, as in
        :class:`~ecg_sklearn.preprocessing.SpectrogramTransformer`: for a DataFrame of
        a loader, those named ``t000``, ``t001``, ...; for an array, all. The others
        are features, which the network concatenates before its dense layer.
    random_state : int, RandomState instance or None, default=None
        Seed of SMOTE and the network.
    memory : str or object with the joblib.Memory interface, default=None
        Cache of the fitted steps before the network. A search over parameters of the
        network then fits them once per fold.
    **cnn_params : dict
        Parameters of :class:`~ecg_sklearn.neural_network.SpectrogramCNNClassifier`, or
        of any step as ``step__parameter``.

    Returns
    -------
    imblearn.pipeline.Pipeline
        With the steps ``scaler``, ``smote`` (``sampler`` for another sampler; absent
        for None), ``spectrogram`` and ``cnn``.

    Raises
    ------
    ValueError
        If ``sampler`` is not a sampler, or a parameter is out of range.
    TypeError
        If a parameter of the network is unknown.

    Notes
    -----
    The scaler is a :class:`~ecg_sklearn.preprocessing.BeatScaler`. It subtracts the
    mean beat and does not divide by the standard deviation of each column, which would
    distort the beat (``benchmarks/bench_defaults.py``). Set ``scaler__with_std=True``
    for the scaling of StandardScaler.

    ``fit`` accepts validation beats ``X_val`` and ``y_val``. They are scaled and
    transformed, but never resampled. This works with and without metadata routing.

    Examples
    --------
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.pipeline import make_ecg_pipeline
    >>> X, y = make_heartbeats(300, random_state=0, return_X_y=True)
    >>> pipe = make_ecg_pipeline(filters=(8, 16), epochs=2, random_state=0)
    >>> list(pipe.named_steps)
    ['scaler', 'smote', 'spectrogram', 'cnn']
    >>> pipe.fit(X, y).predict(X).shape
    (300,)
    """
    chosen = PRESETS.get(preset, {}) | cnn_params
    if "residual" in chosen and not {"residual", "cnn__residual"} & set(cnn_params):
        default = chosen.get("filters", SpectrogramCNNClassifier().filters)
        widths = chosen.get("cnn__filters", default)
        if isinstance(widths, (tuple, list)):  # else the network refuses it
            n_blocks = len(widths)
            chosen["residual"] = tuple(n for n in chosen["residual"] if n <= n_blocks)
    of_steps = {name: chosen.pop(name) for name in list(chosen) if "__" in name}
    of_preset = chosen.pop("sampler", "smote"), chosen.pop("phase", False)
    sampler = (
        of_preset[0] if isinstance(sampler, str) and sampler == "auto" else sampler
    )
    steps = [
        ("scaler", BeatScaler()),
        *_sampler_step(sampler, random_state),
        (
            "spectrogram",
            SpectrogramTransformer(
                sampling_rate=sampling_rate,
                nperseg=max(1, round(_SEGMENT_SECONDS * sampling_rate)),
                phase=of_preset[1] if phase is None else phase,
                sample_columns=sample_columns,
            ),
        ),
        ("cnn", SpectrogramCNNClassifier(random_state=random_state, **chosen)),
    ]
    pipe = ECGPipeline(steps, memory=memory)
    for name in of_steps:
        if name.partition("__")[0] not in pipe.named_steps:
            raise ValueError(
                f"{name}: the pipeline has no such step. Its steps are "
                f"{', '.join(pipe.named_steps)}."
            )
    return pipe.set_params(**of_steps)


def _is_sampler(value):
    return hasattr(value, "fit_resample") and not isinstance(value, type)


def _sampler_step(sampler, random_state):
    """Return the sampler as a list of one step, or an empty list."""
    if sampler is None:
        return []
    if isinstance(sampler, str) and sampler == "smote":
        return [("smote", SMOTE(random_state=random_state))]
    if not _is_sampler(sampler):
        raise ValueError(
            f'sampler={sampler!r} is not a sampler. Give "smote", None, or a sampler '
            "of imbalanced-learn."
        )
    return [("sampler", _with_present_classes(clone(sampler)))]


def _with_present_classes(step):
    """Let a sampler leave out those classes of its dict that a fold does not have."""
    strategy = getattr(step, "sampling_strategy", None)
    if not isinstance(strategy, dict):
        return step
    return clone(step).set_params(sampling_strategy=PresentClasses(strategy))
