"""The tables of EC57 from annotations, against hand and against the program bxb."""

import json
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_sklearn.aami import CLASS_NAMES, SYMBOL_TO_CLASS, symbol_classes
from ecg_sklearn.metrics import aami_report, ec57_report
from ecg_sklearn.metrics._ec57 import figures_of

# Figures

# Every cell has a count of its own; O and X do not meet.
TABLE = np.array([
    [100, 7, 5, 3, 2, 30, 11],
    [4, 20, 6, 1, 3, 12, 1],
    [8, 2, 50, 9, 1, 13, 2],
    [2, 3, 11, 6, 1, 14, 3],
    [1, 4, 7, 2, 10, 15, 4],
    [40, 16, 17, 18, 19, 0, 0],
    [5, 6, 7, 8, 9, 0, 0],
])  # fmt: skip
BY_HAND = {
    "n_beats": 268 + 84 + 21,
    "accuracy": Fraction(186, 268 + 105 + 145),
    "qrs_tp": 268,
    "qrs_fn": 105,
    "qrs_fp": 145,
    "qrs_sensitivity": Fraction(268, 373),
    "qrs_positive_predictivity": Fraction(268, 413),
    "veb_tp": 50,
    "veb_fn": 8 + 2 + 9 + 1 + 13 + 2,
    "veb_fp": 5 + 6 + 17 + 7,
    "veb_tn": 112 + 28 + 12 + 17 + (40 + 16 + 18 + 19) + (5 + 6 + 8 + 9),
    "veb_sensitivity": Fraction(50, 85),
    "veb_positive_predictivity": Fraction(50, 85),
    "veb_false_positive_rate": Fraction(35, 290 + 35),
    "sveb_tp": 20,
    "sveb_fn": 4 + 6 + 1 + 3 + 12 + 1,
    "sveb_fp": 7 + 2 + 3 + 16 + 6,
    "sveb_tn": 110 + 68 + 20 + 20 + (40 + 17 + 18 + 19) + (5 + 7 + 8 + 9),
    "sveb_sensitivity": Fraction(20, 47),
    "sveb_positive_predictivity": Fraction(20, 54),
}


def test_figures_by_hand():
    figures = figures_of(TABLE)
    for name, value in BY_HAND.items():
        assert figures[name] == pytest.approx(float(value), rel=1e-12), name


# ec57_report


def table_of(reference, detected, **options):
    options = {"sampling_rate": 100, "skip_first": 0} | options
    return ec57_report(reference, detected, **options).confusion_matrix


def cells_of(matrix):
    """The cells that are not zero, such as {"Nv": 1}."""
    return {
        "NSVFQOX"[i] + "nsvfqox"[j]: int(matrix[i, j])
        for i, j in zip(*np.nonzero(matrix), strict=True)
    }


def test_table_by_hand():
    reference = [100, 200, 300, 400, 500, 600], list("NLAV+/")
    detected = [101, 199, 350, 402, 470, 600], list("NVNVNf")
    expected = {"Nn": 1, "Nv": 1, "So": 1, "Vv": 1, "On": 2, "Qq": 1}
    assert cells_of(table_of(reference, detected)) == expected


def test_ventricular_fibrillation_does_not_count():
    reference = [100, 200, 250, 260, 300, 400, 410], list("N[!V]NV")
    # In it: detections count as nothing; at its end, one is still the pair of a beat.
    detected = [100, 210, 230, 395, 411], list("NVVNV")
    assert cells_of(table_of(reference, detected)) == {"Nn": 2, "Vv": 1}
    # Marks of the detector: its own beats in them do not count, those of the
    # reference are missed.
    expected = {"Nn": 2, "Vv": 1, "Vo": 1}
    assert cells_of(table_of(([100, 250, 400, 411], list("NVNV")), reference)) == (
        expected
    )
    # Without an end, it goes on.
    assert cells_of(table_of(([100, 200], list("N[")), detected)) == {"Nn": 1}


def test_flutter_waves_outside_of_an_episode_are_paired():
    reference, detected = ([100, 200], list("N!")), ([100, 205, 300], list("NVN"))
    assert cells_of(table_of(reference, detected)) == {"Nn": 1, "Ov": 1, "On": 1}
    assert cells_of(table_of(detected, reference)) == {"Nn": 1, "Vo": 1, "No": 1}


def test_stretches_that_cannot_be_read():
    shut = [100, 200, 400, 500], list("N~~N"), [0, 0x30, 0, 0]
    full = [100, 250, 450, 500], list("NVVN")
    expected = {"Nn": 2, "Xv": 1, "Ov": 1}
    assert cells_of(table_of(shut, full)) == expected
    assert cells_of(table_of(full, shut)) == {"Nn": 2, "Vx": 1, "Vo": 1}
    # One noisy signal of two, or no subtypes: it can be read.
    for notes in ((*shut[:2], [0, 0x10, 0, 0]), shut[:2]):
        assert cells_of(table_of(notes, full)) == {"Nn": 2, "Ov": 2}
    # -1 is how a signed byte has all bits set, and a mark without an end goes on.
    notes = [100, 200], list("N~"), [0, -1]
    assert cells_of(table_of(notes, full)) == {"Nn": 1, "Xv": 2, "Xn": 1}


