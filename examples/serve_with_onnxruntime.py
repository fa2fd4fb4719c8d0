"""
Serve beats with ONNX Runtime
=============================

A trained pipeline is exported as one file. The server needs neither TensorFlow nor
scikit-learn nor this package.

    pip install "ecg-sklearn[onnx]"
    python examples/serve_with_onnxruntime.py
"""

# %%
# Where the model is trained
# --------------------------

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

packages = ("onnx", "onnxruntime", "tf2onnx")
missing = [name for name in packages if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(f'{" and ".join(missing)} missing: pip install "ecg-sklearn[onnx]"')

import numpy as np

from ecg_sklearn import export, make_ecg_pipeline
from ecg_sklearn.datasets import make_heartbeats

train = make_heartbeats(1500, n_records=15, random_state=0)
labels = np.array(train.target_names)[train.target]
pipe = make_ecg_pipeline(filters=(16, 32, 64), epochs=4, random_state=0)
pipe.fit(train.data, labels)

folder = tempfile.TemporaryDirectory()
report = export(pipe, Path(folder.name, "beats.onnx"), X=train.data)
print(
    f"{report.path.name}: {report.n_bytes / 1e3:.0f} kB; probabilities of "
    f"{report.n_beats} beats within {report.max_difference:.1e} of the pipeline's"
)

# %%
# Where it answers
# ----------------
#
# This is the whole server, run in a process of its own. It reads float32 beats from its
# input and writes a line for each. The labels come with the file.

SERVER = """
import json, sys, time
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1])
facts = session.get_modelmeta().custom_metadata_map
classes = json.loads(facts["classes"])
size = 4 * json.loads(facts["n_columns"])
seconds = []
while len(beat := sys.stdin.buffer.read(size)) == size:
    start = time.perf_counter()
    beats = np.frombuffer(beat, dtype=np.float32)[None]
    [[row]] = session.run(["probabilities"], {"beats": beats})
    seconds.append(time.perf_counter() - start)
    print(classes[row.argmax()], f"{row.max():.3f}")
print(f"{1e3 * np.median(seconds):.2f} ms a beat", file=sys.stderr)
loaded = {"tensorflow", "keras", "sklearn", "ecg_sklearn"} & set(sys.modules)
print("loaded beside ONNX Runtime and NumPy:", loaded or "nothing", file=sys.stderr)
"""

test = make_heartbeats(200, n_records=5, random_state=1)
answer = subprocess.run(
    [sys.executable, "-c", SERVER, report.path],
    input=test.data.astype(np.float32).tobytes(),
    capture_output=True,
    check=True,
)
print(answer.stderr.decode(), end="")

# %%
# The same answers as of the pipeline.

served = np.array([line.split()[0] for line in answer.stdout.decode().splitlines()])
n_same = np.count_nonzero(served == pipe.predict(test.data))
print(f"{n_same} of {len(served)} classes as from the pipeline")
folder.cleanup()
