# make demo: grade a sample class.  make test: run the tests.  Both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
A ?= rnn_lstm_forward

.PHONY: demo test prove release figures lint

demo: .venv/ready
	$(BIN)/python -m grading demo

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest

prove: .venv/ready
	$(BIN)/python -m grading prove $(A)

.venv/ready: requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements-dev.txt -e .
	touch $@
