# Every target makes its own virtual environment in .venv; Python 3.11 or later, make and git are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	$(BIN)/casework replay scenarios

test: $(VENV)/.tested
	$(BIN)/python -m pytest

lint: $(VENV)/.tested
	$(BIN)/ruff check casework tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Writes the pages of docs/ that say what the code holds; a test fails while one of them is stale.
.PHONY: docs
docs: $(VENV)/.installed
	$(BIN)/python docs/generate.py

# The full form of the walks that the tests take reduced; SEED=N repeats a run, and a walk that fails says how it alone is repeated.
.PHONY: walks
walks: $(VENV)/.tested
	$(BIN)/python tests/test_walks.py --walks 10000 $(if $(SEED),--seed $(SEED))

# The scripts of bench/, against their peers, into bench/RESULTS.md; takes an hour. ONLY=startup,replay runs some.
.PHONY: bench
bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python bench/run.py $(if $(ONLY),--only $(ONLY))

# Mutation testing of the lifecycle's guards and tables, or of ROOM=ledger or ROOM=audit; mutmut is needed for nothing else.
.PHONY: mutate
mutate: $(VENV)/.tested
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8,<4'
	$(BIN)/python tests/mutate.py $(if $(ROOM),--room $(ROOM)) $(if $(SEED),--seed $(SEED))

# Every trial of tests/harness in full: hours on two cores. ONLY=G2,G5 runs some, SHARE=0.1 a part; docs/PROOF.md says what came of it.
.PHONY: prove
prove: $(VENV)/.tested
	$(BIN)/python -m pip install --quiet --editable '.[test,prove]' 'mutmut>=3.8,<4'
	$(BIN)/python tests/harness/prove.py $(if $(ONLY),--only $(ONLY)) $(if $(SHARE),--share $(SHARE)) $(if $(SEED),--seed $(SEED))

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "casework needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
