# make demo: an agent learns Tiger from nothing. make test: the whole test suite. make docs: the documentation, to
# build/docs. make bench: speeds, beside pyaixi. make lint: ruff and mypy. make sanitize: the kernels under sanitizers.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test docs bench lint sanitize clean

demo: .venv/installed
	$(BIN)/aixi run tiger

test: .venv/installed
	$(BIN)/pytest -n 2

docs: .venv/installed
	$(BIN)/sphinx-build -W --keep-going --quiet -d build/doctrees docs build/docs

bench: .venv/peers
	$(BIN)/python benchmarks/speed/bench.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/typed build/lib*
	$(BIN)/pip install --quiet --no-deps --target build/typed .
	cd build/typed && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p aixi_approx

sanitize: .venv/installed
	benchmarks/trust/sanitize.sh

# An editable install: Python files are used as they stand, the kernel is built anew when its source has changed.
.venv/installed: setup.py pyproject.toml $(wildcard ext/*)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: '$(PYTHON)' is not Python 3.11 or newer: name one, as in 'make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12'" >&2; exit 1; }
	@set -- $${CC:-$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')}; command -v "$$1" > /dev/null || \
		{ echo "make: there is no C compiler '$$1': apt install gcc libc6-dev (Debian, Ubuntu), dnf install gcc (Fedora), xcode-select --install (macOS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

.venv/peers: .venv/installed
	$(BIN)/pip install --quiet pyaixi
	touch $@

clean:
	rm -rf .venv build *.egg-info aixi_approx/*.so
	find aixi_approx envs cli -name __pycache__ -exec rm -rf {} +
