r"""Build the shipped models from the records, or compare them with the package's.

    python benchmarks/make_models.py --data mitdb/ --svdb svdb/             # compare
    python benchmarks/make_models.py --data mitdb/ --svdb svdb/ --write     # replace
    python benchmarks/make_models.py --cards      # write new scores into the cards
    python benchmarks/make_models.py --data mitdb/ --svdb svdb/ \
        --training ds1+svdb --folder FOLDER       # models for which DS2 is new

The models are fitted to all records of the MIT-BIH Arrhythmia Database but the four
paced ones, and of the Supraventricular Arrhythmia Database: 122 records, classes N S V
F, seed 0. The scores of the cards are those that ``bench_shipped.py`` and
``bench_analysis.py`` have written into ``results/shipped_*.json`` and
``results/counts_ds2.json``. ``--cards`` leaves the weights as they are, bit by bit, and
fails if they would change. The comparison prints the largest difference of two
probabilities on simulated recordings; the exit status is 1 if it is above 0.001.
With ``--training``, some records are left out, for scores on them, and the models go
to files such as ``FOLDER/ds1_svdb_causal.ecgsk``.
"""

import hashlib
import io
import json
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
from _common import Stopwatch, make_parser
from _shipped import GROUPS, shipped

from ecg_sklearn import models, save
from ecg_sklearn.aami import DS2, PACED_RECORDS
from ecg_sklearn.datasets import cut_beats, load_wfdb_beats, make_recording
from ecg_sklearn.persistence import _pack
from ecg_sklearn.utils._estimators import estimators_in
from ecg_sklearn.utils._untrusted import text_of

CUT = {
    "channel": ["MLII", "V5", "ECG1"],
    "window": (-0.4, 0.5),
    "sampling_rate": 120.0,
    "align": "peak",
}
SEEN = {
    "causal": "the beat, the next one and what was before it",
    "offline": "the whole recording",
}
CITATIONS = [
    "G. B. Moody, R. G. Mark, The impact of the MIT-BIH Arrhythmia Database, IEEE "
    "Engineering in Medicine and Biology 20(3), 2001.",
    "S. D. Greenwald, R. S. Patil, R. G. Mark, Improved detection and classification "
    "of arrhythmias in noise-corrupted electrocardiograms using contextual "
    "information, Computers in Cardiology, 1990.",
    "A. L. Goldberger et al., PhysioBank, PhysioToolkit, and PhysioNet, Circulation "
    "101(23), 2000.",
]
RESULTS = Path(__file__).parent / "results"
FOLDER = Path(models.__file__).parent / "weights"
LEFT_OUT = {
    "mitdb+svdb": PACED_RECORDS,
    "ds1+svdb": (*PACED_RECORDS, *DS2),
    "mitdb": PACED_RECORDS,
}


def fit(mode, data, svdb, training):
    """Fit a model to its records; return it and the names of the records."""
    folders = [data, svdb] if training.endswith("svdb") else [data]
    beats = load_wfdb_beats(folders, features=list(GROUPS[mode]), **CUT)
    names = np.array([group.split("/")[-1] for group in beats.groups])
    rows = np.flatnonzero((beats.target < 4) & ~np.isin(names, LEFT_OUT[training]))
    X, y = beats.frame.iloc[rows], beats.target[rows]
    model = shipped(mode, 0).fit(X, y, groups=names[rows])
    return slim(model), sorted(set(names[rows].tolist()))


def slim(model):
    """Clear what trees do not need to predict, and round what they say of a beat."""
    for tree in (part.tree_ for part in estimators_in(model) if hasattr(part, "tree_")):
        state = tree.__getstate__()
        nodes, values = state["nodes"], state["values"]
        for name in ("impurity", "n_node_samples", "weighted_n_node_samples"):
            nodes[name] = 0
        nodes["threshold"] = nodes["threshold"].astype(np.float32)
        values[nodes["left_child"] != -1] = 0
        state["values"] = values.round(3)
        tree.__setstate__(state)
    return model


