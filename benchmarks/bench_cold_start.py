"""Where the seconds of a cold ``ecg-sklearn analyze`` go, on one core.

    python benchmarks/bench_cold_start.py mitdb/100
    python benchmarks/bench_cold_start.py mitdb/100 --output results/mine.json

Each start is a process of its own, and does what the command does: imports, the
shipped model, the file, the analysis, the page. Prints seconds of the processor, which
leave out what else the machine does, of the fastest start. Packages for tests that
other packages import where they find them (pytest, Dask) are hidden, as in the
environment of a user.
"""

import tempfile
from pathlib import Path

from _common import make_parser, print_table, run_child, write_results

CHILD = """
import json, os, sys, time
os.sched_setaffinity(0, {0}) if hasattr(os, "sched_setaffinity") else None
for name in ("pytest", "dask", "distributed"):
    sys.modules[name] = None
seconds, last = {}, 0.0
def mark(name):
    global last
    now = time.process_time()
    seconds[name], last = now - last, now
mark("python")
from ecg_sklearn.cli import _analyze, _analyzed
from rich.console import Console
mark("imports")
from ecg_sklearn.analysis import analyze
from ecg_sklearn.analysis._model import choose_model
choose_model(None)
mark("model")
from ecg_sklearn.io import read_recording
recording = read_recording(sys.argv[1])
mark("file")
found = analyze(recording)
mark("analysis")
found.to_html(sys.argv[2])
mark("page")
str(found), found.findings
mark("text")
seconds["all"] = time.process_time()
print(json.dumps(seconds))
"""


def main():
    parser = make_parser(__doc__)
    parser.add_argument("recording", help="such as the path of a WFDB record")
    parser.add_argument("--starts", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        starts = [
            run_child(CHILD, args.recording, page, threads=1)
            for _ in range(args.starts)
        ]
    fastest = min(starts, key=lambda start: start["all"])
    print_table([fastest], dict.fromkeys(fastest, ".2f"))
    write_results(args.output, {"fastest": fastest, "starts": starts})


if __name__ == "__main__":
    main()
