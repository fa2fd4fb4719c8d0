"""Errors and warnings, one line each on standard error."""

import sys


def say(kind, message):
    """Print a line for the user."""
    text = " ".join(message.split())
    print(f"ecg-sklearn: {kind}: {text}", file=sys.stderr, flush=True)


def show_warning(message, category, *args, **kwargs):
    """Print a warning, unless it is a deprecation or future warning of a package."""
    if issubclass(category, UserWarning):
        say("warning", str(message))
