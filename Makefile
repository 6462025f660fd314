# make demo | console | test | test-node | fuzz | soak | build | install | deb | test-deb | bench | docs | moves | lint |
# record | clean; every target first installs what is missing (scripts/setup.sh).
# A Node.js that setup.sh had to fetch lies in .tools and goes before the system's.
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# Namespaces need root: asked for only where it is needed, and only when we are not root.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo env "PATH=$$PATH")
# Not root: the labs run in a user namespace, and by sudo only where the kernel allows none.
ROOTLESS := $(if $(SUDO),$(if $(shell unshare -Ucnm --keep-caps true 2>&1),,--rootless))
# The real kernel's IPVS in a virtual machine (tools/oracle/README.md), and the scenarios that `make record` gives it.
ORACLE ?= tools/oracle
SCENARIOS ?= $(sort $(dir $(wildcard test/conformance/recorded/*/*/frames.jsonl)))

.PHONY: install deb test-deb build demo console test test-node fuzz soak bench docs moves lint record clean setup
.DEFAULT_GOAL := build

setup:
	@scripts/setup.sh

# What dist is made of. A folder is newer when a file in it was removed.
SOURCES := src console package.json package-lock.json tsconfig.json tsconfig.build.json scripts/bundle.mjs
build: setup
	@if [ ! -e build/built ] || [ ! -e dist ] || [ -n "$$(find $(SOURCES) -newer build/built -print -quit)" ]; then \
	  echo "build: compiling, up to half a minute"; mkdir -p build; touch build/begun; \
	  npm run --silent build && mv build/begun build/built; fi

demo: build
	@$(if $(ROOTLESS),,$(SUDO)) node dist/cli/main.js lab demo $(ROOTLESS)

# A lab whose console shows one's own packet; `ulvs lab down dr` ends it.
console: build
	@$(SUDO) node dist/cli/main.js lab up dr --console

# The last line is plain: "N passed, N failed, N skipped" (test/support/summary.ts).
test: build
	@scripts/setup.sh programs
	@$(MAKE) --no-print-directory lint
	@echo "test: every test, ten minutes on two processors"
	@vitest run

# make test-node NODE=22: build, tests and a lab with another Node.js, in a copy of this tree (scripts/test-node.sh).
test-node: setup
	@$(if $(ROOTLESS),,$(SUDO)) scripts/test-node.sh "$(NODE)" $(ROOTLESS)

lint: setup
	@echo "lint: types and style, half a minute"
	@tsc --noEmit && tsc --noEmit -p console
	@biome check .

# make fuzz [TARGET=frames,timeline] [TIME=60] [SEED=1]: TIME seconds for each target (test/fuzz/README.md).
fuzz: setup
	@tsc -p tsconfig.fuzz.json && rollup -c test/fuzz/instrument.mjs --silent
	@ln -sfn ../package.json build/package.json
	@node build/test/fuzz/run.js "$(TARGET)" "$(or $(TIME),60)" "$(or $(SEED),1)"

# make soak [HOURS=2] [DEVICE=xdp]: hours of traffic through one director; its figures become docs/soak.md.
soak: build
	@tsc -p tsconfig.bench.json && ln -sfn ../dist build/dist
	@$(SUDO) node dist/cli/main.js lab soak --hours $(or $(HOURS),2) --device $(or $(DEVICE),xdp) --out build/soak.jsonl
	@node build/bench/soak.js build/soak.jsonl
	@$(MAKE) --no-print-directory docs

# make bench [QUICK=1] [QUESTIONS="pipeline wire"]   (bench/README.md)
bench: build
	@scripts/setup.sh bench
	@tsc -p tsconfig.bench.json && scripts/bundle.mjs $(patsubst %,build/bench/questions/%.js,pipeline instructions table workers scale)
	@ln -sfn ../dist build/dist # what starts programs of ours looks there
	@node build/bench/run.js $(if $(QUICK),--quick) $(QUESTIONS)

# make install PREFIX=/usr/local DESTDIR= [NODE=FILE] [NAMES=yes]   (scripts/install.sh, docs/installing.md)
install:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" NODE="$(NODE)" NAMES="$(NAMES)" scripts/install.sh

# build/deb/ulvs_VERSION_ARCH.deb, with a Node.js of this major version in it.
deb: build
	@scripts/setup.sh deb
	@scripts/deb.sh $(or $(NODE),22)
	@lintian --fail-on error build/deb/*.changes

# Installs the package in a fresh Debian, tries it and purges it; and boots a systemd with it (scripts/test-deb.sh).
test-deb: deb
	@scripts/test-deb.sh

# Writes the generated documents and manual pages again (tools/docs).
docs: setup
	@tsc -p tsconfig.docs.json
	@ln -sfn ../package.json build/package.json # the help of the commands says the version
	@node build/tools/docs/generate.js

# How many connections of a large fleet move on one change (docs/fleet.md).
moves: setup
	@tsc -p tsconfig.docs.json
	@node build/tools/fleet/moves.js

# Gives the scenarios to a real kernel's IPVS and keeps its answers, with words behind the frames.
record: setup
	@$(ORACLE)/replay $(SCENARIOS)
	@test/conformance/tools/run annotate $(SCENARIOS)

clean:
	rm -rf dist build coverage npm-shrinkwrap.json
