# make demo: mark a sample class.  make test: run the tests.  Both set up what they need.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test hooks bubblewrap chromium

demo: .venv/ready bubblewrap
	$(BIN)/python -m grading demo $(FLAGS)

test: .venv/ready bubblewrap chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest $(FLAGS)

hooks: .venv/ready
	$(BIN)/pre-commit install

.venv/ready: requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -e .
	touch $@

# Debian packages: bubblewrap isolates student code, chromium is for the tests alone.
bubblewrap chromium:
	@command -v $(if $(filter bubblewrap,$@),bwrap,chromium) >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $@ >/dev/null; \
	  else \
	    echo "$@ is not installed; on Debian and Ubuntu: sudo apt install $@"; \
	  fi; }
