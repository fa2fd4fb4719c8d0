"""Faults that fuzzing found, each with the case that showed it."""

import zipfile

import numpy as np
import pytest

from ecg_sklearn import SpectrogramTransformer
from ecg_sklearn.datasets import load_heartbeat_csv, load_wfdb_beats


def test_a_zip_without_a_file(tmp_path):
    path = tmp_path / "beats.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(ValueError, match="a zip archive that holds no file"):
        load_heartbeat_csv(path)


@pytest.mark.parametrize("flag", [1, 32])
def test_a_zip_that_is_encrypted_or_packed_in_other_ways(tmp_path, flag):
    path = tmp_path / "beats.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("beats.csv", ",".join(["0"] * 188))
    content = bytearray(path.read_bytes())
    for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(start) + offset] |= flag
    path.write_bytes(content)
    with pytest.raises(ValueError, match="could not be decompressed"):
        load_heartbeat_csv(path)


def test_a_header_without_a_sampling_rate(wfdb_folder):
    header = wfdb_folder / "r1.hea"
    header.write_text(header.read_text().replace(" 250 ", " 0 ", 1))
    with pytest.raises(ValueError, match="says that the record has 0 samples per"):
        load_wfdb_beats(wfdb_folder, records=["r1"], channel=0, context=True)


def test_the_order_of_memory_does_not_show(beats):
    rows = beats.data[:7]
    fortran = SpectrogramTransformer().fit_transform(np.asfortranarray(rows))
    np.testing.assert_array_equal(fortran, SpectrogramTransformer().fit_transform(rows))


def test_a_window_that_overflows(beats):
    with pytest.raises(ValueError, match="gives no usable window of 16 samples"):
        SpectrogramTransformer(window=-4e15).fit(beats.data)


def test_a_transform_that_no_memory_holds(beats):
    with pytest.raises(ValueError, match="asks for transforms of 15,746,483,200"):
        SpectrogramTransformer(nfft=984155200.0).fit(beats.data)
