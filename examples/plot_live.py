"""
A live stream
=============

A monitor gets its samples piece by piece. A
:class:`~ecg_sklearn.analysis.StreamAnalyzer` takes them as they come, and returns each
beat with its class as soon as the next beat is known. Its answers are those for the
whole file.
"""

# %%
# A causal model
# --------------
# A stream has no future: the model uses the features of
# :data:`~ecg_sklearn.features.CAUSAL_GROUPS`, and windows around the beats.
import numpy as np

from ecg_sklearn import make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats, make_recording
from ecg_sklearn.features import CAUSAL_GROUPS

beats = make_heartbeats(
    1500, form="window", features=list(CAUSAL_GROUPS), random_state=0
)
model = make_ecg_pipeline(
    preset="inter-patient",
    sampling_rate=beats.sampling_rate,
    filters=(16, 32),
    epochs=4,
    random_state=0,
)
model.fit(beats.data, beats.target)

# %%
# The stream
# ----------
# A simulated patient stands in for the device: 30 seconds, with ventricular beats and
# a loose electrode. Each call brings half a second, and gives a table with no row, or
# with one or two.
from ecg_sklearn.analysis import StreamAnalyzer

RATE, STEP = 250, 125
patient = make_recording(
    30,
    sampling_rate=RATE,
    events=[(4, "V"), (9, "VV"), (21, "VNVNV")],
    unreadable=[(14, 17, "gap")],
    random_state=1,
)
lead = patient.signal[:, 0]
analyzer = StreamAnalyzer(model, sampling_rate=RATE)
print(analyzer.push(lead[: 4 * RATE]))

# %%
# Drawing
# -------
# The last ten seconds, and a letter above each beat. The picture moves when this file
# is run as a program with a screen: ``python examples/plot_live.py``.
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation

SHOWN = 10  # s
COLOURS = {"N": "tab:green", "S": "tab:orange", "V": "tab:red"}
shown = np.full(SHOWN * RATE, np.nan)
seconds = np.arange(-len(shown), 0) / RATE

figure, ax = plt.subplots(figsize=(9, 3), layout="constrained")
(line,) = ax.plot(seconds, shown, color="black", linewidth=0.8)
ax.set(xlim=(-SHOWN, 0), ylim=(-2, 3), xlabel="Time before now (s)")
ax.set(ylabel="Amplitude (mV)", title="Lead II, live")
letters = []


def draw(frame):
    """Take the next half second, and draw."""
    block = lead[frame * STEP : (frame + 1) * STEP]
    shown[:] = np.concatenate([shown[len(block) :], block])
    line.set_ydata(shown)
    for letter in letters:
        letter.set_x(letter.get_position()[0] - len(block) / RATE)
    for beat in analyzer.push(block).itertuples():
        place = (beat.sample - analyzer.n_times) / RATE
        colour = COLOURS.get(beat[3], "tab:blue")  # the column "class"
        letters.append(ax.text(place, 2.4, beat[3], color=colour, ha="center"))
    while letters and letters[0].get_position()[0] < -SHOWN:
        letters.pop(0).remove()
    return [line, *letters]


analyzer = StreamAnalyzer(model, sampling_rate=RATE)
frames = range(len(lead) // STEP)
if plt.get_backend().lower() == "agg":  # no screen: only the last frame
    for frame in frames:
        draw(frame)
else:
    moving = FuncAnimation(figure, draw, frames, interval=500, repeat=False)
plt.show()

# %%
# The gap has no beats, and those whose window it touches are left out.
# ``finish`` returns the last beat, which has waited for another one.
last = analyzer.finish()
print(f"{analyzer.n_beats} beats, {analyzer.n_left_out} of them left out")
