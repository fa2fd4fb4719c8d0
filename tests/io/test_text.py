"""Tables of text, arrays and DataFrames: delimiters, headers, times, gaps."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from ecg_sklearn.io import read_recording

from .writers import LEADS, make_ecg, write_csv

RATE = 250.0
ECG = make_ecg(10, RATE, 2)


def check(found, signal=ECG, rate=RATE, leads=LEADS[:2], atol=1e-6):
    np.testing.assert_allclose(found.signal, signal, atol=atol)
    assert found.sampling_rate == rate
    assert found.leads == leads


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("delimiter", "decimal"),
    [
        (",", "."),
        (";", "."),
        (";", ","),
        ("\t", "."),
        ("\t", ","),
        (" ", "."),
        ("|", "."),
    ],
)
def test_delimiters(tmp_path, header, timed, delimiter, decimal):
    how = {"delimiter": delimiter, "decimal": decimal, "header": header, "time": "time"}
    path = write_csv(tmp_path / "a.csv", ECG, RATE if timed else None, **how)
    rate = None if timed else RATE
    leads = LEADS[:2] if header else tuple(f"channel {i + timed}" for i in range(2))
    check(read_recording(path, channel="all", sampling_rate=rate), leads=leads)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".txt"])
def test_encodings(tmp_path, newline, encoding, suffix):
    leads = ("II (µV)", "V1 (µV)")
    path = write_csv(
        tmp_path / f"my.night{suffix}", ECG * 1000, RATE, leads,
        newline=newline, encoding=encoding,
    )  # fmt: skip
    found = read_recording(path, channel="all")
    check(found)
    assert found.name == "my.night"
    assert found.units == ("µV", "µV")
    assert found.format == "csv"


@pytest.mark.parametrize(
    ("time", "rate"),
    [
        ("time", 250.0), ("t", 128.0), ("seconds", 1000.0), ("Time [ms]", 500.0),
        ("time_ms", 1000.0), ("time (ms)", 360.0), ("", 360.0), ("timestamp", 133.25),
    ],
)  # fmt: skip
def test_the_rate_is_that_of_the_times(tmp_path, time, rate):
    ecg = make_ecg(20, rate, 2)
    found = read_recording(
        write_csv(tmp_path / "a", ecg, rate, time=time), channel="all"
    )
    check(found, ecg, rate)
    assert read_recording(tmp_path / "a", sampling_rate=rate).sampling_rate == rate
    with pytest.raises(ValueError, match="sampling_rate=90 was given"):
        read_recording(tmp_path / "a", sampling_rate=90)


@pytest.mark.parametrize("digits", [2, 3, 4, 5])
@pytest.mark.parametrize("rate", [100.0, 128.0, 250.0, 360.0, 500.0, 800.0, 1000.0])
def test_rounded_times(tmp_path, rate, digits):
    if digits == 2 and rate > 100:
        pytest.skip("the times would repeat")
    ecg = make_ecg(30, rate)
    rows = [f"{i / rate:.{digits}f},{v:.5f}" for i, v in enumerate(ecg)]
    (tmp_path / "a").write_text("\n".join(["time,II", *rows]))
    check(read_recording(tmp_path / "a"), ecg[:, None], rate, ("II",), atol=1e-5)


def stamps(layout):
    start = "2024-03-05 23:59:55"
    return pd.date_range(start, periods=len(ECG), freq="4ms").strftime(layout)


@pytest.mark.parametrize(
    ("layout", "start"),
    [
        ("%Y-%m-%d %H:%M:%S.%f", datetime(2024, 3, 5, 23, 59, 55)),
        ("%Y-%m-%dT%H:%M:%S.%f+02:00", datetime(2024, 3, 5, 23, 59, 55)),
        ("%d.%m.%Y %H:%M:%S.%f", datetime(2024, 3, 5, 23, 59, 55)),
        ("%H:%M:%S.%f", None),
        ("'[%H:%M:%S.%f]'", None),
    ],
)
def test_times_as_text(tmp_path, layout, start):
    rows = [
        f"{a},{b:.6f},{c:.6f}" for a, (b, c) in zip(stamps(layout), ECG, strict=True)
    ]
    (tmp_path / "a").write_text("\n".join(["time,II,V1", *rows]))
    found = read_recording(tmp_path / "a", channel="all")
    check(found)
    assert found.start_time == start


def test_the_csv_of_physionet(tmp_path):
    """Names and units in two lines, with single quotes."""
    rows = [
        f"'{i // 15000}:{i / 250 % 60:06.3f}',{v:.3f}" for i, v in enumerate(ECG[:, 0])
    ]
    head = ["'Elapsed time','MLII'", "'hh:mm:ss.mmm','mV'"]
    (tmp_path / "samples.csv").write_text("\n".join([*head, *rows]))
    found = read_recording(tmp_path / "samples.csv")
    check(found, ECG[:, :1], leads=("MLII",), atol=6e-4)
    assert found.units == ("mV",)


def test_sample_numbers_need_a_rate(tmp_path):
    rows = [f"{i},{round(v * 200) + 1024}" for i, v in enumerate(ECG[:, 0])]
    (tmp_path / "a").write_text("\n".join(["'sample #','MLII'", *rows]))
    with pytest.raises(
        ValueError, match="'sample #' counts by 1.* Give sampling_rate="
    ):
        read_recording(tmp_path / "a")
    with pytest.warns(UserWarning, match="range over 2.* mV within a beat"):
        read_recording(tmp_path / "a", sampling_rate=RATE)
    found = read_recording(tmp_path / "a", sampling_rate=RATE, unit=1 / 200)
    check(found, ECG[:, :1] + 5.12, leads=("MLII",), atol=3e-3)


def test_gaps_become_nan(tmp_path, monkeypatch):
    kept = np.r_[0:500, 501:900, 1500:2500]
    rows = [f"{i / RATE:.3f},{ECG[i, 0]:.6f}" for i in kept]
    (tmp_path / "a").write_text("\n".join(["time,II", *rows]) + "\n")
    expected = np.full((2500, 1), np.nan)
    expected[kept, 0] = ECG[kept, 0]
    for chunk in (2**21, 999):
        monkeypatch.setattr("ecg_sklearn.io._text._CHUNK", chunk)
        check(read_recording(tmp_path / "a"), expected, leads=("II",))
    frame = pd.DataFrame({"time": kept / RATE, "II": ECG[kept, 0]})
    check(read_recording(frame), expected, leads=("II",))


def test_empty_cells_become_nan(tmp_path):
    rows = [
        ["t", "II", "V1"],
        *([f"{i / RATE}", f"{a}", f"{b}"] for i, (a, b) in enumerate(ECG)),
    ]
    for place, word in enumerate(["", "NaN", "nan", "NA", "null", "-"], start=100):
        rows[place][1] = word
    (tmp_path / "a").write_text("\n".join(",".join(row) for row in rows))
    found = read_recording(tmp_path / "a", channel="all")
    assert np.flatnonzero(np.isnan(found.signal[:, 0])).tolist() == list(range(99, 105))
    assert not np.isnan(found.signal[:, 1]).any()


def test_columns_of_text_are_no_leads(tmp_path):
    rows = [f"{i / RATE},{v},sinus rhythm" for i, v in enumerate(ECG[:, 0])]
    (tmp_path / "a").write_text("\n".join(["time,ecg,note", *rows]))
    assert read_recording(tmp_path / "a", channel="all").leads == ("ecg",)


def test_small_chunks_change_nothing(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "a.csv.gz", ECG, RATE, newline="\r\n")
    monkeypatch.setattr("ecg_sklearn.io._text._CHUNK", 333)
    check(read_recording(path, channel="all"))


def test_whole_numbers_parted_by_blanks_are_no_wfdb_header(tmp_path):
    rows = [f"{i} {round(v * 200)} {round(w * 200)}" for i, (v, w) in enumerate(ECG)]
    (tmp_path / "a").write_text("\n".join(rows))
    found = read_recording(tmp_path / "a", sampling_rate=RATE, unit=0.005)
    check(found, ECG[:, :1], leads=("channel 1",), atol=3e-3)


def test_rows_that_end_with_a_delimiter(tmp_path):
    rows = [f"{i / RATE};{v:.6f};" for i, v in enumerate(ECG[:, 0])]
    (tmp_path / "a").write_text("\n".join(["time;II", *rows]))
    check(read_recording(tmp_path / "a"), ECG[:, :1], leads=("II",))


def test_comments_and_a_preamble_with_a_rate(tmp_path):
    rows = [f"{v:.6f}\t{w:.6f}" for v, w in ECG]
    top = ["# fs = 250 Hz", "# made by hand, 2024-03-05 22:41:07", "II\tV1"]
    (tmp_path / "a").write_text("\n".join([*top, *rows]))
    found = read_recording(tmp_path / "a", channel="all")
    check(found)
    assert found.start_time == datetime(2024, 3, 5, 22, 41, 7)


class TestArrays:
    def test_one_lead_or_several(self):
        check(
            read_recording(ECG[:, 0], sampling_rate=RATE),
            ECG[:, :1], leads=("channel 0",),
        )  # fmt: skip
        found = read_recording(ECG.tolist(), sampling_rate=RATE, channel="all")
        check(found, leads=("channel 0", "channel 1"))
        assert (found.format, found.name, found.start_time) == ("array", "array", None)
        check(
            read_recording(ECG, sampling_rate=RATE, channel=1),
            ECG[:, 1:], leads=("channel 1",),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("unit", "scale"),
        [("V", 1e-3), ("mV", 1), ("uV", 1e3), ("µV", 1e3), (0.005, 200)],
    )
    def test_units(self, unit, scale):
        values = np.rint(ECG * scale).astype(np.int16) if scale > 100 else ECG * scale
        found = read_recording(values, sampling_rate=RATE, unit=unit, channel="all")
        np.testing.assert_allclose(found.signal, ECG, atol=3e-3)

    @pytest.mark.parametrize("scale", [1e-3, 1e3])
    def test_amplitudes_that_cannot_be(self, scale):
        with pytest.warns(
            UserWarning, match=r"range over .* mV within a beat .* unit="
        ):
            read_recording(ECG * scale, sampling_rate=RATE)

    def test_flat(self):
        with pytest.warns(UserWarning, match="'channel 0' does not change"):
            read_recording(np.zeros(1000), sampling_rate=RATE)

    def test_the_input_is_not_changed_nor_shared(self):
        signal = ECG.astype(np.float32)
        before = signal.copy()
        found = read_recording(signal, sampling_rate=RATE, channel="all")
        found.signal[:] = 0
        np.testing.assert_array_equal(signal, before)

    def test_masked_and_infinite_are_missing(self):
        signal = np.ma.masked_array(ECG[:, 0], np.arange(2500) < 10)
        found = read_recording(signal, sampling_rate=RATE)
        assert np.isnan(found.signal).sum() == 10
        signal = ECG[:, 0].copy()
        signal[:5] = np.inf
        assert np.isnan(read_recording(signal, sampling_rate=RATE).signal).sum() == 5

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (ECG, "no rate. Give sampling_rate="),
            (ECG.T, "more leads than times. Give its transpose"),
            (np.zeros((3, 4, 5)), r"shape \(3, 4, 5\)"),
            (np.zeros(0), r"shape \(0,\)"),
            (np.array(["a"] * 900), "holds <U1"),
            (ECG.astype(complex), "holds complex128"),
            ([[1.0], [2.0, 3.0]], "rows of different lengths"),
            (None, "holds object"),
            (np.full(900, np.nan), "no valid sample"),
        ],
    )
    def test_what_is_no_recording(self, values, message):
        rate = None if "no rate" in message or "transpose" in message else RATE
        with pytest.raises(ValueError, match=message):
            read_recording(values, sampling_rate=rate)


class TestDataFrames:
    @pytest.mark.parametrize("kind", ["column", "ms", "stamps", "index", "rate"])
    def test_times(self, kind):
        frame = pd.DataFrame({"II": ECG[:, 0], "V1 [mV]": ECG[:, 1], "note": "x"})
        times = pd.date_range("2024-03-05 10:00", periods=2500, freq="4ms")
        start, rate = None, None
        if kind == "column":
            frame.insert(0, "time", np.arange(2500) / RATE)
        elif kind == "ms":
            frame.insert(0, "time", np.arange(2500) * 4)
        elif kind == "stamps":
            frame["when"], start = times, times[0]
        elif kind == "index":
            frame.index, start = times, times[0]
        else:
            rate = RATE
        found = read_recording(frame, channel="all", sampling_rate=rate)
        check(found, leads=("II", "V1"))
        assert found.start_time == start
        assert found.units == ("unknown", "mV")

    def test_without_times_a_rate_is_needed(self):
        with pytest.raises(ValueError, match="no column of times"):
            read_recording(pd.DataFrame({"II": ECG[:, 0]}))
        with pytest.raises(ValueError, match="no column of numbers"):
            read_recording(pd.DataFrame({"II": ["a"]}), sampling_rate=RATE)

    def test_nullable_numbers(self):
        frame = pd.DataFrame({"II": ECG[:, 0]}).convert_dtypes()
        frame.iloc[3, 0] = pd.NA
        found = read_recording(frame, sampling_rate=RATE)
        assert np.flatnonzero(np.isnan(found.signal)).tolist() == [3]

    def test_polars(self):
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({"time": np.arange(2500) / RATE, "II": ECG[:, 0]})
        check(read_recording(frame), ECG[:, :1], leads=("II",))
