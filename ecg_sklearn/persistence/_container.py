"""The file: an uncompressed zip of ``model.json`` and one ``.npy`` for each array.

Nothing is unpacked to disk, nothing is compressed, and every byte is accounted for: the
length of the file follows from the lengths of its members.
"""

import hashlib
import io
import json
import math
import struct
import tokenize
import zipfile
from pathlib import Path

import numpy as np

from ecg_sklearn.persistence._values import is_storable, shown

__all__ = ["FORMAT", "FORMAT_VERSION", "is_model_file", "read_model", "write_model"]

FORMAT = "ecg_sklearn model"
FORMAT_VERSION = 1
MAX_FILE_BYTES = 2**31 - 1
MAX_JSON_BYTES = 2**24
MAX_HEADER_BYTES = 4096  # of an array
_HEADER_NAME = "model.json"
_FIELDS = {"format", "format_version", "versions", "arrays", "object"}
_START = b"PK\x03\x04"
# A zip's local header, its entry in the directory, and the directory's end.
_LOCAL, _ENTRY, _END = 30, 46, 22
# What zipfile and NumPy raise at damaged files, beside ValueError.
_DAMAGE = (
    zipfile.BadZipFile,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    struct.error,
    tokenize.TokenError,
)


def is_model_file(path):
    """Tell a model file by its content.

    Parameters
    ----------
    path : str or Path
        A file.

    Returns
    -------
    bool
        Whether it begins as :func:`write_model` begins.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    start = _START + bytes(22) + struct.pack("<HH", len(_HEADER_NAME), 0)
    with Path(path).open("rb") as file:
        found = file.read(_LOCAL + len(_HEADER_NAME))
    return (
        found[:4] == start[:4]
        and found[26:30] == start[26:30]
        and found[_LOCAL:] == _HEADER_NAME.encode()
    )


def write_model(path, versions, tree, arrays):
    """Write a model file; equal models give equal bytes.

    Parameters
    ----------
    path : Path
        The file; replaced if it is there.
    versions : dict of str to str
        Who wrote it.
    tree : object
        The model as JSON.
    arrays : list of ndarray
        Its arrays.

    Raises
    ------
    ValueError
        If it is larger than a file may be.
    """
    members = [(f"{place}.npy", _npy(array)) for place, array in enumerate(arrays)]
    header = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "versions": versions,
        "arrays": [hashlib.sha256(content).hexdigest() for _, content in members],
        "object": tree,
    }
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode("ascii")
    members.insert(0, (_HEADER_NAME, text))
    if len(text) > MAX_JSON_BYTES or _file_size(members) > MAX_FILE_BYTES:
        raise ValueError("it is larger than a model file may be.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)


def read_model(path):
    """Read a model file, and trust nothing in it.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    versions : dict of str to str
        Who wrote it.
    tree : object
        The model as JSON.
    arrays : list of ndarray
        Its arrays; their bytes are those that were written.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is no such file, or a damaged one.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no model file {path}.")
    if not path.is_file():
        raise ValueError("It is not a file.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError("It is larger than a model file may be.")
    content = path.read_bytes()
    try:
        members = _read_members(content)
        header = _read_header(members)
        return header["versions"], header["object"], _read_arrays(header, members)
    except _DAMAGE as error:
        raise ValueError(f"It is damaged ({type(error).__name__}: {error}).") from error


def _npy(array):
    """Bytes of an array as a .npy file."""
    array = np.asarray(array, dtype=array.dtype.newbyteorder("<"))
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return stream.getvalue()


def _file_size(members):
    """Length of an uncompressed zip of these names and contents, and nothing else."""
    sizes = [
        _LOCAL + _ENTRY + 2 * len(name) + len(content) for name, content in members
    ]
    return sum(sizes) + _END


def _read_members(content):
    """Contents of a zip by name, in order, with no byte left unexplained."""
    if not content.startswith(_START):
        raise ValueError("It is not a model file of ecg_sklearn.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        expected = [_HEADER_NAME] + [f"{i}.npy" for i in range(len(entries) - 1)]
        if names != expected:
            wrong = next(
                (n for n, e in zip(names, expected, strict=True) if n != e), "nothing"
            )
            raise ValueError(f"It holds {shown(wrong)} where it should not.")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("It is compressed, which model files are not.")
        if any(entry.compress_size != entry.file_size for entry in entries):
            raise ValueError("It does not have the sizes that it declares.")
        # Before anything is read: no sum of members is larger than the file.
        size = _LOCAL + _ENTRY
        total = sum(size + 2 * len(e.filename) + e.file_size for e in entries) + _END
        if total != len(content):
            raise ValueError(
                f"It has {len(content)} bytes, and {total} follow from its members."
            )
        return {entry.filename: archive.read(entry) for entry in entries}


def _read_header(members):
    """Read the JSON, and check everything around the tree."""
    text = members[_HEADER_NAME]
    if len(text) > MAX_JSON_BYTES:
        raise ValueError(f"Its {_HEADER_NAME} is larger than it may be.")
    header = json.loads(
        text.decode("ascii"),
        object_pairs_hook=_unique_keys,
        parse_constant=_no_constant,
        parse_float=_finite,
    )
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f'Its {_HEADER_NAME} does not say "{FORMAT}".')
    version = header.get("format_version")
    if type(version) is not int or version < 1:
        raise ValueError(f"Its format version is {shown(version)}.")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"It has format version {version}, and this ecg_sklearn knows versions up "
            f"to {FORMAT_VERSION}. Upgrade: pip install --upgrade ecg-sklearn"
        )
    if set(header) != _FIELDS:
        raise ValueError(f"Its {_HEADER_NAME} has the fields {shown(list(header))}.")
    versions = header["versions"]
    if not isinstance(versions, dict) or not all(
        isinstance(v, str) and len(v) < 64 and v.isprintable()
        for v in versions.values()
    ):
        raise ValueError("Its versions are not text.")
    return header


