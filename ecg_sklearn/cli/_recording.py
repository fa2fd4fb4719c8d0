"""What a command says about a recording that it has read."""

from ecg_sklearn.cli._messages import say

_N_NAMED = 5  # unreadable stretches in a message


def tell_about(found):
    """Say on standard error which lead was read, and how much of it was analysed."""
    recording, stretches = found.recording, found.stretches
    share = max(0.0, 1 - found.unreadable / recording.duration)
    text = (
        f"{recording.name}: {recording.format}, lead {recording.leads[0]}, "
        f"{recording.sampling_rate:g} Hz. {share:.1%} of {recording.duration:.0f} s "
        "analysed"
    )
    if len(stretches):
        named = [
            f"{row.start:.1f}-{row.end:.1f} s ({row.reason})"
            for row in stretches.head(_N_NAMED).itertuples()
        ]
        hidden = len(stretches) - len(named)
        text += f"; not read: {', '.join(named)}"
        text += f" and {hidden} more" if hidden else ""
    say("note", f"{text}.")
