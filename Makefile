# Decibel: every command a developer needs. Wants Python 3.11 or newer and make, nothing else.
# ARGS goes to the command behind a target:  make test ARGS="-k peak -x"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

ARGS ?=
VENV ?= .venv
BIN := $(VENV)/bin
# Rewritten when the lock or the project file change, so `make setup` is instant while they do not.
STAMP := $(VENV)/.decibel-setup

# The first of these that runs and is new enough; a version manager's stub for a missing version does not run.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)

.PHONY: help
help: ## Show these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(STAMP) ## Make .venv and install the locked packages and the project into it

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Decibel needs Python 3.11 or newer on the PATH (or: make PYTHON=/path/to/python)" >&2; exit 1; }
	@echo "setup: $(VENV) by $(PYTHON)"
	@test -x $(BIN)/python && $(BIN)/python -c '$(NEW_ENOUGH)' && $(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: demo
demo: setup ## Run the engine on an invented story: no Kafka, no Redis needed
	@$(BIN)/decibel demo $(ARGS)

.PHONY: test
test: setup ## Run every test under tests/ and the doctests; real servers where the machine has them
	@$(BIN)/pytest $(ARGS)

.PHONY: lint
lint: setup ## Check style, format, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: format
format: setup ## Format, and repair what ruff can repair
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

.PHONY: pictures
pictures: setup ## Draw the recordings anew and judge their alerts (docs/recordings.md)
	@$(BIN)/python -m bench.pictures $(ARGS)

.PHONY: screenshots
screenshots: setup ## Take pictures of the pages by the machine's Chromium (docs/img/)
	@$(BIN)/python -m bench.screenshots $(ARGS)

# The whole package as a wheel has it, its core compiled: what is edited in the tree is never hidden by an old extension.
COMPILED := build/compiled
SOURCES := $(shell find schemas scoring agents stream -type f -not -path '*/__pycache__/*')

.PHONY: compiled
compiled: $(COMPILED)/bin/decibel ## Build the package with its core compiled into build/compiled (wants a C compiler)

$(COMPILED)/bin/decibel: $(STAMP) setup.py $(SOURCES)
	@rm -rf $(COMPILED) build/wheel build/lib* build/temp*
	@DECIBEL_COMPILE=1 $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir build/wheel .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(COMPILED) build/wheel/*.whl
	@touch $@

.PHONY: bench
bench: setup compiled ## Measure Decibel beside its peers on one real Kafka (docs/benchmarks.md; half an hour)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: mutation
mutation: setup ## Change scoring/ in small ways and see whether its tests notice (ARGS="curve index": some modules; hours)
	@$(BIN)/python -m bench.mutation $(ARGS)

.PHONY: generated
generated: setup ## Write schemas/generated/ (JSON Schemas, AsyncAPI) from the event types
	@$(BIN)/python -m schemas.generate

.PHONY: check-generated
check-generated: setup ## Fail where schemas/generated/ differs from the event types
	@$(BIN)/python -m schemas.generate --check

.PHONY: lock
lock: ## Rewrite requirements.lock from pyproject.toml (ARGS="--upgrade" for newer versions)
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --output-file requirements.lock $(ARGS)
	@echo "requirements.lock: $$(grep -c == requirements.lock) packages"

.PHONY: clean
clean: ## Remove .venv and the tools' caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
