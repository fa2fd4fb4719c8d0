"""
A notebook retold
=================

Many notebooks on the Kaggle "heartbeat" files have the same steps: load, balance with
SMOTE, make spectrograms, train a network, report its accuracy. This example follows
these steps. Where the usual step has a problem, it shows a better one next to it.

There are four problems, and none of them raises an error:

1. the network is validated on synthetic beats of the last classes alone;
2. a spectrogram of four frames has almost no resolution in time;
3. scaling each spectrogram by itself hides how strong it is;
4. the beats of each patient are on both sides of the split.
"""

# %%
# Load
# ----
# The official split was drawn beat by beat. The simulated beats are split that way too,
# and have the classes in about the proportions of the real ones.
import os

import numpy as np
from sklearn.model_selection import train_test_split

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats


def some(beats, n_beats):
    """Take a random, stratified part of some beats."""
    rows = np.arange(len(beats.target))
    rows, _ = train_test_split(
        rows, train_size=n_beats, stratify=beats.target, random_state=0
    )
    return beats.data[rows], beats.target[rows], beats.groups[rows]


if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(subset="train", download_if_missing=False)
    X_train, y_train, records_train = some(beats, 3000)
    beats = fetch_mitbih(subset="test", download_if_missing=False)
    X_test, y_test, records_test = some(beats, 3000)
else:
    beats = make_heartbeats(
        4500, n_records=8, weights=[0.7, 0.06, 0.12, 0.04, 0.08], random_state=3
    )
    X_train, X_test, y_train, y_test, records_train, records_test = train_test_split(
        beats.data, beats.target, beats.groups,
        test_size=0.5, stratify=beats.target, random_state=0,
    )  # fmt: skip
names = beats.target_names

# %%
# How many beats of each class
# ----------------------------
from ecg_sklearn.plotting import BeatsDisplay, ClassDistributionDisplay

ClassDistributionDisplay(
    {"training": np.bincount(y_train), "test": np.bincount(y_test)}, target_names=names
).plot()

# %%
# What the beats look like
# ------------------------
# A row starts at the R peak of its beat, runs past the next one, and is filled up with
# zeros. No wave is at the same place in all rows but the first.
BeatsDisplay.from_beats(
    X_train,
    y_train,
    sampling_rate=beats.sampling_rate,
    target_names=names,
    random_state=0,
)

# %%
# Balance with SMOTE, and what is validated on
# --------------------------------------------
# SMOTE appends its synthetic beats, class after class. Keras' ``validation_split=0.2``
# takes the last fifth of the rows, without shuffling. Together they validate on
# synthetic beats alone, of the last classes alone, which are made of the beats that the
# network trains on.
#
# The better way is to hold real beats out first, and to resample the others.
from imblearn.over_sampling import SMOTE

X_balanced, y_balanced = SMOTE(random_state=0).fit_resample(X_train, y_train)
first_of_last_fifth = int(0.8 * len(y_balanced))
X_fit, X_val, y_fit, y_val = train_test_split(
    X_train, y_train, test_size=0.2, stratify=y_train, random_state=0
)

import matplotlib.pyplot as plt

n_real = len(y_train)
validated = {
    "usual: last fifth of the rows behind SMOTE": y_balanced[first_of_last_fifth:],
    "better: a fifth of the real beats, before SMOTE": y_val,
}
n_synthetic = [len(y_balanced) - max(n_real, first_of_last_fifth), 0]
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), layout="constrained")
for ax, (title, labels), synthetic in zip(
    axes, validated.items(), n_synthetic, strict=True
):
    bars = ax.bar(names, np.bincount(labels, minlength=5), color="#0072B2")
    ax.bar_label(bars, fmt="{:,.0f}", fontsize=8, padding=1)
    ax.set(xlabel="Class", ylabel="Beats validated on")
    ax.set_title(f"{title}\n({synthetic:,} of {len(labels):,} are synthetic)", size=10)
    ax.spines[["top", "right"]].set_visible(False)

# %%
# Spectrograms
# ------------
# The usual way: segments of 64 samples every 32, each picture scaled to [0, 1] by
# itself. A beat of 187 samples gives four frames, and its last 27 samples none.
#
# The better way: segments of 16 samples every 4, padded at both ends, frequencies up to
# 42 Hz, and one scale for all beats, learned from the training beats.
from ecg_sklearn.preprocessing import SpectrogramTransformer

usual_stft = {
    "nperseg": 64,
    "noverlap": 32,
    "nfft": None,
    "boundary": None,
    "freq_range": None,
    "normalize": "sample",
}
usual = SpectrogramTransformer(**usual_stft).fit(X_train)
better = SpectrogramTransformer().fit(X_train)

# sphinx_gallery_thumbnail_number = 4
fig, axes = plt.subplots(3, 5, figsize=(11, 6.2), sharex=True, layout="constrained")
rng = np.random.default_rng(1)
for column, name in zip(axes.T, names, strict=True):
    of_class = np.flatnonzero(y_train == names.index(name))
    beat = X_train[rng.choice(of_class)][None]
    time = np.arange(beat.shape[1]) / beats.sampling_rate
    column[0].plot(time, beat[0], color="0.1", lw=1)
    column[0].set(title=name, ylim=(-0.05, 1.05))
    for ax, spectrogram in zip(column[1:], (usual, better), strict=True):
        mesh = ax.pcolormesh(
            spectrogram.times_,
            spectrogram.frequencies_,
            spectrogram.transform(beat)[0],
            vmin=0,
            vmax=1,
        )
        ax.set(ylim=(-2, 62))
    column[2].set(xlabel="Time (s)", xlim=(0, time[-1]))
