"""Resampling of rare classes: imbalanced-learn's SMOTE with errors in our terms.

Imports nothing else of the package.
"""

import numpy as np
from imblearn.over_sampling import SMOTE

__all__ = ["BeatSMOTE"]


class BeatSMOTE(SMOTE):
    """SMOTE that says which class of beats is too small, and what to do.

    Synthetic beats are drawn between beats of a rare class and their nearest
    neighbours in that class [1]_. Everything is as in
    :class:`imblearn.over_sampling.SMOTE`, the error alone is not.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        How many beats of each class to end with. "auto" brings all classes to the
        size of the largest; a dict gives numbers by label.
    random_state : int, RandomState instance or None, default=None
        Seed of the synthetic beats.
    k_neighbors : int or object, default=5
        Neighbours to draw from, or an estimator that finds them.

    Attributes
    ----------
    sampling_strategy_ : dict
        Number of beats made for each label.
    nn_k_ : estimator
        The estimator that found the neighbours.
    n_features_in_ : int
        Samples per beat.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where ``X`` had string names.

    See Also
    --------
    ecg_sklearn.pipeline.make_ecg_pipeline : Puts it in front of the spectrogram.

    References
    ----------
    .. [1] N. V. Chawla, K. W. Bowyer, L. O. Hall, W. P. Kegelmeyer, "SMOTE: synthetic
       minority over-sampling technique", Journal of Artificial Intelligence Research
       16, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.over_sampling import BeatSMOTE
    >>> X, y = make_heartbeats(
    ...     200, weights=[6, 1, 1, 1, 1], random_state=0, return_X_y=True
    ... )
    >>> X_resampled, y_resampled = BeatSMOTE(random_state=0).fit_resample(X, y)
    >>> np.bincount(y), np.bincount(y_resampled)
    (array([120,  20,  20,  20,  20]), array([120, 120, 120, 120, 120]))
    """

    def _fit_resample(self, X, y):
        self._validate_estimator()
        needed = self.nn_k_.n_neighbors  # a beat is its own nearest neighbour
        for label, n_wanted in self.sampling_strategy_.items():
            n_beats = np.count_nonzero(y == label)
            if n_wanted and n_beats < needed:
                name = label.item() if hasattr(label, "item") else label
                advice = f"Set k_neighbors={n_beats - 1}, get" if n_beats > 1 else "Get"
                plural = "s" if n_beats != 1 else ""
                raise ValueError(
                    f"Class {name!r} has {n_beats} beat{plural}, and "
                    f"SMOTE with k_neighbors={needed - 1} needs {needed}. {advice} "
                    "more beats of this class, leave it out of sampling_strategy, or "
                    "train without a sampler (make_ecg_pipeline(sampler=None))."
                )
        return super()._fit_resample(X, y)
