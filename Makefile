# make sweep   run the default sweep here, into ./runs (SWEEP="--neurons 8,16" adds options)
# make chart   generate the chart's schema, defaults and README from its values.yaml
# make test    check formatting, lint, types and layering, and run all tests (TEST="-k storage" selects some)
# Each first creates .venv with the versions from uv.lock.

PYTHON ?= python3
VENV := .venv
# The build of TensorFlow: cpu, or gpu for a machine with an NVIDIA driver.
EXTRA ?= cpu
SYNC := $(VENV)/bin/uv sync --locked --inexact --extra $(EXTRA) --extra s3 --compile-bytecode --quiet

export UV_PROJECT_ENVIRONMENT := $(VENV)

.PHONY: sweep test check bench chart reference docs clean
.DELETE_ON_ERROR:

sweep: $(VENV)/.installed
	$(VENV)/bin/xor-sweep sweep $(SWEEP)

test: check
	$(VENV)/bin/pytest --numprocesses 2 --dist loadgroup $(TEST)

check: $(VENV)/.installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/hadolint Dockerfile

bench: $(VENV)/.installed-dev
	$(VENV)/bin/python -m tests.benchmarks

# Needs no TensorFlow, and takes seconds.
chart: $(VENV)/.installed-base
	$(VENV)/bin/python -m tools.chart

reference: $(VENV)/.installed-dev
	$(VENV)/bin/python -m tools.docs reference

docs: $(VENV)/.installed-dev
	$(VENV)/bin/python -m tools.docs

clean:
	rm -rf $(VENV)

$(VENV)/bin/uv: .ci/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "xor-sweep needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version). Choose one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing the versions from uv.lock into $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV) || \
	  { echo "Python cannot create a virtual environment here. On Debian: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r .ci/uv.txt
	@touch $@

# The two builds of TensorFlow install the same files, so one is removed before the other is installed.
$(VENV)/.build-$(EXTRA): $(VENV)/bin/uv
	@if ls $(VENV)/.build-* >/dev/null 2>&1; then \
	  $(VENV)/bin/uv pip uninstall --quiet --python $(VENV)/bin/python tensorflow tensorflow-cpu; \
	  rm -f $(VENV)/.build-*; \
	fi
	@touch $@

$(VENV)/.installed-base: $(VENV)/bin/uv pyproject.toml uv.lock
	@$(VENV)/bin/uv sync --locked --inexact --no-dev --compile-bytecode --quiet
	@touch $@

$(VENV)/.installed: $(VENV)/.build-$(EXTRA) pyproject.toml uv.lock
	@$(SYNC) --no-dev
	@touch $@ $(VENV)/.installed-base

$(VENV)/.installed-dev: $(VENV)/.build-$(EXTRA) pyproject.toml uv.lock
	@$(SYNC)
	@touch $@ $(VENV)/.installed $(VENV)/.installed-base
