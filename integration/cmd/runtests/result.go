package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// result is what one run of go test has come to. It is filled from the run's
// events, and shows them as they come.
type result struct {
	out     io.Writer
	verbose bool // show each test that passes, not only each package

	passed, failed int
	ran            map[testKey]bool
	failures       []string
	skips          map[testKey]string // with the reason
	servers        map[server]int     // ensembles started, by what they were

	running map[testKey]*strings.Builder // output so far
	loose   map[string]*strings.Builder  // output of a package or of its build that is no test's
	blamed  map[string]bool              // packages of which a test has failed
}

// server is a provider and the version of ZooKeeper that it ran.
type server struct{ provider, version string }

func newResult(out io.Writer, verbose bool) *result {
	return &result{
		out: out, verbose: verbose,
		ran: map[testKey]bool{}, skips: map[testKey]string{}, servers: map[server]int{},
		running: map[testKey]*strings.Builder{}, loose: map[string]*strings.Builder{}, blamed: map[string]bool{},
	}
}

// read takes the events of a run until its end.
func (r *result) read(events io.Reader) error {
	for d := json.NewDecoder(events); ; {
		var ev event
		switch err := d.Decode(&ev); err {
		case nil:
			r.take(ev)
		case io.EOF:
			return nil
		default:
			return fmt.Errorf("output of go test -json: %w", err)
		}
	}
}

func (r *result) take(ev event) {
	if ev.Test == "" {
		r.takePackage(ev)
		return
	}
	key := testKey{ev.Package, ev.Test}
	switch ev.Action {
	case "output":
		r.log(key).WriteString(ev.Output)
		r.spot(ev.Output)
	case "run":
		r.log(key)
	case "pass":
		r.passed++
		r.ran[key] = true
		delete(r.running, key)
		if r.verbose && !strings.Contains(ev.Test, "/") {
			fmt.Fprintf(r.out, "--- PASS: %s (%.2fs)\n", ev.Test, ev.Elapsed)
		}
	case "fail":
		r.fail(key, fmt.Sprintf("%.2fs", ev.Elapsed))
	case "skip":
		r.skips[key] = reason(r.log(key).String())
		delete(r.running, key)
		fmt.Fprintf(r.out, "--- SKIP: %s: %s\n", ev.Test, r.skips[key])
	}
}

func (r *result) log(key testKey) *strings.Builder {
	if r.running[key] == nil {
		r.running[key] = &strings.Builder{}
	}
	return r.running[key]
}

// fail shows a failed test with all that it has written.
func (r *result) fail(key testKey, how string) {
	r.failed++
	r.ran[key] = true
	r.blamed[key.pkg] = true
	r.failures = append(r.failures, key.String())
	fmt.Fprintf(r.out, "--- FAIL: %s (%s) in %s\n%s", key.name, how, key.pkg, tidied(r.log(key).String()))
	delete(r.running, key)
}

// takePackage handles what is about a package as a whole, or about its build.
func (r *result) takePackage(ev event) {
	name := ev.Package
	if name == "" {
		name, _, _ = strings.Cut(ev.ImportPath, " ") // "path [path.test]"
	}
	if r.loose[name] == nil {
		r.loose[name] = &strings.Builder{}
	}
	switch ev.Action {
	case "output", "build-output":
		r.loose[name].WriteString(ev.Output)
	case "pass", "skip":
		// Here a package says "ok", with its time, or that it has no tests.
		fmt.Fprint(r.out, closing(r.loose[name].String()))
		delete(r.loose, name)
	case "fail":
		for _, key := range slices.SortedFunc(maps.Keys(r.running), compareKeys) {
			if key.pkg == name {
				r.fail(key, "no result")
			}
		}
		if !r.blamed[name] { // the build, TestMain, or a leak found after the tests
			r.failed++
			r.failures = append(r.failures, name)
		}
		fmt.Fprint(r.out, tidied(r.loose[name].String()))
		delete(r.loose, name)
	}
}

func compareKeys(a, b testKey) int { return strings.Compare(a.String(), b.String()) }

// seen is what ensemble.Start writes into the log of each test that has servers.
var seen = regexp.MustCompile(`ensemble: (\S+), ZooKeeper (\S+),`)

func (r *result) spot(line string) {
	if m := seen.FindStringSubmatch(line); m != nil {
		r.servers[server{m[1], m[2]}]++
	}
}

// ensembles counts those that a provider has run, and lists their versions.
func (r *result) ensembles(provider string) (count int, versions []string) {
	for s, n := range r.servers {
		if s.provider == provider {
			count += n
			versions = append(versions, s.version)
		}
	}
	slices.Sort(versions)
	return count, versions
}

// tidied leaves out the marks by which go test says whose output follows.
func tidied(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(strings.TrimSpace(line), "--- FAIL: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// closing returns the lines by which go test closes a package.
func closing(output string) string {
	var b strings.Builder
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// reason returns what a skipped test said, on one line.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
