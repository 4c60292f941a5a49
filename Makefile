# Each target is a script of the same name; a machine without make can run that.
.DEFAULT_GOAL := help
.PHONY: demo test lint fuzz bench help

demo: ## eight workers update one stack under a lock; one is killed, one frozen
	@scripts/demo $(ARGS)

test: ## all tests with the race detector, unit and on real ZooKeeper servers
	@scripts/test $(ARGS)

lint: ## golangci-lint and the project's own checks
	@scripts/lint

fuzz: ## every fuzz target for FUZZTIME (10s)
	@FUZZTIME=$(FUZZTIME) scripts/fuzz

bench: ## every benchmark for BENCHTIME (1s)
	@BENCHTIME=$(BENCHTIME) scripts/bench

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10
