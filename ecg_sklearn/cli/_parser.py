"""Argument parsers of all commands."""

import argparse
import ast
from pathlib import Path

from ecg_sklearn import __version__

_FILES_AND_CODE = """\
Files with the suffix .ecgsk run no code. A pickle (.joblib) does: a warning comes
before one is opened."""

_TRAIN_EXAMPLES = """\
examples:
  ecg-sklearn train --data mitdb/ --protocol kaggle
  ecg-sklearn train --data mitdb/ --protocol inter-patient
  ecg-sklearn train --data mitbih_train.csv --test-data mitbih_test.csv
  ecg-sklearn train --data simulated --epochs 5 --output runs/try
  ecg-sklearn train --data mitdb/ --resume          # goes on after a Ctrl-C
  ecg-sklearn train --data mitdb/ --sampler smote --param smote__k_neighbors=3 \\
      --param spectrogram__nperseg=32 --param cnn__pooling=max

--data is a folder with the 48 MIT-BIH records (itself or in mitdb/), a CSV file of
the Kaggle heartbeat form, or "simulated". The default is $ECG_SKLEARN_DATA or
~/ecg_sklearn_data. "ecg-sklearn data fetch" downloads the records.

protocols:
  kaggle         the official split; all 48 patients are in both parts
  inter-patient  train on the patients of DS1, test on those of DS2; without the
                 paced records and the 15 unclassifiable beats that are left

features (groups of columns behind the samples, of records only):
  rr          RR intervals close to the beat
  morphology  similarity to the beats before it
  rhythm      RR intervals further away, and what the record has shown so far

A model with features cannot classify rows of a CSV file: use --features none.
--rhythm adds the groups rr and rhythm. It has the best scores on new patients, and
cannot be exported as one graph.

The state of the training is kept in the folder OUTPUT.training/ after each epoch,
until the output is written."""

_EVALUATE_EXAMPLES = f"""\
examples:
  ecg-sklearn evaluate runs/kaggle/model.ecgsk --data mitdb/
  ecg-sklearn evaluate runs/kaggle/model.ecgsk --data mitbih_test.csv
  ecg-sklearn evaluate runs/inter-patient/model.ecgsk --data mitdb/ -o ds2.json
  ecg-sklearn evaluate runs/inter-patient/model.ecgsk --data svdb/ --channel ECG1

Of other databases than MIT-BIH, all records are used.

{_FILES_AND_CODE}"""

_REPORT_EXAMPLES = f"""\
examples:
  ecg-sklearn report runs/kaggle/model.ecgsk --data mitdb/ -o report.html
  ecg-sklearn report runs/inter-patient/model.ecgsk --data mitdb/ --subset ds2

One self-contained page: scores with intervals, EC57, records, mistakes, model card.

{_FILES_AND_CODE}"""

_PREDICT_EXAMPLES = f"""\
examples:
  ecg-sklearn predict model.ecgsk beats.csv -o predictions.csv
  ecg-sklearn predict model.ecgsk mitdb/100 -o predictions.csv
  ecg-sklearn predict model.ecgsk ward/r7 --beats qrs --channel II
  ecg-sklearn predict model.ecgsk mitdb/100 --annotator cnn   # writes mitdb/100.cnn

The input is a CSV file of the Kaggle heartbeat form (187 samples a row, with or
without a label), or a WFDB record (100, 100.hea and 100.dat name the same one),
whose beats are cut at the annotations. Each row of the output has the record, the
time of the beat in s, its class, and the probability of each class. With
--annotator, WAVE, LightWAVE and bxb can read the classes.

{_FILES_AND_CODE}"""

_DATA_EXAMPLES = """\
examples:
  ecg-sklearn data fetch                       # to $ECG_SKLEARN_DATA or ~
  ecg-sklearn data fetch --data mitdb/
  ecg-sklearn data verify --data mitdb/        # SHA-256 of all 144 files
  ecg-sklearn data counts --data mitdb/        # beats of each class and subset

No other command downloads anything."""

_DEMO_EXAMPLES = """\
examples:
  ecg-sklearn demo
  ecg-sklearn demo --output my-first-run --overwrite

Simulates beats of 60 patients, trains on 45 of them and tests on the other 15."""


