"""Each format, written from the same signal: values, rate, leads, start."""

import numpy as np
import pytest
import wfdb

from ecg_sklearn.io import Recording, read_recording

from . import writers
from .writers import LEADS, START, make_ecg

RATE = 250.0
ECG = make_ecg(10, RATE, 3)


def check(recording, signal, *, atol, leads, form, start=START, rate=RATE):
    assert isinstance(recording, Recording)
    signal = writers.columns(signal)
    assert recording.signal.dtype == np.float32
    assert recording.signal.shape == signal.shape
    np.testing.assert_allclose(recording.signal, signal, atol=atol)
    assert recording.sampling_rate == rate
    assert isinstance(recording.sampling_rate, float)
    assert recording.leads == leads
    assert recording.format == form
    assert recording.start_time == start
    assert (recording.n_times, recording.n_leads) == signal.shape
    assert recording.duration == pytest.approx(len(signal) / rate)


# Writer, suffix, error in mV, lead names, units.
WRITTEN = {
    "wfdb": (writers.write_wfdb, "", 2e-5, LEADS, "mV"),
    "edf": (writers.write_edf, ".edf", 2e-5, LEADS, "uV"),
    "bdf": (writers.write_bdf, ".bdf", 1e-6, LEADS, "uV"),
    "dicom": (
        writers.write_dicom,
        ".dcm",
        7e-4,
        tuple(f"Lead {x}" for x in LEADS),
        "uV",
    ),
    "ishne": (writers.write_ishne, ".ecg", 1.3e-3, LEADS, "nV"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_written_file_is_read(tmp_path, form):
    write, suffix, atol, leads, unit = WRITTEN[form]
    path = write(tmp_path / f"night1{suffix}", ECG, RATE)
    for channel, columns in [("all", [0, 1, 2]), (None, [0]), ("v5", [2]), (1, [1])]:
        found = read_recording(path, channel=channel)
        names = tuple(leads[column] for column in columns)
        check(found, ECG[:, columns], atol=atol, leads=names, form=form)
        assert found.units == (unit,) * len(columns)
        assert found.name == "night1"


@pytest.mark.parametrize("form", WRITTEN)
def test_the_suffix_does_not_matter(tmp_path, form):
    if form == "wfdb":
        pytest.skip("a record has several files")
    write, suffix, atol, leads, _ = WRITTEN[form]
    path = write(tmp_path / f"a{suffix}", ECG, RATE).rename(tmp_path / "a.unknown")
    check(read_recording(str(path)), ECG[:, :1], atol=atol, leads=leads[:1], form=form)


@pytest.mark.parametrize("form", WRITTEN)
def test_three_seconds_are_enough_and_two_are_needed(tmp_path, form):
    write, suffix, atol, leads, _ = WRITTEN[form]
    path = write(tmp_path / f"a{suffix}", ECG[:750], RATE)
    assert read_recording(path).n_times == 750
    short = write(tmp_path / f"b{suffix}", ECG[:250], RATE)
    with pytest.raises(ValueError, match="250 samples, 1 s at 250 Hz. At least 2 s"):
        read_recording(short)


@pytest.mark.parametrize("form", WRITTEN)
def test_a_start_that_is_unknown_is_none(tmp_path, form):
    write, suffix, atol, leads, _ = WRITTEN[form]
    path = write(tmp_path / f"a{suffix}", ECG, RATE, start=None)
    assert read_recording(path).start_time is None


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        (form, unit)
        for form in ("wfdb", "edf", "bdf", "dicom")
        for unit in ("V", "mV", "uV")
    ],
)
def test_voltages_become_millivolts(tmp_path, form, unit):
    write, suffix, *_ = WRITTEN[form]
    scale = {"V": 1e-3, "mV": 1, "uV": 1000}[unit] if form == "wfdb" else 1
    path = write(tmp_path / f"a{suffix}", ECG * scale, RATE, unit=unit)
    found = read_recording(path, channel="all")
    assert found.units == (unit,) * 3
    np.testing.assert_allclose(found.signal, ECG, atol=2e-3)


