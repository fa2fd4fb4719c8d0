"""The class RecordingAnalysis: what was found in one recording."""

from dataclasses import dataclass

import pandas as pd

from ecg_sklearn.analysis._events import EVENT_KINDS
from ecg_sklearn.analysis._findings import findings, summary_text
from ecg_sklearn.io import Recording
from ecg_sklearn.metrics._counts import plain

__all__ = ["EVENT_KINDS", "RecordingAnalysis"]


@dataclass(frozen=True, eq=False)
class RecordingAnalysis:
    """What was found in one lead of a recording.

    Parameters
    ----------
    recording : Recording
        The recording. Its first lead was analysed.
    beats : DataFrame
        One row for each beat in ascending order: "sample" (position of the R peak),
        "time" in s, "clock" (datetime64, NaT where the start is unknown), "class"
        ("N", "S", "V", "F" or "Q"), "probability" of that class (NaN for annotated
        beats), "p_N" to "p_Q" as far as the model has them, "sure" (bool), "rr" in s
        since the previous beat (NaN for the first beat, and behind a stretch that was
        not analysed), "quality" (0 to 1: share of the 10 s around the beat that can be
        read), "event" (row of ``events`` of the single, couplet or run that the beat
        belongs to, else -1).
    events : DataFrame
        One row for each event, sorted by start: "start" and "end" in s (times of the
        first and last beat; of a pause the beats on both sides), "clock" of the start,
        "kind" (one of :data:`EVENT_KINDS`), "n_beats", "rate" (mean, beats a minute),
        "first" and "last" (rows of ``beats``).
    summary : DataFrame
        One row for each number. The index is its stable name; columns are "value",
        "unit", "low" and "high" (95 % interval, NaN without one), "time" (s, where it
        happened, NaN if it has no place) and "description".
    unreadable : DataFrame
        "start", "end" in s and "reason" of each stretch that was not analysed, as
        :func:`~ecg_sklearn.detection.signal_quality` gives it.
    model : dict
        What classified the beats: "name", "mode" ("causal", "offline" or "annotated"),
        "description" (one paragraph), "limits" (list of sentences: what it cannot do).
    notes : tuple of str, default=()
        Sentences about the analysis itself, such as how many beats could not be
        classified.

    See Also
    --------
    analyze : Analyse a recording with a model.
    analyze_beats : Analyse beats that someone has annotated.
    """

    recording: Recording
    beats: pd.DataFrame
    events: pd.DataFrame
    summary: pd.DataFrame
    unreadable: pd.DataFrame
    model: dict
    notes: tuple[str, ...] = ()

    @property
    def findings(self):
        """What was found, in plain sentences: a list of str."""
        return findings(self)

    def to_dict(self, *, beats=False):
        """Convert to types of JSON.

        Parameters
        ----------
        beats : bool, default=False
            Also add the table of beats, which is long.

        Returns
        -------
        dict
            "recording" ("name", "format", "lead", "sampling_rate" in Hz, "duration" in
            s, "start_time" as text of ISO 8601 or None), "model", "findings" and
            "notes" as they are here; "summary", a dict of the rows by name; "events",
            "unreadable" and, if asked for, "beats": lists with a dict for each row.
            Clock times are text of ISO 8601. NaN and NaT are None.
        """
        recording = self.recording
        start = recording.start_time
        summary = plain(self.summary.to_dict(orient="index"))
        found = {
            "recording": {
                "name": recording.name,
                "format": recording.format,
                "lead": recording.leads[0],
                "sampling_rate": float(recording.sampling_rate),
                "duration": float(recording.duration),
                "start_time": None if start is None else start.isoformat(),
            },
            "model": plain(self.model),
            "findings": self.findings,
            "notes": list(self.notes),
            "summary": summary,
            "events": _rows(self.events),
            "unreadable": _rows(self.unreadable),
        }
        return found | ({"beats": _rows(self.beats)} if beats else {})

    def to_html(self, path):
        """Write the page of the recording: one file, which needs no network.

        It has the findings, the rates of the day, strips at 25 mm/s and 10 mm/mV, the
        mean beat of each class, all events with their strips, the whole signal, and
        what was not analysed. At 250 Hz, 24 h take 8 MB at most.

        Parameters
        ----------
        path : str or Path
            The HTML file to write. It is replaced if it exists.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        from ecg_sklearn.analysis._page import write_page

        return write_page(self, path)

    def __str__(self):
        """Make the table of numbers as text."""
        return summary_text(self)


def _rows(table):
    """Convert a table to a list of dicts, in types of JSON."""
    columns = {}
    for name in table.columns:
        column = table[name]
        if column.dtype.kind == "M":
            text = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3]
            column = text.astype(object).where(column.notna(), None)
        columns[name] = plain(column.tolist())
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]
