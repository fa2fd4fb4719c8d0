"""The command ``data``: the files of the MIT-BIH database."""

from ecg_sklearn.cli._checks import check_place
from ecg_sklearn.cli._train import print_counts
from ecg_sklearn.datasets import _mitbih_files as mitbih
from ecg_sklearn.datasets import fetch_mitbih


def data(*, action, data, quiet):
    """Fetch, verify or count the MIT-BIH database."""
    directory = mitbih.find_mitbih(data)
    if action == "fetch":
        check_place(directory / "RECORDS")
        mitbih.download_mitbih(directory)  # keeps intact files
        print(f"The MIT-BIH database is in {directory}")
        return
    if missing := mitbih.missing_files(directory):
        raise FileNotFoundError(
            f"{len(missing)} files are missing in {directory}: {missing[0]}, ... To "
            "download them: ecg-sklearn data fetch, with the same --data."
        )
    if action == "verify":
        if damaged := mitbih.damaged_files(directory):
            raise OSError(f"{len(damaged)} files in {directory} are damaged: {damaged}")
        print(f"{len(mitbih.checksums())} files in {directory} are as published.")
    else:
        subsets = {
            name: fetch_mitbih(data_home=data, subset=name, download_if_missing=False)
            for name in ("all", "train", "test", "ds1", "ds2")
        }
        print_counts(subsets, quiet=quiet)
