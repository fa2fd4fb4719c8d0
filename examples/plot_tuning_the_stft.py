"""
Tuning the STFT
===============

Short segments resolve time, long segments resolve frequency. The spectrogram is a step
of the pipeline, so a grid search can find the best segment length.
"""

# %%
# Beats, with the record of each
# ------------------------------
import os

import numpy as np

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats

if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(subset="ds1", download_if_missing=False)
    kept = np.flatnonzero(beats.target < 4)  # DS1 has but eight beats of class Q
    chosen = np.random.default_rng(0).permutation(kept)[:4000]
    X, y, records = (beats[name][chosen] for name in ("data", "target", "groups"))
else:
    beats = make_heartbeats(1500, n_records=24, noise=0.08, random_state=0)
    X, y, records = beats.data, beats.target, beats.groups

# %%
# What the segment length does to one beat
# ----------------------------------------
# The same ventricular beat, in segments of 8, 16 and 32 samples at 120 Hz. A segment of
# n samples lasts n / 120 s and tells apart frequencies that are about 120 / n Hz apart.
import matplotlib.pyplot as plt

from ecg_sklearn.preprocessing import SpectrogramTransformer

lengths = (8, 16, 32)
beat = X[np.flatnonzero(y == 2)[0]][None]
fig, axes = plt.subplots(
    1, 4, figsize=(11, 3.1), layout="constrained", width_ratios=[1, 1, 1, 1.15]
)
axes[0].plot(np.arange(X.shape[1]) / beats.sampling_rate, beat[0], color="0.1", lw=1.2)
axes[0].set(xlabel="Time (s)", ylabel="Amplitude (scaled)", title="One V beat")
for ax, nperseg in zip(axes[1:], lengths, strict=True):
    spectrogram = SpectrogramTransformer(nperseg=nperseg, normalize=None)
    image = spectrogram.fit_transform(beat)[0]
    mesh = ax.pcolormesh(
        spectrogram.times_, spectrogram.frequencies_, image, vmin=-60, vmax=-15
    )
    ax.set(xlabel="Time (s)", title=f"nperseg={nperseg}: {nperseg / 0.12:.0f} ms")
axes[1].set_ylabel("Frequency (Hz)")
for ax in axes:
    ax.set_xlim(0, X.shape[1] / beats.sampling_rate)
fig.colorbar(mesh, ax=axes[3], label="Power (dB)")

# %%
# The search
# ----------
# ``noverlap`` is given as a fraction of ``nperseg``, so that no pair of the grid is
# invalid. The folds keep records whole: without that, the search would prefer the
# setting that recognises patients best. Only training beats belong here; the test set
# is for the one setting that is chosen.
#
# The network is kept small, and SMOTE is left out, to be quick.
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold

from ecg_sklearn.pipeline import make_ecg_pipeline

pipe = make_ecg_pipeline(
    sampling_rate=beats.sampling_rate,
    sampler=None,
    random_state=0,
    filters=(16, 32, 64),
    dense_units=32,
    batch_size=32,
    epochs=8,
)
search = GridSearchCV(
    pipe,
    {"spectrogram__nperseg": lengths, "spectrogram__noverlap": [0.5, 0.75]},
    scoring="f1_macro",
    cv=StratifiedGroupKFold(3, shuffle=True, random_state=0),
    refit=False,
)
search.fit(X, y, groups=records)
print(search.best_params_)

# %%
# What it found
# -------------
# The spread over folds is a spread over patients. Where it is as large as the
# differences between settings, the cheaper setting is as good an answer.
results = search.cv_results_
mean = results["mean_test_score"].reshape(len(lengths), -1)
spread = results["std_test_score"].reshape(len(lengths), -1)
seconds = results["mean_fit_time"].reshape(len(lengths), -1)
fig, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
styles = [("#0072B2", "-", "o"), ("#D55E00", "--", "s")]
for column, (overlap, (color, line, marker)) in enumerate(
    zip((0.5, 0.75), styles, strict=True)
):
    ax.errorbar(
        np.arange(len(lengths)) + 0.06 * (column - 0.5),
        mean[:, column],
        spread[:, column],
        color=color,
        linestyle=line,
        marker=marker,
        capsize=3,
        label=f"noverlap={overlap}",
    )
ax.set_xticks(range(len(lengths)), [f"{n}\n{n / 0.12:.0f} ms" for n in lengths])
ax.set(
    xlabel="Segment: samples, duration",
    ylabel="Macro-F1, mean and s.d. of 3 folds",
    title="Record-wise cross-validation",
)
ax.grid(alpha=0.3, axis="y")
ax.spines[["top", "right"]].set_visible(False)
fig.legend(loc="outside lower center", ncols=2, frameon=False)

# %%
for row, nperseg in enumerate(lengths):
    for column, overlap in enumerate((0.5, 0.75)):
        print(
            f"nperseg={nperseg:<3} noverlap={overlap:<5}"
            f"macro-F1 {mean[row, column]:.3f} +- {spread[row, column]:.3f}  "
            f"{seconds[row, column]:.1f} s a fit"
        )