def read_arguments(argv=None):
    """Return the command, whether to show tracebacks, and its keyword arguments."""
    arguments = vars(make_parser().parse_args(argv))
    command, traceback = arguments.pop("command"), arguments.pop("traceback")
    if "param" in arguments:
        arguments["param"] = dict(arguments["param"])
    if command == "train" and arguments["output"] is None:
        arguments["output"] = Path("runs") / arguments["protocol"]
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
    _add_train(commands)
    evaluate = _command(
        commands, "evaluate", "score a saved pipeline", _EVALUATE_EXAMPLES
    )
    _labelled_beats(evaluate)
    evaluate.add_argument("--output", "-o", type=Path, metavar="JSON")
    _output_options(evaluate)
    report = _command(commands, "report", "write an HTML report", _REPORT_EXAMPLES)
    _labelled_beats(report)
    report.add_argument("--title", default="Heartbeat classification")
    report.add_argument(
        "--output", "-o", type=Path, default=Path("report.html"), metavar="HTML"
    )
    _output_options(report)
    _add_predict(commands)
    data = _command(commands, "data", "fetch, verify or count MIT-BIH", _DATA_EXAMPLES)
    data.add_argument("action", choices=("fetch", "verify", "counts"))
    data.add_argument("--data", metavar="DIR", help="folder of the records")
    _output_options(data, overwrite=False)
    demo = _command(
        commands, "demo", "train on simulated beats, in a minute", _DEMO_EXAMPLES
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
    train = _command(commands, "train", "train a pipeline and save it", _TRAIN_EXAMPLES)
    train.add_argument(
        "--data", metavar="WHERE", help="folder, CSV file, or simulated (see below)"
    )
    train.add_argument("--test-data", metavar="CSV", help="CSV file of test beats")
    train.add_argument(
        "--protocol",
        choices=("kaggle", "inter-patient"),
        default="kaggle",
        help="what to train and test on (default: kaggle)",
    )
    train.add_argument(
        "--preset",
        choices=("notebook", "kaggle", "kaggle-features", "inter-patient"),
        help="of make_ecg_pipeline (default: what suits the protocol)",
    )
    train.add_argument(
        "--form",
        choices=("kaggle", "window"),
        help="how to cut the beats of MIT-BIH: as Kaggle rows, or as windows around "
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
        "--features",
        type=_names,
        metavar="GROUPS",
        help="groups of features, with commas between them, or none (default: "
        "rr,morphology for records, none otherwise)",
    )
    train.add_argument(
        "--rhythm",
        action="store_true",
        help="train a ShapeRhythmClassifier, which also knows the record so far",
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
        "--output", "-o", type=Path, metavar="DIR", help="default: runs/PROTOCOL"
    )
    _output_options(train)


def _add_predict(commands):
    predict = _command(commands, "predict", "classify new beats", _PREDICT_EXAMPLES)
    predict.add_argument("model", type=Path, help="model.ecgsk of a training")
    predict.add_argument("input", type=Path, help="CSV file, or WFDB record")
    predict.add_argument(
        "--beats",
        default="atr",
        metavar="ANNOTATOR",
        help="annotation file of the record that marks the beats (default: atr)",
    )
    predict.add_argument(
        "--annotator",
        metavar="NAME",
        help="write the classes as annotation file NAME beside the record",
    )
    _channel(predict)
    predict.add_argument(
        "--output", "-o", type=Path, metavar="CSV", help="default: standard output"
    )
    _output_options(predict)


def _labelled_beats(parser):
    parser.add_argument("model", type=Path, help="model.ecgsk of a training")
    parser.add_argument(
        "--data",
        metavar="WHERE",
        help="folder of WFDB records, CSV file, or simulated (default: MIT-BIH in "
        "$ECG_SKLEARN_DATA or ~/ecg_sklearn_data)",
    )
    parser.add_argument(
        "--subset",
        choices=("all", "train", "test", "ds1", "ds2"),
        help="which beats of MIT-BIH (default: test for models of the protocol "
        "kaggle, ds2 for inter-patient)",
    )
    _channel(parser)
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


def _channel(parser):
    parser.add_argument(
        "--channel",
        type=_literal,
        help="signal of the records, by name or position (default: as in training)",
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
        default=0.1,
        metavar="FRACTION",
        help="part of the training beats held out, before SMOTE, to validate on; "
        "whole records with inter-patient; 0 for none (default: 0.1)",
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
