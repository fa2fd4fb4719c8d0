"""Arguments of every kind at the command line, and files of every kind behind them."""

import contextlib
import io
import warnings

import numpy as np
import pytest
import wfdb
from hypothesis import given
from hypothesis import strategies as st

from ecg_sklearn import cli, make_ecg_pipeline, save
from ecg_sklearn.cli import _sources
from ecg_sklearn.datasets import make_heartbeats, make_recording
from ecg_sklearn.datasets._published import MITDB

from ..io import writers
from .oracle import OUTCOMES, check_message, fuzzed, fuzzed_with
from .test_files import csv_text

_BEATS = make_heartbeats(60, n_records=6, random_state=0)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model, tables of beats and things that are neither."""
    folder = tmp_path_factory.mktemp("place")
    pipe = make_ecg_pipeline(
        filters=(4,), dense_units=4, epochs=1, random_state=0, sampler=None
    )
    save(pipe.fit(_BEATS.data, _BEATS.target), folder / "model.ecgsk")
    rows = np.column_stack([_BEATS.data, _BEATS.target])
    np.savetxt(folder / "beats.csv", rows[:20], delimiter=",", fmt="%.6g")
    np.savetxt(folder / "bare.csv", rows[:5, :-1], delimiter=",", fmt="%.6g")
    (folder / "words.csv").write_text("no,beats\n")
    (folder / "empty").touch()
    (folder / "noise.joblib").write_bytes(b"\x80\x04not a pickle")
    (folder / "folder").mkdir()
    (folder / "taken.json").write_text("mine\n")
    (folder / "records").mkdir()
    ecg = make_recording(10, random_state=0)
    record = writers.write_wfdb(folder / "records" / "r1", ecg.signal, 250.0)
    wfdb.wrann("r1", "atr", ecg.sample, ecg.symbols, write_dir=str(record.parent))
    return folder


@pytest.fixture
def few_beats(monkeypatch):
    """Makes the simulated beats of the commands a few, and PhysioNet unreachable."""
    monkeypatch.setattr(MITDB, "url", "http://127.0.0.1:9/")
    monkeypatch.setitem(_sources._SIMULATED, "n_samples", 120)
    monkeypatch.setitem(_sources._SIMULATED, "n_records", 12)


def run(argv):
    """Run a command; hold that it does its work or says in one line why not."""
    OUTCOMES["cases"] += 1
    output, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
        warnings.catch_warnings(),
    ):
        # A message to the user, such as of records too few to share classes out.
        warnings.simplefilter("ignore", UserWarning)
        try:
            code = cli.main(argv)
        except SystemExit as stop:  # argparse's own
            code = stop.code
    assert code in ((0, 1, 2) if argv[:1] == ["analyze"] else (0, 2)), argv
    lines = errors.getvalue().splitlines()
    assert "Traceback" not in errors.getvalue()
    if code:
        OUTCOMES["refused"] += 1
        assert "error: " in lines[-1], lines
        check_message(lines[-1].partition("error: ")[2])
    return code


def files_in(folder):
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


_PATHS = st.sampled_from(
    "model.ecgsk beats.csv bare.csv words.csv empty noise.joblib folder nowhere "
    "nowhere/x empty/x . .. taken.json new.out".split()
)
_NUMBERS = st.sampled_from(
    ["0", "1", "3", "-1", "0.5", "1.5", "nan", "inf", "1e400", "x", "", "99999999999"]
)
_PAGES = st.one_of(_PATHS, st.sampled_from(["page.html", "x/page.html", "records"]))
_OPTIONS = {
    "analyze": {
        "--model": st.sampled_from(["noise.joblib", "empty", "folder", "x.ecgsk"]),
        "--beats": st.sampled_from(["atr", "atr", "", "../x", "qrs"]),
        "--escape": st.sampled_from(["N", "S", "V"]),
        "--annotator": st.sampled_from(["cnn", "", "a/b", "atr", "1"]),
        "--rate": _NUMBERS,
        "--unit": st.sampled_from(["uV", "0", "furlong"]),
        "--lead": st.sampled_from(["II", "0", "7", "[]"]),
        "--output": _PAGES,
        "--csv": _PAGES,
        "--events": _PAGES,
        "--json": _PAGES,
        "--jobs": st.sampled_from(["0", "1", "x", "1.5"]),
        "--overwrite": None,
        "--quiet": None,
    },
    "evaluate": {
        "--data": st.one_of(_PATHS, st.just("simulated")),
        "--subset": st.sampled_from(["all", "test", "ds1", "none", ""]),
        "--records": st.sampled_from(["100", "", ",", "../x"]),
        "--annotator": st.sampled_from(["atr", "", "../x", "qrs"]),
        "--escape": st.sampled_from(["N", "S", "V"]),
        "--detect": None,
        "--seed": _NUMBERS,
        "--resamples": _NUMBERS,
        "--output": _PATHS,
        "--overwrite": None,
        "--quiet": None,
    },
    "predict": {
        "--beats": st.sampled_from(["atr", "", "../x", "qrs"]),
        "--annotator": st.sampled_from(["cnn", "", "a/b", "atr", "1"]),
        "--rate": _NUMBERS,
        "--unit": st.sampled_from(["uV", "V", "0", "-1", "furlong", "1e-3"]),
        "--lead": st.sampled_from(["MLII", "0", "-1", "[]", "()", "{}", "1.5"]),
        "--output": _PATHS,
        "--overwrite": None,
        "--quiet": None,
    },
    "report": {
        "--data": st.one_of(_PATHS, st.just("simulated")),
        "--seed": _NUMBERS,
        "--resamples": st.sampled_from(["0", "-1", "5", "x", "1.5"]),
        "--title": st.text(max_size=9),
        "--output": _PATHS,
        "--overwrite": None,
    },
    "train": {
        "--data": st.one_of(_PATHS, st.just("simulated"), st.just("simulated")),
        "--test-data": _PATHS,
        "--protocol": st.sampled_from(["kaggle", "inter-patient", "both"]),
        "--form": st.sampled_from(["kaggle", "window"]),
        "--sampler": st.sampled_from(["smote", "none", "adasyn"]),
        "--epochs": st.sampled_from(["0", "1", "2", "-1", "x", "1.0"]),
        "--seed": _NUMBERS,
        "--validation": _NUMBERS,
        "--param": st.builds(
            "{}={}".format,
            st.sampled_from(
                ["cnn__dropout", "cnn__pooling", "scaler__with_std", "cnn__nothing",
                 "spectrogram__nperseg", "spectrogram__window", "cnn", "memory__x",
                 "cnn__kernel_size", "cnn__class_weight", "smote__k_neighbors", "__"]
            ),
            st.sampled_from(
                ["0", "3", "0.3", "-1", "nan", "'max'", "hann", "None", "True", "()",
                 "[1,2]", "{0: 2.0}", "{'V': 1}", "", "=", "400", "(3, 4)"]
            ),
        ),
        "--features": st.sampled_from(["rr", "rr,rhythm", "none", "", ",", "shape"]),
        "--window": st.sampled_from(["1", "0 1", "nan nan"]),
        "--causal": None,
        "--offline": None,
        "--rhythm": None,
        "--resume": None,
        "--overwrite": None,
    },
    "data": {"--data": _PATHS, "--quiet": None, "--nothing": None},
}  # fmt: skip


@st.composite
def arguments(draw, command):
    """Options of a command, with values that may be none of theirs."""
    chosen = draw(
        st.lists(st.sampled_from(list(_OPTIONS[command])), max_size=4, unique=True)
    )
    argv = [command]
    for option in chosen:
        argv.append(option)
        if (values := _OPTIONS[command][option]) is not None:
            value = draw(values)
            argv += value.split() if option == "--window" else [value]
    return argv


def check(argv, place, monkeypatch):
    """Run in the folder; what a refused command leaves is what was there."""
    monkeypatch.chdir(place)
    before = files_in(place)
    code = run(argv)
    after = files_in(place)
    if code == 2:
        assert after == before
    else:
        kept = before.keys() if "--overwrite" not in argv else before.keys() & {place}
        assert all(after[path] == before[path] for path in kept)
    for path in after.keys() - before.keys():
        if path.is_file():
            path.unlink()
    for path, content in before.items():
        if content is not None and (not path.exists() or path.read_bytes() != content):
            path.write_bytes(content)
    return code


_MODELS = st.sampled_from(
    ["model.ecgsk"] * 6 + ["noise.joblib", "empty", "folder", "x"]
)


@pytest.mark.slow
@fuzzed
@given(st.data(), st.sampled_from(["evaluate", "report"]), _MODELS)
@pytest.mark.usefixtures("few_beats")
def test_arguments_with_a_model(place, monkeypatch, data, command, model):
    argv = data.draw(arguments(command))
    argv.insert(1, model)
    if "--data" not in argv:
        argv += ["--data", "beats.csv"]
    if "--resamples" not in argv:
        argv += ["--resamples", "3"]
    check(argv, place, monkeypatch)


@fuzzed
@given(arguments("predict"), _MODELS, _PATHS)
def test_arguments_of_predict(place, monkeypatch, argv, model, path):
    check([argv[0], model, path, *argv[1:]], place, monkeypatch)


_INPUTS = st.sampled_from(
    ["records/r1", "records/r1.hea", "records/r1.dat", "records/*.hea"] * 6
    + "records words.csv beats.csv empty folder nowhere x* taken.json".split()
)


@fuzzed
@given(arguments("analyze"), st.lists(_INPUTS, min_size=1, max_size=3))
def test_arguments_of_analyze(place, monkeypatch, argv, inputs):
    if not {"--model", "--beats"} & set(argv):
        argv += ["--beats", "atr"]
    check(["analyze", *inputs, *argv[1:]], place, monkeypatch)


@fuzzed_with(0.4)
@given(csv_text(), st.sampled_from(["utf-8", "utf-16"]))
def test_tables_at_predict(place, tmp_path_factory, text, encoding):
    path = tmp_path_factory.mktemp("csv") / "beats.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))
    run(["predict", str(place / "model.ecgsk"), str(path)])


@pytest.mark.slow
@fuzzed_with(0.4)
@given(arguments("train"))
@pytest.mark.usefixtures("few_beats")
def test_arguments_of_train(place, monkeypatch, argv):
    if "--data" not in argv:
        argv += ["--data", "simulated"]
    if not {"--causal", "--offline", "--rhythm"} & set(argv):
        argv += ["--network"]  # trees take none of what follows
    if "--epochs" not in argv:
        argv += ["--epochs", "1"]
    small = ["filters=(4,)", "dense_units=4"]
    argv += [part for value in small for part in ("--param", f"cnn__{value}")]
    check([*argv, "--output", "new.out", "--quiet"], place, monkeypatch)


@fuzzed_with(0.4)
@given(arguments("data"), st.sampled_from(["verify", "counts", "burn", ""]))
def test_arguments_of_data(place, monkeypatch, argv, action):
    if "--data" not in argv:
        argv += ["--data", "folder"]
    check([argv[0], action, *argv[1:]], place, monkeypatch)


@fuzzed
@given(st.lists(st.text(max_size=6), max_size=4))
def test_any_words(place, monkeypatch, argv):
    check(argv, place, monkeypatch)
