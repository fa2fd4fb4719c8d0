"""Class counts that tolerate absent classes."""

import warnings

import numpy as np


class PresentClasses:
    """Sampling strategy by class that ignores classes that a fold does not have.

    A dict as ``sampling_strategy`` of a sampler raises an error if the training beats
    lack one of its classes, as a fold of a cross-validation may. This strategy leaves
    such a class out, with a warning.
    :func:`~ecg_sklearn.pipeline.make_ecg_pipeline` wraps the dict of a sampler in it.
    In the grid of a search, wrap each dict.

    Parameters
    ----------
    counts : dict of label to int
        As for the sampler: for an over-sampler, number of beats of each class after
        resampling.

    Examples
    --------
    >>> from imblearn.over_sampling import SMOTE
    >>> from ecg_sklearn.datasets import make_heartbeats
    >>> from ecg_sklearn.over_sampling import PresentClasses
    >>> X, y = make_heartbeats(200, random_state=0, return_X_y=True)
    >>> smote = SMOTE(sampling_strategy=PresentClasses({3: 60}), random_state=0)
    >>> smote.fit_resample(X, y)[0].shape
    (220, 187)
    """

    def __init__(self, counts):
        self.counts = counts

    def __call__(self, y):
        """Return the numbers for the classes in ``y``."""
        labels = np.unique(y).tolist()
        absent = [label for label in self.counts if label not in labels]
        if absent:
            warnings.warn(
                f"sampling_strategy names the classes {absent}, and y holds {labels}. "
                "They are left out.",
                UserWarning,
                stacklevel=2,
            )
        return {label: n for label, n in self.counts.items() if label in labels}

    def __repr__(self):
        return f"PresentClasses({self.counts!r})"

    def __eq__(self, other):
        return isinstance(other, PresentClasses) and self.counts == other.counts
