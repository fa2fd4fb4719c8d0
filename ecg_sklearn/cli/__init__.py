"""The command ``ecg-sklearn``: entry point and exit codes."""

import importlib
import os
import sys
import warnings

from ecg_sklearn.cli._checks import check
from ecg_sklearn.cli._messages import say, show_warning
from ecg_sklearn.cli._parser import read_arguments


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str or None, default=None
        Arguments without the program name. None takes ``sys.argv[1:]``.

    Returns
    -------
    int
        0 for success, 1 if some of several recordings could not be analysed, 2 for
        invalid input, 130 after an interruption.
    """
    command, traceback, arguments = read_arguments(argv)
    try:
        check(command, arguments)
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            run = getattr(importlib.import_module(f"{__name__}._{command}"), command)
            code = run(**arguments)
    except BrokenPipeError:
        raise
    except (OSError, ValueError, MemoryError, ImportError) as error:
        if traceback:
            raise
        say("error", str(error) or type(error).__name__)
        return 2
    except KeyboardInterrupt as stop:
        reason = str(stop) or "nothing was written"
        print(f"ecg-sklearn: interrupted; {reason}", file=sys.stderr)
        return 130
    return code or 0


def _entry_point():
    # A reader such as `head` may close the pipe before everything is written.
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
