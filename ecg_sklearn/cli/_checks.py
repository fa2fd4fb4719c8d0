"""Checks of paths and numbers that run before TensorFlow is loaded."""

import os
from pathlib import Path

from ecg_sklearn.cli._recipes import TREES
from ecg_sklearn.utils._files import refuse_existing

MOST_RESAMPLES = 1_000_000
# First bytes of a zip file, and of a pickle, plain or compressed by joblib.
_ZIP = b"PK\x03\x04"
_COMPRESSED = (_ZIP, b"\x1f\x8b", b"BZh", b"\xfd7zXZ")  # zip, gzip, bzip2, xz
_PICKLES = (
    b"\x80",
    b"ZF",
    b"\x78\x01",  # zlib, at its levels
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    *_COMPRESSED[1:],
    b"\x5d\x00",  # lzma
    b"\x04\x22\x4d\x18",  # lz4
)


def check(command, arguments):
    """Check the arguments of a command."""
    if command in _CHECKS:
        _CHECKS[command](**arguments)


def _check_train(
    *, output, overwrite, resume, data=(), test_data=None, validation, **rest
):
    _check_kind(resume=resume, **rest)
    if validation is not None and not 0 <= validation < 1:
        raise ValueError(f"--validation {validation} is not in [0, 1).")
    refuse_existing(output, overwrite)
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output} is a file. Choose another --output.")
    check_place(output)
    state = state_folder(output)
    if state.exists() and not state.is_dir():
        raise NotADirectoryError(
            f"{state} is a file, where the state of the training is to be. Move it."
        )
    if state.exists() and not resume and not overwrite:
        raise FileExistsError(
            f"{state} holds the state of a training that was broken off. Add --resume "
            "to go on from there, or --overwrite to begin anew."
        )
    _check_data(data)
    if test_data is not None and not Path(test_data).exists():
        raise FileNotFoundError(
            f"--test-data {test_data}: there is no such file or folder."
        )


def _check_kind(*, kind="network", protocol=None, preset=None, **others):
    """Refuse options of networks for trees."""
    if kind not in TREES:
        return
    if protocol == "kaggle":
        raise ValueError(
            f"--{kind} makes trees on whole records, and the beats of a record are on "
            "both sides of --protocol kaggle. Use --protocol inter-patient, or "
            "--network."
        )
    if preset not in (None, "inter-patient"):
        raise ValueError(
            f"--preset {preset} is a network, and --{kind} makes trees. Leave one of "
            "them out."
        )
    unset = {"features": None, "sampler": "auto", "epochs": None, "resume": False}
    for name, default in unset.items():
        if others.get(name, default) != default:
            raise ValueError(
                f"--{name} is for networks, and this training makes trees (--{kind}). "
                f"Choose --network or --rhythm instead, or leave --{name} out."
            )
    if others.get("form") == "kaggle":
        raise ValueError(
            f"--form kaggle cuts rows without times, and --{kind} makes trees on "
            "features. Use --form window, or --network."
        )


def _check_scoring(*, model, data, output, overwrite, resamples, **_):
    _check_output_file(output, overwrite)
    if not 1 <= resamples <= MOST_RESAMPLES:
        raise ValueError(
            f"--resamples {resamples} must be from 1 to {MOST_RESAMPLES:,}."
        )
    kind_of_model(model)
    _check_data(data)


def _check_predict(*, model, input, beats, annotator, output, overwrite, **_):
    _check_output_file(output, overwrite)
    kind_of_model(model)
    check_recording(input, beats, annotator, overwrite)