class TestWFDB:
    @pytest.mark.parametrize("suffix", ["", ".hea", ".dat"])
    def test_with_or_without_suffix(self, tmp_path, suffix):
        path = writers.write_wfdb(tmp_path / "r_1", ECG, RATE)
        found = read_recording(f"{path}{suffix}")
        assert (found.name, found.format) == ("r_1", "wfdb")

    @pytest.mark.parametrize("fmt", ["16", "212", "80", "24", "32", "8"])
    def test_blocks_change_nothing(self, tmp_path, monkeypatch, fmt):
        path = tmp_path / "r1"
        if fmt == "8":
            steps = np.rint(np.diff(ECG * 50, axis=0, prepend=0)).astype("i1")
            steps.tofile(tmp_path / "r1.dat")
            lines = [f"r1.dat 8 50 8 0 0 0 0 {lead}" for lead in LEADS]
            path.with_suffix(".hea").write_text(
                "\n".join([f"r1 3 250 {len(ECG)}", *lines]) + "\n"
            )
        else:
            writers.write_wfdb(path, ECG, RATE, fmt=fmt)
        expected = wfdb.rdrecord(str(path)).p_signal
        monkeypatch.setattr("ecg_sklearn.io._wfdb.BLOCK", 3 * 77)
        found = read_recording(path, channel="all")
        np.testing.assert_array_equal(found.signal, expected.astype(np.float32))

    def test_several_samples_a_frame(self, tmp_path, monkeypatch):
        monkeypatch.setattr("ecg_sklearn.io._wfdb.BLOCK", 100)
        frames = np.zeros((625, 5), dtype="<i2")
        frames[:, :4] = np.rint(ECG[:, 0] * 200).reshape(-1, 4)
        frames.tofile(tmp_path / "r1.dat")
        (tmp_path / "r1.hea").write_text(
            "r1 2 62.5 625\nr1.dat 16x4 200/mV 16 0 0 0 0 II\n"
            "r1.dat 16 200/l 16 0 0 0 0 RESP\n"
        )
        found = read_recording(tmp_path / "r1", channel="all")
        check(found, ECG[:, :1], atol=3e-3, leads=("II",), form="wfdb", start=None)
        with pytest.raises(ValueError, match="'RESP' is in 'l', which is no voltage"):
            read_recording(tmp_path / "r1", channel="RESP")

    def test_segments_and_gaps(self, tmp_path, monkeypatch):
        monkeypatch.setattr("ecg_sklearn.io._wfdb.BLOCK", 300)
        monkeypatch.setattr("ecg_sklearn.io._source.BLOCK", 300)
        for name, part, leads in [
            ("s1", ECG[:1000], LEADS),
            ("s2", ECG[1500:1700, 1:], LEADS[1:]),
            ("s3", ECG[1700:], LEADS),
        ]:
            writers.write_wfdb(tmp_path / name, part, RATE, leads)
        layout = [f"~ 0 200 0 0 0 0 0 {lead}" for lead in LEADS]
        (tmp_path / "layout.hea").write_text(
            "\n".join(["layout 3 250 0", *layout]) + "\n"
        )
        (tmp_path / "r1.hea").write_text(
            "r1/5 3 250 2500 22:41:07 05/03/2024\nlayout 0\ns1 1000\n~ 500\ns2 200\n"
            "s3 800\n"
        )
        expected = ECG.copy()
        expected[1000:1500] = np.nan
        expected[1500:1700, 0] = np.nan
        found = read_recording(tmp_path / "r1", channel="all")
        check(found, expected, atol=2e-5, leads=LEADS, form="wfdb")
        (tmp_path / "r2.hea").write_text("r2/2 3 250 1800\ns1 1000\ns3 800\n")
        expected = np.concatenate([ECG[:1000], ECG[1700:]])
        found = read_recording(tmp_path / "r2", channel="all")
        check(found, expected, atol=2e-5, leads=LEADS, form="wfdb", start=None)

    def test_invalid_samples_are_missing(self, tmp_path):
        signal = ECG.copy()
        signal[100:200, 0] = np.nan
        found = read_recording(writers.write_wfdb(tmp_path / "r1", signal, RATE))
        np.testing.assert_array_equal(np.isnan(found.signal), np.isnan(signal[:, :1]))

    @pytest.mark.parametrize("gain", ["0", "0(0)/mV", None])
    def test_no_gain_is_warned_of(self, tmp_path, gain):
        np.rint(ECG[:, 0] * 200).astype("<i2").tofile(tmp_path / "r1.dat")
        fields = "" if gain is None else f" {gain} 10 0 0 0 0 ECG1"
        header = f"r1 1 250 {len(ECG)}\nr1.dat 16{fields}\n"
        (tmp_path / "r1.hea").write_text(header)
        with pytest.warns(UserWarning, match="not calibrated.* 200 steps for 1 mV are"):
            found = read_recording(tmp_path / "r1")
        np.testing.assert_allclose(found.signal[:, 0], ECG[:, 0], atol=3e-3)
        found = read_recording(tmp_path / "r1", unit=1 / 100)
        np.testing.assert_allclose(found.signal[:, 0], 2 * ECG[:, 0], atol=6e-3)

    @pytest.mark.parametrize("gain", [1, 50])
    def test_steps_are_refused_unless_it_is_said_what_they_are(self, tmp_path, gain):
        np.rint(ECG[:, 0] * 200).astype("<i2").tofile(tmp_path / "r1.dat")
        header = f"r1 1 250 2500\nr1.dat 16 {gain}/adu 16 0 0 0 0 II\n"
        (tmp_path / "r1.hea").write_text(header)
        with pytest.raises(ValueError, match=r"'II' is in steps .*'adu'.* Give unit="):
            read_recording(tmp_path / "r1")
        found = read_recording(tmp_path / "r1", unit=1 / 200)
        np.testing.assert_allclose(found.signal[:, 0], ECG[:, 0], atol=3e-3)
        assert found.units == ("adu",)


