# make demo: segment real sample images; neither screen nor weights are needed.
# make test: all checks.
# Both set everything up in .venv by themselves (Linux, macOS; on Windows they say what to type instead).
SHELL := bash
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test setup lint mypy clean

demo: setup
	$(BIN)/segdesk demo --out demo-output

test: setup lint mypy
	$(BIN)/pytest -q -n logical --maxprocesses 4 --dist loadfile

setup: $(READY)

$(READY): pyproject.toml setup.py .ci/system-libraries
	PYTHON=$(PYTHON) bash .ci/system-libraries
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
	  || { echo "SegDesk needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing SegDesk and its libraries into $(VENV); PyTorch is large, so this may take minutes."
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	rm -rf segdesk.egg-info  # an old one would hide plugins that are new
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

# The plugins are installed under another name than their folder has: a link shows mypy that name.
mypy: setup
	mkdir -p build/types
	ln -sfn ../../plugins build/types/segdesk_plugins
	MYPYPATH=build/types $(BIN)/mypy -p segdesk.core -p segdesk.api -p segdesk.engine -p segdesk.ml -p segdesk.cli -p segdesk_plugins

clean:
	rm -rf $(VENV) build dist demo-output
