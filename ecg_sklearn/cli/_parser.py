"""Argument parsers of all commands."""

import argparse
from pathlib import Path

from ecg_sklearn import __version__
from ecg_sklearn.cli import _examples
from ecg_sklearn.cli._options import (
    escape_option,
    labelled_beats,
    names,
    output_options,
    recording_options,
    records_options,
    training_options,
)
from ecg_sklearn.cli._recipes import TREES, choose_recipe


def read_arguments(argv=None):
    """Return the command, whether to show tracebacks, and its keyword arguments."""
    arguments = vars(make_parser().parse_args(argv))
    command, traceback = arguments.pop("command"), arguments.pop("traceback")
    if "param" in arguments:
        arguments["param"] = dict(arguments["param"])
    if command == "train":
        arguments |= choose_recipe(**arguments)
        if arguments["output"] is None:
            kind = arguments["kind"]
            name = kind if kind in TREES else arguments["protocol"]
            arguments["output"] = Path("runs") / name
    return command, traceback, arguments


def make_parser():
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="ecg-sklearn",
        description="Classify ECG heartbeats: scaler, SMOTE, spectrogram, CNN.",
        epilog="ecg-sklearn COMMAND --help shows examples.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_analyze(commands)
    _add_train(commands)
    evaluate = _command(
        commands, "evaluate", "score a saved pipeline", _examples.EVALUATE
    )
    labelled_beats(evaluate)
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
    escape_option(evaluate)
    evaluate.add_argument("--output", "-o", type=Path, metavar="JSON")
    output_options(evaluate)
    report = _command(commands, "report", "write an HTML report", _examples.REPORT)
    labelled_beats(report)
    report.add_argument("--title", default="Heartbeat classification")
    report.add_argument(
        "--output", "-o", type=Path, default=Path("report.html"), metavar="HTML"
    )
    output_options(report)
    _add_predict(commands)
    export = _command(
        commands, "export", "write a model as one graph, such as ONNX", _examples.EXPORT
    )
    export.add_argument(
        "model", help="model.ecgsk of a training, or the name of a shipped model"
    )
    export.add_argument(
        "--output",
        "-o",
        type=Path,
        default=Path("model.onnx"),
        metavar="GRAPH",
        help="file with the suffix .onnx, .tflite or .keras (default: model.onnx)",
    )
    output_options(export)
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
    output_options(data, overwrite=False)
    demo = _command(
        commands, "demo", "train and analyse on simulated beats", _examples.DEMO
    )
    demo.add_argument("--output", "-o", type=Path, default=Path("demo-output"))
    training_options(demo, epochs=10)
    output_options(demo)
    return parser


def _command(commands, name, summary, examples):
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_analyze(commands):
    analyze = _command(
        commands,
        "analyze",
        "count what a Holter reader counts in recordings",
        _examples.ANALYZE,
    )
    analyze.add_argument(
        "input", nargs="+", metavar="INPUT", help="recordings, or a pattern of files"
    )
    analyze.add_argument(
        "--model",
        metavar="MODEL",
        help="model.ecgsk of a training, or the name of a shipped model (default: the "
        "shipped default)",
    )
    analyze.add_argument(
        "--beats",
        metavar="ANNOTATOR",
        help="annotation file of the WFDB records that says beats and classes, such as "
        "one that was corrected by hand: no model is used",
    )
    escape_option(analyze)
    recording_options(analyze)
    analyze.add_argument(
        "--output",
        "-o",
        type=Path,
        metavar="PAGE",
        help="page of one recording, with the suffix .html; or a folder of pages and "
        "tables of all recordings",
    )
    for option, what in (
        ("csv", "the beats as CSV"),
        ("events", "runs, pauses and other events as CSV"),
        ("json", "all findings as JSON"),
    ):
        analyze.add_argument(
            f"--{option}",
            type=Path,
            metavar="FILE",
            help=f"write {what} (one recording)",
        )
    analyze.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="recordings to analyse at once; -1 for one on each processor (default: 1)",
    )
    output_options(analyze)


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
    records_options(train)
    train.add_argument(
        "--preset",
        choices=("notebook", "kaggle", "kaggle-features", "inter-patient"),
        help="the model and its parameters, see below (default: what suits the "
        "protocol)",
    )
    kinds = train.add_mutually_exclusive_group()
    for kind, what in (
        (
            "offline",
            "trees that see the whole record: for files (default of inter-patient)",
        ),
        ("causal", "trees that see nothing beyond the next beat: for streams too"),
        ("network", "a network (default of the other presets)"),
        ("rhythm", "a network and trees, which also know the record so far"),
    ):
        kinds.add_argument(
            f"--{kind}", action="store_const", const=kind, dest="kind", help=what
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
        type=names,
        metavar="GROUPS",
        help="groups of features, with commas between them, or none (default: "
        "rr,morphology for networks on records, none otherwise)",
    )
    training_options(train, epochs=None)
    train.add_argument(
        "--output",
        "-o",
        type=Path,
        metavar="DIR",
        help="default: runs/offline, runs/causal, or runs/PROTOCOL of a network",
    )
    output_options(train)


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
    recording_options(predict)
    predict.add_argument(
        "--output", "-o", type=Path, metavar="CSV", help="default: standard output"
    )
    output_options(predict)
