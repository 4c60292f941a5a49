// Command runtests runs all tests of the project and says at the end, truthfully, what
// ran and what did not: scripts/test runs it, from the repository's root.
//
// It runs the tests of the module and of those for metrics and tracing, then the
// integration tests once for each provider of real servers that can run here, all
// with the race detector. It shows how each package ended, the whole output of
// whatever failed, and which versions of ZooKeeper the tests met. Its exit status is 1
// if a test failed, if no provider can run, if the integration tests met no real
// server and, where CI is "true", if a test was skipped.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	pattern := flag.String("run", "", "run only tests that match this pattern, as of go test")
	only := flag.String("provider", os.Getenv("ZOOKIT_TEST_PROVIDER"), "run the integration tests on this provider only: jvm, containers or external")
	together := flag.Bool("together", true, "run the integration tests on all providers at once")
	artifacts := flag.String("artifacts", "out/artifacts", "folder for what failed tests leave, such as the servers' logs")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "runtests: unknown argument %q; see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := &runner{
		out:       os.Stdout,
		pattern:   *pattern,
		only:      *only,
		artifacts: *artifacts,
		together:  *together,
		ci:        os.Getenv("CI") == "true",
	}
	if !r.run(ctx) {
		os.Exit(1)
	}
}
