# make demo: mark a sample class.  make test: run the tests.  Both set up what they need.
# make bench: mark a class of 100 with stock nbgrader and with this kit, side by side.
# make site: build the learners' site; EDITION=solved adds the solutions.
# make test-torch: hold the solutions against PyTorch, which it installs (about 200 MB).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-torch bench site hooks bubblewrap chromium postgresql

demo: .venv/ready bubblewrap
	$(BIN)/python -m grading demo $(FLAGS)

test: .venv/ready bubblewrap chromium postgresql
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest $(FLAGS)

test-torch: .venv/torch
	$(BIN)/pytest $(FLAGS) tests/with_torch.py

bench: .venv/ready bubblewrap
	$(BIN)/python benchmarks/speed.py compare

site: .venv/ready
	$(BIN)/python site/build.py $(EDITION)

hooks: .venv/ready
	$(BIN)/pre-commit install

.venv/ready: requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -e .
	touch $@

.venv/torch: requirements-torch.txt | .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --retries 1 -r requirements-torch.txt
	touch $@

# Debian packages: bubblewrap isolates student code; the others are for the tests alone.
program = $(or $(wildcard /usr/bin/$(1) /usr/lib/postgresql/*/bin/$(1)),$(shell command -v $(1)))
bubblewrap: NEEDS = bwrap
chromium: NEEDS = chromium
postgresql: NEEDS = initdb
bubblewrap chromium postgresql:
	@test -n "$(call program,$(NEEDS))" || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $@ >/dev/null; \
	  else \
	    echo "$@ is not installed; on Debian and Ubuntu: sudo apt install $@"; \
	  fi; }
