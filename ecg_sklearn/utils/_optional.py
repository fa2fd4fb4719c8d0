"""Import of optional packages."""

import importlib


def import_optional(module, extra, purpose):
    """Import an optional package, or raise an error that names its extra.

    ``purpose`` begins the message: what the package is needed for.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs the package {module.partition('.')[0]}. Install it with "
            f'`pip install "ecg-sklearn[{extra}]"`.'
        ) from error
