"""MIT-BIH: found, downloaded and verified on a fake server; the rows on real data."""

import hashlib
import http.server
import threading
from functools import partial

import numpy as np
import pytest

from ecg_sklearn.aami import DS1, DS2, MITBIH_RECORDS, PACED_RECORDS
from ecg_sklearn.datasets import _mitbih, fetch_mitbih, load_wfdb_beats
from ecg_sklearn.datasets._published import MITDB, SVDB

OFFICIAL_COUNTS = {
    "all": [90589, 2779, 7236, 803, 8039],
    "train": [72471, 2223, 5788, 641, 6431],
    "test": [18118, 556, 1448, 162, 1608],
}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append(self.path.rsplit("/", 1)[-1])
        super().do_GET()


@pytest.fixture(autouse=True)
def retries_without_waiting(monkeypatch):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


@pytest.fixture
def physionet(tmp_path, monkeypatch):
    """A server on this machine that holds three small files in place of the 144."""
    source = tmp_path / "physionet"
    source.mkdir()
    sums = {}
    for number in range(3):
        content = bytes([number]) * 100_000
        (source / f"10{number}.dat").write_bytes(content)
        sums[f"10{number}.dat"] = hashlib.sha256(content).hexdigest()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Quiet, directory=source)
    )
    server.asked, server.source = [], source
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    for database in (MITDB, SVDB):
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(database, "url", url)
        monkeypatch.setattr(database, "checksums", lambda: sums)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_download_goes_on_where_it_stopped(physionet, tmp_path):
    home = tmp_path / "home"
    (physionet.source / "102.dat").rename(physionet.source / "away")
    with pytest.raises(OSError, match="could not be downloaded"):
        MITDB.download(home)
    assert sorted(p.name for p in home.iterdir()) == ["100.dat", "101.dat"]
    (physionet.source / "away").rename(physionet.source / "102.dat")
    physionet.asked.clear()
    MITDB.download(home)
    assert physionet.asked == ["102.dat"]
    assert MITDB.missing_files(home) == MITDB.damaged_files(home) == []
    (home / "101.dat").write_bytes(b"half")
    assert MITDB.damaged_files(home) == ["101.dat"]
    MITDB.download(home)
    assert MITDB.damaged_files(home) == []


def test_a_wrong_file_from_the_server_is_not_kept(physionet, tmp_path):
    (physionet.source / "100.dat").write_bytes(b"not the published bytes")
    home = tmp_path / "home"
    with pytest.raises(OSError, match="could not be downloaded"):
        MITDB.download(home)
    assert not home.exists()


def test_without_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(MITDB, "url", "http://127.0.0.1:9/")
    home = tmp_path / "home"
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        fetch_mitbih(data_home=home)
    for part in ("48 records", "http://127.0.0.1:9/", str(home / "mitdb")):
        assert part in str(caught.value)
    assert not home.exists()
    with pytest.raises(OSError, match="144 of 144 files .* are missing"):
        fetch_mitbih(data_home=home, download_if_missing=False)


def put_header(folder, monkeypatch):
    """Put the header of a record into a folder, as the published one."""
    folder.mkdir(exist_ok=True)
    (folder / "100.hea").write_text("100 2 360 650000\n")
    digest = hashlib.sha256((folder / "100.hea").read_bytes()).hexdigest()
    sums = {"100.dat": "0", "100.hea": digest}
    monkeypatch.setattr(MITDB, "checksums", lambda: sums)


def test_where_the_records_are_looked_for(tmp_path, monkeypatch):
    assert MITDB.find(tmp_path) == tmp_path / "mitdb"
    put_header(tmp_path, monkeypatch)
    assert MITDB.find(tmp_path) == tmp_path
    monkeypatch.setenv("ECG_SKLEARN_DATA", str(tmp_path))
    assert MITDB.find() == tmp_path
    (tmp_path / "100.hea").rename(tmp_path / "notes.txt")
    put_header(tmp_path / "mitdb", monkeypatch)
    assert MITDB.find(tmp_path) == tmp_path / "mitdb"
    assert MITDB.find(tmp_path / "mitdb") == tmp_path / "mitdb"
    assert MITDB.is_at(tmp_path)
    monkeypatch.delenv("ECG_SKLEARN_DATA")
    assert MITDB.find().parent.name == "ecg_sklearn_data"


