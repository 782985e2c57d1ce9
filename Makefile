# Everything a person needs, from Python 3.11+ (with pip) and make alone. All that it makes lies in .venv/ and .karya/.

# The first that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
ARGS ?=
FOLDER ?= .karya/up/secrets

BIN := .venv/bin
DONE := .venv/.setup
LOCKS := requirements/development.txt requirements/pages.txt requirements/local-server.txt
JARS := deploy/local/kafka-jars.sha256

# Caches stay in the repository: the home folder may be read-only or missing.
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.karya/cache/hypothesis
# Also where Python is told to write none: dozens of short processes would compile everything anew.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.karya/cache/python
export PYTHONDONTWRITEBYTECODE :=
export UV_CACHE_DIR := $(CURDIR)/.karya/cache/uv
export UV_SYSTEM_CERTS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1

PIP_INSTALL := $(BIN)/python -m pip install --quiet --progress-bar off --no-input
COMPILE := .karya/lock/bin/uv pip compile --quiet --no-build --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help words new-service certs setup up down status demo chaos bench test test-all lint check-js format docs pictures sbom audit lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(DONE)/package .karya/kafka-jars.done .karya/kafka-cache.done ## virtual environment, dependencies, Kafka (once; the other targets do it themselves)

up: setup ## start Kafka, MongoDB and the services, and leave them running
	@$(BIN)/karya up $(ARGS)

down: setup ## stop what `make up` started
	@$(BIN)/karya down $(ARGS)

status: setup ## say what runs, and where
	@$(BIN)/karya status $(ARGS)

demo: setup ## play one festival season on a stack of its own, and check every invariant
	@$(BIN)/karya demo $(ARGS)

chaos: setup ## faults at random times under load, then the reckoning (ARGS="--minutes 30 --seed 7")
	@$(BIN)/karya chaos $(ARGS)

bench: setup .karya/peers.done .karya/kafka-streams.done ## throughput and latency relative to a minimal consumer and to other frameworks (ARGS="catch-up --json FILE --svg FILE")
	@$(BIN)/karya bench $(ARGS)

test: setup ## what takes eight minutes: most tests, real servers for those that need them (ARGS=tests/unit)
	@$(BIN)/python -m pytest -n auto --quick $(ARGS)

test-all: setup .karya/kafka-streams.done ## every test, with all examples and records; what must pass before a change goes in
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: setup ## ruff, mypy, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --cache-dir .karya/cache/import-linter

check-js: .karya/types.done ## the types of the apps' scripts, by TypeScript (needs Node and npm, as nothing else does)
	@.karya/types/node_modules/.bin/tsc -p services/portal/tsconfig.json

format: setup ## let ruff put the code in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## the documentation as a site in .karya/site; generated pages are written by `python -m docsite`
	@NO_COLOR=1 $(BIN)/zensical build --clean --strict
	@rm -rf .cache
	@$(BIN)/python -m docsite.check .karya/site

pictures: setup ## play a small season, and take a picture of every page: .karya/pictures/pages, and those in docs/pictures (ARGS=paint measures them on a slow phone)
	@$(BIN)/python -m docsite.screens $(ARGS)

sbom: setup ## the bill of materials of the image, in CycloneDX, with licences: .karya/sbom.cdx.json
	@$(BIN)/python -m docsite.sbom .karya/sbom.cdx.json

audit: setup ## known weaknesses of the dependencies; says so if nobody can be asked (ARGS=--required fails then)
	-@$(MAKE) --no-print-directory .karya/audit.done
	@$(BIN)/python -m docsite.audit .karya/audit/bin/pip-audit $(ARGS)

certs: setup ## certificates of a secured stack, where they are missing or end soon (ARGS="--renew"; FOLDER=.karya/up/secrets)
	@$(BIN)/python -m deploy.secure.certificates $(FOLDER) $(ARGS)

new-service: setup ## the files of a new service, with a first event and its test (NAME=stalls)
	@$(BIN)/python -m lab.new_service $(NAME)

