# Each target is a script of the same name; a machine without make can run that.
.DEFAULT_GOAL := help
.PHONY: demo test lint fuzz benchmarks bench profile faults simulate mutants rivals help

demo: ## eight workers update one stack under a lock; one is killed, one frozen; REAL=1: on real servers or not at all
	@REAL=$(REAL) scripts/demo $(ARGS)

test: ## all tests with the race detector, unit and on real ZooKeeper servers
	@scripts/test $(ARGS)

lint: ## golangci-lint and the project's own checks
	@scripts/lint

fuzz: ## every fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

benchmarks: ## every benchmark for BENCHTIME (1s)
	@BENCHTIME=$(BENCHTIME) scripts/benchmarks

bench: ## zookit beside go-zookeeper, Kazoo, Curator and etcd: WORK (all) in ROUNDS (7); tables in out/performance
	@WORK='$(WORK)' ROUNDS=$(ROUNDS) scripts/bench $(ARGS)

profile: ## a CPU profile of WORK (^get$$), a row of bench, in ROUNDS (10)
	@WORK='$(WORK)' ROUNDS=$(ROUNDS) scripts/profile $(ARGS)

faults: ## the fault laboratory for MINUTES (10), with SEED (fresh), WORKLOAD and FAULT (all)
	@MINUTES=$(MINUTES) SEED=$(SEED) WORKLOAD=$(WORKLOAD) FAULT=$(FAULT) scripts/faults $(ARGS)

simulate: ## the same in virtual time: SEEDS (20) schedules of each workload, from SEED (fresh) on
	@SEEDS=$(SEEDS) SEED=$(SEED) WORKLOAD=$(WORKLOAD) scripts/simulate $(ARGS)

mutants: ## planted defects (MUTANT: all), each of which the simulation has to find
	@MUTANT=$(MUTANT) scripts/mutants $(ARGS)

rivals: ## the laboratory for zookit, Kazoo, Curator and go-zookeeper, MINUTES (5) each: what was violated, side by side
	@MINUTES=$(MINUTES) SEED=$(SEED) WORKLOAD=$(WORKLOAD) FAULT=$(FAULT) scripts/rivals $(ARGS)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
