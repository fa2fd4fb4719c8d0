"""
Ten beats of a patient
======================

A model has never met this patient. A technician labels ten beats that the model asks
for, and the model adapts to the patient.
"""

# %%
# A patient apart
# ---------------
# The beats carry features of the whole record. One record is the new patient.
import os

import numpy as np

from ecg_sklearn import make_record_ensemble
from ecg_sklearn.aami import DS1
from ecg_sklearn.datasets import load_wfdb_beats, make_heartbeats
from ecg_sklearn.ensemble import PatientClassifier
from ecg_sklearn.features import RECORD_GROUPS

features = list(RECORD_GROUPS)
if os.environ.get("ECG_SKLEARN_DATA"):
    beats = load_wfdb_beats(
        os.path.join(os.environ["ECG_SKLEARN_DATA"], "mitdb"),
        records=DS1,
        channel=["MLII", "V5"],
        align="peak",
        features=features,
    )
    patient = "209"
    mine = beats.groups == patient
    others = ~mine
else:
    beats = make_heartbeats(
        3000,
        n_records=10,
        weights=[0.7, 0.12, 0.12, 0.03, 0.03],
        features=features,
        random_state=4,
    )
    records = np.unique(beats.groups)
    mine = beats.groups == records[-1]
    others = np.isin(beats.groups, records[:2])  # a model that has met two patients
X, y = beats.data[mine], beats.target[mine]
print(np.sum(others), "beats of others,", len(y), "of the patient")

# %%
# Without labels of the patient
# -----------------------------
from sklearn.metrics import f1_score

model = PatientClassifier(make_record_ensemble(n_estimators=30, random_state=0))
model.fit(beats.data[others], beats.target[others], groups=beats.groups[others])
before = model.predict_proba(X)
labels = np.unique(y)
score = f1_score(y, before.argmax(axis=1), labels=labels, average="macro")
print(f"macro-F1 without labels: {score:.3f}")

# %%
# Ten beats to label
# ------------------
# Each of them resembles many beats whose class is in doubt. Here the labels are known;
# in a hospital, a person gives them.
rows = model.query(X, 10)
for row in rows:
    name, said = (beats.target_names[k] for k in (y[row], before[row].argmax()))
    print(f"beat {row:4d} is {name}; the model said {said} ({before[row].max():.2f})")

# %%
# With ten labels
# ---------------
model.adapt(X, y[rows], rows=rows)
after = model.predict_proba(X)
rest = np.setdiff1d(np.arange(len(y)), rows)  # the ten are not scored
for title, probability in (("before", before), ("after", after)):
    found = probability[rest].argmax(axis=1)
    score = f1_score(y[rest], found, labels=labels, average="macro")
    print(f"macro-F1 of the other beats, {title}: {score:.3f}")

# %%
# What has changed
# ----------------
# The beats are drawn by their RR interval and by the peak of their QRS complex.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), sharey=True, layout="constrained")
interval = X["rr_previous_to_median_17"]
for axis, title, probability in zip(
    axes, ("no labels", "ten labels"), (before, after), strict=True
):
    is_right = probability.argmax(axis=1) == y
    axis.scatter(
        interval[is_right],
        X["qrs_peak"][is_right],
        s=12,
        color="0.65",
        label="right",
    )
    axis.scatter(
        interval[~is_right],
        X["qrs_peak"][~is_right],
        s=22,
        color="tab:red",
        marker="x",
        label="wrong",
    )
    axis.set_title(f"{title}: {np.sum(~is_right)} of {len(y)} wrong")
    axis.set_xlabel("RR interval, log of the ratio to the median")
axes[1].scatter(
    interval.iloc[rows],
    X["qrs_peak"].iloc[rows],
    s=60,
    facecolors="none",
    edgecolors="tab:blue",
    label="labelled",
)
axes[0].set_ylabel("QRS peak, relative")
axes[1].legend()
plt.show()