class TestEDF:
    OTHERS = (
        ("Resp", "uV", 25.0, np.sin(np.arange(250) / 10)),
        ("EEG Fpz-Cz", "uV", 100.0, np.sin(np.arange(1000) / 10)),
        ("SpO2", "%", 1.0, np.full(10, 97.0) + np.arange(10) % 2),
        ("ECG V2", "uV", 500.0, 500 * make_ecg(10, 500.0)),
    )

    @pytest.mark.parametrize("write", [writers.write_edf, writers.write_bdf])
    def test_other_channels_are_left_out(self, tmp_path, write, monkeypatch):
        monkeypatch.setattr("ecg_sklearn.io._edf.BLOCK", 2000)
        leads = ("EKG I", "ECG Lead II", "ECG V5")
        path = write(tmp_path / "a", ECG, RATE, leads, others=self.OTHERS[:3])
        found = read_recording(path, channel="all")
        assert found.leads == leads
        np.testing.assert_allclose(found.signal, ECG, atol=2e-5)
        assert read_recording(path).leads == ("ECG Lead II",)
        assert read_recording(path, channel=("aVF", "lead ii")).leads == (
            "ECG Lead II",
        )
        with pytest.raises(ValueError, match="'SpO2' is in '%', which is no voltage"):
            read_recording(path, channel="SpO2")

    def test_several_rates(self, tmp_path):
        path = writers.write_edf(tmp_path / "a", ECG, RATE, others=self.OTHERS)
        with pytest.raises(ValueError, match=r"several rates \(250, 500 Hz\)"):
            read_recording(path, channel="all")
        found = read_recording(path, channel="V2")
        assert (found.sampling_rate, found.n_times) == (500.0, 5000)
        np.testing.assert_allclose(
            found.signal[:, 0], make_ecg(10, 500.0) / 2, atol=2e-5
        )
        with pytest.raises(
            ValueError, match="'Resp'.*25 samples per second|has 25 samp"
        ):
            read_recording(path, channel="Resp")

    def test_no_ecg(self, tmp_path):
        path = writers.write_edf(
            tmp_path / "a", ECG[:, :1], RATE, ("EMG chin",), others=self.OTHERS[:3]
        )
        with pytest.raises(ValueError, match=r"no channel that is an ECG.*'EMG chin'"):
            read_recording(path)

    def test_gaps(self, tmp_path, monkeypatch):
        onsets = [0, 1, 2, 5, 6, 7, 8, 9, 20, 21]
        path = writers.write_discontinuous(tmp_path / "a", ECG, RATE, onsets)
        expected = np.full((22 * 250, 3), np.nan)
        for place, onset in enumerate(onsets):
            part = ECG[250 * place : 250 * (place + 1)]
            expected[250 * onset : 250 * (onset + 1)] = part
        for block in (10**6, 1600):
            monkeypatch.setattr("ecg_sklearn.io._edf.BLOCK", block)
            found = read_recording(path, channel="all")
            check(found, expected, atol=2e-5, leads=LEADS, form="edf")

    def test_not_calibrated(self, tmp_path):
        import edfio

        steps = np.rint(ECG[:, 0] * 200)
        limits = (-(2**15), 2**15 - 1)
        signal = edfio.EdfSignal(steps, RATE, label="ECG", physical_range=limits)
        edfio.Edf([signal]).write(tmp_path / "a.edf")
        with pytest.raises(ValueError, match="'ECG' is in steps of a converter"):
            read_recording(tmp_path / "a.edf")
        found = read_recording(tmp_path / "a.edf", unit=1 / 200)
        np.testing.assert_allclose(found.signal[:, 0], ECG[:, 0], atol=3e-3)


