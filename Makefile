# logboom: every command of the project. `make help` lists them.
#
# Nothing has to be set. What can be:
#   PYTHON=/path/to/python   the interpreter (3.10 or newer); each has an environment of its own in .venv/
#   PROFILE=release          the cargo profile of the binding; the default builds faster, runs a little slower
#   ARGS="..."               for the demo, the benchmarks and the tests of other projects
#   PROJECTS="..."           whose tests `make test-others` runs, by name; all by default
#   LITESTAR_MAIN=dir        the sources of Litestar's main branch, for `make test-litestar-main`
#   PYTEST_ARGS="..."        for pytest
#   FUZZ_SECONDS=60          for each fuzz target
#   KILLS=300                for `make test-torture`
#   CARGO_TARGET_DIR=dir     where cargo builds, instead of target/
#
# A target runs only what its inputs ask for: stamps lie in the environment of the interpreter, so that
# changing the interpreter and back builds nothing twice.

PYTHON ?= python3
PROFILE ?= dev-release
ARGS ?=
PYTEST_ARGS ?=
PROJECTS ?=
FUZZ_SECONDS ?= 60

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# An environment that is active around us must not leak into ours.
unexport PYTHONHOME PYTHONPATH PYTHONSTARTUP VIRTUAL_ENV CONDA_PREFIX PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

# Without a usable interpreter this is empty, and the first target that needs one tells why.
TAG := $(shell "$(PYTHON)" scripts/environment.py tag 2>/dev/null)
VENV := .venv/$(or $(TAG),none)
PY := $(VENV)/bin/python
TARGET := $(or $(CARGO_TARGET_DIR),target)
BINDING_TARGET := $(TARGET)/python/$(TAG)

FUZZER := build/tools/bin/cargo-fuzz
FUZZ_TARGETS := $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))

TOOLS := $(VENV)/.tools
BUILT := $(VENV)/.built-$(PROFILE)
FETCHED := build/.fetched

# Directories are inputs too: a file that went away is a change.
BINDING_INPUTS := Cargo.toml Cargo.lock pyproject.toml README.md LICENSE-MIT LICENSE-APACHE \
	$(wildcard crates/*/Cargo.toml) \
	$(shell find crates/*/src python -not -path '*/__pycache__*' -not -path '*/.*')

# The binding is linked by the interpreter that loads it, so its tests are Python's; and clippy needs to
# know an interpreter to look at it.
RUST_TESTED := --workspace --exclude logboom-py --all-features
WITH_PYTHON = PYO3_PYTHON="$(CURDIR)/$(PY)"
CARGO := cargo

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(TOOLS) ## make the interpreter's environment with every tool in it

.PHONY: build
build: $(BUILT) ## build the binding and install it into the environment

.PHONY: release
release: $(TOOLS) ## build the wheel of this interpreter and the source package into build/dist
	"$(PY)" -m maturin build --release --locked --interpreter "$(PY)" --target-dir "$(BINDING_TARGET)" --out build/dist
	"$(PY)" -m maturin sdist --out build/dist

.PHONY: fmt
fmt: $(TOOLS) ## format and fix what can be fixed by a tool
	$(CARGO) fmt --all
	"$(PY)" -m ruff check --fix --quiet .
	"$(PY)" -m ruff format --quiet .

.PHONY: lint
lint: lint-rust lint-python lint-house ## run every check that needs no test run

.PHONY: lint-rust
lint-rust: $(TOOLS)
	$(CARGO) fmt --all --check
	$(WITH_PYTHON) $(CARGO) clippy --target-dir "$(TARGET)" --workspace --all-targets --all-features -- -D warnings

.PHONY: lint-python
lint-python: $(BUILT)
	"$(PY)" -m ruff check .
	"$(PY)" -m ruff format --check .
	"$(PY)" -m mypy
	MYPYPATH=python "$(PY)" -m mypy.stubtest --concise --mypy-config-file pyproject.toml logboom._logboom

