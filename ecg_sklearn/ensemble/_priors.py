"""Class priors of a record, updated online by EM."""

import numpy as np

# A forest gives 0 to what it has not seen; a class must be able to recover from it.
_LEAST = 1e-4


def records_of(groups):
    """Find the beats of each record."""
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:])


def adapt_to_records(probability, shares, groups, strength):
    """Weight probabilities by the class priors of each record so far.

    A classifier learns how frequent each class is among the training beats. In a new
    record the classes have other priors. They are estimated here from the record
    itself, without labels, by the EM algorithm of Saerens et al. [1]_ in one pass: the
    prior before a beat is the mean of the probabilities of the beats before it and of
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
