"""The command ``analyze``."""

from concurrent.futures import BrokenExecutor

from ecg_sklearn.cli._checks import find_model
from ecg_sklearn.cli._jobs import check_jobs, make_jobs
from ecg_sklearn.cli._messages import say


def analyze(
    *,
    input,
    model,
    beats,
    escape,
    annotator,
    lead,
    rate,
    unit,
    output,
    csv,
    events,
    json,
    jobs,
    overwrite,
    quiet,
):
    """Analyse recordings, print what was found, and write pages and tables.

    Returns 1 if some of several recordings could not be analysed, else 0.
    """
    if jobs == 0:
        raise ValueError("--jobs 0 would do nothing. Use 1 or more, or -1.")
    if beats is not None and model is not None:
        raise ValueError(
            f"--beats {beats} has the classes already, and --model {model} would find "
            "them. Leave one of them out."
        )
    if beats is None and escape != "N":
        raise ValueError(f"--escape {escape} is for annotated beats: it needs --beats.")
    work, summary = make_jobs(input, output=output, csv=csv, events=events, json=json)
    model = find_model(model)
    check_jobs(
        work,
        summary,
        model=model,
        beats=beats,
        annotator=annotator,
        overwrite=overwrite,
    )
    options = {
        "beats": beats,
        "escape": escape,
        "annotator": annotator,
        "lead": lead,
        "rate": rate,
        "unit": unit,
    }
    if len(work) == 1:
        return _analyze_one(work[0], summary, model, options, quiet)
    return _analyze_several(work, summary, model, options, jobs, quiet)


def _analyze_one(job, summary, model, options, quiet):
    """Analyse one recording; its error is that of the command."""
    from rich.console import Console

    from ecg_sklearn.cli._analyzed import analyze_job, load_classifier, write_summary

    options["classifier"] = load_classifier(model)
    with Console(stderr=True, quiet=quiet).status(f"Analysing {job.name}"):
        found = analyze_job(job, **options)
    for note in found.notes:
        say("warning", note)
    print(found.text)
    if summary is not None:
        write_summary(summary, [found.row])
    for file in [*job.files.values(), *([summary] if summary else [])]:
        print(f"Saved {file}")
    if found.annotations:
        print(found.annotations)
    return 0


def _analyze_several(work, summary, model, options, jobs, quiet):
    """Analyse several recordings; those with an error do not stop the others."""
    from joblib import Parallel, delayed
    from rich.console import Console
    from rich.progress import track

    from ecg_sklearn.cli._analyzed import (
        attempt_job,
        load_classifier,
        overview,
        write_summary,
    )

    is_needed = options["beats"] is None
    options["classifier"] = load_classifier(model, check_name=is_needed)
    found = {}
    # Without n_jobs, a backend of joblib.parallel_config is used, such as Dask.
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(attempt_job)(place, job.absolute(), **options)
        for place, job in enumerate(work)
    )
    try:
        for place, result in track(
            results,
            "Recordings",
            total=len(work),
            console=Console(stderr=True),
            disable=quiet,
            transient=True,
        ):
            found[place] = result
            result.row["file"] = str(work[place].path)
            for note in result.notes:
                say("warning", f"{work[place].name}: {note}")
            if error := result.row["error"]:
                say("error", f"{work[place].name}: {error}")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_how_far(found, work, summary)) from None
    except BrokenExecutor as error:
        raise MemoryError(
            "A process that analysed a recording was killed, maybe because the memory "
            f"was full. Use fewer --jobs. {_how_far(found, work, summary)}."
        ) from error
    rows = [found[place].row for place in range(len(work))]
    print(overview(rows))
    if summary is not None:
        write_summary(summary, rows)
        print(
            f"Saved the page and the tables of each, and {summary.name}, in "
            f"{summary.parent}"
        )
    n_failed = sum(bool(row["error"]) for row in rows)
    if n_failed:
        say("error", f"{n_failed} of {len(rows)} recordings were not analysed.")
    return int(n_failed > 0)


def _how_far(found, work, summary):
    """Say how many recordings were analysed before the end."""
    where = f"; their files are in {summary.parent}" if summary else ""
    return f"{len(found)} of {len(work)} recordings were analysed{where}"