def _read_arrays(header, members):
    digests = header["arrays"]
    contents = [members[name] for name in members if name != _HEADER_NAME]
    if not isinstance(digests, list) or len(digests) != len(contents):
        raise ValueError(f"It holds {len(contents)} arrays and not as many checksums.")
    for place, (digest, content) in enumerate(zip(digests, contents, strict=True)):
        if hashlib.sha256(content).hexdigest() != digest:
            raise ValueError(f"{place}.npy does not have the checksum that it should.")
    return [_parse_npy(content, f"{i}.npy") for i, content in enumerate(contents)]


def _parse_npy(content, name):
    """Read a .npy file; reserve nothing before its size is known to be right."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"{name} has version {version} of its format.")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(
        stream, max_header_size=MAX_HEADER_BYTES
    )
    if not is_storable(dtype) or dtype.byteorder == ">":
        raise ValueError(f"{name} has dtype {shown(dtype)}, which is not stored.")
    start = stream.tell()
    n_values = math.prod(shape)
    if min(shape, default=0) < 0 or n_values * dtype.itemsize != len(content) - start:
        raise ValueError(f"{name} does not have the shape {shown(shape)}.")
    flat = np.frombuffer(content, dtype, offset=start)
    if dtype.kind == "b" and (flat.view(np.uint8) > 1).any():
        raise ValueError(f"{name} holds a bool that is neither true nor false.")
    if dtype.kind == "U" and (flat.view(np.uint32) > 0x10FFFF).any():
        raise ValueError(f"{name} holds a character that there is not.")
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="))


def _unique_keys(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"Its {_HEADER_NAME} has a key twice.")
    return found


def _no_constant(name):
    raise ValueError(f"Its {_HEADER_NAME} holds {name}.")


def _finite(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"Its {_HEADER_NAME} holds a number that is too large.")
    return number
