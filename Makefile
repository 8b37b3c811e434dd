# Every command makes the virtual environment that it needs, in .venv, and keeps it.
# Needed beforehand: make, and Python 3.11 or newer with its venv module.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
TORCH := torch==2.13.0
NO_SUCH := No matching distribution|ResolutionImpossible
N ?= 100000

.PHONY: demo test check bench fuzz pictures
.DELETE_ON_ERROR:

demo: $(VENV)/train
	$(BIN)/chainrule train moons --out runs/demo --force

test: $(VENV)/torch
	$(BIN)/pytest -n auto

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/bench
	@set -e; for file in bench/[!_]*.py; do \
		echo "== $$file"; $(BIN)/python -m bench.$$(basename $$file .py); done

fuzz: $(VENV)/torch
	CHAINRULE_FUZZ=$(N) $(BIN)/pytest -n auto tests/test_random_graphs.py

pictures: $(VENV)/train
	$(BIN)/python docs/pictures.py

# ---- the environment: a file in it stands for each extra that was installed ----

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/train $(VENV)/test $(VENV)/bench: $(VENV)/%: pyproject.toml | $(BIN)/python
	@echo 'Installing what "$*" needs into $(VENV) (some minutes the first time)'
	$(PIP) -e '.[$*]'
	@touch $@

# Only the comparisons need PyTorch. There is none for every Python: pip says so, and the tests
# then say what they leave out. Any other failure is one.
$(VENV)/torch: Makefile $(VENV)/test
	@echo 'Installing $(TORCH) into $(VENV)'
	@$(PIP) $(TORCH) 2> $@.log || { cat $@.log >&2; grep -Eq '$(NO_SUCH)' $@.log; }
	@touch $@