words: setup ## bring the catalogue of Indonesian texts up to date with the code
	@$(BIN)/python -m docsite.words

lock: setup ## resolve all versions anew and write their hashes (ARGS=--upgrade takes newer ones)
	@test -x .karya/lock/bin/uv || { $(PYTHON) -m venv .karya/lock && .karya/lock/bin/python -m pip install --quiet uv; }
	$(COMPILE) $(ARGS) pyproject.toml --extra motor -o requirements/runtime.txt
	$(COMPILE) $(ARGS) pyproject.toml --all-extras -c requirements/runtime.txt -o requirements/development.txt
	$(COMPILE) $(ARGS) requirements/bench.in -o requirements/bench.txt
	$(COMPILE) $(ARGS) requirements/audit.in -o requirements/audit.txt
	$(COMPILE) $(ARGS) --no-deps requirements/pages.in -o requirements/pages.txt
	$(COMPILE) $(ARGS) --no-deps requirements/local-server.in -o requirements/local-server.txt
	$(BIN)/python -m deploy.local.jars --lock
	$(BIN)/python -m lab.bench.peers.kafka_streams --lock
	@if command -v npm > /dev/null; then cd requirements/types && npm install --package-lock-only \
		--omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --silent; \
		else echo "requirements/types is as it was: there is no npm"; fi

clean: ## stop the stack and remove all that was made
	@if [ -x $(BIN)/karya ]; then $(BIN)/karya down; fi
	rm -rf .venv .karya

# Each step leaves a stamp, and is done again when what it depends on is newer.

$(DONE)/venv:
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found. Run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is no Python 3.11 or newer. Run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setup 1/3: virtual environment"
	@$(PYTHON) -m venv --clear .venv
	@mkdir -p $(DONE) && touch $@

$(DONE)/dependencies: $(LOCKS) $(DONE)/venv
	@echo "setup 2/3: dependencies"
	@$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements/development.txt
	@$(PIP_INSTALL) --only-binary :all: --require-hashes --no-deps -r requirements/pages.txt \
		-r requirements/local-server.txt
	@touch $@

$(DONE)/package: pyproject.toml $(DONE)/dependencies
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# Only for the benches, and not beside the others: one of the peers needs older versions.
.karya/peers.done: requirements/bench.txt $(DONE)/package
	@echo "setup of the benches: what Karya is compared with"
	@$(BIN)/python -m venv .karya/peers
	@.karya/peers/bin/python -m pip install --quiet --progress-bar off --no-input \
		--only-binary :all: --require-hashes -r requirements/bench.txt
	@touch $@

.karya/kafka-streams.done: lab/bench/peers/kafka-streams/jars.sha256 .karya/kafka-jars.done
	@if command -v javac > /dev/null; then \
		echo "setup of the benches and of their test: the libraries of Kafka Streams" && \
		$(BIN)/python -m lab.bench.peers.kafka_streams --fetch && touch $@; \
		else echo "Benches and tests leave Kafka Streams out: there is no JDK"; fi

.karya/audit.done: requirements/audit.txt $(DONE)/package
	@$(BIN)/python -m venv .karya/audit
	@.karya/audit/bin/python -m pip install --quiet --progress-bar off --no-input \
		--only-binary :all: --require-hashes -r requirements/audit.txt
	@touch $@

.karya/types.done: requirements/types/package-lock.json
	@command -v npm > /dev/null || { echo "error: check-js needs npm. Install Debian's package npm, or Node" >&2; exit 1; }
	@mkdir -p .karya/types && cp requirements/types/package.json requirements/types/package-lock.json .karya/types
	@npm ci --prefix .karya/types --cache .karya/cache/npm --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.karya/kafka-jars.done: $(JARS) $(DONE)/package
	@echo "setup 3/3: Kafka"
	@$(BIN)/python -m deploy.local.jars
	@touch $@

# A broker that starts once, so that each later one starts with half the work.
.karya/kafka-cache.done: .karya/kafka-jars.done
	@$(BIN)/python -m deploy.local.kafka_cache
	@touch $@
