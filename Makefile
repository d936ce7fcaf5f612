# Axiom25. `make` lists the targets. A fresh clone needs Go, make and git for `make run`; `make test` fetches the rest,
# or names it where it may not.

.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

GO ?= go
TOOLS := $(CURDIR)/bin/tools
GOLANGCI := $(TOOLS)/golangci-lint-2.15.0
GOTESTSUM := $(TOOLS)/gotestsum-1.13.0
NATS_SERVER := $(TOOLS)/nats-server-2.15.2
OASDIFF := $(TOOLS)/oasdiff-1.35.0

# The packages that the console is made of too: they are tested as WebAssembly as well.
PURE := ./contracts/...
WASM_EXEC = $(shell $(GO) env GOROOT)/lib/wasm/go_js_wasm_exec

# The packages that the promises rest on, and the share of their statements that tests must reach.
COVERED := ./contracts ./contracts/runstate ./contracts/verdict ./server/journal ./server/journal/sqlitejournal \
	./server/intake ./server/fanout ./server/httpapi
COVER_MIN := 90

FUZZTIME ?= 10s

comma := ,
empty :=
space := $(empty) $(empty)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# --- build and run ---------------------------------------------------------------------------------------------------

# A first run should not wait for the last tenth of compression; make build and make test take the time for it.
run cluster: CONSOLE_FLAGS := -quality 9
.PHONY: run
run: build ## Build everything and serve on http://127.0.0.1:8025 with ./data; Ctrl-C stops
	@exec bin/axiom25 serve

.PHONY: cluster
cluster: build $(NATS_SERVER) ## Serve on 8025 and 8026 with one journal on three NATS servers under ./data/cluster; Ctrl-C stops
	@exec .ci/cluster $(NATS_SERVER)

.PHONY: build
build: console ## Build the console and bin/axiom25
	@CGO_ENABLED=0 $(GO) build -trimpath -o bin/axiom25 ./server

.PHONY: console
console: ## Build the console's WebAssembly and assets into web/dist
	@$(GO) run ./web/build $(CONSOLE_FLAGS)

# The tag makes another console and another server: neither is ever what is shipped.
.PHONY: gallery
gallery: ## Serve a console with all its parts in all their situations on http://127.0.0.1:8027/gallery; Ctrl-C stops
	@$(GO) run -tags gallery ./web/build -quality 1
	@CGO_ENABLED=0 $(GO) build -tags gallery -o bin/axiom25-gallery ./server
	@echo "the parts are on http://127.0.0.1:8027/gallery"
	@exec bin/axiom25-gallery serve --addr 127.0.0.1:8027 --data data/gallery

.PHONY: clean
clean: ## Remove what was built, but not ./data
	@rm -rf bin coverage
	@find web/dist web/dist-gallery -mindepth 1 ! -name placeholder -delete

# --- check -----------------------------------------------------------------------------------------------------------

.PHONY: test
test: system packages lint fresh compatible $(GOTESTSUM) console ## Everything: format, lint, freshness, all tests with -race, WebAssembly, Chromium
	@$(GO) vet ./...
	@GOOS=js GOARCH=wasm $(GO) vet -tags validator_novalidatefn ./app/... ./wasm
	@GOOS=js GOARCH=wasm $(GO) vet -tags validator_novalidatefn,gallery ./app ./app/gallery ./wasm
	@$(GO) test -tags gallery ./app ./web/build/browser
	@echo "test: the pure packages as WebAssembly under node"
	@GOOS=js GOARCH=wasm $(GOTESTSUM) --format pkgname -- -tags validator_novalidatefn -exec "$(WASM_EXEC)" $(PURE)
	@echo "test: the agreement of schemas and validators, on every mutant"
	@$(GOTESTSUM) --format pkgname -- -run '^TestSchemasAgree' ./contracts
	@echo "test: everything, with the race detector"
	@$(GOTESTSUM) --format pkgname -- -race -timeout 20m ./...

.PHONY: lint
lint: $(GOLANGCI) ## Check format and style
	@$(GOLANGCI) fmt --diff
	@$(GOLANGCI) run --allow-parallel-runners ./...

.PHONY: fmt
fmt: $(GOLANGCI) ## Format the Go code
	@$(GOLANGCI) fmt

.PHONY: gen
gen: ## Write the schemas, the reference pages and the quick readers anew from the contracts
	@$(GO) run -tags bootstrap ./docs/gen

.PHONY: fresh
fresh: ## Check that what is generated is up to date, the module's sums hold and nothing needs another go.mod
	@$(GO) run -tags bootstrap ./docs/gen -check
	@$(GO) run ./docs/bench -check
	@$(GO) mod verify >/dev/null
	@$(GO) list -mod=readonly -deps ./... >/dev/null

