# Everything a developer runs. `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Test files at once, each worker with a PostgreSQL of its own: as many as there are cores, but at most 4.
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help run demo psql test check format protos lock setup clean

##@ Use it
run: $(READY) ## start the suite on an embedded PostgreSQL (Ctrl-C stops it, the data stays)
	@$(BIN)/pmcrm serve

demo: $(READY) ## the tour: real calls against a running suite, or one of its own
	@$(BIN)/pmcrm demo

psql: $(READY) ## a shell on the database (make psql ARGS="-c 'select 1'")
	@$(BIN)/pmcrm psql $(ARGS)

##@ Work on it
test: $(READY) ## every test (make test ARGS="-k embedded")
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --maxprocesses 4 --dist loadfile $(ARGS)

check: $(READY) ## formatting, lint, types, contracts, generated code
	@$(BIN)/python tools/check.py

format: $(READY) ## rewrite the code as the formatter and the fixable lints want it
	@$(BIN)/ruff check --fix --quiet .; $(BIN)/ruff format --quiet .

protos: $(READY) ## regenerate gen/ from protos/
	@$(BIN)/python tools/generate_protos.py

lock: ## pin the newest releases that pyproject.toml allows, with hashes, in requirements.lock
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	@CUSTOM_COMPILE_COMMAND="make lock" build/lock/bin/pip-compile --quiet --upgrade --extra dev --strip-extras \
		--allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--output-file requirements.lock pyproject.toml
	@rm -rf build/lock

##@ Housekeeping
setup: $(READY) ## make .venv as requirements.lock says (the other targets do it by themselves)

clean: ## remove .venv and caches; the data in .pmcrm stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

# The stamp is newer than what it was made from only when every step has succeeded.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "pmcrm needs Python 3.11 or newer as '$(PYTHON)'. Install one, or name it: make PYTHON=python3.12 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing what requirements.lock pins into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
