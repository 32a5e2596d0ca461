# The words of this project's daily work. `make` alone lists them.

PYTHON ?= python3
py := .venv/bin/python
runtime := .venv/.runtime
development := .venv/.development

.DEFAULT_GOAL := help
.PHONY: help run stop test check format openapi texts bench screenshots

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(runtime) ## Start everything: database, demo, web, workers (PORT=8000; Ctrl-C stops it)
	@exec $(py) -m config.run

stop: $(runtime) ## Stop what `make run` has left running, and the embedded database
	@$(py) -m config.run stop

test: $(development) ## Run all tests (ARGS="tests/test_frame.py -k ready" for some)
	@# A folder of its own: another pytest on the machine would shut the shared one to the account that runs PostgreSQL.
	@root=$$(mktemp -d) && trap 'rm -rf "$$root"' EXIT && PYTEST_DEBUG_TEMPROOT="$$root" $(py) -m pytest $(ARGS)

check: $(development) ## Lint, format, types, floors, migrations, templates, API description, translations
	$(py) -m ruff check .
	$(py) -m ruff format --check .
	$(py) -m mypy
	.venv/bin/lint-imports
	$(py) manage.py check --fail-level WARNING
	$(py) manage.py makemigrations --check --dry-run
	find templates */templates -name '*.html' 2>/dev/null | xargs -r $(py) -m djlint --lint --quiet
	$(py) -m config.openapi check
	$(py) -m config.translating check

format: $(development) ## Format the code and mend what can be mended by machine
	$(py) -m ruff check --fix .
	$(py) -m ruff format .

openapi: $(development) ## Write docs/openapi.yaml from the code
	$(py) -m config.openapi write

texts: $(development) ## Gather the texts for translation in locale/, and compile what is translated
	$(py) -m config.translating update

bench: $(development) ## Measure speed against hand-written SQL, as a table and JSON
	@$(py) manage.py bench $(ARGS)

screenshots: $(development) ## Take the pictures of docs/ from the running demo
	@$(py) manage.py screenshots $(ARGS)

$(runtime): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Backline needs Python 3.11 or newer as "$(PYTHON)". Name another one: make PYTHON=python3.12 ...'; exit 1; }
	@$(py) -m pip --version >/dev/null 2>&1 || { echo 'Building .venv'; $(PYTHON) -m venv --clear .venv; } || { \
	  echo 'The environment cannot be built. On Debian and Ubuntu: apt-get install python3-venv'; exit 1; }
	@echo 'Installing what requirements.txt names'
	@$(py) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(development): requirements-dev.txt $(runtime)
	@echo 'Installing what requirements-dev.txt names'
	@$(py) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
