"""Sphinx configuration. Nothing here needs a network."""

import contextlib
import io
import os
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

# Examples train small networks: threads that wait for each other only slow them.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# What commands print about themselves is as wide on every terminal, and has no colour.
os.environ["COLUMNS"] = "80"
os.environ["NO_COLOR"] = "1"

sys.path.insert(0, os.path.dirname(__file__))  # cards and figures

project = "ecg_sklearn"
author = "The ecg_sklearn developers"
copyright = "The ecg_sklearn developers, BSD-3-Clause"  # noqa: A001
release = version = installed_version("ecg-sklearn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "code"

autosummary_generate = True
autosummary_ignore_module_all = False  # a module's __all__ says what is public
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the class template lists them
numpydoc_class_members_toctree = False
# A docstring may list its source without a mark in the text.
# "ref.term": docstrings inherited from scikit-learn point to its glossary.
suppress_warnings = ["ref.citation", "ref.term"]

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["auto_examples"],
    "filename_pattern": r"[\\/]plot_",
    "within_subsection_order": ExplicitOrder(
        [
            "plot_quick_start.py",
            "plot_notebook_retold.py",
            "plot_patients_apart.py",
            "plot_tuning_the_stft.py",
            "plot_what_the_network_sees.py",
            "*",
        ]
    ),
    "backreferences_dir": "auto_examples/backreferences",
    "doc_module": ("ecg_sklearn",),
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "ecg_sklearn"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "ecg_sklearn"},
    "navbar_end": ["theme-switcher"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}


def write_command_help(app):
    """Write what ``ecg-sklearn COMMAND --help`` prints, for the page on commands."""
    from ecg_sklearn.cli import main

    folder = Path(app.srcdir, "generated", "cli")
    folder.mkdir(parents=True, exist_ok=True)
    for command in app.config.commands:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([command, "--help"])
        (folder / f"{command}.txt").write_text(printed.getvalue())


def write_generated(app):
    """Write the cards of the shipped models, and draw the figures of results."""
    from cards import cards
    from figures import draw_all

    folder = Path(app.srcdir, "generated")
    folder.mkdir(exist_ok=True)
    (folder / "models.rst").write_text(cards())
    draw_all(folder)


# A word that ends in an underscore, outside of literals: links are not written so here.
FITTED_NAME = re.compile(r"(?<![\w`*.])([A-Za-z]\w*_)(?![\w`])")


def mend_docstring(app, what, name, obj, options, lines):
    """Keep fitted attributes from being links, and sources from being sections."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")):
            continue
        if what == "data":  # its sources are listed by its module
            line = re.sub(r" \[\d+\]_", "", line)
        if what == "module" and line and number and not line.strip("-"):
            lines[number - 1] = f".. rubric:: {lines[number - 1]}"
            line = ""
        bold, stars, rest = line.rpartition("**")  # numpydoc puts names in bold
        lines[number] = bold + stars + FITTED_NAME.sub(r"``\1``", rest)


commands = [
    "analyze",
    "train",
    "evaluate",
    "report",
    "predict",
    "export",
    "data",
    "demo",
]


def setup(app):
    """Tell Sphinx of the above."""
    app.add_config_value("commands", [], "env")
    app.connect("builder-inited", write_command_help)
    app.connect("builder-inited", write_generated)
    app.connect("autodoc-process-docstring", mend_docstring, priority=900)
