# make run     the app, on http://localhost:8501
# make test    every test, in real Chromium too
# make check   ruff and mypy
VENV := .venv
PYTHON := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check experiments bench rate ratios pictures words clean

run: $(VENV)/run.stamp
	$(PYTHON) -m streamlit run app.py

test: $(VENV)/test.stamp
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -m "not long" -n 3 --dist loadscope

check: $(VENV)/test.stamp
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

experiments: $(VENV)/test.stamp
	$(PYTHON) -m pytest -m "claim or long" -v --timeout 3600

bench: $(VENV)/run.stamp
	$(PYTHON) -m core bench

rate: $(VENV)/test.stamp
	PYTHONPATH=. $(PYTHON) tests/browser/rate.py

# Threads that wait for one another would be counted as work; a worker has the same.
ratios: export OMP_NUM_THREADS := 1
ratios: export OPENBLAS_NUM_THREADS := 1
ratios: $(VENV)/test.stamp
	$(PYTHON) -m tests.core.algorithms.dqn.plain
	$(PYTHON) -m tests.core.algorithms.gnn.plain
	$(PYTHON) -m tests.core.algorithms.word2vec.plain

pictures: $(VENV)/test.stamp
	PYTHONPATH=. $(PYTHON) tests/browser/pictures.py

words: $(VENV)/run.stamp
	$(PYTHON) -m core.catalogue

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A bare Debian has no ensurepip, so pip is put into the environment by the pip outside of it.
$(PYTHON):
	python3 -c 'import sys; sys.exit("Tenfold needs Python 3.11 or newer.") if sys.version_info < (3, 11) else None'
	python3 -m venv $(VENV) 2>/dev/null || \
	  { rm -rf $(VENV); python3 -m venv --without-pip $(VENV) && python3 -m pip --python $(PYTHON) install --quiet pip; } || \
	  { rm -rf $(VENV); echo "Python has no venv here; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/run.stamp: requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/test.stamp: tests/requirements.txt tests/browser/chromium.py $(VENV)/run.stamp
	$(PYTHON) -m pip install --quiet --requirement tests/requirements.txt
	$(PYTHON) tests/browser/chromium.py
	touch $@
