# HaaS. `make` lists the targets.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin

# The newest Python that is new enough; name another with  make PYTHON=/path/to/python3
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

# What the tests need of the system: the lab's kernel, switch and hypervisor (tests/lab), a terminal,
# and what libvirt-python is built with, as it has no wheel.
OS_PACKAGES := user-mode-linux libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients \
	qemu-system-x86 qemu-utils ipxe-qemu seabios iproute2 iptables iputils-ping tcpdump busybox-static kmod \
	openvswitch-switch inetutils-telnetd tmux openssh-server openssh-client dropbear-bin libvirt-dev \
	pkg-config gcc python3-dev python3-venv openipmi etcd-server util-linux

PACKAGES := $(OS_PACKAGES)

# What the Debian package is built with, by `make deb`.
DEB_PACKAGES := debhelper dpkg-dev help2man git

.PHONY: deb test-install test-hypervisors test-browser help demo setup test fast lint types contracts quick-units quick-rest check bench bench-scale soak campaigns mutants screenshots pictures schemas \
	upgrade clean os-packages python

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: $(VENV)/demo-ready  ## open the console on an embedded data centre: no root, no switch, nothing kept
	@examples/demo

# One worker waits for the lab's two kernels; the others run all other tests.
WORKERS := -n 6 --dist loadgroup

test: setup  ## set everything up and run every test; as root the lab too
	@if [ "$$(id -u)" = 0 ]; then $(BIN)/pytest $(WORKERS); else \
		echo "The lab needs root (sudo make test runs it too); running everything else."; \
		$(BIN)/pytest $(WORKERS) -m "not lab"; fi

fast: $(VENV)/test-ready  ## lint, types, contracts and the quick tests, in less than a minute
	@$(MAKE) --no-print-directory -j --output-sync=target lint types contracts quick-units quick-rest

# Each worker collects all that its pytest is given, so two of them share the work better than one.
QUICK := HAAS_TEST_EXAMPLES=10 $(BIN)/pytest --dist worksteal -q -m "not (lab or terminal or slow)"

quick-units: $(VENV)/test-ready
	$(QUICK) -n 2 tests/unit

quick-rest: $(VENV)/test-ready
	$(QUICK) -n 2 tests $(addprefix --ignore=tests/,unit lab tui campaigns soak)

setup: os-packages $(VENV)/test-ready  ## install what the tests need, into .venv and (as root) the system

check: lint types contracts  ## lint, types and import contracts

lint: $(VENV)/test-ready  ## ruff: style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test-ready  ## mypy --strict on both programs
	$(BIN)/mypy

contracts: $(VENV)/test-ready  ## who may import whom
	$(BIN)/lint-imports

bench: $(VENV)/test-ready  ## measure daemon and console at 10,000 nodes against their budgets; ONLY=backup, reads or loop
	$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

bench-scale: $(VENV)/test-ready  ## measure 100 to 100,000 nodes on up to 2,000 switches; SWITCHES=10,100 KEEP=1
	$(BIN)/python -m tests.bench.scale $(if $(SWITCHES),--switches $(SWITCHES)) $(if $(KEEP),--keep)

soak: $(VENV)/test-ready  ## keep a daemon busy: random calls, hostile tenants, load; PART=load MINUTES=10 CALLS= SEED=7
	$(BIN)/python -m tests.soak $(if $(PART),--part $(PART)) $(if $(CALLS),--calls $(CALLS)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

campaigns: $(VENV)/test-ready  ## hurt a daemon in all ways at every point of an apply; ONLY=store EVERY=10
	$(BIN)/python -m tests.campaigns $(if $(ONLY),--only $(ONLY)) $(if $(EVERY),--every $(EVERY))

mutants: $(VENV)/test-ready  ## put faults into the code and see whether the tests notice; ONLY=planner SAMPLE=20
	$(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE))

screenshots: $(VENV)/test-ready  ## draw the console's screens anew, into examples/screenshots
	$(BIN)/python -m tests.bench.screenshots

pictures: PACKAGES := chromium
pictures: os-packages $(VENV)/test-ready  ## draw every screen in both themes and three sizes, to be looked at; INTO=build/pictures
	$(BIN)/python -m tests.bench.screenshots $(or $(INTO),build/pictures)

schemas: $(VENV)/test-ready  ## write schemas/ and docs/command-lines.md anew from the code
	$(BIN)/python -m haas_rpcd.schemagen .

upgrade: | python  ## take the newest versions that pyproject.toml allows; try them; commit constraints.txt
	rm -rf build/upgrade && "$(PYTHON)" -m venv build/upgrade
	build/upgrade/bin/pip install --quiet --disable-pip-version-check '.[libvirt,ipmi,ha,test]'
	@{ echo "# The versions that demo, tests and masters are installed with, on Python 3.11 and newer."; \
	  echo "# Written by  make upgrade; not edited by hand."; \
	  build/upgrade/bin/pip freeze --disable-pip-version-check | grep -v '^haas @'; } >build/constraints.txt
	mv build/constraints.txt constraints.txt && rm -rf build
	@echo "Now:  make test"

test-install: PACKAGES := $(OS_PACKAGES) $(DEB_PACKAGES) debootstrap e2fsprogs
test-install: os-packages $(VENV)/test-ready  ## the package in chroots, and on a master with systemd (root, minutes)
	HAAS_TEST_INSTALL=1 nice -n 5 $(BIN)/pytest -rP tests/install

test-hypervisors: setup  ## two hypervisors in the lab, one of which loses its power (root, minutes)
	HAAS_TEST_HYPERVISORS=1 nice -n 5 $(BIN)/pytest -rP -v tests/lab/inside/test_hypervisors.py

test-browser: PACKAGES := chromium zsh fish
test-browser: os-packages $(VENV)/test-ready  ## the console in Chromium, and completion in zsh and fish
	$(BIN)/pytest tests/rpc/test_browser.py tests/batch/test_shells.py

deb: PACKAGES := $(DEB_PACKAGES)
deb: os-packages $(VENV)/demo-ready  ## a Debian package, into build/deb; RELEASE=trixie for another release
	@nice -n 10 debian/build-package $(RELEASE)

clean:  ## take away what these targets made in this folder
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# --- how -------------------------------------------------------------------------------------------

os-packages:
	@missing=$$(for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing" $$missing; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "Not installed:" $$missing; \
		echo "Install them as root:  apt-get install" $$missing; \
	fi

python:
	@if [ -z "$(PYTHON)" ]; then echo "HaaS needs Python 3.11 or newer:  apt-get install python3 python3-venv"; exit 1; fi
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
		else echo "Python's venv is not installed. As root:  apt-get install python3-venv"; exit 1; fi; }

$(BIN)/python: | python
	"$(PYTHON)" -m venv $(VENV)

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

$(VENV)/demo-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) .
	@touch $@

$(VENV)/test-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[libvirt,ipmi,ha,test]'
	@touch $@ $(VENV)/demo-ready
