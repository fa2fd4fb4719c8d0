"""Class priors of a record, updated online by EM."""

import numpy as np

# Added to probabilities: from a prior of 0 a class could not recover.
_LEAST = 1e-4


def records_of(groups):
    """Find the beats of each record."""
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:])


def adapt_to_records(probability, shares, groups, strength):
    """Weight probabilities by the class priors of each record so far.

    The class priors of a new record differ from those of the training beats. They are
    estimated without labels by the EM algorithm of Saerens et al. [1]_ in one pass: the
    prior of a beat is the mean of the probabilities of the beats before it and of
    ``shares``, which count as ``strength`` beats.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a
       classifier to new a priori probabilities: a simple procedure", Neural
       Computation 14(1), 2002.
    """
    likelihood = (probability + _LEAST) / (shares + _LEAST)
    adapted = np.empty_like(likelihood)
    for place in records_of(groups):
        counts = strength * shares
        for beat in place:
            weighed = likelihood[beat] * counts
            adapted[beat] = weighed / weighed.sum()
            counts = counts + adapted[beat]
    return adapted