def test_a_single_mark_is_in_the_middle():
    # From a window (15 samples) after the beat before to one before the beat after it.
    reference = [100, 300, 500], list("N~N"), [0, 0x30, 0]
    detected = [100, 114, 130, 480, 490, 500], list("NSVVFN")
    expected = {"Nn": 2, "Os": 1, "Xv": 2, "Of": 1}
    assert cells_of(table_of(reference, detected, window=0.15)) == expected


def test_escape_beats():
    notes = [100, 200, 300, 400], list("ejnE")
    assert cells_of(table_of(notes, notes)) == {"Ss": 3, "Vv": 1}
    assert cells_of(table_of(notes, notes, escape="N")) == {"Nn": 3, "Vv": 1}
    report = ec57_report(notes, notes, 100, skip_first=0)
    assert report.escape == "S"
    assert "Escape beats count as S." in str(report)
    assert "Escape beats count as N." in str(aami_report([0], [0], escape="N"))


def test_symbol_classes():
    symbols = [*SYMBOL_TO_CLASS, "+", "", "!", "~"]
    expected = [*SYMBOL_TO_CLASS.values(), -1, -1, -1, -1]
    assert symbol_classes(symbols).tolist() == expected
    changed = [s for s in SYMBOL_TO_CLASS if symbol_classes([s], escape="S")[0] == 1]
    assert sorted(changed) == sorted("AaJSejn")
    with pytest.raises(ValueError, match="escape='V' must be 'N' or 'S'"):
        symbol_classes(["N"], escape="V")


def test_forms_of_annotations():
    sample, symbol = np.array([100, 200, 300]), ["N", "V", "+"]
    expected = table_of((sample, symbol), (sample[:2], ["N", "V"]))
    notes = SimpleNamespace(sample=sample, symbol=symbol, subtype=np.zeros(3, int))
    shuffled = sample[[2, 0, 1]], ["+", "N", "V"]
    for detected in (notes, shuffled, (sample[:2], [0, 2]), (sample[:2], "NV")):
        detected = (
            (detected[0], list(detected[1]))
            if isinstance(detected, tuple)
            else detected
        )
        np.testing.assert_array_equal(table_of(notes, detected), expected)
    # Positions alone are beats without a class.
    assert cells_of(table_of(notes, [101, 199])) == {"Nn": 1, "Vn": 1}
    assert cells_of(table_of(notes, [])) == {"No": 1, "Vo": 1}


def test_records_add_up():
    rng = np.random.default_rng(0)
    reference = {
        name: (np.sort(rng.choice(10**5, 500, replace=False)), rng.choice(5, 500))
        for name in ("100", "208", "232")
    }
    detected = {
        name: (np.sort(rng.choice(10**5, 520, replace=False)), rng.choice(5, 520))
        for name in reference
    }
    report = ec57_report(reference, detected, 250, skip_first=60)
    single = [
        ec57_report(reference[name], detected[name], 250, skip_first=60)
        for name in reference
    ]
    np.testing.assert_array_equal(
        report.confusion_matrix, sum(one.confusion_matrix for one in single)
    )
    assert list(report.records.values()) == [one.gross for one in single]
    for name in ("qrs_sensitivity", "veb_positive_predictivity"):
        expected = np.mean([one.gross[name] for one in single])
        assert report.average[name] == pytest.approx(expected)
    assert list(report.to_frame().index) == [*reference, "gross"]
    assert json.loads(json.dumps(report.to_dict()))["escape"] == "S"
    lines = str(report).splitlines()
    assert lines[3].split()[:4] == ["Record", "Beats", "Se", "+P"]
    assert (
        lines[4].split()[2] == f"{100 * report.records['100']['qrs_sensitivity']:.2f}"
    )
    assert lines[-1].split()[0] == "X"


def test_records_of_two_rates():
    notes = {"a": ([100], ["N"]), "b": ([1000], ["N"])}
    found = {"a": ([115], ["N"]), "b": ([1115], ["N"])}
    rates = {"a": 100, "b": 1000}
    report = ec57_report(notes, found, rates, skip_first=0)
    assert report.gross["qrs_tp"] == 2
    assert ec57_report(notes, found, 100, skip_first=0).gross["qrs_tp"] == 1


