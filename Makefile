# Every command makes the virtual environment that it needs, in .venv, and keeps it.
# Needed beforehand: make, and Python 3.11 or newer with its venv module. With a C compiler, the
# engine is built as a native module.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A second environment, with the build in pure Python; it finds all other packages in the first.
PURE := .venv-pure
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
TORCH := torch==2.13.0
NO_SUCH := No matching distribution|ResolutionImpossible
# What native modules are built from, by the list in setup.py.
MODULES := $(shell sed -n 's/^NATIVE = //p' setup.py | tr -c 'a-z\n' ' ')
NATIVE := pyproject.toml setup.py $(MODULES:%=src/chainrule/%.py) $(wildcard src/chainrule/*.pxd)
IS_NATIVE := $(BIN)/python -c 'import sys, chainrule; sys.exit(not chainrule.native)'
# What the native build could change is tested on both builds, the rest on the native one.
BOTH := $(patsubst %,tests/test_%.py,engine floats ops modes interop memory calculus check nn \
	losses optim random_graphs micrograd guards compiled surprises steps)
N ?= 100000
TSC := npm exec --yes --prefer-offline --package=typescript@5.9.3 -- tsc

.PHONY: demo test test-pure check types bench soak fuzz pictures approve drawings notebooks \
	grade-peers
.DELETE_ON_ERROR:

demo: $(VENV)/train
	$(BIN)/chainrule train moons --out runs/demo --force

test: $(VENV)/torch $(PURE)/chainrule
	$(BIN)/python -m pytest -n auto
	@if $(IS_NATIVE); then $(MAKE) -s test-pure; else \
		echo 'No native engine could be built: only the build in pure Python was tested.'; fi

test-pure: $(VENV)/torch $(PURE)/chainrule
	$(PURE)/bin/python -m pytest -n auto $(BOTH)

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) -s types; else \
		echo 'npm is not there: the types of the modules for browsers were not checked.'; fi

types:
	$(TSC) --noEmit --checkJs --strict --noUnusedLocals --noUnusedParameters \
		--target es2022 src/chainrule/viz/static/*.js

bench: $(VENV)/bench $(VENV)/torch
	@set -e; for file in bench/[!_]*.py; do \
		echo "== $$file"; $(BIN)/python -m bench.$$(basename $$file .py); done

soak: $(VENV)/test
	$(BIN)/python -m tests.soak

fuzz: $(VENV)/torch
	CHAINRULE_FUZZ=$(N) $(BIN)/pytest -n auto tests/test_random_graphs.py tests/test_random_programs.py

pictures: $(VENV)/train
	$(BIN)/python docs/pictures.py

# Look at each picture that this changes, light and dark, before it is committed.
approve: $(VENV)/test
	CHAINRULE_APPROVE=1 $(BIN)/python -m pytest tests/test_pictures.py

drawings: $(VENV)/test
	$(BIN)/python docs/drawings.py

# Engines from PyPI, each installed into an environment of its own below .peers.
grade-peers: $(VENV)/test
	$(BIN)/python docs/peers.py

# The chapters of the course as notebooks, without results.
notebooks: $(VENV)/course
	mkdir -p notebooks
	cp src/chainrule/course/chapters/* notebooks
	$(BIN)/jupytext -q --to ipynb notebooks/[0-9]*.py
	rm notebooks/[0-9]*.py

# ---- the environments: a file in them stands for each thing that was installed ----

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What was built before goes first: if nothing new can be built, the Python files serve.
$(VENV)/train $(VENV)/course $(VENV)/test $(VENV)/bench: $(VENV)/%: $(NATIVE) | $(BIN)/python
	@echo 'Installing what "$*" needs into $(VENV) (some minutes the first time)'
	@rm -f src/chainrule/*.so
	$(PIP) -e '.[$*]'
	@$(BIN)/chainrule --version
	@touch $@

# Only the comparisons need PyTorch. There is none for every Python: pip says so, and the tests
# then say what they leave out. Any other failure is one.
$(VENV)/torch: Makefile $(VENV)/test
	@echo 'Installing $(TORCH) into $(VENV)'
	@$(PIP) $(TORCH) 2> $@.log || { cat $@.log >&2; grep -Eq '$(NO_SUCH)' $@.log; }
	@touch $@

$(PURE)/chainrule: Makefile MANIFEST.in $(NATIVE) $(shell find src -name '*.py') $(VENV)/test
	@echo 'Installing the build in pure Python into $(PURE)'
	@rm -rf $(PURE) build/lib
	@$(BIN)/python -m venv --without-pip $(PURE)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$(echo $(PURE)/lib/python*/site-packages)/others.pth
	CHAINRULE_PURE=1 $(BIN)/python -m pip --python $(PURE)/bin/python install -q --no-deps --no-build-isolation .
	@$(PURE)/bin/python -m chainrule --version
	@touch $@
