"""TensorFlow's start-up messages, and the error of a forked process."""

import contextlib
import os
import sys
import tempfile


class ForkedError(RuntimeError):
    """A forked process asks for a network, which would wait for ever."""


@contextlib.contextmanager
def without_start_up_noise():
    """Hide TensorFlow's output on standard error, unless it fails.

    No setting suppresses its first start-up messages.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
