package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zookit/zookit/integration/ensemble"
)

// unexercised marks the skips of tests that need a Docker engine where none answers:
// the closing lines say so, and it is no failure.
const unexercised = "CONTAINERS NOT EXERCISED"

// runner runs everything and keeps the account.
type runner struct {
	out       io.Writer
	pattern   string
	only      string // provider, or all
	artifacts string
	together  bool // all providers at once
	ci        bool

	steps   []*step
	missing map[string]string // providers that cannot run here, and why

	mu     sync.Mutex
	faults []string // what is wrong beside failed tests
}

// step is one run of go test.
type step struct {
	title    string
	name     string // short
	provider string // "" for unit tests
	result   *result
}

// modules are those with unit tests.
var modules = []struct {
	title, name, dir string
	waits            bool // mostly, and so runs beside the integration tests
	flags            []string
}{
	{title: "", name: "unit", dir: "."},
	{title: ", otel", name: "otel", dir: "otel"},
	{title: ", prom", name: "prom", dir: "prom"},
	{title: ", grpcresolver", name: "grpcresolver", dir: "discovery/grpcresolver"},
	{title: ", zookit", name: "zookit", dir: "cmd/zookit", waits: true},
	// etcd takes minutes to build with the race detector.
	{title: ", bench", name: "bench", dir: "integration/bench", waits: true, flags: []string{"-race=false"}},
}

// faults are the tests that run on each provider: those in which servers or processes fail,
// or the links between them. The others are about what a server answers, however it is
// run, or choose their provider themselves: they run once, with the first.
const faults = "^Test(CutOff|BlackHole|ServersKilled|StoppedProcess|B8_|Resume)"

// run reports whether all is well.
func (r *runner) run(ctx context.Context) bool {
	r.missing = map[string]string{}
	providers := r.prepare(ctx)
	var group sync.WaitGroup
	turns := newTurns(r.out)
	for _, module := range modules {
		flags := append([]string{"-timeout=12m"}, module.flags...)
		if !module.waits || !r.together {
			r.goTest(ctx, r.step("unit tests"+module.title, module.name, "", r.out), module.dir, "./...", r.pattern, flags...)
			continue
		}
		turn := turns.next()
		s := r.step("unit tests"+module.title, module.name, "", turn)
		group.Go(func() {
			defer turn.end()
			r.goTest(ctx, s, module.dir, "./...", r.pattern, flags...)
		})
	}
	packages, pattern := "./...", r.pattern
	for _, p := range providers {
		turn := turns.next()
		s := r.step("integration tests, "+p, p, p, turn)
		these, those := packages, pattern
		group.Go(func() {
			defer turn.end()
			// Four packages at once, whatever the machine: these tests mostly wait, and measure time.
			r.goTest(ctx, s, "integration", these, those, "-timeout=20m", "-p=4")
		})
		if !r.together {
			group.Wait()
		}
		if pattern == "" {
			packages, pattern = "./scenario", faults
		}
	}
	group.Wait()
	if ctx.Err() != nil {
		r.fault("stopped: %v", context.Cause(ctx))
	}
	return r.close()
}

// step adds a step that shows what it does on out.
func (r *runner) step(title, name, provider string, out io.Writer) *step {
	s := &step{title: title, name: name, provider: provider, result: newResult(out, provider != "")}
	r.steps = append(r.steps, s)
	return s
}

func (r *runner) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// prepare finds out which providers can run here by starting a server on each. What
// they need for the first time, such as an image, is made on this occasion.
func (r *runner) prepare(ctx context.Context) (usable []string) {
	wanted := []string{"jvm", "containers"}
	if r.only != "" {
		wanted = []string{r.only}
	}
	for _, p := range wanted {
		version, err := tryServer(ctx, p)
		switch {
		case err == nil:
			fmt.Fprintf(r.out, "%s: runs ZooKeeper %s\n", p, version)
			usable = append(usable, p)
		case errors.Is(err, ensemble.ErrNoProvider):
			r.missing[p] = why(p, err)
			fmt.Fprintf(r.out, "%s: cannot run here: %s\n", p, r.missing[p])
			if r.ci && p == "jvm" {
				r.fault("CI has to run local servers, and cannot")
			}
		default:
			r.fault("%s: a single server does not start: %v", p, err)
		}
	}
	if len(usable) == 0 {
		r.fault("no real ZooKeeper: nothing has been tested on one")
	}
	return usable
}

func tryServer(ctx context.Context, provider string) (version string, err error) {
	e, err := ensemble.Open(ctx, 1, ensemble.WithProvider(provider))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return e.Version(ctx)
}

