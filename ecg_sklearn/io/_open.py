"""Recognises what a source is, by its content, and opens it."""

import gzip
import os
from pathlib import Path

from ecg_sklearn.io import _array, _dicom, _edf, _extra, _ishne, _text, _wfdb
from ecg_sklearn.io._source import errors_of_libraries

_HEAD = 4096
# First bytes of files that are often mistaken for a recording.
_OTHER_FILES = [
    (b"\x89PNG", "a PNG picture", ""),
    (b"\xff\xd8\xff", "a JPEG picture", ""),
    (b"GIF8", "a GIF picture", ""),
    (b"II*\0", "a TIFF picture", ""),
    (b"MM\0*", "a TIFF picture", ""),
    (b"BM", "a BMP picture", ""),
    (b"%PDF", "a PDF document", ""),
    (b"ID3", "MP3 sound", ""),
    (b"\xff\xfb", "MP3 sound", ""),
    (b"OggS", "an Ogg file", ""),
    (b"RIFF", "a RIFF file, such as WAV", ""),
    (b"PK\x03\x04", "a zip archive", " Unpack it, and give one of its files."),
    (b"PK\x05\x06", "an empty zip archive", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", " Unpack it, and give one of its files."),
    (b"Rar!", "a RAR archive", " Unpack it, and give one of its files."),
    (b"BZh", "compressed by bzip2", " Unpack it."),
    (b"\xfd7zXZ", "compressed by xz", " Unpack it."),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", " Unpack it."),
    (b"\x89HDF", "an HDF5 file", " Give its array."),
    (b"\x93NUMPY", "a NumPy file", " Give np.load(...) of it, with sampling_rate=."),
    (b"MATLAB 5.0", "a MATLAB file", " Give its array, with sampling_rate=."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", " Save the table as CSV."),
    (b"Salted__", "encrypted", " Decrypt it."),
    (b"-----BEGIN PGP", "encrypted", " Decrypt it."),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a program", ""),
    (b"SQLite format 3", "an SQLite database", ""),
    (b"PAR1", "a Parquet file", " Give it as a DataFrame."),
    (b"ANN  1.0", "an ISHNE annotation file", " Give the file of the signal."),
]


def open_source(source, sampling_rate):
    """Open a file, a record or an array."""
    if not isinstance(source, (str, os.PathLike)):
        return _array.open_array(source, sampling_rate)
    path = Path(source)
    if "\0" in str(path) or not str(source):
        raise ValueError(f"source={str(source)!r} is no name of a file.")
    header = path.with_name(f"{path.name}.hea")
    if not path.is_file() and header.is_file():
        return _wfdb.open_wfdb(header)
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder. Give one file, or a WFDB record such as "
            f"{path / _a_record(path)}."
        )
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}, and no record {header}.")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    with errors_of_libraries(path):
        return _open_by_content(path, head, sampling_rate)


def _a_record(folder):
    return next((path.stem for path in sorted(folder.glob("*.hea"))), "100")


def _open_by_content(path, head, sampling_rate):
    if not head:
        raise ValueError(f"{path} is empty. Give a file that holds a recording.")
    header = path.with_suffix(".hea")
    if _wfdb.is_header(head):
        return _wfdb.open_wfdb(path)
    if header != path and header.is_file() and _wfdb.names(header, path.name):
        return _wfdb.open_wfdb(header)
    if _edf.is_edf(head):
        return _edf.open_edf(path)
    if _ishne.is_ishne(head):
        return _ishne.open_ishne(path)
    if _dicom.is_dicom(head):
        return _dicom.open_dicom(path)
    if _extra.is_extra(head):
        return _extra.open_extra(path)
    for start, what, help in _OTHER_FILES:
        if head.startswith(start):
            raise ValueError(f"{path} is {what}, and no recording.{help}")
    if head[4:8] == b"ftyp":
        raise ValueError(f"{path} is a film or sound (MP4), and no recording.")
    if head.startswith(b"\x1f\x8b"):
        with gzip.open(path) as file:
            return _text.open_text(path, file, sampling_rate, is_packed=True)
    if _text.is_binary(head) and header.is_file():
        raise ValueError(
            f"{path} is not the signal of a record, such as its annotations. Give "
            f"{header}."
        )
    with path.open("rb") as file:
        return _text.open_text(path, file, sampling_rate)
