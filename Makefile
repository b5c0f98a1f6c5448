# On a Debian machine with git, make, python3 and root: `make demo` (or `demo-rpm`) shows what venvpkg does, `make test` proves it.

BIN := .venv/bin
TIERS := $(wildcard tests/unit tests/differential tests/packaging tests/acceptance)
SCRIPTS := $(shell git ls-files -co --exclude-standard .ci tests examples vagrant | \
	xargs -r awk 'FNR > 1 { nextfile } /^\#!(\/usr)?\/bin\/(env )?(ba|da)?sh/ { print FILENAME }' 2>/dev/null)

# Makes sense with fewer tiers too: make coverage TIERS=tests/unit
PYTEST = tests/one-index $(RUN) -m pytest --numprocesses auto --dist loadfile -m 'not full'
RUN := $(BIN)/python
COVERAGE := .cache/coverage

.PHONY: demo demo-rpm test lint types check unit differential packaging acceptance coverage example test-full clean-full setup
.NOTPARALLEL:

demo: setup
	@tests/one-index tests/demo

demo-rpm: setup
	@tests/one-index tests/demo-rpm

test: lint types check example

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PATH="$(CURDIR)/$(BIN):$$PATH" lint-imports --no-logo
	shellcheck $(SCRIPTS)

types: setup
	$(BIN)/mypy
	cd examples/guestbook && $(CURDIR)/$(BIN)/mypy --strict src

check: setup
	$(PYTEST) $(TIERS)

# A tier of `check` alone.
unit differential packaging acceptance: setup
	$(PYTEST) tests/$@

# Whoever runs venvpkg in a test writes there, ordinary users too. Failed tests do not keep the figures back.
coverage: RUN := $(BIN)/coverage run
coverage: setup
	rm -rf $(COVERAGE)
	mkdir -p -m 1777 $(COVERAGE)
	$(PYTEST) $(TIERS); code=$$?; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage html --quiet && $(BIN)/coverage report && \
	echo 'Line by line: $(COVERAGE)/html/index.html' && exit $$code

example: setup
	$(BIN)/pytest -q examples/guestbook

test-full: setup
	@tests/full

clean-full:
	rm -rf .cache/full

setup:
	@tests/setup