def card(mode, model, records):
    """Make the card of a model."""
    return {
        "name": f"ecg_sklearn {mode}",
        "mode": mode,
        "description": f"Extremely randomised trees that see {SEEN[mode]} in one lead, "
        "without labels. They tell normal (N), supraventricular ectopic (S), "
        "ventricular ectopic (V) and fusion beats (F) of adults in long recordings. "
        f"They were fitted to {len(records)} half hours of as many recordings of the "
        "MIT-BIH Arrhythmia and Supraventricular Arrhythmia Databases.",
        "limits": [
            "Supraventricular beats are found far less surely than ventricular ones, "
            "and in atrial fibrillation many normal beats are taken for them.",
            "Fusion beats are hardly ever found: nearly all that the databases have "
            "are of two patients.",
            "Paced beats were not learned, and no recording of a child, or of less "
            "than half an hour.",
            *other_seeds(mode),
        ],
        "training_records": records,
        "scores": scores_of(mode),
        "counts": counts_of(mode),
        "risk": {str(risk): model.threshold(risk) for risk in (0.02, 0.05, 0.1)},
        "licence": "The weights were produced from databases that PhysioNet publishes "
        "under the Open Data Commons Attribution License 1.0 (ODC-By).",
        "citations": CITATIONS,
    }


def write(mode, model, records):
    """Replace a model of the package; tell its size."""
    path = FOLDER / f"{mode}.ecgsk"
    save(model, path, metadata={"training_records": records}, overwrite=True)
    write_card(mode)
    content = path.read_bytes()
    packed = len(zlib.compress(content, 9))
    print(f"{mode}: {len(content) / 1e6:.2f} MB, {packed / 1e6:.2f} MB in a wheel")


