"""The command ``export``."""

from pathlib import Path

from ecg_sklearn.cli._checks import find_model
from ecg_sklearn.exporting import export as write_graph
from ecg_sklearn.exporting._graphs import SUFFIXES


def export(*, model, output, overwrite, quiet):
    """Write a model as one graph, and say how closely it agrees with the model."""
    formats = {suffix: name for name, suffix in SUFFIXES.items()}
    if output.suffix not in formats:
        raise ValueError(
            f"--output {output} has none of the suffixes {', '.join(formats)}, which "
            "say the format: ONNX, LiteRT or Keras."
        )
    pipe = _read(find_model(model))
    report = write_graph(
        pipe, output, format=formats[output.suffix], overwrite=overwrite
    )
    if not quiet:
        print(
            f"{report.n_bytes / 1e6:.2f} MB; probabilities of {report.n_beats} beats "
            f"within {report.max_difference:.1e} of the model's"
        )
    print(f"Saved {output}")


def _read(model):
    """Read a model file, or a shipped model by its name."""
    if isinstance(model, Path):
        from ecg_sklearn.cli._model_files import read_model

        return read_model(model)[0]
    from ecg_sklearn.models import load_model

    return load_model(model)
