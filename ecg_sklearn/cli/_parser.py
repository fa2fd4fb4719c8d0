"""Argument parsers of all commands."""

import argparse
import ast
from pathlib import Path

from ecg_sklearn import __version__
from ecg_sklearn.cli import _examples


def read_arguments(argv=None):
    """Return the command, whether to show tracebacks, and its keyword arguments."""
    arguments = vars(make_parser().parse_args(argv))
    command, traceback = arguments.pop("command"), arguments.pop("traceback")
    if "param" in arguments:
        arguments["param"] = dict(arguments["param"])
    if command == "train":
        if arguments["protocol"] is None:
            arguments["protocol"] = _default_protocol(**arguments)
        if arguments["output"] is None:
            name = "offline" if arguments["offline"] else arguments["protocol"]
            arguments["output"] = Path("runs") / name
    return command, traceback, arguments


def _default_protocol(*, data, preset, offline, **_):
    """Return "kaggle" where there is an official split, or a CSV file."""
    places = data or []
    if len(places) > 1 or offline or preset == "inter-patient":
        return "inter-patient"
    if places and Path(places[0]).is_dir():
        from ecg_sklearn.datasets._published import MITDB

        return "kaggle" if MITDB.is_at(places[0]) else "inter-patient"
    return "kaggle"


def make_parser():
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="ecg-sklearn",
        description="Classify ECG heartbeats: scaler, SMOTE, spectrogram, CNN.",
        epilog="ecg-sklearn COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands)
    evaluate = _command(
        commands, "evaluate", "score a saved pipeline", _examples.EVALUATE
    )
    _labelled_beats(evaluate)
    evaluate.add_argument(
        "--detect",
        action="store_true",
        help="find the beats, and count missed and extra ones (WFDB records)",
    )
    evaluate.add_argument(
        "--skip-first",
        type=float,
        default=0.0,
        metavar="S",
        help="with --detect: leave out the first seconds of each record; EC57 leaves "
        "out 300 (default: 0)",
    )
    evaluate.add_argument(
        "--escape",
        choices=("N", "S"),
        default="N",
        help="class of escape beats (e, j): N as in the protocols, or S as in EC57 "
        "and bxb (default: N)",
    )
    evaluate.add_argument("--output", "-o", type=Path, metavar="JSON")
    _output_options(evaluate)
    report = _command(commands, "report", "write an HTML report", _examples.REPORT)
    _labelled_beats(report)
    report.add_argument("--title", default="Heartbeat classification")
    report.add_argument(
        "--output", "-o", type=Path, default=Path("report.html"), metavar="HTML"
    )
    _output_options(report)
    _add_predict(commands)
    data = _command(
        commands, "data", "fetch, verify or count a database", _examples.DATA
    )
    data.add_argument("action", choices=("fetch", "verify", "counts"))
    data.add_argument("--data", metavar="DIR", help="folder of the records")
    data.add_argument(
        "--database",
        choices=("mitdb", "svdb"),
        default="mitdb",
        help="MIT-BIH Arrhythmia or Supraventricular Arrhythmia (default: mitdb)",
    )
    _output_options(data, overwrite=False)
    demo = _command(
        commands, "demo", "train on simulated beats, in a minute", _examples.DEMO
    )
    demo.add_argument("--output", "-o", type=Path, default=Path("demo-output"))
    _training_options(demo, epochs=10)
    _output_options(demo)
    return parser


def _command(commands, name, summary, examples):
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_train(commands):
    train = _command(commands, "train", "train a pipeline and save it", _examples.TRAIN)
    train.add_argument(
        "--data",
        action="append",
        metavar="WHERE",
        help="folder, CSV file, or simulated (see below); folders may be repeated",
    )
    train.add_argument(
        "--test-data", metavar="WHERE", help="CSV file, or folder, of the test beats"
    )
    train.add_argument(
        "--protocol",
        choices=("kaggle", "inter-patient"),
        help="what to train and test on (default: see below)",
    )
    _records(train)
    train.add_argument(
        "--preset",
        choices=("notebook", "kaggle", "kaggle-features", "inter-patient"),
        help="of make_ecg_pipeline (default: what suits the protocol)",
    )
    train.add_argument(
        "--form",
        choices=("kaggle", "window"),
        help="how to cut the beats of records: as Kaggle rows, or as windows around "
        "each beat (default: window for inter-patient, kaggle otherwise)",
    )
    train.add_argument(
        "--window",
        type=float,
        nargs=2,
        default=(-0.4, 0.5),
        metavar=("START", "STOP"),
        help="of --form window, in s around each beat (default: -0.4 0.5)",
    )
    train.add_argument(
        "--align",
        choices=("peak", "none"),
        default="peak",
        help="of --form window: move annotations to the R peak (default: peak)",
    )
    train.add_argument(
        "--features",
        type=_names,
        metavar="GROUPS",
        help="groups of features, with commas between them, or none (default: "
        "rr,morphology for records, none otherwise)",
    )
    train.add_argument(
        "--rhythm",
        action="store_true",
        help="train make_ecg_ensemble, which also knows the record so far",
    )
    train.add_argument(
        "--offline",
        action="store_true",
        help="train make_record_ensemble, which sees the whole record: for files, not "
        "for streams",
    )
    train.add_argument(
        "--copies",
        type=int,
        default=0,
        metavar="N",
        help="add N varied copies of each training beat (BeatAugmenter; default: 0); "
        "inter-patient then trains for 3 epochs instead of 6",
    )
    _training_options(train, epochs=None)
    train.add_argument(
        "--output",
        "-o",
        type=Path,
        metavar="DIR",
        help="default: runs/PROTOCOL, or runs/offline",
    )
    _output_options(train)


