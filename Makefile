# Everything here runs on a machine that has Python 3.11+ and nothing else.
# Options for the command behind a target go into ARGS:  make up ARGS="--generate 500"

RUN := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: setup ## Run the whole pipeline once on generated events and print what happened
	@$(RUN) -m tidelake demo $(ARGS)

up: setup ## Run the pipeline until Ctrl-C
	@$(RUN) -m tidelake up $(ARGS)

test: setup ## Run all tests (Spark has its own target)
	@$(RUN) -m pytest -m "not spark" $(ARGS)

check: setup-check ## Run what CI runs besides tests: format, lint, types, import rules, documents
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports
	@$(RUN) -m pytest -q -m "not slow" tests/project

format: setup-check ## Format the code and apply the safe lint fixes
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

docs: setup ## Write the generated files again: schemas, columns, settings
	@$(RUN) -m tidelake schema export all --into .

bench: setup ## Measure speed, memory and size, as CPU-seconds per million events
	@$(RUN) -m bench $(ARGS)

test-spark: setup ## Read one lake with PyIceberg, DuckDB and Apache Spark 4 (needs Java 17 and Maven)
	@$(RUN) tools/setup.py --spark
	@$(RUN) tools/spark_jars.py
	@$(RUN) -m pytest -m spark tests/spark $(ARGS)

setup: ## Create .venv and install the pinned requirements, if they changed
	@sh tools/setup.sh

setup-check: setup ## The same, with what `make check` needs
	@sh tools/setup.sh --check

lock: setup ## Pin the requirements*.in files again, with hashes
	@$(RUN) tools/lock.py

erase: setup ## Delete .tidelake and with it ALL YOUR DATA: the lake, the inbox, PostgreSQL
	@$(RUN) tools/erase.py $(ARGS)

clean: ## Remove environments, caches and build output; your data in .tidelake stays
	@rm -rf .venv .venv-spark .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo up test check format docs bench test-spark setup setup-check lock erase clean
