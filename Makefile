# Each target sets up what it needs. What CI runs is in .ci/run.
PYTHON ?= python3
VENV ?= .venv
# Where a virtual environment keeps its programs.
ifeq ($(OS),Windows_NT)
SCRIPTS = Scripts
else
SCRIPTS = bin
endif
BIN = $(VENV)/$(SCRIPTS)
READY = $(VENV)/.ready

OLDEST = .venv-oldest
BACKENDS = .venv-backends
TESTS = python -m pytest -n auto --durations 20
ON_BACKENDS = $(addprefix tests/neural_network/test_,classifier.py device.py prediction.py)

.PHONY: help demo test test-slow test-all test-mitbih test-oldest test-backends
.PHONY: test-sdist fuzz
.PHONY: lint format docs bench models build check-tag audit clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/	/'

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

demo: $(READY)  ## train and analyse on simulated beats, within 90 seconds
	$(BIN)/ecg-sklearn demo --overwrite

test: $(READY)  ## tests and docstring examples; five minutes on two cores
	$(BIN)/$(TESTS)

test-slow: $(READY)  ## the tests that take longer: killed trainings, memory, clusters
	$(BIN)/$(TESTS) -m "slow and not mitbih and not network" tests

test-all: test test-slow  ## all tests that need no real records

test-mitbih: $(READY)  ## tests on the MIT-BIH records in $ECG_SKLEARN_DATA
	$(BIN)/$(TESTS) -m mitbih tests

test-oldest:  ## make test, on the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/$(SCRIPTS)/pip install --quiet $$($(PYTHON) tests/oldest.py test)
	$(OLDEST)/$(SCRIPTS)/pip install --quiet --no-deps --editable .
	$(OLDEST)/$(SCRIPTS)/$(TESTS) -o filterwarnings=ignore tests

test-backends:  ## the classifier's tests on JAX and PyTorch in Keras
	$(PYTHON) -m venv $(BACKENDS)
	$(BACKENDS)/$(SCRIPTS)/pip install --quiet --editable ".[test]" jax torch
	$(BACKENDS)/$(SCRIPTS)/$(TESTS) -m slow tests/neural_network/test_backends.py
	KERAS_BACKEND=jax $(BACKENDS)/$(SCRIPTS)/$(TESTS) $(ON_BACKENDS)
	KERAS_BACKEND=torch $(BACKENDS)/$(SCRIPTS)/$(TESTS) $(ON_BACKENDS)

test-sdist: build  ## unpack the source distribution and run its tests
	rm -rf dist/unpacked && mkdir dist/unpacked
	tar xzf dist/*.tar.gz -C dist/unpacked --strip-components 1
	$(MAKE) -C dist/unpacked test

CASES ?= 2000
fuzz: $(READY)  ## bad input at every door: CASES cases a door, new ones each time
	ECG_SKLEARN_FUZZ_EXAMPLES=$(CASES) $(BIN)/python -m pytest -n auto tests/fuzz

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
	$(BIN)/python benchmarks/bench_import.py
	$(BIN)/python benchmarks/bench_predict.py
	$(BIN)/python benchmarks/bench_spectrogram.py
	$(BIN)/python benchmarks/bench_fit.py --quick
	$(BIN)/python benchmarks/bench_memory.py --quick

models: $(READY)  ## build the shipped models from $ECG_SKLEARN_DATA, and compare
	$(BIN)/python benchmarks/make_models.py --data "$$ECG_SKLEARN_DATA/mitdb" --svdb "$$ECG_SKLEARN_DATA/svdb"
	$(BIN)/ecg-sklearn export causal --output ecg_sklearn/models/weights/causal.onnx --overwrite

build: $(READY)  ## wheel and source distribution
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

TAG ?= v0.0.0
check-tag:  ## fail unless TAG is the version of pyproject.toml
	$(PYTHON) -c 'import sys, tomllib; v = tomllib.load(open("pyproject.toml", "rb"))["project"]["version"]; sys.exit("$(TAG)" != f"v{v}" and f"tag $(TAG) is not v{v}")'

audit: $(READY)  ## known vulnerabilities of what is installed; needs the network
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/pip-audit

clean:  ## remove what was set up and built
	rm -rf .venv* build dist *.egg-info demo-output
	rm -rf docs/_build docs/generated docs/auto_examples
