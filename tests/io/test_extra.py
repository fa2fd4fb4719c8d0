"""Formats that the extra ``formats`` reads, and what is said without it."""

import sys

import pytest

from ecg_sklearn.io import read_recording

from . import writers_extra
from .test_formats import ECG, RATE, check
from .writers import LEADS


class TestExtra:
    @pytest.mark.parametrize(
        ("write", "rate", "form"),
        [
            (writers_extra.write_aecg, RATE, "aecg"),
            (writers_extra.write_kardia_json, 300.0, "kardia"),
            (writers_extra.write_muse, RATE, "muse"),
            (writers_extra.write_scp, RATE, "scp"),
        ],
    )
    def test_is_read(self, tmp_path, write, rate, form):
        pytest.importorskip("ecgdatakit")
        path = write(tmp_path / "a", ECG[:, 0], rate)
        leads = ("I",) if form == "kardia" else ("II",)
        found = read_recording(path)
        check(found, ECG[:, 0], atol=3e-3, leads=leads, form=form, rate=rate)
        if form != "kardia":
            found = read_recording(write(path, ECG, rate), channel="all")
            check(found, ECG, atol=3e-3, leads=LEADS, form=form, rate=rate)
        path.write_bytes(path.read_bytes()[:3000])
        with pytest.raises(ValueError, match=f"could not be read as {form}"):
            read_recording(path)

    @pytest.mark.parametrize(
        "content",
        [
            b'<?xml version="1.0"?><AnnotatedECG>',
            b"<RestingECG><MuseInfo/>",
            '<?xml version="1.0" encoding="UTF-16"?><restingecgdata>'.encode("utf-16"),
            bytes(8)
            + b"\0\0\x88\0\0\0"
            + bytes(8)
            + b"\0\0"
            + b"\x88\0\0\0\x07\0\0\0\0\0",
        ],
        ids=["aecg", "muse", "sierra", "scp"],
    )
    def test_without_the_package_the_extra_is_named(
        self, tmp_path, monkeypatch, content
    ):
        monkeypatch.setitem(sys.modules, "ecgdatakit", None)
        monkeypatch.setitem(sys.modules, "ecgdatakit.parsing", None)
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(ImportError, match=r'pip install "ecg-sklearn\[formats\]"'):
            read_recording(tmp_path / "a")
