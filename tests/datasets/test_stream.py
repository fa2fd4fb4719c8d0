"""Beats in batches of records: those of load_wfdb_beats, and no more in memory."""

import gc
import weakref

import numpy as np
import pytest
import wfdb

from ecg_sklearn.datasets import iter_beats, load_wfdb_beats

FIELDS = ("data", "target", "groups", "symbols", "rr", "time", "rhythms")


@pytest.fixture
def database(tmp_path):
    """Seven records of unequal length; r3 has annotations, but no beats."""
    rng = np.random.default_rng(0)
    for number in range(1, 8):
        name, sample = f"r{number}", np.arange(200, 250 * (5 + number), 200)
        symbol = ["+"] * len(sample) if number == 3 else ["N", "V", "A"] * len(sample)
        wfdb.wrsamp(
            name,
            fs=250,
            units=["mV"],
            sig_name=["II"],
            p_signal=rng.normal(size=(250 * (6 + number), 1)),
            fmt=["16"],
            write_dir=str(tmp_path),
        )
        symbol = symbol[: len(sample)]
        wfdb.wrann(name, "atr", sample, symbol=symbol, write_dir=str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "cut",
    [
        {},
        {"form": "kaggle"},
        {"features": ["rr", "morphology"], "window": (-0.1, 0.2)},
        {"form": "kaggle", "features": ["rhythm"]},
        {"sampling_rate": 120.0, "channel": ("MLII", "II")},
    ],
    ids=str,
)
@pytest.mark.parametrize("batch_records", [1, 4, 100])
def test_the_sum_of_the_batches_is_the_database(database, cut, batch_records):
    cut = {"channel": "II"} | cut
    batches = list(iter_beats(database, batch_records=batch_records, **cut))
    whole = load_wfdb_beats(database, **cut)
    for field in FIELDS:
        joined = np.concatenate([batch[field] for batch in batches])
        np.testing.assert_array_equal(joined, whole[field])
        assert joined.dtype == np.asarray(whole[field]).dtype
    sizes = [len(np.unique(batch.groups)) for batch in batches]
    assert sizes[:-1] == [batch_records] * (len(sizes) - 1)
    assert sum(sizes) == 6
    for batch in batches:
        assert set(batch) == set(whole)
        assert batch.target_names == whole.target_names
        assert batch.sampling_rate == whole.sampling_rate
        assert batch.cut == whole.cut


def test_records_come_in_the_order_asked_for(database):
    names = ["r5", "r3", "r1", "r5"]
    batches = iter_beats(database, channel="II", records=names, batch_records=1)
    assert [batch.groups[0] for batch in batches] == ["r5", "r1", "r5"]
    (database / "RECORDS").write_text("r2\nr1\n")
    [batch] = iter_beats(database, channel="II")
    assert list(dict.fromkeys(batch.groups)) == ["r2", "r1"]
    assert "of 2 WFDB records" in batch.DESCR


def test_records_are_read_when_their_turn_comes(database):
    batches = iter_beats(database, channel="II", batch_records=2)
    next(batches)
    (database / "r6.dat").unlink()
    next(batches)
    with pytest.raises(FileNotFoundError, match=r"r6 has no signal file r6\.dat"):
        next(batches)


def test_a_batch_that_is_not_kept_is_let_go_of(database):
    batches = iter_beats(database, channel="II", batch_records=2)
    for _ in range(3):
        batch = next(batches)
        alive = weakref.ref(batch.data)
        del batch
        gc.collect()
        assert alive() is None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "r2.atr").unlink(), r"Record r2 has no annotation"),
        (lambda folder: (folder / "r2.dat").unlink(), r"Record r2 has no signal file"),
        (lambda folder: (folder / "r2.dat").write_bytes(b"123"), r"r2\.dat"),
        (lambda folder: edit(folder / "r2.hea", " II", " V1"), r"Record r2 has no ch"),
        (lambda folder: edit(folder / "r2.hea", " 250 ", " 300 "), r"Record r2 is sam"),
    ],
)
def test_a_faulty_record_is_named_or_passed_over(database, spoil, message):
    names = [f"r{number}" for number in range(1, 8)]
    sound = [name for name in names if name != "r2"]
    options = {"channel": "II", "batch_records": 3}
    expected = list(iter_beats(database, records=sound, **options))
    spoil(database)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        list(iter_beats(database, records=names, **options))
    with pytest.warns(RuntimeWarning, match="Record r2 is passed over: .*r2") as caught:
        found = list(iter_beats(database, records=names, on_error="skip", **options))
    ours = [warning for warning in caught if warning.category is RuntimeWarning]
    assert [warning.filename for warning in ours] == [__file__]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
        np.testing.assert_array_equal(one.groups, other.groups)


def edit(path, old, new):
    path.write_text(path.read_text().replace(old, new))


def test_a_database_without_beats(database):
    with pytest.raises(ValueError, match="holds no beat annotations"):
        list(iter_beats(database, channel="II", records=["r3"]))
    batches = iter_beats(database, channel="V9", on_error="skip", records=["r1", "r2"])
    with (
        pytest.warns(RuntimeWarning, match="has no channel 'V9'"),
        pytest.raises(ValueError, match="No beat in") as caught,
    ):
        next(batches)
    assert "Record r2 has no channel 'V9'" in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_records": 0}, "batch_records"),
        ({"on_error": "ignore"}, "on_error"),
        ({"window": (1, 0)}, "is no interval"),
        ({"form": "csv"}, "form"),
        ({"features": "rr"}, "features"),
        ({"directory": "nowhere"}, "There is no folder"),
    ],
)
def test_arguments_are_checked_by_the_call_itself(database, options, message):
    with pytest.raises((ValueError, OSError), match=message):
        iter_beats(**{"directory": database} | options)
