# make run      serve on http://127.0.0.1:8000 (PORT), with everything it needs
# make test     the whole suite, browser tests included
# make check    lint, types, layers, migrations, messages
# make bench    measure against the limits of this machine
# make messages collect new texts for translation
# make lock     pin the requirements
# make clean    remove what was built; the data in var/ stay

PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# One more than there are processors, as tests of servers and browsers wait; five at most, and each has a
# database of its own.
TEST_PROCESSES ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
	if [ $$n -gt 4 ]; then echo 5; else echo $$((n + 1)); fi)

.PHONY: run test check bench messages lock clean

# The process takes the place of a shell, so that Ctrl-C and the end of make reach it.
run: $(RUN_READY)
	@$(BIN)/python manage.py serve --until-parent-ends

# Compiled once, and not again by each of the hundred processes that tests start.
test: export PYTHONDONTWRITEBYTECODE =
test: $(DEV_READY)
	@$(BIN)/python -m tests.chromium
	@$(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(DEV_READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python manage.py check --fail-level WARNING
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check_messages

bench: $(DEV_READY)
	@$(BIN)/python -m benchmarks

messages: $(DEV_READY)
	@$(BIN)/python manage.py make_messages

lock: $(DEV_READY)
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var/test
	find . -path ./var -prune -o -name __pycache__ -type d -print | xargs rm -rf

# The stamps stand for what is installed: a changed requirements file installs again.
$(BIN)/python:
	@echo "Making $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shuke needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "The venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(RUN_READY): requirements.txt | $(BIN)/python
	@echo "Installing what Shuke runs on …"
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

$(DEV_READY): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing what Shuke is built and checked with …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $(RUN_READY) $@