// goTest runs go test on packages of the module in dir.
func (r *runner) goTest(ctx context.Context, s *step, dir, packages, pattern string, flags ...string) {
	if ctx.Err() != nil {
		return
	}
	fmt.Fprintf(s.result.out, "\n== %s\n", s.title)
	args := append([]string{"test", "-json", "-race", "-count=1"}, flags...)
	if pattern != "" {
		args = append(args, "-run", pattern)
	}
	if outputs, err := r.outputs(s); err != nil {
		r.fault("folder for artifacts: %v", err)
	} else {
		args = append(args, "-artifacts", "-outputdir="+outputs)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, packages)...)
	cmd.Dir = dir
	// Every process with the race detector stays for a second when it has ended, the tests' own ones too.
	cmd.Env = append([]string{"GORACE=atexit_sleep_ms=50"}, os.Environ()...)
	if s.provider != "" {
		cmd.Env = append(cmd.Env, "ZOOKIT_TEST_PROVIDER="+s.provider)
	}
	cmd.Stderr = os.Stderr
	interruptible(cmd)
	cmd.WaitDelay = 10 * time.Second
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.fault("%s: go test: %v", s.title, err)
		return
	}
	read := s.result.read(events)
	if read != nil {
		_, _ = io.Copy(io.Discard, events) // or go test would never end
	}
	ended := cmd.Wait()
	switch {
	case read != nil:
		r.fault("%s: %v", s.title, read)
	case ended != nil && s.result.failed == 0:
		r.fault("%s: go test: %v", s.title, ended)
	}
	count, versions := s.result.ensembles(s.provider)
	if s.provider != "" && r.pattern == "" && count == 0 {
		r.fault("%s: no test has met a server of this provider", s.title)
	}
	if len(versions) > 0 {
		s.title += ", ZooKeeper " + strings.Join(slices.Compact(versions), " and ")
	}
}

// outputs is a fresh folder for what the tests of a step leave.
func (r *runner) outputs(s *step) (string, error) {
	dir, err := filepath.Abs(filepath.Join(r.artifacts, s.name))
	if err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// close writes the closing lines and reports whether all is well.
func (r *runner) close() bool {
	fmt.Fprintf(r.out, "\n== what ran\n")
	var passed, failed int
	for _, s := range r.steps {
		count, _ := s.result.ensembles(s.provider)
		fmt.Fprintf(r.out, "%s: %d passed, %d failed, %d skipped", s.title, s.result.passed, s.result.failed, len(s.result.skips))
		if s.provider != "" {
			fmt.Fprintf(r.out, "; %d ensembles started", count)
		}
		fmt.Fprintln(r.out)
		passed += s.result.passed
		failed += s.result.failed
	}
	for _, p := range slices.Sorted(maps.Keys(r.missing)) {
		fmt.Fprintf(r.out, "%s were not exercised: %s\n", plural(p), r.missing[p])
	}
	r.closeSkips()
	for _, s := range r.steps {
		for _, f := range s.result.failures {
			fmt.Fprintf(r.out, "failed (%s): %s\n", s.name, short(f))
		}
	}
	for _, f := range r.faults {
		fmt.Fprintf(r.out, "error: %s\n", f)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed\n", passed, failed)
	return failed == 0 && len(r.faults) == 0
}

// closeSkips lists the tests that ran nowhere. A test that one provider skips has
// been exercised if it ran on another.
func (r *runner) closeSkips() {
	ran, said := map[testKey]bool{}, map[testKey]string{}
	for _, s := range r.steps {
		maps.Copy(ran, s.result.ran)
		maps.Copy(said, s.result.skips)
	}
	unexplained := 0
	for _, key := range slices.SortedFunc(maps.Keys(said), compareKeys) {
		switch {
		case ran[key]:
		case r.missing["containers"] != "" && strings.Contains(said[key], unexercised):
			fmt.Fprintf(r.out, "skipped, for lack of an engine: %s\n", short(key.String()))
		default:
			unexplained++
			fmt.Fprintf(r.out, "skipped: %s: %s\n", short(key.String()), said[key])
		}
	}
	if r.ci && unexplained > 0 {
		r.fault("%d tests were skipped, which CI does not allow", unexplained)
	}
}

func plural(provider string) string {
	if provider == "jvm" {
		return "local servers (jvm)"
	}
	return provider
}

// why is the reason that an ensemble gives for one provider, which stands behind a
// line about all of them.
func why(provider string, err error) string {
	_, reason, more := strings.Cut(err.Error(), "\n")
	if !more {
		return err.Error()
	}
	for strings.HasPrefix(reason, provider+": ") {
		reason = strings.TrimPrefix(reason, provider+": ")
	}
	return reason
}

// short leaves out of a package's path what all have in common.
func short(name string) string { return strings.TrimPrefix(name, "github.com/zookit/zookit/") }
