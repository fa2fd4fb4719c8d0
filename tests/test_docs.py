"""The documentation against the package: names, snippets, commands, examples."""

import ast
import doctest
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ecg_sklearn
from ecg_sklearn.cli import main

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.glob("*.rst"), *DOCS.glob("guide/*.rst"), *DOCS.glob("api/*.rst")]
)
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
GALLERY = [
    "plot_live",
    "plot_notebook_retold",
    "plot_other_classifiers",
    "plot_own_labels",
    "plot_patients_apart",
    "plot_quick_start",
    "plot_tuning_the_stft",
    "plot_what_the_network_sees",
    "serve_stream_with_fastapi",
    "serve_with_onnxruntime",
]
# The command line has a page of its own; helpers are private.
NOT_IN_THE_API = {"cli", "utils"}
ROLE = re.compile(
    r":(?:func|class|mod|meth|data):`(?:[^`<]*<)?~?(ecg_sklearn[\w.]*)>?`"
)


def public_modules():
    return {
        module.name
        for module in pkgutil.iter_modules(ecg_sklearn.__path__)
        if not module.name.startswith("_")
    } - NOT_IN_THE_API


def test_the_api_page_lists_every_public_module():
    page = (DOCS / "api" / "index.rst").read_text()
    listed = page.split("autosummary/module.rst")[1].split()
    assert listed == sorted(public_modules())


def resolve(path):
    """Object behind a dotted path, importing modules on the way."""
    parts = path.split(".")
    found = ecg_sklearn
    for place, name in enumerate(parts[1:], start=2):
        if not hasattr(found, name):
            importlib.import_module(".".join(parts[:place]))
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES], ids=lambda path: path.stem)
def test_names_that_pages_refer_to_are_public(page):
    for path in ROLE.findall(page.read_text()):
        resolve(path)
        module, _, name = path.removeprefix("ecg_sklearn").strip(".").partition(".")
        assert not module or module in public_modules(), path
        if name:
            found = importlib.import_module(f"ecg_sklearn.{module}")
            assert name.split(".")[0] in found.__all__, path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_import_public_names_alone(example):
    for node in ast.walk(ast.parse(example.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("ecg_sklearn"):
            found = importlib.import_module(node.module)
            for alias in node.names:
                assert alias.name in found.__all__, f"{node.module}.{alias.name}"


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if ">>>" in page.read_text()],
    ids=lambda path: path.stem,
)
def test_snippets_print_what_they_say(page):
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_gallery_is_complete():
    assert [example.stem for example in EXAMPLES] == GALLERY
    for example in EXAMPLES:
        title, rule, blank = ast.get_docstring(
            ast.parse(example.read_text())
        ).splitlines()[:3]
        assert rule == "=" * len(title), example.name
        assert not blank
        assert "# %%" in example.read_text()


def test_every_command_has_its_help_on_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = re.search(
        r"COMMAND\n(.*?)\n\n", capsys.readouterr().out.split("positional")[1], re.DOTALL
    )
    commands = re.findall(r"^    (\w+) ", listed[1], re.MULTILINE)
    page = (DOCS / "guide" / "command_line.rst").read_text()
    assert re.findall(r"generated/cli/(\w+)\.txt", page) == commands
    configured = next(
        ast.literal_eval(node.value)
        for node in ast.parse((DOCS / "conf.py").read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "commands"
    )
    assert configured == commands


@pytest.mark.slow
def test_the_pages_build_and_the_reference_has_every_public_name(tmp_path):
    for package in ("sphinx", "sphinx_gallery", "pydata_sphinx_theme"):
        pytest.importorskip(package, reason='needs pip install "ecg-sklearn[docs]"')
    ignored = shutil.ignore_patterns("_build", "generated", "auto_examples")
    shutil.copytree(DOCS, tmp_path / "docs", ignore=ignored)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    results = Path("benchmarks", "results")  # figures are drawn from them
    shutil.copytree(ROOT / results, tmp_path / results)
    build = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html",
            "-D", "plot_gallery=0", "docs", "html",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert build.returncode == 0, build.stderr[-5000:]
    for module in sorted(public_modules()):
        page = (
            tmp_path / "html" / "generated" / f"ecg_sklearn.{module}.html"
        ).read_text()
        for name in importlib.import_module(f"ecg_sklearn.{module}").__all__:
            path = f"ecg_sklearn.{module}.{name}"
            assert f'href="{path}.html' in page or f'id="{path}"' in page, path
