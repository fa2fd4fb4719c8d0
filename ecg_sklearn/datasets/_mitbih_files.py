"""The files of the MIT-BIH database: found, fetched and checked."""

import contextlib
import hashlib
import logging
import os
from functools import cache
from importlib import resources
from pathlib import Path

MITDB_URL = "https://physionet.org/files/mitdb/1.0.0/"
DATA_VARIABLE = "ECG_SKLEARN_DATA"


def find_mitbih(data_home=None):
    """Find the folder that holds the records, or that should.

    Parameters
    ----------
    data_home : str, Path or None
        As in :func:`fetch_mitbih`.

    Returns
    -------
    Path
        ``data_home`` if it holds a record or is called "mitdb", else its folder
        "mitdb".
    """
    if data_home is None:
        data_home = os.environ.get(DATA_VARIABLE) or Path.home() / "ecg_sklearn_data"
    home = Path(data_home).expanduser()
    if home.name == "mitdb" or any(home.glob("[12][0-9][0-9].hea")):
        return home
    return home / "mitdb"


@cache
def checksums():
    """Read the SHA-256 sum of each of the 144 files, by file name."""
    table = resources.files(__package__).joinpath("data/mitdb_sha256.txt").read_text()
    return {name: sha for sha, name in map(str.split, table.splitlines())}


def missing_files(directory):
    """List the files of the database that a folder lacks.

    Parameters
    ----------
    directory : Path
        The folder.

    Returns
    -------
    list of str
        File names.
    """
    return [name for name in sorted(checksums()) if not (directory / name).is_file()]


def damaged_files(directory):
    """List the files whose SHA-256 sum is not the published one.

    Parameters
    ----------
    directory : Path
        A folder that holds all files.

    Returns
    -------
    list of str
        File names.
    """
    damaged = []
    for name, expected in sorted(checksums().items()):
        with (directory / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                damaged.append(name)
    return damaged


@contextlib.contextmanager
def files_that_stay(directory):
    """Say so if a file that was there a moment ago is not any more.

    Parameters
    ----------
    directory : Path
        Folder of the database.

    Yields
    ------
    None
        Read the files within.

    Raises
    ------
    FileNotFoundError
        If one is gone; with the name of the folder, and what to do.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"A file of the MIT-BIH database vanished from {directory} while it was "
            f"being read ({error}). Make sure that nothing moves or removes files "
            "there, and try again."
        ) from error


def download_mitbih(directory):
    """Download the files that are missing or damaged, with a progress bar.

    Parameters
    ----------
    directory : Path
        Where to; made if it does not exist.

    Raises
    ------
    OSError
        If PhysioNet cannot be reached or the folder cannot be written. What was
        downloaded stays.
    """
    import pooch
    from rich.console import Console
    from rich.progress import track

    fetcher = pooch.create(
        path=directory, base_url=MITDB_URL, registry=checksums(), retry_if_failed=2
    )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with _no_empty_folders(directory):
            for name in track(
                sorted(checksums()),
                description=f"MIT-BIH -> {directory}",
                console=Console(stderr=True),
            ):
                fetcher.fetch(name)
    except (OSError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise OSError(
            f"The MIT-BIH database could not be downloaded to {directory}: "
            f"{reason[:300]}. {how_to_get(directory)}"
        ) from error
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _no_empty_folders(directory):
    """Remove what was made of a folder and those above it, if nothing came in."""
    new = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it holds files, or was never made
            for path in new:
                path.rmdir()


def how_to_get(directory):
    return (
        f"Download the 48 records (.dat, .hea, .atr) from {MITDB_URL} to {directory}, "
        f"or set ${DATA_VARIABLE} to a folder that holds them."
    )
