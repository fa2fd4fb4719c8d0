"""Options that several commands share, and the types of their values."""

import argparse
import ast
from pathlib import Path


def labelled_beats(parser):
    """Add the options of a model and the beats to score it on."""
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
    records_options(parser)
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


def recording_options(parser):
    """Add the options of a recording that comes off a device."""
    parser.add_argument(
        "--annotator",
        metavar="NAME",
        help="write the classes as annotation file NAME beside the record",
    )
    _lead(parser)
    parser.add_argument(
        "--rate",
        type=float,
        metavar="HZ",
        help="samples per second, for files that do not say it",
    )
    parser.add_argument(
        "--unit",
        type=_literal,
        help="of the samples, for files that do not say it: V, mV, uV, or the mV of "
        "one step (default: mV)",
    )


def escape_option(parser):
    """Add the choice between the two mappings of escape beats."""
    parser.add_argument(
        "--escape",
        choices=("N", "S"),
        default="N",
        help="class of escape beats (e, j): N as in the protocols, or S as in EC57 "
        "and bxb (default: N)",
    )


def records_options(parser):
    """Add the options of annotated records."""
    parser.add_argument(
        "--records",
        type=names,
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


def training_options(parser, *, epochs):
    """Add the options of a training."""
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


def output_options(parser, *, overwrite=True):
    """Add the options of the output and of messages."""
    if overwrite:
        parser.add_argument(
            "--overwrite", action="store_true", help="replace output that exists"
        )
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress")
    parser.add_argument(
        "--traceback", action="store_true", help="show where an error came from"
    )


def names(text):
    """Split names at commas; "none" means no names."""
    return [] if text == "none" else [name.strip() for name in text.split(",")]


def _lead_of(text):
    """Convert a lead to a position, a name, or several names."""
    if text.isdecimal():
        return int(text)
    return names(text) if "," in text else text


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
