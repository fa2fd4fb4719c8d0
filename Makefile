# Each target sets up what it needs. CI runs `make lint test`, see .ci/run.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: help demo test test-mitbih lint format docs bench build clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/	/'

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

demo: $(READY)  ## train on simulated beats, in a minute
	$(BIN)/ecg-sklearn demo --overwrite

test: $(READY)  ## tests and docstring examples, without the real records
	$(BIN)/python -m pytest -n auto

test-mitbih: $(READY)  ## tests on the MIT-BIH records in $ECG_SKLEARN_DATA
	$(BIN)/python -m pytest -n auto -m mitbih tests

lint: $(READY)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## apply the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## the documentation: examples run, warnings are errors
	$(BIN)/pip install --quiet --editable ".[docs]"
	rm -rf docs/generated
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

bench: $(READY)  ## the quick benchmarks
	$(BIN)/python benchmarks/bench_predict.py
	$(BIN)/python benchmarks/bench_spectrogram.py

build: $(READY)  ## wheel and source distribution
	$(BIN)/python -m build

clean:  ## remove what was set up and built
	rm -rf $(VENV) build dist *.egg-info demo-output
	rm -rf docs/_build docs/generated docs/auto_examples
