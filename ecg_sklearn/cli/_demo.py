"""The command ``demo``."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_sklearn.analysis import analyze
from ecg_sklearn.cli._train import train
from ecg_sklearn.datasets import make_recording
from ecg_sklearn.io import read_recording

_SEED = 0
_RECORDING = {
    "duration": 600.0,
    "sampling_rate": 250.0,
    "ectopy": {"V": 0.02, "S": 0.02},
    "events": [
        (60.0, "VV"),
        (150.0, "VVVVV"),
        (240.0, "VNVNVNV"),
        (330.0, "SSSS"),
        (390.0, "--"),
    ],
    "unreadable": [(450.0, 480.0, "noise"), (560.0, 575.0, "lead off")],
}


def demo(*, output, **options):
    """Train on simulated beats, patients apart; analyse a simulated recording."""
    train(
        data=["simulated"],
        test_data=None,
        records=None,
        annotator="atr",
        lead=None,
        align="peak",
        protocol="inter-patient",
        form="kaggle",
        window=None,
        features=[],
        kind="network",
        preset=None,
        output=output,
        **options,
    )
    print("These beats are simulated: the scores say nothing about real patients.\n")
    _analyse(Path(output))


def _analyse(folder):
    """Simulate a recording, analyse it with the shipped model, and write its page."""
    simulated = make_recording(**_RECORDING, random_state=_SEED)
    file, page = folder / "recording.csv", folder / "recording.html"
    signal = simulated.signal[:, 0]
    start = pd.Timestamp(datetime(2026, 1, 5, 8, 30))
    seconds = np.arange(len(signal)) / simulated.sampling_rate
    clock = start + pd.to_timedelta(seconds, unit="s")
    table = pd.DataFrame({"time": clock.strftime("%Y-%m-%d %H:%M:%S.%f")})
    table[f"{simulated.leads[0]} (mV)"] = signal.round(4)
    table.to_csv(file, index=False)
    found = analyze(read_recording(file))
    found.to_html(page)
    print(f"{file.name}, ten simulated minutes, and the model {found.model['name']}:")
    for sentence in found.findings:
        print(f"- {sentence}")
    for name, symbol in {"veb": "V", "sveb": "A"}.items():
        true = np.count_nonzero(simulated.symbols == symbol)
        count = found.summary.at[f"{name}_count", "value"]
        print(f"{name.upper()}: {true} were simulated, {count:.0f} counted.")
    print(f"Open {page}. The same: ecg-sklearn analyze {file} -o page.html")
