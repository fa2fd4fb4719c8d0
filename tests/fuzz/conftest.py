"""Counts the cases that each door was tried with; a campaign prints them."""

import os
import sys

import pytest

from .oracle import OUTCOMES


@pytest.fixture(autouse=True)
def _counted(request, record_property):
    """Hand the counts on with the result of the test, out of parallel workers too."""
    OUTCOMES.clear()
    yield
    if OUTCOMES["cases"]:
        counts = OUTCOMES["cases"], OUTCOMES["refused"]
        record_property("cases", (request.node.nodeid.split("/")[-1], *counts))


@pytest.fixture(autouse=True)
def _no_figures_of_other_tests():
    """Close what a test that failed has left open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def pytest_terminal_summary(terminalreporter):
    """Print what became of the cases, door by door."""
    if "ECG_SKLEARN_FUZZ_EXAMPLES" not in os.environ:
        return
    doors = {
        tuple(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "cases"
    }
    terminalreporter.section("bad input")
    for door, cases, refused in sorted(doors):
        terminalreporter.write_line(
            f"{cases:>8} cases, {refused:>8} refused with a message  {door}"
        )
    total = sum(cases for _, cases, _ in doors)
    terminalreporter.write_line(f"{total:>8} cases in all")
