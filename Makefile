# Every command of this project: people, pre-commit and CI call the same ones.
# Needed beforehand: make, and Python >= 3.11 with pip or venv.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The machine's uv where it has one, else a private one below .cache/.
PRIVATE_UV := .cache/uv/bin/uv
UV := $(if $(shell uv --version 2>/dev/null),uv,$(PRIVATE_UV))
# `install` has synced already: running must not lock or sync once more.
RUN := $(UV) run --no-sync

# pyright comes with all it needs; without this it asks a registry whether it is outdated.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help install fmt lint test up down manifests docs pictures verify bench cluster-up cluster \
        cluster-down kubeconfig image

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(filter $(PRIVATE_UV),$(UV)) ## Install everything into .venv, as locked
	@$(UV) sync --locked --all-packages

fmt: install ## Format, and fix what can be fixed without thinking
	$(RUN) ruff check --fix --quiet || true
	$(RUN) ruff format

lint: install ## Check style, types and architecture
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) pyright
	$(RUN) lint-imports

manifests: install ## Write the CRDs, the reference in docs/, and what programs write of the chart
	@$(RUN) python -m dev manifests

docs: install ## Build the documentation as a site, in site/
	@$(RUN) python -m dev docs

pictures: install ## Make the pictures of the README anew, in docs/pictures
	@$(RUN) python -m dev pictures

# Whatever a program writes and git keeps is written again here and compared.
verify: install ## Check generated files, copies, the chart and changelog fragments
	$(UV) lock --check
	@$(RUN) python -m dev manifests --check
	@$(RUN) python -m dev chart
	@for member in core operator; do cmp LICENSE $$member/LICENSE; done
	@said=$$($(RUN) towncrier build --draft --version next 2>&1) || { echo "$$said"; exit 1; }

# Three workers also on two cores: one has all tests on the node and waits for its Pods nine tenths
# of the time, the others wait for processes and an API server. With four the load is above 8, for
# which deadlines are made. A run has two clusters, whatever the number of workers.
# Where Python may write no bytecode, each of these processes would compile all that it imports.
test: install ## Check everything, then run all tests
	@$(RUN) python -m dev left-out
	@$(UV) sync --quiet --locked --all-packages --compile-bytecode
	@$(RUN) python -m compileall -q -j 0 core/src operator/src dev tests
	@$(MAKE) --no-print-directory lint verify
	@$(RUN) python -m dev node get
	@code=0; $(RUN) pytest -n 3 || code=$$?; $(RUN) python -m dev left-out; exit $$code

up: install ## Show it all: the HTTP API on :5005, a cluster, the operator, example jobs
	@$(RUN) python -m dev up

down: install ## End what `make up` started, and remove its cluster
	@$(RUN) python -m dev down

cluster-up: install ## Start, or repair, a development API server (docs/cluster.md)
	@$(RUN) python -m dev cluster up

cluster: install ## The same with a real node, this machine: as root, on Linux
	@$(RUN) python -m dev node up

cluster-down: install ## Stop either and remove its data
	@$(RUN) python -m dev cluster down

kubeconfig: install ## Print the path of its kubeconfig: make -s kubeconfig
	@$(RUN) python -m dev cluster kubeconfig

image: install ## Build the operator's image, and import it into the node
	@$(RUN) python -m dev node image

bench: install ## Measure, as ratios to plain Python
	@$(RUN) python -m benchmarks

# A venv of its own, as Debian's Python refuses to be installed into. Where venv is missing (its
# own package there), pip can still install into a folder.
$(PRIVATE_UV):
	@echo 'No uv on this machine: installing one in .cache/uv'
	@rm -rf .cache/uv
	@if python3 -m venv .cache/uv > /dev/null 2>&1; then \
	  .cache/uv/bin/python -m pip install --quiet uv; \
	else \
	  rm -rf .cache/uv && python3 -m pip install --quiet --target .cache/uv uv; \
	fi
