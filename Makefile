# Greenbay. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FRONTEND := web/frontend
PACKAGES := city parking signals lpr payments journeys web
FRONTEND_SOURCES := $(shell find $(FRONTEND) web/catalogue -type f -not -path '*/node_modules/*' 2>/dev/null)

# One more than there are cores, at most 5: whoever drives the browser waits most of the time.
WORKERS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 4 ? n + 1 : 5)))

.PHONY: help setup run test bench check lock openapi clean

help: ## What you can do
	@grep -E '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.runtime web/static/build/.built ## Everything that running needs; nothing is started

run: setup ## The whole system on embedded servers, with a demo city; prints its address
	@exec $(BIN)/python -m city.works.supervisor

# Tests start some hundred processes: each would compile all sources anew where the surroundings
# forbid to keep what was compiled.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup $(VENV)/.development ## Lint, types, import rules, unit, store, API and browser tests
	@bash .ci/browser.sh
	@$(BIN)/python -m compileall -q -j 0 $(PACKAGES)
	@bash .ci/test.sh --numprocesses=$(WORKERS) --dist=loadscope --no-loadscope-reorder $(PYTEST_ARGS)

check: setup $(VENV)/.development ## Lint, types, import rules and house rules alone
	@bash .ci/check.sh

bench: setup $(VENV)/.development ## Every benchmark beside its floor; results in bench/results/
	@$(BIN)/python -m bench

lock: $(VENV)/.development ## Write the hashed locks again from requirements*.in
	@for name in "" -dev -node -train -peers; do \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	    requirements$$name.in --output-file requirements$$name.txt; done

openapi: $(VENV)/.runtime ## Write docs/openapi.json from the routes
	@$(BIN)/python -m web.openapi > docs/openapi.json

clean: ## Remove what was built (not var/, where the data lives)
	@rm -rf $(VENV) web/static/build $(FRONTEND)/node_modules

$(VENV)/bin/python:
	@bash .ci/venv.sh "$(PYTHON)" "$(VENV)"

$(VENV)/.runtime: requirements.txt | $(VENV)/bin/python
	@echo "Installing what Greenbay runs on ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

web/static/build/.built: $(FRONTEND_SOURCES) .ci/frontend.sh | $(VENV)/bin/python
	@bash .ci/frontend.sh "$(BIN)"
	@mkdir -p $(@D) && touch $@