@pytest.mark.parametrize("files", [["r1.hea", "r1.dat"], ["100.hea"], ["beats.csv"]])
def test_nothing_is_downloaded_into_a_folder_of_other_files(
    physionet, tmp_path, monkeypatch, files
):
    folder = tmp_path / "svdb"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("of another database")
    monkeypatch.setenv("ECG_SKLEARN_DATA", str(folder))
    sums = MITDB.checksums()
    monkeypatch.setattr(MITDB, "checksums", lambda: sums | {"100.hea": "0"})
    for data_home in (folder, None):
        with pytest.raises(OSError, match="holds other files.*load_wfdb_beats"):
            fetch_mitbih(data_home=data_home)
    assert not MITDB.is_at(folder)
    assert physionet.asked == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "beats.csv").touch()
    with pytest.raises(NotADirectoryError, match=r"beats\.csv is a file"):
        fetch_mitbih(data_home=tmp_path / "beats.csv")


@pytest.mark.parametrize(
    "given", [{"window": (-0.1, 0.1)}, {"channel": "V1"}, {"sampling_rate": 250}]
)
def test_rows_of_the_kaggle_form_have_one_cut(tmp_path, given):
    with pytest.raises(ValueError, match=r'is for windows.*Set form="window"'):
        fetch_mitbih(data_home=tmp_path, **given)


def test_what_the_package_carries():
    sums = MITDB.checksums()
    assert len(sums) == 144
    assert set(sums) == {
        f"{r}.{s}" for r in MITBIH_RECORDS for s in ("atr", "dat", "hea")
    }
    of_svdb = SVDB.checksums()
    assert len(of_svdb) == 234
    assert {name[:3] for name in of_svdb} <= {str(n) for n in range(800, 895)}
    assert all(len(digest) == 64 for digest in (sums | of_svdb).values())
    split = _mitbih._official_split(109_446)
    test_rows = split[split >= 0]
    np.testing.assert_array_equal(np.sort(test_rows), np.arange(21_892))
    assert not set(DS1) & set(DS2)
    assert not set(PACED_RECORDS) & set(DS1 + DS2)


@pytest.fixture(scope="module")
def everything(mitbih_home):
    return fetch_mitbih(data_home=mitbih_home)


