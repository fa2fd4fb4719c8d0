"""What may come of bad input: an answer, or an error that a user can act on."""

import os
import warnings

from hypothesis import HealthCheck, settings

N_EXAMPLES = int(os.environ.get("ECG_SKLEARN_FUZZ", "25"))

fuzzed = settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    # The same cases in every run of the suite; others in each campaign.
    derandomize="ECG_SKLEARN_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

_ACCEPTED = (ValueError, TypeError, OSError)


class Refused(Exception):
    """The input was refused with an error that says why."""


def attempt(function, *args, **kwargs):
    """Call a function; turn an error with a message into :class:`Refused`.

    Everything else that is raised stays what it is, and fails the test; so does a
    warning other than those that scikit-learn gives of odd data.
    """
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
        message = str(error)
        if len(message) <= 15:
            raise AssertionError(f"{message!r} says too little") from error
        raise Refused(message) from error
