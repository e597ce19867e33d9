PYTHON ?= python3
BIN := .venv/bin
NEWEST ?=  # 1: the newest packages that pyproject.toml allows, in place of the pinned ones
unexport PYTHONDONTWRITEBYTECODE  # images set it: each of a thousand processes would compile all
# Those of the tests that mark no class, build no site and start no browser.
FAST := $(addprefix tests/test_, address.py autograd.py checks.py colours.py documented.py downloads.py \
  figures.py formulas.py house.py new.py notebooks.py stops.py translation.py utils.py wire.py)

.DEFAULT_GOAL := help
.PHONY: help demo check types test pytest test-torch bench site hooks
.PHONY: bubblewrap chromium-headless-shell postgresql

help:  ## show this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: bubblewrap .venv/ready  ## mark a sample class; FLAGS=--all: of every assignment
	$(BIN)/python -m grading demo $(FLAGS)

check: .venv/ready types  ## for daily work: format, types, rules of dependency, fast tests
	$(BIN)/pytest -k "not opens_what" $(FAST)

types: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

test: bubblewrap chromium-headless-shell postgresql .venv/ready  ## all tests; FLAGS: what pytest takes
	$(MAKE) --no-print-directory -j2 types pytest  # mypy takes a single core, and half a minute

pytest: export OPENBLAS_NUM_THREADS = 1  # three processes of two threads wait for each other
pytest:
	$(BIN)/pytest $(FLAGS)

test-torch: .venv/torch  ## hold the solutions against PyTorch, which it installs (about 200 MB)
	$(BIN)/pytest $(FLAGS) tests/with_torch.py tests/with_trainings.py

bench: bubblewrap .venv/ready  ## mark a class of 100 of each assignment, by stock nbgrader and by this kit
	$(BIN)/python benchmarks/speed.py compare $(FLAGS)

site: .venv/ready  ## build the learners' site; EDITION=solved: with the solutions
	$(BIN)/python site/build.py $(EDITION)

hooks: .venv/ready  ## let commits leave out the outputs of source notebooks
	$(BIN)/pre-commit install

.venv/ready: requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	cat requirements.txt requirements-dev.txt | grep -v '^-r' $(if $(NEWEST),| sed 's/==[^ ;]*//') > .venv/requirements.txt
	@# this pip needs two thirds of the time of the one that comes with Python 3.11
	$(BIN)/pip install --quiet --disable-pip-version-check pip==26.3
	@# most modules are never imported: what is, Python compiles by itself
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile \
	  -r .venv/requirements.txt -e .
	touch $@

.venv/torch: requirements-torch.txt | .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check --retries 1 -r requirements-torch.txt
	touch $@

# Debian packages: bubblewrap isolates student code; the others are for the tests alone. Where there is
# no Chromium without windows (Ubuntu), the tests take another one.
program = $(or $(wildcard /usr/bin/$(1) /usr/lib/postgresql/*/bin/$(1)),$(shell command -v $(1)))
bubblewrap: NEEDS = bwrap
chromium-headless-shell: NEEDS = chromium-headless-shell
postgresql: NEEDS = initdb
bubblewrap chromium-headless-shell postgresql:
	@test -n "$(call program,$(NEEDS))" || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $@ >/dev/null \
	      || test $@ = chromium-headless-shell -a -n "$(call program,chromium)"; \
	  else \
	    echo "$@ is not installed; on Debian$(if $(filter chromium-%,$@),, and Ubuntu): sudo apt install $@"; \
	    test $@ != bubblewrap || test -n "$(filter --unprotected,$(FLAGS))" || { \
	      echo "Without it: make demo FLAGS=--unprotected, and docs/platforms.md"; exit 1; }; \
	  fi; }