@pytest.mark.mitbih
class TestRealRecords:
    @pytest.mark.parametrize("subset", ["all", "train", "test"])
    def test_official_counts(self, mitbih_home, subset):
        beats = fetch_mitbih(data_home=mitbih_home, subset=subset)
        counts = OFFICIAL_COUNTS[subset]
        np.testing.assert_array_equal(np.bincount(beats.target), counts)
        assert beats.data.shape == (sum(counts), 187)
        assert beats.data.dtype == np.float32
        assert set(beats.groups) == set(MITBIH_RECORDS)

    def test_rows_are_those_of_the_published_files(self, everything):
        # A digest of all rows, as the recipe gave them when its first rows were
        # compared with the heads of the published files.
        digest = hashlib.sha256(everything.data.tobytes()).hexdigest()
        assert (
            digest == "91a473f8aa67f8ca0908eb69e72d53afae1e5d21a0c7f32e70015962f2552d97"
        )

    def test_test_rows_are_in_the_published_order(self, mitbih_home, everything):
        test = fetch_mitbih(data_home=mitbih_home, subset="test")
        assert (np.diff(test.target) >= 0).all()  # the file is sorted by class
        index = np.load(mitbih_home / "kaggle_index.npz")
        np.testing.assert_array_equal(everything.target, index["y"])
        np.testing.assert_array_equal(everything.groups.astype(int), index["record"])
        np.testing.assert_array_equal(everything.symbols, index["symbol"])
        np.testing.assert_allclose(everything.time * 360, index["sample"])
        order = np.argsort(index["test_row"], kind="stable")[-21_892:]
        np.testing.assert_array_equal(everything.data[order], test.data)

    def test_rhythms(self, everything):
        beats = everything
        # The records with atrial fibrillation in the directory of the database.
        found = np.unique(beats.groups[beats.rhythms == "AFIB"])
        expected = ["201", "202", "203", "210", "217", "219", "221", "222"]
        assert found.tolist() == expected
        assert set(beats.rhythms[beats.groups == "100"]) == {"N"}
        assert set(beats.groups[beats.rhythms == "P"]) == {"102", "104", "107", "217"}

    def test_patients_apart(self, mitbih_home):
        one = fetch_mitbih(data_home=mitbih_home, subset="ds1")
        two = fetch_mitbih(data_home=mitbih_home, subset="ds2")
        assert set(one.groups) == set(DS1)
        assert set(two.groups) == set(DS2)
        np.testing.assert_array_equal(
            np.bincount(one.target), [45845, 943, 3788, 415, 8]
        )
        np.testing.assert_array_equal(
            np.bincount(two.target), [44238, 1836, 3221, 388, 7]
        )
        paced = fetch_mitbih(data_home=mitbih_home, subset="ds1", include_paced=True)
        assert set(paced.groups) == {*DS1, "102", "107"}

    def test_windows_are_of_the_same_beats(self, mitbih_home):
        rows = fetch_mitbih(data_home=mitbih_home, subset="test")
        windows = fetch_mitbih(data_home=mitbih_home, subset="test", form="window")
        assert windows.data.shape[1] == 360
        assert windows.sampling_rate == 360.0
        key = {(g, t) for g, t in zip(rows.groups, rows.time, strict=True)}
        found = [
            (g, t) in key for g, t in zip(windows.groups, windows.time, strict=True)
        ]
        assert all(found)
        assert len(found) > 0.999 * len(key)

    @pytest.mark.parametrize(("form", "n_times"), [("kaggle", 187), ("window", 360)])
    def test_features_stand_behind_the_same_samples(self, mitbih_home, form, n_times):
        how = {"data_home": mitbih_home, "subset": "ds1", "form": form}
        plain = fetch_mitbih(**how)
        beats = fetch_mitbih(features=["rr", "morphology"], **how)
        assert beats.data.shape == (len(plain.data), n_times + 22)
        np.testing.assert_array_equal(beats.data[plain.feature_names], plain.data)
        np.testing.assert_array_equal(beats.groups, plain.groups)
        features = beats.data.iloc[:, n_times:]
        assert np.isfinite(features.to_numpy()).all()
        # Premature beats have short intervals; ventricular ones another QRS complex.
        medians = features.groupby(beats.target).median()
        normal, atrial, ventricular = medians["rr_previous_to_local"][:3]
        assert max(atrial, ventricular) < -0.2 < normal
        normal, atrial, ventricular = medians["qrs_similarity"][:3]
        assert min(normal, atrial) > 0.95 > ventricular

    def test_the_same_as_reading_one_record(self, mitbih_home, everything):
        directory = MITDB.find(mitbih_home)
        one = load_wfdb_beats(directory, records=["208"], form="kaggle", channel=0)
        here = everything.groups == "208"
        np.testing.assert_array_equal(one.data, everything.data[here])
        np.testing.assert_array_equal(one.rr, everything.rr[here])
        assert (everything.rr > 0).all()

    def test_a_damaged_file_is_noticed(self, mitbih_home, tmp_path):
        copy = tmp_path / "mitdb"
        copy.mkdir()
        for path in MITDB.find(mitbih_home).glob("*.*"):
            (copy / path.name).symlink_to(path.resolve())
        damaged = bytearray((copy / "100.dat").read_bytes())
        damaged[1000] ^= 1
        (copy / "100.dat").unlink()
        (copy / "100.dat").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"100\.dat.*differ from the published"):
            fetch_mitbih(data_home=tmp_path)


@pytest.mark.network
def test_download_from_physionet(tmp_path):
    beats = fetch_mitbih(data_home=tmp_path, subset="test")
    assert beats.data.shape == (21_892, 187)