.PHONY: lint-house
lint-house: $(TOOLS) $(FETCHED)
	"$(PY)" scripts/layers.py
	"$(PY)" scripts/words.py
	"$(PY)" scripts/licences.py
	"$(PY)" -m bench.documents --check

.PHONY: test
test: test-rust loom test-python ## run all tests, Rust and Python (PYTEST_ARGS="...")

.PHONY: test-rust
test-rust: ## run the tests of the ring and the engine
	$(CARGO) test --target-dir "$(TARGET)" $(RUST_TESTED)

.PHONY: test-python
test-python: $(BUILT) ## run the Python tests (PYTEST_ARGS="...")
	"$(PY)" -m pytest $(PYTEST_ARGS)

# How often a process is killed, each time in another way.
KILLS ?= 300

.PHONY: test-torture
test-torture: $(BUILT) ## kill processes that log, KILLS times (300), and count their lines
	KILLS=$(KILLS) "$(PY)" -m pytest tests/python/test_durable_torture.py $(PYTEST_ARGS)

# The interpreters that bring CPython's test suite along; found only when they are asked for.
PYTHONS ?= $(shell "$(PYTHON)" tests/stdlib/interpreters.py)

.PHONY: test-stdlib
test-stdlib: ## run CPython's own logging tests under logboom, on every interpreter found (PYTHONS="...")
	set -- $(PYTHONS); test $$# -gt 0; status=0; for python; do \
		$(MAKE) test-stdlib-here PYTHON="$$python" || status=1; \
	done; exit $$status

.PHONY: test-stdlib-here
test-stdlib-here: $(BUILT)
	"$(PY)" tests/stdlib/run.py $(ARGS)

