"""One self-contained HTML page about a fitted pipeline: :func:`make_report`.

The page needs no network and no other file. What comes from outside (titles, record
names, labels) is escaped by the template engine.
"""

from ecg_sklearn.report._page import make_report

__all__ = ["make_report"]
