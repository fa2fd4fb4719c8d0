"""What may come of bad input: an answer, or an error that a user can act on."""

import collections
import os
import re
import warnings

from hypothesis import HealthCheck, settings

_VARIABLE = "ECG_SKLEARN_FUZZ_EXAMPLES"
N_EXAMPLES = int(os.environ.get(_VARIABLE, "25"))

# What became of the cases of the door that is being tried.
OUTCOMES: collections.Counter = collections.Counter()

_ACCEPTED = (ValueError, TypeError, OSError)
# How Python and NumPy say that code, not input, is wrong.
_SLIPS = re.compile(
    r"object (is not|has no|cannot be) (subscriptable|iterable|callable|len|interpreted"
    r"|attribute)|unsupported operand|not supported between|can only concatenate"
    r"|unexpected keyword|positional argument|has no len|unhashable|could not be "
    r"broadcast|cannot reshape|out of bounds|out of range for|index \d+ is|truth value"
    r"|not aligned|zero-size array|all the input array dimensions|need at least one "
    r"array|must have matching|invalid literal|^math domain|cannot convert float|"
    r"ufunc '"
)


# What a library below said, quoted in a message that says the rest.
_QUOTED = re.compile(r" \(\w*(?:Error|Exception): .*\)(?=\. )", re.DOTALL)


def fuzzed_with(share=1.0):
    """Settings of a door: ``share`` of the usual number of cases."""
    return settings(
        max_examples=max(5, round(share * N_EXAMPLES)),
        deadline=None,
        # The same cases in every run of the suite; others in each campaign.
        derandomize=_VARIABLE not in os.environ,
        suppress_health_check=list(HealthCheck),
    )


fuzzed = fuzzed_with()


class Refused(Exception):
    """The input was refused with an error that says why."""


def attempt(function, *args, **kwargs):
    """Call a function; turn an error with a message into :class:`Refused`.

    Everything else that is raised stays what it is, and fails the test; so does a
    warning other than those that scikit-learn gives of odd data.
    """
    OUTCOMES["cases"] += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            # scikit-learn casts labels that are NaN before it refuses them.
            warnings.filterwarnings("ignore", "invalid value encountered in cast")
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            return function(*args, **kwargs)
    except _ACCEPTED as error:
        check_message(str(error), error)
        OUTCOMES["refused"] += 1
        raise Refused(str(error)) from error


def check_message(message, error=None):
    """Hold that a message is written for users."""
    own = _QUOTED.sub("", message)
    if len(own) <= 15 or _SLIPS.search(own):
        raise AssertionError(f"no user can act on {message!r}") from error
