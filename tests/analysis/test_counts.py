"""Counts, rates and variability of beats that are known by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.conftest import analysed, value

FORMS = ("singles", "couplets", "runs", "bigeminy", "trigeminy")


def forms(found, name="veb"):
    return tuple(int(value(found, f"{name}_{form}")) for form in FORMS)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("NNNN", (0, 0, 0, 0, 0)),
        ("V", (1, 0, 0, 0, 0)),
        ("NVN", (1, 0, 0, 0, 0)),
        ("NNVV", (0, 1, 0, 0, 0)),  # a couplet at the end
        ("VVNN", (0, 1, 0, 0, 0)),
        ("NVVVN", (0, 0, 1, 0, 0)),
        ("NVVVVVV", (0, 0, 1, 0, 0)),
        ("NVVNVVVNV", (1, 1, 1, 0, 0)),
        ("NVNVNVN", (3, 0, 0, 1, 0)),  # bigeminy of three
        ("NVNVNN", (2, 0, 0, 0, 0)),
        ("NVNNVNNVN", (3, 0, 0, 0, 1)),
        ("NVNNVNN", (2, 0, 0, 0, 0)),
        ("VNVNVNNVNNVN", (5, 0, 0, 1, 1)),  # the beat in the middle is in both
        ("VNVNVNNNNVNVNV", (6, 0, 0, 2, 0)),
        ("VSVSV", (3, 0, 0, 0, 0)),  # no normal beat between
        ("VQVQV", (3, 0, 0, 0, 0)),
        ("NVVFVVN", (0, 2, 0, 0, 0)),  # fusion interrupts a run
        ("NVVNVVNVVN", (0, 3, 0, 0, 0)),  # couplets are no bigeminy
    ],
)
def test_forms_of_ectopic_beats(letters, expected):
    found = analysed(letters)
    assert forms(found) == expected
    mirrored = analysed(letters.translate(str.maketrans("VS", "SV")))
    assert forms(mirrored, "sveb") == expected


def test_nothing_is_formed_across_an_unreadable_stretch():
    # Beats at 1.0, 1.8, 2.6, 3.4 s; the stretch is between the second and the third.
    found = analysed("VVVV", unreadable=[(2.0, 2.4, "noise")])
    assert forms(found) == (0, 2, 0, 0, 0)
    assert np.isnan(found.beats["rr"]).tolist() == [True, False, True, False]
    found = analysed("VNVNVN", unreadable=[(2.0, 2.4, "noise")])
    assert forms(found) == (3, 0, 0, 0, 0)
    found = analysed("NN", rr=4.0, unreadable=[(2.0, 2.1, "gap")])
    assert value(found, "pauses") == 0
    assert np.isnan(value(found, "rr_longest"))
    assert np.isnan(value(found, "heart_rate_mean"))


def test_beats_in_an_unreadable_stretch_are_left_out_and_said():
    found = analysed("NVN", unreadable=[(1.7, 1.9, "noise")])
    assert found.beats["class"].tolist() == ["N", "N"]
    assert value(found, "veb_count") == 0
    assert found.notes == ("Counted nowhere: 1 beat in unreadable stretches.",)


@pytest.mark.parametrize(("seconds", "n_pauses"), [(2.5, 1), (2.496, 0), (3.1, 1)])
def test_a_pause_lasts_two_and_a_half_seconds(seconds, n_pauses):
    found = analysed("NNNN", rr=[0, 0.8, seconds, 0.8])
    assert value(found, "pauses") == n_pauses
    assert value(found, "rr_longest") == pytest.approx(seconds)
    assert value(found, "rr_longest", "time") == pytest.approx(1.8)
    if n_pauses:
        assert value(found, "longest_pause") == pytest.approx(seconds)
        (event,) = found.events.itertuples()
        assert (event.kind, event.first, event.last, event.n_beats) == (
            "pause",
            1,
            2,
            2,
        )
    else:
        assert np.isnan(value(found, "longest_pause"))


def test_rates_of_runs():
    # A run of three at 0.4 s (150 beats/min), one of four at 0.5 s (120 beats/min).
    letters = "N" + "VVV" + "NN" + "VVVV" + "N"
    rr = [0, 0.6, 0.4, 0.4, 1.0, 0.8, 0.6, 0.5, 0.5, 0.5, 1.0]
    found = analysed(letters, rr=rr)
    assert value(found, "veb_fastest_run") == pytest.approx(150)
    assert value(found, "veb_fastest_run", "time") == pytest.approx(1.6)
    assert value(found, "veb_longest_run") == 4
    assert value(found, "veb_longest_run", "time") == pytest.approx(4.8)
    runs = found.events[found.events["kind"] == "VEB run"]
    assert runs["rate"].tolist() == pytest.approx([150, 120])
    assert found.beats["event"].tolist() == [-1, 0, 0, 0, -1, -1, 1, 1, 1, 1, -1]


def test_heart_rate_over_eight_intervals():
    # Eight intervals of 1 s, then eight of 0.5 s, then a gap and seven of 0.24 s.
    rr = [0] + [1.0] * 8 + [0.5] * 8 + [1.0] + [0.24] * 7
    found = analysed("N" * len(rr), rr=rr, unreadable=[(13.2, 13.8, "gap")])
    assert value(found, "heart_rate_min") == pytest.approx(60)
    assert value(found, "heart_rate_min", "time") == pytest.approx(1.0)
    assert value(found, "heart_rate_max") == pytest.approx(120)
    assert value(found, "heart_rate_max", "time") == pytest.approx(9.0)
    assert value(found, "heart_rate_mean") == pytest.approx(60 / (13.68 / 23))


def test_a_short_recording_has_no_extreme_heart_rate():
    found = analysed("N" * 8)
    assert np.isnan(value(found, "heart_rate_min"))
    assert value(found, "heart_rate_mean") == pytest.approx(75)


def test_variability_of_a_known_series():
    # NN intervals in ms: 800, 860, 820, 820; changes +60, -40, 0.
    found = analysed("NNNNN", rr=[0, 0.8, 0.86, 0.82, 0.82])
    assert value(found, "sdnn") == pytest.approx(np.std([800, 860, 820, 820], ddof=1))
    assert value(found, "rmssd") == pytest.approx(np.sqrt((60**2 + 40**2) / 3))
    assert value(found, "pnn50") == pytest.approx(25)  # one of four intervals


def test_fifty_milliseconds_are_not_more_than_fifty():
    found = analysed("NNNN", rr=[0, 0.8, 0.852, 0.8])
    assert value(found, "pnn50") == pytest.approx(200 / 3)
    rr = [0, 0.8, 0.848, 0.8]
    assert value(analysed("NNNN", rr=rr), "pnn50") == 0


def test_variability_leaves_out_intervals_of_ectopic_beats():
    found = analysed("NNVNNN", rr=[0, 0.8, 0.4, 1.2, 0.9, 0.8])
    assert value(found, "sdnn") == pytest.approx(np.std([800, 900, 800], ddof=1))
    assert value(found, "rmssd") == pytest.approx(100)  # 900 to 800 alone


def test_variability_needs_two_intervals():
    one = analysed("NN")
    for name in ("sdnn", "rmssd", "pnn50"):
        assert np.isnan(value(one, name))
    apart = analysed("NNVNN")  # two intervals, and no change
    assert value(apart, "sdnn") == 0
    assert np.isnan(value(apart, "rmssd"))


def test_burden_and_hours():
    found = analysed("N" * 90 + "V" * 4 + "F" * 3 + "Q" * 2 + "S", rr=0.8)
    assert value(found, "veb_burden") == pytest.approx(4)
    assert value(found, "sveb_burden") == pytest.approx(1)
    assert (value(found, "fusion_count"), value(found, "unknown_count")) == (3, 2)
    analysed_seconds = 1 + 99 * 0.8 + 1
    assert value(found, "analysed") == pytest.approx(analysed_seconds)
    assert value(found, "veb_per_hour") == pytest.approx(4 * 3600 / analysed_seconds)
    for edge in ("low", "high"):
        assert value(found, "veb_burden", edge) == pytest.approx(4)
        assert value(found, "veb_count", edge) == 4


def test_analysed_time_leaves_unreadable_stretches_out():
    found = analysed("N" * 25, unreadable=[(3.0, 5.0, "noise"), (10.0, 11.0, "gap")])
    assert value(found, "duration") == pytest.approx(21.2)
    assert value(found, "analysed") == pytest.approx(18.2)
    assert value(found, "analysed_share") == pytest.approx(100 * 18.2 / 21.2)
    quality = found.beats["quality"].to_numpy()
    assert quality[0] == pytest.approx(4 / 6)  # of 0 to 6 s around the beat at 1 s
    assert quality[-1] == pytest.approx(1)


@settings(deadline=None, max_examples=25)
@given(
    letters=st.text("NNNVVSFQ", max_size=60),
    start=st.floats(0, 50),
    length=st.floats(0, 5),
)
def test_counts_add_up(letters, start, length):
    found = analysed(letters, unreadable=[(start, start + length, "noise")])
    events, beats = found.events, found.beats
    for letter, name in (("V", "VEB"), ("S", "SVEB")):
        runs = events.loc[events["kind"] == f"{name} run", "n_beats"]
        key = name.lower()
        total = value(found, f"{key}_singles") + 2 * value(found, f"{key}_couplets")
        assert total + runs.sum() == value(found, f"{key}_count")
        assert value(found, f"{key}_count") == (beats["class"] == letter).sum()
        assert (runs >= 3).all()
    assert ((beats["event"] >= 0) == beats["class"].isin(["V", "S"])).all()
    for row, event in zip(*np.unique(beats["event"], return_index=True), strict=True):
        if row >= 0:
            assert events["first"][row] == event
    assert (events["start"].diff().dropna() >= 0).all()
    assert beats["quality"].between(0, 1).all()
    assert not beats["time"].between(start, start + length, inclusive="left").any()