def test_same_as_aami_report_if_all_beats_are_found():
    rng = np.random.default_rng(0)
    time = np.arange(1, 1001) / 2
    y_true, y_pred = rng.choice(5, size=(2, 1000))
    sample = (250 * time).astype(int)
    report = ec57_report((sample, y_true), (sample + 3, y_pred), 250, skip_first=100)
    expected = aami_report(y_true, y_pred, time=time, skip_first=100.0)
    np.testing.assert_array_equal(
        report.confusion_matrix[:5, :5], expected.confusion_matrix
    )
    assert not report.confusion_matrix[5:].any()
    assert not report.confusion_matrix[:, 5:].any()
    for name, value in expected.gross.items():
        assert report.gross[name] == pytest.approx(value), name
    assert report.gross["qrs_sensitivity"] == 1


NOTES = [100, 200], ["N", "V"]


@pytest.mark.parametrize(
    ("reference", "detected", "options", "message"),
    [
        ({"1": NOTES}, {"2": NOTES}, {}, "In one of them alone: 1, 2"),
        ({}, {}, {}, "one at least"),
        ({"1": NOTES}, NOTES, {}, "Give dicts of the same records"),
        (NOTES, ([1, 2], ["N"]), {}, "detected has 2 positions, 1 symbols"),
        ({"1": NOTES}, {"1": ([1], ["normal"])}, {}, "of record 1 has no symbol of"),
        (NOTES, ([1], [5]), {}, "detected holds the class 5. Use 0 to 4"),
        (NOTES, ([1], [1], [1], [1]), {}, "detected has 4 parts"),
        (NOTES, ([1.5], ["N"]), {}, "sample of detected holds values that are no"),
        (NOTES, NOTES, {"skip_first": 300.0}, "leave no beats in any record"),
        (NOTES, NOTES, {"escape": "V"}, "'escape' parameter"),
        (NOTES, NOTES, {"window": -1}, "'window' parameter"),
    ],
)
def test_errors_of_ec57_report(reference, detected, options, message):
    with pytest.raises(ValueError, match=message):
        ec57_report(reference, detected, 100, **{"skip_first": 0} | options)


# What bxb of WFDB (revision of 27 April 2020, compiled) printed for the annotations
# that spoil() makes, with its 150 ms and five minutes.
BXB = {
    "105": [
        [1745, 44, 41, 43, 43, 205, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 27, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 3, 2, 0],
        [263, 13, 15, 11, 10, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "207": [
        [1164, 24, 20, 35, 19, 114, 0],
        [1, 93, 2, 0, 1, 10, 0],
        [6, 0, 90, 1, 1, 11, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [164, 14, 20, 10, 9, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "208": [
        [1078, 26, 27, 30, 31, 116, 0],
        [0, 2, 0, 0, 0, 0, 0],
        [11, 18, 705, 12, 10, 68, 0],
        [8, 8, 10, 242, 7, 26, 0],
        [0, 0, 0, 0, 2, 0, 0],
        [150, 17, 96, 41, 7, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    "222": [
        [1417, 31, 33, 22, 37, 155, 0],
        [10, 344, 9, 8, 8, 42, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
        [207, 59, 12, 8, 16, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
}  # fmt: skip


def spoil(sample, symbol, subtype, length, rate=360):
    """Drop, shift, double, rename and invent beats, the same ones everywhere."""
    rng = np.random.RandomState(0)
    beat = np.isin(symbol, list(SYMBOL_TO_CLASS))
    keep = (rng.uniform(size=len(sample)) > 0.02) | ~beat
    sample, symbol, subtype, beat = (x[keep] for x in (sample, symbol, subtype, beat))
    shift = np.floor(rng.uniform(-0.2, 0.2, size=len(sample)) * rate).astype(int)
    sample = sample + shift * (beat & (rng.uniform(size=len(sample)) < 0.3))
    place = (rng.uniform(size=len(sample)) * len(CLASS_NAMES)).astype(int)
    other = beat & (rng.uniform(size=len(sample)) < 0.1)
    symbol = np.where(other, np.array(CLASS_NAMES)[place], symbol)
    twice = np.flatnonzero(beat & (rng.uniform(size=len(sample)) < 0.05))
    sample = np.concatenate([
        sample,
        sample[twice] + np.floor(rng.uniform(1, 100, size=len(twice))).astype(int),
        np.floor(rng.uniform(1, length, size=40)).astype(int),
    ])  # fmt: skip
    symbol = np.concatenate([symbol, symbol[twice], np.tile(list("NSVFQ"), 8)])
    subtype = np.concatenate([subtype, np.zeros(len(sample) - len(subtype), int)])
    order = np.argsort(sample, kind="stable")
    return sample[order].clip(1, length - 1), symbol[order], subtype[order]


@pytest.mark.mitbih
@pytest.mark.parametrize("record", sorted(BXB))
def test_tables_of_bxb(mitbih_home, record):
    import wfdb

    notes = wfdb.rdann(str(mitbih_home / "mitdb" / record), "atr")
    detected = spoil(notes.sample, np.array(notes.symbol), notes.subtype, 650_000)
    report = ec57_report(notes, detected, 360)
    np.testing.assert_array_equal(report.confusion_matrix, BXB[record])
