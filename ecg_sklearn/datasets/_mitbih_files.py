"""Finds, downloads and checks the files of the MIT-BIH database."""

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
    """Find the folder of the records, whether it exists or not."""
    own_place = data_home is None and not os.environ.get(DATA_VARIABLE)
    if data_home is None:
        data_home = os.environ.get(DATA_VARIABLE) or Path.home() / "ecg_sklearn_data"
    home = Path(data_home).expanduser()
    if home.exists() and not home.is_dir():
        raise NotADirectoryError(
            f"{home} is a file. Give the folder that holds the MIT-BIH records."
        )
    if home.name == "mitdb" or _has_mitbih(home):
        folder = home
    else:
        folder = home / "mitdb"
    for place in (folder,) if own_place else (home, folder):
        if _has_other_files(place) and not _has_mitbih(folder):
            raise OSError(
                f"{place} holds other files and not the MIT-BIH database. Read other "
                "WFDB records with load_wfdb_beats. For the MIT-BIH database, give its "
                "folder, or an empty one to download it to."
            )
    return folder


def is_mitbih_folder(path):
    """Whether a folder, or its subfolder "mitdb", holds any files of MIT-BIH."""
    home = Path(path).expanduser()
    return _has_mitbih(home) or _has_mitbih(home / "mitdb")


def _has_mitbih(folder):
    """Whether a folder holds files of MIT-BIH, judged by headers if there are any."""
    names = [name for name in checksums() if (folder / name).is_file()]
    headers = [name for name in names if name.endswith(".hea")]
    if not headers:
        return bool(names)
    return any(_is_published(folder / name) for name in headers)


def _has_other_files(folder):
    """Whether a folder holds files that are not hidden."""
    return folder.is_dir() and any(
        path.is_file() and not path.name.startswith(".") for path in folder.iterdir()
    )


def _is_published(path):
    """Whether a file equals the published one of this name."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest == checksums()[path.name]


@cache
def checksums():
    """Read the SHA-256 sum of each of the 144 files, by file name."""
    table = resources.files(__package__).joinpath("data/mitdb_sha256.txt").read_text()
    return {name: sha for sha, name in map(str.split, table.splitlines())}


def missing_files(directory):
    """List the files of the database that a folder lacks."""
    return [name for name in sorted(checksums()) if not (directory / name).is_file()]


def damaged_files(directory):
    """List the files whose SHA-256 sum is not the published one."""
    return [name for name in sorted(checksums()) if not _is_published(directory / name)]


def download_mitbih(directory):
    """Download the files that are missing or damaged, with a progress bar."""
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
    """Remove newly made folders if they stay empty."""
    new = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # not empty, or not made
            for path in new:
                path.rmdir()


def how_to_get(directory):
    return (
        f"Download the 48 records (.dat, .hea, .atr) from {MITDB_URL} to {directory}, "
        f"or set ${DATA_VARIABLE} to a folder that holds them."
    )
