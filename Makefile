# `make run` and `make test` do all of their own set-up. Everything they make is git-ignored.
# Which Python: `make clean; make run PYTHON=/usr/bin/python3.11`. One that comes without ensurepip (Debian's without
# python3.11-venv) needs the pip of another, 22.3 or newer: PIP="python3 -m pip".
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(if $(PIP),$(PIP) --python $(BIN)/python,$(BIN)/python -m pip) install --quiet --disable-pip-version-check
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test check demo chaos bench growth peers lock clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Samtale needs Python 3.11 (set PYTHON=…)"; exit 1; }
	@echo "making the environment in $(VENV) (about half a minute, once)"
	@$(PYTHON) -m venv $(if $(PIP),--without-pip) $(VENV)
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY) ## everything, with an embedded Valkey and SQLite; Ctrl-C stops it
	@$(BIN)/samtale run

test: $(READY) ## every suite
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(READY) ## lint, types, imports, unused code and dependencies, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/deptry tests docs/images --exclude '[.]venv' --requirements-files requirements-dev.in --ignore DEP002,DEP003,DEP004
	$(BIN)/vulture
	git ls-files | xargs $(BIN)/codespell

demo: $(READY) ## three stories told by real processes; JSON=1 for their facts
	@$(BIN)/samtale demo $(if $(JSON),--json)

chaos: $(READY) ## two minutes of faults under traffic, then the history checker; LONG=1 for twenty
	@$(BIN)/python -m loadtests.chaos $(if $(LONG),--long) $(CHAOS)

bench: $(READY) ## what this machine reaches; prints the command of each figure
	@$(BIN)/python -m loadtests.bench $(BENCH)

peers: $(READY) ## Samtale beside socket.io and a hand-written minimum, in turns; six minutes, QUICK=1 for one (needs node)
	@$(BIN)/python -m loadtests.peers $(if $(QUICK),--quick) $(PEERS)

growth: $(READY) ## what a word, a decision and a session cost as an installation grows; ten minutes, QUICK=1 for one and a half
	@$(BIN)/python -m loadtests.growth $(if $(QUICK),--quick) $(GROWTH)

lock: ## renew the hashed locks (needs uv)
	for name in requirements requirements-dev; do uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade $$name.in -o $$name.lock; done
	! grep -n '://' requirements.lock requirements-dev.lock

clean: ## remove the environment and caches (not the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
