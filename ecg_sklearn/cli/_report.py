"""The command ``report``."""

from ecg_sklearn.cli._evaluate import read_model_and_beats
from ecg_sklearn.model_selection._leakage import leakage_note
from ecg_sklearn.report import make_report


def report(*, model, resamples, title, output, overwrite, quiet, **beats_options):
    """Write an HTML page about a saved pipeline.

    The other options are those of :func:`read_model_and_beats`.
    """
    pipe, facts, beats, _ = read_model_and_beats(model, **beats_options)
    note = None
    if trained_on := facts.get("sets", {}).get("training"):
        counts = ", ".join(f"{n:,} {name}" for name, n in trained_on["counts"].items())
        note = f"{trained_on['source']} Beats: {counts}."
    records = facts.get("training_records")
    make_report(
        pipe,
        beats,
        output,
        title=title,
        training_groups=records,
        training_note=note,
        n_resamples=resamples,
    )
    print(leakage_note(records, beats.groups).message)
    print(f"Saved {output}")
