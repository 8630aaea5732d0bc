# make run: the default plan in both frameworks, and where the report is.   make test: all tests.
# make docs: the book, in English and Chinese, into out/docs/html; every number and picture in it is made on the way.
# make bench: every claim about speed, measured; about half an hour, on a machine that does nothing else.
# Each makes .venv first, once; another Python 3.11 or newer: make run PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# programs of which the tests ask the schedules alone: out of the way of what others import
PROGRAMS := $(VENV)/programs
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: run test docs bench clean

# the output is this plan's own, so it may be replaced
run: $(VENV)/run.done
	@$(BIN)/samestep run --force

test: $(VENV)/test.done
	@$(BIN)/python -m pytest -q

docs: $(VENV)/docs.done
	@$(BIN)/python -m docs

bench: $(VENV)/bench.done
	@$(BIN)/python -m benchmarks all

clean:
	rm -rf $(VENV) out dist

$(VENV)/venv.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is %d.%d. Name another: make run PYTHON=python3.13" % sys.version_info[:2])'
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/run.done: pyproject.toml constraints.txt $(VENV)/venv.done
	@echo "Installing samestep with TensorFlow and PyTorch into $(VENV), once. This takes a few minutes."
	@$(INSTALL) -e '.[tensorflow,torch]'
	@touch $@

$(VENV)/test.done: pyproject.toml constraints.txt $(VENV)/run.done
	@echo "Installing what the tests need into $(VENV), once."
	@$(INSTALL) -e '.[tensorflow,torch,test]'
	@$(INSTALL) --no-deps --upgrade --target $(PROGRAMS) deepspeed==0.19.8 timm==1.0.31
	@touch $@

$(VENV)/docs.done: pyproject.toml constraints.txt $(VENV)/run.done
	@echo "Installing what the book is built with into $(VENV), once."
	@$(INSTALL) -e '.[tensorflow,torch,docs]'
	@touch $@

$(VENV)/bench.done: pyproject.toml constraints.txt $(VENV)/run.done
	@echo "Installing what the benchmarks compare with into $(VENV), once."
	@$(INSTALL) -e '.[tensorflow,torch,bench]'
	@touch $@