.PHONY: compatible
compatible: $(OASDIFF) ## Check that the contracts and the API keep what the last release promised
	@$(GO) run -tags bootstrap ./docs/gen -oasdiff $(OASDIFF)

.PHONY: release
release: gen compatible ## Promise the current version of the contracts: lock its schemas in docs/released
	@$(GO) run -tags bootstrap ./docs/gen -release

.PHONY: cover
cover: ## Measure coverage; fails where a package that promises rest on is below 90 %
	@mkdir -p coverage
	@$(GO) test -count=1 -coverprofile=coverage/profile.txt -coverpkg=$(subst $(space),$(comma),$(strip $(COVERED))) \
		$(sort $(COVERED) ./server/journal/...) >coverage/tests.txt || { cat coverage/tests.txt; exit 1; }
	@awk -v min=$(COVER_MIN) -f .ci/cover.awk coverage/profile.txt

.PHONY: bench
bench: console ## Run the benchmarks one after the other and write docs/benchmarks.md; BENCH=contracts renews one chapter
	@$(GO) run ./docs/bench $(BENCH)

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME (10s)
	@for package in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "fuzz: $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

# What make test does small: KILLS rounds over a journal of SHELF events.
KILLS ?= 50
SHELF ?= 1000000
ROUNDS ?= 10
STEPS ?= 20000

.PHONY: soak
soak: console ## Kill a server KILLS (50) times under load over a journal of SHELF (1000000) events; ROUNDS (10) of faults in a cluster; STEPS (20000) at random, and damage everywhere, in a file
	@$(GO) test -race -count=1 -v -timeout 3h -run '^TestCluster' ./server/journal/natsjournal -rounds $(ROUNDS)
	@$(GO) test -race -count=1 -v -timeout 3h -run '^(TestJournalDoes|TestDamage|TestFlipped|TestTruncated)' ./server/journal/sqlitejournal -scan -steps $(STEPS)
	@$(GO) test -race -count=1 -v -timeout 3h -run '^TestKillAtAnyInstant$$' ./server -kills $(KILLS) -shelf $(SHELF)

.PHONY: screenshots
screenshots: system console ## Draw every page into docs/screenshots: phone and desktop, light and dark
	@$(GO) test -count=1 -run '^TestScreenshots$$' ./server -screenshots $(CURDIR)/docs/screenshots

# --- what the checks need --------------------------------------------------------------------------------------------

# The tools are built outside the product's module graph, each by its exact version.
$(GOLANGCI):
	@echo "installing golangci-lint 2.15.0 (once, some minutes)"
	@GOFLAGS= GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv $(TOOLS)/golangci-lint $@

$(OASDIFF):
	@GOFLAGS= GOBIN=$(TOOLS) $(GO) install github.com/oasdiff/oasdiff@v1.35.0
	@mv $(TOOLS)/oasdiff $@

# The tests run this server inside their processes, so that its version is go.mod's.
$(NATS_SERVER):
	@CGO_ENABLED=0 $(GO) build -trimpath -o $@ github.com/nats-io/nats-server/v2

$(GOTESTSUM):
	@GOFLAGS= GOBIN=$(TOOLS) $(GO) install gotest.tools/gotestsum@v1.13.0
	@mv $(TOOLS)/gotestsum $@

# The meta-schemas of OpenAPI and AsyncAPI, which docs/api is held against, and axe-core, which looks at every page, from the
# packages that publish them.
PACKAGES := $(CURDIR)/bin/npm

.PHONY: packages
packages: $(PACKAGES)/fetched ## Fetch what the tests take from npm: meta-schemas and accessibility rules

$(PACKAGES)/fetched: .ci/npm/package.json .ci/npm/package-lock.json | system
	@mkdir -p $(PACKAGES)
	@cp $^ $(PACKAGES)
	@npm --prefix $(PACKAGES) ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# A browser, node for WebAssembly and npm for the meta-schemas, a C compiler for the race detector, curl and strace for
# the end-to-end tests.
.PHONY: system
system:
	@missing=; \
	has() { for name; do command -v "$$name" >/dev/null && return 0; done; return 1; }; \
	has chromium chromium-browser google-chrome || missing="$$missing chromium"; \
	has node || missing="$$missing nodejs"; \
	has npm || missing="$$missing npm"; \
	has gcc clang || missing="$$missing gcc libc6-dev"; \
	has curl || missing="$$missing curl"; \
	has strace || missing="$$missing strace"; \
	test -n "$$missing" || exit 0; \
	has apt-get || { echo "make test needs these, as Debian calls them:$$missing" >&2; exit 1; }; \
	as_root=; \
	if test "$$(id -u)" != 0; then \
		as_root="sudo -n"; \
		$$as_root true 2>/dev/null || { echo "make test needs:  sudo apt-get install$$missing" >&2; exit 1; }; \
	fi; \
	echo "installing$$missing"; \
	$$as_root apt-get update -qq; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
