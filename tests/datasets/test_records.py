"""What WFDB records may hold: own time units, frames, gaps, segments, odd marks."""

import numpy as np
import pytest
import wfdb

from ecg_sklearn.datasets import _mitbih, fetch_mitbih, iter_beats, load_wfdb_beats
from ecg_sklearn.datasets._published import MITDB
from ecg_sklearn.preprocessing import BeatScaler

RATE, N_SAMPLES = 250, 250 * 30
PEAKS = np.arange(100, 250 * 29, 200)  # a beat every .8 s


def make_signal(rate=RATE):
    """30 s with a peak of 1 mV at each beat, between values that differ."""
    time = np.arange(30 * rate) / rate
    signal = 0.1 * np.sin(2 * np.pi * time / 7)
    for peak in PEAKS / RATE:
        signal += np.exp(-0.5 * ((time - peak) / 0.02) ** 2)
    return signal


def write_record(folder, name="r1", signal=None, *, sample=PEAKS, **notes):
    """Write a record of one signal, II, with its annotations."""
    folder.mkdir(exist_ok=True)
    write_signal(folder, name, make_signal() if signal is None else signal)
    write_annotations(folder, name, sample, **notes)


def write_annotations(folder, name, sample, **notes):
    notes = {"symbol": ["N"] * len(sample)} | notes
    wfdb.wrann(name, "atr", sample, write_dir=str(folder), **notes)


def write_signal(folder, name, signal, sig_name="II"):
    how = {"fs": RATE, "units": ["mV"], "fmt": ["16"], "write_dir": str(folder)}
    wfdb.wrsamp(name, sig_name=[sig_name], p_signal=signal[:, None], **how)


@pytest.fixture
def load(tmp_path):
    """Read the folder's records in a form."""

    def load(form="window", **options):
        return load_wfdb_beats(tmp_path, **{"channel": "II", "form": form} | options)

    return load


FORMS = pytest.mark.parametrize("form", ["window", "kaggle"])


class TestTimeUnits:
    @FORMS
    @pytest.mark.parametrize("unit", [100, 250, 1000, 360])
    def test_annotations_have_one_of_their_own(self, tmp_path, load, form, unit):
        write_record(tmp_path)
        expected = load(form)
        sample = np.rint(PEAKS * unit / RATE).astype(int)
        write_record(tmp_path, sample=sample, fs=unit)
        found = load(form)
        np.testing.assert_allclose(found.rr[:, 1], 0.8, atol=2 / unit)
        np.testing.assert_allclose(found.time, expected.time, atol=1 / unit)
        assert found.data.shape == expected.data.shape
        if form == "window":  # the peak stands where it should
            np.testing.assert_allclose(found.data.argmax(axis=1), 100, atol=2)

    @FORMS
    @pytest.mark.parametrize("fs", [None, 125, 1000])
    def test_signals_of_several_samples_a_frame(self, tmp_path, load, form, fs):
        """62.5 frames a second with eight samples of the ECG and one of breathing."""
        frames = np.zeros((1875, 9), dtype="<i2")
        frames[:, :8] = np.rint(make_signal(500) * 200).reshape(-1, 8)
        frames.tofile(tmp_path / "r1.dat")
        header = (
            "r1 2 62.5 1875\nr1.dat 16x8 200 16 0 0 0 0 II\nr1.dat 16 200 16 0 0 0 0 "
        )
        (tmp_path / "r1.hea").write_text(header + "RESP\n")
        unit = fs or 62.5  # without a note, annotations count frames
        sample = np.rint(PEAKS / RATE * unit).astype(int)
        write_annotations(tmp_path, "r1", sample, fs=fs)
        beats = load(form)
        np.testing.assert_allclose(beats.rr[:, 1], 0.8, atol=2 / unit)
        np.testing.assert_allclose(beats.time[:3], [0.4, 1.2, 2.0], atol=1 / unit)
        if form == "window":
            assert beats.sampling_rate == 500.0
            np.testing.assert_allclose(beats.data.max(axis=1), 1.0, atol=0.15)
            np.testing.assert_allclose(beats.data.argmax(axis=1), 200, atol=5)


