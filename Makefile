# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.PHONY: help demo test oldest torture lint types mutants bench verifier openapi serve install dev clean

# Hundreds of processes are started: each would compile all modules again where nothing keeps them.
demo test oldest torture: export PYTHONDONTWRITEBYTECODE :=

help: ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 12

demo: $(VENV)/.installed ## Play the whole voyage on a fresh platform and verify it offline
	@$(BIN)/bol demo

serve: $(VENV)/.installed ## Leave a platform with demo data up on http://127.0.0.1:8080
	@$(BIN)/bol seed --serve

test: $(VENV)/.dev ## Run everything that proves the service (about 10 minutes on 2 cores)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not torture" $(ARGS)

OLDEST := $(VENV)/oldest
oldest: $(OLDEST)/.installed ## Storage and voyage on both databases, on the oldest SQLAlchemy that is taken
	PYTHONPATH=$(OLDEST) $(BIN)/python -c "import sqlalchemy; print('SQLAlchemy', sqlalchemy.__version__); assert sqlalchemy.__version__.startswith('2.0.')"
	PYTHONPATH=$(OLDEST) $(BIN)/python -m pytest -n $(WORKERS) -m "not torture" tests/storage/test_store.py tests/storage/test_append_only.py tests/storage/test_audit_caches.py tests/storage/test_audit_cosignatures.py tests/storage/test_roles.py tests/storage/test_witnessing.py tests/storage/test_voyage_on_postgresql.py tests/http/test_voyage.py $(ARGS)

torture: $(VENV)/.dev ## The long runs: 300 kills, 1,000 races, every byte of the evidence, a primary lost
	$(BIN)/python -m pytest -m torture $(ARGS)

lint: $(VENV)/.dev ## Style, import contracts, generated files, locks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_schemas.py --check
	$(BIN)/python scripts/generate_law_tables.py --check
	$(BIN)/python scripts/build_verifier.py --check
	$(BIN)/python scripts/corridor_map.py --check
	$(BIN)/python scripts/finding_words.py --check
	$(BIN)/python scripts/bruno_collection.py --check
	$(BIN)/python scripts/check_repository.py

types: $(VENV)/.dev ## Check the types
	$(BIN)/mypy

mutants: $(VENV)/.dev ## Mutation testing of domain, crypto, ledger, verification (SAMPLE=n for a sample)
	$(BIN)/python scripts/mutants.py $(if $(SAMPLE),--sample $(SAMPLE)) $(ARGS)

bench: $(VENV)/.dev ## Measure the service beside its limits (QUICK=1, ROWS="...", BILLS=n, WRITE=1)
	$(BIN)/python bench/run.py $(if $(QUICK),--quick) $(if $(BILLS),--bills $(BILLS)) $(if $(WRITE),--write docs/performance.md) $(ROWS)

verifier: $(VENV)/.dev ## Generate schemas/law.json and the verifier in one file
	$(BIN)/python scripts/generate_law_tables.py
	$(BIN)/python scripts/build_verifier.py

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

$(OLDEST)/.installed: requirements-oldest.lock $(VENV)/.dev
	rm -rf $(OLDEST)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --target $(OLDEST) -r requirements-oldest.lock
	@touch $@

clean: ## Remove what was generated here
	rm -rf demo-out var .pytest_cache .mypy_cache .ruff_cache .hypothesis build
