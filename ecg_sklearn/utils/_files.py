"""Atomic file writes."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path


def write_json(path, content):
    """Write plain data as JSON."""
    path.write_text(json.dumps(content, indent=1, default=float) + "\n")


def refuse_existing(path, overwrite):
    """Raise if a path exists and may not be replaced."""
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already. Choose another --output, or add --overwrite."
        )


@contextlib.contextmanager
def new_file(path):
    """Provide a temporary path next to ``path``; move it there on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).chmod(0o666 & ~_umask())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path, overwrite):
    """Provide a temporary folder next to ``path``; move it there on success.

    If ``path`` exists and may be overwritten, files of the same names are replaced one
    by one; other files stay.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield new
        refuse_existing(path, overwrite)
        for file in new.iterdir():
            file.chmod(0o666 & ~_umask())
        if path.exists():
            for file in sorted(new.iterdir()):
                os.replace(file, path / file.name)
        else:
            new.chmod(0o777 & ~_umask())
            os.rename(new, path)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
