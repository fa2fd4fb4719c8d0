"""The nodes of decision trees, as arrays with one tree behind the other: checks.

scikit-learn follows the numbers of a node without looking at them.
"""

import numpy as np

__all__ = ["add_up", "check_links", "is_array"]


def is_array(array, dtype, shape):
    """Whether something is an array of this type and shape."""
    return (
        isinstance(array, np.ndarray) and array.dtype == dtype and array.shape == shape
    )


def add_up(n_nodes, n_all):
    """Whether trees of so many nodes, one at least, have all nodes between them."""
    # One at a time: a sum could run over.
    return n_nodes.min() >= 1 and n_nodes.max() <= n_all and n_nodes.sum() == n_all


def check_links(left, right, feature, is_leaf, n_nodes, n_features):
    """Check that every node is reached once from its root.

    Parameters
    ----------
    left, right : ndarray of shape (n_all_nodes,), int
        Places of the children of each node in its tree, one tree after the other.
    feature : ndarray of shape (n_all_nodes,), int
        The column that each node looks at.
    is_leaf : ndarray of shape (n_all_nodes,), bool
        Nodes whose children and column are never looked at.
    n_nodes : ndarray of shape (n_trees,), int
        Nodes of each tree, one at least; they add up to all.
    n_features : int
        Columns that there are.

    Raises
    ------
    ValueError
        If a node leads out of its tree or to no column, or is reached twice or never.
    """
    size = np.repeat(n_nodes, n_nodes)
    place = np.arange(len(left)) - np.repeat(np.cumsum(n_nodes) - n_nodes, n_nodes)
    inner = ~is_leaf
    in_order = [
        # A child behind its parent: no way leads back.
        (place < child)[inner].all() and (child < size)[inner].all()
        for child in (left, right)
    ]
    known = (feature >= 0) & (feature < n_features)
    if not all(in_order) or not known[inner].all():
        raise ValueError("It holds a tree with a node that leads out of its tree.")
    start = np.arange(len(left)) - place
    children = np.concatenate([(start + child)[inner] for child in (left, right)])
    if (np.bincount(children, minlength=len(left)) != (place > 0)).any():
        raise ValueError("It holds a tree with a node that is not reached once.")
