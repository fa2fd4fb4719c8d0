"""Faults that fuzzing found, each with the case that showed it."""

import gzip
import zipfile

import numpy as np
import pytest

from ecg_sklearn import SpectrogramTransformer
from ecg_sklearn.datasets import load_heartbeat_csv, load_wfdb_beats
from ecg_sklearn.metrics import aami_jk_score, expected_calibration_error


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
    with pytest.raises(ValueError, match="has 0 samples per second, says its header"):
        load_wfdb_beats(wfdb_folder, records=["r1"], channel=0, features=["morphology"])


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


@pytest.mark.parametrize("amin", [5e-324, 1e-39, 1e39])
def test_powers_that_single_precision_does_not_hold(amin, beats):
    with pytest.raises(ValueError, match="'amin' parameter .* in the range"):
        SpectrogramTransformer(nperseg=1, amin=amin).fit(beats.data)


@pytest.mark.parametrize(
    "params",
    [
        {"sampling_rate": 5e-324},
        {"sampling_rate": 1e300},
        {"window": np.full(16, 1e-200)},
        {"window": np.full(16, np.nan)},
        {"window": np.tile([1.0, -1.0], 8), "scaling": "spectrum"},
    ],
)
def test_rates_and_windows_that_give_no_power(params, beats):
    with pytest.raises(ValueError, match="A beat that is 1 throughout would have"):
        SpectrogramTransformer(**params).fit(beats.data)


def test_a_changed_byte_anywhere_in_a_gzip_file(tmp_path):
    path = tmp_path / "beats.csv.gz"
    rows = "\n".join([",".join(["0.5"] * 187 + ["2"])] * 4)
    packed = gzip.compress(rows.encode(), mtime=0)
    for place in range(10, len(packed)):  # behind the header
        changed = packed[:place] + b"\x03" + packed[place + 1 :]
        if changed == packed:
            continue
        path.write_bytes(changed)
        # What is still unpacked before the damage is noticed may be no text.
        message = r"could not be decompressed: .* again\.$|is not a text file"
        with pytest.raises(ValueError, match=message) as caught:
            load_heartbeat_csv(path)
        assert "while decompressing data" not in str(caught.value)  # zlib's words


@pytest.mark.parametrize("classes", [[0, 1, 2, 3, 4], list("NSVFQ")])
def test_probabilities_that_do_not_add_up(classes):
    probability = [[0.2] * 5, [0.6] * 5]
    with pytest.raises(ValueError, match="of beat 1 add up to 3, not to 1"):
        expected_calibration_error(classes[-2:], probability, labels=classes)


def test_all_beats_of_two_classes_taken_for_each_other():
    assert aami_jk_score([1, 0], [0, 1]) == -0.5
