# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What is imported is compiled then, once, whatever the environment says; most of it never is.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

# Two installations at a time: each is busy with one core, or waits for what it downloads. Several targets: one after the other.
MAKEFLAGS += --jobs=2
ifneq ($(word 2,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: help setup demo test test-slow histories contract bench bench-healing build docs pictures links clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

setup: $(VENV)/.setup ## Make .venv and the collections path: all that running the playbooks needs

demo: $(VENV)/.sandbox ## Onboard an account of the sandbox and interrupt an instance in it
	@$(BIN)/python tests/demo

test: $(VENV)/.test ## Run the checks and tests that a change needs
	@$(BIN)/python tests/run_all.py

test-slow: $(VENV)/.test $(VENV)/.environments ## Run the others, as CI does: each moment of a kill, fleets, the published collection
	@$(BIN)/python tests/run_all.py --slow

histories: $(VENV)/.test ## Let chance write histories: make histories N=10000 SEED=1; what was ended goes on
	@$(BIN)/python -m tests.histories --histories $(or $(N),200) $(if $(SEED),--seed $(SEED) --state .cache/histories/$(SEED).json)

contract: $(VENV)/.setup ## Replay the recordings against AWS: make contract ACCOUNT=123456789012 REGION=us-east-1
	@$(BIN)/python tests/contract --account "$(ACCOUNT)" --region "$(REGION)" $(ARGUMENTS)

bench: $(VENV)/.sandbox .cache/awscli/.made ## Measure onboarding: one account beside its peers, and fleets
	@$(BIN)/python tests/bench

bench-healing: $(VENV)/.test ## Measure healing with a real ansible-rulebook: a region, an account, an outage of 100 accounts
	@$(BIN)/python tests/bench/healing.py $(ARGUMENTS)

build: $(VENV)/.setup ## Make the tarball that is published
	@$(BIN)/python tests/tools/artefact.py .

.cache/awscli/.made: tests/requirements/bench.txt | $(VENV)/bin/python
	@echo "Installing the AWS CLI, a peer of the benchmark ..."
	@$(BIN)/python -m venv .cache/awscli
	@.cache/awscli/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

docs: $(VENV)/.docs ## Build the documentation site
	@$(BIN)/python tests/tools/playbook_pages.py
	@$(BIN)/python tests/tools/docsite.py .cache/docsite/html && echo .cache/docsite/html/index.html

pictures: $(VENV)/.pictures ## Make the picture of the report in the guide again
	@$(BIN)/python tests/tools/pictures.py

links: $(VENV)/.docs ## Request every link to another site in the documentation
	@$(BIN)/python tests/tools/docsite.py .cache/docsite/links linkcheck

clean: ## Remove all that the other targets made
	rm -rf $(VENV) .cache collections

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) does not start, or is older than Python 3.11. Give another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.setup: $(VENV)/.core $(VENV)/.collections
	@touch $@

$(VENV)/.core: tests/requirements/setup.txt | $(VENV)/bin/python
	@echo "Installing ansible-core and boto3 ..."
	@$(PIP) -r tests/requirements/setup.txt
	@touch $@

$(VENV)/.collections: tests/requirements/collections.txt tests/tools/collections_path.py | $(VENV)/bin/python
	@echo "Installing the collection amazon.aws ..."
	@$(BIN)/python tests/tools/collections_path.py $(VENV)/collections
	@touch $@

$(VENV)/.sandbox: tests/requirements/sandbox.txt $(VENV)/.setup
	@echo "Installing what the sandbox needs ..."
	@$(PIP) -r tests/requirements/sandbox.txt
	@touch $@

$(VENV)/.docs: tests/requirements/docs.txt $(VENV)/.setup
	@echo "Installing what the documentation needs ..."
	@$(PIP) -r tests/requirements/docs.txt
	@touch $@

$(VENV)/.pictures: tests/requirements/pictures.txt $(VENV)/.test
	@echo "Installing what the picture needs ..."
	@$(PIP) -r tests/requirements/pictures.txt
	@touch $@

$(VENV)/.test: tests/requirements/test.txt tests/requirements/docs.txt $(VENV)/.sandbox
	@echo "Installing what the tests need ..."
	@$(PIP) -r tests/requirements/test.txt
	@touch $@

$(VENV)/.environments: tests/tools/environments.py tests/artefact/supported.py tests/checks/importer.py | $(VENV)/.core
	@echo "Making the environments of checks that cannot share $(VENV) ..."
	@$(BIN)/python tests/tools/prepare.py
	@touch $@