def _add_predict(commands):
    predict = _command(commands, "predict", "classify new beats", _examples.PREDICT)
    predict.add_argument("model", type=Path, help="model.ecgsk of a training")
    predict.add_argument("input", type=Path, help="recording, or CSV file of beats")
    predict.add_argument(
        "--beats",
        metavar="ANNOTATOR",
        help="annotation file of a WFDB record that marks the beats (default: they "
        "are detected)",
    )
    predict.add_argument(
        "--annotator",
        metavar="NAME",
        help="write the classes as annotation file NAME beside the record",
    )
    _lead(predict)
    predict.add_argument(
        "--rate",
        type=float,
        metavar="HZ",
        help="samples per second, for files that do not say it",
    )
    predict.add_argument(
        "--unit",
        type=_literal,
        help="of the samples, for files that do not say it: V, mV, uV, or the mV of "
        "one step (default: mV)",
    )
    predict.add_argument(
        "--output", "-o", type=Path, metavar="CSV", help="default: standard output"
    )
    _output_options(predict)


def _labelled_beats(parser):
    parser.add_argument("model", type=Path, help="model.ecgsk of a training")
    parser.add_argument(
        "--data",
        action="append",
        metavar="WHERE",
        help="folder of WFDB records, CSV file, or simulated; folders may be repeated "
        "(default: MIT-BIH in $ECG_SKLEARN_DATA or ~/ecg_sklearn_data)",
    )
    parser.add_argument(
        "--subset",
        choices=("all", "train", "test", "ds1", "ds2"),
        help="which beats of MIT-BIH (default: test for models of the protocol "
        "kaggle, ds2 for inter-patient)",
    )
    _records(parser)
    parser.add_argument(
        "--seed", type=int, default=1, help="of simulated beats (default: 1)"
    )
    parser.add_argument(
        "--resamples",
        type=int,
        default=1000,
        metavar="N",
        help="bootstrap samples of each interval (default: 1000)",
    )


def _records(parser):
    parser.add_argument(
        "--records",
        type=_names,
        metavar="NAMES",
        help="records to use, with commas between them (default: all)",
    )
    parser.add_argument(
        "--annotator",
        default="atr",
        metavar="NAME",
        help="annotation files of the records (default: atr)",
    )
    _lead(parser)


def _lead(parser):
    parser.add_argument(
        "--lead",
        type=_lead_of,
        help="signal of the records, by name or position; of several names with "
        "commas between them, the first that a record has (default: as in training, "
        "or else II, MLII, V5, ...)",
    )


def _training_options(parser, *, epochs):
    parser.add_argument(
        "--sampler",
        choices=("auto", "smote", "none"),
        default="auto",
        help="what balances the classes (default: auto, what the preset says)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=epochs,
        metavar="N",
        help=f"default: {epochs or 'what suits the protocol'}",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--validation",
        type=float,
        metavar="FRACTION",
        help="part of the training beats held out, before SMOTE, to validate on; "
        "whole records with inter-patient; 0 for none (default: 0.1, with --offline 0)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training that was broken off, if there is one",
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        type=_assignment,
        metavar="STEP__NAME=VALUE",
        help="set a parameter of a step; may be given more than once",
    )


def _output_options(parser, *, overwrite=True):
    if overwrite:
        parser.add_argument(
            "--overwrite", action="store_true", help="replace output that exists"
        )
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error came from"
    )


def _names(text):
    """Split names at commas; "none" means no names."""
    return [] if text == "none" else [name.strip() for name in text.split(",")]


def _lead_of(text):
    """Convert a lead to a position, a name, or several names."""
    if text.isdecimal():
        return int(text)
    return _names(text) if "," in text else text


def _assignment(text):
    """Split ``step__name=value``; the value is a Python literal, or else a string."""
    name, equals, value = text.partition("=")
    if not equals or "__" not in name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not STEP__NAME=VALUE, such as cnn__dropout=0.2"
        )
    return name, _literal(value)


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
