"""What the benchmarks share: seconds, memory, child processes, results, tables.

Imports nothing of the package, so that a benchmark chooses what it loads, and when.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

_PACKAGES = (
    "ecg-sklearn",
    "scikit-learn",
    "imbalanced-learn",
    "keras",
    "tensorflow",
    "jax",
    "torch",
    "numpy",
    "scipy",
)
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def make_parser(doc):
    """Make a parser that says what the docstring of a benchmark says.

    Parameters
    ----------
    doc : str
        ``__doc__`` of the script.

    Returns
    -------
    argparse.ArgumentParser
        With the option ``--output``.
    """
    summary, _, rest = doc.partition("\n")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=rest.strip("\n"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", type=Path, metavar="JSON", help="file to write")
    return parser


def setting(text):
    """Split ``NAME=JSON``, the argument of an option ``--set``.

    Parameters
    ----------
    text : str
        Such as ``learning_rate=0.003`` or ``filters=[16, 32]``.

    Returns
    -------
    tuple of str and object
        The name and the value.
    """
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name, json.loads(value)
    except json.JSONDecodeError:
        pass  # said below
    raise argparse.ArgumentTypeError(
        f"{text!r} is not NAME=JSON. Write learning_rate=0.003, filters=[16,32] or "
        "pooling='\"max\"'."
    )


def add_settings(parser):
    """Add the option ``--set``; ``dict(args.set)`` holds what it was given.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Where to add it.
    """
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=setting,
        metavar="NAME=JSON",
        help="a parameter of the network, or STEP__PARAMETER of any step; may be "
        "repeated",
    )


def set_steps(pipe, settings):
    """Set parameters of a pipeline; a name without a step means the network's.

    Parameters
    ----------
    pipe : imblearn.pipeline.Pipeline
        What ``make_ecg_pipeline`` gave.
    settings : dict
        Values by name.

    Returns
    -------
    imblearn.pipeline.Pipeline
        The same one.
    """
    named = {k if "__" in k else f"cnn__{k}": v for k, v in settings.items()}
    return pipe.set_params(**named)


class Stopwatch:
    """Seconds on the wall, and of the processor in all threads, of a ``with`` block.

    Attributes
    ----------
    wall, cpu : float
        Seconds, once the block has ended. ``cpu`` leaves child processes out.
    """

    def __enter__(self):
        self._start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self._start[0]
        self.cpu = time.process_time() - self._start[1]


def seconds_each(function, *args, repeats):
    """Time each of some calls; the first, which may compile, is not counted.

    Parameters
    ----------
    function : callable
        What to time.
    *args : object
        Its arguments.
    repeats : int
        Number of calls to time.

    Returns
    -------
    ndarray of shape (repeats,)
        Seconds of each.
    """
    function(*args)
    times = []
    for _ in range(repeats):
        with Stopwatch() as watch:
            function(*args)
        times.append(watch.wall)
    return np.array(times)


def alternate(first, second, repeats):
    """Call two functions in turns, who begins changing each time.

    What a machine does beside falls on both alike.

    Parameters
    ----------
    first, second : callable
        Called without arguments.
    repeats : int
        Number of calls of each.

    Returns
    -------
    tuple of two lists
        What each call returned.
    """
    sides = (first, []), (second, [])
    for turn in range(repeats):
        for function, results in sides if turn % 2 == 0 else sides[::-1]:
            results.append(function())
    return sides[0][1], sides[1][1]


def run_child(code, *args, threads=None):
    """Run Python code in a process of its own.

    Parameters
    ----------
    code : str
        Prints JSON as its last line. It can import from this folder.
    *args : object
        Given to it as text in ``sys.argv[1:]``.
    threads : int, default=None
        How many threads a library may use; None leaves the environment as it is.

    Returns
    -------
    object
        What it printed last.
    """
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": path}
    if threads is not None:
        env |= dict.fromkeys(_THREADS, str(threads))
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def peak_bytes():
    """Give the most memory that this process has ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count what the parent held when it forked.
        line = next(s for s in status.read_text().splitlines() if "VmHWM" in s)
        return 1024 * int(line.split()[1])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def about():
    """Say what a result was made with; no names of folders or hosts.

    Returns
    -------
    dict
        Versions, and what the machine is.
    """
    return {
        "python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": {name: os.environ.get(name) for name in _THREADS},
    }


def _version(package):
    """Version of a package, or None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor():
    """Name of the processor, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [s.partition(":")[2].strip() for s in lines if s.startswith("model name")]
    return names[0] if names else platform.processor()


def write_results(path, results):
    """Write results as JSON, with what they were made with.

    A file that is there stays whole until the new one is.

    Parameters
    ----------
    path : Path or None
        The file; None writes nothing.
    results : dict
        Results; an ``"about"`` among them is kept.
    """
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"about": about()} | results
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_text(json.dumps(content, indent=1, default=float) + "\n")
    new.replace(path)


def mean_and_sd(values, digits=4):
    """Say mean and standard deviation; of one value, that value.

    Parameters
    ----------
    values : sequence of float
        One value for each seed.
    digits : int, default=4
        Digits behind the point.

    Returns
    -------
    str
        Such as ``0.9875 ± 0.0004``.
    """
    values = np.asarray(values, dtype=float)
    text = f"{values.mean():.{digits}f}"
    return f"{text} ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else text


def print_table(rows, formats=None):
    """Print rows with the same keys as columns.

    Parameters
    ----------
    rows : list of dict
        Text or numbers by column.
    formats : dict, default=None
        Format of the numbers of a column, such as ``".3f"``; else ``".4g"``.
    """
    formats = formats or {}
    cells = [
        [
            value if isinstance(value, str) else format(value, formats.get(key, ".4g"))
            for key, value in row.items()
        ]
        for row in rows
    ]
    lines = [list(rows[0]), *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *rest = zip(line, widths, strict=True)
        print(first[0].ljust(first[1]), *(cell.rjust(n) for cell, n in rest), sep="  ")
    sys.stdout.flush()
