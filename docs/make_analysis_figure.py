"""Take a picture of the page of a simulated recording, for the README.

python docs/make_analysis_figure.py    # writes docs/_static/analysis.png

It needs Chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

from ecg_sklearn.analysis import analyze_beats
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.io import Recording

HOURS = 24
ECTOPY = {"V": 0.012, "VV": 0.002, "S": 0.008, "VVVVV": 0.0006, "SSSSSS": 0.0012}
WIDTH, HEIGHT = 1280, 1390

end = 3600.0 * HOURS
ecg = make_recording(
    end,
    ectopy=ECTOPY,
    events=[(0.31 * end, 9 * "V"), (0.62 * end, "N---N")],
    afib=[(0.70 * end, 0.74 * end)],
    unreadable=[
        (0.18 * end, 0.19 * end, "lead off"),
        (0.45 * end, 0.47 * end, "noise"),
    ],
    noise=0.008,
    random_state=5,
)
start = datetime(2026, 3, 2, 9, 14)
name = "Simulated recording"
recording = Recording(
    ecg.signal, ecg.sampling_rate, ecg.leads, start, name, ("mV",), "array"
)
analysis = analyze_beats(
    recording, ecg.sample, np.array(ecg.target_names)[ecg.target], unreadable=ecg.gaps
)
chromium = shutil.which("chromium") or shutil.which("chromium-browser")
if chromium is None:
    sys.exit("Chromium is not installed. Install it to take a picture of the page.")
picture = Path(__file__).parent / "_static" / "analysis.png"
with tempfile.TemporaryDirectory() as folder:
    page = analysis.to_html(Path(folder) / "page.html")
    subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}",
         "--virtual-time-budget=10000", page.as_uri()],
        check=True, capture_output=True,
    )  # fmt: skip
with Image.open(picture) as colours:
    colours.convert("RGB").quantize(128).save(picture, optimize=True)
