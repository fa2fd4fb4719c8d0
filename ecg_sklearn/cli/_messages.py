"""Errors and warnings, in one line each on standard error."""

import sys


def say(kind, message):
    """Print a line for the user.

    Parameters
    ----------
    kind : {"error", "warning"}
        What it is.
    message : str
        The text; lines are joined.
    """
    text = " ".join(message.split())
    print(f"ecg-sklearn: {kind}: {text}", file=sys.stderr, flush=True)


def show_warning(message, category, *args, **kwargs):
    """Print a warning that concerns the user, and not one of what packages will change.

    Parameters
    ----------
    message : Warning
        The warning.
    category : type
        Its class.
    *args, **kwargs : object
        What else ``warnings.showwarning`` gets.
    """
    if issubclass(category, UserWarning):
        say("warning", str(message))
