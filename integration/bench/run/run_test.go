package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zookit/zookit/integration/bench/peers"
	"github.com/zookit/zookit/integration/bench/run"
	"github.com/zookit/zookit/integration/bench/work"
	"github.com/zookit/zookit/zktest"
)

const helperVariable = "ZOOKIT_BENCH_TEST_WORKER"

// TestMain makes this program a worker where it is asked to be one.
func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		work.Main(func(string) map[string]work.Func {
			return map[string]work.Func{
				"pass": func(ctx context.Context, c *work.Course) error {
					return c.Flood(ctx, 1, func(context.Context, int, int64) error { return nil })
				},
				"fail": func(context.Context, *work.Course) error { return errors.New("cannot") },
				"die":  func(context.Context, *work.Course) error { os.Exit(3); return nil },
				"prattle": func(context.Context, *work.Course) error {
					fmt.Println("something else")
					return nil
				},
			}
		}, nil)
		return
	}
	os.Exit(m.Run())
}

func pretended(name string) peers.Program {
	return peers.Program{Name: name, Start: func(ctx context.Context, _, servers string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, os.Args[0], "-servers", servers)
		cmd.Env = append(os.Environ(), helperVariable+"=1")
		cmd.Stderr = os.Stderr
		return cmd, nil
	}}
}

func row(name string) run.Row {
	return run.Row{Name: name, Spec: work.Spec{Work: name, Ops: 10}}
}

func TestRoundsAreInterleavedAndTheOrderAlternates(t *testing.T) {
	t.Parallel()
	results, err := run.Run(t.Context(), run.Config{
		Groups: []run.Group{{Name: "g", Rows: []run.Row{row("pass"), {Name: "mine", Spec: work.Spec{Work: "pass", Ops: 5}, Only: []string{"b"}}}}},
		Peers:  []peers.Program{pretended("a"), pretended("b")}, Rounds: 3, ZooKeeper: "none:1", Dir: t.TempDir(),
	})
	require.NoError(t, err)
	var got []string
	for _, r := range results {
		require.Empty(t, r.Error)
		got = append(got, fmt.Sprintf("%d %s %s %d", r.Round, r.Row, r.Peer, r.Sample.Ops))
	}
	require.Equal(t, []string{
		"1 pass a 10", "1 pass b 10", "1 mine b 5",
		"2 pass b 10", "2 pass a 10", "2 mine b 5",
		"3 pass a 10", "3 pass b 10", "3 mine b 5",
	}, got)
}

// What fails is told once and not tried again; the others go on.
func TestWhatFails(t *testing.T) {
	t.Parallel()
	missing := peers.Program{Name: "missing", Start: func(context.Context, string, string) (*exec.Cmd, error) { return nil, work.ErrAbsent }}
	results, err := run.Run(t.Context(), run.Config{
		Groups: []run.Group{{Name: "g", Rows: []run.Row{row("fail"), row("lacks"), row("die"), row("prattle"), row("pass")}}},
		Peers:  []peers.Program{pretended("a"), missing}, Rounds: 2, ZooKeeper: "none:1", Dir: t.TempDir(),
	})
	require.NoError(t, err)
	errs, samples := map[string]string{}, 0
	for _, r := range results {
		if r.Error == "" {
			samples++
			require.Equal(t, "pass", r.Row)
			continue
		}
		require.NotContains(t, errs, r.Row+" "+r.Peer)
		errs[r.Row+" "+r.Peer] = r.Error
	}
	require.Equal(t, 2, samples)
	require.Equal(t, "cannot", errs["fail a"])
	require.Equal(t, "absent", errs["lacks a"])
	require.Contains(t, errs["die a"], "has ended")
	require.Contains(t, errs["prattle a"], "cannot be read")
	for _, name := range []string{"fail", "lacks", "die", "prattle", "pass"} {
		require.Contains(t, errs[name+" missing"], "absent")
	}
}

func TestThePlan(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, g := range run.Plan() {
		for _, r := range g.Rows {
			require.False(t, names[r.Name], "two rows %q", r.Name)
			names[r.Name] = true
			s := r.Spec
			s.Path = "/p"
			require.NoError(t, s.Check())
			require.True(t, s.Ops > 0 || s.Millis > 0 || s.Work == "group.join" || s.Work == "idle", "%s has no end", r.Name)
		}
	}
}

// Every row of the plan works with our two workers, on a test server, in small.
func TestEveryWorkOnATestServer(t *testing.T) {
	t.Parallel()
	srv := zktest.Start(t)
	var groups []run.Group
	for _, g := range run.Plan() {
		if g.Stub {
			continue
		}
		g.Rows = slices.DeleteFunc(g.Rows, func(r run.Row) bool { return r.Long })
		for i := range g.Rows {
			s := &g.Rows[i].Spec
			s.Clients, s.Millis = min(s.Clients, 4), 0
			s.Ops = 20
			if s.Work == "election.crash" {
				s.Ops = 1
			}
			if s.Work == "lock.drain" {
				s.Ops = 3
			}
			g.Rows[i].CountOps = 0
		}
		groups = append(groups, g)
	}
	var log strings.Builder
	results, err := run.Run(t.Context(), run.Config{
		Groups: groups, Peers: peers.All()[:2], Rounds: 1, ZooKeeper: srv.Addr(), Dir: t.TempDir(), Log: &log,
	})
	require.NoError(t, err)
	lacks := []string{"election.resign", "election.crash", "semaphore", "queue.single.take", "queue.batch.take"}
	for _, r := range results {
		if r.Peer != peers.Ours && slices.ContainsFunc(lacks, func(name string) bool { return strings.HasPrefix(r.Row, name) }) {
			require.Equal(t, "absent", r.Error)
			continue
		}
		require.Empty(t, r.Error, "%s: %s", r.Row, r.Peer)
		if !strings.HasPrefix(r.Row, "idle") {
			require.Positive(t, r.Sample.Ops, "%s: %s\n%s", r.Row, r.Peer, log.String())
			require.Positive(t, r.Sample.Seconds)
		}
	}
}
