# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.PHONY: help demo test torture lint types mutants openapi serve install dev clean

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 12

demo: $(VENV)/.installed ## Play the whole voyage on a fresh platform and verify it offline
	@$(BIN)/bol demo

serve: $(VENV)/.installed ## Leave a platform with demo data up on http://127.0.0.1:8080
	@$(BIN)/bol seed --serve

test: $(VENV)/.dev ## Run everything that proves the service (under 10 minutes on 2 cores)
	$(BIN)/python -m pytest -n $(WORKERS) -m "not torture" $(ARGS)

torture: $(VENV)/.dev ## The long runs: 100 kills, every byte of the voyage's evidence
	$(BIN)/python -m pytest -m torture $(ARGS)

lint: $(VENV)/.dev ## Style, import contracts, generated files, locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_schemas.py --check
	$(BIN)/python scripts/check_repository.py

types: $(VENV)/.dev ## Check the types
	$(BIN)/mypy

mutants: $(VENV)/.dev ## Mutation testing of domain, crypto, ledger, verification (SAMPLE=n for a sample)
	$(BIN)/python scripts/mutants.py $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

openapi: $(VENV)/.dev ## Generate schemas/ from the marshmallow classes
	$(BIN)/python scripts/generate_schemas.py

install: $(VENV)/.installed ## Only make the virtual environment

dev: $(VENV)/.dev ## The virtual environment with all development tools

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean: ## Remove what was generated here
	rm -rf demo-out var .pytest_cache .mypy_cache .ruff_cache .hypothesis build
