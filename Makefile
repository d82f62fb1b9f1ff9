# Everything a developer or a curious person runs. `make` alone lists it.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input

# The first Python from 3.11 to 3.14 found; `make install PYTHON=/path/to/python3.12` overrules it.
fits = $(shell command -v $(1) >/dev/null 2>&1 && $(1) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null && echo $(1))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14 python,$(call fits,$(name))))

.DEFAULT_GOAL := help
.PHONY: help install demo test storms check bench grade learning lock docs format clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with everything pinned in requirements.lock; instant the second time

demo: $(STAMP) ## the main job on a year of real orders, in ./demo: about three minutes
	$(BIN)/regulars demo

test: $(STAMP) ## run all tests, a process for each core
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadgroup

storms: $(STAMP) ## the long suites in full: storms of tills, kills, the ledger against its model: about an hour
	$(BIN)/python -m pytest tests/storms tests/jobs tests/ledger/test_model.py --whole -s

check: $(STAMP) ## lint, format, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## run every benchmark, one after another; each prints a table and a line of JSON
	@set -e; for file in benchmarks/*.py; do case $$file in */learning.py) continue;; esac; echo "== $$file"; $(BIN)/python "$$file"; done

grade: $(STAMP) ## grade the referee, and intervals of effects, against a town whose truth is known: about fifteen minutes
	$(BIN)/python benchmarks/grades.py
	$(BIN)/python benchmarks/effects_grades.py

learning: $(STAMP) ## ten campaigns in a row in each of 20 simulated towns, and the picture of it: about 40 minutes
	$(BIN)/python benchmarks/learning.py --keep .learning --picture docs/images/learning.png

lock: $(STAMP) ## pin all dependencies anew, with hashes, from pyproject.toml
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(BIN)/uv pip compile pyproject.toml --extra demo --extra postgres --extra reviews --extra spark --group dev --universal --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11 \
		--custom-compile-command 'make lock' --quiet -o requirements.lock

docs: $(STAMP) ## write the tables of contracts into docs/tables.md anew, and draw the pictures
	$(BIN)/python docs/contracts.py
	$(BIN)/python docs/pictures.py

format: $(STAMP) ## lay out the code and mend what a machine can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove .venv, caches and the demo's workspace
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "regulars needs Python 3.11, 3.12, 3.13 or 3.14, and none was found; install one, or say where it is: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) could not make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what requirements.lock pins into $(VENV) (once; a minute or two)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
