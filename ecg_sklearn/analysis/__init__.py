"""What a reader of a Holter counts: burden, runs, pauses, rates; and the page of it."""

import importlib

_NAMES = {
    "RecordingAnalysis": "_analysis",
    "StreamAnalyzer": "_stream",
    "analyze": "_analyze",
    "analyze_beats": "_analyze",
}

__all__ = ["RecordingAnalysis", "StreamAnalyzer", "analyze", "analyze_beats"]


def __getattr__(name):
    """Load a name on first use: a stream with a graph waits for little."""
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    """List the names; Sphinx looks for ``__all__`` among them."""
    return sorted({*globals(), *__all__})