.PHONY: test-others
test-others: $(BUILT) ## run other projects' logging tests under logboom; needs the network (PROJECTS="structlog uvicorn")
	"$(PY)" tests/others/run.py --tag "$(TAG)" --wheel "$(VENV)"/wheels/*.whl $(ARGS) $(PROJECTS)

# Litestar 3 is not released: a commit of its main branch, as a directory, an archive or its address.
LITESTAR_MAIN ?= https://github.com/litestar-org/litestar/archive/8bd57248db3fd69aeda9c1ad6250aee2dbabf2b2.tar.gz
LITESTAR_ENV := build/litestar-main-$(TAG)

.PHONY: test-litestar-main
test-litestar-main: $(BUILT) ## run the tests of Litestar 3 on its main branch (LITESTAR_MAIN=directory)
	"$(PYTHON)" scripts/environment.py sync "$(LITESTAR_ENV)" litestar-main
	"$(LITESTAR_ENV)/bin/python" -m pip install --quiet --disable-pip-version-check "$(LITESTAR_MAIN)"
	"$(LITESTAR_ENV)/bin/python" -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-index --force-reinstall "$(VENV)"/wheels/*.whl
	"$(LITESTAR_ENV)/bin/python" -m pytest -p no:cacheprovider $(PYTEST_ARGS) $(addprefix tests/python/test_litestar_,3.py access.py exceptions.py lines.py served.py uvicorn.py)

.PHONY: loom
loom: ## run the models of the ring and the barrier through every order of their steps
	RUSTFLAGS="$(RUSTFLAGS) --cfg loom" $(CARGO) test --target-dir "$(TARGET)/loom" --profile dev-release -p logboom-ring --test 'loom*'
	RUSTFLAGS="$(RUSTFLAGS) --cfg loom" $(CARGO) test --target-dir "$(TARGET)/loom" --profile dev-release -p logboom --lib models

# The standard library is built anew for the thread sanitizer, which has to see its locks. Some tests
# leave a ring behind as a killed process does: no leaks are looked for.
SANITIZED := $(CARGO) +nightly test --target x86_64-unknown-linux-gnu -p logboom-ring -p logboom --all-features --tests
.PHONY: test-sanitized
test-sanitized: ## run the Rust tests under the address and the thread sanitizer; needs a nightly toolchain with rust-src
	ASAN_OPTIONS=detect_leaks=0 RUSTFLAGS="-Zsanitizer=address" $(SANITIZED) --target-dir "$(TARGET)/sanitized/address"
	TSAN_OPTIONS=history_size=4 RUSTFLAGS="-Zsanitizer=thread" $(SANITIZED) --target-dir "$(TARGET)/sanitized/thread" -Zbuild-std

# Inputs that the fuzzer finds go into build/; the committed corpus is what the tests replay.
.PHONY: fuzz
fuzz: $(FUZZER) ## run every fuzz target for FUZZ_SECONDS (60); needs a nightly toolchain
	set -e; for target in $(FUZZ_TARGETS); do \
		mkdir -p "build/fuzz/$$target" "fuzz/corpus/$$target"; \
		PATH="$(CURDIR)/$(dir $(FUZZER)):$$PATH" $(CARGO) +nightly fuzz run "$$target" \
			"build/fuzz/$$target" "fuzz/corpus/$$target" -- -max_total_time=$(FUZZ_SECONDS); \
	done

.PHONY: demo
demo: $(BUILT) ## run the main job: Litestar as shipped beside Litestar with logboom (ARGS="--requests 20000")
	"$(PY)" -m examples.demo $(ARGS)

# The peers are in an environment of their own, so that nothing of theirs is in that of the tests.
BENCH := build/bench-env-$(TAG)

.PHONY: bench
bench: bench-env ## measure us and the peers, with the profile that is released (ARGS="--quick --only text")
	"$(BENCH)/bin/python" -m bench $(ARGS)

.PHONY: bench-env
bench-env:
	$(MAKE) build PROFILE=release
	"$(PYTHON)" bench/environment.py "$(BENCH)" release "$(VENV)"/wheels/*.whl

.PHONY: bench-compare
bench-compare: ## say what changed between two saved results (ARGS="OLD.json NEW.json")
	"$(PYTHON)" -m bench.compare $(ARGS)

.PHONY: bench-check
bench-check: bench-env ## count the instructions of the call path by callgrind, and fail when they grew
	"$(BENCH)/bin/python" -m bench.instructions $(ARGS)

.PHONY: bench-rust
bench-rust: ## measure the ring and the engine
	$(CARGO) bench --target-dir "$(TARGET)" $(RUST_TESTED) --bench '*'

.PHONY: docs
docs: docs-site docs-rust ## build the documents as a site, and the Rust documentation, warnings being errors

# Into build/site, on Python 3.11 or newer. The reference is made from the package that is installed.
.PHONY: docs-site
docs-site: $(BUILT)
	NO_MKDOCS_2_WARNING=1 "$(PY)" -m mkdocs build --strict --clean

.PHONY: docs-rust
docs-rust:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --target-dir "$(TARGET)" --no-deps $(RUST_TESTED)

.PHONY: clean
clean: ## remove everything that was built, and the environments
	rm -rf target build .venv .pytest_cache .mypy_cache .ruff_cache

$(TOOLS): pyproject.toml scripts/environment.py
	"$(PYTHON)" scripts/environment.py tag
	"$(PYTHON)" scripts/environment.py sync "$(VENV)" dev
	touch "$@"

# One profile is installed at a time, so building one makes the other's stamp void.
$(BUILT): $(TOOLS) $(BINDING_INPUTS)
	rm -f $(VENV)/.built-*
	"$(PY)" scripts/environment.py install "$(VENV)" "$(PROFILE)" "$(BINDING_TARGET)"
	touch "$@"

$(FUZZER):
	$(CARGO) install --quiet --locked --root build/tools cargo-fuzz@0.13.2

# Every crate of the lock file, those for other systems too: the licence check reads offline.
$(FETCHED): Cargo.lock
	$(CARGO) fetch --locked --quiet
	mkdir -p build && touch "$@"