class TestDICOM:
    def test_without_a_waveform(self, tmp_path):
        import pydicom

        path = writers.write_dicom(tmp_path / "a.dcm", ECG, RATE)
        dataset = pydicom.dcmread(path)
        del dataset.WaveformSequence
        dataset.save_as(path)
        with pytest.raises(ValueError, match=r"without a waveform \(Ambulatory ECG"):
            read_recording(path)

    def test_median_beats_are_left_alone(self, tmp_path):
        import copy

        import pydicom

        path = writers.write_dicom(tmp_path / "a.dcm", ECG, RATE)
        dataset = pydicom.dcmread(path)
        group = copy.deepcopy(dataset.WaveformSequence[0])
        group.WaveformOriginality = "DERIVED"
        dataset.WaveformSequence.insert(0, group)
        dataset.WaveformSequence[1].add_new(0x5400100A, "OW", b"\x00\x80")
        samples = np.frombuffer(group.WaveformData, "<i2").copy()
        samples[:30] = -(2**15)
        dataset.WaveformSequence[1].WaveformData = samples.tobytes()
        dataset.save_as(path)
        found = read_recording(path)
        np.testing.assert_array_equal(
            np.isnan(found.signal[:, 0]), np.arange(2500) < 10
        )

    def test_without_sensitivity(self, tmp_path):
        import pydicom

        path = writers.write_dicom(tmp_path / "a.dcm", ECG, RATE)
        dataset = pydicom.dcmread(path)
        del dataset.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelSensitivity
        dataset.save_as(path)
        with pytest.raises(ValueError, match="'Lead II' is in steps of a converter"):
            read_recording(path)
        found = read_recording(path, unit=1.25e-3)
        np.testing.assert_allclose(found.signal[:, 0], ECG[:, 0], atol=7e-4)


class TestISHNE:
    def test_leads_that_are_off_are_missing(self, tmp_path):
        signal = ECG.copy()
        signal[500:700, 0] = np.nan
        found = read_recording(writers.write_ishne(tmp_path / "a.ecg", signal, RATE))
        np.testing.assert_array_equal(np.isnan(found.signal), np.isnan(signal[:, :1]))

    def test_a_wrong_checksum_is_warned_of(self, tmp_path):
        path = writers.write_ishne(tmp_path / "a.ecg", ECG, RATE)
        content = bytearray(path.read_bytes())
        content[30] ^= 1
        path.write_bytes(content)
        with pytest.warns(UserWarning, match="the checksum of its header is 0x"):
            read_recording(path)

    def test_unnamed_leads_have_a_number(self, tmp_path):
        path = writers.write_ishne(tmp_path / "a.ecg", ECG, RATE, ("?", "??", "???"))
        found = read_recording(path, channel="all")
        assert found.leads == ("channel 0", "channel 1", "channel 2")


class TestExports:
    @pytest.mark.parametrize(
        "how", [{}, {"decimal": ","}, {"decimal": ",", "german": True}]
    )
    def test_apple(self, tmp_path, how):
        ecg = make_ecg(30, 511.5)
        path = writers.write_apple(tmp_path / "ecg_2024-03-05.csv", ecg, 511.5, **how)
        found = read_recording(path)
        check(found, ecg, atol=1e-6, leads=("I",), form="apple", rate=511.5)
        assert found.units == ("µV",)

    def test_apple_in_another_alphabet(self, tmp_path):
        ecg = make_ecg(30, 512.0)
        path = writers.write_apple(tmp_path / "a.csv", ecg, decimal=",")
        text = path.read_text(encoding="utf-8")
        text = text.replace("Sample Rate,512 hertz", "Частота,512 герцев")
        text = text.replace("Unit,µV", "Единица,мкВ").replace("Lead,Lead I", "Отв.,I")
        path.write_text(text, encoding="utf-8")
        found = read_recording(path)
        check(found, ecg, atol=1e-6, leads=("I",), form="apple", rate=512.0)

    def test_kardia(self, tmp_path):
        ecg = make_ecg(30, 300.0)
        found = read_recording(writers.write_kardia(tmp_path / "kardia.csv", ecg))
        check(found, ecg, atol=1e-4, leads=("I",), form="kardia", rate=300.0)


@pytest.mark.mitbih
def test_the_real_records(mitbih_home):
    record = mitbih_home / "mitdb" / "102"
    found = read_recording(record)
    assert (found.leads, found.n_times) == (("V5",), 650_000)
    expected = wfdb.rdrecord(str(record)).p_signal[:, :1].astype(np.float32)
    np.testing.assert_array_equal(found.signal, expected)
    if (mitbih_home / "svdb" / "820.hea").is_file():
        with pytest.warns(UserWarning, match="820.hea is not calibrated"):
            found = read_recording(mitbih_home / "svdb" / "820.dat")
        assert (found.leads, found.sampling_rate) == (("ECG1",), 128.0)
