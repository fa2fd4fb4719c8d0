"""Which channel is taken, and what parameters may be."""

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from ecg_sklearn.io import read_recording
from ecg_sklearn.io._leads import PREFERENCE, plain_lead
from ecg_sklearn.io._units import is_counts, may_be_voltage, millivolts

from .writers import make_ecg

ECG = make_ecg(4, 250.0)


def chosen(names, channel=None):
    import pandas as pd

    frame = pd.DataFrame(dict.fromkeys(names, ECG))
    return read_recording(frame, sampling_rate=250.0, channel=channel).leads


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("II", "II"), ("ii", "II"), ("EKG II", "II"), ("ECG Lead II", "II"),
        ("lead ii", "II"), ("Lead 2", "II"), ("MDC_ECG_LEAD_II", "II"),
        ("ECG-V5", "V5"),
        ("DII", "II"), ("Ableitung I", "I"), ("ekg", "ECG"), ("EKG1", "ECG1"),
        ("ECG 1", "ECG1"), ("aVF", "AVF"), ("MLII", "MLII"), ("Lead aVR (mV)", "AVR"),
        ("Lead I (Einthoven)", "I"),
    ],
)  # fmt: skip
def test_names_are_compared_without_fillers(name, plain):
    assert plain_lead(name) == plain


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["V1", "II"], "II"), (["V5", "MLII"], "MLII"), (["V2", "V5"], "V5"),
        (["V1", "V2"], "V2"), (["ECG1", "ECG2"], "ECG1"), (["Resp", "ECG"], "ECG"),
        (["I", "ecg lead ii"], "ecg lead ii"), (["ABP", "SpO2", "signal"], "signal"),
        (["EEG Fpz-Cz", "C3-A2", "EMG", "EKG"], "EKG"), (["foo", "bar"], "foo"),
        (["acc x", "V"], "V"),
    ],
)  # fmt: skip
def test_the_lead_that_is_preferred(names, taken):
    assert chosen(names) == (taken,)


def test_the_docstring_has_the_order():
    words = " ".join(read_recording.__doc__.split())
    assert ", ".join(PREFERENCE) in words.replace("aV", "AV")


def test_all_are_the_ecg_leads():
    names = ["Resp", "V1", "II", "EEG C3", "label"]
    assert chosen(names, "all") == ("V1", "II")
    assert chosen(["Resp", "one", "two"], "all") == ("one", "two")


def test_asked_for():
    names = ["Resp", "V1", "ECG Lead II"]
    assert chosen(names, "Resp") == ("Resp",)
    assert chosen(names, 1) == ("V1",)
    assert chosen(names, ["MLII", "ii", "V1"]) == ("ECG Lead II",)
    with pytest.raises(
        ValueError, match="no channel 'V6' or 'V4'. It has 'Resp', 'V1'"
    ):
        chosen(names, ("V6", "V4"))
    with pytest.raises(ValueError, match=r"no channel 3: it has 3 .* counted from 0"):
        chosen(names, 3)
    with pytest.raises(ValueError, match="no channel that is an ECG"):
        chosen(["Resp", "SpO2"])


@pytest.mark.parametrize(
    "params",
    [
        {"sampling_rate": 0}, {"sampling_rate": "250"}, {"channel": -1},
        {"channel": 1.5},
        {"unit": 0}, {"unit": []}, {"sampling_rate": -5},
    ],
)  # fmt: skip
def test_parameters_are_checked(params):
    with pytest.raises(InvalidParameterError):
        read_recording(ECG, **{"sampling_rate": 250.0} | params)


def test_a_unit_that_is_none():
    with pytest.raises(
        ValueError, match="unit='mmHg' is no unit of voltage. Give 'V',"
    ):
        read_recording(ECG, sampling_rate=250.0, unit="mmHg")


@pytest.mark.parametrize("rate", [49, 2001, 1e6])
def test_rates_that_are_not_of_an_ecg(rate):
    with pytest.raises(ValueError, match="An ECG is read at 50 to 2,000 Hz"):
        read_recording(np.tile(ECG, 10), sampling_rate=rate)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("V", 1000), ("mV", 1), ("MV", 1), ("µV", 1e-3), ("μV", 1e-3), ("uV", 1e-3),
        (" nV ", 1e-6), ("microvolts", 1e-3), ("adu", None), ("", None), ("mmHg", None),
    ],
)  # fmt: skip
def test_units_of_voltage(unit, factor):
    assert millivolts(unit) == factor


def test_kinds_of_units():
    assert all(map(is_counts, ["adu", "ADC", "counts", "LSB", "raw", "bits", "a.u."]))
    assert not any(map(is_counts, ["mV", "V", "l/min", "%", ""]))
    assert not any(map(may_be_voltage, ["mmHg", "%", "degC", "bpm"]))
    assert all(map(may_be_voltage, ["mV", "", "unknown", "adu"]))
