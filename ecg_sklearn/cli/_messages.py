"""Errors and warnings, in one line each on standard error."""

import sys


def say(kind, message):
    """Print a line for the user."""
    text = " ".join(message.split())
    print(f"ecg-sklearn: {kind}: {text}", file=sys.stderr, flush=True)


def show_warning(message, category, *args, **kwargs):
    """Print a warning for the user, and none of what packages will change."""
    if issubclass(category, UserWarning):
        say("warning", str(message))
