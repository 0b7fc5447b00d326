.DEFAULT_GOAL := help
.PHONY: help install check format test page train benchmark

PYTHON ?= python

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:  ## Install the package with what its tests need
	$(PYTHON) -m pip install -e ".[test]"

check:  ## Lint, and check the format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format:  ## Fix what lint can fix, and format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

test:  ## Run the tests
	$(PYTHON) -m pytest

page:  ## Serve the Gradio page
	$(PYTHON) app.py

train:  ## Train the mini configuration on MNRE
	accelerate launch train/run.py train/configs/mnre/mini.yaml

benchmark:  ## Measure speed
	$(PYTHON) -m train.benchmark.measure
