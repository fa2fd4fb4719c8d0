"""
Augmentation of beats
=====================

A database holds many beats of few patients. ``BeatAugmenter`` adds copies of the
training beats that are stretched, shifted and scaled, with baseline wander.
"""

# %%
# One beat and its copies
# -----------------------
# Windows from -0.4 to 0.6 s around each beat. ``center`` is the position of the beat in
# the window, which stretching does not change.

import matplotlib.pyplot as plt
import numpy as np

from ecg_sklearn import BeatAugmenter, make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

beats = make_heartbeats(
    2000,
    n_records=24,
    weights=[0.72, 0.08, 0.12, 0.04, 0.04],
    form="window",
    random_state=0,
)
augmenter = BeatAugmenter(
    n_copies=6, sampling_rate=beats.sampling_rate, center=0.4, random_state=0
)
one_of_each = [np.flatnonzero(beats.target == label)[0] for label in (0, 2)]
X, y = beats.data[one_of_each], beats.target[one_of_each]
X_more, y_more = augmenter.fit_resample(X, y)

seconds = np.arange(X.shape[1]) / beats.sampling_rate - 0.4
fig, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True, layout="constrained")
for ax, label in zip(axes, (0, 2), strict=True):
    beat, *copies = X_more[y_more == label]
    ax.plot(seconds, np.transpose(copies), color="tab:blue", alpha=0.45, linewidth=1)
    ax.plot(seconds, beat, color="black", linewidth=2)
    ax.set_title(f"{beats.target_names[label]}: the beat, and six copies")
    ax.set_xlabel("Time from the beat (s)")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("Amplitude (mV)")

# %%
# What the network sees of them
# -----------------------------
# Stretching moves power between the frequencies, shifting moves it in time, and gain
# changes its level.

spectrogram = make_ecg_pipeline(sampling_rate=beats.sampling_rate)["spectrogram"]
images = spectrogram.fit(beats.data).transform(X_more[y_more == 2])
fig, axes = plt.subplots(1, 4, figsize=(9, 2.6), sharey=True, layout="constrained")
for number, (ax, image) in enumerate(zip(axes, images, strict=False)):
    mesh = ax.pcolormesh(
        spectrogram.times_ - 0.4, spectrogram.frequencies_, image, vmin=0, vmax=1
    )
    ax.set_title("A ventricular beat" if number == 0 else f"Copy {number}")
    ax.set_xlabel("Time (s)")
axes[0].set_ylabel("Frequency (Hz)")
fig.colorbar(mesh, ax=axes, label="Level (0 to 1)")

# %%
# In the pipeline
# ---------------
# The copies are made before the scaler, only in training. The number of copies is a
# parameter that a search can tune.

pipe = make_ecg_pipeline(
    sampling_rate=beats.sampling_rate,
    augmenter=augmenter.set_params(n_copies=2),
    sampler=None,
    filters=(8, 16),
    epochs=2,
    random_state=0,
)
pipe.fit(beats.data, beats.target)
print(f"{len(beats.data)} beats, {pipe['scaler'].n_samples_seen_:.0f} to learn from")
print(f"{len(pipe.predict(beats.data))} predictions")

# %%
# ``ecg-sklearn train --protocol inter-patient --copies 3`` makes three copies of each
# beat; ``benchmarks/RESULTS.md`` lists the scores on new patients.
plt.show()