def write_card(mode):
    """Replace the card of a model of the package, and leave the rest as it is."""
    path = FOLDER / f"{mode}.ecgsk"
    digest = digest_of(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    records = models.model_card(mode)["training_records"]
    about = card(mode, models.load_model(mode), records)
    facts = json.loads(members["facts.json"])
    facts["metadata"] = about | {"weights_sha256": digest}
    # Not with save: the bytes between the fields of nodes would change.
    path.write_bytes(_pack(members | {"facts.json": text_of(facts)}))
    if digest_of(path) != digest or models.model_card(mode)["mode"] != mode:
        sys.exit(f"The weights of {mode!r} have changed. Get the file back with git.")
    print(f"{mode}: SHA-256 of the weights {digest}", flush=True)


def digest_of(path):
    """SHA-256 of all that a model file holds beside its card.

    Of arrays of records, such as the nodes of a tree, the fields count and not the
    bytes between them, which are others each time.
    """
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        for name in sorted(set(archive.namelist()) - {"facts.json"}):
            content = archive.read(name)
            if name.endswith(".npy"):
                array = np.load(io.BytesIO(content))
                fields = array.dtype.names or ()
                content = b"".join(array[f].tobytes() for f in fields) or content
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def scores_of(mode):
    """Scores of a mode in all files of bench_shipped, of marked and detected beats."""
    scores = {}
    for path in sorted(RESULTS.glob("shipped_*.json")):
        found = json.loads(path.read_text())["models"].get(f"shipped {mode}")
        if found is not None:
            place, [run] = path.stem.removeprefix("shipped_"), found["runs"]
            scores[place] = row_of(run, "marked")
            error = run["calibration error"]["calibrated"]["of all beats"]
            scores[place]["calibration_error"] = rounded(error)
            if "rejection" in run:
                scores[place]["not_sure"] = {
                    name.replace(" ", "_"): rounded(value)
                    for name, value in run["rejection"].items()
                }
            if "detected" in run:
                scores[f"{place}_detected"] = row_of(run["detected"], "detected")
    return scores


def other_seeds(mode):
    """Say what other seeds have on DS2, where bench_interpatient has measured them."""
    path = RESULTS / f"seeds_{mode}_ds2.json"
    found = json.loads(path.read_text())["models"][f"shipped {mode}"]
    f1 = [run["f1"]["S"] for run in found["runs"]]
    mean, spread = np.mean(f1), np.std(f1, ddof=1)
    return [
        "The scores on DS2 are those of one seed. F1 of S there is "
        f"{f1[0]:.2f} with it, and {mean:.2f} ± {spread:.2f} with {len(f1)} seeds."
    ]


def row_of(scores, beats):
    """Scores for the card, with their intervals."""
    interval = {
        name.removeprefix("F1 of "): rounded(edges)
        for name, edges in scores["interval"].items()
    }
    return {
        "beats": beats,
        "seeds": 1,
        **{key: rounded(scores[key]) for key in ("accuracy", "macro_f1")},
        "f1": {letter: rounded(scores["f1"][letter]) for letter in "NSVF"},
        "interval": interval,
    }


def counts_of(mode):
    """Compare the counts of the records of DS2 with the true ones; detected beats."""
    found = json.loads((RESULTS / "counts_ds2.json").read_text())["models"]
    found = found[f"ds1_svdb_{mode}"]
    counts = {}
    for burden in found["burden"]:
        ends = burden["agreement low"], burden["agreement high"]
        counts[burden["class"]] = {
            "records": burden["records"],
            "mean_absolute_error": rounded(burden["mean absolute error"]),
            "bias": rounded(burden["bias"]),
            "limits_of_agreement": rounded(ends),
            "interval_holds": rounded(burden["inside %"] / 100),
        }
    for event in found["events"]:
        group, kind = event["kind"].split()
        counts[group.lower()][kind] = {
            "true": event["true"],
            "sensitivity": rounded(event["Se %"] / 100),
            "positive_predictivity": rounded(event["+P %"] / 100),
        }
    return counts


def rounded(value):
    """Five digits behind the point."""
    return np.round(value, 5).tolist()


def difference(mode, model):
    """Largest difference to the model of the package, on simulated recordings."""
    packed, largest = models.load_model(mode), 0.0
    for seed in range(3):
        ecg = make_recording(600, ectopy={"V": 0.05, "S": 0.05}, random_state=seed)
        X = cut_beats(ecg.signal[:, 0], ecg.sampling_rate, ecg.sample, like=model)
        groups = np.zeros(len(X))
        found = [m.predict_proba(X, groups=groups) for m in (model, packed)]
        largest = max(largest, float(np.abs(found[0] - found[1]).max()))
    return largest


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--data", help="folder of the MIT-BIH records")
    parser.add_argument("--svdb", help="folder of the other database")
    parser.add_argument("--modes", nargs="+", default=list(GROUPS), choices=GROUPS)
    parser.add_argument("--training", choices=LEFT_OUT, default="mitdb+svdb")
    parser.add_argument("--folder", type=Path, help="write the models there instead")
    parser.add_argument("--write", action="store_true", help="replace the models")
    parser.add_argument("--cards", action="store_true", help="replace the cards alone")
    args = parser.parse_args()
    if args.cards:
        for mode in args.modes:
            write_card(mode)
        return 0
    if not args.data or not args.svdb:
        parser.error("Give --data and --svdb the folders of the databases.")
    if args.training != "mitdb+svdb" and not args.folder:
        parser.error("Give --folder: the models of the package know all records.")
    worst = 0.0
    for mode in args.modes:
        with Stopwatch() as watch:
            model, records = fit(mode, args.data, args.svdb, args.training)
        print(f"{mode}: {watch.cpu:.0f} s of processor", flush=True)
        if args.folder:
            name = f"{args.training.replace('+', '_')}_{mode}.ecgsk"
            args.folder.mkdir(parents=True, exist_ok=True)
            facts = {"mode": mode, "training_records": records}
            save(model, args.folder / name, metadata=facts, overwrite=True)
        elif args.write:
            write(mode, model, records)
        else:
            found = difference(mode, model)
            print(f"{mode}: probabilities differ by {found:.2g} at most", flush=True)
            worst = max(worst, found)
    return int(worst > 1e-3)


if __name__ == "__main__":
    sys.exit(main())
