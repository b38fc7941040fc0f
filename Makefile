# Everything here needs python3 and make, and makes the rest in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One more than there are cores: many tests wait for a process that they have started.
CORES := $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
WORKERS ?= $(shell expr $(CORES) + 1)
# Many tests start a Python of their own: compiling torch7py each time would be half of that.
unexport PYTHONDONTWRITEBYTECODE

# The suites that run Lua, run once more on plain Lua 5.1: no FFI, no JIT. Not those that try every Lua by themselves.
LUA_TESTS := $(wildcard tests/bridge tests/console tests/nn tests/rnn tests/packages tests/cli/test_run.py)
PLAIN_LUA := sample
ANY_LUA := $(wildcard tests/bridge/test_source.py tests/bridge/test_pairs_compiled.py)

.DEFAULT_GOAL := help
.PHONY: help test test-gpu check test-lua51 test-versions test-oldest test-newest test-slow fuzz test-eager demo bench support docs format clean

help:
	@echo 'make test        all checks, all tests, and the Lua-facing tests on plain Lua 5.1'
	@echo 'make demo        trains the FastLSTM sample'
	@echo 'make check       lint, types and the contracts on imports'
	@echo 'make test-lua51  the Lua-facing tests on plain Lua 5.1 only'
	@echo 'make test-versions  a sample of the tests in all environments .venv-*'
	@echo 'make test-oldest make test-newest  make .venv-oldest or .venv-newest by uv, of 3 GB, and run the sample there'
	@echo 'make test-slow   the tests that take long'
	@echo 'make test-gpu    what GPUs compute, beside the CPU, and how fast: all there is to say where there are some'
	@echo 'make fuzz        100,000 random calls and 200,000 damaged files: hours on two cores'
	@echo 'make test-eager  the Lua-facing tests with a compiler and a collector that are always at work'
	@echo 'make bench       speed, beside plain PyTorch'
	@echo 'make support     writes docs/support.md, docs/operations.md and docs/errors.md'
	@echo 'make docs        writes the site of the documentation into build/site'
	@echo 'make format      formats the sources'
	@echo 'make clean       removes what make made'

# What is imported is compiled then: all of PyTorch would take half a minute, and a third of it is used.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	MYPY_NUM_WORKERS=2 $(BIN)/mypy

test: check
	$(BIN)/pytest -n $(WORKERS) --dist worksteal
	$(MAKE) test-lua51

test-lua51: $(READY)
	$(BIN)/pytest -n $(CORES) --dist worksteal --plain-lua $(PLAIN_LUA) $(LUA_TESTS) $(ANY_LUA:%=--ignore=%)

test-versions: $(READY)
	$(BIN)/python tools/lower_bounds.py run $(wildcard .venv-*/bin/python)

test-oldest test-newest: test-%: .venv-%
	$(PYTHON) tools/lower_bounds.py run $</bin/python

.venv-oldest .venv-newest: .venv-%:
	$(PYTHON) tools/lower_bounds.py $* $@

test-slow: $(READY)
	$(BIN)/pytest -m slow -n $(WORKERS)
	$(MAKE) test-lua51 PLAIN_LUA=all

# In one process: the GPU is shared.
test-gpu: $(READY)
	$(BIN)/python -c 'import torch; print(torch.__version__, [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())])'
	$(BIN)/pytest tests/gpu -rs
	$(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' && $(BIN)/python -m bench --device cuda || echo 'no GPU: nothing was measured'

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz.calls 100000 0 2
	$(BIN)/python -m tests.fuzz.files 200000 0 2

test-eager: $(READY)
	TORCH7PY_EAGER=1 $(BIN)/pytest -n $(WORKERS) $(LUA_TESTS)

demo: $(READY)
	$(BIN)/torch7py run lua_samples/fastlstm.lua

bench: $(READY)
	$(BIN)/python -m bench

support: $(READY)
	$(BIN)/python tools/support.py
	$(BIN)/python tools/operations.py
	$(BIN)/python tools/errors.py

# What makes the site is heavy, and no test needs it. With --quiet, --strict would let every warning pass.
docs: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