for ax, label in zip(
    axes[:, 0],
    (
        "Beat (scaled)",
        "usual: 33 x 4\nFrequency (Hz)",
        "better: 12 x 47\nFrequency (Hz)",
    ),
    strict=True,
):
    ax.set_ylabel(label)
for ax in axes[:, 1:].flat:
    ax.tick_params(labelleft=False)
fig.colorbar(mesh, ax=axes[1:], label="Input of the network (0 to 1)", shrink=0.7)

# %%
# Train for ten epochs
# --------------------
# Both ways train the same network, by the same rules, and keep the weights of the epoch
# that validated best. The usual way is put together from its parts here, so that it can
# go wrong: standardised columns, SMOTE, spectrograms, and the last fifth of the rows.
from sklearn.preprocessing import StandardScaler

from ecg_sklearn.neural_network import SpectrogramCNNClassifier

network = {
    "filters": (16, 32, 64),
    "epochs": 10,
    "early_stopping": True,
    "patience": 10,
    "random_state": 0,
}
scaler = StandardScaler().fit(X_train)
X_balanced, y_balanced = SMOTE(random_state=0).fit_resample(
    scaler.transform(X_train), y_train
)
images = usual.fit_transform(X_balanced)
usual_cnn = SpectrogramCNNClassifier(**network)
usual_cnn.fit(
    images[:first_of_last_fifth],
    y_balanced[:first_of_last_fifth],
    X_val=images[first_of_last_fifth:],
    y_val=y_balanced[first_of_last_fifth:],
)

# %%
# The better way is one pipeline. With metadata routing on, it sends ``X_val`` through
# the scaler and the spectrogram, and never through SMOTE.
from sklearn import config_context

from ecg_sklearn.pipeline import make_ecg_pipeline

with config_context(enable_metadata_routing=True):
    pipe = make_ecg_pipeline(**network)
    pipe.fit(X_fit, y_fit, X_val=X_val, y_val=y_val)

# %%
# Curves
# ------
# On the left, the validation beats have only two classes, so the curve does not predict
# the test accuracy. On the right, it does.
fig, axes = plt.subplots(
    1, 2, figsize=(9.5, 3.4), sharey=True, sharex=True, layout="constrained"
)
predicted = {
    "usual": usual_cnn.predict(usual.transform(scaler.transform(X_test))),
    "better": pipe.predict(X_test),
}
for ax, name, cnn in zip(axes, predicted, (usual_cnn, pipe[-1]), strict=True):
    epochs = np.arange(1, cnn.n_epochs_ + 1)
    ax.plot(epochs, cnn.history_["accuracy"], "o-", color="#0072B2", label="training")
    ax.plot(
        epochs, cnn.history_["val_accuracy"], "s--", color="#D55E00", label="validation"
    )
    accuracy = (predicted[name] == y_test).mean()
    ax.axhline(accuracy, color="0.3", ls=":", label=f"test: {accuracy:.3f}")
    ax.set(xlabel="Epoch", title=name)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right" if name == "better" else "best")
axes[0].set_ylabel("Accuracy")

# %%
# Confusion matrices
# ------------------
from sklearn.metrics import ConfusionMatrixDisplay, f1_score

fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (name, labels) in zip(axes, predicted.items(), strict=True):
    ConfusionMatrixDisplay.from_predictions(
        y_test,
        labels,
        normalize="true",
        display_labels=names,
        values_format=".2f",
        cmap="Blues",
        im_kw={"vmin": 0, "vmax": 1},
        colorbar=False,
        ax=ax,
    )
    ax.set_title(f"{name}: macro-F1 {f1_score(y_test, labels, average='macro'):.3f}")

# %%
# Class by class
# --------------
# What is called the accuracy of a class in many notebooks is its sensitivity: of the
# beats of the class, the fraction that was found. It leaves out how many beats of other
# classes were taken for it, so the positive predictivity belongs beside it.
from sklearn.metrics import precision_recall_fscore_support

print("        sensitivity         pos. predictivity")
print("class   usual    better     usual    better")
table = [
    precision_recall_fscore_support(y_test, labels, zero_division=0)
    for labels in predicted.values()
]
for label, name in enumerate(names):
    print(
        f"{name:<7} {table[0][1][label]:.3f}    {table[1][1][label]:.3f}      "
        f"{table[0][0][label]:.3f}    {table[1][0][label]:.3f}"
    )

# %%
# The fourth mistake
# ------------------
# Both networks were tested on patients that they had trained on. The better one is
# trained again, on as many beats, but of half of the patients, and tested on the
# others.
print(len(set(records_train) & set(records_test)), "records on both sides so far")

X = np.concatenate([X_train, X_test])
y = np.concatenate([y_train, y_test])
records = np.concatenate([records_train, records_test])
met = np.isin(records, np.unique(records)[::2])
with config_context(enable_metadata_routing=True):
    pipe = make_ecg_pipeline(**network)
    X_fit, X_val, y_fit, y_val = train_test_split(
        X[met], y[met], test_size=0.2, stratify=y[met], random_state=0
    )
    pipe.fit(X_fit, y_fit, X_val=X_val, y_val=y_val)
for patients, truth, labels in [
    ("trained on", y_test, predicted["better"]),
    ("never met", y[~met], pipe.predict(X[~met])),
]:
    print(
        f"patients {patients:<11} accuracy {(labels == truth).mean():.3f}, "
        f"macro-F1 {f1_score(truth, labels, average='macro'):.3f}"
    )