class TestInvalidSamples:
    """WFDB marks samples that are missing by the lowest value of the format."""

    GAP = slice(2000, 2010)  # at 8.0 s, inside the beat of 7.6 s and before that of 8.4

    @pytest.fixture
    def folder(self, tmp_path):
        signal = make_signal()
        signal[self.GAP] = np.nan  # written as the value of an invalid sample
        write_record(tmp_path, signal=signal)
        return tmp_path

    @pytest.mark.parametrize(
        ("form", "options", "lost"),
        [
            ("kaggle", {}, [7.6]),  # rows reach from a beat past the next one
            ("window", {}, [7.6, 8.4]),
            ("window", {"window": (-0.1, 0.1)}, []),
            ("window", {"sampling_rate": 360.0}, [7.6, 8.4]),
            ("window", {"sampling_rate": 100.0, "window": (-0.2, 0.5)}, [7.6]),
        ],
    )
    def test_beats_that_touch_them_are_left_out(
        self, tmp_path, folder, load, form, options, lost
    ):
        if lost:
            message = (
                rf"Record r1: {len(lost)} of \d+ beats .* first at {lost[0]:.2f} s"
            )
            with pytest.warns(UserWarning, match=message):
                beats = load(form, **options)
        else:
            beats = load(form, **options)
        write_record(tmp_path)
        whole = load(form, **options)
        kept = ~np.isin(whole.time.round(2), lost)
        assert np.count_nonzero(~kept) == len(lost)
        for name in ("target", "groups", "symbols", "rr", "time", "rhythms"):
            np.testing.assert_array_equal(beats[name], whole[name][kept])
        assert np.isfinite(beats.data).all()
        # The rest is what it is without the gap, the resampling filter's reach aside.
        np.testing.assert_allclose(beats.data, whole.data[kept], atol=0.03)

    @pytest.mark.parametrize("form", ["kaggle", "window"])
    def test_everywhere(self, folder, monkeypatch, form):
        cut = {"channel": "II", "form": form}
        with pytest.warns(UserWarning, match="Record r1"):
            whole = load_wfdb_beats(folder, **cut)
        with pytest.warns(UserWarning, match="Record r1"):
            [batch] = iter_beats(folder, **cut)
        np.testing.assert_array_equal(batch.data, whole.data)
        monkeypatch.setattr(MITDB, "provide", lambda home, download: folder)
        monkeypatch.setattr(_mitbih, "MITBIH_RECORDS", ["r1"])
        monkeypatch.setattr(_mitbih, "_official_split", lambda n: np.full(n, -1))
        given = {"channel": "II"} if form == "window" else {}
        with pytest.warns(UserWarning, match="Record r1"):
            found = fetch_mitbih(form=form, **given)
        np.testing.assert_array_equal(found.data, whole.data)

    @pytest.mark.parametrize("form", ["kaggle", "window"])
    def test_of_every_beat(self, tmp_path, load, form):
        write_record(tmp_path)
        values = np.fromfile(tmp_path / "r1.dat", dtype="<i2")
        np.full_like(values, -(2**15)).tofile(tmp_path / "r1.dat")
        with (
            pytest.warns(UserWarning, match="of .* beats hold samples"),
            pytest.raises(ValueError, match="No beat in"),
        ):
            load(form)

    def test_features_are_finite(self, folder, load):
        with pytest.warns(UserWarning, match="Record r1"):
            beats = load("window", features=["rr", "morphology"])
        assert np.isfinite(beats.data.to_numpy()).all()


class TestMarks:
    @FORMS
    @pytest.mark.parametrize("other", [None, np.nan, "VF", "Art"])
    def test_what_is_no_beat_does_not_become_one(
        self, tmp_path, load, monkeypatch, form, other
    ):
        write_record(tmp_path)
        plain = load(form)
        read = wfdb.rdann

        def with_other_symbols(*args, **kwargs):
            notes = read(*args, **kwargs)
            notes.symbol = list(notes.symbol)
            notes.symbol[3:5] = [other, other]
            return notes

        monkeypatch.setattr(wfdb, "rdann", with_other_symbols)
        beats = load(form)
        kept = np.r_[0:3, 5 : len(plain.time)]
        np.testing.assert_array_equal(beats.time, plain.time[kept])
        assert set(beats.symbols) == {"N"}

    @FORMS
    def test_outside_the_signal_they_give_no_rows(self, tmp_path, load, form):
        beyond = np.append(PEAKS, [N_SAMPLES + 1, N_SAMPLES + 1000, N_SAMPLES + 1200])
        write_record(tmp_path)
        expected = load(form)
        write_record(tmp_path, sample=beyond)
        message = r"Record r1 has 3 beats .* outside of its signal of 30 s.* 30\.00 s"
        with pytest.warns(UserWarning, match=message):
            beats = load(form)
        for name in ("data", "time", "rr"):
            np.testing.assert_array_equal(beats[name], expected[name])

    @FORMS
    def test_right_behind_the_signal_one_ends_the_beat_before(
        self, tmp_path, load, form
    ):
        write_record(tmp_path, sample=np.append(PEAKS, N_SAMPLES))
        window = (-0.4, 0.2) if form == "window" else None
        beats = load(form, window=window, features=["rr", "morphology"])
        assert len(beats.data) == len(PEAKS)
        np.testing.assert_allclose(beats.rr[-1, 1], (N_SAMPLES - PEAKS[-1]) / RATE)

    def test_a_note_at_which_wfdb_never_ends(self, tmp_path, load):
        notes = {"symbol": ['"', "N"], "aux_note": ["## made by hand", ""]}
        write_record(tmp_path, sample=np.array([0, 1000]), **notes)
        with pytest.raises(ValueError, match=r"r1\.atr begins with a note '## \.\.\.'"):
            load()

    @FORMS
    def test_negative_or_unordered(self, tmp_path, load, monkeypatch, form):
        write_record(tmp_path)
        expected = load(form)
        read = wfdb.rdann

        def shuffled(*args, **kwargs):
            notes = read(*args, **kwargs)
            notes.sample = np.append(notes.sample, -5)[::-1]
            notes.symbol = ["+", *notes.symbol]
            notes.aux_note = ["(AFIB", *notes.aux_note][::-1]
            return notes

        monkeypatch.setattr(wfdb, "rdann", shuffled)
        beats = load(form)
        for name in ("data", "time", "rr"):
            np.testing.assert_array_equal(beats[name], expected[name])

    def test_at_one_moment_there_is_no_row_to_cut(self, tmp_path, load):
        sample = np.array([1000, 2000, 2000, 2001, 3000])
        write_record(tmp_path, sample=sample)
        beats = load("kaggle")
        np.testing.assert_allclose(beats.time, [4.0, 8.0, 8.004])
        assert beats.data.any(axis=1).all()


