# Two commands do all the set-up on a fresh machine:
#   make demo   a synthetic head CT is segmented, measured and reported into demo/
#   make test   the tests
# PYTHON=...  another Python (3.11 or 3.12) to make .venv with
# TORCH=...   another torch, e.g. TORCH=torch==2.13.0 for the build with CUDA on Linux; see README.md

PYTHON ?= python3
TORCH_VERSION := 2.13.0
TORCH ?=
CPU_TORCH_INDEX := https://download.pytorch.org/whl/cpu
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --retries 2

export QT_QPA_PLATFORM := offscreen

.PHONY: demo test test-all lint clean

demo: $(VENV)/.for-running
	$(RUN) -m ICHVolumeLib demo demo

test: $(VENV)/.for-testing
	$(RUN) -m pytest -q

test-all: $(VENV)/.for-testing
	$(RUN) -m pytest -q -m ""

lint: $(VENV)/.for-testing
	$(RUN) -m ruff check .

clean:
	rm -rf $(VENV) demo build *.egg-info

$(VENV)/.for-running: requirements.txt pyproject.toml Makefile
	@$(PYTHON) Testing/system_libraries.py
	@echo "Installing into $(VENV), once; this takes some minutes."
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(if $(TORCH),$(PIP) $(TORCH),$(install_cpu_torch))
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.for-testing: $(VENV)/.for-running requirements-test.txt
	@echo "Installing what the tests need."
	@$(PIP) -r requirements-test.txt
	@touch $@

# PyPI's Linux build of torch carries 2 GB of CUDA libraries; the CPU build is asked for first, where pip is
# set up to find it, then at PyTorch's own index, and where neither has one (macOS) PyPI's is the CPU build.
install_cpu_torch = $(PIP) torch==$(TORCH_VERSION)+cpu 2>/dev/null \
	|| $(PIP) --extra-index-url $(CPU_TORCH_INDEX) torch==$(TORCH_VERSION)
