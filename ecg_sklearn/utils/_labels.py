"""The label of a beat, given the probabilities of a model."""

import numpy as np


def choose_labels(model, probability):
    """Position in ``classes_`` of the label of each beat; a model may have its rule."""
    choose = getattr(model, "choose_labels", None)
    if choose is None:
        return np.asarray(probability).argmax(axis=1)
    return choose(probability)
