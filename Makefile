# Everything a person or CI does with the repository. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
CODE := src tests benchmarks fuzz examples docs build_support deploy setup.py
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
KERNELS := $(VENV)/.kernels

# The tools of .venv come first, among them Go where the machine has none (see setup).
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup kernels check format test demo bench fuzz matrix docs lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(STAMP) kernels ## make .venv with the package, its compiled kernels and its tools

$(STAMP): pyproject.toml constraints/dev.txt constraints/go.txt web/package-lock.json
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r constraints/dev.txt
	@command -v go >/dev/null || \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r constraints/go.txt
	$(BIN)/python -m build_support.assets
	@echo 'compiling the kernels, once: some minutes without a word'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(KERNELS)

kernels: $(KERNELS) ## compile the kernels again after a change

$(KERNELS): setup.py build_support/kernels.py $(wildcard src/gocost/kernels/*.py) | $(STAMP)
	$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

check: setup ## lint, types, layers, docs
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy src tests build_support fuzz
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/build.py --check

format: setup ## put the code in its one form
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

test: setup ## run the tests
	$(BIN)/pytest -n 2 --dist loadgroup

demo: setup ## build two Go services, load them, gate them, break them, see the gate block that
	$(BIN)/python examples/demo.py

bench: setup ## measure against the peers; the table goes to docs/performance.md
	$(BIN)/python -m benchmarks

fuzz: setup ## feed every decoder hostile input (RUNS=1000000 for more)
	$(BIN)/python -m fuzz --runs $(or $(RUNS),100000)

matrix: setup ## every toolchain, mode and platform (downloads 200 to 400 MB a toolchain)
	$(BIN)/python -m tests.matrix

docs: setup ## run the docs' commands, write their output and the reference pages, build the site
	$(BIN)/python docs/build.py
	$(BIN)/mkdocs build --strict --quiet

lock: setup ## pin the tools again, by hash and without hosts
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.11 --group dev pyproject.toml -o constraints/dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.11 constraints/go.in -o constraints/go.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.11 constraints/node.in -o constraints/node.txt

clean: ## remove what was built
	rm -rf build .cache site $(VENV)
