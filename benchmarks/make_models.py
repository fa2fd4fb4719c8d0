"""Build the shipped models from the records, or compare them with those of the package.

    python benchmarks/make_models.py --data mitdb/ --svdb svdb/             # compare
    python benchmarks/make_models.py --data mitdb/ --svdb svdb/ --write     # replace
    python benchmarks/make_models.py --cards      # write new scores into the cards

The models are fitted to all records of the MIT-BIH Arrhythmia Database but the four
paced ones, and of the Supraventricular Arrhythmia Database: 122 records, classes N S V
F, seed 0. The scores of the cards are those that ``bench_interpatient.py`` has written
into ``results/shipped_*.json``. The comparison prints the largest difference of two
probabilities on simulated recordings; the exit status is 1 if it is above 0.001.
"""

import hashlib
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from _common import Stopwatch, make_parser
from _shipped import GROUPS, shipped

from ecg_sklearn import models, save
from ecg_sklearn.aami import PACED_RECORDS
from ecg_sklearn.datasets import cut_beats, load_wfdb_beats, make_recording
from ecg_sklearn.utils._estimators import estimators_in

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


def fit(mode, data, svdb):
    """Fit a model to all records; return it and the names of the records."""
    beats = load_wfdb_beats([data, svdb], features=list(GROUPS[mode]), **CUT)
    names = np.array([group.split("/")[-1] for group in beats.groups])
    rows = np.flatnonzero((beats.target < 4) & ~np.isin(names, PACED_RECORDS))
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
    scores = {
        path.stem.removeprefix("shipped_"): scores_of(path, f"shipped {mode}")
        for path in sorted(RESULTS.glob("shipped_*.json"))
    }
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
        ],
        "training_records": records,
        "scores": {name: found for name, found in scores.items() if found},
        "risk": {str(risk): model.threshold(risk) for risk in (0.02, 0.05, 0.1)},
        "licence": "The weights were produced from databases that PhysioNet publishes "
        "under the Open Data Commons Attribution License 1.0 (ODC-By).",
        "citations": CITATIONS,
    }


def write(mode, model, records):
    """Replace a model of the package; tell its size."""
    path = FOLDER / f"{mode}.ecgsk"
    save(model, path, metadata=card(mode, model, records), overwrite=True)
    content = path.read_bytes()
    packed = len(zlib.compress(content, 9))
    digest = hashlib.sha256(content).hexdigest()
    print(f"{mode}: {len(content) / 1e6:.2f} MB, {packed / 1e6:.2f} MB in a wheel")
    print(f"{mode}: SHA-256 {digest}", flush=True)


def scores_of(path, name):
    """Mean scores of a model in a file of bench_interpatient; None if it has not."""
    found = json.loads(path.read_text())["models"].get(name)
    if found is None:
        return None
    runs = found["runs"]
    mean = {
        key: round(float(np.mean([run[key] for run in runs])), 4)
        for key in ("accuracy", "macro_f1")
    }
    f1 = {
        letter: round(float(np.mean([run["f1"][letter] for run in runs])), 4)
        for letter in "NSVF"
    }
    return {"seeds": len(runs), **mean, "f1": f1}


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
    parser.add_argument("--write", action="store_true", help="replace the models")
    parser.add_argument("--cards", action="store_true", help="replace the cards alone")
    args = parser.parse_args()
    if args.cards:
        for mode in args.modes:
            records = models.model_card(mode)["training_records"]
            write(mode, models.load_model(mode), records)
        return 0
    if not args.data or not args.svdb:
        parser.error("Give --data and --svdb the folders of the databases.")
    worst = 0.0
    for mode in args.modes:
        with Stopwatch() as watch:
            model, records = fit(mode, args.data, args.svdb)
        print(f"{mode}: {watch.cpu:.0f} s of processor", flush=True)
        if args.write:
            write(mode, model, records)
        else:
            found = difference(mode, model)
            print(f"{mode}: probabilities differ by {found:.2g} at most", flush=True)
            worst = max(worst, found)
    return int(worst > 1e-3)


if __name__ == "__main__":
    sys.exit(main())
