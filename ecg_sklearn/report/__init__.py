"""One self-contained HTML page about a fitted pipeline: :func:`make_report`."""

from ecg_sklearn.report._page import make_report

__all__ = ["make_report"]
