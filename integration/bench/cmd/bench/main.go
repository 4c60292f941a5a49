// Bench is the performance laboratory: it has zookit and what a user would take instead of it do the same work on the same
// servers, and prints what was reached beside what is to be reached.
//
//	go run ./integration/bench/cmd/bench -work lock -rounds 3
//
// With -out the tables are also written to a folder, together with all samples and a picture of growth; groups of a former run
// that are not measured again stay in them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/report"
	"github.com/zookit/zookit/integration/bench/run"
	"github.com/zookit/zookit/integration/bench/stub"
	"github.com/zookit/zookit/zktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are what the flags say.
type settings struct {
	work, peer *regexp.Regexp
	rounds     int
	servers    int
	out        string
	profile    string
	allocs     string
	long       bool
	counts     bool
	again      bool
}

func parse(args []string, messages io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(messages)
	work := flags.String("work", "", "measure the groups or rows that match this `expression`; all by default")
	peer := flags.String("peer", "", "measure only the libraries whose name matches this `expression`")
	flags.IntVar(&s.rounds, "rounds", 7, "rounds; 0 only counts what passes on the wire")
	flags.IntVar(&s.servers, "servers", 3, "ZooKeeper servers; 0 is the test server, in memory, for counts")
	flags.StringVar(&s.out, "out", "", "write samples, tables and the picture to this `folder`, beside what is there from former runs")
	flags.StringVar(&s.profile, "profile", "", "have zookit's worker write a CPU profile to this `file`; implies -peer zookit")
	flags.StringVar(&s.allocs, "allocs", "", "have it write a profile of all allocations to this `file`; implies the same")
	flags.BoolVar(&s.long, "long", false, "measure the rows with 10,000 contenders, too")
	flags.BoolVar(&s.counts, "count", true, "count requests, flights and bytes, through proxies, after the timed rounds")
	flags.BoolVar(&s.again, "report", false, "measure nothing, and report what is in the folder -out")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	switch {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case s.rounds < 0 || s.rounds > 1000:
		return s, fmt.Errorf("-rounds %d: give 0 to 1000", s.rounds)
	case s.servers < 0 || s.servers > 5:
		return s, fmt.Errorf("-servers %d: give 0 to 5", s.servers)
	case s.again && s.out == "":
		return s, errors.New("-report needs -out, the folder with the samples")
	}
	if s.profile != "" || s.allocs != "" {
		*peer = "^" + peers.Ours + "$"
	}
	var err error
	if s.work, err = regexp.Compile(*work); err != nil {
		return s, fmt.Errorf("-work: %w", err)
	}
	if s.peer, err = regexp.Compile(*peer); err != nil {
		return s, fmt.Errorf("-peer: %w", err)
	}
	return s, nil
}

func bench(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parse(args, log)
	if err != nil {
		return err
	}
	var results []run.Result
	about := fmt.Sprintf("%s. Load before: %s.", report.Machine(), report.Load())
	if !s.again {
		var version string
		if results, version, err = measure(ctx, s, log); err != nil && len(results) == 0 {
			return err
		}
		if version != "" {
			about += fmt.Sprintf(" ZooKeeper %s.", version)
		}
	}
	return errors.Join(err, tell(s, about, results, out))
}

// measure runs what the settings name, on servers that end with it.
func measure(ctx context.Context, s settings, log io.Writer) (results []run.Result, version string, err error) {
	groups, programs := s.groups(), s.peers()
	if len(groups) == 0 || len(programs) == 0 {
		return nil, "", fmt.Errorf("nothing to measure: -work matches %d groups, -peer %d libraries", len(groups), len(programs))
	}
	dir, err := os.MkdirTemp("", "zookit-bench-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir)
	nothing, err := stub.New(100)
	if err != nil {
		return nil, "", err
	}
	defer nothing.Close()
	cfg := run.Config{
		Groups: groups, Peers: programs, Rounds: s.rounds, Count: s.counts, Stub: nothing.Addr(), Dir: dir, Log: log,
	}
	if slices.ContainsFunc(groups, func(g run.Group) bool { return !g.Stub }) {
		var end func() error
		if cfg.ZooKeeper, version, end, err = zooKeeper(ctx, s.servers); err != nil {
			return nil, "", err
		}
		defer func() { _ = end() }()
	}
	began := time.Now()
	results, err = run.Run(ctx, cfg)
	fmt.Fprintf(log, "measured in %v\n", time.Since(began).Round(time.Second))
	return results, version, err
}

// zooKeeper starts the servers.
func zooKeeper(ctx context.Context, servers int) (connect, version string, end func() error, err error) {
	if servers == 0 {
		srv, err := zktest.NewServer(zktest.WithContainerInterval(time.Minute))
		if err != nil {
			return "", "", nil, err
		}
		return srv.Addr(), "in the test server, in memory", srv.Close, nil
	}
	e, err := run.NewEnsemble(ctx, servers)
	if err != nil {
		return "", "", nil, err
	}
	if version, err = e.Version(ctx); err != nil {
		return "", "", nil, errors.Join(err, e.Close())
	}
	return e.Connect(), fmt.Sprintf("%s, %d servers, fsync", version, servers), e.Close, nil
}

// groups are those of the plan that the settings name, with the rows that they name.
func (s settings) groups() (groups []run.Group) {
	for _, g := range run.Plan() {
		whole := s.work.MatchString(g.Name)
		g.Rows = slices.DeleteFunc(g.Rows, func(r run.Row) bool {
			return !whole && !s.work.MatchString(r.Name) || r.Long && !s.long
		})
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func (s settings) peers() (programs []peers.Program) {
	for _, p := range peers.All() {
		if !s.peer.MatchString(p.Name) {
			continue
		}
		if s.profile != "" {
			p = p.With("-cpuprofile", s.profile)
		}
		if s.allocs != "" {
			p = p.With("-allocprofile", s.allocs)
		}
		programs = append(programs, p)
	}
	return programs
}

// tell prints the tables, and writes them to the folder if there is one.
func tell(s settings, about string, fresh []run.Result, out io.Writer) error {
	all := fresh
	samples := filepath.Join(s.out, "samples.json")
	if s.out != "" {
		if err := os.MkdirAll(s.out, 0o755); err != nil {
			return err
		}
		old, err := report.ReadResults(samples)
		if err != nil {
			return err
		}
		all = report.Merge(old, fresh)
	}
	rs := report.NewResults(all)
	verdicts, figures, memory := report.Verdicts(report.Goals(), rs), report.Figures(rs), report.Memory(rs)
	fmt.Fprintf(out, "%s\n\n%s\n%s\n%s", about, figures.Text(), memory.Text(), verdicts.Text())
	if s.out == "" {
		return nil
	}
	text := strings.Join([]string{about, verdicts.Markdown(), figures.Markdown(), memory.Markdown()}, "\n\n")
	return errors.Join(
		report.WriteResults(samples, all),
		os.WriteFile(filepath.Join(s.out, "report.md"), []byte(text), 0o644),
		os.WriteFile(filepath.Join(s.out, "growth.svg"), []byte(report.Growth(rs)), 0o644),
	)
}
