"""
What the network sees
=====================

Two methods show which part of a beat is evidence for its class: Grad-CAM uses the
gradients of the network, occlusion uses only its predictions.
"""

# %%
# A fitted pipeline
# -----------------
import os

import numpy as np

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats
from ecg_sklearn.model_selection import record_train_test_split
from ecg_sklearn.pipeline import make_ecg_pipeline

if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(subset="ds1", download_if_missing=False)
    kept = np.flatnonzero(beats.target < 4)  # DS1 has but eight beats of class Q
    chosen = np.random.default_rng(0).permutation(kept)[:6000]
    X, y, records = (beats[name][chosen] for name in ("data", "target", "groups"))
else:
    beats = make_heartbeats(2000, n_records=30, random_state=0)
    X, y, records = beats.data, beats.target, beats.groups

X_train, X_test, y_train, y_test, *_ = record_train_test_split(
    X, y, groups=records, stratify=y, random_state=0
)
pipe = make_ecg_pipeline(
    sampling_rate=beats.sampling_rate, sampler=None, epochs=8, batch_size=64,
    random_state=0,
)  # fmt: skip
pipe.fit(X_train, y_train)
predicted = pipe.predict(X_test)
print(f"accuracy on other patients: {(predicted == y_test).mean():.3f}")

# %%
# Grad-CAM of one beat
# --------------------
# The figure shows the evidence on the time-frequency plane, and its mean over the
# frequencies behind the beat. A row of the Kaggle form starts at the R peak, in the
# middle of the QRS complex, runs past the next R peak, and is padded with zeros.
from ecg_sklearn.inspection import BeatExplanationDisplay

ventricular = np.flatnonzero((y_test == 2) & (predicted == 2))
BeatExplanationDisplay.from_estimator(
    pipe, X_test[ventricular[0]], target_names=beats.target_names
)

# %%
# Occlusion of the same beat
# --------------------------
# A short segment of the beat is replaced by a straight line, and the probability of the
# class is predicted again. The decrease measures the importance of the segment. This
# works with any classifier. Agreement of both methods makes both more credible.
BeatExplanationDisplay.from_estimator(
    pipe,
    X_test[ventricular[0]],
    method="occlusion",
    target_names=beats.target_names,
)

# %%
# All beats of a class
# --------------------
# The mean over correctly classified beats shows where each class is recognised.
import matplotlib.pyplot as plt

from ecg_sklearn.inspection import grad_cam

labels = np.unique(predicted[predicted == y_test])
fig, axes = plt.subplots(
    1, len(labels), figsize=(2.3 * len(labels), 3), sharey=True, layout="constrained"
)
for ax, label in zip(axes, labels, strict=True):
    right = np.flatnonzero((y_test == label) & (predicted == label))[:100]
    found = grad_cam(pipe, X_test[right], class_=label)
    mesh = ax.pcolormesh(
        found.frame_times,
        found.frequencies,
        found.heatmap.mean(axis=0),
        cmap="cividis",
        vmin=0,
        vmax=1,
    )
    ax.set(xlabel="Time (s)", title=f"{beats.target_names[label]} ({len(right)} beats)")
axes[0].set_ylabel("Frequency (Hz)")
fig.colorbar(mesh, ax=axes, label="Evidence (0 to 1), mean")

# %%
# Does the map depend on the network?
# -----------------------------------
# Some maps show edges of the input and do not depend on training. As a check, the map
# is computed again for a network with random weights. It should differ [1]_.
#
# .. [1] J. Adebayo et al., "Sanity checks for saliency maps", NeurIPS, 2018.
from sklearn.base import clone

untrained = clone(pipe[-1]).initialize(pipe[:-1].transform(X_train), y_train)
some = X_test[ventricular[:50]]
trained_map = grad_cam(pipe, some, class_=2).heatmap
untrained_map = grad_cam(untrained, pipe[:-1].transform(some), class_=2).heatmap
correlation = [
    np.corrcoef(first.ravel(), second.ravel())[0, 1]
    for first, second in zip(trained_map, untrained_map, strict=True)
    if second.any()
]
print(
    "correlation of the maps of the trained and the untrained network: "
    f"{np.mean(correlation):.2f}"
)
