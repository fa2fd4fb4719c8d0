"""The error of a file or model that is refused."""


class Refused(ValueError):
    """The file is invalid; the message gives the reason."""


def need(fact, message):
    """Raise :class:`Refused` unless ``fact`` is true."""
    if not fact:
        raise Refused(message)
