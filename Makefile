# Two commands: `make demo` runs the main job, `make test` the tests. Both set up what they need first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= dev

.PHONY: help setup system demo test lint quality docs bench clean

help:
	@echo "make demo     set up, then the whole job on made-up patients, into demo-output/"
	@echo "make test     set up, then all tests"
	@echo "make lint     ruff and mypy --strict"
	@echo "make quality  the scorers on ../shared, if it is there; fails below the floors in docs/quality.md"
	@echo "make bench    lists the benchmarks and how to run each"
	@echo "make docs     the documentation site, into site/"

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml tools/check_python.py
	$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$(EXTRAS)]'
	touch $@

system:
	@sh tools/system_packages.sh demo

demo: system setup
	$(BIN)/fhirbridge demo

test: setup
	@sh tools/system_packages.sh test
	@sh tools/node_packages.sh
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

quality: setup
	$(BIN)/python tools/quality.py

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/python -m pip install --quiet '.[docs]'
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) demo-output site build dist .quality node_modules
