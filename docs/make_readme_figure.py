"""Draw the figure of the README: one simulated beat of each class, its spectrogram.

python docs/make_readme_figure.py    # writes docs/_static/beats.png
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ecg_sklearn import SpectrogramTransformer
from ecg_sklearn.datasets import make_heartbeats

CLASSES = ("normal", "supraventricular", "ventricular", "fusion", "paced")

beats = make_heartbeats(300, n_records=12, form="window", noise=0.02, random_state=4)
rate = beats.sampling_rate
spectrogram = SpectrogramTransformer(sampling_rate=rate, nperseg=48)
images = spectrogram.fit_transform(beats.data)
seconds = np.arange(beats.data.shape[1]) / rate - 0.4
# The polarity of the lead differs from record to record: show upright beats.
upright = beats.data.max(axis=1) > -beats.data.min(axis=1)

fig, axes = plt.subplots(
    2, 5, figsize=(10, 3.8), sharex=True, sharey="row", layout="constrained"
)
for column, name in zip(axes.T, CLASSES, strict=True):
    label = CLASSES.index(name)
    row = np.flatnonzero((beats.target == label) & upright)[0]
    column[0].plot(seconds, beats.data[row], color="#1f4e79", linewidth=1.3)
    column[0].set_title(f"{beats.target_names[label]}: {name}", fontsize=10)
    column[0].grid(alpha=0.3)
    mesh = column[1].pcolormesh(
        spectrogram.times_ - 0.4,
        spectrogram.frequencies_,
        images[row],
        vmin=0,
        vmax=1,
        cmap="viridis",
        shading="nearest",
        rasterized=True,
    )
    column[1].set_xlabel("s from the R peak", fontsize=9)
    column[1].set_xlim(-0.4, 0.6)
axes[0, 0].set_ylabel("mV", fontsize=9)
axes[1, 0].set_ylabel("Hz", fontsize=9)
fig.colorbar(mesh, ax=axes[1], label="level, 0 to 1", pad=0.01)
fig.savefig(Path(__file__).parent / "_static" / "beats.png", dpi=110)
