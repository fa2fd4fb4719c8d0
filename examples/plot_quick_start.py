"""
Quick start
===========

Beats go in, classes come out: one pipeline centres the beats, balances the classes,
turns beats into spectrograms and trains a small convolutional network on them. The
patients that it is tested on are not those that it was trained on.
"""

# %%
# Get beats
# ---------
# All sources of beats return the same kind of object: ``data`` with one beat per row,
# ``target`` with its class, ``groups`` with the record (the patient) that it is from.
import os

import numpy as np

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats

if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(download_if_missing=False)
    chosen = np.random.default_rng(0).permutation(len(beats.target))[:6000]
    for name in ("data", "target", "groups"):
        beats[name] = beats[name][chosen]
else:
    beats = make_heartbeats(
        3000, n_records=30, weights=[0.5, 0.12, 0.18, 0.08, 0.12], random_state=0
    )
print(beats.DESCR)

# %%
# Keep patients apart
# -------------------
# Beats of one patient look alike. If some are trained on and others tested on, the
# score measures memory. :func:`~ecg_sklearn.model_selection.record_train_test_split`
# moves whole records, and shares out the classes as evenly as they allow.
from ecg_sklearn.model_selection import record_train_test_split

X_train, X_test, y_train, y_test, records_train, records_test = record_train_test_split(
    beats.data,
    beats.target,
    groups=beats.groups,
    stratify=beats.target,
    random_state=0,
)
print(len(set(records_train)), "records to train on")
print(len(set(records_test)), "records to test on")

# %%
# Train
# -----
# :func:`~ecg_sklearn.pipeline.make_ecg_pipeline` returns a pipeline of imbalanced-learn
# with four named steps. SMOTE acts in ``fit`` alone.
from ecg_sklearn.pipeline import make_ecg_pipeline

pipe = make_ecg_pipeline(
    sampling_rate=beats.sampling_rate, epochs=5, random_state=0, filters=(16, 32, 64)
)
pipe.fit(X_train, y_train)

# %%
# How the training went: the learning rate rises and falls once, in one cycle.
from ecg_sklearn.plotting import TrainingHistoryDisplay

TrainingHistoryDisplay.from_estimator(pipe)

# %%
# Test
# ----
# Accuracy hides the rare classes; look at each of them: precision (positive
# predictivity) and recall (sensitivity).
from sklearn.metrics import classification_report

predicted = pipe.predict(X_test)
print(classification_report(y_test, predicted, target_names=beats.target_names))

# %%
# Each row of the confusion matrix is divided by the number of beats of its class, so
# that the diagonal is the sensitivity.
import matplotlib.pyplot as plt
from sklearn.metrics import ConfusionMatrixDisplay

# sphinx_gallery_thumbnail_number = 2
fig, ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test,
    predicted,
    normalize="true",
    display_labels=beats.target_names,
    values_format=".2f",
    cmap="Blues",
    im_kw={"vmin": 0, "vmax": 1},
    ax=ax,
)
ax.set_title(f"{len(y_test):,} beats of patients not trained on")

# %%
# Save
# ----
# The whole pipeline is one object, so that one file holds all that prediction needs.
# Unlike a pickle, this file runs no code when it is opened.
import tempfile
from pathlib import Path

import ecg_sklearn

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "model.ecgsk")
    ecg_sklearn.save(pipe, path)
    again = ecg_sklearn.load(path)
    print(f"{path.stat().st_size / 1e3:.0f} kB")
print((again.predict(X_test) == predicted).all())
