# `make help` lists the targets. ARGS goes to the program a target runs: make unit ARGS="-k weekday"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV ?= uv
ARGS ?=

# The machine's own Python, or the first of its versions that Resync runs on; PYTHON=… names another.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(shell $(name) -c '$(SUITABLE)' 2>/dev/null && command -v $(name))))

PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
# A file's tests stay together: they share a server or a mirror.
PARALLEL := --numprocesses auto --dist loadfile
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate

define section
@printf '\n== %s ==\n' '$(1)'
endef

.PHONY: help init demo serve test check lint types imports unit contract e2e browser cards pictures teams-e2e teams-package bench eval eval-retrieval docs lock wheel clean

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

init: $(INSTALLED) ## Makes .venv from the lock file; does nothing while that is unchanged

# The lock is whole, so nothing is resolved again: pip before 23.3 would take the newest `name[extra]` for a pinned `name`.
$(INSTALLED): requirements-dev.lock
	@test -n '$(PYTHON)' || { echo 'Resync needs Python 3.11, 3.12 or 3.13, and python3 is none of them.' >&2; \
		echo 'Install one, or name one: make PYTHON=/path/to/python3 init' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo '$(PYTHON) makes no environments without the package python3-venv.' >&2; \
		if [ "$$(id -u)" != 0 ]; then echo 'Install it: sudo apt-get install python3-venv' >&2; exit 1; fi; \
		apt-get update && apt-get install --yes --no-install-recommends python3-venv; }
	@echo 'Making $(VENV) with $(PYTHON) from requirements-dev.lock; this takes a few minutes.'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --quiet --no-deps --require-hashes --only-binary :all: --requirement requirements-dev.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check --quiet
	@touch $@

demo: $(INSTALLED) ## Everything on this machine, with a simulated TWS: http://127.0.0.1:8080/
	@exec $(BIN)/resync demo --data-dir .resync $(ARGS)

serve: $(INSTALLED) ## The server with your RESYNC_… settings, from the environment or .env
	@exec $(BIN)/resync serve

test: lint types imports unit contract e2e browser ## The whole suite

check: lint types imports unit ## What needs no services: style, types, import contracts, unit tests

lint: $(INSTALLED) ## Style: ruff
	$(call section,style)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(INSTALLED) ## Types: mypy, strict
	$(call section,types)
	@$(BIN)/mypy

imports: $(INSTALLED) ## Who may import whom: .importlinter
	$(call section,import contracts)
	@$(BIN)/lint-imports

unit: $(INSTALLED) ## Tests without services
	$(call section,unit tests)
	@$(PYTEST) $(PARALLEL) tests/unit $(ARGS)

contract: $(INSTALLED) ## Tests of each part against real services and vendor doubles
	$(call section,contract tests)
	@$(PYTEST) $(PARALLEL) tests/contract $(ARGS)

e2e: $(INSTALLED) ## Tests of the whole server over HTTP
	$(call section,end-to-end tests)
	@$(PYTEST) tests/e2e $(ARGS)

browser: $(INSTALLED) ## Tests of the web page in Chromium
	$(call section,browser tests)
	@$(PYTEST) tests/browser $(ARGS)

cards: $(INSTALLED) ## 10,000 generated cards in the official renderer, which npm installs; ARGS="--count 500"
	@$(BIN)/python -m tests.cards.check $(ARGS)

pictures: $(INSTALLED) ## What people see in Slack and Teams, light and dark, into docs/images; npm brings the renderers
	@$(BIN)/python -m tests.cards.pictures $(ARGS)

teams-e2e: $(INSTALLED) ## The bot in a real Teams client, which npm installs
	@$(PYTEST) tests/teams/playground.py $(ARGS)

teams-package: $(INSTALLED) ## The app package for Teams, dist/resync-teams.zip, from your RESYNC_… settings
	@$(BIN)/resync teams-package $(ARGS)

bench: $(INSTALLED) ## Times of acknowledgement and of a status turn, and memory; ARGS=--search adds 100,000 chunks
	@$(BIN)/python -m tests.bench.bench $(ARGS)

eval: $(INSTALLED) ## How good the assistant is on simulated nights, without a model; ARGS=--model asks yours
	@$(BIN)/resync eval agent $(ARGS)

eval-retrieval: $(INSTALLED) ## How good the search is on the sets in ../shared/bench-data
	@$(BIN)/resync eval retrieval $(wildcard ../shared/bench-data/*/) $(ARGS)

docs: $(INSTALLED) ## Writes docs/settings.md anew
	@$(BIN)/python -m docs.settings_table

lock: ## Resolves the lock files anew with uv; ARGS=--upgrade takes newer releases
	$(COMPILE) $(ARGS) --output-file requirements.lock pyproject.toml
	$(COMPILE) $(ARGS) --group dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

wheel: $(INSTALLED) ## Builds the wheel in dist/
	@rm -rf dist
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean: ## Removes .venv, caches and build results; the data folder .resync stays
	@rm -rf $(VENV) build dist .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './.resync/*' -prune -exec rm -rf {} +
