# The commands of a developer and of a first-time user. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
DEMO_DIR ?= stadthub-data/demo
REAL_DIR ?= stadthub-data/real
ARGS ?=

SHARED_DIR ?= ../shared

.PHONY: help install demo test real bench compatibility lock format clean

help: ## Say what there is
	@echo "Stadthub: make <command>"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Make the environment .venv from the lock and build the front end (quick when nothing changed)
	@sh deploy/environment.sh

demo: install ## Start the simulated city on http://127.0.0.1:8000 (ARGS="--port 8080"); ctrl-C stops it, data stay
	@exec $(BIN)/stadthub demo --data-dir "$(DEMO_DIR)" $(ARGS)

test: install ## Check everything: format, lint, types, floors, licences, tests (ARGS="-k words tests/lake")
	@sh deploy/system-packages.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/reuse lint --quiet || $(BIN)/reuse lint
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

real: install ## Load real input of German cities (SHARED_DIR, else ../shared) into REAL_DIR and check the totals
	@$(BIN)/python -m deploy.real.run --data-dir "$(REAL_DIR)" $(ARGS)

bench: install ## Measure against mosquitto_sub, PostgreSQL and Datasette (ARGS="ingest")
	@sh deploy/system-packages.sh
	@$(BIN)/python -m tests.benchmarks $(ARGS)

compatibility: install ## Write docs/ckan-compatibility.md anew; needs the recorded answers of a CKAN (SHARED_DIR, else ../shared)
	@SHARED_DIR="$(SHARED_DIR)" $(BIN)/python -m tests.clients.compatibility

lock: install ## Write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet \
	  --custom-compile-command "make lock" \
	  --group test --group lint --group build --group bench pyproject.toml -o requirements.lock

format: install ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment, built files and caches; data stay
	rm -rf .venv build dist api/frontend/node_modules api/stadthub_api/portal/static/built
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
