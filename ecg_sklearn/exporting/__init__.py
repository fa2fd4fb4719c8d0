"""Export of a fitted pipeline as one graph: ONNX, LiteRT, Keras."""

from ecg_sklearn.exporting._export import ExportReport, export
from ecg_sklearn.exporting._graphs import ExportedGraph, load_graph

__all__ = ["ExportReport", "ExportedGraph", "export", "load_graph"]
