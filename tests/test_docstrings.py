"""Public docstrings follow numpydoc: every parameter, attribute and return value."""

import importlib
import inspect

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

from tests.test_public_api import MODULES

# What numpydoc asks for beyond shapes, units, errors and sources.
IGNORED = {
    "ES01",  # an extended summary
    "EX01",  # an example for each method
    "SA01",  # a "see also" for each method
    "GL01",  # the summary starts on the line below the quotes
    "RT03",  # a description of every returned object, "Bunch" with a list included
}


def public_objects():
    for module, names in MODULES.items():
        for name in sorted(names):
            found = getattr(importlib.import_module(f"ecg_sklearn.{module}"), name)
            if not callable(found):
                continue
            path = f"ecg_sklearn.{module}.{name}"
            yield path
            if inspect.isclass(found):
                for method, member in vars(found).items():
                    ours = getattr(member, "__module__", "").startswith("ecg_sklearn")
                    if ours and not method.startswith("_") and callable(member):
                        yield f"{path}.{method}"


@pytest.mark.parametrize("path", list(public_objects()))
def test_docstring(path):
    found = validate(path)
    faults = [fault for fault in found["errors"] if fault[0] not in IGNORED]
    assert not faults


def test_parameters_are_documented_in_their_order():
    for path in public_objects():
        module, name = path.split(".")[1:3]
        found = getattr(importlib.import_module(f"ecg_sklearn.{module}"), name)
        if inspect.isclass(found) and issubclass(found, Warning):
            continue  # whose parameters are Python's
        documented = [
            name.lstrip("*")
            for parameter in NumpyDocString(inspect.getdoc(found))["Parameters"]
            for name in parameter.name.split(", ")
        ]
        assert documented == list(inspect.signature(found).parameters), path
