"""The checks of scikit-learn and imbalanced-learn over estimators, as often set up."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)

from ecg_sklearn.ensemble import (
    PatientClassifier,
    PriorShiftClassifier,
    RefinedClassifier,
    ReweightedClassifier,
    SoftVotingClassifier,
)
from ecg_sklearn.neural_network import SpectrogramCNNClassifier
from ecg_sklearn.preprocessing import BeatScaler, SpectrogramTransformer

# Each entry is a check that cannot pass, and why. A check that starts to pass fails
# the suite, so that the table never says more than is true.
EXPECTED_FAILURES = {
    "check_estimator_tags_renamed": (
        "scikeras 0.13's BaseWrapper, in our ancestry by design, still defines "
        "_more_tags of scikit-learn < 1.6 without __sklearn_tags__"
    ),
    "check_sample_weight_equivalence_on_dense_data": (
        "a beat of weight two counts once in the batch statistics and in the order of "
        "mini-batches, and a repeated beat twice; leaving out beats of weight zero is "
        "tested in test_classifier.py"
    ),
}
# Checks that pass on some processors and fail on others, and why.
LEFT_OUT = {
    "check_methods_sample_order_invariance": (
        "its 1e-7 is finer than float32: how a sum of a beat is rounded depends on its "
        "place in the batch; test_order_of_beats holds what float32 can"
    ),
}
# Checks of the classifier that take longest, as measured; `make test-all` runs them.
SLOW = {
    "check_class_weight_classifiers",
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit_idempotent",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_sample_weight_equivalence_on_dense_data",
}

TRANSFORMERS = [
    BeatScaler(),
    # The tables of these checks have two columns and more.
    SpectrogramTransformer(nperseg=2),
    SpectrogramTransformer(nperseg=2, flatten=True),
    SpectrogramTransformer(nperseg=2, scale="power", normalize=None, freq_range=None),
    SpectrogramTransformer(
        nperseg=2, noverlap=1, nfft=None, detrend="linear", normalize="frequency"
    ),
    SpectrogramTransformer(
        nperseg=1, scale="magnitude", normalize="sample", flatten=True
    ),
]

SMALL = {
    "filters": (4,),
    "dense_units": 8,
    "epochs": 15,
    "batch_size": 32,
    "learning_rate": 3e-2,
    "random_state": 0,
}
OTHER = {
    "pooling": "max",
    "dense_units": 0,
    "optimizer": "adam",
    "lr_schedule": "plateau",
    "patience": 2,
}


def checks_of(classifier, all_are_slow=False):
    """Parameters of a test: the checks without those left out, the slow ones marked."""
    for given in estimator_checks_generator(
        classifier, expected_failed_checks=EXPECTED_FAILURES, mark="xfail"
    ):
        is_param = hasattr(given, "marks")
        values, marks = (given.values, given.marks) if is_param else (given, ())
        name, options = values[1].func.__name__, values[1].keywords
        if name in LEFT_OUT:
            continue
        if all_are_slow or name in SLOW or options:
            marks = [*marks, pytest.mark.slow]
        yield pytest.param(*values, marks=marks, id=name)


ONE_SAMPLE = {
    "check_fit2d_1feature": "the error speaks of n_times=1, not of n_features=1"
}


@parametrize_with_checks(
    TRANSFORMERS,
    expected_failed_checks=lambda step: (
        ONE_SAMPLE if getattr(step, "nperseg", 1) > 1 else {}
    ),
)
def test_transformer(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("default")  # the checks provoke warnings of their own
@pytest.mark.parametrize(
    ("classifier", "check"),
    [
        *checks_of(SpectrogramCNNClassifier(**SMALL)),
        *checks_of(SpectrogramCNNClassifier(**SMALL | OTHER), all_are_slow=True),
    ],
)
def test_classifier(classifier, check):
    check(classifier)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_order_of_beats(method):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 20)), np.arange(200) % 3
    cnn = SpectrogramCNNClassifier(**SMALL | {"epochs": 1}).fit(X, y)
    order = rng.permutation(len(X))
    answer = getattr(cnn, method)
    np.testing.assert_allclose(answer(X)[order], answer(X[order]), rtol=1e-5, atol=1e-6)


# Checks that cannot pass, and why.
ENSEMBLE = {
    RefinedClassifier: {
        "check_classifiers_classes": (
            "the labels of this check are not those that the parameter pair names"
        ),
    },
}


@pytest.mark.filterwarnings("default")
@parametrize_with_checks(
    [
        PriorShiftClassifier(LogisticRegression()),
        RefinedClassifier(LogisticRegression(), LogisticRegression()),
        PatientClassifier(LogisticRegression()),
        ReweightedClassifier(LogisticRegression()),
        SoftVotingClassifier([("a", LogisticRegression())]),
    ],
    expected_failed_checks=lambda estimator: ENSEMBLE.get(type(estimator), {}),
)
def test_ensemble(estimator, check):
    check(estimator)