def check_recording(input, beats, annotator, overwrite):
    """Refuse a recording that is not there, or whose annotations do not fit."""
    record = record_path(input)
    has_header = is_record(record)
    if annotator is not None:
        if not has_header:
            raise ValueError(f"--annotator needs a WFDB record, and {input} is none.")
        _check_annotator(record, beats, annotator, overwrite)
    if not has_header and not input.is_file():
        raise FileNotFoundError(
            f"There is no file {input}, and no WFDB record: {record.name}.hea is "
            "missing."
        )
    if beats is not None and not has_header:
        raise ValueError(f"--beats needs a WFDB record, and {input} is none.")
    if beats is not None and not file_of(record, beats).is_file():
        raise FileNotFoundError(
            f"Record {record} has no annotation file {record.name}.{beats} to mark "
            "the beats. Name another one, or leave --beats out: they are detected."
        )


_CHECKS = {
    "train": _check_train,
    "demo": _check_train,
    "evaluate": _check_scoring,
    "report": _check_scoring,
    "predict": _check_predict,
}


def is_beat_table(path):
    """Whether a file is a CSV file of single beats: 187 samples, and maybe a label."""
    from ecg_sklearn.cli._sources import n_columns_of

    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(2**16)
    # pandas would read a binary file without line ends as a whole.
    is_text = b"\0" not in start or start.startswith(_COMPRESSED)
    return is_text and n_columns_of(path) in (187, 188)


def record_path(path):
    """Path of a WFDB record, given by its name, header or signal file."""
    if path.suffix.lower() in (".hea", ".dat", ".mat") and path.is_file():
        path = path.with_suffix("")
    if path.is_dir() and not is_record(path):
        raise IsADirectoryError(
            f"{path} is a folder. Name a record in it, without its suffix, or a file."
        )
    return path


def is_record(path):
    """Whether a path without suffix is that of a WFDB record."""
    return bool(path.name) and file_of(path, "hea").is_file()


def state_folder(output):
    """Folder of the state of an unfinished training, next to its output."""
    output = output if output.name else Path(os.path.abspath(output))
    return output.with_name(f"{output.name}.training")


def kind_of_model(path):
    """Distinguish an "ecgsk" file from a "pickle" by its first bytes."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder. Name the model file in it.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no model file {path}.")
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_ZIP):
        return "ecgsk"
    if start.startswith(_PICKLES):
        return "pickle"
    raise ValueError(f"{path} is not a model that ecg-sklearn train saved.")


def find_model(text):
    """Path of a model file; a name that is none of a file is that of a shipped model.

    None stays None.
    """
    if text is None:
        return None
    path = Path(text)
    if path.exists() or path.suffix or len(path.parts) != 1:
        kind_of_model(path)
        return path
    return text


def check_place(path):
    """Refuse an output that could not be written."""
    parent = Path(os.path.abspath(path)).parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise NotADirectoryError(f"{path} cannot be written: {parent} is no folder.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: {parent} is read-only.")


def _check_data(data):
    for place in data or ():
        if place != "simulated" and not Path(place).exists():
            raise FileNotFoundError(
                f"--data {place}: there is no such folder or file. To download the "
                f"MIT-BIH database there: ecg-sklearn data fetch --data {place}"
            )


def _check_output_file(output, overwrite):
    if output is None:
        return
    if output.is_dir():
        raise IsADirectoryError(f"--output {output} is a folder. Name a file.")
    refuse_existing(output, overwrite)
    check_place(output)


def _check_annotator(record, beats, annotator, overwrite):
    """Refuse annotation files that cannot or should not be written."""
    if record is None:
        raise ValueError("--annotator needs a WFDB record; a CSV file has no times.")
    if not (annotator.isascii() and annotator.isalpha()):
        raise ValueError(f"--annotator {annotator!r}: letters only, as wfdb asks.")
    if annotator in (beats, "atr"):
        raise ValueError(
            f"--annotator {annotator} would replace the annotations that mark the "
            "beats. Choose another name."
        )
    refuse_existing(file_of(record, annotator), overwrite)
    check_place(file_of(record, annotator))


def file_of(record, suffix):
    """File of a WFDB record with a suffix, such as that of an annotator."""
    return record.with_name(f"{record.name}.{suffix}")
