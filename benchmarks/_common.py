"""What the benchmarks share: seconds, memory, files of results, tables."""

import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

_PACKAGES = ("ecg-sklearn", "scikit-learn", "keras", "tensorflow", "numpy", "scipy")


def seconds_each(function, argument, repeats):
    """Time each of some calls; the first, which compiles, is not counted."""
    function(argument)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function(argument)
        times.append(time.perf_counter() - start)
    return np.array(times)


class Stopwatch:
    """Seconds on the wall and of the processor, as a context manager."""

    def __enter__(self):
        self.start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self.start[0]
        self.cpu = time.process_time() - self.start[1]


def run_child(code, *args, threads=1):
    """Run Python code in a process of its own; give the JSON that it prints last."""
    limits = {"OMP_NUM_THREADS": str(threads), "TF_NUM_INTRAOP_THREADS": str(threads)}
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=os.environ | limits,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def about():
    """Versions, and what the machine is; no names of folders or hosts."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        **{package: version(package) for package in _PACKAGES},
    }


def write_results(path, results):
    """Write results as JSON, if a path is given."""
    if path is None:
        return
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"about": about()} | results
    path.write_text(json.dumps(content, indent=1, default=float) + "\n")


def mean_and_sd(values):
    """Mean and standard deviation as text; of one value, that value."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return f"{values.mean():.4f}"
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f}"


def setting(text):
    """Split ``name=JSON`` of the option --set."""
    name, _, value = text.partition("=")
    return name, json.loads(value)
