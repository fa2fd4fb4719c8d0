"""Recordings of ``analyze``: what is read, and which files are written of each."""

import glob
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ecg_sklearn.cli._checks import (
    check_place,
    check_recording,
    file_of,
    is_record,
    record_path,
)
from ecg_sklearn.utils._files import refuse_existing

_PAGES = (".html", ".htm")
_TABLES = (".csv", ".tsv", ".txt", ".json", ".pdf", ".xlsx")  # no names of folders
_KINDS = {
    "page": "html",
    "json": "json",
    "beats": "beats.csv",
    "events": "events.csv",
}


class Job(NamedTuple):
    """One recording, and the files to write of it by kind.

    The kinds are "page", "json", "beats" and "events".
    """

    path: Path
    name: str
    files: dict[str, Path]

    def absolute(self):
        """Make the same job for a process that is in another folder."""
        files = {kind: file.absolute() for kind, file in self.files.items()}
        return self._replace(path=self.path.absolute(), files=files)


def make_jobs(inputs, *, output, csv, events, json):
    """Plan what is written; return the jobs, and the file of the summary or None."""
    paths = find_inputs(inputs)
    names = unique_names(paths)
    files = {"json": json, "beats": csv, "events": events}
    is_folder = output is not None and (
        output.is_dir() or output.suffix.lower() not in _PAGES
    )
    if is_folder and not output.is_dir() and output.suffix.lower() in _TABLES:
        raise ValueError(
            f"--output {output} is neither a page with the suffix .html nor a folder. "
            "--csv, --events and --json write tables."
        )
    if len(paths) > 1 or is_folder:
        _refuse_single_files(paths, output, is_folder, csv, events, json)
    if is_folder:
        jobs = [
            Job(path, name, {k: output / f"{name}.{end}" for k, end in _KINDS.items()})
            for path, name in zip(paths, names, strict=True)
        ]
        return jobs, output / "summary.csv"
    files = {"page": output} | files
    files = {kind: file for kind, file in files.items() if file is not None}
    return [Job(*each, files) for each in zip(paths, names, strict=True)], None


def _refuse_single_files(paths, output, is_folder, csv, events, json):
    """Refuse files of one recording where there are several, or a folder."""
    given = {"--csv": csv, "--events": events, "--json": json}
    if not is_folder:
        given["--output"] = output
    named = next((option for option, file in given.items() if file is not None), None)
    if named is None:
        return
    if is_folder:
        raise ValueError(
            f"{named} {given[named]}: the folder --output {output} gets this file of "
            f"each recording. Leave {named} out, or name a page with the suffix .html."
        )
    raise ValueError(
        f"{named} {given[named]} is one file, and there are {len(paths)} recordings. "
        "Use -o FOLDER, which gets pages and tables of each."
    )


def check_jobs(jobs, summary, *, model, beats, annotator, overwrite):
    """Refuse recordings that are not there, and files that should not be written."""
    for job in jobs:
        check_recording(job.path, beats, annotator, overwrite)
    outputs = [file for job in jobs for file in job.files.values()]
    outputs += [summary] if summary else []
    read = {file.resolve() for job in jobs for file in _files_of(job.path)}
    read |= {model.resolve()} if isinstance(model, Path) else set()
    written = Counter(file.resolve() for file in outputs)
    for file in outputs:
        if file.resolve() in read:
            raise ValueError(f"{file} is an input. Name another file to write.")
        if written[file.resolve()] > 1:
            raise ValueError(f"{file} is named twice. Name different files to write.")
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder. Name a file to write.")
        refuse_existing(file, overwrite)
        check_place(file)


def _files_of(path):
    """Files that are read of a recording."""
    return [path, *(file_of(path, end) for end in ("hea", "dat", "mat"))]


def find_inputs(texts):
    """Find the recordings that are named, each once, in the order of the command.

    Files of one WFDB record are one recording. A pattern that the shell has left as it
    is stands for the files that match.
    """
    paths = {}
    for text in texts:
        for path in _matching(text):
            record = record_path(path)
            path = record if is_record(record) else path
            paths.setdefault(path.resolve(), path)
    return list(paths.values())


def _matching(text):
    """Paths that one argument stands for."""
    path = Path(text)
    if "\0" in text or path.exists() or is_record(path) or not glob.has_magic(text):
        return [path]
    found = sorted(glob.glob(text))
    if not found:
        raise FileNotFoundError(f"There is no file that matches {text}.")
    return [Path(each) for each in found]


def unique_names(paths):
    """Name the files of each recording, without regard to case.

    The name is that of the file without suffix. Where it is not the only one, it is the
    whole name of the file, then the name behind those of its folders, then numbered.
    """
    names = [path.stem if path.is_file() else path.name for path in paths]
    for longer in (_with_suffix, _with_folders):
        counts = Counter(name.lower() for name in names)
        names = [
            longer(path) if counts[name.lower()] > 1 else name
            for path, name in zip(paths, names, strict=True)
        ]
    used = set()
    for place, name in enumerate(names):
        number = 1
        while names[place].lower() in used:
            number += 1
            names[place] = f"{name}-{number}"
        used.add(names[place].lower())
    return names


def _with_suffix(path):
    return path.name


def _with_folders(path):
    parts = path.resolve().parts[-2:]
    return "_".join(part for part in parts if part != path.anchor)
