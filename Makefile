# Needs Python 3.11 or newer, make and git; everything else goes into .venv, from requirements.lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCHMARKS ?= docs/benchmarks.md
DOCS := .venv-docs
DOCS_READY := $(DOCS)/.ready
MARTS_READY := $(VENV)/.marts
BI := .venv-bi
BI_READY := $(BI)/.ready
CHECKED := engine/odoo_shadow airflow_provider_odoo_shadow dags odoo_stand_in bi tools tests

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo ui bi unit test nightly chaos lint bench docs reference lock clean

help: ## list these targets
	@echo "make TARGET [PYTHON=python3.12]"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  %-9s %s\n' "$$name" "$$text"; done

demo: $(READY) $(MARTS_READY) ## mirror an Odoo (a stand-in, or ODOO_URL …) into PostgreSQL with Airflow, and show the result
	@$(BIN)/python -m tools.demo

ui: $(READY) ## open Airflow's web interface on the same parts, until Ctrl-C
	@$(BIN)/python -m tools.ui

bi: $(READY) $(MARTS_READY) $(BI_READY) ## open the dashboards in Apache Superset, on the demo's marts or your own (SUPABASE_DB_URL), until Ctrl-C
	@$(BIN)/python -m tools.bi $(BI_OPTIONS)

unit: $(READY) ## run the tests that need no server, in seconds
	@$(BIN)/python -m pytest tests/unit

test: $(READY) $(MARTS_READY) ## run the tests, on all cores, most of them for one of the two flavours of Odoo; long ones are nightly's
	@$(BIN)/python -m pytest --numprocesses auto

nightly: $(READY) $(MARTS_READY) ## run all tests with all parameters for both flavours of Odoo, then on Debian's PostgreSQL 15 (if it is there)
	@ODOO_SHADOW_FLAVOURS=all $(BIN)/python -m pytest --numprocesses auto
	@if [ -x /usr/lib/postgresql/15/bin/pg_ctl ]; then \
		ODOO_SHADOW_POSTGRES=15 $(BIN)/python -m pytest --numprocesses auto; \
	else echo "No PostgreSQL 15 here (Debian: postgresql-15): its tests are left out."; fi

chaos: $(READY) ## tell thousands of random stories of Odoo and the mirror, and spoil its answers; all must end well
	@ODOO_SHADOW_SEED=$${ODOO_SHADOW_SEED:-random} ODOO_SHADOW_STORIES=$${ODOO_SHADOW_STORIES:-5000} \
		$(BIN)/python -m pytest -s tests/property tests/source/test_fuzz.py

lint: $(READY) ## check style, types and the layers
	$(BIN)/ruff check $(CHECKED)
	$(BIN)/ruff format --check $(CHECKED)
	$(BIN)/mypy --strict $(CHECKED)
	$(BIN)/lint-imports

bench: $(READY) $(MARTS_READY) ## measure rows a second, calls and memory, and write docs/benchmarks.md
	@$(BIN)/python -m tools.bench --output $(BENCHMARKS)

docs: $(DOCS_READY) ## build the site of docs/ in site/; broken links fail
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict
	@echo "Open site/index.html"

reference: $(READY) ## write anew what the pages of docs/reference/ take from the code
	@$(BIN)/python -m tools.reference

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

lock: ## pin what setup.cfg and requirements-*.in ask for (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	echo "./engine[knowledge,mcp]" | $(LOCK) --no-emit-package odoo-shadow - setup.cfg engine/setup.cfg requirements-dev.in -o requirements.lock
	$(LOCK) requirements-docs.in -o requirements-docs.lock
	$(LOCK) requirements-bi.in -o requirements-bi.lock
	$(LOCK) requirements-marts.in -o engine/odoo_shadow/marts/requirements.lock
	$(LOCK) --no-deps --constraints requirements.lock docker/requirements.in -o docker/requirements.lock

clean: ## remove the virtual environment and all that was built
	rm -rf $(VENV) $(DOCS) $(BI) site build dist .demo *.egg-info engine/build engine/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CHECKED) -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock setup.cfg engine/setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, but $(PYTHON) is $$({ $(PYTHON) -V || echo missing; } 2>&1 | tail -n 1)." \
			"Name another, such as: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: python3-venv)."; exit 1; }
	@echo "Making the virtual environment $(VENV) from requirements.lock; this happens once and takes a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e engine -e .
	@touch $@

$(MARTS_READY): $(READY) engine/odoo_shadow/marts/requirements.lock
	@$(BIN)/odoo-shadow marts setup
	@touch $@

$(DOCS_READY): requirements-docs.lock
	@$(PYTHON) -m venv $(DOCS)
	@$(DOCS)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-docs.lock
	@touch $@

$(BI_READY): requirements-bi.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' || { \
		echo "Superset needs Python 3.11 or 3.12: name one, such as: make bi PYTHON=python3.12"; exit 1; }
	@echo "Making the virtual environment $(BI) from requirements-bi.lock; this happens once and takes a minute or two."
	@$(PYTHON) -m venv $(BI)
	@$(BI)/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-bi.lock
	@touch $@
