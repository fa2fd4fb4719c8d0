"""The command ``data``: the files of a published database."""

from ecg_sklearn.cli._checks import check_place
from ecg_sklearn.cli._train import print_counts
from ecg_sklearn.datasets import fetch_mitbih, fetch_svdb
from ecg_sklearn.datasets._published import MITDB, SVDB


def data(*, action, data, database, quiet):
    """Fetch, verify or count a database."""
    published = {"mitdb": MITDB, "svdb": SVDB}[database]
    directory = published.find(data)
    if action == "fetch":
        check_place(directory / "RECORDS")
        published.download(directory)  # keeps intact files
        print(f"The {published.title} database is in {directory}")
        return
    if missing := published.missing_files(directory):
        raise FileNotFoundError(
            f"{len(missing)} files are missing in {directory}: {missing[0]}, ... To "
            "download them: ecg-sklearn data fetch, with the same --data and "
            "--database."
        )
    if action == "verify":
        if damaged := published.damaged_files(directory):
            raise OSError(f"{len(damaged)} files in {directory} are damaged: {damaged}")
        print(f"{len(published.checksums())} files in {directory} are as published.")
        return
    how = {"data_home": data, "download_if_missing": False}
    if database == "svdb":
        subsets = {"all": fetch_svdb(**how)}
    else:
        names = ("all", "train", "test", "ds1", "ds2")
        subsets = {name: fetch_mitbih(subset=name, **how) for name in names}
    print_counts(subsets, quiet=quiet)
