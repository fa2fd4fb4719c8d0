"""Export of a fitted pipeline as one graph: ONNX, LiteRT, Keras."""

from ecg_sklearn.exporting._export import ExportReport, export

__all__ = ["ExportReport", "export"]
