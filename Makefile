.DEFAULT_GOAL := help
.PHONY: help install check format types docs test test-all lowest build page train benchmark

PYTHON ?= python

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## Install the package with all that its development needs
	$(PYTHON) -m pip install -e ".[dev]"

check: types  ## Lint, and check format and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format:  ## Fix what lint can fix, and format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types:  ## Check the types of the package
	$(PYTHON) -m pyright

docs:  ## Build the documentation; a warning is an error
	$(PYTHON) -m mkdocs build --strict

test:  ## Run the fast tests
	$(PYTHON) -m pytest

test-all:  ## Run all tests, the slow ones and those in a browser too
	$(PYTHON) -m pytest -m ""

lowest:  ## Run the fast tests with the oldest releases that the package admits
	PYTHON=$(PYTHON) .ci/lowest

build:  ## Build the wheel and the source distribution
	$(PYTHON) -m build

page:  ## Serve the Gradio page
	$(PYTHON) app.py

train:  ## Train the mini configuration on MNRE: make train DATA=path/to/mnre
	@test -n "$(DATA)" || { echo "Name the folder of MNRE: make train DATA=path/to/mnre"; exit 2; }
	$(PYTHON) -m accelerate.commands.launch train/run.py train/configs/mnre/mini.yaml --data_dir "$(DATA)"

benchmark:  ## Measure speed
	$(PYTHON) -m train.benchmark
