# Every target sets up what it needs, once; `make help` lists them.
#
#   VENV=DIR           where the virtual environment lies (default .venv)
#   PYTHON=PROGRAM     which Python makes it (default: the first of 3.11, 3.12, 3.13 that can)
#   TORCH_INDEX=URL    PyTorch's CPU index, where pip does not find the CPU build on its own
#   NO_APT=1           never install Debian packages
#   WORKERS=N          test with so many processes (default 2)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PYTHON ?=
TORCH ?= torch==2.13.0+cpu
TORCH_INDEX ?=
NO_APT ?=
WORKERS ?= 2

BIN := $(VENV)/bin
# Whole files go to one process each: what a file needs is made once.
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
# What a usable Python can do: make a virtual environment with pip in it, at a version edgebin supports.
USABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
C_SOURCES = $(shell find kernels edgebin \( -name '*.c' -o -name '*.h' \) -not -path '*/build/*')

export ORT_DISABLE_TELEMETRY := 1

.PHONY: help setup packages demo test test-all lint fix bench docs clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: setup packages ## the whole road on the trained digits nets, with its table of results (<= 10 minutes)
	@$(BIN)/python examples/digits/demo.py

test: setup packages lint ## lint and the fast tests
	@$(PYTEST) -m "not slow"

test-all: setup packages lint ## lint and every test
	@$(PYTEST)

lint: setup ## ruff, mypy --strict, clang-format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/clang-format --style=file:kernels/.clang-format --dry-run -Werror $(C_SOURCES)

fix: setup ## format everything and repair what can be repaired
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .
	@$(BIN)/clang-format --style=file:kernels/.clang-format -i $(C_SOURCES)

bench: setup packages ## measure every kernel here and count it on ARM (some 10 minutes); `make docs` shows the figures
	@$(BIN)/python -m benchmarks.kernels --json benchmarks/results/kernels.json

docs: setup ## regenerate the generated parts of README.md and docs/
	@$(BIN)/python docs/update_cli.py
	@$(BIN)/python docs/update_targets.py
	@$(BIN)/python docs/update_board.py
	@$(BIN)/python docs/update_kernels.py
	@$(BIN)/python docs/update_backends.py
	@$(BIN)/python docs/update_schema.py

clean: ## remove the build folder and caches, keep the virtual environment
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- set-up ---------------------------------------------------------------------------------------------------------

setup: $(VENV)/.stamp-packages ## the virtual environment with everything pinned in constraints.txt

# An environment that somebody else made is kept if its Python can be used.
$(VENV)/.stamp-venv:
	@if ! $(BIN)/python -c 'import pip; $(USABLE)' 2>/dev/null; then \
	  python=; \
	  for candidate in $(or $(PYTHON),python3.11 python3.12 python3.13 python3); do \
	    if $$candidate -c '$(USABLE)' 2>/dev/null; then python=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$python" ]; then \
	    echo 'error: no Python 3.11, 3.12 or 3.13 that can make a virtual environment'; echo; \
	    echo 'hint: install one (Debian, Ubuntu: `apt-get install python3 python3-venv`) or name it: `make PYTHON=/path/to/python3.11`'; \
	    exit 4; \
	  fi; \
	  echo "setup: virtual environment in $(VENV), $$($$python --version)"; \
	  $$python -m venv --clear $(VENV); \
	fi >&2
	@touch $@

# In a call of its own, and by its +cpu version: nothing may make pip choose the CUDA build, which is gigabytes larger.
$(VENV)/.stamp-torch: $(VENV)/.stamp-venv
	@echo 'setup: $(TORCH)' >&2
	@$(PIP) install $(if $(TORCH_INDEX),--index-url '$(TORCH_INDEX)') '$(TORCH)' || { \
	  echo; echo 'error: `$(TORCH)` could not be installed'; echo; \
	  echo "hint: name PyTorch's CPU index (pytorch.org, Get started, Compute platform: CPU): \`make TORCH_INDEX=...\`"; \
	  exit 4; } >&2
	@touch $@

$(VENV)/.stamp-packages: $(VENV)/.stamp-torch pyproject.toml constraints.txt
	@echo 'setup: everything else in constraints.txt' >&2
	@$(PIP) install -c constraints.txt -e '.[tvm,tflite,lce,dev]'
	@touch $@

# Tried once; what is missing is named on every run, with what it is needed for by `edgebin doctor`.
packages:
	@missing() { for package in $$(cat docker/packages.txt); do \
	    dpkg-query -W -f='$${db:Status-Abbrev}' $$package 2>/dev/null | grep -q '^ii' || echo -n "$$package "; done; }; \
	if ! command -v dpkg-query >/dev/null; then exit 0; fi; \
	wanted=$$(missing); \
	if [ -z "$$wanted" ]; then exit 0; fi; \
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo='sudo -n'; fi; \
	if [ -z "$(NO_APT)" ] && [ ! -e build/.stamp-apt ] && command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
	  echo "setup: Debian packages $$wanted"; \
	  $$sudo apt-get update -qq || true; \
	  for package in $$wanted; do \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$package >/dev/null || true; \
	  done; \
	  mkdir -p build; touch build/.stamp-apt; \
	  wanted=$$(missing); \
	fi >&2; \
	if [ -n "$$wanted" ]; then \
	  echo "note: going on without the Debian packages $$wanted(\`edgebin doctor\` says what needs them)" >&2; \
	fi
