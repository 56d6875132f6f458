# make run: start Arauto. make test: check everything. Each sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(VENV)/node
export PYTHONDONTWRITEBYTECODE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test unit lint fmt system flaky simulate bench soak map translations lock audit release clean

run: $(VENV)/installed $(if $(KAFKA_URL),$(VENV)/installed-kafka)
	@$(COMPILED) exec $(BIN)/gunicorn app:app

test: lint system
	$(COMPILED) $(BIN)/python -m pytest -n 6 --dist worksteal --durations=10 -m "not alone"
	$(COMPILED) $(BIN)/python -m pytest -m alone

# Python's bytecode is kept for the next start, outside of the tree.
COMPILED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX="$(CURDIR)/$(VENV)/pycache"

# The tests that need no server, in seconds: for use while changing something.
unit: $(VENV)/installed-dev
	$(COMPILED) $(BIN)/python -m pytest -n 2 tests/unit

lint: $(VENV)/installed-dev $(NODE)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache > $(VENV)/imports || { cat $(VENV)/imports; exit 1; }
	$(ON_NODE) $(NODE)/node_modules/.bin/tsc -p jsconfig.json
	$(ON_NODE) $(NODE)/node_modules/.bin/biome lint --error-on-warnings

fmt: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Checks of the scripts and styles. Node comes with a Python package; only developers need it.
ON_NODE := NODE_USE_SYSTEM_CA=1 PATH="$(CURDIR)/$(BIN):$$PATH"
$(NODE)/installed: package.json package-lock.json $(VENV)/installed-dev
	@mkdir -p $(NODE) && cp package.json package-lock.json $(NODE)
	@cd $(NODE) && $(ON_NODE) npm ci --loglevel=error --no-audit --no-fund
	@touch $@

# Installs what the tests need beside Python packages, if it is missing.
system:
	@tests/setup.sh

# Tests that wait, measure or count, again and again in random order beside two busy loops. One file more often:
# TESTS=tests/unit/net/test_nonblocking_socket.py COUNT=100; SEED=… to repeat a run.
TESTS := tests/integration tests/browser
COUNT := 20
flaky: $(VENV)/installed-dev system
	$(BIN)/python -m tests.flaky --count $(COUNT) $(if $(SEED),--seed $(SEED)) $(TESTS)

# The recording protocol in simulated schedules: SEEDS=100000 takes an hour. FIRST=… to continue.
SEEDS := 10000
FIRST := 0
simulate: $(VENV)/installed-dev
	$(BIN)/python -m tests.simulator --seeds $(SEEDS) --first $(FIRST)

# Arauto beside its peers: about ten minutes. ROUNDS=1 for a quick look.
ROUNDS := 3
bench: $(VENV)/installed-dev
	$(BIN)/python -m bench --rounds $(ROUNDS)

# Tabs under random faults: MINUTES=20 SOCKETS=100 WORKER=gevent REDIS=valkey SEED=… to repeat a run.
# RECORDED=yes for a recorded channel of two servers, SENTINEL=yes for failovers, ROLLING=yes for a deploy of three
# servers behind nginx, again and again.
MINUTES := 20
WORKER := gevent
REDIS := valkey
soak: $(VENV)/installed-dev system
	$(BIN)/python -m tests.$(if $(ROLLING),rolling_)$(if $(SENTINEL),sentinel_)$(if $(CLUSTER),cluster_)$(if $(RECORDED),recorded_)soak --minutes $(MINUTES) --worker $(WORKER) --redis $(REDIS) \
		$(if $(SOCKETS),--sockets $(SOCKETS)) $(if $(SEED),--seed $(SEED))

# After a change of imports between packages: draws the diagram in docs/architecture.md.
map: $(VENV)/installed-dev
	$(BIN)/python -m tests.support.package_map

# After a change of sentences: collects them, merges them into each language, compiles.
translations: $(VENV)/installed-dev
	$(BIN)/python tests/support/translations.py

# After a change of requirements: resolves them for every platform, with hashes. Needs the network.
LOCK := $(VENV)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate
lock: $(VENV)/tools/installed $(VENV)/installed-dev
	$(LOCK) --custom-compile-command "make lock" requirements.txt -o requirements.lock
	$(LOCK) --custom-compile-command "make lock" requirements-kafka.txt -c requirements.lock -o requirements-kafka.lock
	$(LOCK) --custom-compile-command "make lock" requirements-dev.txt -c requirements.lock -o requirements-dev.lock
	$(ON_NODE) npm install --package-lock-only --loglevel=error --no-audit --no-fund

# Known vulnerabilities in installed packages. Needs the network, for new advisories.
audit: $(VENV)/tools/installed
	$(VENV)/tools/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock -r requirements-dev.lock

# The wheel and the sdist, in dist/. Needs the network.
release: $(VENV)/tools/installed
	$(VENV)/tools/bin/uv build --quiet --clear --out-dir dist

$(VENV)/tools/installed: Makefile
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/pip install --quiet uv==0.13.9 pip-audit==2.10.1
	@touch $@

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Arauto needs Python 3.11 or later: set PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/installed-kafka: $(VENV)/installed requirements-kafka.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-kafka.lock
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@