class TestSegments:
    """Records that are put together of others."""

    @FORMS
    @pytest.mark.parametrize("gap", [False, True], ids=["fixed", "variable"])
    def test_are_joined(self, tmp_path, load, form, gap):
        write_record(tmp_path, "r1")
        expected, signal = load(form), make_signal()
        write_signal(tmp_path, "s1", signal[:3000])
        write_signal(tmp_path, "s2", signal[3000:3500], sig_name="V1" if gap else "II")
        write_signal(tmp_path, "s3", signal[4000 if gap else 3500 :])
        (tmp_path / "layout.hea").write_text(
            f"layout 2 {RATE} 0\n~ 0 200 0 0 0 0 0 II\n~ 0 200 0 0 0 0 0 V1\n"
        )
        segments = "/5 2 250 7500\nlayout 0\ns1 3000\ns2 500\n~ 500\ns3 3500\n"
        if not gap:
            segments = "/3 1 250 7500\ns1 3000\ns2 500\ns3 4000\n"
        (tmp_path / "r1.hea").write_text(f"r1{segments}")
        if not gap:
            beats = load(form)
        else:
            with pytest.warns(UserWarning, match=r"of \d+ beats hold samples"):
                beats = load(form)
        kept = np.isin(expected.time, beats.time)
        assert kept.all() != gap
        if gap:  # from 12 to 16 s
            lost = expected.time[~kept]
            assert set(range(13, 16)) <= set(lost.astype(int))
            assert 10.5 < lost.min() < lost.max() < 16.5
        np.testing.assert_allclose(beats.data, expected.data[kept], atol=2e-3)
        np.testing.assert_array_equal(beats.rr, expected.rr[kept])

    def test_a_segment_that_is_missing_is_named(self, tmp_path, load):
        write_record(tmp_path, "r1")
        write_signal(tmp_path, "s1", make_signal()[:3000])
        header = f"r1/2 1 {RATE} {N_SAMPLES}\ns1 3000\ns2 {N_SAMPLES - 3000}\n"
        (tmp_path / "r1.hea").write_text(header)
        with pytest.raises(FileNotFoundError, match=r"Record r1 has no header s2\.hea"):
            load()


