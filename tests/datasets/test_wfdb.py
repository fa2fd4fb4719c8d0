"""Any annotated WFDB database: windows, rows, resampling, and faults."""

import numpy as np
import pytest
import wfdb

from ecg_sklearn.datasets import iter_beats, load_wfdb_beats


def test_windows(wfdb_folder):
    beats = load_wfdb_beats(wfdb_folder, channel="II")
    signal = wfdb.rdrecord(str(wfdb_folder / "r1")).p_signal[:, 0]
    first = beats.data[0]
    assert beats.data.shape[1] == 250
    np.testing.assert_allclose(first, signal[0:250], atol=1e-6)
    assert first.argmax() == 100  # the R peak lies 0.4 s into the window
    assert set(beats.groups) == {"r1", "r2"}
    assert "+" not in beats.symbols
    np.testing.assert_array_equal(beats.target[:4], [0, 2, 1, 0])
    np.testing.assert_allclose(beats.time[:2], [0.4, 1.2])
    np.testing.assert_allclose(beats.rr[0, 1], 0.8, rtol=1e-6)
    assert beats.sampling_rate == 250.0


@pytest.mark.parametrize("form", ["window", "kaggle"])
def test_rhythms_last_until_the_next_note(wfdb_folder, form):
    old = wfdb.rdann(str(wfdb_folder / "r1"), "atr")
    changes = {4: "(AFIB", 9: "(ST0+", 14: "no rhythm", 19: "(N\0"}
    symbol = list(old.symbol)
    assert {symbol[i] for i in changes} == {"+"}
    symbol[9] = "s"  # an episode, and no change of the rhythm
    wfdb.wrann(
        "r1",
        "atr",
        old.sample,
        symbol=symbol,
        aux_note=[changes.get(i, "") for i in range(len(old.sample))],
        write_dir=str(wfdb_folder),
    )
    beats = load_wfdb_beats(wfdb_folder, channel="II", form=form)
    first = beats.rhythms[beats.groups == "r1"]
    assert first.tolist() == [""] * 4 + ["AFIB"] * 12 + ["N"] * (len(first) - 16)
    assert set(beats.rhythms[beats.groups == "r2"]) == {""}


def test_beats_without_room_are_left_out(wfdb_folder):
    wide = load_wfdb_beats(wfdb_folder, channel="II", window=(-0.5, 0.6))
    assert wide.time.min() > 0.5


def test_resampling_keeps_beats_and_their_shape(wfdb_folder):
    beats = load_wfdb_beats(wfdb_folder, channel="II")
    faster = load_wfdb_beats(wfdb_folder, channel="II", sampling_rate=500)
    assert faster.data.shape == (len(beats.data), 500)
    assert faster.sampling_rate == 500.0
    np.testing.assert_allclose(faster.data[:, ::2], beats.data, atol=0.25)
    np.testing.assert_array_equal(faster.target, beats.target)


def test_kaggle_form_of_other_databases(wfdb_folder):
    beats = load_wfdb_beats(wfdb_folder, channel="II", form="kaggle")
    assert beats.data.shape[1] == 187
    assert beats.sampling_rate == 120.0
    assert beats.data.min() == 0.0
    assert beats.data.max() == 1.0
    # 0.8 s to the next annotation and 20 % more: 0.96 s at 120 Hz, then zeros.
    lengths = [np.flatnonzero(row)[-1] for row in beats.data[:20]]
    assert max(lengths) <= 0.96 * 120 + 1


def test_channels(wfdb_folder):
    by_name = load_wfdb_beats(wfdb_folder, channel="V1")
    np.testing.assert_array_equal(
        by_name.data, load_wfdb_beats(wfdb_folder, channel=1).data
    )
    np.testing.assert_array_equal(
        by_name.data, load_wfdb_beats(wfdb_folder, channel=["MLII", "V1"]).data
    )
    np.testing.assert_array_equal(
        load_wfdb_beats(wfdb_folder).data, load_wfdb_beats(wfdb_folder, channel=0).data
    )
    with pytest.raises(ValueError, match="has no channel 'MLII'. It has 'II', 'V1'"):
        load_wfdb_beats(wfdb_folder, channel="MLII")
    with pytest.raises(ValueError, match="no channel 2: it has 2"):
        load_wfdb_beats(wfdb_folder, channel=2)


def test_records_may_be_listed(wfdb_folder):
    only = load_wfdb_beats(wfdb_folder, channel=0, records=["r2"])
    assert set(only.groups) == {"r2"}
    (wfdb_folder / "RECORDS").write_text("r1\n")
    assert set(load_wfdb_beats(wfdb_folder, channel=0).groups) == {"r1"}
    with pytest.raises(ValueError, match="must be an array-like"):
        load_wfdb_beats(wfdb_folder, records="r1")


