"""
Other classifiers after the same spectrogram
============================================

With ``flatten=True`` the spectrogram is a table for any classifier of scikit-learn.
These classifiers train in seconds and are a baseline for a network.
"""

# %%
# Beats
# -----
import os

import numpy as np

from ecg_sklearn.datasets import fetch_mitbih, make_heartbeats

if os.environ.get("ECG_SKLEARN_DATA"):
    beats = fetch_mitbih(subset="ds1", download_if_missing=False)
    kept = np.flatnonzero(beats.target < 4)
    chosen = np.random.default_rng(0).permutation(kept)[:4000]
    X, y, records = (beats[name][chosen] for name in ("data", "target", "groups"))
else:
    beats = make_heartbeats(1500, n_records=30, random_state=0)
    X, y, records = beats.data, beats.target, beats.groups

# %%
# The candidates
# --------------
# Each classifier is trained on the samples and on the spectrogram. The spectrogram does
# not depend on the polarity of a beat, which a linear function of the samples does.
import time

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from ecg_sklearn.preprocessing import SpectrogramTransformer

spectrogram = SpectrogramTransformer(
    sampling_rate=beats.sampling_rate, noverlap=0.5, flatten=True
)
linear = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced")
trees = HistGradientBoostingClassifier(
    max_iter=25, max_leaf_nodes=8, learning_rate=0.25, random_state=0
)
candidates = {
    "logistic regression,\nsamples": linear,
    "logistic regression,\nspectrogram": make_pipeline(spectrogram, linear),
    "gradient boosting,\nsamples": trees,
    "gradient boosting,\nspectrogram": make_pipeline(spectrogram, trees),
}
folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
scores, seconds = {}, {}
for name, model in candidates.items():
    start = time.perf_counter()
    scores[name] = cross_val_score(
        model, X, y, groups=records, cv=folds, scoring="f1_macro"
    )
    seconds[name] = time.perf_counter() - start
    line = name.replace("\n", " ")
    print(f"{line:<36}{scores[name].mean():.3f}   {seconds[name]:.1f} s")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
place = np.arange(len(scores))[::-1]
colors = ["#56B4E9" if "samples" in name else "#0072B2" for name in scores]
hatches = ["//" if "samples" in name else "" for name in scores]
ax.barh(
    place,
    [values.mean() for values in scores.values()],
    color=colors,
    hatch=hatches,
    edgecolor="white",
)
for row, values in zip(place, scores.values(), strict=True):
    ax.plot(values, [row] * len(values), "o", color="black", ms=4)
ax.set_yticks(place, scores)
ax.set(
    xlim=(0, 1), xlabel="Macro-F1: mean (bar) and the three record-wise folds (dots)"
)
ax.spines[["top", "right"]].set_visible(False)

# %%
# What a linear classifier weighs
# -------------------------------
# Its coefficients have a place on the time-frequency plane. The columns of the table
# are named after it.
model = candidates["logistic regression,\nspectrogram"].fit(X, y)
fitted = model[0]
print(fitted.get_feature_names_out()[:3])
shape = len(fitted.frequencies_), len(fitted.times_)
labels = model[-1].classes_
coefficients = model[-1].coef_.reshape(len(labels), *shape)
limit = np.abs(coefficients).max()
fig, axes = plt.subplots(
    1, len(labels), figsize=(2.3 * len(labels), 3), sharey=True, layout="constrained"
)
for ax, image, label in zip(axes, coefficients, labels, strict=True):
    mesh = ax.pcolormesh(
        fitted.times_,
        fitted.frequencies_,
        image,
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
    )
    ax.set(xlabel="Time (s)", title=beats.target_names[label])
axes[0].set_ylabel("Frequency (Hz)")
fig.colorbar(mesh, ax=axes, label="Weight (per unit of the\nscaled spectrogram)")

# %%
# A search over everything
# ------------------------
# Steps are parameters too: the classifier, or the scale of the spectrogram, can be part
# of a grid.
from sklearn.model_selection import GridSearchCV

search = GridSearchCV(
    model,
    {"spectrogramtransformer__normalize": ["global", "frequency", "sample"]},
    scoring="f1_macro",
    cv=folds,
)
search.fit(X, y, groups=records)
for params, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(f"normalize={params['spectrogramtransformer__normalize']!r:<12} {score:.3f}")
