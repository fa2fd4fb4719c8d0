"""States of random generators as plain values, checked before NumPy gets them.

NumPy does not check the position in a buffer that a state names, and would read beyond
it.
"""

import numpy as np

__all__ = ["pack_random", "unpack_random"]

_LENGTH = 624  # of the state of a Mersenne Twister


def pack_random(rng, where):
    """Take a random generator apart.

    Parameters
    ----------
    rng : numpy.random.Generator or numpy.random.RandomState
        The generator; of the kind that ``default_rng`` or ``RandomState`` makes.
    where : str
        What it is, for errors.

    Returns
    -------
    dict
        Its state.

    Raises
    ------
    ValueError
        If it runs on another bit generator.
    """
    if isinstance(rng, np.random.RandomState):
        state = rng.get_state(legacy=False)
    else:
        state = rng.bit_generator.state
    name = state["bit_generator"]
    wanted = "MT19937" if isinstance(rng, np.random.RandomState) else "PCG64"
    if name != wanted:
        raise ValueError(f"{where} is a {type(rng).__name__} of {name}.")
    return state


def unpack_random(state):
    """Make a random generator that goes on from a state.

    Parameters
    ----------
    state : object
        What :func:`pack_random` gave; anything else is refused.

    Returns
    -------
    numpy.random.Generator or numpy.random.RandomState
        The generator.

    Raises
    ------
    ValueError
        If this is no such state.
    """
    name = state.get("bit_generator") if isinstance(state, dict) else None
    rng: np.random.Generator | np.random.RandomState
    if name == "PCG64" and _is_pcg64(state):
        bits = np.random.PCG64(0)
        bits.state = state
        rng = np.random.Generator(bits)
    elif name == "MT19937" and _is_mt19937(state):
        rng = np.random.RandomState(0)
        rng.set_state(state)
    else:
        raise ValueError("The state of a random generator is not one.")
    return rng


def _is_pcg64(state):
    inner = state.get("state")
    return (
        set(state) == {"bit_generator", "state", "has_uint32", "uinteger"}
        and isinstance(inner, dict)
        and set(inner) == {"state", "inc"}
        and _is_int(inner["state"], 2**128)
        and _is_int(inner["inc"], 2**128)
        and _is_int(state["has_uint32"], 2)
        and _is_int(state["uinteger"], 2**32)
    )


def _is_mt19937(state):
    inner = state.get("state")
    return (
        set(state) == {"bit_generator", "state", "has_gauss", "gauss"}
        and isinstance(inner, dict)
        and set(inner) == {"key", "pos"}
        and isinstance(inner["key"], np.ndarray)
        and inner["key"].dtype == np.uint32
        and inner["key"].shape == (_LENGTH,)
        and _is_int(inner["pos"], _LENGTH + 1)
        and _is_int(state["has_gauss"], 2)
        and type(state["gauss"]) is float
    )


def _is_int(value, stop):
    return type(value) is int and 0 <= value < stop