def test_missing_files_are_named(wfdb_folder, tmp_path_factory):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load_wfdb_beats(wfdb_folder / "nowhere")
    with pytest.raises(NotADirectoryError, match=r"r1\.hea is a file.*\['r1'\]"):
        load_wfdb_beats(wfdb_folder / "r1.hea")
    with pytest.raises(FileNotFoundError, match="holds no WFDB record"):
        load_wfdb_beats(tmp_path_factory.mktemp("empty"))
    with pytest.raises(FileNotFoundError, match=r"r1\.qrs.*Its other annotators: atr"):
        load_wfdb_beats(wfdb_folder, records=["r1"], annotator="qrs", channel=0)
    (wfdb_folder / "r1.dat").unlink()
    with pytest.raises(FileNotFoundError, match=r"no signal file r1\.dat"):
        load_wfdb_beats(wfdb_folder, channel="II")
    (wfdb_folder / "r1.hea").unlink()
    with pytest.raises(FileNotFoundError, match=r"no header r1\.hea"):
        load_wfdb_beats(wfdb_folder, records=["r1"])


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        ("dat", lambda old: old[:-4], r"r1\.dat.*truncated, or the header wrong"),
        ("hea", lambda old: b"", r"r1\.hea.*no complete WFDB header"),
        ("hea", lambda old: old.replace(b" 250 ", b" 0 "), "has 0 samples per second"),
        ("hea", lambda old: old.replace(b" 16 ", b" 99 "), r"signal format '99'"),
        ("hea", lambda old: old[: len(old) // 2], r"r1\.hea.*describes 1 signals"),
        ("hea", lambda old: old.replace(b"7500", b"7501"), r"r1\.dat.*header wrong"),
        ("atr", lambda old: old[:7], r"r1\.atr could not be read: wfdb cannot \(Value"),
        (
            "atr",
            lambda old: b"\0\xec\0\0",
            r"r1\.atr could not be read: wfdb cannot \(Ind",
        ),
    ],
)
def test_faults_are_named_with_their_cause(wfdb_folder, suffix, content, message):
    path = wfdb_folder / f"r1.{suffix}"
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(ValueError, match=message):
        load_wfdb_beats(wfdb_folder, channel="II")


def test_a_file_that_may_not_be_read(wfdb_folder, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", f"{path}.atr")

    monkeypatch.setattr(wfdb, "rdann", refuse)
    with pytest.raises(PermissionError, match=r"Record r1 cannot.*denied.*r1\.atr"):
        load_wfdb_beats(wfdb_folder, channel="II")


def test_rates_must_agree(wfdb_folder):
    header = (wfdb_folder / "r2.hea").read_text().replace("250", "300", 1)
    (wfdb_folder / "r2.hea").write_text(header)
    with pytest.raises(ValueError, match="Set sampling_rate to bring them together"):
        load_wfdb_beats(wfdb_folder, channel="II")
    assert (
        load_wfdb_beats(wfdb_folder, channel="II", sampling_rate=250).data.shape[1]
        == 250
    )


@pytest.mark.parametrize("window", [(0.5, -0.5), (0.1,), (np.nan, 1), ("a", "b")])
def test_windows_must_be_intervals(wfdb_folder, window):
    with pytest.raises(ValueError, match="is no interval"):
        load_wfdb_beats(wfdb_folder, window=window)


@pytest.mark.parametrize("given", [{"window": (-0.4, 0.6)}, {"sampling_rate": 360.0}])
@pytest.mark.parametrize("load", [load_wfdb_beats, iter_beats])
def test_rows_of_the_kaggle_form_have_one_cut(wfdb_folder, load, given):
    with pytest.raises(ValueError, match=r'is for windows.*Set form="window"'):
        load(wfdb_folder, channel="II", form="kaggle", **given)


def test_a_window_holds_samples(wfdb_folder):
    with pytest.raises(ValueError, match="holds no sample at 250 Hz"):
        load_wfdb_beats(wfdb_folder, channel="II", window=(0, 0.001))


def test_annotations_without_beats(wfdb_folder):
    for name in ("r1", "r2"):
        wfdb.wrann(name, "rhy", np.array([100]), ["+"], write_dir=str(wfdb_folder))
    with pytest.raises(ValueError, match="holds no beat annotations"):
        load_wfdb_beats(wfdb_folder, channel="II", annotator="rhy")
