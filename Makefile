# Two commands do all the set-up on a fresh machine (torch is installed for training and tests only):
#   make demo   a synthetic head CT is segmented, measured and reported into demo/
#   make test   the tests
# PYTHON=...  another Python (3.11 or 3.12) to make .venv with
# TORCH_INDEX=...  PyTorch's CPU package index, see its "Get started" page: a much smaller download on Linux
# TORCH=...   another torch, e.g. TORCH=torch==2.13.0 for the build with CUDA on Linux; see README.md

PYTHON ?= python3
TORCH_VERSION := 2.13.0
TORCH ?=
TORCH_INDEX ?=
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --retries 2

export QT_QPA_PLATFORM := offscreen

.PHONY: demo test test-all lint docs hard-inputs fuzz model clean

demo: $(VENV)/.for-running
	$(RUN) -m ICHVolumeLib demo demo
	@echo
	@echo "The command ichvolume is installed in $(VENV). To call it from this shell:"
	@echo "  . $(VENV)/bin/activate        (fish: . $(VENV)/bin/activate.fish)"
	@echo "  ichvolume segment SCAN -o OUT"
	@echo "or without activating: $(VENV)/bin/ichvolume segment SCAN -o OUT"

# Two processes (JOBS=...), a file of tests in one of them. Training is tested in processes of its own: in one that Qt,
# VTK and the scene have run in before, it has crashed. How long the window is kept waiting is measured alone.
JOBS ?= 2
PYTEST = $(RUN) -m pytest -q
TOGETHER = -n $(JOBS) --dist loadfile
MEASURED = Testing/panel/test_event_loop.py
# One thread each for numpy and torch: with more, the processes wake each other's threads most of the time.
test test-all: export OMP_NUM_THREADS = 1
test test-all: export OPENBLAS_NUM_THREADS = 1
test: $(VENV)/.for-testing
	$(PYTEST) $(TOGETHER) --ignore=Testing/training --ignore=$(MEASURED)
	$(PYTEST) $(TOGETHER) Testing/training
	$(PYTEST) $(MEASURED)

test-all: $(VENV)/.for-testing
	$(PYTEST) -m "" $(TOGETHER) --ignore=Testing/training --ignore=$(MEASURED)
	$(PYTEST) -m "" $(TOGETHER) Testing/training
	$(PYTEST) -m "" $(MEASURED)

lint: $(VENV)/.for-testing
	$(RUN) -m ruff check .
	$(RUN) -m mypy

# The API reference, from the docstrings, into build/api.
docs: $(VENV)/.for-testing
	$(PIP) "pdoc>=15"
	$(RUN) -m pdoc --docformat google --output-directory build/api ICHVolumeLib

# What comes of scans that are easily measured wrongly: case, expected, observed, finding.
hard-inputs: $(VENV)/.for-testing
	$(RUN) Testing/hard_inputs/table.py

# Damaged files by the thousand, see Testing/fuzz/run.py; stopped, it goes on where it was. A short run is a test.
INPUTS ?= 100000
fuzz: $(VENV)/.for-testing
	nice -n 15 $(RUN) Testing/fuzz/run.py --inputs $(INPUTS)

# Trains, then calibrates, measures and describes a small model from scratch in runs/model.
# DATA=... holds the bleed-free heads, see Resources/ModelCard.md
# MINUTES=... of training; CALIBRATE=... and TEST=... synthetic patients, some seven seconds each
DATA ?= ../shared/data
MINUTES ?= 65
CALIBRATE ?= 100
TEST ?= 200
model: $(VENV)/.for-testing
	$(RUN) -m ICHVolumeLib train $(DATA) -o runs/model/practical --preset practical --minutes $(MINUTES)
	$(RUN) -m ICHVolumeLib release runs/model/practical $(DATA) -o runs/model/weights --model-version local --patients $(CALIBRATE)
	$(RUN) -m ICHVolumeLib evaluate $(DATA) -o runs/model/figures --weights runs/model/weights --patients $(TEST)
	$(RUN) -m ICHVolumeLib card runs/model/figures -o runs/model/ModelCard.md --weights runs/model/weights --run runs/model/practical

clean:
	rm -rf $(VENV) demo build *.egg-info

$(VENV)/.for-running: requirements.txt pyproject.toml Makefile
	@$(PYTHON) Testing/system_libraries.py
	@echo "Installing into $(VENV), once; this takes some minutes."
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@$(if $(TORCH),$(PIP) $(TORCH))
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --editable .
	@touch $@

$(VENV)/.for-testing: $(VENV)/.for-running requirements-test.txt
	@echo "Installing torch and what the tests need."
	@$(if $(TORCH),$(PIP) $(TORCH),$(install_cpu_torch))
	@$(PIP) -r requirements-test.txt
	@touch $@

# PyPI's Linux build of torch carries 2 GB of CUDA libraries. The CPU build is asked for first, where pip is set up
# to find it or TORCH_INDEX names PyTorch's CPU index; where there is none (macOS), PyPI's is the CPU build.
install_cpu_torch = $(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch==$(TORCH_VERSION)+cpu \
	2>/dev/null || $(PIP) torch==$(TORCH_VERSION)
