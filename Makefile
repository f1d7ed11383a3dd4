.DEFAULT_GOAL := help
.PHONY: help demo test check fmt bench bench-render bench-transport bench-send bench-distance bench-scale bench-import bench-segments bench-track bench-stats bench-returned chaos up picture compare-mjml golden lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
ARGS ?=

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime ## Run the whole main job on this machine (ARGS="--no-serve" stops after the summary)
	@$(BIN)/newsletter demo $(ARGS)

test: $(VENV)/.dev ## Run the tests (ARGS="-k name" picks some)
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

check: $(VENV)/.dev ## Check format, style, types and the direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fmt: $(VENV)/.dev ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev ## Run every benchmark (ARGS="--quick" for the short form)
	@$(BIN)/python -m tests.bench $(ARGS)

bench-render: $(VENV)/.dev ## Benchmark rendering alone
	@$(BIN)/python -m tests.bench.render $(ARGS)

bench-send: $(VENV)/.dev ## Benchmark a mailing alone (needs Postfix's smtp-sink and smtp-source)
	@$(BIN)/python -m tests.bench.send $(ARGS)

bench-transport: $(VENV)/.dev ## Benchmark the SMTP transport alone (needs Postfix's smtp-sink)
	@$(BIN)/python -m tests.bench.transport $(ARGS)

bench-distance: $(VENV)/.dev ## Benchmark a mailing to a server 20 ms away (needs Postfix's smtp-sink)
	@$(BIN)/python -m tests.bench.distance $(ARGS)

bench-scale: $(VENV)/.dev ## Benchmark a mailing ten times as large (needs Postfix's smtp-sink)
	@$(BIN)/python -m tests.bench.scale $(ARGS)

bench-import: $(VENV)/.dev ## Benchmark imports alone
	@$(BIN)/python -m tests.bench.imports $(ARGS)

bench-segments: $(VENV)/.dev ## Benchmark counts and samples of segments alone
	@$(BIN)/python -m tests.bench.segments $(ARGS)

bench-track: $(VENV)/.dev ## Benchmark opens and clicks alone (needs wrk)
	@$(BIN)/python -m tests.bench.track $(ARGS)

bench-stats: $(VENV)/.dev ## Benchmark events into SQL and the report on them alone
	@$(BIN)/python -m tests.bench.stats $(ARGS)

bench-returned: $(VENV)/.dev ## Count how much returned mail is read as expected (ARGS="FOLDER EXPECTED.csv")
	@$(BIN)/python -m tests.bench.returned $(ARGS)

chaos: $(VENV)/.dev ## Break everything in the middle of mailings and count who got what (ARGS="--short")
	@$(BIN)/python -m pytest tests/chaos $(ARGS)

up: $(VENV)/.runtime ## Run broker, worker, beat and web together until Ctrl-C
	@$(BIN)/newsletter up $(ARGS)

picture: $(VENV)/.dev ## Make the README's picture of the sample issue anew (needs Chromium)
	@$(BIN)/python -m tests.browser.picture

compare-mjml: $(VENV)/.dev ## Compare our MJML with npm's, pixel by pixel (needs npm and Chromium; ARGS=FOLDER)
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && npm install --silent --prefix "$$work" mjml@4 >/dev/null \
		&& $(BIN)/python -m tests.compare_mjml "$$work/node_modules/.bin/mjml" "$$work" $(ARGS)

golden: $(VENV)/.dev ## Write the golden files of the sample issue anew (its boxes need Chromium)
	@$(BIN)/python -m tests.golden

lock: ## Pin all dependencies anew, with hashes (needs uv)
	@sh requirements/lock.sh

clean: ## Remove the virtual environment and the demo's data
	@rm -rf $(VENV) .demo

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "make: Python's venv module is incomplete; on Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing what newsletter needs into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/runtime.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
