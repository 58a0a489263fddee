# Belfry. `make help` lists what can be done.

GO        ?= go
LINT      := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
FUZZTIME  ?= 30s
SIM_SEEDS ?= 1000
SOAK_FOR  ?= 30m
ENSEMBLE  ?= 1
E2E_PARALLEL ?= 4
FAULTS_FOR ?= 10m
SHELL     := /bin/bash
.SHELLFLAGS := -o pipefail -ec

.DEFAULT_GOAL := help
.PHONY: help build run cluster test test-race model integration e2e faults soak bench bench-cluster fuzz lint fmt man generate verify ci clean deps

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/belfryd and bin/belfry, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/belfryd ./cmd/belfry

run: build ## start a host with the sample services, tasks and mails; state in ./var
	@bin/belfryd --config configs/belfryd.yaml --sample

cluster: build ## start three hosts on one ZooKeeper, or on three with ENSEMBLE=3; state in ./var
	@.ci/deps zookeeper
	@.ci/cluster $(ENSEMBLE)

deps: ## install the servers and programs that the tests use (Debian packages)
	@.ci/deps

test: deps ## unit tests and the simulation of the firing protocol
	BELFRY_SIM_SEEDS=$(SIM_SEEDS) $(GO) test ./...

test-race: ## the same with the race detector and fewer seeds
	BELFRY_SIM_SEEDS=50 $(GO) test -race ./...

model: ## explore the model of the firing protocol with its large budgets: some minutes, some GiB
	$(GO) test -v -count=1 -timeout 40m ./plugin/engine/model -model.long

integration: deps ## tests against real PostgreSQL, MariaDB and ZooKeeper servers
	BELFRY_REQUIRE_SERVERS=1 $(GO) test -tags integration -count=1 -timeout 20m \
		$$(git grep -lE '^//go:build integration' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|')

e2e: deps build ## the built programs, run as their users run them, and killed; E2E_PARALLEL (4) tests at a time, since they mostly wait
	$(GO) test -tags faultinject -count=1 ./plugin/fault
	BELFRY_REQUIRE_SERVERS=1 $(GO) test -tags e2e -count=1 -timeout 30m -parallel $(E2E_PARALLEL) ./cmd/e2e/...

soak: deps ## a cluster under random faults for SOAK_FOR (30m): nothing lost, nothing twice, nothing left behind
	BELFRY_REQUIRE_SERVERS=1 BELFRY_SOAK_FOR=$(SOAK_FOR) $(GO) test -tags e2e -count=1 -timeout 0 -v -run '^TestSoak$$' ./cmd/e2e/

bench: ## measure; prints ratios against bare references in the same run
	$(GO) test -v -run '^$$' -bench . -benchmem ./plugin/engine/ ./coordclient/local/ ./dataservice/host/ ./dataservice/query/ ./plugin/trigger/ ./tui/

faults: deps ## three hosts on three ZooKeeper servers, broken in every way for FAULTS_FOR (10m), and figures
	BELFRY_REQUIRE_SERVERS=1 BELFRY_FAULTS_FOR=$(FAULTS_FOR) $(GO) test -tags 'e2e faults' -v -count=1 -timeout 3h ./cmd/e2e -run 'TestFaultsFor|TestFaultsFigures'

bench-cluster: deps ## measure three hosts on three ZooKeeper servers: about half an hour, and 8 GiB for a million tasks
	BELFRY_REQUIRE_SERVERS=1 $(GO) test -tags 'e2e bench' -count=1 -timeout 0 -v -run '^TestBenchCluster' ./cmd/e2e/

fuzz: ## each fuzz target for FUZZTIME (30s)
	@.ci/fuzz $(FUZZTIME)

lint: ## static checks and formatting
	$(LINT) run --allow-parallel-runners ./...
	@.ci/house

fmt: ## format the code
	$(LINT) fmt ./...

man: build ## write the manual pages of belfry to ./man/man1
	bin/belfry man man/man1

generate: ## write completions and the reference in docs/ anew
	$(GO) generate ./...

verify: generate ## prove that generated files and go.mod are fresh
	@git diff --exit-code -- completions docs || { echo 'generated files are stale: run make generate and commit'; exit 1; }
	$(GO) mod tidy -diff
	$(GO) mod verify

ci: FUZZTIME := 10s
ci: verify lint build test test-race integration e2e fuzz ## all of the above, as .ci/run does

clean: ## remove what was built, and the state of make run
	rm -rf bin dist man var
