"""Databases of PhysioNet: finds, downloads and checks their files."""

import contextlib
import hashlib
import logging
import os
from importlib import resources
from pathlib import Path

DATA_VARIABLE = "ECG_SKLEARN_DATA"


class Published:
    """A database whose files are known by their SHA-256 sums.

    ``name`` is that of its folder and of the table of sums, ``title`` is for messages.
    """

    def __init__(self, name, title, n_records):
        self.name, self.title, self.n_records = name, title, n_records
        self.url = f"https://physionet.org/files/{name}/1.0.0/"
        self._checksums = None

    def checksums(self):
        """Read the SHA-256 sum of each file, by file name."""
        if self._checksums is None:
            data = resources.files(__package__).joinpath(f"data/{self.name}_sha256.txt")
            lines = map(str.split, data.read_text().splitlines())
            self._checksums = {file: digest for digest, file in lines}
        return self._checksums

    def find(self, data_home=None):
        """Find the folder of the records, whether it exists or not."""
        own_place = data_home is None and not os.environ.get(DATA_VARIABLE)
        if data_home is None:
            data_home = os.environ.get(DATA_VARIABLE)
            data_home = data_home or Path.home() / "ecg_sklearn_data"
        home = Path(data_home).expanduser()
        if home.exists() and not home.is_dir():
            raise NotADirectoryError(
                f"{home} is a file. Give the folder that holds the {self.title} "
                "records."
            )
        if home.name == self.name or self._is_in(home):
            folder = home
        else:
            folder = home / self.name
        for place in (folder,) if own_place else (home, folder):
            if _has_files(place) and not self._is_in(folder):
                raise OSError(
                    f"{place} holds other files and not the {self.title} database. "
                    "Read other WFDB records with load_wfdb_beats. For the "
                    f"{self.title} database, give its folder, or an empty one to "
                    "download it to."
                )
        return folder

    def is_at(self, path):
        """Whether a folder, or its subfolder of this name, holds any of the files."""
        home = Path(path).expanduser()
        return self._is_in(home) or self._is_in(home / self.name)

    def _is_in(self, folder):
        """Whether a folder holds any files, judged by headers if there are any."""
        names = [name for name in self.checksums() if (folder / name).is_file()]
        headers = [name for name in names if name.endswith(".hea")]
        if not headers:
            return bool(names)
        return any(self._is_published(folder / name) for name in headers)

    def _is_published(self, path):
        """Whether a file equals the published one of this name."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest == self.checksums()[path.name]

    def missing_files(self, directory):
        """List the files of the database that a folder lacks."""
        names = sorted(self.checksums())
        return [name for name in names if not (directory / name).is_file()]

    def damaged_files(self, directory):
        """List the files whose SHA-256 sum is not the published one."""
        names = sorted(self.checksums())
        return [name for name in names if not self._is_published(directory / name)]

    def provide(self, data_home, *, download):
        """Find the folder, download missing files if allowed, and check all."""
        directory = self.find(data_home)
        missing = self.missing_files(directory)
        if missing and not download:
            raise OSError(
                f"{len(missing)} of {len(self.checksums())} files of the {self.title} "
                f"database are missing in {directory} ({', '.join(missing[:3])}, ...), "
                f"and download_if_missing=False. {self.how_to_get(directory)}"
            )
        if missing:
            self.download(directory)
        if damaged := self.damaged_files(directory):
            raise ValueError(
                f"{', '.join(damaged[:3])}{', ...' if len(damaged) > 3 else ''} in "
                f"{directory} differ from the published files (SHA-256). Remove them "
                "and fetch them again."
            )
        return directory

    def download(self, directory):
        """Download the files that are missing or damaged, with a progress bar."""
        import pooch
        from rich.console import Console
        from rich.progress import track

        fetcher = pooch.create(
            path=directory,
            base_url=self.url,
            registry=self.checksums(),
            retry_if_failed=2,
        )
        logger = pooch.get_logger()
        level = logger.level
        logger.setLevel(logging.WARNING)
        try:
            with _no_empty_folders(directory):
                for name in track(
                    sorted(self.checksums()),
                    description=f"{self.title} -> {directory}",
                    console=Console(stderr=True),
                ):
                    fetcher.fetch(name)
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise OSError(
                f"The {self.title} database could not be downloaded to {directory}: "
                f"{reason[:300]}. {self.how_to_get(directory)}"
            ) from error
        finally:
            logger.setLevel(level)

    def how_to_get(self, directory):
        """Advice for a database that is not there."""
        return (
            f"Download the {self.n_records} records (.dat, .hea, .atr) from {self.url} "
            f"to {directory}, or set ${DATA_VARIABLE} to a folder that holds them."
        )


MITDB = Published("mitdb", "MIT-BIH", 48)
SVDB = Published("svdb", "MIT-BIH Supraventricular", 78)


def _has_files(folder):
    """Whether a folder holds files that are not hidden."""
    return folder.is_dir() and any(
        path.is_file() and not path.name.startswith(".") for path in folder.iterdir()
    )


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
