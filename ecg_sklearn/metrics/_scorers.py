"""Scorers: :func:`aami_jk_score` and :func:`get_aami_scorers`."""

import math

from sklearn.metrics import f1_score, make_scorer

from ecg_sklearn.metrics._counts import check_aligned
from ecg_sklearn.metrics._ec57 import ECTOPIC, aami_matrix, figures_of, jk_indices


def aami_jk_score(y_true, y_pred, *, zero_division=0.0):
    """Compute the index jk of a classifier of beats.

    It is the mean of Cohen's kappa over all classes present, and of the mean of the
    sensitivities and positive predictivities of VEB and SVEB, counted as in
    :func:`aami_report` [1]_. It is between -0.5 and 1; 0 or less is no better than
    chance.

    Parameters
    ----------
    y_true : array-like of shape (n_beats,)
        True classes: integers 0 to 4 for N S V F Q, or these letters.
    y_pred : array-like of shape (n_beats,)
        Predicted classes.
    zero_division : {0.0, 1.0, nan}, default=0.0
        Value of undefined rates: the sensitivity of S or V without such beats, their
        positive predictivity if also none was predicted, and kappa if all beats are of
        one class and predicted as this class. nan makes the score nan, which
        :func:`bootstrap_ci` leaves out. A class that has beats and was never predicted
        always has a positive predictivity of 0.

    Returns
    -------
    float
        The index jk.

    References
    ----------
    .. [1] T. Mar et al., "Optimization of ECG classification by means of feature
       selection", IEEE Transactions on Biomedical Engineering 58(8), 2011.

    Examples
    --------
    >>> from ecg_sklearn.metrics import aami_jk_score
    >>> aami_jk_score(list("NNSSVV"), list("NNSSVV"))
    1.0
    >>> round(aami_jk_score(list("NNSSVV"), list("NNSNVV")), 4)
    0.8125
    """
    if not (zero_division in (0, 1) or math.isnan(zero_division)):
        raise ValueError(f"zero_division={zero_division!r} must be 0.0, 1.0 or nan.")
    y_true, y_pred = check_aligned(y_true=y_true, y_pred=y_pred)
    return float(jk_indices(aami_matrix(y_true, y_pred), zero_division)[1])


def get_aami_scorers():
    """Make scorers for ``scoring=`` of searches and cross-validation.

    All are defined on every fold: a rate whose denominator is 0 counts as 0.

    Returns
    -------
    dict of str to callable
        "jk" (:func:`aami_jk_score`), "macro_f1" (over the classes that occur in truth
        or prediction, any labels), and the sensitivities and positive
        predictivities of :func:`aami_report`: "veb_sensitivity",
        "veb_positive_predictivity", "sveb_sensitivity", "sveb_positive_predictivity".

    See Also
    --------
    sklearn.model_selection.GridSearchCV : ``refit="jk"`` selects by one of them.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import GridSearchCV
    >>> from ecg_sklearn.metrics import get_aami_scorers
    >>> search = GridSearchCV(
    ...     LogisticRegression(), {"C": [0.1, 1.0]},
    ...     scoring=get_aami_scorers(), refit="jk",
    ... )
    """
    scorers = {
        "jk": make_scorer(aami_jk_score),
        "macro_f1": make_scorer(f1_score, average="macro", zero_division=0),
    }
    for beat in ECTOPIC:
        for rate in ("sensitivity", "positive_predictivity"):
            figure = f"{beat}_{rate}"
            scorers[figure] = make_scorer(_figure_or_zero, figure=figure)
    return scorers


def _figure_or_zero(y_true, y_pred, *, figure):
    """One figure of the report; 0 if undefined."""
    y_true, y_pred = check_aligned(y_true=y_true, y_pred=y_pred)
    value = float(figures_of(aami_matrix(y_true, y_pred))[figure])
    return 0.0 if math.isnan(value) else value
