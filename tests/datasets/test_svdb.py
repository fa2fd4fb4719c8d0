"""The Supraventricular Arrhythmia Database: fetched, checked, cut."""

import numpy as np
import pytest

from ecg_sklearn.cli import main
from ecg_sklearn.datasets import fetch_svdb, load_wfdb_beats
from ecg_sklearn.datasets._published import SVDB


def test_without_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setattr(SVDB, "url", "http://127.0.0.1:9/")
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        fetch_svdb(data_home=tmp_path / "home")
    for part in ("78 records", "http://127.0.0.1:9/", "home", "svdb"):
        assert part in str(caught.value)
    with pytest.raises(OSError, match="234 of 234 files .* are missing"):
        fetch_svdb(data_home=tmp_path, download_if_missing=False)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_how_to_get_them(tmp_path, capsys):
    argv = ["data", "verify", "--database", "svdb", "--data", str(tmp_path / "new")]
    assert main(argv) == 2
    assert "with the same --data and --database" in capsys.readouterr().err


def test_a_folder_of_other_files(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(OSError, match="not the MIT-BIH Supraventricular database"):
        fetch_svdb(data_home=tmp_path)


@pytest.mark.mitbih
def test_the_published_records(mitbih_home, capsys):
    beats = fetch_svdb(data_home=mitbih_home, download_if_missing=False)
    assert len(np.unique(beats.groups)) == 78
    counts = np.bincount(beats.target, minlength=5)
    # Beats at the ends of a record have no window.
    np.testing.assert_allclose(counts, [162_261, 12_196, 9_939, 23, 79], atol=60)
    assert beats.sampling_rate == 128
    assert "Greenwald" in beats.DESCR
    one = fetch_svdb(data_home=mitbih_home, records=["800"], channel="ECG2")
    same = load_wfdb_beats(SVDB.find(mitbih_home), records=["800"], channel="ECG2")
    np.testing.assert_array_equal(one.data, same.data)
    how = ["--database", "svdb", "--data", str(mitbih_home)]
    assert main(["data", "verify", *how]) == 0
    assert "234 files in" in capsys.readouterr().out
