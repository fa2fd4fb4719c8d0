"""
Patients apart
==============

The same classifier on the same beats gets two scores: one for folds of shuffled beats
and one for folds of whole records. The difference is memory of patients, which does not
help with new patients.
"""

# %%
# Beats of a few patients
# -----------------------
# A record is one patient, with its own morphology, axis and heart rate.
import os

import numpy as np

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats

if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(download_if_missing=False)
    # The paced beats, which are nearly all of class Q, come from four records.
    kept = np.flatnonzero(beats.target < 4)
    chosen = np.random.default_rng(0).permutation(kept)[:6000]
    X, y, records = (beats[name][chosen] for name in ("data", "target", "groups"))
else:
    beats = make_heartbeats(2400, n_records=8, random_state=3)
    X, y, records = beats.data, beats.target, beats.groups
print(len(y), "beats of", len(set(records)), "records")

# %%
# Two ways to make folds
# ----------------------
# :class:`~sklearn.model_selection.StratifiedKFold` shuffles beats: each record is on
# both sides of each split. :class:`~sklearn.model_selection.StratifiedGroupKFold` moves
# whole records, and keeps the classes as even as the records allow.
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

by_beat = StratifiedKFold(4, shuffle=True, random_state=0)
by_record = StratifiedGroupKFold(4, shuffle=True, random_state=0)
folds = {
    "beats shuffled": list(by_beat.split(X, y)),
    "patients apart": list(by_record.split(X, y, groups=records)),
}

# %%
# :func:`~ecg_sklearn.model_selection.check_no_leakage` says which records are on both
# sides. By default it raises an error; here it returns what it found.
from ecg_sklearn.model_selection import check_no_leakage

for name, splits in folds.items():
    shared = [
        len(check_no_leakage(records[train], records[test], on_leak="return").records)
        for train, test in splits
    ]
    print(f"{name}: records on both sides of each fold: {shared}")

# %%
# One classifier, two scores
# --------------------------
# Everything that learns is inside the pipeline, the scaler and the limits of the
# spectrogram too, so that each fold learns them from its own training beats.
from sklearn.model_selection import cross_val_predict

from ecg_sklearn.pipeline import make_ecg_pipeline

pipe = make_ecg_pipeline(
    sampling_rate=beats.sampling_rate,
    sampler=None,
    random_state=0,
    filters=(16, 32, 64),
    batch_size=64,
    epochs=8,
)
predicted = {
    name: cross_val_predict(pipe, X, y, cv=splits) for name, splits in folds.items()
}

# %%
from sklearn.metrics import accuracy_score, f1_score

for name, found in predicted.items():
    print(
        f"{name}: accuracy {accuracy_score(y, found):.3f}, "
        f"macro-F1 {f1_score(y, found, average='macro'):.3f}"
    )

# %%
# Record by record
# ----------------
# Each dot is a record. With patients apart, some records are classified as well as
# before and some are not. An average over beats hides this variation between patients,
# and an interval from resampled beats does not include it.
import matplotlib.pyplot as plt

names = np.unique(records)
accuracy = {
    name: np.array([(found == y)[records == record].mean() for record in names])
    for name, found in predicted.items()
}
order = np.argsort(accuracy["patients apart"])
fig, ax = plt.subplots(figsize=(max(6.4, 0.22 * len(names)), 3.8), layout="constrained")
place = np.arange(len(names))
ax.vlines(
    place,
    accuracy["patients apart"][order],
    accuracy["beats shuffled"][order],
    color="0.75",
    lw=2,
    zorder=1,
)
for (name, values), (color, marker) in zip(
    accuracy.items(), [("#0072B2", "o"), ("#D55E00", "s")], strict=True
):
    ax.scatter(place, values[order], color=color, marker=marker, label=name, s=30)
ax.set_xticks(place, names[order], rotation=90, fontsize=8)
ax.set(
    xlabel="Record",
    ylabel="Accuracy (fraction of beats)",
    title="What shuffling beats hides",
)
ax.grid(alpha=0.3, axis="y")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower right")

# %%
# Confidence intervals
# --------------------
# :func:`~ecg_sklearn.metrics.bootstrap_ci` draws records with ``groups``, and beats
# without. The second interval is narrower, because it is only for other beats of the
# same patients.
from ecg_sklearn.metrics import bootstrap_ci

found = predicted["patients apart"]
print("records drawn:", bootstrap_ci(accuracy_score, y, found, groups=records))
print("beats drawn:  ", bootstrap_ci(accuracy_score, y, found))

# %%
# Training patients and test patients
# -----------------------------------
# The usual protocol on MIT-BIH [1]_ is one split: train on the 22 records of DS1, test
# on the 22 of DS2. :class:`~ecg_sklearn.model_selection.InterPatientSplit` is this
# split, for all that takes a ``cv``. The simulated records are halved instead.
#
# .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of heartbeats
#    using ECG morphology and heartbeat interval features", IEEE Transactions on
#    Biomedical Engineering 51(7), 2004.
from ecg_sklearn.aami import DS1, DS2
from ecg_sklearn.metrics import aami_report
from ecg_sklearn.model_selection import InterPatientSplit

if set(DS1 + DS2) & set(names):
    protocol = InterPatientSplit()
else:
    protocol = InterPatientSplit(train_records=names[::2], test_records=names[1::2])
[(train, test)] = protocol.split(X, y, groups=records)
pipe.fit(X[train], y[train])
print(aami_report(y[test], pipe.predict(X[test]), records[test]))
