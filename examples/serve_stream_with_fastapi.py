"""
Serve a stream with FastAPI
===========================

A small web service takes the samples of any number of devices block by block, and
answers with the new beats. It runs the shipped model "causal" as ONNX graph, and loads
no TensorFlow.

    pip install "ecg-sklearn[onnx]" fastapi uvicorn
    python examples/serve_stream_with_fastapi.py
"""

# %%
# What is needed
# --------------

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

packages = ("onnxruntime", "fastapi", "uvicorn")
missing = [name for name in packages if importlib.util.find_spec(name) is None]
if missing:
    sys.exit(
        f'{", ".join(missing)} missing: pip install "ecg-sklearn[onnx]" fastapi uvicorn'
    )

import numpy as np

from ecg_sklearn import load_model
from ecg_sklearn.datasets import cut_beats, make_recording
from ecg_sklearn.detection import detect_beats

# %%
# The service
# -----------
#
# This is all of it. ``POST /streams/NAME?rate=250`` takes a block of float32 samples in
# mV, and ``DELETE /streams/NAME`` ends the stream. Both return the new beats. A service
# for the public would also limit the number of streams and the size of blocks, and ask
# who sends them. For a model of your own, write a graph by
# :func:`ecg_sklearn.exporting.export`, and read it by
# :func:`ecg_sklearn.exporting.load_graph` in place of ``load_model``.

SERVICE = """
import sys, time
started = time.perf_counter()
import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from ecg_sklearn import load_model
from ecg_sklearn.analysis import StreamAnalyzer

graph = load_model("causal", format="onnx")
streams = {}
app = FastAPI()


@app.post("/streams/{name}")
async def push(name: str, request: Request, rate: float = 250.0):
    body = await request.body()
    if len(body) % 4:
        raise HTTPException(422, f"{len(body)} bytes are no float32 samples.")
    try:
        if name not in streams:
            streams[name] = StreamAnalyzer(graph, rate)
        new = streams[name].push(np.frombuffer(body, dtype="<f4"))
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return new.to_dict("records")


@app.delete("/streams/{name}")
async def finish(name: str):
    if name not in streams:
        raise HTTPException(404, f"There is no stream {name!r}.")
    return streams.pop(name).finish().to_dict("records")


@app.get("/about")
async def about():
    loaded = sorted({"tensorflow", "keras"} & set(sys.modules))
    return {"running_s": time.perf_counter() - started, "loaded": loaded}


uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""

# %%
# A device
# --------

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]


def ask(method, path, content=None):
    """Send a request; return the answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=content, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


lead = make_recording(60, ectopy={"V": 0.1}, random_state=1).signal[:, 0]
start = time.perf_counter()
service = subprocess.Popen(
    [sys.executable, "-c", SERVICE, str(port)],
    env=os.environ | {"OMP_NUM_THREADS": "1"},
)
try:
    while True:
        try:
            ask("GET", "/about")
            break
        except urllib.error.URLError:  # it is not there yet
            if service.poll() is not None:
                sys.exit("The service has stopped: see its message above.")
            time.sleep(0.02)
    found = ask("POST", "/streams/bed-1?rate=250", lead[:2500].tobytes())
    print(f"{time.perf_counter() - start:.1f} s from start to the first answer:")
    print(json.dumps(found[0]))

    seconds = []
    for first in range(2500, len(lead), 250):
        start = time.perf_counter()
        found += ask("POST", "/streams/bed-1", lead[first : first + 250].tobytes())
        seconds.append(time.perf_counter() - start)
    found += ask("DELETE", "/streams/bed-1")
    print(f"{1e3 * np.median(seconds):.0f} ms for a second of signal")
    print("TensorFlow or Keras loaded:", ask("GET", "/about")["loaded"] or "no")
finally:
    service.terminate()
    service.wait()

# %%
# The same answers as of the model in scikit-learn for the whole file.

model = load_model("causal")
position = detect_beats(lead, 250)
X = cut_beats(lead, 250, position, like=model)
expected = np.array(list("NSVF"))[model.predict(X)]
same = [beat["class"] for beat in found] == expected.tolist()
same &= [beat["sample"] for beat in found] == position[X.index].tolist()
print(f"{len(found)} beats; the same as from scikit-learn: {same}")
