"""Print the lowest versions that pyproject.toml allows, as pins for pip.

python tests/oldest.py test    # those of the package and of its extra "test"
"""

import re
import sys
import tomllib
from pathlib import Path


def pins(extras):
    """Turn every ``name>=version`` into ``name==version``."""
    project = tomllib.loads(
        Path(__file__).parents[1].joinpath("pyproject.toml").read_text()
    )["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    for requirement in wanted:
        if found := re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement):
            yield "{}=={}".format(*found.groups())


if __name__ == "__main__":
    print(*pins(sys.argv[1:]))