class TestUnits:
    """Windows are in mV, or say in what they are."""

    @pytest.mark.parametrize(
        ("field", "unit", "factor"),
        [
            ("200/mV", "mV", 1),
            ("200", "mV", 1),  # what the header leaves out is WFDB's default
            ("0", "mV", 1),
            ("200000/V", "mV", 1),
            ("0.2/uV", "mV", 1),
            ("0.2/µV", "mV", 1),
            ("1/adu", "adu", 200),
            ("2/mmHg", "mmHg", 100),
        ],
    )
    @pytest.mark.parametrize("segments", [False, True])
    def test_of_the_signal(self, tmp_path, load, field, unit, factor, segments):
        """The same samples, 200 to a mV, under other headers."""
        write_record(tmp_path)
        values = np.rint(make_signal() * 200).astype("<i2")
        values.tofile(tmp_path / "s1.dat")
        header = f" 1 {RATE} {N_SAMPLES}\ns1.dat 16 {field} 16 0 0 0 0 II\n"
        if segments:
            (tmp_path / "s1.hea").write_text(f"s1{header}")
            header = f"/1 1 {RATE} {N_SAMPLES}\ns1 {N_SAMPLES}\n"
        (tmp_path / "r1.hea").write_text(f"r1{header}")
        beats = load(records=["r1"])
        assert beats.cut["unit"] == unit
        np.testing.assert_allclose(beats.data.max(axis=1), factor, rtol=0.15)
        rows = load("kaggle", records=["r1"])
        assert rows.cut["unit"] == "min-max"

    def test_must_agree(self, tmp_path, load):
        for name in ("r1", "r2"):
            write_record(tmp_path, name)
        header = (tmp_path / "r2.hea").read_text()
        (tmp_path / "r2.hea").write_text(header.replace("/mV", "/adu"))
        with pytest.raises(ValueError, match="r2 is in adu and that of record r1 in m"):
            load()
        with pytest.warns(RuntimeWarning, match="r2 is passed over: .* in adu"):
            [batch] = iter_beats(tmp_path, channel="II", on_error="skip")
        assert set(batch.groups) == {"r1"}
        model = BeatScaler().fit(batch.frame)
        with pytest.raises(ValueError, match="unit is 'adu', and was 'mV'"):
            model.transform(load(records=["r2"]).frame)
        assert len(load("kaggle").data) == 2 * len(load("kaggle", records=["r1"]).data)

    def test_of_segments_must_agree(self, tmp_path, load):
        write_record(tmp_path)
        for name, start in (("s1", 0), ("s2", 3750)):
            write_signal(tmp_path, name, make_signal()[start : start + 3750])
        (tmp_path / "r1.hea").write_text("r1/2 1 250 7500\ns1 3750\ns2 3750\n")
        assert load().cut["unit"] == "mV"
        header = (tmp_path / "s2.hea").read_text()
        (tmp_path / "s2.hea").write_text(header.replace("/mV", "/uV"))
        with pytest.raises(ValueError, match="segments are in different units, mV, uV"):
            load()


class TestNames:
    def test_unnamed_signals(self, tmp_path, load):
        write_record(tmp_path)
        expected = load()
        header = (tmp_path / "r1.hea").read_text()
        (tmp_path / "r1.hea").write_text(header.replace(" II", ""))
        np.testing.assert_array_equal(load(channel=0).data, expected.data)
        np.testing.assert_array_equal(load(channel=None).data, expected.data)
        with pytest.raises(ValueError, match=r"It has unnamed\. Give .* position"):
            load()

    def test_records_in_subfolders(self, tmp_path, load):
        write_record(tmp_path / "patient1", "p1")
        write_record(tmp_path / "patient2", "p1")
        with pytest.raises(FileNotFoundError, match=r"subfolders.*'patient./p1'"):
            load()
        assert set(load(records=["patient2/p1"]).groups) == {"patient2/p1"}
        both = {"patient1/p1", "patient2/p1"}
        (tmp_path / "RECORDS").write_text("patient1/p1\npatient2/p1\npatient1/p1\n")
        assert set(load().groups) == both
        assert len(load().data) == 2 * len(load(records=["patient1/p1"]).data)
        (tmp_path / "RECORDS").write_text("patient1/\npatient2/\n")
        for folder in ("patient1", "patient2"):
            (tmp_path / folder / "RECORDS").write_text("p1\n")
        assert set(load().groups) == both
        with pytest.raises(FileNotFoundError, match=r"no annotation file p1\.qrs"):
            load(records=["patient1/p1"], annotator="qrs")

    def test_records_without_annotations(self, tmp_path, load):
        for name in ("r1", "r2", "r3"):
            write_record(tmp_path, name)
        (tmp_path / "RECORDS").write_text("r1\nr2\nr3\n", encoding="utf-8-sig")
        (tmp_path / "r2.atr").unlink()
        with pytest.warns(UserWarning, match=r"1 of 3 records .* left out: r2\."):
            assert set(load().groups) == {"r1", "r3"}
        with pytest.raises(FileNotFoundError, match="r2 has no annotation file"):
            load(records=["r1", "r2"])
        for name in ("r1", "r3"):
            (tmp_path / f"{name}.atr").unlink()
        with pytest.raises(FileNotFoundError, match="r1 has no annotation file"):
            load()

    @pytest.mark.parametrize("name", ["r1.hea", "r1.dat", "r1.atr", "./r1", "r1"])
    def test_a_file_of_a_record_names_it(self, tmp_path, load, name):
        write_record(tmp_path)
        assert set(load(records=[name]).groups) == {"r1"}

    @pytest.mark.parametrize("folder", [".", "db/../"])
    def test_the_folder_of_this_process(self, tmp_path, monkeypatch, folder):
        write_record(tmp_path)
        (tmp_path / "db").mkdir()
        monkeypatch.chdir(tmp_path)
        assert set(load_wfdb_beats(folder, channel="II").groups) == {"r1"}
